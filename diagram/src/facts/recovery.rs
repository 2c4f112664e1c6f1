//! What `dr` needs beside [`Facts`]: objectives of data stores, what checks observed of them, vaults and recovery points.
//!
//! Nothing is measured here. How far back the newest backup lies and how long a recovery takes is evidence of findings
//! of `analyze`; where a check said nothing, it is not known.

use std::collections::BTreeMap;

use handoff::run::{FileEntry, Run, Stage};
use serde_json::Value;

use super::read::{ReadError, rows};
use super::{Facts, Index};

/// What was observed where an objective asks for a number of seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Observed {
    /// Nobody knows.
    #[default]
    Unknown,
    /// It is not met, by no number of seconds: nothing to restore from, nothing to come back on.
    Never,
    /// So many seconds.
    Seconds(u64),
}

/// What was observed of restores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Restore {
    /// Nobody knows.
    #[default]
    Unknown,
    /// None was ever tried.
    Never,
    /// The last was so many days before the run.
    DaysAgo(u64),
}

/// A data store's recovery, asked for and observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Demands of its DR tag; `none` is one, too.
    pub demands: Vec<String>,
    /// Demands that are met, as far as known.
    pub met: u64,
    /// Demands that are known not to be met.
    pub unmet: Vec<String>,
    /// Seconds of data that may be lost.
    pub rpo_seconds: Option<u64>,
    /// Seconds after which it has to be back.
    pub rto_seconds: Option<u64>,
    /// How far back what can be restored lies.
    pub behind: Observed,
    /// How long a recovery takes.
    pub recovery: Observed,
    /// When a restore was last tried.
    pub restore: Restore,
}

/// A backup vault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vault {
    /// Whether a vault lock is set.
    pub locked: Option<bool>,
    /// Recovery points in it.
    pub recovery_points: Option<u64>,
}

/// Recovery points of one resource in one vault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Points {
    /// How many there are.
    pub number: u64,
    /// Age of the newest at the time of the run.
    pub newest_seconds: Option<u64>,
    /// Vault that they were copied from.
    pub copied_from: Option<String>,
}

/// Recovery as a run knows it.
#[derive(Debug, Default)]
pub struct RecoveryFacts {
    /// Data stores.
    pub stores: BTreeMap<Index, Recovery>,
    /// Vaults.
    pub vaults: BTreeMap<Index, Vault>,
    /// Complete recovery points, by what they are of and the ARN of their vault.
    pub points: BTreeMap<(Index, String), Points>,
}

/// Reads what a run knows of recovery.
///
/// # Errors
/// When the run's files can't be read.
pub fn read(run: &Run, facts: &Facts) -> Result<RecoveryFacts, ReadError> {
    let (collected, derived) = (run.files(Stage::Collect)?, run.files(Stage::Analyze)?);
    let mut found = RecoveryFacts::default();
    read_objectives(run, &derived, facts, &mut found)?;
    read_verdicts(run, &derived, facts, &mut found)?;
    let columns = ["arn", "locked", "recovery_point_count"];
    rows(run, &collected, "aws_backup_vault", &columns, |row| {
        if let Some(vault) = row.text("arn").and_then(|arn| facts.find(arn)) {
            let state = Vault {
                locked: row.bool("locked"),
                recovery_points: row.int("recovery_point_count").and_then(positive),
            };
            found.vaults.insert(vault, state);
        }
    })?;
    read_points(run, &collected, facts, &mut found)?;
    Ok(found)
}

fn positive(number: i64) -> Option<u64> {
    u64::try_from(number).ok()
}

fn read_objectives(
    run: &Run,
    files: &[FileEntry],
    facts: &Facts,
    found: &mut RecoveryFacts,
) -> Result<(), ReadError> {
    let columns = [
        "arn",
        "data_store",
        "dr",
        "dr_met",
        "dr_unmet",
        "rpo_seconds",
        "rto_seconds",
    ];
    rows(run, files, "resource_context", &columns, |row| {
        let Some(store) = row
            .text("arn")
            .filter(|_| row.bool("data_store") == Some(true))
            .and_then(|arn| facts.find(arn))
        else {
            return;
        };
        let recovery = Recovery {
            demands: row.list("dr").unwrap_or_default(),
            met: row.int("dr_met").and_then(positive).unwrap_or_default(),
            unmet: row.list("dr_unmet").unwrap_or_default(),
            rpo_seconds: row.int("rpo_seconds").and_then(positive),
            rto_seconds: row.int("rto_seconds").and_then(positive),
            ..Recovery::default()
        };
        found.stores.insert(store, recovery);
    })
}

