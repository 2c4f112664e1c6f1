//! A run exists from its record on, wherever the writer was killed.

use handoff::run::{Run, RunId, RunRecord, Stage, committed};
use handoff::storage::Storage;

fn run_id(second: i64) -> RunId {
    RunId::new(
        jiff::Timestamp::from_second(1_800_000_000 + second).unwrap(),
        b"test",
    )
}

fn commit(lake: &Storage, run: &RunId) {
    RunRecord::new(run.clone(), Stage::Collect, "0.1.0", vec![])
        .commit(lake)
        .unwrap();
}

#[test]
fn only_committed_runs_are_seen_and_the_latest_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().to_str().unwrap();
    let lake = Storage::open(location).unwrap();
    let error = Run::find(Some(location)).unwrap_err().to_string();
    assert!(
        error.contains("no committed run") && error.contains("collect inventory"),
        "{error}"
    );

    commit(&lake, &run_id(1));
    // A run whose writer died before the record.
    lake.put(
        &format!(
            "inventory/t/account=111122223333/run={}/data.parquet",
            run_id(2)
        ),
        b"half",
    )
    .unwrap();
    lake.put(&format!("runs/{}/analyze.json", run_id(2)), b"{}")
        .unwrap();
    lake.put("runs/README/collect.json", b"not a run").unwrap();
    assert_eq!(committed(&lake).unwrap(), [run_id(1)]);
    assert_eq!(Run::find(Some(location)).unwrap().id, run_id(1));

    let error = Run::find(Some(&format!("{location}/runs/{}", run_id(2))))
        .unwrap_err()
        .to_string();
    assert!(error.contains("has no collect record"), "{error}");
    let found = Run::find(Some(&format!("{location}/runs/{}/", run_id(1)))).unwrap();
    assert_eq!(found.reference(), format!("{location}/runs/{}", run_id(1)));
}

#[test]
fn a_record_of_a_newer_contract_or_of_no_contract_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().to_str().unwrap();
    let lake = Storage::open(location).unwrap();
    let run = run_id(3);
    let key = format!("runs/{run}/collect.json");
    commit(&lake, &run);
    let text = String::from_utf8(lake.get(&key).unwrap().unwrap()).unwrap();
    lake.put(
        &key,
        text.replace("\"contract\": \"1.0\"", "\"contract\": \"2.3\"")
            .as_bytes(),
    )
    .unwrap();
    let refused = || {
        let run = Run::find(Some(location)).unwrap();
        run.record(Stage::Collect).unwrap_err().to_string()
    };
    let error = refused();
    assert!(
        error.contains("written under contract 2.3") && error.contains(&key),
        "{error}"
    );
    lake.put(&key, b"{\"contract\": \"1.0\"").unwrap();
    let error = refused();
    assert!(error.contains("not a run record"), "{error}");
}

#[test]
fn references_that_are_no_run_are_named() {
    for bad in ["lake/runs/yesterday", "lake/runs/20261123T060000Z-3FA91C"] {
        let error = Run::find(Some(bad)).unwrap_err().to_string();
        assert!(error.contains("is not a run"), "{error}");
    }
}

/// The child of [`a_writer_killed_in_the_middle_leaves_no_run`]: writes a run slowly until it is killed.
#[test]
fn write_slowly() {
    let Some(location) = std::env::var_os("SLOW_WRITER_LAKE") else {
        return;
    };
    let lake = Storage::open(location.to_str().unwrap()).unwrap();
    for n in 0..1_000 {
        lake.put(
            &format!(
                "inventory/t{n}/account=111122223333/run={}/data.parquet",
                run_id(5)
            ),
            &[0; 100_000],
        )
        .unwrap();
    }
    commit(&lake, &run_id(5));
}

#[test]
fn a_writer_killed_in_the_middle_leaves_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().to_str().unwrap();
    let lake = Storage::open(location).unwrap();
    commit(&lake, &run_id(4));
    for wait in [20, 60, 120] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "runs::write_slowly"])
            .env("SLOW_WRITER_LAKE", location)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        // SIGKILL: no destructor runs.
        child.kill().unwrap();
        let finished = child.wait().unwrap().success();
        let expected = if finished {
            vec![run_id(4), run_id(5)]
        } else {
            vec![run_id(4)]
        };
        assert_eq!(committed(&lake).unwrap(), expected);
        for listed in lake.list("inventory").unwrap() {
            assert_eq!(listed.bytes, 100_000, "{} is half a file", listed.key);
        }
    }
}
