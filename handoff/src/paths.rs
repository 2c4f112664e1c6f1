//! Where things lie in a lake. Keys are relative to the lake's root and use `/` everywhere.

use crate::run::{RunId, Stage};

/// Folder of all run records.
pub const RUNS: &str = "runs";

/// One inventory table of one account in one run.
pub fn inventory(table: &str, account_id: &str, run: &RunId) -> String {
    format!("inventory/{table}/account={account_id}/run={run}/data.parquet")
}

/// The findings of a run.
pub fn findings(run: &RunId) -> String {
    format!("findings/run={run}/findings.parquet")
}

/// A table that `analyze` derived from a run.
pub fn derived(table: &str, run: &RunId) -> String {
    format!("derived/{table}/run={run}/data.parquet")
}

/// The record by which a stage commits its part of a run.
pub fn record(run: &RunId, stage: Stage) -> String {
    format!("{RUNS}/{run}/{}.json", stage.name())
}
