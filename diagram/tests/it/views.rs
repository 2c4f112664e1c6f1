//! The views `dr`, `exposure` and `diff`, Mermaid, and labels within a column.

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::account::check;
use crate::lake::{ACCOUNT, Lake, diagram, node_of, picture, shop, stderr, stdout};
use crate::rendering::{HOSTILE, svg};

fn lines(node: &Value) -> Vec<String> {
    let lines = node["lines"].as_array().cloned().unwrap_or_default();
    let phrase = |phrase: &Value| {
        let mark = match phrase["verdict"].as_str() {
            Some("met") => "+",
            Some("missed") => "!",
            Some("unknown") => "?",
            _ => "",
        };
        format!("{mark}{}", phrase["text"].as_str().unwrap())
    };
    let line = |line: &Value| {
        let phrases: Vec<String> = line.as_array().unwrap().iter().map(phrase).collect();
        phrases.join(" ")
    };
    lines.iter().map(line).collect()
}

fn titled<'a>(picture: &'a Value, title: &str) -> Vec<&'a Value> {
    let nodes = picture["nodes"].as_array().unwrap().iter();
    nodes.filter(|node| node["title"] == title).collect()
}

fn edges<'a>(picture: &'a Value, from: &Value, to: &Value) -> Vec<&'a Value> {
    let edges = picture["edges"].as_array().unwrap().iter();
    edges
        .filter(|edge| edge["from"] == from["id"] && edge["to"] == to["id"])
        .collect()
}

fn store(more: Value) -> Value {
    let mut row = json!({ "data_store": true, "rpo_seconds": 900, "rto_seconds": 3600 });
    let fields = row.as_object_mut().unwrap();
    fields.extend(more.as_object().cloned().unwrap_or_default());
    row
}

/// A database that is replicated, backed up and tested; one that lacks its backup; one of which nothing is known.
fn stores() -> (Lake, [String; 4]) {
    let mut lake = Lake::default();
    let met = lake.add(
        "rds:db",
        "d1_orders_shop",
        "shop",
        store(json!({ "dr": ["backup", "replication"], "dr_met": 2, "dr_unmet": [] })),
    );
    let unmet = lake.add(
        "rds:db",
        "d2_carts_shop",
        "shop",
        store(json!({ "dr": ["backup", "multi-az"], "dr_met": 1, "dr_unmet": ["backup"] })),
    );
    let unknown = lake.add(
        "rds:db",
        "d3_log_shop",
        "shop",
        store(json!({ "dr": ["backup"] })),
    );
    let standby = lake.add(
        "rds:db",
        "d1_standby_shop",
        "shop",
        json!({ "data_store": true, "region": "eu-central-1" }),
    );
    lake.link("replica_of", &standby, &met, "");
    let vault = lake.add("backup:backup-vault", "daily", "platform", json!({}));
    lake.vaults
        .push(json!({ "arn": vault, "locked": true, "recovery_point_count": 3 }));
    lake.points.push(json!({
        "resource_arn": met, "backup_vault_arn": vault, "status": "COMPLETED", "completed_at": "2026-11-16 03:00:00"
    }));
    let mut judge = |check: &str, store: &str, status: &str, evidence: Value| {
        lake.findings.push(json!({
            "check_id": check, "resource_arn": store, "severity": "high", "status": status, "evidence": evidence
        }));
    };
    judge(
        "db-rpo-unmet",
        &met,
        "pass",
        json!({ "behind_seconds": 300 }),
    );
    judge(
        "db-rto-unmet",
        &met,
        "pass",
        json!({ "recovery_seconds": 120 }),
    );
    judge(
        "restore-never-tested",
        &met,
        "pass",
        json!({ "restored_at": "2026-11-04 05:00:00" }),
    );
    judge(
        "db-rpo-unmet",
        &unmet,
        "fail",
        json!({ "behind_seconds": null }),
    );
    judge(
        "db-rto-unmet",
        &unmet,
        "fail",
        json!({ "recovery_seconds": 7200 }),
    );
    judge(
        "restore-never-tested",
        &unmet,
        "fail",
        json!({ "restored_at": null }),
    );
    judge(
        "db-rpo-unmet",
        &unknown,
        "unknown",
        json!({ "behind_seconds": null }),
    );
    (lake, [met, unmet, unknown, standby])
}

