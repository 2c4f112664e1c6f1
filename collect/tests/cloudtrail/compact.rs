//! `collect compact`: the same events in fewer files, whatever happens on the way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::lake;
use crate::trail::{self, gzip, object_key, records, write};

fn compact(lake: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collect"));
    command
        .args(["compact", "--until", "2026-11-30", "--lake"])
        .arg(lake);
    command
}

fn run(lake: &Path) -> String {
    let output = compact(lake).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    stderr
}

/// What readers see: every row by where it came from.
fn rows(lake: &Path) -> BTreeMap<(String, String, String), String> {
    let events = lake::events(lake);
    let count = events.len();
    let place = |row: &lake::Row| {
        (
            row["source_key"].clone(),
            row["source_etag"].clone(),
            row["source_record"].clone(),
        )
    };
    let rows: BTreeMap<_, _> = events
        .into_iter()
        .map(|(row, event)| (place(&row), event))
        .collect();
    assert_eq!(rows.len(), count, "a row is read twice");
    rows
}

fn parquet_files(lake: &Path) -> Vec<PathBuf> {
    let mut files = lake::files(&lake.join("cloudtrail"));
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "parquet")
    });
    files
}

fn copy(from: &Path, to: &Path) {
    for file in lake::files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(file, target).unwrap();
    }
}

#[test]
fn days_are_merged_once_and_late_events_again() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    let ingest = || lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    for number in 0..6 {
        write(
            &source.join(object_key(20 + number % 2, number)),
            &gzip(&records(number * 40_000..number * 40_000 + 300)),
        );
        ingest();
    }
    let before = rows(&lake);
    assert_eq!(before.len(), 1_800);
    let many = parquet_files(&lake).len();
    assert!(run(&lake).contains("3 of 3 closed days merged"));
    assert_eq!(rows(&lake), before);
    assert_eq!(parquet_files(&lake).len(), 3, "from {many} files");

    let names = lake::names(&lake);
    assert!(run(&lake).contains("0 of 3 closed days merged"));
    assert_eq!(lake::names(&lake), names);

    write(&source.join(object_key(22, 50)), &gzip(&records(0..10)));
    ingest();
    assert_eq!(rows(&lake).len(), 1_810);
    assert!(run(&lake).contains("1 of 3 closed days merged, 2 files replaced"));
    assert_eq!(rows(&lake).len(), 1_810);
    assert_eq!(parquet_files(&lake).len(), 3);
    assert!(
        lake::ingest(source.to_str().unwrap(), &lake, &[], 0)
            .status
            .success()
    );
    assert_eq!(
        rows(&lake).len(),
        1_810,
        "what was merged is not read again"
    );
}

#[test]
fn open_days_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    for day in 0..5_u32 {
        write(
            &source.join(object_key(20 + day, day)),
            &gzip(&records(day * 86_400..day * 86_400 + 5)),
        );
    }
    lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    let output = Command::new(env!("CARGO_BIN_EXE_collect"))
        .args(["compact", "--lake"])
        .arg(&lake)
        .output()
        .unwrap();
    assert!(
        lake::stderr(&output).contains("2 of 2 closed days merged"),
        "{}",
        lake::stderr(&output)
    );
}

#[test]
fn a_merge_that_is_killed_changes_nothing_that_readers_see() {
    let folder = tempfile::tempdir().unwrap();
    let (source, ingested) = (folder.path().join("trail"), folder.path().join("ingested"));
    trail::make(&source, 45, 400);
    // Every third object alone, so that days have several files.
    for part in 0..3 {
        let some = folder.path().join(format!("part-{part}"));
        for (index, file) in lake::files(&source).into_iter().enumerate() {
            if index % 3 == part {
                let target = some.join(file.strip_prefix(&source).unwrap());
                std::fs::create_dir_all(target.parent().unwrap()).unwrap();
                std::fs::copy(file, target).unwrap();
            }
        }
        lake::ingest(some.to_str().unwrap(), &ingested, &[], 0);
    }
    let before = rows(&ingested);
    assert_eq!(before.len(), 18_000);
    let undisturbed = folder.path().join("undisturbed");
    copy(&ingested, &undisturbed);
    let started = Instant::now();
    run(&undisturbed);
    let duration = started.elapsed();
    let expected = lake::names(&undisturbed);
    let points = 12;
    let mut interrupted = 0;
    for point in 0..points {
        let lake = folder.path().join(format!("lake-{point}"));
        copy(&ingested, &lake);
        let mut child = compact(&lake).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(duration * point / points + Duration::from_millis(u64::from(point)));
        child.kill().unwrap();
        interrupted += u32::from(!child.wait().unwrap().success());
        assert_eq!(rows(&lake), before, "killed at point {point}");
        run(&lake);
        assert_eq!(rows(&lake), before, "killed at point {point}, repeated");
        assert_eq!(
            parquet_names(&lake),
            only_parquet(&expected),
            "killed at point {point}"
        );
    }
    // How many hit depends on the machine; the first, right after the start, always does.
    assert!(interrupted >= 1, "no kill hit a running process");
}

fn parquet_names(lake: &Path) -> Vec<String> {
    only_parquet(&lake::names(lake))
}

fn only_parquet(names: &[String]) -> Vec<String> {
    names
        .iter()
        .filter(|name| name.ends_with(".parquet"))
        .cloned()
        .collect()
}

#[test]
fn an_interrupted_removal_does_not_bring_rows_back() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    write(&source.join(object_key(20, 1)), &gzip(&records(0..50)));
    lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    let replaced = parquet_files(&lake).remove(0);
    let kept = std::fs::read(&replaced).unwrap();
    run(&lake);
    assert!(!replaced.exists());
    // The file is back, as if its removal had never happened, and the day is merged again for another reason.
    write(&replaced, &kept);
    assert_eq!(rows(&lake).len(), 50);
    write(&source.join(object_key(20, 2)), &gzip(&records(50..60)));
    lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    assert_eq!(rows(&lake).len(), 60);
    run(&lake);
    assert_eq!(rows(&lake).len(), 60);
    assert!(!replaced.exists());
}

#[test]
fn batches_that_nobody_committed_are_not_merged() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    write(&source.join(object_key(20, 1)), &gzip(&records(0..50)));
    lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    let commit = lake.join("cloudtrail_ledger/object_date=2026-11-20/000001.parquet");
    std::fs::remove_file(&commit).unwrap();
    assert!(run(&lake).contains("0 of 1 closed days merged"));
    lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    assert!(run(&lake).contains("1 of 1 closed days merged"));
    assert_eq!(rows(&lake).len(), 50);
}

#[test]
fn merges_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    trail::make(&source, 12, 300);
    lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    let before = rows(&lake);
    let merges: Vec<_> = (0..3)
        .map(|_| compact(&lake).stderr(Stdio::null()).spawn().unwrap())
        .collect();
    for mut merge in merges {
        // One that finds its files gone says so and has changed nothing.
        merge.wait().unwrap();
    }
    assert_eq!(rows(&lake), before);
}
