//! What is combined, what is left alone, and what is not let through.

use std::fs;

use serde_json::{Value, json};

use super::super::lake::FIRST;
use super::{ALL, arn, find, keys, known, lake_of, of, propose, relation, resource};

#[test]
fn what_follows_from_a_proposal_is_less_sure() {
    let (instance, volume, snapshot) = (
        arn("ec2:instance", "i"),
        arn("ec2:volume", "v"),
        arn("ec2:snapshot", "s"),
    );
    let group = arn("autoscaling:autoScalingGroup", "g");
    let proposals = of(
        vec![
            resource("ec2:instance", "i", &[]),
            resource("ec2:volume", "v", &[]),
            resource("ec2:snapshot", "s", &[]),
            resource("autoscaling:autoScalingGroup", "g", &ALL),
            known("other"),
        ],
        vec![
            relation("member_of", &instance, &group),
            relation("attached_to", &volume, &instance),
            relation("backup_of", &snapshot, &volume),
        ],
    );
    let sure: Vec<f64> = ["i", "v", "s"]
        .iter()
        .map(|name| find(&proposals, name, "Owner").confidence)
        .collect();
    assert!(
        sure[0] > sure[1] && sure[1] > sure[2] && sure[2] >= 0.5,
        "{sure:?}"
    );
    assert!(
        find(&proposals, "s", "Owner")
            .evidence
            .contains("(proposed itself)")
    );
}

#[test]
fn agreement_raises_and_conflict_lowers() {
    let volume = arn("ec2:volume", "v");
    let attached = |owners: &[&str]| {
        let mut resources = vec![resource("ec2:volume", "v", &[])];
        let mut relations = Vec::new();
        for owner in ["team-a", "team-b"] {
            for n in 0..2 {
                resources.push(resource(
                    "sns:topic",
                    &format!("{owner}{n}"),
                    &[("Owner", owner)],
                ));
            }
        }
        let kinds = ["attached_to", "created_from", "uses"];
        for (n, (owner, kind)) in owners.iter().zip(kinds).enumerate() {
            let name = format!("i{n}");
            resources.push(resource("ec2:instance", &name, &[("Owner", owner)]));
            relations.push(relation(kind, &volume, &arn("ec2:instance", &name)));
        }
        of(resources, relations)
    };
    let confidence = |owners: &[&str]| find(&attached(owners), "v", "Owner").confidence;
    let alone = confidence(&["team-a"]);
    assert!(confidence(&["team-a", "team-a"]) > alone);
    assert!(confidence(&["team-a", "team-b"]) < alone);
    let conflict = attached(&["team-a", "team-b"]);
    assert!(
        find(&conflict, "v", "Owner")
            .evidence
            .contains(" / against it: made from instance i1 says team-b"),
        "{conflict:?}"
    );
    // One against one: nobody can tell, and it is said.
    let instance = |name: &str, owner: &str| resource("ec2:instance", name, &[("Owner", owner)]);
    let lake = lake_of(
        vec![
            resource("ec2:volume", "v", &[]),
            instance("i0", "team-a"),
            instance("i1", "team-b"),
            instance("i2", "team-a"),
            instance("i3", "team-b"),
        ],
        vec![
            relation("attached_to", &volume, &arn("ec2:instance", "i0")),
            relation("attached_to", &volume, &arn("ec2:instance", "i1")),
        ],
        &[],
    );
    let (output, proposals) = propose(&lake);
    assert_eq!(keys(&proposals, "v"), Vec::<String>::new());
    assert!(
        output
            .stderr
            .contains("1 resources have evidence that is weak or contradicts itself"),
        "{}",
        output.stderr
    );
}

#[test]
fn values_and_keys_are_spelled_as_the_account_spells_them() {
    let mut resources = vec![
        resource("ec2:volume", "v", &[]),
        resource("ec2:instance", "i", &[("owner", "TEAM A"), ("Env", "Prod")]),
        resource("sns:topic", "odd", &[("Owner", "team-a")]),
    ];
    for n in 0..3 {
        resources.push(resource(
            "sns:topic",
            &format!("t{n}"),
            &[("owner", "team-a"), ("Env", "production")],
        ));
    }
    let proposals = of(
        resources,
        vec![relation(
            "attached_to",
            &arn("ec2:volume", "v"),
            &arn("ec2:instance", "i"),
        )],
    );
    assert_eq!(find(&proposals, "v", "owner").value, "team-a");
    assert_eq!(find(&proposals, "v", "Env").value, "production");
    // The key in another spelling is copied, never replaced.
    let renamed = find(&proposals, "odd", "owner");
    assert_eq!(renamed.value, "team-a");
    assert!(
        renamed.evidence.contains("it has the tag Owner"),
        "{}",
        renamed.evidence
    );
}

