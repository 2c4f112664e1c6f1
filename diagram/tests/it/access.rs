//! The view `access`: who may endanger what matters, by which roles, and what stands between.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::account::check;
use crate::lake::{
    ACCOUNT, Lake, diagram, edges, lines, node_of, picture, shop, stderr, stdout, titled,
};
use crate::rendering::{HOSTILE, svg};

fn critical() -> Value {
    json!({ "importance": "critical", "importance_rank": 3, "critical": true })
}

fn principal_arn(kind: &str, name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{kind}/{name}")
}

/// Rows of the tables of access.
pub trait Access {
    /// A user or role, of a class of its own.
    fn principal(&mut self, kind: &str, name: &str, more: Value) -> String;
    /// A resource of a class of its own.
    fn class_of(&mut self, arn: &str) -> usize;
    /// A dangerous action of a principal on a resource; `how` is verdict and second factor.
    fn grant(&mut self, who: &str, action: &str, what: &str, how: [&str; 2]);
    /// Somebody may become a role.
    fn way(&mut self, from: &str, kind: &str, to: &str, how: [&str; 2]);
}

impl Access for Lake {
    fn principal(&mut self, kind: &str, name: &str, more: Value) -> String {
        let arn = principal_arn(kind, name);
        let mut row = json!({
            "account_id": ACCOUNT, "region": "global", "arn": arn, "resource_type": format!("iam:{kind}"), "name": name,
            "environment": "prod", "required_tags": 5, "missing_tags": [], "taggable": true, "exposed": false, "system": "shop",
        });
        let fields = row.as_object_mut().unwrap();
        fields.extend(more["context"].as_object().cloned().unwrap_or_default());
        self.resources.push(row.clone());
        self.context.push(row);
        let mut row = json!({
            "account_id": ACCOUNT, "principal_arn": arn, "kind": kind, "name": name, "principal_class": self.principals.len(),
            "is_admin": false, "service_linked": false, "reserved": false, "special": false, "unread": [],
        });
        let fields = row.as_object_mut().unwrap();
        let more = more.as_object().cloned().unwrap_or_default();
        fields.extend(more.into_iter().filter(|(key, _)| key != "context"));
        self.principals.push(row);
        arn
    }

    fn class_of(&mut self, arn: &str) -> usize {
        let known = self
            .classes
            .iter()
            .position(|row| row["resource_arn"] == arn);
        known.unwrap_or_else(|| {
            let row = self.context.iter().find(|row| row["arn"] == arn);
            let kind = row.map_or("account", |row| row["resource_type"].as_str().unwrap());
            let class = self.classes.len();
            self.classes.push(json!({
                "account_id": ACCOUNT, "resource_arn": arn, "resource_type": kind, "resource_class": class, "policy_unread": false,
            }));
            class
        })
    }

    fn grant(&mut self, who: &str, action: &str, what: &str, [verdict, mfa]: [&str; 2]) {
        let class = self.class_of(what);
        let of = self
            .principals
            .iter()
            .position(|row| row["principal_arn"] == who);
        let kind = self.classes[class]["resource_type"].clone();
        let danger = match action.split(':').nth(1).unwrap_or_default() {
            name if name.starts_with("Delete") => "destroy",
            name if name.starts_with("Stop") => "logging",
            name if name.ends_with("Policy") => "policy",
            name if name.ends_with("Backup") => "recovery",
            name if name.starts_with("Share") => "expose",
            _ => "escalate",
        };
        self.dangers.push(json!({ "action": action, "resource_type": kind, "kind": danger, "logged": "management" }));
        self.grants.push(json!({
            "principal_class": of, "action": action, "resource_class": class, "verdict": verdict, "mfa": mfa,
            "conditions": [], "statements": [],
        }));
    }

    fn way(&mut self, from: &str, kind: &str, to: &str, [verdict, mfa]: [&str; 2]) {
        let conditions = if verdict == "conditional" {
            vec!["sts:externalid"]
        } else {
            Vec::new()
        };
        self.ways.push(json!({
            "account_id": ACCOUNT, "from_arn": from, "from_kind": kind, "to_arn": to, "verdict": verdict, "mfa": mfa,
            "conditions": conditions, "statements": [],
        }));
    }
}

const FREE: [&str; 2] = ["allowed", "not_required"];
const GUARDED: [&str; 2] = ["allowed", "required"];

