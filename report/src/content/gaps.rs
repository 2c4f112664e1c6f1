//! What could not be collected, summarised: one line per operation and kind of error.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use handoff::table;
use serde::Serialize;

use super::ContentError;

/// Calls of one operation that ended in the same way.
#[derive(Debug, Serialize)]
pub struct Gap {
    /// Service, such as `s3`.
    pub service: String,
    /// Operation, such as `GetBucketPolicy`.
    pub operation: String,
    /// denied, throttled, timeout, credentials, `not_found`, `not_offered`, malformed, `not_recorded`, other.
    pub kind: String,
    /// Error code as the service gave it.
    pub code: String,
    /// Number of calls.
    pub calls: u64,
    /// Accounts concerned.
    pub accounts: BTreeSet<String>,
    /// Regions concerned.
    pub regions: BTreeSet<String>,
    /// Inventory tables that lack rows or values.
    pub tables: BTreeSet<String>,
    /// One of the messages: the least in sort order, so that it is the same in every report.
    pub message: String,
}

/// Reads `collect_errors`; most calls first.
///
/// # Errors
/// When a file can't be read.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Gap>, ContentError> {
    let mut gaps: BTreeMap<[String; 4], Gap> = BTreeMap::new();
    for path in paths {
        let columns = [
            "account_id",
            "region",
            "service",
            "operation",
            "table_name",
            "kind",
            "code",
            "message",
        ];
        table::read("collect_errors", path, &columns)?.for_each(|row| {
            let key = ["service", "operation", "kind", "code"].map(|column| row.string(column));
            let message = row.text("message").unwrap_or_default();
            let [service, operation, kind, code] = key.clone();
            let gap = gaps.entry(key).or_insert_with(|| Gap {
                service,
                operation,
                kind,
                code,
                calls: 0,
                accounts: BTreeSet::new(),
                regions: BTreeSet::new(),
                tables: BTreeSet::new(),
                message: message.to_owned(),
            });
            gap.calls += 1;
            gap.accounts.insert(row.string("account_id"));
            gap.regions.insert(row.string("region"));
            gap.tables.insert(row.string("table_name"));
            if message < gap.message.as_str() {
                message.clone_into(&mut gap.message);
            }
            Ok::<(), ContentError>(())
        })?;
    }
    let mut gaps: Vec<Gap> = gaps.into_values().collect();
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.calls));
    Ok(gaps)
}
