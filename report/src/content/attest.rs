//! What people attest because no call to AWS could tell: a penetration test, a drill, where the code is kept.
//!
//! A file of `[[attestation]]` entries, read strictly: a misspelt word would otherwise pass for "nothing was said". What is
//! over has failed; what nobody attested is not evaluated, never passed.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use handoff::shell::{self, Hinted};
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Serialize;
use toml::{Table, Value};

use super::Content;

/// Something that can be attested.
#[derive(Debug)]
pub struct Kind {
    /// Its word in the file.
    pub what: &'static str,
    /// Step of hardening it belongs to.
    pub rule: u8,
    /// What it says.
    pub says: &'static str,
}

/// Everything that can be attested, in the order of the rules.
pub const KINDS: [Kind; 8] = [
    Kind {
        what: "access-review",
        rule: 2,
        says: "somebody went through who may do what, and took away what is not needed",
    },
    Kind {
        what: "penetration-test",
        rule: 4,
        says: "somebody who did not build it tried to break in",
    },
    Kind {
        what: "external-scan",
        rule: 4,
        says: "an outside scanner looked at every endpoint that the internet reaches",
    },
    Kind {
        what: "incident-drill",
        rule: 5,
        says: "the people on call practised what to do about an intruder",
    },
    Kind {
        what: "recovery-drill",
        rule: 7,
        says: "it was rebuilt from what is kept, by somebody who was not there when it was made",
    },
    Kind {
        what: "configuration-backup",
        rule: 7,
        says: "configuration of applications and services is kept outside of what it configures",
    },
    Kind {
        what: "codebase-backup",
        rule: 7,
        says: "the code, with what builds it, is kept in a second place",
    },
    Kind {
        what: "application-addressing",
        rule: 7,
        says: "applications find each other by names that can be pointed elsewhere, not by addresses",
    },
];

/// What an attestation is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All of an account.
    Account(String),
    /// A system, in whatever account.
    System(String),
}

/// Something that somebody attests.
#[derive(Clone, Debug, Serialize)]
pub struct Attestation {
    /// One of [`KINDS`].
    pub what: &'static str,
    /// What it is about.
    #[serde(flatten)]
    pub scope: Scope,
    /// Day of it.
    pub date: Date,
    /// Last day on which it counts.
    pub expires: Date,
    /// Who did it.
    pub by: String,
    /// Where that can be looked up: an https URL, else a path or a name.
    pub evidence: String,
    /// Whether it was over at the time of the facts.
    pub expired: bool,
}

/// What a report was told.
#[derive(Debug, Default)]
pub struct Attestations {
    /// Whether there was a file.
    pub given: bool,
    /// Those that concern the run, by kind, scope and day.
    pub list: Vec<Attestation>,
}

