//! What could be measured of the recovery objectives of each database, from the verdicts of the checks that measure it.
//!
//! Passes count here as well: that an objective is met, and by how much, is what the owner of a database wants to read.

use std::collections::HashMap;
use std::path::PathBuf;

use handoff::table;
use serde::Serialize;
use serde_json::Value;

use super::ContentError;
use super::context::Database;
use super::finding::Status;

/// Checks that measure, and the member of their evidence that holds the seconds.
const RPO: (&str, &str) = ("db-rpo-unmet", "behind_seconds");
const RTO: (&str, &str) = ("db-rto-unmet", "recovery_seconds");
/// The check that knows whether a restore was ever tried.
const RESTORE: &str = "restore-never-tested";

/// What a check measured of an objective.
#[derive(Clone, Debug, Serialize)]
pub struct Observed {
    /// Whether the objective is met.
    pub status: Status,
    /// Seconds observed; none when nothing could be restored, or nothing could be measured.
    pub seconds: Option<i64>,
    /// Why, in one sentence.
    pub reason: String,
}

/// Reads the verdicts on each database's objectives.
///
/// # Errors
/// When a file can't be read.
pub fn read(findings: &[PathBuf], databases: &mut [Database]) -> Result<(), ContentError> {
    let mut verdicts: HashMap<(String, String), Observed> = HashMap::new();
    let columns = ["check_id", "status", "resource_arn", "reason", "evidence"];
    let checks = [RPO.0, RTO.0, RESTORE];
    for file in findings {
        table::read_where("findings", file, &columns, "check_id", &checks)?.for_each(|row| {
            let observed = Observed {
                status: Status::parse(row.text("status")),
                seconds: seconds(row.text("check_id"), row.text("evidence")),
                reason: row.string("reason"),
            };
            let key = (row.string("check_id"), row.string("resource_arn"));
            // Of several verdicts on one database, the worst counts.
            match verdicts.get_mut(&key) {
                Some(known) if known.status <= observed.status => {}
                Some(known) => *known = observed,
                None => {
                    verdicts.insert(key, observed);
                }
            }
            Ok::<(), ContentError>(())
        })?;
    }
    for database in databases {
        let mut take = |check: &str| verdicts.remove(&(check.to_owned(), database.arn.clone()));
        database.rpo_observed = take(RPO.0);
        database.rto_observed = take(RTO.0);
        database.restore_tested = take(RESTORE).map(|observed| observed.status);
    }
    Ok(())
}

fn seconds(check: Option<&str>, evidence: Option<&str>) -> Option<i64> {
    let (_, member) = [RPO, RTO].into_iter().find(|(id, _)| Some(*id) == check)?;
    let evidence: Value = serde_json::from_str(evidence?).ok()?;
    evidence.get(member)?.as_i64()
}
