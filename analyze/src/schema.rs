//! The inventory tables as this build knows them: a snapshot, so that SQL over a table that a run lacks compiles, and
//! so that test cases need no lake.

use std::collections::BTreeMap;

use anyhow::Context as _;
use handoff::contract::{self, Column, ColumnType, TableSchema};
use serde::Deserialize;

const SNAPSHOT: &str = include_str!("../schema.json");

/// A table that `collect` makes.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Type of its resources; absent where rows are facts.
    pub(crate) resource_type: Option<String>,
    /// Whether its rows have the region `global`.
    pub(crate) global: bool,
    /// Its columns.
    pub(crate) columns: Vec<Column>,
}

#[derive(Deserialize)]
struct Declared {
    scope: String,
    resource_type: Option<String>,
    columns: BTreeMap<String, ColumnType>,
}

/// All tables a check may read from `collect`: the inventory and the fixed ones.
///
/// # Errors
/// When the snapshot in this build is damaged.
pub(crate) fn tables() -> anyhow::Result<BTreeMap<String, Table>> {
    let declared: BTreeMap<String, Declared> = serde_json::from_str(SNAPSHOT)
        .context("the snapshot of the inventory tables is damaged")?;
    let mut tables = BTreeMap::new();
    for (name, table) in declared {
        let mut columns = contract::inventory_columns();
        columns.extend(table.columns.into_iter().map(|(name, kind)| Column {
            name,
            kind,
            doc: String::new(),
        }));
        tables.insert(
            name,
            Table {
                resource_type: table.resource_type,
                global: table.scope == "global",
                columns,
            },
        );
    }
    for fixed in fixed().into_iter().chain(trail()) {
        tables.insert(
            fixed.name,
            Table {
                resource_type: None,
                global: false,
                columns: fixed.columns,
            },
        );
    }
    Ok(tables)
}

/// The tables of `collect` that are the same for every service; they are never "not collected".
pub(crate) fn fixed() -> [TableSchema; 4] {
    [
        contract::resources(),
        contract::relationships(),
        contract::collect_errors(),
        contract::secrets_found(),
    ]
}

/// The tables of the CloudTrail lake: they belong to the lake, not to a run.
pub(crate) fn trail() -> [TableSchema; 3] {
    [
        handoff::trail::cloudtrail_events(),
        handoff::trail::cloudtrail_ledger(),
        handoff::verification::cloudtrail_verification(),
    ]
}

/// `create table` for a schema of the contract.
pub(crate) fn create(schema: &TableSchema) -> String {
    format!(
        "create table {} ({});",
        schema.name,
        definitions(&schema.columns)
    )
}

/// The columns of a table with their types.
pub(crate) fn definitions(columns: &[Column]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| {
            format!(
                "{} {}",
                crate::sql::identifier(&column.name),
                column.kind.sql()
            )
        })
        .collect();
    columns.join(", ")
}