/// How a kind stands.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// Nobody attested it.
    NotEvaluated,
    /// It is over for these scopes, with the day.
    Expired(Vec<(&'a Scope, Date)>),
    /// It counts for these systems and for no others.
    Partly(Vec<&'a str>),
    /// It counts for everything in the run.
    Attested,
}

impl Attestations {
    /// Reads a file; lines that tell of entries about something that the run does not have go to `warn`.
    ///
    /// # Errors
    /// When the file can't be read or anything in it is not as it should be; each fault has its line.
    pub fn load(
        path: &Path,
        content: &Content,
        warn: &mut dyn FnMut(String),
    ) -> anyhow::Result<Self> {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("can't read the attestations {name}"))?;
        let today = Offset::UTC.to_datetime(content.as_of).date();
        let entries = parse(&text, today).map_err(|faults| {
            let message = match faults.as_slice() {
                [only] => format!("{name}: {only}"),
                many => {
                    many.iter()
                        .for_each(|fault| shell::error(&format!("{name}: {fault}")));
                    format!("{name} has {} faults", many.len())
                }
            };
            Hinted::new(
                message,
                "an attestation is [[attestation]] with what, account or system, date = 2026-06-30, expires, by and evidence",
            )
        })?;
        let systems = systems(content);
        let mut list = Vec::new();
        for (number, entry) in entries {
            let unknown = match &entry.scope {
                Scope::Account(account) if !content.accounts.contains(account) => {
                    Some(format!("account {account}, which this run does not cover"))
                }
                Scope::System(system) if !systems.contains(system.as_str()) => Some(format!(
                    "system {system:?}, which no resource of this run has"
                )),
                _ => None,
            };
            match unknown {
                Some(unknown) => warn(format!("{name}: attestation {number} is about {unknown}")),
                // What was done after the facts says nothing of them.
                None if entry.date > today => {}
                None => list.push(entry),
            }
        }
        list.sort_by(|a, b| {
            let place = |entry: &Attestation| KINDS.iter().position(|kind| kind.what == entry.what);
            (place(a), &a.scope, b.date, b.expires, &a.by, &a.evidence).cmp(&(
                place(b),
                &b.scope,
                a.date,
                a.expires,
                &b.by,
                &b.evidence,
            ))
        });
        Ok(Self { given: true, list })
    }

    /// Attestations of a kind.
    pub fn of(&self, what: &str) -> impl Iterator<Item = &Attestation> {
        self.list.iter().filter(move |entry| entry.what == what)
    }

    /// How a kind stands: of each scope, the attestation that counts for longest decides.
    pub fn standing(&self, what: &str, content: &Content) -> Standing<'_> {
        let mut latest: std::collections::BTreeMap<&Scope, &Attestation> =
            std::collections::BTreeMap::new();
        for entry in self.of(what) {
            let known = latest.entry(&entry.scope).or_insert(entry);
            if entry.expires > known.expires {
                *known = entry;
            }
        }
        if latest.is_empty() {
            return Standing::NotEvaluated;
        }
        let expired: Vec<(&Scope, Date)> = latest
            .values()
            .filter(|entry| entry.expired)
            .map(|entry| (&entry.scope, entry.expires))
            .collect();
        if !expired.is_empty() {
            return Standing::Expired(expired);
        }
        let covers = |scope: Scope| latest.contains_key(&scope);
        let accounts = || {
            content
                .accounts
                .iter()
                .all(|account| covers(Scope::Account(account.clone())))
        };
        let all_systems = || {
            let systems = systems(content);
            !systems.is_empty()
                && systems
                    .iter()
                    .all(|system| covers(Scope::System((*system).to_owned())))
        };
        if accounts() || all_systems() {
            return Standing::Attested;
        }
        Standing::Partly(
            latest
                .keys()
                .map(|scope| match scope {
                    Scope::Account(name) | Scope::System(name) => name.as_str(),
                })
                .collect(),
        )
    }

    /// Whether something of a rule was attested once and is over.
    pub fn has_expired(&self, rule: u8, content: &Content) -> bool {
        KINDS.iter().any(|kind| {
            kind.rule == rule && matches!(self.standing(kind.what, content), Standing::Expired(_))
        })
    }
}

/// Systems that the tags of the run name.
fn systems(content: &Content) -> BTreeSet<&str> {
    content
        .evaluation
        .iter()
        .filter_map(|evaluation| evaluation.context.as_ref())
        .flat_map(|context| context.tags.systems.keys())
        .map(String::as_str)
        .filter(|system| !system.is_empty())
        .collect()
}

const MEMBERS: [&str; 7] = [
    "what", "account", "system", "date", "expires", "by", "evidence",
];

/// The entries with their numbers, or every fault of the file, one line each.
fn parse(text: &str, today: Date) -> Result<Vec<(usize, Attestation)>, Vec<String>> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| {
            text[..span.start.min(text.len())].matches('\n').count() + 1
        });
        vec![format!(
            "line {line}: {}",
            error.message().replace('\n', " ")
        )]
    })?;
    let mut faults: Vec<String> = table
        .keys()
        .filter(|key| *key != "attestation")
        .map(|key| format!("{key:?} is not known: expected [[attestation]]"))
        .collect();
    let none = Vec::new();
    let entries = match table.get("attestation") {
        Some(Value::Array(entries)) => entries,
        Some(_) => {
            faults.push("attestation: expected [[attestation]], a list of tables".to_owned());
            &none
        }
        None => &none,
    };
    let mut read = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let number = index + 1;
        let mut found = Vec::new();
        match entry {
            Value::Table(members) => {
                read.extend(attestation(members, today, &mut found).map(|entry| (number, entry)))
            }
            _ => found.push("expected a table".to_owned()),
        }
        faults.extend(
            found
                .into_iter()
                .map(|fault| format!("attestation {number}: {fault}")),
        );
    }
    if faults.is_empty() {
        Ok(read)
    } else {
        Err(faults)
    }
}

fn attestation(members: &Table, today: Date, faults: &mut Vec<String>) -> Option<Attestation> {
    for key in members
        .keys()
        .filter(|key| !MEMBERS.contains(&key.as_str()))
    {
        faults.push(format!(
            "{key:?} is not known: expected {}",
            MEMBERS.join(", ")
        ));
    }
    let what = text(members, "what", faults).and_then(|word| {
        let kind = KINDS.iter().find(|kind| kind.what == word);
        if kind.is_none() {
            let known: Vec<&str> = KINDS.iter().map(|kind| kind.what).collect();
            faults.push(format!(
                "what = {word:?}: expected one of {}",
                known.join(", ")
            ));
        }
        kind.map(|kind| kind.what)
    });
    let scope = scope(members, faults);
    let date = day(members, "date", faults);
    let expires = day(members, "expires", faults);
    if let (Some(date), Some(expires)) = (date, expires)
        && expires < date
    {
        faults.push(format!("expires on {expires}, before its date {date}"));
    }
    let by = text(members, "by", faults);
    let evidence = text(members, "evidence", faults);
    if let Some((scheme, _)) = evidence
        .as_deref()
        .and_then(|evidence| evidence.split_once("://"))
        && scheme != "https"
    {
        faults.push(format!(
            "evidence begins with {scheme}://: expected an https URL, or a path"
        ));
    }
    Some(Attestation {
        what: what?,
        scope: scope?,
        date: date?,
        expires: expires?,
        by: by?,
        evidence: evidence?,
        expired: expires? < today,
    })
}

