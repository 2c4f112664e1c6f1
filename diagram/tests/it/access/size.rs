//! Many who may endanger much: few cards and arrows.

use serde_json::{Value, json};
use tempfile::tempdir;

use super::{Access as _, FREE, GUARDED, critical, principal_arn, threatened};
use crate::account::check;
use crate::lake::{ACCOUNT, Lake, diagram, edges, node_of, picture, stdout};
use crate::rendering::svg;

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
fn who_endangers_the_same_things_alike_does_so_through_one_dot() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let database = lake.add("rds:db", "d1_orders_shop", "shop", critical());
    let bucket = lake.add("s3:bucket", "b1_files_shop", "shop", critical());
    let queue = lake.add("sqs:queue", "q1_mails_shop", "shop", critical());
    let users = ["anna", "ben", "chen"].map(|name| lake.principal("user", name, json!({})));
    for (user, how) in users.iter().zip([FREE, GUARDED, GUARDED]) {
        lake.grant(user, "rds:DeleteDBInstance", &database, how);
        lake.grant(user, "s3:StopBackup", &bucket, how);
    }
    lake.grant(&users[2], "sqs:DeleteQueue", &queue, FREE);
    // So that nobody endangers most of the system.
    let other = lake.principal("role", "other", json!({}));
    for action in ["sns:DeleteTopic", "sns:StopTopic", "sns:ShareTopic"] {
        let topic = lake.add("sns:topic", action, "shop", critical());
        lake.grant(&other, action, &topic, FREE);
    }
    lake.commit(folder.path(), true);
    let access = picture(folder.path(), &["access"]);
    check(&access, 10);
    let nodes = access["nodes"].as_array().unwrap();
    let dots: Vec<&Value> = nodes
        .iter()
        .filter(|node| node["shape"] == "junction")
        .collect();
    let [dot] = dots[..] else { panic!("{dots:?}") };
    let said = |from: &Value, to: &Value| {
        let found = edges(&access, from, to);
        assert_eq!(found.len(), 1, "{from} {to}");
        let hot = found[0]["look"] == "hot";
        (found[0]["label"].as_str().unwrap().to_owned(), hot)
    };
    let node = |arn: &str| node_of(&access, arn);
    // What is asked for stands before the dot, what may happen behind it.
    let [anna, ben, chen] = users.each_ref().map(|user| node(user));
    assert_eq!(said(anna, dot), (String::new(), true));
    assert_eq!(said(ben, dot), ("MFA".to_owned(), false));
    assert_eq!(said(chen, dot), ("MFA".to_owned(), false));
    assert_eq!(said(dot, node(&database)), ("destroy".to_owned(), true));
    assert_eq!(said(dot, node(&bucket)), ("logging".to_owned(), false));
    assert_eq!(said(chen, node(&queue)), ("destroy".to_owned(), true));
    assert!(edges(&access, anna, node(&database)).is_empty());
    svg(&stdout(&diagram(folder.path(), &["access"])));
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
    let access = picture(folder.path(), &["access"]);
    check(&access, 8_000);
    let drawn = access["nodes"].as_array().unwrap().len();
    assert!(drawn <= 50, "{drawn} nodes");
}
