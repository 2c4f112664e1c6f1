//! Every event once, whatever happens to the process that reads it.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::lake::{self, stderr};
use crate::trail::{self, event, gzip, object_key, records, write};

#[test]
fn a_second_run_with_nothing_new_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    trail::make(&source, 9, 20);
    lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    assert_eq!(lake::counts(&lake), (180, 180));
    let before = lake::names(&lake);
    let output = lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    assert!(
        stderr(&output).contains("0 events from 0 objects, 9 known already"),
        "{}",
        stderr(&output)
    );
    assert_eq!(lake::names(&lake), before);
}

#[test]
fn a_killed_run_repeated_is_an_undisturbed_run() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("trail");
    trail::make(&source, 60, 1_500);
    let undisturbed = folder.path().join("undisturbed");
    let started = Instant::now();
    lake::ingest(source.to_str().unwrap(), &undisturbed, &[], 0);
    let duration = started.elapsed();
    assert_eq!(lake::counts(&undisturbed), (90_000, 90_000));
    let expected = lake::names(&undisturbed);
    let points = 14;
    let mut interrupted = 0;
    for point in 0..points {
        let lake = folder.path().join(format!("lake-{point}"));
        // Two kills in a row: what takes up a batch can be killed as well.
        for _ in 0..2 {
            let mut child =
                lake::collect(&[source.to_str().unwrap(), "--lake", lake.to_str().unwrap()])
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap();
            std::thread::sleep(duration * point / points + Duration::from_millis(u64::from(point)));
            child.kill().unwrap();
            interrupted += u32::from(!child.wait().unwrap().success());
        }
        lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
        assert_eq!(
            lake::counts(&lake),
            (90_000, 90_000),
            "killed at point {point}"
        );
        assert_eq!(lake::names(&lake), expected, "killed at point {point}");
        let unfinished = lake::files(&lake.join(".unfinished"));
        assert!(
            unfinished.is_empty(),
            "left at point {point}: {unfinished:?}"
        );
    }
    // How many hit depends on the machine; the first, right after the start, always do.
    assert!(interrupted >= 2, "no kill hit a running process");
}

#[test]
fn what_arrives_between_a_kill_and_its_repetition_is_another_batch() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    for number in 0..4 {
        write(
            &source.join(object_key(20, number)),
            &gzip(&records(number * 10..number * 10 + 10)),
        );
    }
    lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    // What a kill leaves that comes after the events and before the commit.
    let commit = lake.join("cloudtrail_ledger/object_date=2026-11-20/000001.parquet");
    std::fs::remove_file(&commit).unwrap();
    write(&source.join(object_key(20, 9)), &gzip(&records(90..100)));
    lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    assert!(commit.exists());
    assert_eq!(lake::counts(&lake), (50, 50));
    assert_eq!(lake::ledger(&lake).len(), 5);
}

#[test]
fn an_interrupted_batch_whose_object_is_gone_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    for number in 0..2 {
        write(
            &source.join(object_key(20, number)),
            &gzip(&records(number * 10..number * 10 + 10)),
        );
    }
    lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    let folder = lake.join("cloudtrail_ledger/object_date=2026-11-20");
    std::fs::remove_file(folder.join("000001.parquet")).unwrap();
    std::fs::remove_dir_all(lake.join("cloudtrail")).unwrap();
    std::fs::remove_file(source.join(object_key(20, 1))).unwrap();
    let output = lake::ingest(source.to_str().unwrap(), &lake, &[], 3);
    assert!(
        stderr(&output).contains("not read: is gone since it was listed"),
        "{}",
        stderr(&output)
    );
    assert_eq!(lake::counts(&lake), (10, 10));
    // Should it come back, it is read.
    write(&source.join(object_key(20, 1)), &gzip(&records(10..20)));
    lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    assert_eq!(lake::counts(&lake), (20, 20));
}

#[test]
fn collectors_at_once_share_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    trail::make(&source, 60, 600);
    let start = || {
        lake::collect(&[source.to_str().unwrap(), "--lake", lake.to_str().unwrap()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let collectors: Vec<_> = (0..4).map(|_| start()).collect();
    for mut collector in collectors {
        assert!(collector.wait().unwrap().success());
    }
    assert_eq!(lake::counts(&lake), (36_000, 36_000));
    assert_eq!(lake::ledger(&lake).len(), 60);
}

#[test]
fn repeated_late_and_overwritten_deliveries() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    let run = |code| lake::ingest(source.to_str().unwrap(), &lake, &[], code);
    write(&source.join(object_key(21, 1)), &gzip(&records(0..10)));
    run(0);
    // Late, and of events out of order that lie on both sides of midnight.
    let late =
        json!({"Records": [event(86_500), event(5_000), event(86_399), event(86_400), event(11)]});
    write(
        &source.join(object_key(20, 1)),
        &gzip(late.to_string().as_bytes()),
    );
    // The same events through another trail.
    let other = object_key(21, 1).replace("AWSLogs/", "AWSLogs/o-example/");
    write(&source.join(other), &gzip(&records(0..10)));
    run(0);
    assert_eq!(lake::counts(&lake), (25, 15));
    // Overwritten, with an event more.
    write(&source.join(object_key(21, 1)), &gzip(&records(0..11)));
    run(0);
    assert_eq!(lake::counts(&lake), (36, 16));
    for path in lake::event_paths(&lake) {
        assert_sorted_by_time(&path);
    }
}

fn assert_sorted_by_time(path: &Path) {
    let file = std::fs::File::open(path).unwrap();
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let mut last = i64::MIN;
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let times = batch.column_by_name("event_time").unwrap();
        let times = arrow::array::AsArray::as_primitive::<arrow::datatypes::TimestampMicrosecondType>(
            times,
        );
        for &time in times.values() {
            assert!(time >= last, "{}", path.display());
            last = time;
        }
    }
}
