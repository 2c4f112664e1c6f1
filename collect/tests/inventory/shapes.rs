//! What others build on, as snapshots: the policy, the tables, and how much the demo account holds.

use std::collections::BTreeMap;

use serde_json::Value;
use tempfile::TempDir;

use super::tool::{collect, import, record, run};

#[test]
fn the_policy() {
    insta::assert_snapshot!(run(collect().arg("policy")).out);
}

#[test]
fn the_tables_and_how_many_columns_they_have() {
    let ran = run(collect().args(["tables", "--format", "json"]));
    let dictionary: Value = serde_json::from_str(&ran.out).unwrap();
    let mut lines = Vec::new();
    for part in ["tables", "inventory"] {
        for table in dictionary[part].as_array().unwrap() {
            let (name, columns) = (table["name"].as_str(), table["columns"].as_array());
            lines.push(format!("{} {}", name.unwrap(), columns.unwrap().len()));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_rows_of_the_demo_account() {
    let lake = TempDir::new().unwrap();
    let ran = import(&fixtures::demo_recording(), lake.path());
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for file in record(&ran)["files"].as_array().unwrap() {
        let table = file["table"].as_str().unwrap().to_owned();
        *counts.entry(table).or_default() += file["rows"].as_u64().unwrap();
    }
    let lines: Vec<String> = counts
        .iter()
        .map(|(table, rows)| format!("{table} {rows}"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}
