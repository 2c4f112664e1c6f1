//! Runs: their ids, their records, and how a stage finds the run it continues.
//!
//! A run is committed stage by stage: a stage writes its files, then its record. [`Run::files`] only ever shows
//! files of a committed stage, so a killed stage leaves nothing that a reader could take for the truth.

mod find;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::contract;
use crate::paths;
use crate::storage::{Storage, StorageError};

pub use self::find::{DEFAULT_LAKE, Run, committed};

/// The four tools, in the order of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// AWS or a recording to the lake.
    Collect,
    /// Checks over the lake.
    Analyze,
    /// DOT from the lake.
    Diagram,
    /// Markdown and machine-readable formats from the lake.
    Report,
}

impl Stage {
    /// Name of the binary and of the stage's record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::Analyze => "analyze",
            Self::Diagram => "diagram",
            Self::Report => "report",
        }
    }
}

/// What went wrong with a run, in one line that names the run and the next step.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The text is not a run id.
    #[error(
        "{0:?} is not a run id: expected <UTC time>-<6 hex digits>, such as 20261123T060000Z-3fa91c"
    )]
    BadId(String),
    /// The text names no run.
    #[error("{0:?} is not a run: expected <lake>/runs/<run id>, as `collect inventory` prints it")]
    BadReference(String),
    /// Standard input was a pipe and brought nothing.
    #[error(
        "no run on standard input: the tool before this one printed none; name the run as an argument to read another"
    )]
    EmptyPipe,
    /// The lake holds no committed run.
    #[error("no committed run in {0}: run `collect inventory` first")]
    NoRun(String),
    /// The stage never committed.
    #[error(
        "{location}/runs/{run} has no {stage} record: {stage} was interrupted or never ran; run it again"
    )]
    NotCommitted {
        location: String,
        run: RunId,
        stage: &'static str,
    },
    /// The record is no JSON of ours.
    #[error("{location}/{key}: not a run record: {message}; run {stage} again")]
    BadRecord {
        location: String,
        key: String,
        message: String,
        stage: &'static str,
    },
    /// The record is of a newer major version.
    #[error(
        "{location}/{key}: written under contract {found}, this tool reads {}; install the newer version",
        contract::VERSION
    )]
    Newer {
        location: String,
        key: String,
        found: String,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Standard input failed.
    #[error("can't read a run from standard input: {0}")]
    Stdin(#[from] std::io::Error),
}

/// `<UTC time>-<6 hex>`; the time is that of the facts, so ids sort as history does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// An id for facts as of `time`; `seed` makes ids of the same second differ.
    pub fn new(time: Timestamp, seed: &[u8]) -> Self {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(seed);
        Self(format!(
            "{}-{:02x}{:02x}{:02x}",
            time.strftime("%Y%m%dT%H%M%SZ"),
            digest[0],
            digest[1],
            digest[2]
        ))
    }

    /// The time of the facts: every age in a run is relative to it, never to the clock.
    pub fn as_of(&self) -> Timestamp {
        parse_time(&self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn parse_time(id: &str) -> Option<Timestamp> {
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", id.get(..16)?).ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
}

impl FromStr for RunId {
    type Err = RunError;

    fn from_str(text: &str) -> Result<Self, RunError> {
        let hex = text.get(17..).unwrap_or_default();
        let well_formed = text.len() == 23
            && text.as_bytes().get(16) == Some(&b'-')
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            && parse_time(text).is_some();
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(RunError::BadId(text.to_owned()))
        }
    }
}

impl TryFrom<String> for RunId {
    type Error = RunError;
    fn try_from(text: String) -> Result<Self, RunError> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The time now, or `SOURCE_DATE_EPOCH` (seconds) when that is set, for reproducible output.
pub fn now() -> Timestamp {
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse().ok())
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or_else(Timestamp::now)
}

/// Whether everything that was asked for is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Completeness {
    /// Everything.
    Complete,
    /// Some calls failed or some objects were set aside; `errors` says which.
    Partial,
}

/// A file of a run, as its record lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Key in the lake.
    pub path: String,
    /// Table the file belongs to.
    pub table: String,
    /// Account whose rows it holds; absent for tables over all accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Number of rows.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in hex: tells a cached copy from another file of that name.
    pub sha256: String,
}

/// How the collection of one table went in one account and region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableOutcome {
    /// Table.
    pub table: String,
    /// Account.
    pub account_id: String,
    /// Region, `global` for services that have none.
    pub region: String,
    /// Rows written.
    pub rows: u64,
    /// Entries in `collect_errors`.
    pub errors: u64,
}

