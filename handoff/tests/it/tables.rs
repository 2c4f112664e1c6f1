//! Tables survive the way through Parquet, and bad files are named.

use handoff::contract::{ColumnType, TableSchema};
use handoff::run::Stage;
use handoff::table::{FileLabel, TableError, TableWriter, read};
use serde_json::{Value, json};

fn schema() -> TableSchema {
    use ColumnType::*;
    let columns = [
        ("text", String, ""),
        ("int", Int, ""),
        ("float", Float, ""),
        ("bool", Bool, ""),
        ("time", Timestamp, ""),
        ("list", List, ""),
        ("map", Map, ""),
        ("json", Json, ""),
    ];
    TableSchema::new("everything", "one of each type", &columns)
}

fn write(rows: &[Vec<Value>], label: &FileLabel) -> (handoff::table::Finished, Vec<Vec<usize>>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = TableWriter::new(schema(), label, file).unwrap();
    let misfits = rows.iter().map(|row| writer.push(row).unwrap()).collect();
    (writer.finish().unwrap(), misfits)
}

fn label() -> FileLabel {
    FileLabel::new(Stage::Collect, "everything")
}

#[test]
fn every_type_round_trips_and_what_does_not_fit_is_reported() {
    let rows = vec![
        vec![
            json!("a\"b"),
            json!(42),
            json!(1.5),
            json!("true"),
            json!("2026-11-23T06:00:00.123456+00:00"),
            json!(["x", "y"]),
            json!({"k": "v", "a": null}),
            json!({"n": 1}),
        ],
        vec![
            json!(7),
            json!("x"),
            json!("NaN"),
            json!("maybe"),
            json!("yesterday"),
            json!("x"),
            json!([1]),
            Value::Null,
        ],
        vec![Value::Null; 8],
    ];
    let (finished, misfits) = write(&rows, &label());
    assert_eq!(misfits, vec![vec![], vec![1, 2, 3, 4, 5, 6], vec![]]);
    assert_eq!(finished.rows, 3);
    assert_eq!(
        finished.bytes,
        finished.file.as_file().metadata().unwrap().len()
    );

    let mut seen = Vec::new();
    read("everything", finished.file.path(), &[])
        .unwrap()
        .for_each(|row| {
            let cells = (
                row.text("text").map(str::to_owned),
                row.int("int"),
                row.float("float"),
                row.bool("bool"),
            );
            let nested = (
                row.time("time").map(|time| time.to_string()),
                row.list("list"),
                row.map("map"),
                row.text("json").map(str::to_owned),
            );
            seen.push(format!("{cells:?} {nested:?}"));
            Ok::<(), TableError>(())
        })
        .unwrap();
    insta::assert_snapshot!(seen.join("\n"), @r#"
    (Some("a\"b"), Some(42), Some(1.5), Some(true)) (Some("2026-11-23T06:00:00.123456Z"), Some(["x", "y"]), Some({"a": "", "k": "v"}), Some("{\"n\":1}"))
    (Some("7"), None, None, None) (None, None, None, None)
    (None, None, None, None) (None, None, None, None)
    "#);
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let rows: Vec<Vec<Value>> = (0..10_000)
        .map(|n| {
            vec![
                json!(format!("row {n}")),
                json!(n),
                json!(0.5),
                json!(n % 2 == 0),
                Value::Null,
                json!([]),
                json!({}),
                json!({"n": n}),
            ]
        })
        .collect();
    let (one, _) = write(&rows, &label());
    let (two, _) = write(&rows, &label());
    assert_eq!(one.sha256, two.sha256);
    assert_eq!(
        std::fs::read(one.file.path()).unwrap(),
        std::fs::read(two.file.path()).unwrap()
    );
}

#[test]
fn a_file_of_a_newer_contract_is_refused_by_name() {
    let newer = FileLabel {
        contract: "2.0".to_owned(),
        ..label()
    };
    let (finished, _) = write(&[], &newer);
    let error = read("everything", finished.file.path(), &[])
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("written under contract 2.0") && error.contains("this tool reads 1.0"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_parquet_is_an_error_that_names_it() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, b"{}").unwrap();
    let error = read("everything", file.path(), &[])
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains(file.path().to_str().unwrap()), "{error}");
}

#[test]
fn a_column_that_is_not_there_reads_as_none() {
    let (finished, _) = write(&[vec![Value::Null; 8]], &label());
    read("everything", finished.file.path(), &["text"])
        .unwrap()
        .for_each(|row| {
            assert_eq!(
                (row.text("text"), row.text("int"), row.int("nowhere")),
                (None, None, None)
            );
            Ok::<(), TableError>(())
        })
        .unwrap();
}
