//! Who is shown by whom, where, and what is never folded.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::lake::{Lake, arn, node_of, picture, shop};

fn frame<'a>(picture: &'a Value, node: &Value) -> &'a str {
    let mut frames = picture["frames"].as_array().unwrap().iter();
    frames.find(|frame| frame["id"] == node["frame"]).unwrap()["title"]
        .as_str()
        .unwrap()
}

fn has_edge(picture: &Value, from: &Value, to: &Value, label: &str) -> bool {
    let is = |edge: &Value| {
        edge["from"] == from["id"] && edge["to"] == to["id"] && edge["label"] == label
    };
    picture["edges"].as_array().unwrap().iter().any(is)
}

#[test]
fn the_shop_is_drawn_as_its_engineers_would() {
    let folder = tempdir().unwrap();
    shop().commit(folder.path(), true);
    let picture = picture(folder.path(), &["system", "--system", "checkout"]);
    let balancer = node_of(
        &picture,
        &arn("elasticloadbalancing:loadbalancer", "l01_alb_checkout"),
    );
    let web = node_of(
        &picture,
        &arn("autoscaling:autoScalingGroup", "w01_web_checkout"),
    );
    let database = node_of(&picture, &arn("rds:db", "d01_orders_checkout"));
    assert_eq!(web["title"], "w01_web_checkout ×3");
    assert_eq!(
        web,
        node_of(&picture, &arn("ec2:volume", "vol-2")),
        "volumes are parts of instances, instances of the group"
    );
    assert_eq!(
        (frame(&picture, balancer), frame(&picture, web)),
        ("public subnets", "public subnets")
    );
    assert_eq!(
        frame(&picture, database),
        "isolated subnets",
        "by the VPC's main route table"
    );
    assert!(has_edge(&picture, balancer, web, "8080") && has_edge(&picture, web, database, "3306"));
    assert_eq!(
        (&balancer["exposed"], &database["stars"]),
        (&json!(true), &json!(3))
    );
    assert_eq!(
        (
            &database["findings"]["critical"],
            &balancer["findings"]["unknown"]
        ),
        (&json!(1), &json!(1))
    );
    let internet = picture["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|node| node["title"] == "Internet")
        .unwrap();
    assert!(has_edge(&picture, internet, balancer, "443"));
    let notify = picture["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|node| node["title"] == "notify")
        .unwrap();
    assert_eq!(notify["dashed"], true);
}

#[test]
fn danger_is_never_folded() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let group = lake.add("autoscaling:autoScalingGroup", "asg", "s", json!({}));
    for number in 0..200 {
        let function = json!({ "name": format!("a{number}_same_s") });
        let member = lake.add(
            "ec2:instance",
            &format!("i-{number}"),
            "s",
            function.clone(),
        );
        lake.link("member_of", &member, &group, "");
        lake.add("sqs:queue", &format!("q-{number}"), "s", function);
    }
    let exposed = lake.add(
        "ec2:instance",
        "i-exposed",
        "s",
        json!({ "exposed": true, "exposure": "tcp/22 from 0.0.0.0/0" }),
    );
    let faulty = lake.add(
        "ec2:instance",
        "i-faulty",
        "s",
        json!({ "name": "a1_same_s" }),
    );
    lake.fail(&faulty, "critical", "fail");
    let important = lake.add(
        "sqs:queue",
        "q-important",
        "s",
        json!({ "name": "a1_same_s", "importance": "critical", "importance_rank": 3 }),
    );
    for alone in [&exposed, &faulty] {
        lake.link("member_of", alone, &group, "");
    }
    lake.commit(folder.path(), true);
    let picture = picture(
        folder.path(),
        &["system", "--system", "s", "--max-nodes", "1"],
    );
    for alone in [&exposed, &faulty, &important] {
        assert_eq!(
            node_of(&picture, alone)["members"]
                .as_array()
                .unwrap()
                .len(),
            1,
            "{alone}"
        );
    }
    assert!(
        node_of(&picture, &arn("sqs:queue", "q-7"))["members"]
            .as_array()
            .unwrap()
            .len()
            >= 200
    );
}

#[test]
fn circles_end() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let ring: Vec<String> = (0..4)
        .map(|number| {
            lake.add(
                "ec2:volume",
                &format!("vol-{number}"),
                "s",
                json!({ "name": format!("v{number}") }),
            )
        })
        .collect();
    for number in 0..4 {
        lake.link("attached_to", &ring[number], &ring[(number + 1) % 4], "");
        lake.link("backup_of", &ring[number], &ring[(number + 3) % 4], "");
        lake.link("uses", &ring[number], &ring[number], "");
    }
    lake.commit(folder.path(), true);
    let picture = picture(folder.path(), &["system", "--system", "s"]);
    assert_eq!(
        picture["resources"],
        json!({ "total": 4, "drawn": 1, "folded": 3, "omitted": 0 })
    );
}

#[test]
fn a_rule_between_many_is_one_junction() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let group = lake.add("ec2:security-group", "sg-all", "s", json!({}));
    for number in 0..20 {
        let member = lake.add(
            "ec2:instance",
            &format!("m-{number}"),
            "s",
            json!({ "name": format!("n{number}") }),
        );
        lake.link("has_security_group", &member, &group, "");
    }
    lake.link("allows", &group, &group, "-1");
    lake.commit(folder.path(), true);
    let picture = picture(folder.path(), &["system", "--system", "s"]);
    let edges = picture["edges"].as_array().unwrap();
    assert!(edges.len() <= 40, "{} edges", edges.len());
    assert!(
        picture["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|node| node["shape"] == "junction")
    );
}
