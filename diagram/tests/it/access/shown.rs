//! Who is drawn, what of theirs, and what is said of it.

use serde_json::{Value, json};
use tempfile::tempdir;

use super::{Access as _, FREE, threatened};
use crate::account::check;
use crate::lake::{ACCOUNT, Lake, diagram, edges, lines, node_of, picture, stdout, titled};
use crate::rendering::svg;

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
            .contains("1 user and 1 outsider may destroy without a second factor")
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
