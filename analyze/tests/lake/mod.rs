//! Lakes for tests, written as `collect` writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use handoff::contract::{self, Column, ColumnType, TableSchema};
use handoff::paths;
use handoff::run::{RunId, RunRecord, Stage, TableOutcome};
use handoff::storage::Storage;
use handoff::table::{FileLabel, Finished, TableWriter};
use handoff::trail;
use serde_json::{Value, json};

pub const ACCOUNT: &str = "111122223333";
pub const FIRST: &str = "20261114T060000Z-aaaaaa";
pub const SECOND: &str = "20261115T060000Z-bbbbbb";
pub const THIRD: &str = "20261116T060000Z-cccccc";

/// A lake in a folder that goes with it.
pub struct Lake {
    folder: tempfile::TempDir,
}

/// What the tool answered.
pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Lake {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, key: &str) -> PathBuf {
        self.folder.path().join(key)
    }

    pub fn run(&self, id: &str) -> String {
        format!("{}/runs/{id}", self.folder.path().display())
    }

    pub fn write(&self, key: &str, text: &str) {
        fs::create_dir_all(self.path(key).parent().unwrap()).unwrap();
        overwrite(&self.path(key), text.as_bytes());
    }

    pub fn analyze(&self, arguments: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_analyze"))
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Output {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Commits a run with these tables and errors; rows become resources too.
    pub fn collected(&self, id: &str, tables: &[(&str, Vec<Value>)], errors: &[Value]) {
        self.related(id, tables, Vec::new(), errors);
    }

    /// Commits a run with relations between its resources.
    pub fn related(
        &self,
        id: &str,
        tables: &[(&str, Vec<Value>)],
        relationships: Vec<Value>,
        errors: &[Value],
    ) {
        let lake = Storage::open(&self.folder.path().display().to_string()).unwrap();
        let run: RunId = id.parse().unwrap();
        let mut record = RunRecord::new(run.clone(), Stage::Collect, "0.1.0", Vec::new());
        let mut resources = Vec::new();
        for (table, rows) in tables {
            let rows: Vec<Value> = rows.iter().map(filled).collect();
            resources.extend(
                rows.iter()
                    .filter(|row| *table != "aws_route53_record" && row["arn"].is_string())
                    .cloned(),
            );
            let schema = schema_of(table, &rows);
            for (account, rows) in by_account(rows) {
                record
                    .files
                    .push(write(&lake, &run, &account, &schema, &rows));
                let region = rows
                    .first()
                    .map_or("eu-west-1", |row| row["region"].as_str().unwrap());
                record.tables.push(TableOutcome {
                    table: (*table).to_owned(),
                    account_id: account,
                    region: region.to_owned(),
                    rows: rows.len() as u64,
                    errors: 0,
                });
            }
        }
        let errors: Vec<Value> = errors.iter().map(filled).collect();
        for (schema, rows) in [
            (contract::resources(), resources),
            (contract::relationships(), relationships),
            (contract::collect_errors(), errors),
        ] {
            for (account, rows) in by_account(rows) {
                record
                    .files
                    .push(write(&lake, &run, &account, &schema, &rows));
            }
        }
        record.commit(&lake).unwrap();
    }

    /// Adds events of CloudTrail, as a batch of one day.
    pub fn events(&self, day: &str, events: &[Value]) {
        let lake = Storage::open(&self.folder.path().display().to_string()).unwrap();
        let schema = trail::cloudtrail_events();
        let finished = finished(&lake, &schema, events);
        let key = format!("{}/batch-000.parquet", trail::day_folder(day));
        lake.put_file(&key, finished.file).unwrap();
    }
}

fn filled(row: &Value) -> Value {
    let mut full =
        json!({"account_id": ACCOUNT, "region": "eu-west-1", "tags": {}, "incomplete": []});
    full.as_object_mut()
        .unwrap()
        .extend(row.as_object().unwrap().clone());
    full
}

/// Rows by account; the usual one if there are none.
fn by_account(rows: Vec<Value>) -> BTreeMap<String, Vec<Value>> {
    let mut accounts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for row in rows {
        let account = row["account_id"].as_str().unwrap_or(ACCOUNT).to_owned();
        accounts.entry(account).or_default().push(row);
    }
    if accounts.is_empty() {
        accounts.insert(ACCOUNT.to_owned(), Vec::new());
    }
    accounts
}

/// Whether a column holds a list, by what `collect` declares.
fn is_list(table: &str, column: &str) -> bool {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    let schema =
        SCHEMA.get_or_init(|| serde_json::from_str(include_str!("../../schema.json")).unwrap());
    schema[table]["columns"][column] == "list"
}

fn schema_of(table: &str, rows: &[Value]) -> TableSchema {
    let mut columns = contract::inventory_columns();
    let known: BTreeSet<String> = columns.iter().map(|column| column.name.clone()).collect();
    for (name, value) in rows.iter().flat_map(|row| row.as_object().unwrap()) {
        if !known.contains(name) && !columns.iter().any(|column| column.name == *name) {
            let kind = if value.is_array() && is_list(table, name) {
                ColumnType::List
            } else if value.is_array() || value.is_object() {
                ColumnType::Json
            } else {
                ColumnType::String
            };
            columns.push(Column {
                name: name.clone(),
                kind,
                doc: String::new(),
            });
        }
    }
    TableSchema {
        name: table.to_owned(),
        title: String::new(),
        columns,
    }
}

fn write(
    lake: &Storage,
    run: &RunId,
    account: &str,
    schema: &TableSchema,
    rows: &[Value],
) -> handoff::run::FileEntry {
    let finished = finished(lake, schema, rows);
    let key = paths::inventory(&schema.name, account, run);
    let entry = finished.entry(key.clone(), &schema.name, Some(account));
    lake.put_file(&key, finished.file).unwrap();
    entry
}

fn finished(lake: &Storage, schema: &TableSchema, rows: &[Value]) -> Finished {
    let label = FileLabel::new(Stage::Collect, &schema.name);
    let mut writer =
        TableWriter::new(schema.clone(), &label, lake.scratch_file().unwrap()).unwrap();
    for row in rows {
        let cells: Vec<Value> = schema
            .columns
            .iter()
            .map(|column| row[&column.name].clone())
            .collect();
        assert_eq!(writer.push(&cells).unwrap(), Vec::<usize>::new());
    }
    writer.finish().unwrap()
}

/// Writes a file as it stands; for damage, and for what no lake holds.
pub fn overwrite(path: &Path, bytes: &[u8]) {
    fs::File::create(path).unwrap().write_all(bytes).unwrap();
}
