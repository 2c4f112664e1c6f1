//! `analyze tags` over small lakes: one source of evidence after the other, conflicts, and what is left alone.

use std::fs;

use serde_json::{Map, Value, json};

use super::lake::{ACCOUNT, FIRST, Lake, Output};

/// A row of the proposals.
#[derive(Debug, Clone)]
struct Proposal {
    name: String,
    key: String,
    value: String,
    confidence: f64,
    evidence: String,
}

/// A resource of a made-up account: `("ec2:volume", "v")` is `arn:aws:ec2:eu-west-1:<account>:volume/v`.
fn arn(kind: &str, name: &str) -> String {
    let (service, noun) = kind.split_once(':').unwrap();
    match service {
        "iam" => format!("arn:aws:iam::{ACCOUNT}:{noun}/{name}"),
        _ => format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:{noun}/{name}"),
    }
}

fn resource(kind: &str, name: &str, tags: &[(&str, &str)]) -> Value {
    let tags: Map<String, Value> = tags
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    json!({"arn": arn(kind, name), "resource_type": kind, "name": name, "tags": tags})
}

fn relation(kind: &str, from: &str, to: &str) -> Value {
    json!({"account_id": ACCOUNT, "region": "eu-west-1", "kind": kind, "from_arn": from, "to_arn": to})
}

fn lake_of(resources: Vec<Value>, relations: Vec<Value>, errors: &[Value]) -> Lake {
    let lake = Lake::new();
    // The resources' own tables do not matter here, but for the state of instances.
    lake.related(
        FIRST,
        &[("aws_ec2_instance", resources)],
        relations,
        errors,
    );
    lake
}

fn propose(lake: &Lake) -> (Output, Vec<Proposal>) {
    let output = lake.analyze(&["tags", &lake.run(FIRST), "--propose", "out"]);
    let text = fs::read_to_string(lake.path("out/tags.csv"))
        .unwrap_or_else(|_| panic!("{}", output.stderr));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let proposals = reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let cell = |name: &str| {
                let index = header.iter().position(|column| column == name).unwrap();
                record[index].to_owned()
            };
            Proposal {
                name: cell("name"),
                key: cell("key"),
                value: cell("value"),
                confidence: cell("confidence").parse().unwrap(),
                evidence: cell("evidence"),
            }
        })
        .collect();
    (output, proposals)
}

fn of(resources: Vec<Value>, relations: Vec<Value>) -> Vec<Proposal> {
    let (output, proposals) = propose(&lake_of(resources, relations, &[]));
    assert_eq!(output.code, 0, "{}", output.stderr);
    proposals
}

fn find<'a>(proposals: &'a [Proposal], name: &str, key: &str) -> &'a Proposal {
    proposals
        .iter()
        .find(|proposal| proposal.name == name && proposal.key == key)
        .unwrap_or_else(|| panic!("no {key} for {name}: {proposals:#?}"))
}

fn keys(proposals: &[Proposal], name: &str) -> Vec<String> {
    proposals
        .iter()
        .filter(|proposal| proposal.name == name)
        .map(|proposal| proposal.key.clone())
        .collect()
}

/// An owner must be named twice to be believed.
const ALL: [(&str, &str); 4] = [
    ("Owner", "team-a"),
    ("Environment", "prod"),
    ("System", "shop"),
    ("Importance", "high"),
];

fn known(name: &str) -> Value {
    resource("sns:topic", name, &ALL)
}

