//! Every resource is accounted for, however odd the lake; and a lake of 50,000 is no reason to wait.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::lake::{Lake, diagram, picture, shop, stderr, stdout};

/// The sum holds, and every resource is in exactly one place.
pub fn check(picture: &Value, total: usize) {
    let resources = &picture["resources"];
    let number = |name: &str| resources[name].as_u64().unwrap() as usize;
    assert_eq!(number("total"), total);
    assert_eq!(
        number("drawn") + number("folded") + number("omitted"),
        total,
        "{resources}"
    );
    let mut seen = BTreeSet::new();
    for shown in ["nodes", "frames"] {
        for member in picture[shown]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|node| node["members"].as_array())
            .flatten()
        {
            assert!(
                seen.insert(member.as_str().unwrap().to_owned()),
                "{member} is shown twice"
            );
        }
    }
    seen.extend(
        picture["omitted"]
            .as_array()
            .unwrap()
            .iter()
            .map(|omitted| omitted["arn"].as_str().unwrap().to_owned()),
    );
    assert_eq!(seen.len(), total);
}

#[test]
fn the_shop_is_accounted_for() {
    let folder = tempdir().unwrap();
    let lake = shop();
    lake.commit(folder.path(), true);
    check(&picture(folder.path(), &["landscape"]), lake.context.len());
    for (system, total) in [("checkout", 13), ("platform", 6), ("notify", 1)] {
        check(
            &picture(folder.path(), &["system", "--system", system]),
            total,
        );
    }
}

#[test]
fn a_lake_without_any_tag_is_one_dashed_card() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    for number in 0..30 {
        lake.add(
            "s3:bucket",
            &format!("bucket-{number}"),
            "",
            json!({ "environment": null, "missing_tags": ["a", "b", "c", "d", "e"] }),
        );
    }
    lake.commit(folder.path(), true);
    let landscape = picture(folder.path(), &["landscape"]);
    check(&landscape, 30);
    let nodes = landscape["nodes"].as_array().unwrap();
    assert_eq!(
        (nodes.len(), &nodes[0]["dashed"], &nodes[0]["tags"]),
        (1, &json!(true), &json!([0, 150]))
    );
    check(&picture(folder.path(), &["system", "--system", ""]), 30);
}

#[test]
fn one_resource_and_none() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    lake.commit(folder.path(), true);
    check(&picture(folder.path(), &["landscape"]), 0);
    let folder = tempdir().unwrap();
    lake.add("kms:key", "only", "s", json!({}));
    lake.commit(folder.path(), true);
    check(&picture(folder.path(), &["landscape"]), 1);
    check(&picture(folder.path(), &["system", "--system", "s"]), 1);
}

#[test]
fn before_analyze_a_picture_shows_what_there_is_and_says_what_there_is_not() {
    let folder = tempdir().unwrap();
    let lake = shop();
    lake.commit(folder.path(), false);
    let landscape = picture(folder.path(), &["landscape"]);
    check(&landscape, lake.resources.len());
    assert!(
        landscape["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|node| node["exposed"] == false && node["judged"] == false)
    );
    let output = diagram(folder.path(), &["landscape"]);
    assert!(stderr(&output).contains("before analyze: exposure, DR and findings are not known"));
    assert!(!stdout(&output).contains("clean"), "nothing was judged");
}

#[test]
fn what_was_not_judged_is_not_clean() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let passed = lake.add("s3:bucket", "b1", "passed", json!({}));
    lake.fail(&passed, "high", "pass");
    let undecided = lake.add("s3:bucket", "b2", "undecided", json!({}));
    lake.fail(&undecided, "high", "unknown");
    lake.fail(&undecided, "high", "pass");
    lake.add("s3:bucket", "b3", "silent", json!({}));
    lake.commit(folder.path(), true);
    let dot = stdout(&diagram(folder.path(), &["landscape"]));
    let card = |system: &str| {
        dot.lines()
            .find(|line| line.contains(&format!("<B>{system}</B>")))
            .unwrap()
            .to_owned()
    };
    assert!(card("passed").contains("clean"));
    assert!(!card("undecided").contains("clean") && card("undecided").contains(">?</FONT>1"));
    assert!(!card("silent").contains("clean") && card("silent").contains("not judged"));
}

#[test]
fn failed_calls_are_in_the_caption_and_in_the_exit_code() {
    let folder = tempdir().unwrap();
    let mut lake = shop();
    lake.errors.push(json!({ "account_id": crate::lake::ACCOUNT, "region": "eu-west-1", "operation": "ListQueues" }));
    lake.commit(folder.path(), true);
    let output = diagram(folder.path(), &["landscape"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(&output).contains("1 call failed") && stderr(&output).contains("1 call failed"));
}

#[test]
fn a_filter_that_admits_nothing_is_an_error_with_a_hint() {
    let folder = tempdir().unwrap();
    shop().commit(folder.path(), true);
    let output = diagram(folder.path(), &["landscape", "--env", "production"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert_eq!(
        stderr(&output),
        "error: --env production: no resource of the run has it\nhint: this run has prod\n"
    );
    let output = diagram(folder.path(), &["system"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("--system with one of checkout, notify, platform"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn fifty_thousand_resources_in_one_system_are_a_picture() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    let vpc = lake.add("ec2:vpc", "vpc-1", "big", json!({}));
    let groups: Vec<String> = (0..100)
        .map(|number| {
            lake.add(
                "ec2:security-group",
                &format!("sg-{number}"),
                "big",
                json!({}),
            )
        })
        .collect();
    for number in 0..24_950 {
        let name = format!("a{number}_f{}_big", number % 400);
        let instance = lake.add(
            "ec2:instance",
            &format!("i-{number}"),
            "big",
            json!({ "name": name }),
        );
        lake.link("in_vpc", &instance, &vpc, "");
        lake.link("has_security_group", &instance, &groups[number % 100], "");
        let volume = lake.add("ec2:volume", &format!("vol-{number}"), "big", json!({}));
        lake.link("attached_to", &volume, &instance, "");
    }
    for number in 0..100 {
        lake.link(
            "allows",
            &groups[number],
            &groups[(number * 7 + 1) % 100],
            "tcp/443",
        );
    }
    lake.commit(folder.path(), true);
    for view in [["landscape"].as_slice(), &["system", "--system", "big"]] {
        let output = diagram(folder.path(), view);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(
            stdout(&output).lines().count() < 400,
            "{} lines",
            stdout(&output).lines().count()
        );
    }
    check(
        &picture(folder.path(), &["system", "--system", "big"]),
        50_001,
    );
}
