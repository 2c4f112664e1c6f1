//! `analyze access --propose` for several accounts at once.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{ACCOUNT, Account, allow, inline, policy, trust, user};
use crate::lake::{FIRST, Lake};

/// Where the databases are; the people are in the other one.
const WORK: &str = "444455556666";
const OPS: &str = "arn:aws:iam::444455556666:role/ops";
const DATABASE: &str = "arn:aws:rds:eu-west-1:444455556666:db:d1";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:444455556666:orders";
const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

fn old(columns: Value) -> Value {
    let mut row = columns;
    row["created_at"] = json!("2020-01-01 00:00:00");
    row
}

/// The role of a permission set in an account.
fn data_team(account: &str, digits: &str) -> (String, Value) {
    let name = format!("AWSReservedSSO_DataTeam_{digits}");
    let arn =
        format!("arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/eu-west-1/{name}");
    let provider =
        json!({"Federated": format!("arn:aws:iam::{account}:saml-provider/AWSSSO_{digits}")});
    let trusted = json!([{"Effect": "Allow", "Principal": provider, "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"]}]);
    let row = old(json!({
        "arn": arn, "account_id": account, "region": "global", "resource_type": "iam:role", "name": name, "role_name": name,
        "role_id": format!("AROA{account}"), "attached_policy_arns": [ADMIN], "inline_policies": [], "assume_role_policy": policy(&trusted),
    }));
    (arn, row)
}

fn accounts() -> Account {
    let operate = json!([allow("rds:*", "*"), allow("sns:*", "*")]);
    let ops = old(json!({
        "arn": OPS, "account_id": WORK, "region": "global", "resource_type": "iam:role", "name": "ops", "role_name": "ops", "role_id": "AROAOPS",
        "attached_policy_arns": [], "inline_policies": inline(&policy(&operate)),
        "assume_role_policy": policy(&json!([trust(&json!({"AWS": user("anna")}))])),
    }));
    let anna = old(
        json!({"inline_policies": inline(&policy(&json!([allow("sts:AssumeRole", OPS), allow("sqs:*", "*")]))), "mfa_serial_numbers": ["m"]}),
    );
    let shared = policy(
        &json!([{"Effect": "Allow", "Principal": {"AWS": user("anna")}, "Action": "sqs:*", "Resource": QUEUE}]),
    );
    let admin = |account: &str| json!({"arn": ADMIN, "account_id": account, "region": "global", "policy_name": "AdministratorAccess", "document": policy(&json!([allow("*", "*")]))});
    Account::new()
        .user_row("anna", &anna)
        .row("aws_iam_role", ops)
        .row("aws_iam_role", data_team(ACCOUNT, "0123456789abcdef").1)
        .row("aws_iam_role", data_team(WORK, "fedcba9876543210").1)
        .row("aws_iam_policy", admin(ACCOUNT))
        .row("aws_iam_policy", admin(WORK))
        .row("aws_rds_db_instance", json!({"arn": DATABASE, "account_id": WORK, "resource_type": "rds:db", "name": "d1"}))
        .row("aws_sqs_queue", json!({"arn": QUEUE, "account_id": WORK, "resource_type": "sqs:queue", "name": "orders", "queue_url": "https://q", "policy": shared}))
}

/// One call, in the log of an account.
fn event(number: usize, account: &str, principal: &str, call: &str, parameters: Value) -> Value {
    let (source, name) = call.split_once(':').unwrap();
    let reads = ["Describe", "List", "Get"]
        .iter()
        .any(|word| name.starts_with(word));
    json!({
        "event_id": format!("e{number}"), "event_time": "2026-11-11T08:00:00Z", "event_source": format!("{source}.amazonaws.com"), "event_name": name,
        "aws_region": "eu-west-1", "recipient_account_id": account, "identity_account_id": principal.split(':').nth(4), "principal": principal,
        "identity_arn": principal, "request_parameters": parameters, "management_event": true, "read_only": reads,
        "source_key": "k", "source_record": number,
    })
}