#[test]
fn a_tag_that_is_there_stays() {
    let proposals = of(
        vec![
            resource(
                "ec2:volume",
                "v",
                &[
                    ("Team", "team-b"),
                    ("ENVIRONMENT", "testing"),
                    ("Application", "own"),
                    ("importance", "low"),
                ],
            ),
            resource("ec2:volume", "blank", &[("Owner", " ")]),
            resource("ec2:instance", "i", &ALL),
            known("other"),
            known("another"),
        ],
        vec![
            relation(
                "attached_to",
                &arn("ec2:volume", "v"),
                &arn("ec2:instance", "i"),
            ),
            relation(
                "attached_to",
                &arn("ec2:volume", "blank"),
                &arn("ec2:instance", "i"),
            ),
        ],
    );
    assert!(
        proposals
            .iter()
            .filter(|p| p.name == "v")
            .all(|p| p.evidence.starts_with("it has the tag ")),
        "{proposals:?}"
    );
    let blank = find(&proposals, "blank", "Owner");
    assert!(
        blank.evidence.starts_with("it is there without a value. "),
        "{}",
        blank.evidence
    );
}

#[test]
fn tags_that_could_not_be_read_get_no_proposal() {
    let instance = arn("ec2:instance", "i");
    let mut unread = resource("ec2:volume", "unread", &[]);
    unread["tags"] = Value::Null;
    let error = json!({"service": "ec2", "operation": "DescribeTags", "table_name": "aws_ec2_volume", "kind": "denied",
        "resource_arn": arn("ec2:volume", "denied")});
    let lake = lake_of(
        vec![
            unread,
            resource("ec2:volume", "denied", &[]),
            resource("ec2:instance", "i", &ALL),
            known("other"),
        ],
        vec![
            relation("attached_to", &arn("ec2:volume", "unread"), &instance),
            relation("attached_to", &arn("ec2:volume", "denied"), &instance),
        ],
        &[error],
    );
    let (output, proposals) = propose(&lake);
    assert_eq!(output.code, 3, "{}", output.stderr);
    assert!(proposals.is_empty(), "{proposals:?}");
    assert!(
        output
            .stderr
            .contains("the tags of 2 resources could not be read"),
        "{}",
        output.stderr
    );
}

#[test]
fn what_is_gone_or_belongs_to_others_is_left_alone() {
    let mut gone = resource("ec2:instance", "gone", &[]);
    gone["state"] = json!("terminated");
    let mut shared = resource("ec2:subnet", "shared", &[]);
    shared["arn"] = json!("arn:aws:ec2:eu-west-1:444455556666:subnet/shared");
    let group = arn("autoscaling:autoScalingGroup", "g");
    let lake = lake_of(
        vec![
            gone,
            shared,
            resource("autoscaling:autoScalingGroup", "g", &ALL),
            known("other"),
        ],
        vec![
            relation("member_of", &arn("ec2:instance", "gone"), &group),
            relation(
                "member_of",
                "arn:aws:ec2:eu-west-1:444455556666:subnet/shared",
                &group,
            ),
        ],
        &[],
    );
    let (output, proposals) = propose(&lake);
    assert!(proposals.is_empty(), "{proposals:?}");
    assert!(
        output
            .stderr
            .contains("1 resources belong to other accounts"),
        "{}",
        output.stderr
    );
}

#[test]
fn hostile_and_unknown_values_are_not_spread() {
    for value in [
        "$(reboot)",
        "a;b",
        "=cmd|' /C calc'!A0",
        "a\u{1b}[2J",
        "a\nb",
        "a\u{202e}b",
        "secret:sha256:0123456789ab:len=40",
        "<script>",
    ] {
        let proposals = of(
            vec![
                resource("ec2:volume", "v", &[]),
                resource("ec2:instance", "i", &[("Owner", value)]),
                resource("sns:topic", "t", &[("Owner", value)]),
            ],
            vec![relation(
                "attached_to",
                &arn("ec2:volume", "v"),
                &arn("ec2:instance", "i"),
            )],
        );
        assert!(proposals.is_empty(), "{proposals:?}");
    }
    // An owner that stands on one resource only is taken for a slip.
    let proposals = of(
        vec![
            resource("ec2:volume", "v", &[]),
            resource("ec2:instance", "i", &[("Owner", "marco")]),
        ],
        vec![relation(
            "attached_to",
            &arn("ec2:volume", "v"),
            &arn("ec2:instance", "i"),
        )],
    );
    assert!(proposals.is_empty(), "{proposals:?}");
}

