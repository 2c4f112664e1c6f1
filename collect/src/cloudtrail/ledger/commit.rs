//! A commit: what became of the objects of a claim, the rows of the table `cloudtrail_ledger`.

use std::io::Write as _;

use anyhow::Context as _;
use handoff::run::Stage;
use handoff::storage::Storage;
use handoff::table::{FileLabel, Row, TableError, TableWriter};
use handoff::trail;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::claim::{Claim, ClaimedObject};
use super::{FAILED, commit_key, folder};
use crate::cloudtrail::decode::Decoded;
use crate::cloudtrail::json::time_text;

/// What became of an object.
#[derive(Clone, Debug)]
pub enum Status {
    /// All its events have rows.
    Fine,
    /// It is not sound, or some of its records are not.
    Quarantined(String),
    /// It could not be fetched.
    Failed(String),
}

/// A row of the ledger.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The object.
    pub object: ClaimedObject,
    /// What became of it.
    pub status: Status,
    /// What was in it.
    pub decoded: Decoded,
    /// Rows it brought.
    pub rows: u64,
    /// Records that could not become rows.
    pub rejected: u64,
    /// Earliest and latest event, in microseconds.
    pub times: Option<(i64, i64)>,
}

/// Commits a batch. False when it was committed already, by a collector that read the same claim.
///
/// # Errors
/// When the storage fails.
pub fn commit(
    lake: &Storage,
    (date, number): (&str, u32),
    claim: &Claim,
    batch: &str,
    entries: &[Entry],
) -> anyhow::Result<bool> {
    let table = trail::cloudtrail_ledger();
    let label = FileLabel::new(Stage::Collect, &table.name);
    let mut writer = TableWriter::new(table, &label, NamedTempFile::new()?)?;
    for entry in entries {
        let misfits = writer.push(&row(entry, claim, batch))?;
        anyhow::ensure!(
            misfits.is_empty(),
            "{}: a row that does not fit the ledger",
            entry.object.key
        );
    }
    let finished = writer.finish()?;
    let bytes = std::fs::read(finished.file.path())?;
    if entries
        .iter()
        .any(|entry| matches!(entry.status, Status::Failed(_)))
    {
        let mark = format!("{}/{number:06}.{FAILED}", folder(date));
        lake.put(&mark, b"see table cloudtrail_ledger\n")?;
    }
    Ok(lake.put_new(&commit_key(date, number), &bytes)?)
}

/// Whether a batch was committed, and under which name its events lie.
///
/// # Errors
/// When the storage fails.
pub fn committed_batch(lake: &Storage, date: &str, number: u32) -> anyhow::Result<Option<String>> {
    let Some(bytes) = lake.get(&commit_key(date, number))? else {
        return Ok(None);
    };
    let mut batch = String::new();
    read(&bytes, &["batch"], |row| batch = row.string("batch"))?;
    Ok(Some(batch))
}

fn row(entry: &Entry, claim: &Claim, batch: &str) -> Vec<Value> {
    let (status, error) = match &entry.status {
        Status::Fine => ("ok", Value::Null),
        Status::Quarantined(error) => ("quarantined", json!(error)),
        Status::Failed(error) => ("failed", json!(error)),
    };
    let other = &entry.decoded.other;
    let other: serde_json::Map<String, Value> = other
        .iter()
        .map(|(kind, count)| (kind.name().to_owned(), json!(count)))
        .collect();
    let time = |microseconds: Option<i64>| microseconds.map(time_text);
    vec![
        json!(entry.object.key),
        json!(entry.object.etag),
        json!(entry.object.bytes),
        json!(status),
        error,
        json!(entry.decoded.records),
        json!(entry.rows),
        json!(entry.rejected),
        if other.is_empty() {
            Value::Null
        } else {
            Value::Object(other)
        },
        json!(time(entry.times.map(|(first, _)| first))),
        json!(time(entry.times.map(|(_, last)| last))),
        json!(batch),
        json!(claim.ingested_at.to_string()),
    ]
}

/// Objects of a commit that are not in the lake whole.
#[derive(Debug, Default)]
pub struct Unsound {
    /// Those that could not be fetched.
    pub failed: Vec<ClaimedObject>,
    /// How many are quarantined.
    pub quarantined: u64,
}

impl Unsound {
    /// Those of a commit.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn of(bytes: &[u8]) -> anyhow::Result<Self> {
        let mut unsound = Self::default();
        let columns = ["source_key", "source_etag", "bytes", "status"];
        read(bytes, &columns, |row| match row.text("status") {
            Some("failed") => unsound.failed.push(ClaimedObject {
                key: row.string("source_key"),
                etag: row.string("source_etag"),
                bytes: row
                    .int("bytes")
                    .and_then(|bytes| bytes.try_into().ok())
                    .unwrap_or_default(),
            }),
            Some("quarantined") => unsound.quarantined += 1,
            _ => {}
        })?;
        Ok(unsound)
    }
}

fn read(bytes: &[u8], columns: &[&str], mut each: impl FnMut(&Row<'_>)) -> anyhow::Result<()> {
    let mut file = NamedTempFile::new().context("can't make a temporary file")?;
    file.write_all(bytes)
        .context("can't write a temporary file")?;
    handoff::table::read("cloudtrail_ledger", file.path(), columns)?.for_each(|row| {
        each(&row);
        Ok::<(), TableError>(())
    })?;
    Ok(())
}