#[test]
fn each_kind_of_relation_tells() {
    for (kind, from, to, words) in [
        ("attached_to", "ec2:volume", "ec2:instance", "attached to instance"),
        ("backup_of", "ec2:snapshot", "ec2:volume", "a backup of volume"),
        ("member_of", "ec2:instance", "autoscaling:autoScalingGroup", "member of autoScalingGroup"),
        ("member_of", "eks:nodegroup", "eks:cluster", "member of cluster"),
        ("member_of", "sqs:queue", "cloudformation:stack", "member of stack"),
        ("replica_of", "rds:db", "rds:db", "a replica of db"),
        ("dead_letters_to", "sqs:queue", "sqs:queue", "leaves dead letters in queue"),
        ("triggers", "sqs:queue", "lambda:function", "triggers function"),
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
            relation("logs_to", &arn("lambda:function", "teacher"), &arn("logs:log-group", "learner")),
            relation("runs_as", &arn("lambda:function", "teacher"), &arn("iam:role", "its-role")),
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
        vec![relation("in_vpc", &arn("rds:db", "learner"), &arn("ec2:vpc", "net"))],
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
        resources.push(resource("sqs:queue", &name, &[("Environment", environment)]));
        relations.push(relation("in_vpc", &arn("sqs:queue", &name), &arn("ec2:vpc", "net")));
    }
    for n in 0..300 {
        resources.push(resource("sqs:queue", &format!("p{n}"), &[("Environment", "prod")]));
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
        ("aws:cloudformation:stack-id", "arn:aws:cloudformation:eu-west-1:111122223333:stack/s/1", "of stack arn:aws:cloudformation"),
        ("aws:autoscaling:groupName", "web", "of Auto Scaling group web"),
        ("aws:ec2launchtemplate:id", "lt-1", "made from launch template lt-1"),
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
            &[("System", "checkout"), ("Owner", "team-a"), ("Environment", environment)],
        ));
        resources.push(resource(
            "sqs:queue",
            &format!("search-{n}"),
            &[("System", "search"), ("Owner", "team-b"), ("Environment", "prod")],
        ));
    }
    let proposals = of(resources, Vec::new());
    let system = find(&proposals, "q09_jobs_checkout", "System");
    assert!(system.evidence.contains("its name ends in the system checkout"));
    let owner = find(&proposals, "q09_jobs_checkout", "Owner");
    assert_eq!(owner.value, "team-a");
    assert!(owner.evidence.contains("“checkout” in the name: 4 of 4"), "{}", owner.evidence);
    assert_eq!(find(&proposals, "invoices-staging", "Environment").value, "staging");
    // A system that nobody ever named is not made up.
    assert_eq!(keys(&proposals, "q10_jobs_unheard"), Vec::<String>::new());
}

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
    assert!(sure[0] > sure[1] && sure[1] > sure[2] && sure[2] >= 0.5, "{sure:?}");
    assert!(find(&proposals, "s", "Owner").evidence.contains("(proposed itself)"));
}

