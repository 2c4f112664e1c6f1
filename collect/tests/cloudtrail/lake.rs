//! The tool run on a lake of the test's own, and the lake read back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use collect::cloudtrail::rebuild::rebuild;
use handoff::storage::{Listed, Storage};
use handoff::trail;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// A row as text by column; nulls are absent.
pub type Row = BTreeMap<String, String>;

pub fn collect(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collect"));
    command.arg("cloudtrail").args(arguments);
    command
}

/// Runs the tool and expects this exit code.
pub fn ingest(source: &str, lake: &Path, arguments: &[&str], code: i32) -> Output {
    let lake = lake.to_str().unwrap();
    let output = collect(&[&[source, "--lake", lake], arguments].concat())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(output.stdout.is_empty(), "answers go to the lake");
    output
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn batches(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

/// Files of events that count for readers.
pub fn event_paths(lake: &Path) -> Vec<PathBuf> {
    let lake = Storage::open(lake.to_str().unwrap()).unwrap();
    trail::local_paths(&lake, &trail::event_files(&lake, None, None).unwrap()).unwrap()
}

/// Every row of the lake's events, and the event that it rebuilds, in no special order.
pub fn events(lake: &Path) -> Vec<(Row, String)> {
    let mut events = Vec::new();
    for path in event_paths(lake) {
        let folder = path
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        for batch in batches(&path) {
            for index in 0..batch.num_rows() {
                let row = row(&batch, index);
                assert_eq!(folder, format!("event_date={}", &row["event_time"][..10]));
                events.push((row, rebuild(&batch, index).unwrap()));
            }
        }
    }
    events
}

/// The ledger by key and ETag.
pub fn ledger(lake: &Path) -> Vec<Row> {
    let storage = Storage::open(lake.to_str().unwrap()).unwrap();
    let mut rows = rows(&storage, &trail::ledger_files(&storage).unwrap());
    rows.sort();
    rows
}

/// The newest verification, in the order of its file.
pub fn verification(lake: &Path) -> Vec<Row> {
    let storage = Storage::open(lake.to_str().unwrap()).unwrap();
    rows(&storage, &handoff::verification::files(&storage).unwrap())
}

fn rows(storage: &Storage, files: &[Listed]) -> Vec<Row> {
    let mut rows = Vec::new();
    for path in trail::local_paths(storage, files).unwrap() {
        for batch in batches(&path) {
            rows.extend((0..batch.num_rows()).map(|index| row(&batch, index)));
        }
    }
    rows
}

/// Rows and distinct event ids of *all* Parquet files, whether they count or not.
pub fn counts(lake: &Path) -> (usize, usize) {
    let mut rows = 0;
    let mut ids = BTreeSet::new();
    for path in files(&lake.join("cloudtrail")) {
        if path
            .extension()
            .is_some_and(|extension| extension == "parquet")
        {
            for batch in batches(&path) {
                rows += batch.num_rows();
                let column = batch.column_by_name("event_id").unwrap().as_string::<i32>();
                ids.extend(column.iter().flatten().map(str::to_owned));
            }
        }
    }
    (rows, ids.len())
}

/// Files below a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path)
            } else {
                files.push(path)
            }
        }
    }
    files.sort();
    files
}

/// Names of the lake's files, without what interrupted writers left in the scratch folder.
pub fn names(lake: &Path) -> Vec<String> {
    let names = files(lake).into_iter().map(|path| {
        path.strip_prefix(lake)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    });
    names
        .filter(|name| !name.starts_with(".unfinished"))
        .collect()
}

fn row(batch: &RecordBatch, index: usize) -> Row {
    let mut row = Row::new();
    let schema = batch.schema();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        if column.is_null(index) {
            continue;
        }
        let text = match field.data_type() {
            DataType::Utf8 => column.as_string::<i32>().value(index).to_owned(),
            DataType::Boolean => column.as_boolean().value(index).to_string(),
            DataType::Int64 => column.as_primitive::<Int64Type>().value(index).to_string(),
            DataType::Timestamp(..) => {
                let time = column
                    .as_primitive::<TimestampMicrosecondType>()
                    .value(index);
                jiff::Timestamp::from_microsecond(time).unwrap().to_string()
            }
            other => panic!("{other}"),
        };
        row.insert(field.name().clone(), text);
    }
    row
}
