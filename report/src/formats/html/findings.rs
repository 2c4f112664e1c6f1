//! The list of findings: one line each, the evidence folded into it.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::{escaped, resource, severity, value, without_stop};
use crate::chapters::RULES;
use crate::content::Content;
use crate::content::finding::{Finding, Severity, Status};
use crate::markdown::words::{counted, day, number};

/// Facts shown of one finding.
const FACTS: usize = 25;

/// The findings that have a line, and those of them that have evidence.
pub struct List<'a> {
    lines: Vec<(String, Option<String>)>,
    anchors: HashSet<&'a str>,
    owners: BTreeMap<&'a str, usize>,
    total: usize,
}

impl List<'_> {
    /// Whether a finding has a line.
    pub fn has(&self, finding: &Finding) -> bool {
        self.anchors.contains(finding.anchor.as_str())
    }

    fn evidenced(&self) -> usize {
        self.lines
            .iter()
            .filter(|(_, evidence)| evidence.is_some())
            .count()
    }
}

/// Lines of as many findings as fit into `room` bytes, then the evidence of as many of them as fit into the rest.
pub fn list(content: &Content, room: usize) -> List<'_> {
    let findings: &[Finding] = content
        .evaluation
        .as_ref()
        .map_or(&[], |evaluation| &evaluation.findings);
    let mut list = List {
        lines: Vec::new(),
        anchors: HashSet::new(),
        owners: BTreeMap::new(),
        total: findings.len(),
    };
    for owner in findings
        .iter()
        .filter_map(|finding| finding.owner.as_deref())
    {
        list.owners.insert(owner, 0);
    }
    // Number 0 is for what has no owner.
    for (number, place) in list.owners.values_mut().enumerate() {
        *place = number + 1;
    }
    let mut taken = 0;
    for finding in findings {
        let line = line(finding, &list.owners);
        taken += line.len() + 20;
        if taken > room {
            break;
        }
        list.anchors.insert(&finding.anchor);
        list.lines.push((line, None));
    }
    for (finding, (_, evidence)) in findings.iter().zip(&mut list.lines) {
        let facts = facts(finding);
        taken += facts.len() + 30;
        if taken > room {
            break;
        }
        *evidence = Some(facts);
    }
    list
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
    out.push_str(
        "<div class=\"line columns\" aria-hidden=\"true\"><span>Severity</span><span>Resource</span><span>Why</span><span>Check</span>\
         <span>Owner</span><span>Region</span><span class=\"n\">Risk</span></div>\n<ol class=\"list\" id=\"list\">\n",
    );
    for (line, evidence) in &list.lines {
        match evidence {
            Some(evidence) => {
                // Writing to a String can't fail.
                let _ = writeln!(out, "{line}</summary>{evidence}</details></li>");
            }
            None => {
                let _ = writeln!(
                    out,
                    "{line}</summary><p>Its evidence is left out here.</p></details></li>"
                );
            }
        }
    }
    out.push_str("</ol>\n</section>\n");
}

fn left_out(list: &List<'_>) -> String {
    let (lines, evidenced) = (list.lines.len(), list.evidenced());
    let mut parts = Vec::new();
    if lines < list.total {
        parts.push(format!(
            "{} of lower risk are left out",
            number((list.total - lines) as u64)
        ));
    }
    if evidenced < lines {
        parts.push(format!(
            "the {} of highest risk have their evidence",
            number(evidenced as u64)
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
    let owners = list
        .owners
        .iter()
        .map(|(owner, number)| (number.to_string(), value(owner)));
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
            .map(|status| (code(*status).to_owned(), word(*status).to_owned())),
    );
    out.push_str("<button type=\"reset\">Reset</button>\n<output id=\"count\" aria-live=\"polite\"></output>\n</form>\n");
}

/// A status as the lake has it.
fn code(status: Status) -> &'static str {
    match status {
        Status::Fail => "fail",
        Status::Unknown => "unknown",
        Status::Waived => "waived",
        Status::Pass => "pass",
    }
}

/// A status as a reader has it.
fn word(status: Status) -> &'static str {
    match status {
        Status::Fail => "open",
        Status::Unknown => "unknown",
        Status::Waived => "accepted",
        Status::Pass => "passed",
    }
}