/// Checks whose evidence holds what was observed.
const RPO_CHECKS: [&str; 2] = ["db-rpo-unmet", "ebs-snapshot-rpo"];
const RTO_CHECK: &str = "db-rto-unmet";
const RESTORE_CHECK: &str = "restore-never-tested";

fn read_verdicts(
    run: &Run,
    files: &[FileEntry],
    facts: &Facts,
    found: &mut RecoveryFacts,
) -> Result<(), ReadError> {
    let as_of = run.id.as_of().as_second();
    let columns = ["check_id", "resource_arn", "status", "evidence"];
    rows(run, files, "findings", &columns, |row| {
        let check = row.text("check_id").unwrap_or_default();
        if !RPO_CHECKS.contains(&check) && check != RTO_CHECK && check != RESTORE_CHECK {
            return;
        }
        let Some(store) = row
            .text("resource_arn")
            .and_then(|arn| facts.find(arn))
            .and_then(|index| found.stores.get_mut(&index))
        else {
            return;
        };
        let evidence: Value = row
            .text("evidence")
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        // A failure without a number is one of which no number is enough; an undecided verdict says nothing.
        let failed = matches!(row.text("status"), Some("fail" | "waived"));
        let observed = |seconds: &Value| match seconds.as_u64() {
            Some(seconds) => Observed::Seconds(seconds),
            None if failed => Observed::Never,
            None => Observed::Unknown,
        };
        if RPO_CHECKS.contains(&check) {
            store.behind = observed(&evidence["behind_seconds"]);
        } else if check == RTO_CHECK {
            store.recovery = observed(&evidence["recovery_seconds"]);
        } else {
            let restored = evidence["restored_at"]
                .as_str()
                .and_then(seconds_since_1970);
            store.restore = match restored {
                Some(restored) => {
                    Restore::DaysAgo(positive((as_of - restored) / 86_400).unwrap_or_default())
                }
                None if failed && evidence["restored_at"].is_null() => Restore::Never,
                None => Restore::Unknown,
            };
        }
    })
}

/// A time as DuckDB writes it into JSON, `2026-11-16 02:00:20`, in UTC.
fn seconds_since_1970(text: &str) -> Option<i64> {
    let time: jiff::civil::DateTime = text.trim_end_matches('Z').parse().ok()?;
    let time = jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?;
    Some(time.as_second())
}

fn read_points(
    run: &Run,
    files: &[FileEntry],
    facts: &Facts,
    found: &mut RecoveryFacts,
) -> Result<(), ReadError> {
    let as_of = run.id.as_of().as_second();
    let columns = [
        "resource_arn",
        "backup_vault_arn",
        "source_backup_vault_arn",
        "status",
        "created_at",
        "completed_at",
    ];
    rows(run, files, "aws_backup_recovery_point", &columns, |row| {
        let (Some(source), Some(vault), Some("COMPLETED")) = (
            row.text("resource_arn").and_then(|arn| facts.find(arn)),
            row.text("backup_vault_arn"),
            row.text("status"),
        ) else {
            return;
        };
        let points = found.points.entry((source, vault.to_owned())).or_default();
        points.number += 1;
        let age = row
            .time("completed_at")
            .or_else(|| row.time("created_at"))
            .map(|made| positive(as_of - made.as_second()).unwrap_or_default());
        points.newest_seconds = match (points.newest_seconds, age) {
            (Some(known), Some(age)) => Some(known.min(age)),
            (known, age) => known.or(age),
        };
        if let Some(copied_from) = row.text("source_backup_vault_arn") {
            points.copied_from = points
                .copied_from
                .take()
                .into_iter()
                .chain([copied_from.to_owned()])
                .min();
        }
    })
}

#[cfg(test)]
mod tests {
    use super::seconds_since_1970;

    #[test]
    fn times_in_evidence_are_read() {
        for (text, seconds) in [
            ("1970-01-01 00:00:00", Some(0)),
            ("2024-02-29 12:00:00", Some(1_709_208_000)),
            ("2026-11-16T06:00:00Z", Some(1_794_808_800)),
            ("yesterday", None),
        ] {
            assert_eq!(seconds_since_1970(text), seconds, "{text}");
        }
    }
}
