//! Runs the tool and reads what it wrote.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// What a run of the tool gave.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn collect() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collect"));
    command
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_ENDPOINT_URL");
    command
}

pub fn run(command: &mut Command) -> Ran {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    Ran {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

/// Reads a recording into a lake.
pub fn import(recording: &Path, lake: &Path) -> Ran {
    run(collect()
        .arg("inventory")
        .arg("--from")
        .arg(recording)
        .arg("--lake")
        .arg(lake))
}

/// The record of the only run that the output names.
pub fn record(ran: &Ran) -> Value {
    let path = Path::new(ran.out.trim()).join("collect.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Text columns of all rows of a table in the run.
pub fn rows(ran: &Ran, lake: &Path, table: &str, columns: &[&str]) -> Vec<Vec<Option<String>>> {
    let mut found = Vec::new();
    for file in record(ran)["files"].as_array().unwrap() {
        if file["table"] != table {
            continue;
        }
        let path = lake.join(file["path"].as_str().unwrap());
        handoff::table::read(table, &path, columns)
            .unwrap()
            .for_each(|row| {
                found.push(
                    columns
                        .iter()
                        .map(|column| row.text(column).map(str::to_owned))
                        .collect(),
                );
                Ok::<_, handoff::table::TableError>(())
            })
            .unwrap();
    }
    found
}

/// Contents of all Parquet files below a folder, by path.
pub fn parquet(lake: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut pending = vec![lake.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "parquet")
            {
                found.push((
                    path.strip_prefix(lake).unwrap().to_owned(),
                    std::fs::read(&path).unwrap(),
                ));
            }
        }
    }
    found.sort();
    found
}

/// Writes files, given by path and content, below a folder.
pub fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = std::fs::File::create(path).unwrap();
        std::io::Write::write_all(&mut file, content.as_bytes()).unwrap();
    }
}