/// Commit of a stage: written after all files it lists, never changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of the contract.
    pub contract: String,
    /// The run.
    pub run: RunId,
    /// Stage that wrote the record.
    pub stage: Stage,
    /// Version of the tool.
    pub version: String,
    /// Command line after the tool's name, secrets never among them.
    pub arguments: Vec<String>,
    /// What was read: accounts, a recording, the record of the stage before.
    pub inputs: Vec<String>,
    /// Whether something is missing.
    pub status: Completeness,
    /// One line per thing that is missing, at most 1,000; all of them are in `collect_errors`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// Outcome per table, account and region (collect).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableOutcome>,
    /// Files of the stage.
    #[serde(default)]
    pub files: Vec<FileEntry>,
    /// Figures of the stage, such as requests made; no other tool depends on them.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub figures: serde_json::Map<String, serde_json::Value>,
}

impl RunRecord {
    /// An empty record of `stage`, to be filled and committed with [`RunRecord::commit`].
    pub fn new(run: RunId, stage: Stage, version: &str, inputs: Vec<String>) -> Self {
        Self {
            contract: contract::VERSION.to_owned(),
            run,
            stage,
            version: version.to_owned(),
            arguments: std::env::args().skip(1).collect(),
            inputs,
            status: Completeness::Complete,
            errors: Vec::new(),
            tables: Vec::new(),
            files: Vec::new(),
            figures: serde_json::Map::new(),
        }
    }

    /// Notes something that is missing; the run is partial from then on.
    pub fn note(&mut self, line: impl Into<String>) {
        self.status = Completeness::Partial;
        if self.errors.len() < 1_000 {
            self.errors.push(line.into());
        }
    }

    /// Writes the record, which commits the stage.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn commit(&self, lake: &Storage) -> Result<(), StorageError> {
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|error| StorageError::other(lake, "run record", &error))?;
        text.push(b'\n');
        lake.put(&paths::record(&self.run, self.stage), &text)
    }

    /// Removes the record of a stage that runs again: until it commits anew, its files are being replaced and don't count.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn withdraw(lake: &Storage, run: &RunId, stage: Stage) -> Result<(), StorageError> {
        let key = paths::record(run, stage);
        if lake.exists(&key)? {
            lake.remove(&key)?;
        }
        Ok(())
    }

    /// Reads the record of a stage; `None` when the stage has not committed.
    ///
    /// # Errors
    /// When the storage fails, the record can't be read or is of a newer contract.
    pub fn read(lake: &Storage, run: &RunId, stage: Stage) -> Result<Option<Self>, RunError> {
        let key = paths::record(run, stage);
        let Some(bytes) = lake.get(&key)? else {
            return Ok(None);
        };
        let bad = |message: String| RunError::BadRecord {
            location: lake.to_string(),
            key: key.clone(),
            message,
            stage: stage.name(),
        };
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
        let found = value
            .get("contract")
            .and_then(|version| version.as_str())
            .unwrap_or_default();
        if is_newer(found) {
            return Err(RunError::Newer {
                location: lake.to_string(),
                key: key.clone(),
                found: found.to_owned(),
            });
        }
        serde_json::from_value(value)
            .map(Some)
            .map_err(|error| bad(error.to_string()))
    }
}

/// Whether files of contract `version` are beyond what this build reads.
pub fn is_newer(version: &str) -> bool {
    let major = |text: &str| {
        text.split('.')
            .next()
            .and_then(|part| part.parse::<u32>().ok())
    };
    match (major(version), major(contract::VERSION)) {
        (Some(theirs), Some(ours)) => theirs > ours,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_their_time_and_are_checked() {
        let id = RunId::new("2026-11-23T06:00:00Z".parse().unwrap(), b"seed");
        assert_eq!(id.as_str().len(), 23);
        assert_eq!(id.as_of().to_string(), "2026-11-23T06:00:00Z");
        assert_eq!(id.as_str().parse::<RunId>().unwrap(), id);
        for bad in [
            "",
            "20261123T060000Z-3FA91C",
            "20261323T060000Z-3fa91c",
            "20261123T060000Z-3fa91c/..",
            "../../etc/passwd-abcdef",
        ] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_newer_major_version_is_refused_and_a_newer_minor_is_not() {
        assert!(is_newer("2.0"));
        assert!(!is_newer("1.9"));
    }
}
