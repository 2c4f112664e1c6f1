//! The list of findings: one line each, the evidence folded into it.
//!
//! The page is quick because it shows a part of the list at a time: the lines of highest risk stand in it for readers
//! without the script, and the script pages, searches and filters all of them, which it reads from data.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use super::data::Data;
use super::line::{Evidence, Line};
use super::{escaped, severity, status, value};
use crate::chapters::RULES;
use crate::content::Content;
use crate::content::finding::{Finding, Severity, Status};
use crate::markdown::words::{counted, number};

/// Lines shown at a time.
const PAGE: usize = 200;
/// What the choice of owners may take, in bytes; the search finds the others.
const OWNERS_ROOM: usize = 500_000;

/// The findings that the page has, and those of them that have evidence.
#[derive(Debug)]
pub struct List<'a> {
    data: Data,
    /// The first page, as markup.
    markup: String,
    anchors: HashSet<&'a str>,
    owners: BTreeMap<&'a str, usize>,
    evidenced: usize,
    total: usize,
}

impl List<'_> {
    /// Whether the page has a finding.
    pub fn has(&self, finding: &Finding) -> bool {
        self.anchors.contains(finding.anchor.as_str())
    }
}

/// As many findings as fit into `room` bytes, then the evidence of as many of them as fit into the rest.
pub fn list(content: &Content, room: usize) -> List<'_> {
    let findings: &[Finding] = content
        .evaluation
        .as_ref()
        .map_or(&[], |evaluation| &evaluation.findings);
    let mut list = List {
        data: Data::default(),
        markup: String::new(),
        anchors: HashSet::new(),
        owners: owners(findings),
        evidenced: 0,
        total: findings.len(),
    };
    for finding in findings {
        let line = Line::of(finding);
        let owner = finding.owner.as_deref();
        let owner = owner.and_then(|owner| list.owners.get(owner)).copied();
        list.data.add(&line, owner.unwrap_or(0));
        list.anchors.insert(&finding.anchor);
        if list.anchors.len() <= PAGE {
            item(&mut list.markup, &line, &Evidence::of(finding));
        }
        if list.data.bytes() + list.markup.len() > room {
            break;
        }
    }
    for (place, finding) in findings.iter().take(list.anchors.len()).enumerate() {
        if list.data.bytes() + list.markup.len() > room {
            break;
        }
        list.data.open(place, &Evidence::of(finding));
        list.evidenced += 1;
    }
    list
}

/// Numbers of the owners, by name; 0 is for what has none.
fn owners(findings: &[Finding]) -> BTreeMap<&str, usize> {
    let names = findings
        .iter()
        .filter_map(|finding| finding.owner.as_deref());
    let mut owners: BTreeMap<&str, usize> = names.map(|owner| (owner, 0)).collect();
    for (number, place) in owners.values_mut().enumerate() {
        *place = number + 1;
    }
    owners
}

/// Writes the chapter.
pub fn write(out: &mut String, content: &Content, list: &List<'_>) {
    out.push_str("<section id=\"findings\">\n<h2>Findings</h2>\n");
    if list.total == 0 {
        out.push_str(match content.evaluation {
            Some(_) => "<p>None: every verdict is a pass.</p>\n</section>\n",
            None => "<p>None were looked for.</p>\n</section>\n",
        });
        return;
    }
    filters(out, list);
    let _ = writeln!(
        out,
        "<p class=\"soft\">{} that {} not pass, highest risk first. A line opens to its evidence.{}</p>",
        counted(list.total as u64, "verdict"),
        if list.total == 1 { "does" } else { "do" },
        left_out(list)
    );
    if list.anchors.len() > PAGE {
        let _ = writeln!(
            out,
            "<p class=\"notice\" id=\"unscripted\">Here are the <b>{PAGE} of highest risk</b>. The other {} are in this page, too, but only its script can \
             show them, and it does not run here: <code>report --format csv</code> and <code>report --out DIR</code> list all of them.</p>",
            number((list.anchors.len() - PAGE) as u64)
        );
    }
    let _ = write!(
        out,
        "<div class=\"line columns\" aria-hidden=\"true\"><span>Severity</span><span>Resource</span><span>Why</span><span>Check</span>\
         <span>Owner</span><span>Region</span><span class=\"n\">Risk</span></div>\n<ol class=\"list\" id=\"list\">\n{}</ol>\n\
         <nav id=\"pager\" aria-label=\"Pages of findings\" hidden><button type=\"button\">Previous {PAGE}</button> <span></span> \
         <button type=\"button\">Next {PAGE}</button></nav>\n</section>\n{}",
        list.markup,
        list.data.element(PAGE),
    );
}

