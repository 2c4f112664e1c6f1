//! The view `dr`: what is asked for and what is there.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::account::check;
use crate::lake::{Lake, edges, lines, node_of, picture, titled};

/// A data store with objectives.
pub fn store(more: Value) -> Value {
    let mut row = json!({ "data_store": true, "rpo_seconds": 900, "rto_seconds": 3600 });
    let fields = row.as_object_mut().unwrap();
    fields.extend(more.as_object().cloned().unwrap_or_default());
    row
}

/// A database that is replicated, backed up and tested; one that lacks its backup; one of which nothing is known.
pub fn stores() -> (Lake, [String; 4]) {
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

#[test]
fn snapshots_that_many_have_are_words_and_vaults_are_not() {
    let folder = tempdir().unwrap();
    let (mut lake, [met, ..]) = stores();
    let databases: Vec<String> = (0..5)
        .map(|number| {
            let region = if number > 0 { "eu-west-1" } else { "us-east-1" };
            let vital = json!({ "importance": "critical", "importance_rank": 3, "region": region });
            let id = format!("e{number}_vital_shop");
            lake.add("rds:db", &id, "shop", store(vital))
        })
        .collect();
    for (number, database) in databases.iter().enumerate() {
        for copy in 0..=number {
            let id = format!("s{number}-{copy}");
            let snapshot = lake.add("rds:snapshot", &id, "shop", json!({}));
            lake.link("backup_of", &snapshot, database, "");
        }
    }
    lake.commit(folder.path(), true);
    let dr = picture(folder.path(), &["dr", "--system", "shop"]);
    check(&dr, 24);
    let snapshots = titled(&dr, "database snapshots")[0];
    for (database, words) in databases
        .iter()
        .zip([" in eu-west-1", " ×2", " ×3", " ×4", " ×5"])
    {
        let node = node_of(&dr, database);
        assert!(edges(&dr, node, snapshots).is_empty());
        let line = format!("database snapshots{words}");
        assert!(lines(node).contains(&line), "{node}");
    }
    let vault = titled(&dr, "vault daily")[0];
    assert_eq!(edges(&dr, node_of(&dr, &met), vault).len(), 1);
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
