//! How resources refer to each other: one small account in which every kind of reference leads somewhere.
//!
//! `related.json` holds its recording: the answers of AWS by file.

use serde_json::{Map, Value};
use tempfile::TempDir;

use super::tool::{import, rows, write};

const RECORDING: &str = include_str!("related.json");

#[test]
fn references_of_every_kind_lead_to_the_resource_that_is_meant() {
    let answers: Map<String, Value> = serde_json::from_str(RECORDING).unwrap();
    let files: Vec<(&str, String)> = answers
        .iter()
        .map(|(path, answer)| (path.as_str(), answer.to_string()))
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, answer)| (*path, answer.as_str()))
        .collect();
    let (recording, lake) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    write(recording.path(), &files);
    let ran = import(recording.path(), lake.path());

    let columns = ["kind", "from_arn", "from_id", "to_arn", "to_id", "detail"];
    let mut lines: Vec<String> = rows(&ran, lake.path(), "relationships", &columns)
        .iter()
        .map(|row| {
            let text = |index: usize| row[index].clone().unwrap_or_default();
            let side = |arn: usize| match row[arn].clone() {
                Some(arn) => arn.trim_start_matches("arn:aws:").to_owned(),
                None => format!("? {}", text(arn + 1)),
            };
            let line = format!("{} {} -> {} {}", text(0), side(1), side(3), text(5));
            line.trim_end().to_owned()
        })
        .collect();
    lines.sort();
    lines.dedup();
    let dangling: Vec<&String> = lines.iter().filter(|line| line.contains('?')).collect();
    assert!(dangling.is_empty(), "{dangling:?}");
    insta::assert_snapshot!(lines.join("\n"));
}
