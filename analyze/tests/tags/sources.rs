//! One source of evidence after the other.

use std::fs;

use serde_json::{Value, json};

use super::super::lake::{ACCOUNT, FIRST};
use super::{ALL, arn, find, keys, known, lake_of, of, propose, relation, resource};

#[test]
fn each_kind_of_relation_tells() {
    for (kind, from, to, words) in [
        (
            "attached_to",
            "ec2:volume",
            "ec2:instance",
            "attached to instance",
        ),
        (
            "backup_of",
            "ec2:snapshot",
            "ec2:volume",
            "a backup of volume",
        ),
        (
            "member_of",
            "ec2:instance",
            "autoscaling:autoScalingGroup",
            "member of autoScalingGroup",
        ),
        (
            "member_of",
            "eks:nodegroup",
            "eks:cluster",
            "member of cluster",
        ),
        (
            "member_of",
            "sqs:queue",
            "cloudformation:stack",
            "member of stack",
        ),
        ("replica_of", "rds:db", "rds:db", "a replica of db"),
        (
            "dead_letters_to",
            "sqs:queue",
            "sqs:queue",
            "leaves dead letters in queue",
        ),
        (
            "triggers",
            "sqs:queue",
            "lambda:function",
            "triggers function",
        ),
    ] {
        let (learner, teacher) = (arn(from, "learner"), arn(to, "teacher"));
        let proposals = of(
            vec![
                resource(from, "learner", &[]),
                resource(to, "teacher", &ALL),
                known("other"),
            ],
            vec![relation(kind, &learner, &teacher)],
        );
        for (key, value) in &ALL[..3] {
            let proposal = find(&proposals, "learner", key);
            assert_eq!(proposal.value, *value);
            assert!(
                proposal.evidence.starts_with(words),
                "{kind}: {}",
                proposal.evidence
            );
        }
    }
}

#[test]
fn evidence_flows_against_the_arrow_too() {
    let proposals = of(
        vec![
            resource("logs:log-group", "learner", &[]),
            resource("lambda:function", "teacher", &ALL),
            resource("iam:role", "its-role", &[]),
            known("other"),
        ],
        vec![
            relation(
                "logs_to",
                &arn("lambda:function", "teacher"),
                &arn("logs:log-group", "learner"),
            ),
            relation(
                "runs_as",
                &arn("lambda:function", "teacher"),
                &arn("iam:role", "its-role"),
            ),
        ],
    );
    // Nobody is asked to tag log groups.
    assert_eq!(keys(&proposals, "learner"), Vec::<String>::new());
    let role = find(&proposals, "its-role", "Owner");
    assert!(
        role.evidence.starts_with("what function teacher runs as"),
        "{}",
        role.evidence
    );
}

#[test]
fn a_network_tells_the_environment_and_not_the_owner() {
    let proposals = of(
        vec![
            resource("rds:db", "learner", &[]),
            resource("ec2:vpc", "net", &ALL),
            known("other"),
        ],
        vec![relation(
            "in_vpc",
            &arn("rds:db", "learner"),
            &arn("ec2:vpc", "net"),
        )],
    );
    assert_eq!(keys(&proposals, "learner"), ["Environment"]);
}

#[test]
fn a_hub_votes_by_what_most_of_it_has() {
    let mut resources = vec![resource("ec2:vpc", "net", &[])];
    let mut relations = Vec::new();
    for n in 0..300 {
        let environment = if n < 290 { "staging" } else { "prod" };
        let name = format!("q{n}");
        resources.push(resource(
            "sqs:queue",
            &name,
            &[("Environment", environment)],
        ));
        relations.push(relation(
            "in_vpc",
            &arn("sqs:queue", &name),
            &arn("ec2:vpc", "net"),
        ));
    }
    for n in 0..300 {
        resources.push(resource(
            "sqs:queue",
            &format!("p{n}"),
            &[("Environment", "prod")],
        ));
    }
    let proposals = of(resources, relations);
    let network = find(&proposals, "net", "Environment");
    assert_eq!(network.value, "staging");
    assert!(
        network.evidence.contains("290 of 300 queues such as"),
        "{}",
        network.evidence
    );
}

#[test]
fn groups_named_by_aws_tell_even_where_the_group_was_not_collected() {
    for (key, value, words) in [
        (
            "aws:cloudformation:stack-id",
            "arn:aws:cloudformation:eu-west-1:111122223333:stack/s/1",
            "of stack arn:aws:cloudformation",
        ),
        (
            "aws:autoscaling:groupName",
            "web",
            "of Auto Scaling group web",
        ),
        (
            "aws:ec2launchtemplate:id",
            "lt-1",
            "made from launch template lt-1",
        ),
        ("eks:cluster-name", "c", "of EKS cluster c"),
        ("kubernetes.io/cluster/c", "owned", "of EKS cluster c"),
        ("aws:ecs:serviceName", "api", "of ECS service api"),
    ] {
        let mut resources = vec![resource("ec2:instance", "learner", &[(key, value)])];
        for n in 0..5 {
            let tags = [&ALL[..], &[(key, value)]].concat();
            resources.push(resource("ec2:instance", &format!("i{n}"), &tags));
        }
        let proposals = of(resources, Vec::new());
        let proposal = find(&proposals, "learner", "Owner");
        assert!(
            proposal.evidence.starts_with(words) && proposal.evidence.contains(": 5 of 5"),
            "{}",
            proposal.evidence
        );
    }
}

