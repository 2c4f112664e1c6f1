//! What stands where: untagged parts with what they belong to, environments in order, other systems on their sides.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::lake::{Lake, arn, diagram, node_of, picture, stderr, stdout};

fn edges_of<'a>(picture: &'a Value, node: &Value) -> Vec<&'a Value> {
    let touches = |edge: &&Value| edge["from"] == node["id"] || edge["to"] == node["id"];
    picture["edges"]
        .as_array()
        .unwrap()
        .iter()
        .filter(touches)
        .collect()
}

fn titled<'a>(picture: &'a Value, title: &str) -> Vec<&'a Value> {
    let nodes = picture["nodes"].as_array().unwrap().iter();
    nodes.filter(|node| node["title"] == title).collect()
}

fn frame_title<'a>(picture: &'a Value, node: &Value) -> &'a str {
    let mut frames = picture["frames"].as_array().unwrap().iter();
    frames.find(|frame| frame["id"] == node["frame"]).unwrap()["title"]
        .as_str()
        .unwrap()
}

/// Two systems, and parts of theirs that nobody tagged.
fn untagged_parts() -> (Lake, Vec<String>, String) {
    let mut lake = Lake::default();
    let untagged = json!({ "environment": null });
    let web = lake.add("ec2:instance", "i-1", "shop", json!({ "owner": "anna" }));
    let other = lake.add("ec2:instance", "i-2", "mail", json!({}));
    let balancer = lake.add("elasticloadbalancing:loadbalancer", "lb", "shop", json!({}));
    let group = lake.add("ec2:security-group", "sg-lb", "shop", json!({}));
    let mut add = |kind: &str, id: &str| lake.add(kind, id, "", untagged.clone());
    let interface = add("ec2:network-interface", "eni-1");
    let volume = add("ec2:volume", "vol-1");
    let snapshot = add("ec2:snapshot", "snap-1");
    let of_balancer = add("ec2:network-interface", "eni-lb");
    let listener = add("elasticloadbalancing:listener", "listener");
    let shared = add("ec2:image", "ami-1");
    lake.link("attached_to", &interface, &web, "");
    lake.link("attached_to", &volume, &web, "/dev/sda1");
    lake.link("backup_of", &snapshot, &volume, "");
    lake.link("has_security_group", &balancer, &group, "");
    lake.link("has_security_group", &of_balancer, &group, "");
    lake.link("member_of", &listener, &balancer, "");
    for user in [&web, &other] {
        lake.link("created_from", user, &shared, "");
        lake.link("uses", user, &shared, "");
    }
    (
        lake,
        vec![interface, volume, snapshot, of_balancer, listener],
        shared,
    )
}

#[test]
fn untagged_parts_stand_with_what_they_belong_to() {
    let folder = tempdir().unwrap();
    let (lake, parts, shared) = untagged_parts();
    lake.commit(folder.path(), true);
    let landscape = picture(folder.path(), &["landscape"]);
    for part in &parts {
        assert_eq!(node_of(&landscape, part)["title"], "shop", "{part}");
    }
    let caption = landscape["caption"].to_string();
    assert!(
        caption.contains("5 untagged placed by what they belong to"),
        "{caption}"
    );
    let system = picture(folder.path(), &["system", "--system", "shop"]);
    assert_eq!(
        node_of(&system, &parts[3]),
        node_of(&system, &arn("elasticloadbalancing:loadbalancer", "lb")),
        "an interface follows its group to the load balancer"
    );
    let rest = node_of(&landscape, &shared);
    assert_eq!(
        (&rest["title"], &rest["owner"]),
        (&json!("(no system tag)"), &json!("owner unknown"))
    );
}

#[test]
fn what_has_no_system_has_no_edges_but_a_count_of_them() {
    let folder = tempdir().unwrap();
    let (lake, _, shared) = untagged_parts();
    lake.commit(folder.path(), true);
    let landscape = picture(folder.path(), &["landscape"]);
    let rest = node_of(&landscape, &shared);
    assert_eq!(
        (edges_of(&landscape, rest).len(), &rest["note"]),
        (0, &json!("2 links, not drawn"))
    );
    let system = picture(folder.path(), &["system", "--system", "shop"]);
    assert!(titled(&system, "(no system tag)").is_empty());
    let caption = system["caption"].to_string();
    assert!(
        caption.contains("1 link to what has no system tag, not drawn"),
        "{caption}"
    );
}

#[test]
fn environments_go_by_size_and_two_that_need_each_other_have_one_edge() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let a = lake.add(
        "lambda:function",
        "a",
        "shop",
        json!({ "environment": "prod" }),
    );
    let b = lake.add(
        "lambda:function",
        "b",
        "mail",
        json!({ "environment": "prod" }),
    );
    let small = lake.add(
        "lambda:function",
        "c",
        "shop",
        json!({ "environment": "dev" }),
    );
    lake.add(
        "lambda:function",
        "d",
        "shop",
        json!({ "environment": null }),
    );
    lake.link("uses", &a, &b, "x");
    lake.link("uses", &a, &b, "y");
    lake.link("uses", &b, &a, "z");
    lake.link("uses", &small, &a, "");
    lake.commit(folder.path(), true);
    let landscape = picture(folder.path(), &["landscape"]);
    let frames = landscape["frames"].as_array().unwrap().iter();
    let titles: Vec<&str> = frames
        .map(|frame| frame["title"].as_str().unwrap())
        .collect();
    assert_eq!(titles, ["prod", "dev", "no environment tag"]);
    let edges = landscape["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 2);
    let pair = edges.iter().find(|edge| edge["both"] == true).unwrap();
    assert_eq!(
        (&pair["from"], &pair["links"]),
        (&node_of(&landscape, &a)["id"], &json!(3))
    );
    let dot = stdout(&diagram(folder.path(), &["landscape"]));
    let id = |arn: &str| node_of(&landscape, arn)["id"].as_str().unwrap().to_owned();
    let pale = dot.lines().find(|line| line.contains("dir=back")).unwrap();
    assert!(
        pale.trim()
            .starts_with(&format!("\"{}\" -> \"{}\"", id(&a), id(&small))),
        "written from left to right, drawn from right to left: {pale}"
    );
}

