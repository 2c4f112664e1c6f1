//! The view `diff`: two runs and what lies between them.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::account::check;
use crate::lake::{
    ACCOUNT, Lake, diagram, diagram_of, edges, lines, node_of, shop, stderr, stdout,
};
use crate::rendering::svg;

/// The two runs of a lake.
pub fn runs(folder: &Path) -> [String; 2] {
    ["20261109", "20261116"].map(|time| {
        let mut runs: Vec<String> = std::fs::read_dir(folder.join("runs"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with(time))
            .collect();
        format!("{}/runs/{}", folder.display(), runs.pop().unwrap())
    })
}

/// Runs the tool on both.
pub fn diff(folder: &Path, options: &[&str]) -> Output {
    let [before, after] = runs(folder);
    let mut all = vec!["diff", &before, &after];
    all.extend(options);
    diagram_of(&all)
}

/// A week: a queue came, a machine went, a database keeps its backups for a shorter time, and a bucket stayed.
fn week(folder: &Path) -> [String; 4] {
    let (mut before, mut after) = (Lake::default(), Lake::default());
    let mut arns = Vec::new();
    for (lake, days, tag) in [(&mut before, 35, "anna"), (&mut after, 7, "ben")] {
        lake.table = "aws_rds_db_instance";
        let database = lake.add(
            "rds:db",
            "d1_orders_shop",
            "shop",
            json!({ "tags": { "Owner": tag } }),
        );
        lake.instances
            .push(json!({ "arn": database, "backup_retention_days": days, "latest_restorable_at": "2026-11-16 03:00:00" }));
        let bucket = lake.add("s3:bucket", "b1_files_shop", "shop", json!({}));
        lake.link("uses", &database, &bucket, "");
        arns = vec![database, bucket];
    }
    let machine = before.add("ec2:instance", "i-0123456789abcdef0", "shop", json!({}));
    before.link("uses", &machine, &arns[0], "");
    let queue = after.add("sqs:queue", "q1_new_shop", "shop", json!({}));
    after.link("uses", &arns[0], &queue, "");
    before.commit_at(folder, true, "2026-11-09T06:00:00Z");
    after.commit_at(folder, true, "2026-11-16T06:00:00Z");
    [arns[0].clone(), arns[1].clone(), machine, queue]
}

#[test]
fn two_runs_differ_in_what_came_went_and_changed() {
    let folder = tempdir().unwrap();
    let [database, bucket, machine, queue] = week(folder.path());
    let output = diff(folder.path(), &["--format", "json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let changes: Value = serde_json::from_str(&stdout(&output)).unwrap();
    check(&changes, 4);
    let look = |arn: &str| node_of(&changes, arn)["look"].clone();
    assert_eq!(
        [look(&database), look(&bucket), look(&machine), look(&queue)],
        ["changed", "faint", "removed", "added"]
    );
    assert_eq!(
        lines(node_of(&changes, &database)),
        ["backup retention days 35 → 7", "tag Owner anna → ben"]
    );
    let node = |arn: &str| node_of(&changes, arn);
    assert_eq!(
        edges(&changes, node(&database), node(&queue))[0]["look"],
        "added"
    );
    assert_eq!(
        edges(&changes, node(&machine), node(&database))[0]["look"],
        "removed"
    );
    assert_eq!(
        edges(&changes, node(&database), node(&bucket))[0]["look"],
        "faint"
    );
    svg(&stdout(&diff(folder.path(), &[])));
}

#[test]
fn who_made_a_change_is_in_the_events_of_the_lake() {
    let folder = tempdir().unwrap();
    let [database, _, _, queue] = week(folder.path());
    let event = |number: u8,
                 time: &str,
                 name: &str,
                 service: &str,
                 request: Value,
                 read_only: bool| {
        json!({
            "event_id": number.to_string(), "event_time": time, "event_name": name, "event_source": format!("{service}.amazonaws.com"),
            "read_only": read_only, "recipient_account_id": ACCOUNT, "aws_region": "eu-west-1",
            "identity_arn": format!("arn:aws:iam::{ACCOUNT}:user/user{number}"), "request_parameters": request,
        })
    };
    let of_database = json!({ "dBInstanceIdentifier": "d1_orders_shop" });
    let url =
        json!({ "queueUrl": format!("https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/q1_new_shop") });
    crate::lake::events(
        folder.path(),
        &[
            event(
                1,
                "2026-11-10 06:00:00",
                "ModifyDBInstance",
                "rds",
                of_database.clone(),
                false,
            ),
            event(
                2,
                "2026-11-11 06:00:00",
                "DescribeDBInstances",
                "rds",
                of_database.clone(),
                true,
            ),
            event(
                3,
                "2026-11-12 06:00:00",
                "ModifyTable",
                "dynamodb",
                of_database.clone(),
                false,
            ),
            event(
                4,
                "2026-11-08 06:00:00",
                "CreateDBInstance",
                "rds",
                of_database,
                false,
            ),
            event(5, "2026-11-12 06:00:00", "CreateQueue", "sqs", url, false),
        ],
    );
    // What happened on other days is not even opened.
    let broken = folder.path().join("cloudtrail/event_date=2026-11-17");
    std::fs::create_dir_all(&broken).unwrap();
    std::fs::write(broken.join("0-0.parquet"), "no table").unwrap();
    let output = diff(folder.path(), &["--format", "json"]);
    let changes: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let last = |arn: &str| lines(node_of(&changes, arn)).pop().unwrap();
    assert_eq!(last(&database), "11-10 ModifyDBInstance by user1");
    assert_eq!(last(&queue), "11-12 CreateQueue by user5");
}

#[test]
fn what_one_run_could_not_see_is_neither_added_nor_removed() {
    let folder = tempdir().unwrap();
    let (mut before, mut after) = (Lake::default(), Lake::default());
    before.add("sqs:queue", "q1", "shop", json!({}));
    for lake in [&mut before, &mut after] {
        lake.add("s3:bucket", "b1", "shop", json!({}));
    }
    after.errors.push(json!({
        "account_id": ACCOUNT, "region": "eu-west-1", "operation": "ListQueues", "table_name": before.table
    }));
    before.commit_at(folder.path(), true, "2026-11-09T06:00:00Z");
    after.commit_at(folder.path(), true, "2026-11-16T06:00:00Z");
    let output = diff(folder.path(), &["--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).contains("not known whether added or removed"),
        "{}",
        stderr(&output)
    );
    let changes: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(
        changes["caption"]
            .to_string()
            .contains("0 added, 0 removed, 0 changed")
    );
    check(&changes, 2);
}

#[test]
fn one_run_is_no_difference_and_two_are_no_landscape() {
    let folder = tempdir().unwrap();
    shop().commit(folder.path(), true);
    let output = diagram(folder.path(), &["diff"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("which two runs?"),
        "{}",
        stderr(&output)
    );
    let lake = folder.path().to_str().unwrap();
    let output = diagram(folder.path(), &["landscape", lake]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("only diagram diff compares them"),
        "{}",
        stderr(&output)
    );
}
