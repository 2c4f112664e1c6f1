//! What is wrong with an object stays with that object, with its reason, and the exit code tells.

use std::path::Path;

use serde_json::json;

use crate::lake::{self, stderr};
use crate::trail::{self, event, gzip, lines, object_key, records, stored, write};

fn status<'a>(ledger: &'a [lake::Row], name: &str) -> (&'a str, &'a str) {
    let row = ledger
        .iter()
        .find(|row| row["source_key"].ends_with(name))
        .unwrap_or_else(|| panic!("{name}"));
    (&row["status"], row.get("error").map_or("", String::as_str))
}

#[test]
fn unsound_objects_are_set_aside_and_all_others_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    trail::make(&source, 6, 50);
    let sound = gzip(&records(1_000..1_050));
    let mut corrupt = sound.clone();
    let middle = corrupt.len() / 2;
    corrupt[middle] ^= 0xff;
    let mut lacking = vec![
        event(2_000),
        json!({"eventID": "x", "eventTime": "yesterday"}),
    ];
    lacking.push(json!({"eventTime": "2026-11-20T00:00:00Z"}));
    let cases: [(&str, Vec<u8>, &str); 9] = [
        ("corrupt.json.gz", corrupt, "corrupt or truncated gzip"),
        ("truncated.json.gz", sound[..sound.len() - 20].to_vec(), "corrupt or truncated gzip"),
        ("tail.json.gz", [sound.as_slice(), b"garbage after the last member"].concat(), "corrupt or truncated gzip"),
        ("broken.json", b"{\"Records\":[{\"eventID\":\"a\",\"eventTime\":\"2026-11-20T00:00:00Z\"},{\"eventID\"".to_vec(), "after record 1"),
        ("empty.json", Vec::new(), "empty"),
        ("number.json", b"17".to_vec(), "expected CloudTrail records: an object with Records, an array, or one event per line, got 17"),
        ("elements.json", b"[1,2]".to_vec(), "expected a record"),
        ("binary.json", vec![b'{', 0xff, 0xfe], "byte 1 is no UTF-8"),
        ("lacking.json", json!({"Records": lacking}).to_string().into_bytes(), "record 1: eventTime: expected RFC 3339, got \"yesterday\"; 2 of 3 records have no row"),
    ];
    for (name, bytes, _) in &cases {
        write(&source.join(name), bytes);
    }
    let output = lake::ingest(source.to_str().unwrap(), &lake, &[], 3);
    let ledger = lake::ledger(&lake);
    for (name, _, reason) in &cases {
        let (status, error) = status(&ledger, name);
        assert_eq!(status, "quarantined", "{name}");
        assert!(error.contains(reason), "{name}: {error}");
        assert!(
            stderr(&output).contains(&format!("warning: {name}: quarantined: ")),
            "{name}"
        );
    }
    assert_eq!(ledger.iter().filter(|row| row["status"] == "ok").count(), 6);
    assert_eq!(
        lake::counts(&lake),
        (301, 301),
        "a record without a fault has its row beside those that have one"
    );

    // Nothing is tried again until it changes; then it is.
    let before = lake::names(&lake);
    let again = lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    assert!(
        stderr(&again).contains("9 objects quarantined by earlier runs"),
        "{}",
        stderr(&again)
    );
    assert_eq!(lake::names(&lake), before);
    write(&source.join("truncated.json.gz"), &sound);
    lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    assert_eq!(lake::counts(&lake), (351, 351));
}

/// A gzip of one member in which one letter of the text is another one than when it was packed: its length is right and
/// its JSON is sound, only the checksum tells.
fn with_another_letter(text: &[u8]) -> Vec<u8> {
    let mut member = stored(text);
    let name = b"DescribeInstances";
    let at = member
        .windows(name.len())
        .position(|window| window == name)
        .unwrap();
    member[at] = b'X';
    member
}

