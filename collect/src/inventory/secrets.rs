//! Secrets in what is collected: found, replaced by a fingerprint, and remembered by place only.
//!
//! Two ways lead to a secret: a table file names places whose values may be one (function environments, user
//! data), and patterns recognise keys and passwords in any text. Invariant: rows pass through [`hide`] before
//! anything of them is written, and no value it replaces is kept.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A place in a row: members with `.` between them, `[]` for each element, `*` for every member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Elements,
    Members,
}

/// A secret that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where in the row, as a JSON path.
    pub place: String,
    /// `access_key`, `private_key`, `password`, `named`, or `declared`.
    pub kind: &'static str,
    /// What stands there now.
    pub fingerprint: String,
}

impl SecretPath {
    /// Reads a path; `None` when it is not well formed.
    pub fn new(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let name = part.trim_end_matches("[]");
            match name {
                "" => return None,
                "*" => steps.push(Step::Members),
                _ if name.contains(['[', ']', '*', '\'', '"', '(']) => return None,
                _ => steps.push(Step::Member(name.to_owned())),
            }
            steps.extend(std::iter::repeat_n(
                Step::Elements,
                (part.len() - name.len()) / 2,
            ));
        }
        Some(Self(steps))
    }

    /// First member of the path.
    pub fn first(&self) -> Option<&str> {
        match self.0.first() {
            Some(Step::Member(name)) => Some(name),
            _ => None,
        }
    }
}

/// Replaces every secret in a row and says where they were.
pub fn hide(row: &mut Value, declared: &[SecretPath]) -> Vec<Found> {
    let mut found = Vec::new();
    for path in declared {
        follow(row, &path.0, &mut String::new(), &mut found);
    }
    search(row, &mut String::new(), &mut found);
    found
}

/// The text with recognised secrets replaced as a whole, for messages and names.
pub fn hide_text(text: String) -> String {
    match recognise(&text, "") {
        Some(_) => fingerprint(&text),
        None => text,
    }
}

fn follow(value: &mut Value, steps: &[Step], place: &mut String, found: &mut Vec<Found>) {
    let Some((step, rest)) = steps.split_first() else {
        replace_all(value, place, found);
        return;
    };
    match (step, value) {
        (Step::Member(name), Value::Object(members)) => {
            if let Some(member) = members.get_mut(name) {
                below(place, &format!(".{name}"), |place| {
                    follow(member, rest, place, found)
                });
            }
        }
        (Step::Members, Value::Object(members)) => {
            for (name, member) in members {
                below(place, &format!(".{name}"), |place| {
                    follow(member, rest, place, found)
                });
            }
        }
        (Step::Elements | Step::Members, Value::Array(elements)) => {
            for (index, element) in elements.iter_mut().enumerate() {
                below(place, &format!("[{index}]"), |place| {
                    follow(element, rest, place, found)
                });
            }
        }
        _ => {}
    }
}

fn below(place: &mut String, step: &str, go: impl FnOnce(&mut String)) {
    let length = place.len();
    place.push_str(step);
    go(place);
    place.truncate(length);
}

/// Replaces every scalar at and below a declared place.
fn replace_all(value: &mut Value, place: &mut String, found: &mut Vec<Found>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                below(place, &format!(".{name}"), |place| {
                    replace_all(member, place, found)
                });
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter_mut().enumerate() {
                below(place, &format!("[{index}]"), |place| {
                    replace_all(element, place, found)
                });
            }
        }
        Value::String(text) if !text.is_empty() && !is_fingerprint(text) => {
            let kind = recognise(text, place).unwrap_or("declared");
            note(value, place, kind, found);
        }
        Value::Number(_) => note(value, place, "declared", found),
        _ => {}
    }
}

fn note(value: &mut Value, place: &str, kind: &'static str, found: &mut Vec<Found>) {
    let secret = match &*value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let fingerprint = fingerprint(&secret);
    *value = Value::String(fingerprint.clone());
    found.push(Found {
        place: format!("${place}"),
        kind,
        fingerprint,
    });
}

/// Looks at every text of a row, wherever it stands.
fn search(value: &mut Value, place: &mut String, found: &mut Vec<Found>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                below(place, &format!(".{name}"), |place| {
                    search(member, place, found)
                });
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter_mut().enumerate() {
                below(place, &format!("[{index}]"), |place| {
                    search(element, place, found)
                });
            }
        }
        Value::String(text) => {
            // The id of an access key is its name wherever IAM speaks of keys.
            let is_name = place.ends_with("AccessKeyId");
            if let Some(kind) = pattern(text).filter(|kind| !(is_name && *kind == "access_key")) {
                note(value, place, kind, found);
            }
        }
        _ => {}
    }
}