#[test]
fn agreement_raises_and_conflict_lowers() {
    let volume = arn("ec2:volume", "v");
    let attached = |owners: &[&str]| {
        let mut resources = vec![resource("ec2:volume", "v", &[])];
        let mut relations = Vec::new();
        for owner in ["team-a", "team-b"] {
            for n in 0..2 {
                resources.push(resource("sns:topic", &format!("{owner}{n}"), &[("Owner", owner)]));
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
        find(&conflict, "v", "Owner").evidence.contains(" / against it: made from instance i1 says team-b"),
        "{conflict:?}"
    );
    // One against one: nobody can tell, and it is said.
    let instance = |name: &str, owner: &str| resource("ec2:instance", name, &[("Owner", owner)]);
    let lake = lake_of(
        vec![
            resource("ec2:volume", "v", &[]),
            instance("i0", "team-a"), instance("i1", "team-b"), instance("i2", "team-a"), instance("i3", "team-b"),
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
        output.stderr.contains("1 resources have evidence that is weak or contradicts itself"),
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
        resources.push(resource("sns:topic", &format!("t{n}"), &[("owner", "team-a"), ("Env", "production")]));
    }
    let proposals = of(
        resources,
        vec![relation("attached_to", &arn("ec2:volume", "v"), &arn("ec2:instance", "i"))],
    );
    assert_eq!(find(&proposals, "v", "owner").value, "team-a");
    assert_eq!(find(&proposals, "v", "Env").value, "production");
    // The key in another spelling is copied, never replaced.
    let renamed = find(&proposals, "odd", "owner");
    assert_eq!(renamed.value, "team-a");
    assert!(renamed.evidence.contains("it has the tag Owner"), "{}", renamed.evidence);
}

#[test]
fn a_tag_that_is_there_stays() {
    let proposals = of(
        vec![
            resource("ec2:volume", "v", &[("Team", "team-b"), ("ENVIRONMENT", "testing"), ("Application", "own"), ("importance", "low")]),
            resource("ec2:volume", "blank", &[("Owner", " ")]),
            resource("ec2:instance", "i", &ALL),
            known("other"), known("another"),
        ],
        vec![
            relation("attached_to", &arn("ec2:volume", "v"), &arn("ec2:instance", "i")),
            relation("attached_to", &arn("ec2:volume", "blank"), &arn("ec2:instance", "i")),
        ],
    );
    assert!(
        proposals.iter().filter(|p| p.name == "v").all(|p| p.evidence.starts_with("it has the tag ")),
        "{proposals:?}"
    );
    let blank = find(&proposals, "blank", "Owner");
    assert!(blank.evidence.starts_with("it is there without a value. "), "{}", blank.evidence);
}

#[test]
fn tags_that_could_not_be_read_get_no_proposal() {
    let instance = arn("ec2:instance", "i");
    let mut unread = resource("ec2:volume", "unread", &[]);
    unread["tags"] = Value::Null;
    let error = json!({"service": "ec2", "operation": "DescribeTags", "table_name": "aws_ec2_volume", "kind": "denied",
        "resource_arn": arn("ec2:volume", "denied")});
    let lake = lake_of(
        vec![unread, resource("ec2:volume", "denied", &[]), resource("ec2:instance", "i", &ALL), known("other")],
        vec![
            relation("attached_to", &arn("ec2:volume", "unread"), &instance),
            relation("attached_to", &arn("ec2:volume", "denied"), &instance),
        ],
        &[error],
    );
    let (output, proposals) = propose(&lake);
    assert_eq!(output.code, 3, "{}", output.stderr);
    assert!(proposals.is_empty(), "{proposals:?}");
    assert!(output.stderr.contains("the tags of 2 resources could not be read"), "{}", output.stderr);
}

#[test]
fn what_is_gone_or_belongs_to_others_is_left_alone() {
    let mut gone = resource("ec2:instance", "gone", &[]);
    gone["state"] = json!("terminated");
    let mut shared = resource("ec2:subnet", "shared", &[]);
    shared["arn"] = json!("arn:aws:ec2:eu-west-1:444455556666:subnet/shared");
    let group = arn("autoscaling:autoScalingGroup", "g");
    let lake = lake_of(
        vec![gone, shared, resource("autoscaling:autoScalingGroup", "g", &ALL), known("other")],
        vec![
            relation("member_of", &arn("ec2:instance", "gone"), &group),
            relation("member_of", "arn:aws:ec2:eu-west-1:444455556666:subnet/shared", &group),
        ],
        &[],
    );
    let (output, proposals) = propose(&lake);
    assert!(proposals.is_empty(), "{proposals:?}");
    assert!(output.stderr.contains("1 resources belong to other accounts"), "{}", output.stderr);
}

#[test]
fn hostile_and_unknown_values_are_not_spread() {
    for value in [
        "$(reboot)", "a;b", "=cmd|' /C calc'!A0", "a\u{1b}[2J", "a\nb", "a\u{202e}b", "secret:sha256:0123456789ab:len=40", "<script>",
    ] {
        let proposals = of(
            vec![
                resource("ec2:volume", "v", &[]),
                resource("ec2:instance", "i", &[("Owner", value)]),
                resource("sns:topic", "t", &[("Owner", value)]),
            ],
            vec![relation("attached_to", &arn("ec2:volume", "v"), &arn("ec2:instance", "i"))],
        );
        assert!(proposals.is_empty(), "{proposals:?}");
    }
    // An owner that stands on one resource only is taken for a slip.
    let proposals = of(
        vec![
            resource("ec2:volume", "v", &[]),
            resource("ec2:instance", "i", &[("Owner", "marco")]),
        ],
        vec![relation("attached_to", &arn("ec2:volume", "v"), &arn("ec2:instance", "i"))],
    );
    assert!(proposals.is_empty(), "{proposals:?}");
}

#[test]
fn hostile_names_break_nothing() {
    let name = "i;=1+1\u{1b}[31m'\"\u{202e}\n{it}";
    let lake = lake_of(
        vec![
            resource("ec2:volume", "v", &[]),
            resource("ec2:instance", name, &[("Owner", "=team+a@x"), ("aws:autoscaling:groupName", "@g;\u{1b}")]),
            resource("sns:topic", "t", &[("Owner", "=team+a@x")]),
        ],
        vec![relation("attached_to", &arn("ec2:volume", "v"), &arn("ec2:instance", name))],
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
    assert!(output.stdout.contains(r#"--tags '{"Owner":"=team+a@x"}'"#), "{}", output.stdout);
}

fn creation(name: &str, principal: &str, identity: &str, response: &Value) -> Value {
    json!({"event_time": "2026-11-10T08:00:00Z", "event_id": format!("{name}{response}"), "event_source": "ec2.amazonaws.com", "event_name": name,
        "aws_region": "eu-west-1", "recipient_account_id": ACCOUNT, "principal": principal, "identity_arn": identity, "response_elements": response})
}

#[test]
fn whoever_created_it_tells_the_owner() {
    let ann = arn("iam:user", "ann");
    let sso = format!("arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_dev_1");
    let session = |who: &str| format!("arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_dev_1/{who}");
    let mut resources = vec![
        resource("iam:user", "ann", &[("Owner", "team-a")]),
        resource("ec2:security-group", "sg-1", &[]),
        resource("ec2:security-group", "sg-2", &[]),
        resource("ec2:volume", "vol-1", &[("aws:createdBy", "IAMUser:AIDAEXAMPLE:ann")]),
        known("other"),
    ];
    let mut events = vec![
        creation("CreateSecurityGroup", &ann, &ann, &json!({"groupId": "sg-1"})),
        creation("CreateSecurityGroup", &sso, &session("bob"), &json!({"groupId": "sg-2"})),
        // A volume made of a snapshot names the snapshot too, and did not create it.
        creation("CreateVolume", &ann, &ann, &json!({"volumeId": "vol-9", "snapshotId": "snap-1"})),
    ];
    resources.push(resource("ec2:snapshot", "snap-1", &[]));
    for n in 0..8 {
        let (who, owner) = if n % 2 == 0 { ("bob", "team-b") } else { ("eve", "team-c") };
        let id = format!("vpc-{n}");
        resources.push(resource("ec2:vpc", &id, &[("Owner", owner)]));
        events.push(creation("CreateVpc", &sso, &session(who), &json!({"vpc": {"vpcId": id}})));
    }
    let lake = lake_of(resources, Vec::new(), &[]);
    lake.events("2026-11-10", &events);
    let (output, proposals) = propose(&lake);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let by_event = find(&proposals, "sg-1", "Owner");
    assert_eq!(by_event.value, "team-a");
    assert!(by_event.evidence.starts_with("created by user ann"), "{}", by_event.evidence);
    assert_eq!(find(&proposals, "vol-1", "Owner").value, "team-a");
    // Behind the single sign-on it is the person, not the role that all of them have.
    assert_eq!(find(&proposals, "sg-2", "Owner").value, "team-b");
    assert_eq!(keys(&proposals, "snap-1"), Vec::<String>::new());
    // Days before --since are not read.
    let late = lake.analyze(&["tags", &lake.run(FIRST), "--propose", "late", "--since", "2026-11-11"]);
    assert_eq!(late.code, 0, "{}", late.stderr);
    assert!(!fs::read_to_string(lake.path("late/tags.csv")).unwrap().contains("sg-1"));
    // Events that can't be read are missed, and said to be.
    lake.write("cloudtrail/event_date=2026-11-12/batch-000.parquet", "damaged");
    let damaged = lake.analyze(&["tags", &lake.run(FIRST), "--propose", "damaged"]);
    assert_eq!(damaged.code, 3);
    assert!(damaged.stderr.contains("who created what is not known"), "{}", damaged.stderr);
}

#[test]
fn misuse_is_explained_and_reviews_are_not_written_over() {
    let lake = lake_of(vec![resource("ec2:volume", "v", &[])], Vec::new(), &[]);
    let (output, proposals) = propose(&lake);
    assert!(proposals.is_empty());
    assert!(output.stderr.contains("1 resources have no evidence"), "{}", output.stderr);
    let again = lake.analyze(&["tags", &lake.run(FIRST), "--propose", "out"]);
    assert!(again.code == 2 && again.stderr.contains("out/tags.csv is there already"), "{}", again.stderr);
    for arguments in [&["tags"][..], &["tags", "--propose", "a", "--commands", "b"]] {
        assert_eq!(lake.analyze(arguments).code, 2);
    }
    let missing = lake.analyze(&["tags", "--commands", "nowhere.csv"]);
    assert!(missing.code == 2 && missing.stderr.contains("can't read nowhere.csv"), "{}", missing.stderr);
    lake.write("bad.csv", "accept;key;value;scope;arn\nyes;Owner;a;111122223333/eu-west-1;arn:aws:sqs:eu-west-1:111122223333:q\nmaybe;;;;\n");
    let bad = lake.analyze(&["tags", "--commands", "bad.csv"]);
    assert_eq!(bad.code, 2);
    assert_eq!(bad.stderr, "error: bad.csv: row 3: accept: expected yes or no, got \"maybe\"\n");
    assert_eq!(bad.stdout, "");
}