#[test]
fn data_stores_say_what_is_asked_for_and_what_is_there() {
    let folder = tempdir().unwrap();
    let (lake, [met, unmet, unknown, standby]) = stores();
    lake.commit(folder.path(), true);
    let dr = picture(folder.path(), &["dr", "--system", "shop"]);
    check(&dr, 4);
    assert_eq!(
        lines(node_of(&dr, &met)),
        [
            "RPO 15m +5m · RTO 1h +2m · tested 12d ago",
            "DR +backup +replication"
        ]
    );
    assert_eq!(
        lines(node_of(&dr, &unmet)),
        [
            "RPO 15m !none · RTO 1h !2h ?untested",
            "DR !backup +multi-az"
        ]
    );
    assert_eq!(
        lines(node_of(&dr, &unknown)),
        ["RPO 15m ? · RTO 1h ?", "DR ?backup"]
    );
    let ghosts = titled(&dr, "no backup");
    assert_eq!(ghosts.len(), 1, "one is asked for and known to be missing");
    assert_eq!(
        edges(&dr, node_of(&dr, &unmet), ghosts[0])[0]["look"],
        "missing"
    );
    let replication = edges(&dr, node_of(&dr, &met), node_of(&dr, &standby));
    assert_eq!(replication[0]["relation"], "replication");
    let vault = titled(&dr, "vault daily")[0];
    let backup = edges(&dr, node_of(&dr, &met), vault);
    assert_eq!(
        (&backup[0]["relation"], &backup[0]["label"]),
        (&json!("backup"), &json!("last 3h"))
    );
    let frames = dr["frames"].to_string();
    assert!(
        frames.contains("eu-central-1") && frames.contains("standby"),
        "{frames}"
    );
}

/// Internet, bastion, worker, database; a queue of which nobody knows; and a bucket that nothing reaches.
fn ways() -> (Lake, [String; 5]) {
    let mut lake = Lake::default();
    let critical = json!({ "importance": "critical", "importance_rank": 3 });
    let open = json!({ "exposed": true, "exposure": "tcp/22 from 0.0.0.0/0" });
    let bastion = lake.add("ec2:instance", "b1_bastion_shop", "shop", open);
    let worker = lake.add("ec2:instance", "k1_worker_shop", "shop", json!({}));
    let database = lake.add("rds:db", "d9_stock_shop", "shop", critical);
    let queue = lake.add("sqs:queue", "q1_orders_shop", "shop", json!({}));
    let closed = lake.add("s3:bucket", "closed", "shop", json!({}));
    lake.path("internet", &bastion, 1, "entry", Some(22), Some(true));
    lake.path(&bastion, &worker, 2, "compute", Some(22), Some(true));
    lake.path(&worker, &database, 3, "data", Some(3306), Some(true));
    lake.path(&bastion, &queue, 2, "data", None, None);
    (lake, [bastion, worker, database, queue, closed])
}

#[test]
fn the_way_to_critical_data_is_hot_and_what_is_closed_is_not_drawn() {
    let folder = tempdir().unwrap();
    let (lake, [bastion, worker, database, queue, closed]) = ways();
    lake.commit(folder.path(), true);
    let exposure = picture(folder.path(), &["exposure"]);
    check(&exposure, 5);
    let internet = titled(&exposure, "anyone")[0];
    let node = |arn: &str| node_of(&exposure, arn);
    let hot = [
        edges(&exposure, internet, node(&bastion)),
        edges(&exposure, node(&bastion), node(&worker)),
        edges(&exposure, node(&worker), node(&database)),
    ];
    for edge in &hot {
        assert_eq!((edge.len(), &edge[0]["look"]), (1, &json!("hot")));
    }
    assert_eq!(hot[2][0]["label"], "3306");
    assert!(hot[2][0]["hops"].to_string().contains("security-group"));
    assert_eq!(lines(node(&database)), ["3 hops from the internet"]);
    let unknown = edges(&exposure, node(&bastion), node(&queue));
    assert_eq!(unknown[0]["look"], "unknown");
    assert_eq!(lines(node(&queue)), ["?not known whether reached"]);
    let omitted = exposure["omitted"].to_string();
    assert!(
        omitted.contains(&closed) && omitted.contains("no known way"),
        "{omitted}"
    );
    svg(&stdout(&diagram(folder.path(), &["exposure"])));
}