#[test]
fn a_system_that_comes_in_and_is_needed_stands_on_both_sides() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let web = lake.add(
        "ec2:instance",
        "i-web",
        "shop",
        json!({ "summary": "t3.micro · running" }),
    );
    let bastion = lake.add("ec2:instance", "i-bastion", "platform", json!({}));
    let queue = lake.add("sqs:queue", "queue", "platform", json!({}));
    let settings = lake.add("rds:subgrp", "subnets", "platform", json!({}));
    let groups =
        ["g-web", "g-bastion"].map(|id| lake.add("ec2:security-group", id, "platform", json!({})));
    lake.link("has_security_group", &web, &groups[0], "");
    lake.link("has_security_group", &bastion, &groups[1], "");
    lake.link("allows", &groups[1], &groups[0], "tcp/22");
    lake.link("allows", &groups[1], &groups[0], "tcp/3306");
    lake.link("runs_as", &bastion, &web, "");
    lake.link("uses", &web, &queue, "");
    lake.link("uses", &web, &settings, "subnet group");
    lake.commit(folder.path(), true);
    let system = picture(folder.path(), &["system", "--system", "shop"]);
    let sides = titled(&system, "platform");
    let sides: Vec<(&str, Vec<&Value>)> = sides
        .iter()
        .map(|node| (frame_title(&system, node), edges_of(&system, node)))
        .collect();
    let labels = |side: &str| -> Vec<&Value> {
        let (_, edges) = sides.iter().find(|(title, _)| *title == side).unwrap();
        edges.iter().map(|edge| &edge["label"]).collect()
    };
    assert_eq!(sides.len(), 2);
    assert_eq!(labels("other systems, inbound"), [&json!("22, 3306")]);
    assert_eq!(
        labels("other systems, outbound"),
        [&json!("")],
        "no edge for a subnet group"
    );
    assert_eq!(node_of(&system, &web)["subtitle"], "t3.micro");
}

#[test]
fn a_key_is_a_name_on_a_card_or_nothing() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let ids = [
        "0a1b2c3d-0000-4000-8000-00000000000a",
        "0a1b2c3d-0000-4000-8000-00000000000b",
    ];
    let keys = ids.map(|id| lake.add("kms:key", id, "platform", json!({})));
    let alias = lake.add("kms:alias", "alias/orders", "platform", json!({}));
    lake.link("alias_of", &alias, &keys[0], "");
    for (number, key) in keys.iter().enumerate() {
        let table = lake.add(
            "dynamodb:table",
            &format!("t{number}"),
            "shop",
            json!({ "summary": "ACTIVE" }),
        );
        lake.link("encrypted_with", &table, key, "");
    }
    lake.commit(folder.path(), true);
    let system = picture(folder.path(), &["system", "--system", "shop"]);
    let uses = |id: &str| node_of(&system, &arn("dynamodb:table", id))["uses"].clone();
    assert_eq!((uses("t0"), uses("t1")), (json!(["orders"]), json!([])));
    assert_eq!(
        node_of(&system, &arn("dynamodb:table", "t0"))["subtitle"],
        "table"
    );
}

#[test]
fn a_role_that_another_system_uses_is_no_part_of_its_user_here() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let functions =
        ["shop", "mail"].map(|system| lake.add("lambda:function", system, system, json!({})));
    let role = lake.add("iam:role", "shared", "shop", json!({}));
    functions
        .iter()
        .for_each(|function| lake.link("runs_as", function, &role, ""));
    lake.commit(folder.path(), true);
    let system = picture(folder.path(), &["system", "--system", "shop"]);
    assert_ne!(node_of(&system, &role), node_of(&system, &functions[0]));
}

#[test]
fn a_failed_call_concerns_the_pictures_of_its_resource() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let bucket = lake.add("s3:bucket", "uploads", "shop", json!({}));
    lake.add("s3:bucket", "letters", "mail", json!({}));
    lake.errors.push(json!({
        "account_id": crate::lake::ACCOUNT, "region": "eu-west-1", "operation": "GetBucketPolicy", "resource_arn": bucket,
    }));
    lake.commit(folder.path(), true);
    for (system, code) in [("shop", 3), ("mail", 0)] {
        let output = diagram(folder.path(), &["system", "--system", system]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{system}: {}",
            stderr(&output)
        );
        assert_eq!(stdout(&output).contains("1 call failed"), code == 3);
    }
    // Tags that could not be read could have named any system.
    let nameless = lake.add("s3:bucket", "nameless", "", json!({}));
    lake.errors[0] = json!({
        "account_id": crate::lake::ACCOUNT, "region": "eu-west-1", "operation": "GetBucketTagging", "resource_arn": nameless,
    });
    let folder = tempdir().unwrap();
    lake.commit(folder.path(), true);
    let output = diagram(folder.path(), &["system", "--system", "mail"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
}