fn scope(members: &Table, faults: &mut Vec<String>) -> Option<Scope> {
    match (
        members.contains_key("account"),
        members.contains_key("system"),
    ) {
        (true, false) => {
            let account = text(members, "account", faults)?;
            let is_id = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
            if !is_id {
                faults.push(format!(
                    "account = {account:?}: expected 12 digits in quotes"
                ));
            }
            is_id.then_some(Scope::Account(account))
        }
        (false, true) => text(members, "system", faults).map(Scope::System),
        (true, true) => {
            faults.push("both account and system: expected one of them".to_owned());
            None
        }
        (false, false) => {
            faults.push("neither account nor system".to_owned());
            None
        }
    }
}

fn text(members: &Table, key: &str, faults: &mut Vec<String>) -> Option<String> {
    match members.get(key) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.clone()),
        Some(Value::String(_)) => {
            faults.push(format!("{key} is empty"));
            None
        }
        Some(other) => {
            faults.push(format!(
                "{key}: expected a text, found {}",
                other.type_str()
            ));
            None
        }
        None => {
            faults.push(format!("{key} is missing"));
            None
        }
    }
}

fn day(members: &Table, key: &str, faults: &mut Vec<String>) -> Option<Date> {
    let day = match members.get(key) {
        Some(Value::Datetime(moment)) if moment.time.is_none() => {
            moment.date.and_then(|date| date.to_string().parse().ok())
        }
        None => {
            faults.push(format!("{key} is missing"));
            return None;
        }
        Some(_) => None,
    };
    if day.is_none() {
        faults.push(format!(
            "{key}: expected a date without quotes, such as 2026-06-30"
        ));
    }
    day
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[attestation]]\nwhat = 'penetration-test'\nsystem = 'checkout'\ndate = 2026-06-30\nexpires = 2026-11-15\nby = 'Example'\nevidence = 'https://example.com/r'\n";

    fn parsed(text: &str) -> Result<Vec<(usize, Attestation)>, Vec<String>> {
        parse(text, "2026-11-16".parse().unwrap())
    }

    #[test]
    fn an_attestation_counts_until_the_end_of_its_last_day() {
        let expired = |text: &str| parsed(text).unwrap()[0].1.expired;
        assert!(expired(GOOD));
        assert!(!expired(&GOOD.replace("2026-11-15", "2026-11-16")));
        assert!(parsed("").unwrap().is_empty());
    }

    #[test]
    fn every_fault_has_its_line() {
        let faults = |text: &str| parsed(text).unwrap_err();
        let bad = "[[attestation]]\nwhat = 'pentest'\naccount = '1'\nsystem = 'x'\ndate = '2026-06-30'\nevidence = 'ftp://x'\nnote = 1\n[[attestation]]\n";
        assert_eq!(
            faults(bad),
            [
                "attestation 1: \"note\" is not known: expected what, account, system, date, expires, by, evidence",
                "attestation 1: what = \"pentest\": expected one of access-review, penetration-test, external-scan, incident-drill, recovery-drill, configuration-backup, codebase-backup, application-addressing",
                "attestation 1: both account and system: expected one of them",
                "attestation 1: date: expected a date without quotes, such as 2026-06-30",
                "attestation 1: expires is missing",
                "attestation 1: by is missing",
                "attestation 1: evidence begins with ftp://: expected an https URL, or a path",
                "attestation 2: what is missing",
                "attestation 2: neither account nor system",
                "attestation 2: date is missing",
                "attestation 2: expires is missing",
                "attestation 2: by is missing",
                "attestation 2: evidence is missing",
            ]
        );
        assert_eq!(
            faults(&GOOD.replace("2026-11-15", "2025-01-01")),
            ["attestation 1: expires on 2025-01-01, before its date 2026-06-30"]
        );
        assert_eq!(
            faults(&GOOD.replace("system = 'checkout'", "account = '42'")),
            ["attestation 1: account = \"42\": expected 12 digits in quotes"]
        );
        assert!(faults("attestation = 1\nx = 2")[0].starts_with("\"x\" is not known"));
        assert!(faults("[[attestation]\n")[0].starts_with("line 1: "));
    }
}