/// What the log of both accounts tells.
fn log(lake: &Lake, more: &[(&str, &str, &str, Value)]) {
    let anna = user("anna");
    let url = json!({"queueUrl": format!("https://sqs.eu-west-1.amazonaws.com/{WORK}/orders")});
    let assume = json!({"roleArn": OPS, "roleSessionName": "anna"});
    let (here, there) = (
        data_team(ACCOUNT, "0123456789abcdef").0,
        data_team(WORK, "fedcba9876543210").0,
    );
    let none = json!({});
    let mut calls: Vec<(&str, &str, &str, Value)> = vec![
        // The log of either account has the assumption.
        (ACCOUNT, &anna, "sts:AssumeRole", assume.clone()),
        (WORK, &anna, "sts:AssumeRole", assume),
        (ACCOUNT, &anna, "sqs:DeleteQueue", url),
        (WORK, OPS, "rds:DescribeDBInstances", none.clone()),
        (
            WORK,
            OPS,
            "rds:StopDBInstance",
            json!({"dBInstanceIdentifier": "d1"}),
        ),
        (ACCOUNT, &here, "ec2:DescribeInstances", none.clone()),
        (WORK, &there, "sns:ListTopics", none),
    ];
    calls.extend(more.iter().cloned());
    let events: Vec<Value> = calls
        .into_iter()
        .enumerate()
        .map(|(number, (account, principal, call, parameters))| {
            event(number, account, principal, call, parameters)
        })
        .collect();
    lake.events("2026-11-11", &events);
    let first: Vec<Value> = [ACCOUNT, WORK]
        .iter()
        .enumerate()
        .map(|(number, account)| {
            let mut first = event(
                1000 + number,
                account,
                "arn:aws:iam::1:user/x",
                "sts:GetCallerIdentity",
                json!({}),
            );
            first["event_time"] = json!("2026-01-01T00:00:00Z");
            first
        })
        .collect();
    lake.events("2026-01-01", &first);
}

/// The folder of the proposal.
fn propose(lake: &Lake) -> PathBuf {
    let folder = lake.path("proposal");
    let output = lake.analyze(&[
        "access",
        "--propose",
        &folder.display().to_string(),
        &lake.run(FIRST),
    ]);
    assert!(matches!(output.code, 0 | 3), "{}", output.stderr);
    folder
}