#[test]
fn a_changed_letter_is_noticed_although_the_length_and_the_json_are_sound() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    let (lines, more) = (lines(0..3), lines(3..6));
    let two = |first: Vec<u8>, second: Vec<u8>| [first, second].concat();
    write(&source.join("one-sound.json.gz"), &stored(&lines));
    write(
        &source.join("one-changed.json.gz"),
        &with_another_letter(&lines),
    );
    write(
        &source.join("two-sound.json.gz"),
        &two(stored(&lines), stored(&more)),
    );
    write(
        &source.join("first-changed.json.gz"),
        &two(with_another_letter(&lines), stored(&more)),
    );
    write(
        &source.join("second-changed.json.gz"),
        &two(stored(&lines), with_another_letter(&more)),
    );
    lake::ingest(source.to_str().unwrap(), &lake, &[], 3);
    let ledger = lake::ledger(&lake);
    for name in ["one-sound.json.gz", "two-sound.json.gz"] {
        assert_eq!(status(&ledger, name).0, "ok", "{name}");
    }
    for name in [
        "one-changed.json.gz",
        "first-changed.json.gz",
        "second-changed.json.gz",
    ] {
        let (status, error) = status(&ledger, name);
        assert_eq!(status, "quarantined", "{name}");
        assert!(
            error.contains("corrupt or truncated gzip"),
            "{name}: {error}"
        );
    }
    let events = lake::events(&lake);
    assert_eq!(events.len(), 9, "three of one object, six of the other");
    assert!(
        events
            .iter()
            .all(|(row, _)| row["event_name"] == "DescribeInstances")
    );
}

#[test]
fn other_kinds_of_records_are_counted_and_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    trail::make(&source, 1, 5);
    let account = source.join("AWSLogs/444455556666");
    let digest = json!({"awsAccountId": "444455556666", "digestStartTime": "2026-11-20T00:00:00Z", "digestS3Object": "x", "logFiles": []});
    write(
        &account.join("CloudTrail-Digest/eu-west-1/2026/11/20/d.json.gz"),
        &gzip(digest.to_string().as_bytes()),
    );
    write(
        &account.join("CloudTrail-Insight/eu-west-1/2026/11/20/i.json.gz"),
        &gzip(&records(0..3)),
    );
    write(
        &account.join("elasticloadbalancing/eu-west-1/2026/11/20/lb.log.gz"),
        b"x",
    );
    let mut insight = event(7_000);
    insight["eventCategory"] = "Insight".into();
    let mut network = event(7_001);
    network["eventCategory"] = "NetworkActivity".into();
    write(
        &source.join("mixed.json"),
        json!({"Records": [insight, event(7_002), network]})
            .to_string()
            .as_bytes(),
    );
    write(&source.join("digest.json"), digest.to_string().as_bytes());
    write(&source.join("README.txt"), b"not a trail");
    let output = stderr(&lake::ingest(source.to_str().unwrap(), &lake, &[], 0));
    for line in [
        "2 of kind digest left out",
        "2 of kind insight left out",
        "1 of kind network_activity left out",
        "1 of kind other_service left out",
        "1 files ignored",
    ] {
        assert!(output.contains(line), "{line}: {output}");
    }
    assert_eq!(lake::counts(&lake), (6, 6));
    let ledger = lake::ledger(&lake);
    let mixed = ledger
        .iter()
        .find(|row| row["source_key"] == "mixed.json")
        .unwrap();
    assert_eq!(
        mixed["other_records"],
        r#"{"insight":1,"network_activity":1}"#
    );
    assert_eq!(
        (mixed["records"].as_str(), mixed["rows"].as_str()),
        ("3", "1")
    );
}

#[test]
fn dates_choose_objects_by_their_path() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    for day in 18..=22 {
        write(
            &source.join(object_key(day, day)),
            &gzip(&records(day * 100..day * 100 + 10)),
        );
    }
    let source = source.to_str().unwrap();
    lake::ingest(
        source,
        &lake,
        &["--since", "2026-11-19", "--until", "2026-11-20"],
        0,
    );
    assert_eq!(lake::counts(&lake), (20, 20));
    lake::ingest(source, &lake, &["--since", "2026-11-20"], 0);
    assert_eq!(lake::counts(&lake), (40, 40));
    let output = lake::ingest(
        source,
        &lake,
        &["--since", "2026-11-21", "--until", "2026-11-20"],
        2,
    );
    assert!(stderr(&output).contains("error: --since 2026-11-21 is after --until 2026-11-20"));
}

#[test]
fn a_source_that_is_not_there_is_an_error_of_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let output = lake::ingest("/nonexistent/trail", &folder.path().join("lake"), &[], 2);
    assert_eq!(
        stderr(&output),
        "error: /nonexistent/trail: No such file or directory (os error 2)\nhint: a source is a file, a folder or s3://bucket/prefix\n"
    );
    assert!(!Path::new("/nonexistent").exists());
}
