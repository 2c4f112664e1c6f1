//! A finding as the page shows it, in plain texts: markup is made of them for readers without the script, data for the script.

use serde_json::Value;

use super::{bounded, bounded_by, label, without_stop};
use crate::content::actor::Actor;
use crate::content::finding::{Finding, Severity, Status, short_arn};
use crate::markdown::words::{counted, day, minute, some_of};

/// Facts shown of one finding's evidence.
const FACTS: usize = 25;
/// People and addresses named in a fact.
const NAMED: usize = 3;

/// What is seen of a finding before it is opened.
#[derive(Debug)]
pub struct Line {
    pub anchor: String,
    pub rule: u8,
    pub severity: Severity,
    pub status: Status,
    pub exposed: bool,
    pub resource: String,
    pub reason: String,
    pub check_id: String,
    pub owner: Option<String>,
    pub region: String,
    pub risk: String,
}

/// What a finding opens to.
#[derive(Debug)]
pub struct Evidence {
    pub facts: Vec<Fact>,
    pub command: Option<String>,
}

/// A fact with its name.
#[derive(Debug)]
pub struct Fact {
    pub name: String,
    pub text: String,
    pub style: Style,
}

/// Which part of a fact is written by a machine and looks like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Text,
    Name,
    Both,
}

impl Style {
    /// Whether the name looks like code.
    pub fn has_name(self) -> bool {
        matches!(self, Self::Name | Self::Both)
    }

    /// Whether the text looks like code.
    pub fn has_text(self) -> bool {
        matches!(self, Self::Text | Self::Both)
    }
}

impl Line {
    /// The line of a finding.
    pub fn of(finding: &Finding) -> Self {
        Self {
            anchor: finding.anchor.clone(),
            rule: finding.rule,
            severity: finding.severity,
            status: finding.status,
            exposed: finding.exposed == Some(true),
            resource: label(finding),
            reason: bounded(&finding.reason),
            check_id: bounded(&finding.check_id),
            owner: finding.owner.as_deref().map(bounded),
            region: bounded(&finding.region),
            risk: format!("{:.0}", finding.risk),
        }
    }
}

impl Evidence {
    /// The evidence of a finding.
    pub fn of(finding: &Finding) -> Self {
        let mut facts = about(finding);
        facts.extend(members(finding));
        if let Some(remediation) = &finding.remediation {
            facts.push(Fact::of(
                "To do",
                format!("{}.", without_stop(&bounded_by(remediation, usize::MAX))),
            ));
        }
        let command = finding.remediation_command.as_ref().map(|command| {
            let lines: Vec<String> = command
                .lines()
                .map(|line| bounded_by(line, usize::MAX))
                .collect();
            lines.join("\n")
        });
        Self { facts, command }
    }
}

impl Fact {
    fn of(name: &str, text: String) -> Self {
        Self {
            name: name.to_owned(),
            text,
            style: Style::Plain,
        }
    }

    fn code(name: &str, text: String) -> Self {
        Self {
            style: Style::Text,
            ..Self::of(name, text)
        }
    }
}

/// What the report knows of a finding besides its evidence.
fn about(finding: &Finding) -> Vec<Fact> {
    let mut facts = vec![
        Fact::of("Asked for", bounded(&finding.title)),
        Fact::of("Why", bounded(&finding.reason)),
        Fact::code("Resource", bounded_by(&finding.resource_arn, usize::MAX)),
    ];
    let tags: Vec<String> = [
        ("environment", &finding.environment),
        ("system", &finding.system),
        ("importance", &finding.importance),
    ]
    .into_iter()
    .filter_map(|(name, tag)| Some(format!("{name} {}", bounded(tag.as_deref()?))))
    .collect();
    if !tags.is_empty() {
        facts.push(Fact::of("Belongs to", tags.join(", ")));
    }
    if let Some(exposure) = &finding.exposure {
        facts.push(Fact::of("Reachable", bounded(exposure)));
    }
    if let Some(discriminator) = &finding.discriminator {
        facts.push(Fact::code("Which one", bounded(discriminator)));
    }
    if let Some(actor) = &finding.changed_by {
        let what = match finding.is_detection() {
            true => "Done by",
            false => "Last seen change",
        };
        facts.push(Fact::of(what, changed_by(actor)));
    }
    if let Some(first_seen) = finding.first_seen {
        facts.push(Fact::of("First seen", day(first_seen)));
    }
    if let Some(waiver) = &finding.waiver {
        let mut text = waiver
            .owner
            .as_deref()
            .map_or("somebody".to_owned(), bounded);
        if let Some(expires) = waiver.expires {
            text = format!("{text} until {}", day(expires));
        }
        if let Some(reason) = &waiver.reason {
            text = format!("{text}: {}", bounded(reason));
        }
        facts.push(Fact::of("Accepted by", text));
    }
    facts
}

/// Who acted, from where, and when.
fn changed_by(actor: &Actor) -> String {
    let names = |texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|text| bounded(short_arn(text))).collect();
        some_of(&texts, NAMED)
    };
    let from = match actor.addresses.is_empty() {
        true => String::new(),
        false => format!(" from {}", names(&actor.addresses)),
    };
    let calls = actor
        .calls
        .map(|calls| format!(", {}", counted(calls, "call")));
    format!(
        "{}{from}, {}{}",
        names(&actor.principals),
        minute(actor.last),
        calls.unwrap_or_default()
    )
}

/// The evidence's members; evidence that is no object is one fact.
fn members(finding: &Finding) -> Vec<Fact> {
    match finding.evidence_value() {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(members)) => {
            let mut facts: Vec<Fact> = members
                .iter()
                .take(FACTS)
                .map(|(name, value)| member(bounded(name), value, Style::Name, Style::Both))
                .collect();
            if members.len() > FACTS {
                let more = counted((members.len() - FACTS) as u64, "fact");
                facts.push(Fact::of("more", more));
            }
            facts
        }
        Some(other) => vec![member(
            "evidence".to_owned(),
            &other,
            Style::Plain,
            Style::Text,
        )],
    }
}

/// A member of the evidence in one of two styles: as words, or as JSON where it has no words.
fn member(name: String, value: &Value, in_words: Style, as_json: Style) -> Fact {
    let is_flat = |value: &Value| !value.is_array() && !value.is_object();
    let (text, style) = match value {
        Value::Null => ("not known".to_owned(), in_words),
        Value::String(text) => (bounded(text), in_words),
        Value::Bool(_) | Value::Number(_) => (value.to_string(), in_words),
        Value::Array(elements) if !elements.is_empty() && elements.iter().all(is_flat) => {
            let texts: Vec<String> = elements
                .iter()
                .map(|element| {
                    element
                        .as_str()
                        .map_or_else(|| element.to_string(), str::to_owned)
                })
                .collect();
            (bounded(&texts.join(", ")), in_words)
        }
        other => (bounded(&other.to_string()), as_json),
    };
    Fact { name, text, style }
}