fn read(folder: &std::path::Path, path: &str) -> String {
    fs::read_to_string(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn document(folder: &std::path::Path, path: &str) -> Value {
    serde_json::from_str(&read(folder, path)).unwrap()
}

/// The resources that a document allows an action on.
fn resources(document: &Value, action: &str) -> Vec<String> {
    let texts = |element: &Value| -> Vec<String> {
        match element {
            Value::Array(list) => list
                .iter()
                .map(|one| one.as_str().unwrap().to_owned())
                .collect(),
            one => vec![one.as_str().unwrap().to_owned()],
        }
    };
    let statements = document["Statement"].as_array().unwrap().iter();
    statements
        .filter(|one| {
            one["Effect"] == "Allow" && texts(&one["Action"]).iter().any(|name| name == action)
        })
        .flat_map(|one| texts(&one["Resource"]))
        .collect()
}

#[test]
fn each_account_has_its_documents_and_people_go_across() {
    let lake = Lake::new();
    accounts().analyzed_in(&lake);
    log(&lake, &[]);
    let folder = propose(&lake);
    let proof = document(&folder, "proof.json");
    assert_eq!(proof["holds"], true);
    assert_eq!(
        proof["counts"]["usesDeniedTodayToo"], 0,
        "both sides allow what was done"
    );

    // The dangerous work of the role is done by people of the other account.
    let special = "arn:aws:iam::444455556666:role/danger-destroy-rds";
    let trust = document(&folder, "444455556666/trust/danger-destroy-rds.json");
    let statement = &trust["Statement"][0];
    assert_eq!(
        statement["Principal"]["AWS"],
        json!([
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::444455556666:root"
        ])
    );
    assert_eq!(
        statement["Condition"]["Bool"]["aws:MultiFactorAuthPresent"],
        "true"
    );
    let anna = document(&folder, "111122223333/policies/sevenwalls-user-anna-1.json");
    let mut roles = resources(&anna, "sts:AssumeRole");
    roles.sort();
    assert_eq!(roles, [special, OPS]);
    assert_eq!(
        resources(&anna, "sqs:DeleteQueue"),
        [QUEUE],
        "the policy of the queue names nobody else"
    );
    let ops = document(&folder, "444455556666/policies/sevenwalls-role-ops-1.json");
    assert!(
        !resources(&ops, "rds:DescribeDBInstances").is_empty()
            && resources(&ops, "rds:StopDBInstance").is_empty()
    );
    let template = |account: &str| read(&folder, &format!("{account}/cloudformation.json"));
    assert!(
        template(WORK).contains("danger-destroy-rds")
            && template(WORK).contains("sevenwalls-role-ops-1")
    );
    assert!(
        template(ACCOUNT).contains("sevenwalls-user-anna-1")
            && !template(ACCOUNT).contains("sevenwalls-role-ops")
    );
    for (account, line) in [(ACCOUNT, "--user-name='anna'"), (WORK, "--role-name='ops'")] {
        let script = read(&folder, &format!("{account}/detach.sh"));
        assert!(
            script.contains(line) && script.contains(&format!("= '{account}'")),
            "{script}"
        );
    }
    let replayed = read(&folder, "replayed.ndjson");
    let of = |action: &str| -> Vec<Value> {
        let rows = replayed
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.filter(|row| row["action"] == action).collect()
    };
    let [assumed] = of("sts:AssumeRole").try_into().unwrap();
    assert_eq!(
        (&assumed["calls"], &assumed["outcome"]),
        (&json!(2), &json!("allowed as before"))
    );
    let [stopped] = of("rds:StopDBInstance").try_into().unwrap();
    assert!(
        stopped["outcome"]
            .as_str()
            .unwrap()
            .contains("danger-destroy-rds after signing in with a second factor")
    );
    assert_eq!(of("sqs:DeleteQueue")[0]["resource"], QUEUE);
    let readme = read(&folder, "README.md");
    for words in [
        "| 111122223333 | user anna |",
        "| 444455556666 | role ops |",
        "has a policy of its own that lets nobody else do it",
    ] {
        assert!(readme.contains(words), "{words}: {readme}");
    }
}

#[test]
fn a_permission_set_gets_what_its_roles_used_in_all_accounts() {
    let lake = Lake::new();
    accounts().analyzed_in(&lake);
    log(&lake, &[]);
    let folder = propose(&lake);
    let sets: Vec<PathBuf> = fs::read_dir(folder.join("identity-center"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [set] = sets.as_slice() else {
        panic!("{sets:?}")
    };
    let file = set.file_name().unwrap().to_str().unwrap();
    assert!(
        file.starts_with("DataTeam-") && file.ends_with(".json"),
        "{file}"
    );
    let inline: Value = serde_json::from_slice(&fs::read(set).unwrap()).unwrap();
    for action in ["ec2:DescribeInstances", "sns:ListTopics"] {
        assert!(!resources(&inline, action).is_empty(), "{action}: {inline}");
    }
    assert!(
        resources(&inline, "rds:DeleteDBInstance").is_empty() && resources(&inline, "*").is_empty()
    );
    let readme = read(&folder, "README.md");
    assert!(
        readme.contains(&format!("| DataTeam | 111122223333, 444455556666 | AdministratorAccess | `identity-center/{file}` |")),
        "{readme}"
    );
    // Nobody but the service changes these roles.
    for account in [ACCOUNT, WORK] {
        for path in ["cloudformation.json", "main.tf.json", "detach.sh"] {
            assert!(
                !read(&folder, &format!("{account}/{path}")).contains("AWSReservedSSO"),
                "{account}/{path}"
            );
        }
    }
}

#[test]
fn a_permission_set_that_is_not_known_everywhere_stays() {
    let lake = Lake::new();
    let mut several = accounts();
    // In one account somebody changed its policies.
    let roles = several.tables.get_mut("aws_iam_role").unwrap();
    roles[2]["inline_policies"] = inline(&policy(&json!([allow("sns:*", "*")])));
    several.analyzed_in(&lake);
    log(&lake, &[]);
    let folder = propose(&lake);
    assert!(!folder.join("identity-center").exists());
    let readme = read(&folder, "README.md");
    assert_eq!(
        readme.matches("provision the set again first").count(),
        2,
        "{readme}"
    );
}

#[test]
fn each_organization_has_its_own_policy() {
    let lake = Lake::new();
    let machine = "arn:aws:iam::444455556666:role/machine";
    let organization = |account: &str, id: &str| json!({"arn": format!("arn:aws:organizations::{account}:organization/{id}"), "account_id": account, "region": "global", "organization_id": id, "management_account_id": account});
    let row = old(json!({
        "arn": machine, "account_id": WORK, "region": "global", "name": "machine", "role_name": "machine", "role_id": "AROAM", "attached_policy_arns": [],
        "inline_policies": inline(&policy(&json!([allow("cloudtrail:*", "*")]))), "assume_role_policy": policy(&json!([trust(&json!({"Service": "ec2.amazonaws.com"}))])),
    }));
    accounts()
        .row("aws_iam_role", row)
        .row(
            "aws_organizations_organization",
            organization(ACCOUNT, "o-1"),
        )
        .row("aws_organizations_organization", organization(WORK, "o-2"))
        .analyzed_in(&lake);
    log(
        &lake,
        &[(
            WORK,
            machine,
            "cloudtrail:StopLogging",
            json!({"name": "main"}),
        )],
    );
    let folder = propose(&lake);
    let denied = |organization: &str| {
        read(
            &folder,
            &format!("organization/{organization}/sevenwalls-guardrail-1.json"),
        )
    };
    assert!(denied("o-1").contains("cloudtrail:StopLogging"));
    assert!(
        !denied("o-2").contains("cloudtrail:StopLogging"),
        "a machine there does it"
    );
    assert!(
        !folder
            .join("organization/sevenwalls-guardrail-1.json")
            .exists()
    );
    let readme = read(&folder, "README.md");
    assert!(
        readme.contains("### o-1") && readme.contains("### o-2"),
        "{readme}"
    );
}