fn left_out(list: &List<'_>) -> String {
    let lines = list.anchors.len();
    let mut parts = Vec::new();
    if lines < list.total {
        parts.push(format!(
            "{} of lower risk are left out",
            number((list.total - lines) as u64)
        ));
    }
    if list.evidenced < lines {
        parts.push(format!(
            "the {} of highest risk have their evidence",
            number(list.evidenced as u64)
        ));
    }
    match parts.is_empty() {
        true => String::new(),
        false => format!(
            " To keep the page quick, {}: <code>report --format json</code> has everything.",
            parts.join(" and ")
        ),
    }
}

/// The form is hidden until the script that makes it work shows it.
fn filters(out: &mut String, list: &List<'_>) {
    out.push_str("<form id=\"filters\" role=\"search\" aria-label=\"Filter the findings\" hidden>\n<label>Search <input type=\"search\" name=\"q\" autocomplete=\"off\" spellcheck=\"false\"></label>\n");
    let mut select =
        |label: &str, name: &str, options: &mut dyn Iterator<Item = (String, String)>| {
            let _ = write!(
                out,
                "<label>{label} <select name=\"{name}\"><option value=\"\">any</option>"
            );
            for (option, text) in options {
                let _ = write!(out, "<option value=\"{option}\">{text}</option>");
            }
            out.push_str("</select></label>\n");
        };
    let mut taken = 0;
    let owners = list
        .owners
        .iter()
        .map(|(owner, number)| (number.to_string(), value(owner)))
        .take_while(|(_, owner)| {
            taken += owner.len() + 40;
            taken <= OWNERS_ROOM
        });
    select(
        "Owner",
        "owner",
        &mut [("0".to_owned(), "(no owner)".to_owned())]
            .into_iter()
            .chain(owners),
    );
    select(
        "Rule",
        "rule",
        &mut RULES.iter().map(|rule| {
            (
                rule.number.to_string(),
                format!("{} {}", rule.number, rule.name),
            )
        }),
    );
    select(
        "Severity",
        "severity",
        &mut Severity::ALL
            .iter()
            .map(|severity| (severity.name().to_owned(), severity.name().to_owned())),
    );
    select(
        "Status",
        "status",
        &mut [Status::Fail, Status::Unknown, Status::Waived]
            .iter()
            .map(|status| {
                (
                    status::code(*status).to_owned(),
                    status::word(*status).to_owned(),
                )
            }),
    );
    out.push_str("<button type=\"reset\">Reset</button>\n<output id=\"count\" aria-live=\"polite\"></output>\n</form>\n");
}

/// A finding as markup; the script makes the same of the same data.
fn item(out: &mut String, line: &Line, evidence: &Evidence) {
    let status = match line.status {
        Status::Fail => String::new(),
        status => format!("<i class=\"tag\">{}</i> ", status::word(status)),
    };
    let exposed = match line.exposed {
        true => "<i class=\"tag net\">internet</i> ",
        false => "",
    };
    let owner = match &line.owner {
        Some(owner) => format!("<span>{}</span>", escaped(owner)),
        None => "<span class=\"soft\">no owner</span>".to_owned(),
    };
    let _ = write!(
        out,
        "<li id=\"{}\"><details><summary class=\"line\">{}<span class=\"what\">{}</span><span class=\"why\">{status}{exposed}{}</span>\
         <code>{}</code>{owner}<span class=\"soft\">{}</span><span class=\"n\">{}</span></summary><dl>",
        escaped(&line.anchor),
        severity(line.severity),
        escaped(&line.resource),
        escaped(&line.reason),
        escaped(&line.check_id),
        escaped(&line.region),
        line.risk,
    );
    let styled = |text: &str, as_code: bool| match as_code {
        true => format!("<code>{}</code>", escaped(text)),
        false => escaped(text),
    };
    for fact in &evidence.facts {
        let name = styled(&fact.name, fact.style.has_name());
        let text = styled(&fact.text, fact.style.has_text());
        let _ = write!(out, "<dt>{name}</dt><dd>{text}</dd>");
    }
    out.push_str("</dl>");
    if let Some(command) = &evidence.command {
        let lines: Vec<String> = command.lines().map(escaped).collect();
        let _ = write!(out, "<pre>{}</pre>", lines.join("\n"));
    }
    out.push_str("</details></li>\n");
}