/// A database and a bucket that matter, and those who may endanger them, each in another way.
pub fn threatened() -> (Lake, [String; 9]) {
    let mut lake = Lake::default();
    let database = lake.add("rds:db", "d1_orders_shop", "shop", critical());
    let bucket = lake.add("s3:bucket", "b1_files_media", "media", critical());
    lake.add("s3:bucket", "b2_trash_shop", "shop", json!({}));
    let anna = lake.principal("user", "anna", json!({}));
    let ben = lake.principal("user", "ben", json!({}));
    let root = lake.principal("role", "admin", json!({ "is_admin": true }));
    let dba = lake.principal("role", "dba-break-glass", json!({ "special": true }));
    let deploy = lake.principal("role", "deploy", json!({}));
    let app = lake.principal("role", "app", json!({ "unread": ["broken"] }));
    let quiet = lake.principal("role", "quiet", json!({}));
    lake.grant(&anna, "rds:DeleteDBInstance", &database, FREE);
    lake.grant(&dba, "rds:DeleteDBInstance", &database, FREE);
    lake.grant(&dba, "rds:StopBackup", &database, FREE);
    lake.grant(&deploy, "s3:DeleteBucket", &bucket, FREE);
    lake.grant(&deploy, "s3:PutBucketPolicy", &bucket, GUARDED);
    lake.grant(
        &app,
        "s3:DeleteBucket",
        &bucket,
        ["unknown", "not_required"],
    );
    lake.grant(&root, "s3:DeleteBucket", &bucket, FREE);
    lake.way(&ben, "user", &dba, GUARDED);
    lake.way(
        "arn:aws:iam::999999999999:root",
        "foreign",
        &deploy,
        ["conditional", "not_required"],
    );
    lake.way("ec2.amazonaws.com", "service", &app, FREE);
    lake.way(&anna, "user", &root, GUARDED);
    lake.way("*", "anyone", &quiet, FREE);
    lake.escalations.push(json!({
        "account_id": ACCOUNT, "principal_arn": deploy, "path_id": "iam-001", "title": "A new version of a policy", "actions": [],
        "target_arn": deploy, "to_admin": true, "verdict": "allowed", "mfa": "not_required", "conditions": [],
    }));
    lake.usage.push(json!({
        "account_id": ACCOUNT, "principal_arn": dba, "action": "rds:StopBackup", "mapping": "mapped", "calls": 1, "denied": 0,
        "last_used": "2026-11-12 06:00:00", "source": "cloudtrail",
    }));
    (
        lake,
        [database, bucket, anna, ben, root, dba, deploy, app, quiet],
    )
}

#[test]
fn who_may_destroy_what_matters_is_hot_unless_a_second_factor_stands_between() {
    let folder = tempdir().unwrap();
    let (lake, [database, bucket, anna, ben, root, dba, deploy, app, quiet]) = threatened();
    lake.commit(folder.path(), true);
    let access = picture(folder.path(), &["access"]);
    check(&access, 10);
    let node = |arn: &str| node_of(&access, arn);
    let only = |from: &Value, to: &Value| {
        let found = edges(&access, from, to);
        assert_eq!(found.len(), 1, "{from} {to}");
        found[0].clone()
    };
    let by_herself = only(node(&anna), node(&database));
    assert_eq!(
        (&by_herself["label"], &by_herself["look"]),
        (&json!("destroy"), &json!("hot"))
    );
    let by_role = only(node(&ben), node(&dba));
    assert_eq!(
        (&by_role["label"], &by_role["relation"]),
        (&json!("MFA"), &json!("iam"))
    );
    let guarded = only(node(&dba), node(&database));
    assert_eq!(guarded["label"], "destroy, logging");
    assert!(
        guarded.get("look").is_none(),
        "nobody gets there without a second factor: {guarded}"
    );
    let outsider = titled(&access, "999999999999")[0];
    let in_by = only(outsider, node(&deploy));
    assert_eq!(
        (&in_by["label"], &in_by["look"]),
        (&json!("if externalid"), &json!("hot"))
    );
    assert_eq!(
        only(node(&deploy), node(&bucket))["label"],
        "destroy, policy"
    );
    assert_eq!(only(node(&deploy), node(&root))["label"], "escalates");
    assert_eq!(only(node(&anna), node(&root))["label"], "MFA");
    let unknown = only(node(&app), node(&bucket));
    assert_eq!(
        (&unknown["label"], &unknown["look"]),
        (&json!("destroy · ?"), &json!("unknown"))
    );
    assert_eq!(
        lines(node(&dba)),
        ["+for dangerous work", "2 actions, 1 used, 4d ago"]
    );
    assert_eq!(lines(node(&app))[0], "?a policy could not be read");
    assert_eq!(lines(node(&database)), ["!destroyed by 1 user, 1 role"]);
    assert_eq!(lines(node(&root)), ["!may do everything to all of it"]);
    assert!(
        edges(&access, node(&root), node(&bucket)).is_empty(),
        "administrators are drawn once"
    );
    let omitted = access["omitted"].to_string();
    assert!(
        omitted.contains(&quiet) && omitted.contains("may endanger nothing"),
        "{omitted}"
    );
    assert!(
        omitted.contains("b2_trash_shop") && omitted.contains("has no importance"),
        "{omitted}"
    );
    assert!(
        access["caption"]
            .to_string()
            .contains("1 may destroy without a second factor")
    );
    svg(&stdout(&diagram(folder.path(), &["access"])));
}

