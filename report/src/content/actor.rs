//! Who did something, when, and from where, as the evidence of detections and of drift tells it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::Serialize;
use serde_json::{Map, Value};

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// ARNs of the users and roles, or what stands in their place.
    pub principals: Vec<String>,
    /// Where the calls came from.
    pub addresses: Vec<String>,
    /// The first call.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
    /// Number of calls, where the evidence counts them.
    pub calls: Option<u64>,
    /// Whether any of them did what it was to do.
    pub succeeded: bool,
}

impl Actor {
    /// Reads the member `trace` or `actor` of a finding's evidence, or its own members. Both somebody and a time make an
    /// actor: evidence names principals for other reasons, too.
    pub fn read(evidence: &str) -> Option<Self> {
        // Most evidence is of other kinds, and parsing it all would cost more than the rest of the reading.
        if !["principal", "actor", "addresses"]
            .iter()
            .any(|word| evidence.contains(word))
        {
            return None;
        }
        let evidence: Map<String, Value> = serde_json::from_str(evidence).ok()?;
        let within = |name: &str| evidence.get(name).and_then(Value::as_object);
        let trace = within("trace")
            .or_else(|| within("actor"))
            .unwrap_or(&evidence);
        let texts = |names: [&str; 3]| names.iter().find_map(|name| texts(trace.get(*name)?));
        let moment = |names: [&str; 3]| {
            names
                .iter()
                .find_map(|name| time(trace.get(*name)?.as_str()?))
        };
        let count = |name: &str| trace.get(name).and_then(Value::as_u64);
        let first = moment(["first", "event_time", "changed_at"]);
        let last = moment(["last", "event_time", "changed_at"]);
        let calls = count("calls");
        let without_success = count("denied").unwrap_or(0) + count("failed").unwrap_or(0);
        Some(Self {
            principals: texts(["principals", "principal", "actor"])?,
            addresses: texts(["addresses", "source_ip_address", "address"]).unwrap_or_default(),
            first: first.or(last)?,
            last: last.or(first)?,
            calls,
            succeeded: calls.is_none_or(|calls| calls > without_success),
        })
    }
}

/// When something began that nobody did, such as a silence.
pub fn began(evidence: &str) -> Option<Timestamp> {
    let evidence: Map<String, Value> = serde_json::from_str(evidence).ok()?;
    ["from", "since"]
        .iter()
        .find_map(|name| time(evidence.get(*name)?.as_str()?))
}

/// A text or a list of texts, when there is any.
fn texts(value: &Value) -> Option<Vec<String>> {
    let texts: Vec<String> = match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(elements) => elements
            .iter()
            .filter_map(|element| element.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    (!texts.is_empty()).then_some(texts)
}

/// A time as DuckDB writes it, without a zone, or as everybody else does.
fn time(text: &str) -> Option<Timestamp> {
    let without_zone = || {
        let civil: DateTime = text.parse().ok()?;
        Offset::UTC.to_timestamp(civil).ok()
    };
    text.parse().ok().or_else(without_zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_names_who_and_when() {
        let evidence = r#"{"trace":{"principals":["arn:aws:iam::111122223333:user/ben"],"addresses":["198.51.100.7"],
            "first":"2026-11-13 09:00:00","last":"2026-11-13 09:04:00","calls":3,"denied":1,"failed":0},"group_id":"sg-1"}"#;
        let actor = Actor::read(evidence).unwrap();
        assert_eq!(actor.principals, ["arn:aws:iam::111122223333:user/ben"]);
        assert_eq!(actor.first, "2026-11-13T09:00:00Z".parse().unwrap());
        assert_eq!(actor.last, "2026-11-13T09:04:00Z".parse().unwrap());
        assert!(actor.succeeded);
    }

    #[test]
    fn drift_names_one_and_a_time() {
        let evidence = r#"{"actor":{"principal":"alice","event_time":"2026-11-13T09:00:00Z"}}"#;
        let actor = Actor::read(evidence).unwrap();
        assert_eq!(
            (actor.principals, actor.first),
            (vec!["alice".to_owned()], actor.last)
        );
    }

    #[test]
    fn a_principal_in_a_policy_is_nobody_who_acted() {
        assert_eq!(Actor::read(r#"{"principal":"*","statement":1}"#), None);
        assert_eq!(Actor::read(r#"{"first":"2026-11-13 09:00:00"}"#), None);
        assert_eq!(Actor::read("principal"), None);
    }

    #[test]
    fn a_silence_has_a_beginning_and_no_actor() {
        let evidence = r#"{"from":"2026-11-03 04:00:00","to":null,"silent_hours":238}"#;
        assert_eq!(Actor::read(evidence), None);
        assert_eq!(
            began(evidence),
            Some("2026-11-03T04:00:00Z".parse().unwrap())
        );
    }

    #[test]
    fn what_was_denied_changed_nothing() {
        let evidence =
            r#"{"principals":["a"],"first":"2026-11-13 09:00:00","calls":2,"denied":1,"failed":1}"#;
        assert!(!Actor::read(evidence).unwrap().succeeded);
    }
}