/// A finding's line, up to the end of its summary.
fn line(finding: &Finding, owners: &BTreeMap<&str, usize>) -> String {
    let owner = finding.owner.as_deref();
    let status = match finding.status {
        Status::Fail => String::new(),
        status => format!("<i class=\"tag\">{}</i> ", word(status)),
    };
    let exposed = match finding.exposed {
        Some(true) => "<i class=\"tag net\">internet</i> ",
        _ => "",
    };
    format!(
        "<li id=\"{}\" data-o=\"{}\" data-r=\"{}\" data-v=\"{}\" data-t=\"{}\"><details><summary class=\"line\">{}<span class=\"what\">{}</span>\
         <span class=\"why\">{status}{exposed}{}</span><code>{}</code><span>{}</span><span class=\"soft\">{}</span><span class=\"n\">{:.0}</span>",
        escaped(&finding.anchor),
        owner
            .and_then(|owner| owners.get(owner))
            .copied()
            .unwrap_or(0),
        finding.rule,
        finding.severity.name(),
        code(finding.status),
        severity(finding.severity),
        resource(finding),
        value(&finding.reason),
        value(&finding.check_id),
        owner.map_or_else(|| "<span class=\"soft\">no owner</span>".to_owned(), value),
        value(&finding.region),
        finding.risk,
    )
}

/// What a finding's line opens to.
fn facts(finding: &Finding) -> String {
    let mut out = String::from("<dl>");
    let mut fact = |name: &str, shown: String| {
        let _ = write!(out, "<dt>{name}<dd>{shown}");
    };
    fact("Asked for", value(&finding.title));
    fact("Why", value(&finding.reason));
    fact(
        "Resource",
        format!("<code>{}</code>", escaped(&finding.resource_arn)),
    );
    let tags: Vec<String> = [
        ("environment", &finding.environment),
        ("system", &finding.system),
        ("importance", &finding.importance),
    ]
    .into_iter()
    .filter_map(|(name, tag)| Some(format!("{name} {}", value(tag.as_deref()?))))
    .collect();
    if !tags.is_empty() {
        fact("Belongs to", tags.join(", "));
    }
    if let Some(exposure) = &finding.exposure {
        fact("Reachable", value(exposure));
    }
    if let Some(discriminator) = &finding.discriminator {
        fact(
            "Which one",
            format!("<code>{}</code>", value(discriminator)),
        );
    }
    if let Some(first_seen) = finding.first_seen {
        fact("First seen", day(first_seen));
    }
    if let Some(waiver) = &finding.waiver {
        let owner = waiver
            .owner
            .as_deref()
            .map_or_else(|| "somebody".to_owned(), value);
        let until = waiver
            .expires
            .map(|expires| format!(" until {}", day(expires)));
        let reason = waiver
            .reason
            .as_deref()
            .map(|reason| format!(": {}", value(reason)));
        fact(
            "Accepted by",
            format!(
                "{owner}{}{}",
                until.unwrap_or_default(),
                reason.unwrap_or_default()
            ),
        );
    }
    for (name, shown) in evidence(finding) {
        fact(&name, shown);
    }
    if let Some(remediation) = &finding.remediation {
        fact("To do", format!("{}.", without_stop(&escaped(remediation))));
    }
    out.push_str("</dl>");
    if let Some(command) = &finding.remediation_command {
        let lines: Vec<String> = command.lines().map(escaped).collect();
        let _ = write!(out, "<pre>{}</pre>", lines.join("\n"));
    }
    out
}

/// The evidence's members; evidence that is no object is one fact.
fn evidence(finding: &Finding) -> Vec<(String, String)> {
    match finding.evidence_value() {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(members)) => {
            let mut facts: Vec<(String, String)> = members
                .iter()
                .take(FACTS)
                .map(|(name, fact)| (format!("<code>{}</code>", value(name)), shown(fact)))
                .collect();
            if members.len() > FACTS {
                let more = counted((members.len() - FACTS) as u64, "fact");
                facts.push(("more".to_owned(), more));
            }
            facts
        }
        Some(other) => vec![("evidence".to_owned(), shown(&other))],
    }
}

fn shown(fact: &Value) -> String {
    match fact {
        Value::Null => "not known".to_owned(),
        Value::String(text) => value(text),
        Value::Bool(_) | Value::Number(_) => escaped(&fact.to_string()),
        Value::Array(elements)
            if !elements.is_empty()
                && elements
                    .iter()
                    .all(|element| !element.is_array() && !element.is_object()) =>
        {
            let texts: Vec<String> = elements
                .iter()
                .map(|element| {
                    element
                        .as_str()
                        .map_or_else(|| element.to_string(), str::to_owned)
                })
                .collect();
            value(&texts.join(", "))
        }
        other => format!("<code>{}</code>", value(&other.to_string())),
    }
}