#[test]
fn a_system_shows_who_of_others_may_endanger_it_and_does_not_count_them() {
    let folder = tempdir().unwrap();
    let (lake, [_, bucket, _, _, _, _, deploy, ..]) = threatened();
    lake.commit(folder.path(), true);
    let access = picture(folder.path(), &["access", "--system", "media"]);
    check(&access, 1);
    let role = titled(&access, "deploy")[0];
    assert_eq!(
        (&role["dashed"], &role["members"]),
        (&json!(true), &json!([])),
        "{deploy}"
    );
    assert_eq!(edges(&access, role, node_of(&access, &bucket)).len(), 1);
    assert!(titled(&access, "dba-break-glass").is_empty());
}

#[test]
fn importance_can_be_asked_for_and_without_any_data_is_shown() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let bucket = lake.add("s3:bucket", "b1", "shop", json!({}));
    let queue = lake.add(
        "sqs:queue",
        "q1",
        "shop",
        json!({ "importance": "low", "importance_rank": 0, "critical": false }),
    );
    let anna = lake.principal("user", "anna", json!({}));
    lake.grant(&anna, "s3:DeleteBucket", &bucket, FREE);
    lake.grant(&anna, "sqs:DeleteQueue", &queue, FREE);
    lake.commit(folder.path(), true);
    let access = picture(folder.path(), &["access"]);
    check(&access, 3);
    node_of(&access, &bucket);
    assert!(
        access["caption"]
            .to_string()
            .contains("nothing is tagged as critical")
    );
    let access = picture(folder.path(), &["access", "--importance", "low"]);
    check(&access, 1);
    node_of(&access, &queue);
}

#[test]
fn an_account_as_a_whole_is_endangered_too() {
    let folder = tempdir().unwrap();
    let (mut lake, [_, _, anna, ..]) = threatened();
    let whole = format!("arn:aws:iam::{ACCOUNT}:root");
    lake.grant(&anna, "cloudtrail:StopLogging", &whole, FREE);
    lake.grant(&anna, "lambda:CreateFunction", &whole, FREE);
    lake.commit(folder.path(), true);
    let access = picture(folder.path(), &["access"]);
    check(&access, 10);
    let account = titled(&access, &format!("account {ACCOUNT}"))[0];
    let edge = edges(&access, node_of(&access, &anna), account);
    assert_eq!(
        edge[0]["label"], "logging",
        "what gains permissions is among the escalations"
    );
    let access = picture(folder.path(), &["access", "--env", "prod"]);
    assert!(titled(&access, &format!("account {ACCOUNT}")).is_empty());
}

#[test]
fn who_endangers_most_of_many_systems_has_one_arrow() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let wide = lake.principal("role", "wide", json!({}));
    let narrow = lake.principal("role", "narrow", json!({}));
    lake.way("*", "anyone", &wide, FREE);
    for number in 0..40 {
        let id = format!("t-{number}");
        let table = lake.add(
            "dynamodb:table",
            &id,
            &format!("s{}", number % 8),
            critical(),
        );
        lake.grant(&wide, "dynamodb:DeleteTable", &table, FREE);
        if number % 8 == 0 {
            lake.grant(&narrow, "dynamodb:DeleteTable", &table, FREE);
        }
    }
    lake.commit(folder.path(), true);
    let access = picture(folder.path(), &["access", "--max-nodes", "12"]);
    check(&access, 42);
    let of = |arn: &str| {
        let from = node_of(&access, arn)["id"].clone();
        let all = access["edges"].as_array().unwrap().iter();
        all.filter(|edge| edge["from"] == from)
            .cloned()
            .collect::<Vec<_>>()
    };
    let frames = access["frames"].as_array().unwrap();
    let frame = frames
        .iter()
        .find(|frame| frame["title"] == "what matters, by system")
        .unwrap();
    assert_eq!(of(&wide).len(), 1);
    assert_eq!(
        (&of(&wide)[0]["to"], &of(&wide)[0]["label"]),
        (&frame["id"], &json!("destroy: 40 of 40"))
    );
    assert_eq!(
        (of(&narrow).len(), &of(&narrow)[0]["links"]),
        (1, &json!(5))
    );
    let dot = stdout(&diagram(folder.path(), &["access", "--max-nodes", "12"]));
    assert!(dot.contains("lhead=\"cluster_l"), "{dot}");
    svg(&dot);
    let mermaid = stdout(&diagram(
        folder.path(),
        &["access", "--max-nodes", "12", "--format", "mermaid"],
    ));
    assert!(
        mermaid.contains(&format!("f{}", frame["id"].as_str().unwrap())),
        "{mermaid}"
    );
}

