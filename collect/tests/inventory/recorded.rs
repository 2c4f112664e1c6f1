//! Recordings: what they hold is what the lake holds, and what they lack is named.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::tool::{collect, import, parquet, record, rows, run, write};

const HEADER: &str = r#"{"recorded_at": "2026-11-16T06:00:00Z", "accounts": [{"account_id": "111122223333", "regions": ["eu-west-1"]}]}"#;

/// A recording with one instance that has these tags.
fn one_instance(tags: &Value) -> TempDir {
    let folder = TempDir::new().unwrap();
    let instances = json!({"Reservations": [{"Instances": [{"InstanceId": "i-1", "State": {"Name": "terminated"}, "Tags": tags}]}]});
    write(
        folder.path(),
        &[
            ("recording.json", HEADER),
            (
                "eu-west-1/ec2-describe-instances.json",
                &instances.to_string(),
            ),
        ],
    );
    folder
}

#[test]
fn the_demo_account_is_read_whole_and_its_denied_call_is_named() {
    let lake = TempDir::new().unwrap();
    let ran = import(&fixtures::demo_recording(), lake.path());
    assert_eq!(ran.code, 3, "{}", ran.err);
    let errors = rows(
        &ran,
        lake.path(),
        "collect_errors",
        &["kind", "operation", "table_name", "resource_id"],
    );
    assert!(
        errors
            .iter()
            .all(|error| error[0].as_deref() == Some("denied")),
        "{errors:?}"
    );
    assert!(
        ran.err.contains("aws_s3_bucket: s3:GetBucketPolicy"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("hint: grant it"), "{}", ran.err);

    let text =
        std::fs::read(fixtures::demo_recording().join("eu-west-1/ec2-describe-instances.json"))
            .unwrap();
    let answer: Value = serde_json::from_slice(&text).unwrap();
    let listed: usize = answer["Reservations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["Instances"].as_array().unwrap().len())
        .sum();
    let found = rows(&ran, lake.path(), "aws_ec2_instance", &["arn", "region"]);
    assert_eq!(
        found
            .iter()
            .filter(|row| row[1].as_deref() == Some("eu-west-1"))
            .count(),
        listed
    );
}

#[test]
fn the_same_recording_gives_the_same_run_and_the_same_bytes() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let first = import(&fixtures::demo_recording(), one.path());
    import(&fixtures::demo_recording(), two.path());
    let files = parquet(one.path());
    assert!(files.len() > 100);
    assert!(files == parquet(two.path()));
    let again = import(&fixtures::demo_recording(), one.path());
    assert_eq!(
        (again.out.as_str(), again.code),
        (first.out.as_str(), first.code)
    );
    assert!(again.err.contains("already"), "{}", again.err);
}

#[test]
fn hostile_and_huge_tags_arrive_as_they_are() {
    let huge = "x".repeat(10 << 20);
    let hostile = "\u{202e}'; drop table x; -- \u{0}\n\u{1b}[2J";
    let recording =
        one_instance(&json!([{"Key": "Name", "Value": hostile}, {"Key": "huge", "Value": huge}]));
    let lake = TempDir::new().unwrap();
    let ran = run(collect()
        .args(["inventory", "--table", "aws_ec2_instance", "--from"])
        .arg(recording.path())
        .arg("--lake")
        .arg(lake.path()));
    let found = rows(&ran, lake.path(), "aws_ec2_instance", &["name", "config"]);
    assert_eq!(found[0][0].as_deref(), Some(hostile));
    assert!(found[0][1].as_ref().unwrap().contains(&huge));
}

#[test]
fn a_key_in_a_tag_is_replaced_and_its_place_kept() {
    let recording = one_instance(&json!([{"Key": "note", "Value": "AKIAIOSFODNN7EXAMPLE"}]));
    let lake = TempDir::new().unwrap();
    let ran = run(collect()
        .args(["inventory", "--table", "aws_ec2_instance", "--from"])
        .arg(recording.path())
        .arg("--lake")
        .arg(lake.path()));
    let found = rows(&ran, lake.path(), "aws_ec2_instance", &["config"]);
    assert!(!found[0][0].as_ref().unwrap().contains("AKIA"));
    let secrets = rows(&ran, lake.path(), "secrets_found", &["place", "kind"]);
    assert_eq!(
        secrets,
        [[
            Some("$.Tags[0].Value".to_owned()),
            Some("access_key".to_owned())
        ]]
    );
}

#[test]
fn missing_empty_broken_and_denied_answers_are_errors_of_their_tables() {
    let denied = r#"{"Error": {"Code": "AccessDenied", "Message": "no"}}"#;
    let recording = one_instance(&json!([]));
    let files = [
        ("eu-west-1/sqs-list-queues.json", denied),
        ("eu-west-1/sns-list-topics.json", "{\"Topics\": ["),
        ("eu-west-1/ec2-describe-vpcs.json", "\n"),
    ];
    write(recording.path(), &files);
    let lake = TempDir::new().unwrap();
    let ran = import(recording.path(), lake.path());
    assert_eq!(ran.code, 3);
    let errors = rows(&ran, lake.path(), "collect_errors", &["table_name", "kind"]);
    for (table, kind) in [
        ("aws_sqs_queue", "denied"),
        ("aws_sns_topic", "malformed"),
        ("aws_ec2_vpc", "not_recorded"),
        ("aws_ec2_subnet", "not_recorded"),
        ("resources", "not_recorded"),
    ] {
        let entry = vec![Some(table.to_owned()), Some(kind.to_owned())];
        assert!(errors.contains(&entry), "{table} {kind}: {errors:?}");
    }
    assert!(rows(&ran, lake.path(), "aws_sqs_queue", &["arn"]).is_empty());
    assert_eq!(record(&ran)["status"], "partial");
    assert!(ran.err.contains("more: see collect_errors"), "{}", ran.err);
}

#[test]
fn what_is_no_recording_is_refused() {
    let folder = TempDir::new().unwrap();
    let lake = folder.path().join("lake");
    let ran = import(folder.path(), &lake);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("is not a recording"), "{}", ran.err);
    assert!(!lake.exists());
    let ran = run(collect().args(["inventory", "--table", "nonsense_*"]));
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("no table matches \"nonsense_*\""),
        "{}",
        ran.err
    );
}

#[test]
fn the_policy_names_each_action_once_and_reads_only() {
    let policy: Value = serde_json::from_str(&run(collect().arg("policy")).out).unwrap();
    let actions: Vec<&str> = policy["Statement"][0]["Action"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a.as_str().unwrap())
        .collect();
    assert!(
        actions.is_sorted()
            && actions.contains(&"s3:ListAllMyBuckets")
            && actions.contains(&"tag:GetResources")
    );
    let writing = [
        "Create", "Delete", "Put", "Update", "Modify", "Attach", "Start", "Stop",
    ];
    let name = |action: &str| action.split(':').nth(1).unwrap().to_owned();
    assert!(
        !actions
            .iter()
            .any(|action| writing.iter().any(|verb| name(action).starts_with(verb))),
        "{actions:?}"
    );
}