#[test]
fn names_tell() {
    let mut resources = vec![
        resource("sqs:queue", "q09_jobs_checkout", &[]),
        resource("sqs:queue", "invoices-staging", &[]),
        resource("sqs:queue", "q10_jobs_unheard", &[]),
    ];
    for (n, environment) in ["prod", "staging", "prod", "prod"].into_iter().enumerate() {
        resources.push(resource(
            "sqs:queue",
            &format!("checkout-{n}"),
            &[
                ("System", "checkout"),
                ("Owner", "team-a"),
                ("Environment", environment),
            ],
        ));
        resources.push(resource(
            "sqs:queue",
            &format!("search-{n}"),
            &[
                ("System", "search"),
                ("Owner", "team-b"),
                ("Environment", "prod"),
            ],
        ));
    }
    let proposals = of(resources, Vec::new());
    let system = find(&proposals, "q09_jobs_checkout", "System");
    assert!(
        system
            .evidence
            .contains("its name ends in the system checkout")
    );
    let owner = find(&proposals, "q09_jobs_checkout", "Owner");
    assert_eq!(owner.value, "team-a");
    assert!(
        owner.evidence.contains("with checkout in the name: 4 of 4"),
        "{}",
        owner.evidence
    );
    assert_eq!(
        find(&proposals, "invoices-staging", "Environment").value,
        "staging"
    );
    // A system that nobody ever named is not made up.
    assert_eq!(keys(&proposals, "q10_jobs_unheard"), Vec::<String>::new());
}

fn creation(name: &str, principal: &str, identity: &str, response: &Value) -> Value {
    json!({"event_time": "2026-11-10T08:00:00Z", "event_id": format!("{name}{response}"), "event_source": "ec2.amazonaws.com", "event_name": name,
        "aws_region": "eu-west-1", "recipient_account_id": ACCOUNT, "principal": principal, "identity_arn": identity, "response_elements": response})
}

#[test]
fn whoever_created_it_tells_the_owner() {
    let ann = arn("iam:user", "ann");
    let sso =
        format!("arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_dev_1");
    let session =
        |who: &str| format!("arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_dev_1/{who}");
    let mut resources = vec![
        resource("iam:user", "ann", &[("Owner", "team-a")]),
        resource("ec2:security-group", "sg-1", &[]),
        resource("ec2:security-group", "sg-2", &[]),
        resource(
            "ec2:volume",
            "vol-1",
            &[("aws:createdBy", "IAMUser:AIDAEXAMPLE:ann")],
        ),
        known("other"),
    ];
    let mut events = vec![
        creation(
            "CreateSecurityGroup",
            &ann,
            &ann,
            &json!({"groupId": "sg-1"}),
        ),
        creation(
            "CreateSecurityGroup",
            &sso,
            &session("bob"),
            &json!({"groupId": "sg-2"}),
        ),
        // A volume made of a snapshot names the snapshot too, and did not create it.
        creation(
            "CreateVolume",
            &ann,
            &ann,
            &json!({"volumeId": "vol-9", "snapshotId": "snap-1"}),
        ),
    ];
    resources.push(resource("ec2:snapshot", "snap-1", &[]));
    for n in 0..8 {
        let (who, owner) = if n % 2 == 0 {
            ("bob", "team-b")
        } else {
            ("eve", "team-c")
        };
        let id = format!("vpc-{n}");
        resources.push(resource("ec2:vpc", &id, &[("Owner", owner)]));
        events.push(creation(
            "CreateVpc",
            &sso,
            &session(who),
            &json!({"vpc": {"vpcId": id}}),
        ));
    }
    let lake = lake_of(resources, Vec::new(), &[]);
    lake.events("2026-11-10", &events);
    let (output, proposals) = propose(&lake);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let by_event = find(&proposals, "sg-1", "Owner");
    assert_eq!(by_event.value, "team-a");
    assert!(
        by_event.evidence.starts_with("created by user ann"),
        "{}",
        by_event.evidence
    );
    assert_eq!(find(&proposals, "vol-1", "Owner").value, "team-a");
    // Behind the single sign-on it is the person, not the role that all of them have.
    assert_eq!(find(&proposals, "sg-2", "Owner").value, "team-b");
    assert_eq!(keys(&proposals, "snap-1"), Vec::<String>::new());
    // Days before --since are not read.
    let late = lake.analyze(&[
        "tags",
        &lake.run(FIRST),
        "--propose",
        "late",
        "--since",
        "2026-11-11",
    ]);
    assert_eq!(late.code, 0, "{}", late.stderr);
    assert!(
        !fs::read_to_string(lake.path("late/tags.csv"))
            .unwrap()
            .contains("sg-1")
    );
    // Events that can't be read are missed, and said to be.
    lake.write(
        "cloudtrail/event_date=2026-11-12/batch-000.parquet",
        "damaged",
    );
    let damaged = lake.analyze(&["tags", &lake.run(FIRST), "--propose", "damaged"]);
    assert_eq!(damaged.code, 3);
    assert!(
        damaged.stderr.contains("who created what is not known"),
        "{}",
        damaged.stderr
    );
}