#[test]
fn roles_that_assume_each_other_in_circles_end() {
    let folder = tempdir().unwrap();
    let (mut lake, [_, _, anna, ben, _, dba, deploy, app, _]) = threatened();
    for (from, to) in [
        (&deploy, &app),
        (&app, &deploy),
        (&dba, &deploy),
        (&deploy, &dba),
        (&ben, &app),
        (&anna, &app),
    ] {
        lake.way(from, "role", to, FREE);
    }
    lake.commit(folder.path(), true);
    check(&picture(folder.path(), &["access"]), 10);
}

#[test]
fn without_the_tables_access_says_what_to_do() {
    let folder = tempdir().unwrap();
    shop().commit(folder.path(), false);
    let output = diagram(folder.path(), &["access"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("run analyze on it first") && said.contains("principal_classes"),
        "{said}"
    );
}

#[test]
fn hostile_names_are_text() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    for (number, name) in HOSTILE.iter().enumerate() {
        let bucket = lake.add("s3:bucket", &format!("b{number}"), name, critical());
        let role = lake.principal(
            "role",
            &format!("r{number}"),
            json!({ "name": name, "context": { "name": name, "system": name } }),
        );
        lake.grant(&role, "s3:DeleteBucket", &bucket, FREE);
        lake.way(name, "federated", &role, ["conditional", "not_required"]);
        lake.ways.last_mut().unwrap()["conditions"] = json!([name]);
        lake.escalations.push(json!({
            "account_id": ACCOUNT, "principal_arn": role, "path_id": name, "title": name, "target_arn": name, "to_admin": true,
            "verdict": "allowed", "mfa": "not_required",
        }));
    }
    lake.principal(
        "user",
        "root",
        json!({ "is_admin": true, "name": HOSTILE[0] }),
    );
    lake.commit(folder.path(), true);
    for options in [vec!["access"], vec!["access", "--max-nodes", "3"]] {
        let dot = stdout(&diagram(folder.path(), &options));
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
    let mermaid = stdout(&diagram(folder.path(), &["access", "--format", "mermaid"]));
    assert!(
        mermaid.starts_with("flowchart") && !mermaid.contains("<script"),
        "{mermaid}"
    );
}

#[test]
fn the_order_of_rows_changes_no_byte() {
    let (first, second) = (tempdir().unwrap(), tempdir().unwrap());
    let (mut lake, _) = threatened();
    lake.commit(first.path(), true);
    for rows in [
        &mut lake.resources,
        &mut lake.context,
        &mut lake.principals,
        &mut lake.classes,
        &mut lake.dangers,
        &mut lake.grants,
        &mut lake.ways,
        &mut lake.escalations,
        &mut lake.usage,
    ] {
        rows.reverse();
    }
    lake.commit(second.path(), true);
    for options in [vec!["access"], vec!["access", "--format", "json"]] {
        let (one, other) = (
            diagram(first.path(), &options),
            diagram(second.path(), &options),
        );
        assert!(
            one.status.success() && !one.stdout.is_empty(),
            "{}",
            stderr(&one)
        );
        assert_eq!(stdout(&one), stdout(&other));
    }
}

#[test]
fn thousands_who_may_endanger_everything_are_few_cards() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    for number in 0..3_000 {
        lake.principal(
            "role",
            &format!("r{number}"),
            json!({ "principal_class": number % 300 }),
        );
    }
    for number in 0..5_000 {
        let table = lake.add(
            "dynamodb:table",
            &format!("t-{number}"),
            &format!("s{}", number % 90),
            critical(),
        );
        lake.classes.push(json!({
            "account_id": ACCOUNT, "resource_arn": table, "resource_type": "dynamodb:table", "resource_class": number % 400,
        }));
    }
    lake.dangers.push(json!({ "action": "dynamodb:DeleteTable", "resource_type": "dynamodb:table", "kind": "destroy" }));
    for class in 0..300 {
        for target in (class % 7..400).step_by(7) {
            lake.grants.push(json!({
                "principal_class": class, "action": "dynamodb:DeleteTable", "resource_class": target, "verdict": "allowed", "mfa": "not_required",
            }));
        }
        lake.way(
            "ec2.amazonaws.com",
            "service",
            &principal_arn("role", &format!("r{class}")),
            FREE,
        );
    }
    lake.commit(folder.path(), true);
    let start = std::time::Instant::now();
    let access = picture(folder.path(), &["access"]);
    let took = start.elapsed();
    check(&access, 8_000);
    let drawn = access["nodes"].as_array().unwrap().len();
    assert!(drawn <= 50, "{drawn} nodes");
    // Two seconds alone on two cores; tests run beside each other.
    assert!(took < std::time::Duration::from_secs(6), "{took:?}");
}