#[test]
fn hostile_names_break_nothing() {
    let name = "i;=1+1\u{1b}[31m'\"\u{202e}\n{it}";
    let lake = lake_of(
        vec![
            resource("ec2:volume", "v", &[]),
            resource(
                "ec2:instance",
                name,
                &[
                    ("Owner", "=team+a@x"),
                    ("aws:autoscaling:groupName", "@g;\u{1b}"),
                ],
            ),
            resource("sns:topic", "t", &[("Owner", "=team+a@x")]),
        ],
        vec![relation(
            "attached_to",
            &arn("ec2:volume", "v"),
            &arn("ec2:instance", name),
        )],
        &[],
    );
    let (_, proposals) = propose(&lake);
    assert_eq!(find(&proposals, "v", "Owner").value, "'=team+a@x");
    let text = fs::read_to_string(lake.path("out/tags.csv")).unwrap();
    assert!(!text.contains([';', '\u{1b}', '\u{202e}', '\r']), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
    let reviewed = text.replace("\n,Owner", "\nyes,Owner");
    lake.write("reviewed.csv", &reviewed);
    let output = lake.analyze(&["tags", "--commands", "reviewed.csv"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(
        output.stdout.contains(r#"--tags '{"Owner":"=team+a@x"}'"#),
        "{}",
        output.stdout
    );
}

#[test]
fn misuse_is_explained_and_reviews_are_not_written_over() {
    let lake = lake_of(vec![resource("ec2:volume", "v", &[])], Vec::new(), &[]);
    let (output, proposals) = propose(&lake);
    assert!(proposals.is_empty());
    assert!(
        output.stderr.contains("1 resources have no evidence"),
        "{}",
        output.stderr
    );
    let again = lake.analyze(&["tags", &lake.run(FIRST), "--propose", "out"]);
    assert!(
        again.code == 2 && again.stderr.contains("out/tags.csv is there already"),
        "{}",
        again.stderr
    );
    for arguments in [
        &["tags"][..],
        &["tags", "--propose", "a", "--commands", "b"],
    ] {
        assert_eq!(lake.analyze(arguments).code, 2);
    }
    let missing = lake.analyze(&["tags", "--commands", "nowhere.csv"]);
    assert!(
        missing.code == 2 && missing.stderr.contains("can't read nowhere.csv"),
        "{}",
        missing.stderr
    );
    lake.write("bad.csv", "accept;key;value;scope;arn\nyes;Owner;a;111122223333/eu-west-1;arn:aws:sqs:eu-west-1:111122223333:q\nmaybe;;;;\n");
    let bad = lake.analyze(&["tags", "--commands", "bad.csv"]);
    assert_eq!(bad.code, 2);
    assert_eq!(
        bad.stderr,
        "error: bad.csv: row 3: accept: expected yes or no, got \"maybe\"\n"
    );
    assert_eq!(bad.stdout, "");
}

#[test]
fn listed_owners_are_the_only_ones() {
    let lake = lake_of(
        vec![
            resource("ec2:volume", "v", &[]),
            resource("ec2:volume", "w", &[]),
            resource("ec2:instance", "i", &[("Owner", "team-a")]),
            resource("ec2:instance", "j", &[("Owner", "team-b")]),
            resource("sns:topic", "t", &[("Owner", "team-a")]),
        ],
        vec![
            relation(
                "attached_to",
                &arn("ec2:volume", "v"),
                &arn("ec2:instance", "i"),
            ),
            relation(
                "attached_to",
                &arn("ec2:volume", "w"),
                &arn("ec2:instance", "j"),
            ),
        ],
        &[],
    );
    lake.write("c.toml", "[owners]\nknown = [\"Team-B\"]\n");
    let output = lake.analyze(&[
        "tags",
        &lake.run(FIRST),
        "--propose",
        "out",
        "--config",
        "c.toml",
    ]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let text = fs::read_to_string(lake.path("out/tags.csv")).unwrap();
    let owners: Vec<&str> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(2).unwrap())
        .collect();
    assert_eq!(owners, ["team-b"], "{text}");
}