/// `secret:sha256:<first 12 hex digits>:len=<characters>`: equal secrets look equal, and nothing else shows.
pub fn fingerprint(secret: &str) -> String {
    let digest = Sha256::new()
        .chain_update(b"sevenwalls\0")
        .chain_update(secret.as_bytes())
        .finalize();
    let hex: String = digest[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("secret:sha256:{hex}:len={}", secret.chars().count())
}

fn is_fingerprint(text: &str) -> bool {
    FINGERPRINT
        .as_ref()
        .is_some_and(|known| known.is_match(text))
}

// The expressions are constants; a test compiles them all.
static FINGERPRINT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^secret:sha256:[0-9a-f]{12}:len=[0-9]+$").ok());
static ACCESS_KEY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(AKIA|ASIA)[A-Z2-7]{16}\b").ok());
static PRIVATE_KEY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"-----BEGIN ([A-Z]+ )*PRIVATE KEY( BLOCK)?-----").ok());
static PASSWORD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)(password|passwd|\bpwd|secret|secret_?access_?key|token|api_?key)["']?\s*=\s*["']?[^\s"'$,;{}()=]{6,}"#).ok()
});
static SECRET_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(passw(or)?d|pwd|secret|token|api_?key|private_?key|credential)[^.\[\]]*(\[\d+\])?$",
    )
    .ok()
});
/// References to where a secret is kept are no secrets.
static REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(arn:|\{\{resolve:|/|https?://|\$\{)").ok());

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(text))
}

fn pattern(text: &str) -> Option<&'static str> {
    // Shorter than the shortest pattern.
    if text.len() < 10 {
        return None;
    }
    if matches(&PRIVATE_KEY, text) {
        Some("private_key")
    } else if matches(&ACCESS_KEY, text) {
        Some("access_key")
    } else if matches(&PASSWORD, text) {
        Some("password")
    } else {
        None
    }
}

/// What a value at a declared place is, read also behind base64, in which user data comes.
fn recognise(text: &str, place: &str) -> Option<&'static str> {
    let decoded = || {
        STANDARD
            .decode(text.trim())
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
    };
    pattern(text)
        .or_else(|| pattern(&decoded()?))
        .or_else(|| (matches(&SECRET_NAME, place) && !matches(&REFERENCE, text)).then_some("named"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hidden(mut row: Value, paths: &[&str]) -> (Value, Vec<(String, &'static str)>) {
        let paths: Vec<_> = paths
            .iter()
            .map(|path| SecretPath::new(path).unwrap())
            .collect();
        let found = hide(&mut row, &paths);
        (
            row,
            found
                .into_iter()
                .map(|found| (found.place, found.kind))
                .collect(),
        )
    }

    #[test]
    fn every_pattern_compiles() {
        for pattern in [
            &FINGERPRINT,
            &ACCESS_KEY,
            &PRIVATE_KEY,
            &PASSWORD,
            &SECRET_NAME,
            &REFERENCE,
        ] {
            assert!(pattern.is_some());
        }
    }

    #[test]
    fn declared_places_are_replaced_whatever_they_hold() {
        let row = json!({"Environment": {"Variables": {"LOG": "info", "DB_PASSWORD": "hunter2", "ARN_SECRET": "arn:aws:x", "N": 5}}});
        let (row, found) = hidden(row, &["Environment.Variables.*"]);
        let variables = &row["Environment"]["Variables"];
        assert_eq!(variables["DB_PASSWORD"], fingerprint("hunter2"));
        assert!(!row.to_string().contains("hunter2"));
        assert!(!row.to_string().contains("info"));
        let kinds: Vec<_> = found.iter().map(|(_, kind)| *kind).collect();
        assert_eq!(kinds, ["declared", "named", "declared", "declared"]);
        assert_eq!(found[1].0, "$.Environment.Variables.DB_PASSWORD");
    }

    #[test]
    fn user_data_is_read_behind_base64() {
        let data = STANDARD.encode("#!/bin/sh\nexport DB_PASSWORD=correct-horse\n");
        let (_, found) = hidden(json!({"UserData": {"Value": data}}), &["UserData.Value"]);
        assert_eq!(found, [("$.UserData.Value".to_owned(), "password")]);
    }

    #[test]
    fn keys_are_found_anywhere_and_names_of_keys_are_left() {
        let row = json!({
            "Tags": [{"Key": "note", "Value": "key AKIAIOSFODNN7EXAMPLE"}],
            "AccessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "Text": "-----BEGIN RSA PRIVATE KEY-----\nabc",
            "SecretArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf",
        });
        let (row, found) = hidden(row, &[]);
        assert_eq!(row["AccessKeyId"], "AKIAIOSFODNN7EXAMPLE");
        assert!(row["SecretArn"].as_str().unwrap().starts_with("arn:"));
        assert_eq!(
            found,
            [
                ("$.Tags[0].Value".to_owned(), "access_key"),
                ("$.Text".to_owned(), "private_key"),
            ]
        );
    }

    #[test]
    fn hiding_twice_changes_nothing() {
        let (once, _) = hidden(json!({"A": "hunter22"}), &["A"]);
        let (twice, found) = hidden(once.clone(), &["A"]);
        assert_eq!((once, found.len()), (twice, 0));
    }

    #[test]
    fn paths_are_checked() {
        for bad in ["", "a..b", "a[0]", "keys(@)"] {
            assert!(SecretPath::new(bad).is_none(), "{bad}");
        }
    }
}
