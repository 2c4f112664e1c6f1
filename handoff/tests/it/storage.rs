//! One storage interface, two places: every test runs against a folder and against a bucket.

use std::sync::OnceLock;

use fixtures::Moto;
use handoff::run::FileEntry;
use handoff::storage::Storage;

/// One server for the whole binary: the SDK reads its endpoint from the process's environment.
pub fn moto() -> &'static Moto {
    static MOTO: OnceLock<Moto> = OnceLock::new();
    MOTO.get_or_init(Moto::start)
}

/// Runs a test on a folder and, in a process of its own whose environment points to moto, on a bucket.
fn in_both_places(name: &str, test: impl Fn(&Storage)) {
    if std::env::var_os("AWS_ENDPOINT_URL").is_some() {
        return test(&bucket(name));
    }
    let folder = tempfile::tempdir().unwrap();
    test(&Storage::open(folder.path().join("lake").to_str().unwrap()).unwrap());

    moto().make_bucket(&bucket_name(name));
    let cache = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("storage::{name}")])
        .envs(moto().environment())
        .env("XDG_CACHE_HOME", cache.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "on S3: {text}"
    );
}

fn bucket_name(test: &str) -> String {
    test.replace('_', "-").chars().take(60).collect()
}

fn bucket(test: &str) -> Storage {
    Storage::open(&format!("s3://{}/team/lake", bucket_name(test))).unwrap()
}

#[test]
fn objects_are_written_read_listed_and_removed() {
    in_both_places("objects_are_written_read_listed_and_removed", |lake| {
        lake.put("runs/a/collect.json", b"one").unwrap();
        lake.put("runs/b/collect.json", b"two").unwrap();
        lake.put("runs/b/analyze.json", b"").unwrap();
        assert_eq!(
            lake.get("runs/a/collect.json").unwrap().as_deref(),
            Some(b"one".as_slice())
        );
        assert_eq!(lake.get("runs/c/collect.json").unwrap(), None);
        assert_eq!(lake.folders("runs").unwrap(), ["a", "b"]);
        assert_eq!(lake.folders("nowhere").unwrap(), Vec::<String>::new());
        let keys: Vec<String> = lake
            .list("runs")
            .unwrap()
            .into_iter()
            .map(|listed| listed.key)
            .collect();
        assert_eq!(
            keys,
            [
                "runs/a/collect.json",
                "runs/b/analyze.json",
                "runs/b/collect.json"
            ]
        );
        assert!(lake.exists("runs/a/collect.json").unwrap());
        lake.remove("runs/a/collect.json").unwrap();
        lake.remove("runs/a/collect.json").unwrap();
        assert!(!lake.exists("runs/a/collect.json").unwrap());
    });
}

#[test]
fn create_if_absent_lets_the_first_writer_win() {
    in_both_places("create_if_absent_lets_the_first_writer_win", |lake| {
        assert!(lake.put_new("manifest", b"first").unwrap());
        assert!(!lake.put_new("manifest", b"second").unwrap());
        assert_eq!(lake.get("manifest").unwrap().unwrap(), b"first");
    });
}

#[test]
fn a_listed_file_that_is_missing_or_another_one_is_an_error() {
    in_both_places(
        "a_listed_file_that_is_missing_or_another_one_is_an_error",
        |lake| {
            lake.put("a.parquet", b"content").unwrap();
            let sha256 =
                "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73".to_owned();
            let entry = |path: &str, bytes, sha256: &str| FileEntry {
                path: path.to_owned(),
                table: "a".to_owned(),
                account_id: None,
                rows: 0,
                bytes,
                sha256: sha256.to_owned(),
            };
            let good = lake.local_paths(&[entry("a.parquet", 7, &sha256)]).unwrap();
            assert_eq!(std::fs::read(&good[0]).unwrap(), b"content");
            assert!(
                lake.local_paths(&[entry("b.parquet", 7, &"0".repeat(64))])
                    .is_err()
            );
            assert!(
                lake.local_paths(&[entry("a.parquet", 9, &"1".repeat(64))])
                    .is_err()
            );
        },
    );
}

#[test]
fn no_key_leads_out_of_the_lake() {
    in_both_places("no_key_leads_out_of_the_lake", |lake| {
        for key in ["../x", "a/../../x", "/etc/passwd", "a/./b"] {
            let error = lake.get(key).unwrap_err().to_string();
            assert!(error.ends_with("the path leads out of the lake"), "{error}");
            assert!(lake.put(key, b"").is_err());
        }
    });
}

#[test]
fn a_location_that_is_no_lake_says_what_to_give() {
    let error = Storage::open("gs://bucket/prefix").unwrap_err().to_string();
    assert!(
        error.contains("give a folder or s3://bucket/prefix"),
        "{error}"
    );
    assert!(
        Storage::open("s3:///prefix")
            .unwrap_err()
            .to_string()
            .contains("no bucket")
    );
}

#[test]
fn a_bucket_that_is_not_there_is_named() {
    in_both_places("a_bucket_that_is_not_there_is_named", |lake| {
        if matches!(lake, Storage::S3(_)) {
            let lake = Storage::open("s3://never-made/lake").unwrap();
            let error = lake.list("runs").unwrap_err().to_string();
            assert!(
                error.contains("s3://never-made/lake") && error.contains("NoSuchBucket"),
                "{error}"
            );
        }
    });
}
