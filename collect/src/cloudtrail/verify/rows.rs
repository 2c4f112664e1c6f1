//! What was found as rows of `cloudtrail_verification`, and as lines for people.

use std::collections::BTreeMap;

use handoff::run::Stage;
use handoff::storage::Storage;
use handoff::table::{FileLabel, TableWriter};
use handoff::{shell, verification};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Status;
use crate::cloudtrail::source::content_etag;

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A log object.
    Log,
    /// A digest.
    Digest,
    /// A stretch of time.
    Hours,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Digest => "digest",
            Self::Hours => "hours",
        }
    }
}

/// A row.
#[derive(Clone, Debug)]
pub struct Row {
    pub account_id: Option<String>,
    pub region: Option<String>,
    pub trail: Option<String>,
    pub kind: Kind,
    pub key: Option<String>,
    pub etag: Option<String>,
    pub status: Status,
    pub reason: Option<String>,
    pub starts: Option<Timestamp>,
    pub ends: Option<Timestamp>,
    pub digest: Option<String>,
    pub is_backfill: Option<bool>,
    pub ingested: Option<bool>,
}

impl Row {
    fn place(&self) -> String {
        let known = [&self.account_id, &self.region, &self.trail];
        let known: Vec<&str> = known.into_iter().flatten().map(String::as_str).collect();
        if known.is_empty() {
            "objects of other names".to_owned()
        } else {
            known.join(" ")
        }
    }

    fn order(&self) -> impl Ord + use<'_> {
        let place = (&self.account_id, &self.region, &self.trail, self.kind);
        (
            place,
            self.starts,
            &self.key,
            &self.etag,
            self.ends,
            self.status,
        )
    }

    fn name(&self) -> String {
        match (&self.key, self.starts, self.ends) {
            (Some(key), _, _) => key.clone(),
            (None, Some(starts), Some(ends)) => format!("{starts} to {ends}"),
            _ => String::new(),
        }
    }
}

/// Writes the rows, in an order of their own, into a file of the source's next number.
///
/// # Errors
/// When the lake can't be written.
pub fn write(lake: &Storage, location: &str, rows: &mut [Row]) -> anyhow::Result<()> {
    rows.sort_by(|a, b| a.order().cmp(&b.order()));
    let table = verification::cloudtrail_verification();
    let label = FileLabel::new(Stage::Collect, &table.name);
    let mut writer = TableWriter::new(table, &label, tempfile::NamedTempFile::new()?)?;
    let now = Timestamp::from_second(Timestamp::now().as_second())?.to_string();
    for row in rows.iter() {
        let misfits = writer.push(&values(row, location, &now))?;
        anyhow::ensure!(
            misfits.is_empty(),
            "{}: a row that does not fit the table",
            row.name()
        );
    }
    let bytes = std::fs::read(writer.finish()?.file.path())?;
    let source = &content_etag(location.as_bytes())[..16];
    loop {
        let number = verification::newest_number(lake, source)? + 1;
        if lake.put_new(&verification::key(source, number), &bytes)? {
            return Ok(());
        }
    }
}

fn values(row: &Row, location: &str, now: &str) -> Vec<Value> {
    let time = |time: Option<Timestamp>| json!(time.map(|time| time.to_string()));
    vec![
        json!(row.account_id),
        json!(row.region),
        json!(row.trail),
        json!(row.kind.name()),
        json!(row.key),
        json!(row.etag),
        json!(row.status.name()),
        json!(row.reason),
        time(row.starts),
        time(row.ends),
        json!(row.digest),
        json!(row.is_backfill),
        json!(row.ingested),
        json!(location),
        json!(now),
    ]
}

/// Says what was proven, trail by trail, and returns a line for each place and kind of problem.
pub fn tell(location: &str, rows: &[Row]) -> Vec<String> {
    let mut places: BTreeMap<String, BTreeMap<(Kind, Status), Vec<&Row>>> = BTreeMap::new();
    for row in rows {
        let kinds = places.entry(row.place()).or_default();
        kinds.entry((row.kind, row.status)).or_default().push(row);
    }
    let mut problems = Vec::new();
    for (place, kinds) in &places {
        let count = |kind, status| kinds.get(&(kind, status)).map_or(0, Vec::len);
        let (logs, digests) = (
            count(Kind::Log, Status::Proven),
            count(Kind::Digest, Status::Proven),
        );
        if digests > 0 {
            shell::note(&format!(
                "{location}: {place}: {} proven by {}",
                counted(logs, Kind::Log),
                counted(digests, Kind::Digest)
            ));
        }
        let awaiting = count(Kind::Log, Status::Pending);
        if awaiting > 0 {
            shell::note(&format!(
                "{location}: {place}: {} waiting for a digest",
                counted(awaiting, Kind::Log)
            ));
        }
        let bad = kinds
            .iter()
            .filter(|((_, status), _)| !matches!(status, Status::Proven | Status::Pending));
        problems.extend(bad.map(|(&(kind, status), rows)| problem(place, kind, status, rows)));
    }
    problems
}

fn counted(count: usize, kind: Kind) -> String {
    let (one, many) = match kind {
        Kind::Log => ("log object", "log objects"),
        Kind::Digest => ("digest", "digests"),
        Kind::Hours => ("stretch of time", "stretches of time"),
    };
    format!("{count} {}", if count == 1 { one } else { many })
}

fn problem(place: &str, kind: Kind, status: Status, rows: &[&Row]) -> String {
    let count = rows.len();
    let what = counted(count, kind);
    let first = rows.first().map(|row| {
        let reason = row.reason.as_ref().map(|why| format!(": {why}"));
        format!("{}{}", row.name(), reason.unwrap_or_default())
    });
    let example = first.unwrap_or_default();
    let such_as = if count == 1 { "" } else { "such as " };
    format!("{place}: {what} {}: {such_as}{example}", status.name())
}
