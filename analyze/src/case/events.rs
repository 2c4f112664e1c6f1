//! CloudTrail events in test cases: what a case leaves out, and bursts written as one row.

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};
use toml::{Table, Value};

use super::{ACCOUNT, REGION};
use crate::config;

/// Events of one row at most.
const MOST: i64 = 10_000;

/// Rows of `cloudtrail_events` out of those of a case. `times = 20, every = "30s"` stands for twenty events half a minute
/// apart; `{n}` in their texts is the number of each, from 0.
///
/// # Errors
/// When an event has no time, or a burst can't be understood.
pub(super) fn expand(rows: &[Table]) -> anyhow::Result<Vec<Table>> {
    let mut events = Vec::new();
    for row in rows {
        let mut row = row.clone();
        let times = match row.remove("times") {
            None => 1,
            Some(times) => times
                .as_integer()
                .filter(|times| (1..=MOST).contains(times))
                .with_context(|| format!("times: expected a number from 1 to {MOST}"))?,
        };
        let every = match row.remove("every") {
            None => 0,
            Some(every) => every
                .as_str()
                .and_then(config::seconds)
                .context("every: expected a duration such as 30s")?,
        };
        ensure!(
            times == 1 || every > 0,
            "times: say with every how far they are apart"
        );
        let start: Timestamp = row
            .get("event_time")
            .and_then(|time| time.to_string().trim_matches('"').parse().ok())
            .context("event_time: expected a time such as 2026-11-15T20:14:00Z")?;
        for n in 0..times {
            let time = start.checked_add(SignedDuration::from_secs(every * n))?;
            let number = events.len();
            events.push(event(&row, n, time, number));
        }
    }
    Ok(events)
}

fn event(row: &Table, n: i64, time: Timestamp, number: usize) -> Table {
    let mut event: Table = row
        .iter()
        .map(|(key, value)| (key.clone(), numbered(value, n)))
        .collect();
    let moment = time.strftime("%Y-%m-%d %H:%M:%S").to_string();
    event.insert("event_time".to_owned(), moment.as_str().into());
    let mut otherwise = |key: &str, value: Value| {
        event.entry(key).or_insert(value);
    };
    otherwise("ingested_at", moment.as_str().into());
    otherwise("event_id", format!("event-{number}").into());
    otherwise("event_type", "AwsApiCall".into());
    otherwise("event_category", "Management".into());
    otherwise("management_event", true.into());
    otherwise("aws_region", REGION.into());
    otherwise("recipient_account_id", ACCOUNT.into());
    otherwise("source_key", "case.json".into());
    otherwise("source_etag", "case".into());
    otherwise(
        "source_record",
        i64::try_from(number).unwrap_or_default().into(),
    );
    event
}

fn numbered(value: &Value, n: i64) -> Value {
    match value {
        Value::String(text) => text.replace("{n}", &n.to_string()).into(),
        other => other.clone(),
    }
}
