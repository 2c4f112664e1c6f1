//! The facts behind each finding, highest risk first, as many as the report has room for.

use std::fmt::Write as _;

use serde_json::Value;

use super::Rule;
use super::changes::changed_by;
use crate::content::Content;
use crate::content::finding::{Finding, Status};
use crate::markdown::page::{WHOLE_LIST, resource};
use crate::markdown::words::{counted, day, number};
use crate::markdown::{Align, Links, Page, Table, code, fence, text};

/// Facts shown of one finding.
const FACTS: usize = 25;

/// The chapter and the anchors of the findings in it.
pub struct Evidence<'a> {
    /// Markdown.
    pub text: String,
    /// Anchors.
    pub anchors: std::collections::BTreeSet<&'a str>,
}

/// The evidence of a rule's findings in files of at most `room` bytes, each with the anchors that are in it.
pub fn split(content: &Content, rule: Rule, room: usize) -> Vec<Evidence<'_>> {
    let title = format!("# Rule {}: evidence\n", rule.number);
    let mut files: Vec<Evidence<'_>> = Vec::new();
    for finding in content
        .evaluation
        .iter()
        .flat_map(|evaluation| evaluation.of(Status::Fail))
        .filter(|finding| finding.rule == rule.number)
    {
        let entry = entry(finding, 2);
        let fits = |file: &Evidence<'_>| file.text.len() + entry.len() <= room;
        if !files.last().is_some_and(fits) {
            files.push(Evidence {
                text: title.clone(),
                anchors: std::collections::BTreeSet::new(),
            });
        }
        if let Some(file) = files.last_mut() {
            file.text.push_str(&entry);
            file.anchors.insert(&finding.anchor);
        }
    }
    files
}

/// Writes as many findings as fit into `room` bytes.
pub fn write(content: &Content, room: usize) -> Evidence<'_> {
    let mut evidence = Evidence {
        text: String::new(),
        anchors: std::collections::BTreeSet::new(),
    };
    let Some(evaluation) = &content.evaluation else {
        return evidence;
    };
    let open: Vec<&Finding> = evaluation.of(Status::Fail).collect();
    if open.is_empty() {
        return evidence;
    }
    evidence.text.push_str("## Evidence\n");
    for finding in &open {
        let entry = entry(finding, 3);
        // The line that says how many were left out needs room, too.
        if evidence.text.len() + entry.len() + 300 > room {
            break;
        }
        evidence.text.push_str(&entry);
        evidence.anchors.insert(&finding.anchor);
    }
    let left = open.len() - evidence.anchors.len();
    if left > 0 {
        let findings = counted(left as u64, "finding");
        let of = number(open.len() as u64);
        let _ = writeln!(
            evidence.text,
            "\nThe evidence of {findings} of {of}, those of lowest risk, is left out to keep the report readable: {WHOLE_LIST}."
        );
    }
    evidence
}

fn entry(finding: &Finding, level: usize) -> String {
    let nothing_linked = Links::default();
    let mut page = Page::new(usize::MAX, &nothing_linked);
    page.raw(&format!("\n<a id=\"{}\"></a>\n", finding.anchor));
    page.heading(
        level,
        &format!(
            "{} {}: {}",
            code(&finding.anchor),
            code(&finding.check_id),
            resource(finding)
        ),
    );
    page.paragraph(&text(&finding.reason));
    page.table(&facts(finding), usize::MAX, "fact");
    if let Some(remediation) = &finding.remediation {
        page.paragraph(&format!(
            "To do: {}.",
            text(remediation).trim_end_matches('.')
        ));
    }
    if let Some(command) = &finding.remediation_command {
        page.raw(&format!("\n{}", fence("sh", command)));
    }
    page.into_text()
}

fn facts(finding: &Finding) -> Table {
    let mut table = Table::new(&[("Fact", Align::Left), ("Value", Align::Left)]);
    let mut fact = |name: &str, value: String| table.row(&[name.to_owned(), value]);
    fact("Asked for", text(&finding.title));
    fact(
        "Severity, risk",
        format!("{}, {:.0} of 100", finding.severity.name(), finding.risk),
    );
    fact("Resource", code(&finding.resource_arn));
    fact(
        "Region",
        format!(
            "{} in account {}",
            text(&finding.region),
            code(&finding.account_id)
        ),
    );
    let place: Vec<String> = [
        ("owner", &finding.owner),
        ("environment", &finding.environment),
        ("system", &finding.system),
        ("importance", &finding.importance),
    ]
    .into_iter()
    .filter_map(|(name, value)| {
        value
            .as_deref()
            .map(|value| format!("{name} {}", code(value)))
    })
    .collect();
    if !place.is_empty() {
        fact("Belongs to", place.join(", "));
    }
    if let Some(exposure) = &finding.exposure {
        fact("Reachable from the internet", text(exposure));
    }
    if let Some(discriminator) = &finding.discriminator {
        fact("Which one", code(discriminator));
    }
    if let Some(actor) = &finding.changed_by {
        let what = if finding.is_detection() {
            "Done by"
        } else {
            "Last seen change"
        };
        fact(what, changed_by(actor));
    }
    if let Some(first_seen) = finding.first_seen {
        fact("First seen", day(first_seen));
    }
    for (name, value) in evidence_facts(finding.evidence.as_deref()) {
        table.row(&[name, value]);
    }
    table
}

/// Members of the evidence as rows; evidence that is no object is one row.
fn evidence_facts(evidence: Option<&str>) -> Vec<(String, String)> {
    let Some(evidence) = evidence else {
        return Vec::new();
    };
    match serde_json::from_str::<Value>(evidence) {
        Ok(Value::Object(members)) => {
            let mut rows: Vec<(String, String)> = members
                .iter()
                .take(FACTS)
                .map(|(name, value)| (code(name), shown(value)))
                .collect();
            if members.len() > FACTS {
                rows.push((
                    "more".to_owned(),
                    counted((members.len() - FACTS) as u64, "fact"),
                ));
            }
            rows
        }
        Ok(Value::Null) => Vec::new(),
        Ok(value) => vec![("evidence".to_owned(), shown(&value))],
        Err(_) => vec![("evidence".to_owned(), code(evidence))],
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "not known".to_owned(),
        Value::String(text) => code(text),
        Value::Array(elements)
            if !elements.is_empty()
                && elements.len() <= 6
                && elements
                    .iter()
                    .all(|element| !element.is_array() && !element.is_object()) =>
        {
            elements.iter().map(shown).collect::<Vec<_>>().join(", ")
        }
        other => code(&other.to_string()),
    }
}