#[test]
fn what_leads_to_a_system_is_shown_and_not_counted() {
    let folder = tempdir().unwrap();
    let (mut lake, [bastion, _, database, ..]) = ways();
    for row in lake.context.iter_mut() {
        if row["arn"] != database {
            row["system"] = "platform".into();
        }
    }
    lake.commit(folder.path(), true);
    let exposure = picture(folder.path(), &["exposure", "--system", "shop"]);
    check(&exposure, 1);
    let before = titled(&exposure, "b1_bastion_shop")[0];
    assert_eq!(
        (&before["dashed"], &before["members"]),
        (&json!(true), &json!([])),
        "{bastion}"
    );
}

#[test]
fn paths_in_circles_end() {
    let folder = tempdir().unwrap();
    let (mut lake, [bastion, worker, database, ..]) = ways();
    lake.path(&database, &bastion, 4, "entry", Some(22), Some(true));
    lake.path(&worker, &bastion, 3, "compute", Some(22), Some(true));
    lake.commit(folder.path(), true);
    check(&picture(folder.path(), &["exposure"]), 5);
}

#[test]
fn without_the_tables_exposure_says_what_to_do() {
    let folder = tempdir().unwrap();
    shop().commit(folder.path(), false);
    let output = diagram(folder.path(), &["exposure"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("run analyze on it first"),
        "{}",
        stderr(&output)
    );
}

fn diff(folder: &std::path::Path, options: &[&str]) -> Output {
    let run = |time: &str| {
        let mut runs: Vec<String> = std::fs::read_dir(folder.join("runs"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with(time))
            .collect();
        format!("{}/runs/{}", folder.display(), runs.pop().unwrap())
    };
    Command::new(env!("CARGO_BIN_EXE_diagram"))
        .args(["diff", &run("20261109"), &run("20261116")])
        .args(options)
        .output()
        .unwrap()
}

/// A week: a queue came, a machine went, a database keeps its backups for a shorter time, and a bucket stayed.
fn week(folder: &std::path::Path) -> [String; 4] {
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

#[test]
fn small_pictures_are_mermaid_and_large_ones_an_error() {
    let folder = tempdir().unwrap();
    shop().commit(folder.path(), true);
    let output = diagram(folder.path(), &["landscape", "--format", "mermaid"]);
    let text = stdout(&output);
    assert!(
        text.starts_with("flowchart LR\n") && text.contains("checkout"),
        "{text}"
    );
    assert_eq!(
        text.matches("subgraph ").count(),
        text.lines().filter(|line| line.trim() == "end").count()
    );
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    for number in 0..70 {
        lake.add(
            "s3:bucket",
            &format!("b{number}"),
            &format!("s{number}"),
            json!({ "exposed": true }),
        );
    }
    lake.commit(folder.path(), true);
    let output = diagram(folder.path(), &["landscape", "--format", "mermaid"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(
        stderr(&output).contains("70 nodes and 0 edges, Mermaid is for up to 60"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn labels_between_cards_of_one_column_do_not_stop_dot() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let vpc = lake.add("ec2:vpc", "vpc-1", "platform", json!({}));
    let subnet = lake.add(
        "ec2:subnet",
        "subnet-1",
        "platform",
        json!({ "zone": "eu-west-1a" }),
    );
    lake.link("in_vpc", &subnet, &vpc, "");
    let mut groups = Vec::new();
    for number in 0..4 {
        let machine = lake.add(
            "ec2:instance",
            &format!("i-{number}"),
            "shop",
            json!({ "name": format!("a{number}_f{number}_shop") }),
        );
        let group = lake.add(
            "ec2:security-group",
            &format!("sg-{number}"),
            "shop",
            json!({}),
        );
        lake.link("in_vpc", &machine, &vpc, "");
        lake.link("in_subnet", &machine, &subnet, "");
        lake.link("has_security_group", &machine, &group, "");
        groups.push(group);
    }
    for (from, to) in [(0, 3), (1, 3), (2, 0), (2, 1)] {
        lake.link("allows", &groups[from], &groups[to], "tcp/5432");
    }
    lake.commit(folder.path(), true);
    let dot = stdout(&diagram(folder.path(), &["system", "--system", "shop"]));
    assert_eq!(dot.matches("xlabel=< 5432 >").count(), 4, "{dot}");
    assert!(!dot.contains("[label=< 5432 >"), "{dot}");
    svg(&dot);
}

#[test]
fn hostile_names_are_text_in_every_view() {
    let folder = tempdir().unwrap();
    for time in ["2026-11-09T06:00:00Z", "2026-11-16T06:00:00Z"] {
        let mut lake = Lake::default();
        for (number, name) in HOSTILE.iter().enumerate() {
            let more = json!({
                "name": name, "summary": name, "environment": name, "exposed": true, "exposure": name, "data_store": true,
                "dr": [name], "dr_unmet": [name, "backup"], "tags": { "x": format!("{name}{time}") },
            });
            let store = lake.add("rds:db", &format!("d-{number}"), "shop", more);
            lake.path("internet", &store, 1, "entry", None, Some(true));
            lake.hops.last_mut().unwrap()["detail"] = (*name).into();
            lake.paths.last_mut().unwrap()["detail"] = (*name).into();
            lake.link("replicates_to", &store, name, name);
        }
        lake.commit_at(folder.path(), true, time);
    }
    let mut dots = vec![stdout(&diff(folder.path(), &[]))];
    for view in ["dr", "exposure"] {
        dots.push(stdout(&diagram(folder.path(), &[view])));
        let mermaid = stdout(&diagram(folder.path(), &[view, "--format", "mermaid"]));
        assert!(
            mermaid.starts_with("flowchart")
                && !mermaid.contains("<script")
                && !mermaid.contains("javascript:"),
            "{mermaid}"
        );
    }
    for dot in dots {
        let drawn = svg(&dot);
        assert!(
            !drawn.contains("<script") && !drawn.contains("href=\"javascript"),
            "{drawn}"
        );
        assert!(
            !dot.chars()
                .any(|c| handoff::text::is_unprintable(c) && c != '\n'),
            "{dot}"
        );
    }
}

#[test]
fn the_order_of_rows_changes_no_byte_of_any_view() {
    let (first, second) = (tempdir().unwrap(), tempdir().unwrap());
    for (folder, reversed) in [(&first, false), (&second, true)] {
        let (mut lake, _) = stores();
        let (more, _) = ways();
        lake.resources.extend(more.resources);
        lake.context.extend(more.context);
        lake.paths.extend(more.paths);
        lake.hops.extend(more.hops);
        let mut earlier = lake.clone();
        earlier.resources.pop();
        earlier.context.pop();
        for lake in [&mut earlier, &mut lake] {
            if reversed {
                lake.resources.reverse();
                lake.context.reverse();
                lake.relationships.reverse();
                lake.findings.reverse();
                lake.paths.reverse();
                lake.hops.reverse();
                lake.points.reverse();
            }
        }
        earlier.commit_at(folder.path(), true, "2026-11-09T06:00:00Z");
        lake.commit_at(folder.path(), true, "2026-11-16T06:00:00Z");
    }
    for view in ["dr", "exposure"] {
        let (one, other) = (
            diagram(first.path(), &[view]),
            diagram(second.path(), &[view]),
        );
        assert!(
            one.status.success() && !one.stdout.is_empty(),
            "{}",
            stderr(&one)
        );
        assert_eq!(stdout(&one), stdout(&other));
    }
    let (one, other) = (diff(first.path(), &[]), diff(second.path(), &[]));
    assert!(one.status.success(), "{}", stderr(&one));
    assert_eq!(stdout(&one), stdout(&other));
}

#[test]
fn odd_lakes_are_drawn_by_every_view() {
    let mut bare = Lake::default();
    bare.add(
        "kms:key",
        "only",
        "",
        json!({ "environment": null, "exposed": null }),
    );
    let (mut circle, [met, _, _, standby]) = stores();
    circle.link("replica_of", &met, &standby, "");
    for (lake, total) in [(Lake::default(), 0), (bare, 1), (circle, 5)] {
        let folder = tempdir().unwrap();
        lake.commit_at(folder.path(), true, "2026-11-09T06:00:00Z");
        lake.commit_at(folder.path(), true, "2026-11-16T06:00:00Z");
        for view in ["dr", "exposure"] {
            check(&picture(folder.path(), &[view]), total);
            svg(&stdout(&diagram(folder.path(), &[view])));
        }
        svg(&stdout(&diff(folder.path(), &[])));
    }
}

#[test]
fn fifty_thousand_data_stores_are_drawn_in_two_seconds() {
    let folder = tempdir().unwrap();
    let (mut before, mut after) = (Lake::default(), Lake::default());
    for number in 0..50_000 {
        for (lake, tag) in [(&mut before, "a"), (&mut after, "b")] {
            let more = store(json!({
                "name": format!("a{number}_f{}_big", number % 400), "dr": ["backup"], "dr_unmet": ["backup"],
                "tags": { "Owner": if number % 10 == 0 { tag } else { "a" } },
            }));
            let store = lake.add("dynamodb:table", &format!("t-{number}"), "big", more);
            lake.path("internet", &store, 1, "data", Some(443), Some(true));
        }
    }
    before.commit_at(folder.path(), true, "2026-11-09T06:00:00Z");
    after.commit_at(folder.path(), true, "2026-11-16T06:00:00Z");
    let views: [(&str, &dyn Fn() -> Output); 3] = [
        ("dr", &|| diagram(folder.path(), &["dr"])),
        ("exposure", &|| diagram(folder.path(), &["exposure"])),
        ("diff", &|| diff(folder.path(), &[])),
    ];
    for (view, draw) in views {
        let start = Instant::now();
        let output = draw();
        let took = start.elapsed();
        assert!(output.status.success(), "{view}: {}", stderr(&output));
        assert!(stdout(&output).lines().count() < 400, "{view}");
        // Two seconds alone on two cores; tests run beside each other.
        assert!(took < Duration::from_secs(6), "{view} took {took:?}");
    }
}

#[test]
fn what_must_not_be_missed_is_not_folded() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    for number in 0..200 {
        lake.add(
            "dynamodb:table",
            &format!("t-{number}"),
            &format!("s{}", number % 90),
            store(json!({})),
        );
    }
    let loud = [
        lake.add("s3:bucket", "open", "s1", store(json!({ "exposed": true }))),
        lake.add(
            "s3:bucket",
            "vital",
            "s1",
            store(json!({ "importance": "critical", "importance_rank": 3 })),
        ),
        lake.add("s3:bucket", "broken", "s1", store(json!({}))),
    ];
    lake.fail(&loud[2], "critical", "fail");
    lake.commit(folder.path(), true);
    let dr = picture(folder.path(), &["dr", "--max-nodes", "10"]);
    check(&dr, 203);
    assert!(dr["nodes"].as_array().unwrap().len() <= 10);
    let own: BTreeSet<String> = loud
        .iter()
        .map(|arn| node_of(&dr, arn)["members"].to_string())
        .collect();
    assert_eq!(own.len(), 3);
    assert!(
        own.iter()
            .all(|members| members.matches("arn:").count() == 1),
        "{own:?}"
    );
}
