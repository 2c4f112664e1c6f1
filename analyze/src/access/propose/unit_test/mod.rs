//! Proposals for small accounts, and that a proposal which is wrong is refused.

mod hidden;
mod refusal;
mod written;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::outcome::{Keep, Left, State};
use super::{Proposal, files};
use crate::cli::Limits;
use crate::config::Config;
use crate::events;
use crate::session::Session;
use crate::sql::{identifier, quote};

const ACCOUNT: &str = "111122223333";

/// A small account.
struct Account {
    rows: Vec<(&'static str, Value)>,
    first_event: &'static str,
}

fn arn(path: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{path}")
}

fn allow(action: Value, resource: Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": action, "Resource": resource }] })
}

impl Account {
    fn new() -> Self {
        Self {
            rows: Vec::new(),
            first_event: "2026-01-01 00:00:00",
        }
    }

    fn with(mut self, table: &'static str, row: Value) -> Self {
        self.rows.push((table, row));
        self
    }

    fn user(self, name: &str, groups: &[&str], policy: Option<Value>) -> Self {
        let inline = policy.map_or(
            json!([]),
            |policy| json!([{ "PolicyName": "own", "PolicyDocument": policy }]),
        );
        self.with(
            "aws_iam_user",
            json!({
                "arn": arn(&format!("user/{name}")), "user_name": name, "user_id": format!("AIDA{name}"), "group_names": groups,
                "attached_policy_arns": [], "inline_policies": inline.to_string(), "created_at": "2020-01-01 00:00:00",
                "mfa_serial_numbers": [],
            }),
        )
    }

    fn group(self, name: &str, policy: &Value) -> Self {
        let inline = json!([{ "PolicyName": "own", "PolicyDocument": policy }]);
        self.with(
            "aws_iam_group",
            json!({
                "arn": arn(&format!("group/{name}")), "group_name": name, "attached_policy_arns": [], "inline_policies": inline.to_string(),
                "created_at": "2020-01-01 00:00:00",
            }),
        )
    }

    fn role(self, name: &str, principal: &Value, policy: &Value) -> Self {
        let inline = json!([{ "PolicyName": "own", "PolicyDocument": policy }]);
        let trust = json!({ "Statement": [{ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" }] });
        self.with(
            "aws_iam_role",
            json!({
                "arn": arn(&format!("role/{name}")), "role_name": name, "role_id": format!("AROA{name}"), "attached_policy_arns": [],
                "inline_policies": inline.to_string(), "created_at": "2020-01-01 00:00:00", "is_service_linked": false,
                "assume_role_policy": trust.to_string(),
            }),
        )
    }

    fn resource(self, arn: &str, kind: &str, tags: Value) -> Self {
        let tags: Vec<String> = tags
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| format!("{}: {}", quote(key), quote(value.as_str().unwrap())))
            .collect();
        self.with("resources", json!({ "arn": arn, "resource_type": kind, "tags": format!("map {{{}}}", tags.join(", ")) }))
    }

    fn event(self, principal: &str, source: &str, name: &str, parameters: Value) -> Self {
        let number = self.rows.len();
        let reads = ["Describe", "List", "Get"]
            .iter()
            .any(|word| name.starts_with(word));
        self.with(
            "cloudtrail_events",
            json!({
                "event_time": "2026-11-15 12:00:00", "event_id": format!("e{number}"), "event_source": format!("{source}.amazonaws.com"),
                "event_name": name, "aws_region": "eu-west-1", "recipient_account_id": ACCOUNT, "identity_account_id": ACCOUNT,
                "principal": arn(principal), "request_parameters": parameters.to_string(), "management_event": true,
                "read_only": reads.to_string(),
                "source_key": "k", "source_record": number,
            }),
        )
    }

    fn session(&self) -> Session {
        let limits = Limits {
            memory: "1GB".to_owned(),
            threads: Some(1),
        };
        let config = Config::load(None).unwrap();
        let mut session = Session::open(&limits, &config, "2026-11-16 06:00:00").unwrap();
        for name in session.tables.keys().cloned().collect::<Vec<_>>() {
            session.register(&name, &[]).unwrap();
        }
        let old = json!({ "event_time": self.first_event, "event_id": "old", "recipient_account_id": ACCOUNT, "source_key": "k", "source_record": -1 });
        for (table, row) in self.rows.iter().chain(&[("cloudtrail_events", old)]) {
            let mut row = row.clone();
            if *table != "cloudtrail_events" {
                row["account_id"] = json!(ACCOUNT);
                row["region"] = json!(if *table == "resources" {
                    "eu-west-1"
                } else {
                    "global"
                });
            }
            let values: Vec<String> = row
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| {
                    let sql = match value {
                        Value::String(text) if text.starts_with("map {") => text.clone(),
                        Value::String(text) => quote(text),
                        Value::Array(list) => {
                            let list: Vec<String> = list
                                .iter()
                                .map(|one| quote(one.as_str().unwrap()))
                                .collect();
                            format!("[{}]::varchar[]", list.join(", "))
                        }
                        other => other.to_string(),
                    };
                    format!("{sql} as {}", identifier(name))
                })
                .collect();
            session
                .connection
                .execute_batch(&format!(
                    "insert into {} by name select {}",
                    identifier(table),
                    values.join(", ")
                ))
                .unwrap();
        }
        session
            .connection
            .execute_batch(&format!(
                "insert into known_accounts values ({})",
                quote(ACCOUNT)
            ))
            .unwrap();
        session.define_views().unwrap();
        events::prepare(&session, &config).unwrap();
        session.note_gaps().unwrap();
        session
            .derive_only(&BTreeSet::from(["assume_edges".to_owned()]))
            .unwrap();
        session
    }

    fn proposal(&self) -> Proposal {
        let proposal = Proposal::make(&self.session()).unwrap();
        assert_eq!(proposal.proof.failures, Vec::<String>::new());
        proposal
    }
}

impl Proposal {
    fn index(&self, path: &str) -> usize {
        self.scene
            .containers
            .iter()
            .position(|container| container.arn == arn(path))
            .unwrap()
    }

    /// Statements that are attached to a container, without their names.
    fn statements(&self, path: &str) -> Vec<Value> {
        let documents = &self.plan.outcomes[self.index(path)].documents;
        documents
            .iter()
            .flat_map(|document| document["Statement"].as_array().unwrap().clone())
            .collect()
    }

    /// What a container is allowed, by action.
    fn allowed(&self, path: &str, action: &str) -> Option<Value> {
        let names = |statement: &&Value| {
            statement["Action"]
                .as_array()
                .unwrap()
                .iter()
                .any(|name| name == action)
        };
        self.statements(path)
            .iter()
            .filter(|statement| statement["Effect"] == "Allow")
            .find(names)
            .map(|statement| statement["Resource"].clone())
    }
}

const DATABASE: &str = "arn:aws:rds:eu-west-1:111122223333:db:d1";

/// A group whose member looks at databases, changes one and never deletes any.
fn operators() -> Account {
    Account::new()
        .group("ops", &allow(json!(["rds:*", "s3:*"]), json!("*")))
        .user("anna", &["ops"], None)
        .user("ben", &[], Some(allow(json!("sns:ListTopics"), json!("*"))))
        .resource(DATABASE, "rds:db", json!({ "System": "shop" }))
        .event("user/anna", "rds", "DescribeDBInstances", json!({}))
        .event(
            "user/anna",
            "rds",
            "StopDBInstance",
            json!({ "dBInstanceIdentifier": "d1" }),
        )
        .event("user/ben", "sns", "ListTopics", json!({}))
}

#[test]
fn a_group_keeps_what_its_members_used_and_what_no_event_could_show() {
    let proposal = operators().proposal();
    assert_eq!(
        proposal.allowed("group/ops", "rds:DescribeDBInstances"),
        Some(json!("*")),
        "the event names no instance"
    );
    let outcome = &proposal.plan.outcomes[proposal.index("group/ops")];
    assert_eq!(outcome.state, State::Replaced);
    for kept in ["s3:GetObject", "s3:DeleteObject"] {
        assert!(outcome.after.contains(kept), "{kept}");
    }
    assert_eq!(outcome.kept["s3:DeleteObject"], Keep::NotObservable);
    for removed in [
        "rds:DeleteDBInstance",
        "rds:DeleteDBCluster",
        "s3:DeleteBucket",
    ] {
        assert!(
            outcome.removed.contains(removed) && !outcome.after.contains(removed),
            "{removed}"
        );
    }
    assert!(
        !outcome.after.contains("rds:DescribeDBClusters"),
        "not dangerous, but not used either"
    );
}

#[test]
fn dangerous_work_goes_to_a_role_that_takes_a_second_factor() {
    let proposal = operators().proposal();
    let outcome = &proposal.plan.outcomes[proposal.index("group/ops")];
    assert_eq!(outcome.behind["rds:StopDBInstance"], "destroy");
    assert!(
        proposal
            .allowed("group/ops", "rds:StopDBInstance")
            .is_none()
    );
    let special = &proposal.plan.specials[&(ACCOUNT.to_owned(), "danger-destroy-rds".to_owned())];
    assert_eq!(
        proposal.allowed("group/ops", "sts:AssumeRole"),
        Some(json!(special.arn))
    );
    assert!(proposal.allowed("user/ben", "sts:AssumeRole").is_none());
    let statements = special.documents[0]["Statement"].as_array().unwrap();
    assert!(
        statements
            .iter()
            .all(|statement| statement["Action"] == json!(["rds:StopDBInstance"]))
    );
    let of = |resource: &str| {
        statements
            .iter()
            .find(|statement| statement["Resource"] == resource)
            .unwrap()
    };
    let database = of("arn:aws:rds:eu-west-1:111122223333:db:*");
    assert_eq!(
        database["Condition"],
        json!({ "StringEquals": { "aws:ResourceTag/System": "shop" } })
    );
    assert!(
        of("arn:aws:rds:eu-west-1:111122223333:snapshot:*")
            .get("Condition")
            .is_none()
    );
    assert_eq!(proposal.proof.counts.special, 1);
    let trust = &files::files(&proposal.scene, &proposal.plan, &[], &proposal.guardrails)["111122223333/trust/danger-destroy-rds.json"];
    assert!(trust.contains("MultiFactorAuthPresent") && trust.contains("MultiFactorAuthAge"));
}

#[test]
fn conditions_and_denials_stay() {
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "sns:*", "Resource": "*", "Condition": { "StringEquals": { "aws:SourceVpc": "vpc-1" } } },
        { "Sid": "No", "Effect": "Deny", "Action": "sns:DeleteTopic", "Resource": "*" },
    ] });
    let account = Account::new()
        .user("anna", &[], Some(policy.clone()))
        .event("user/anna", "sns", "ListTopics", json!({}));
    let statements = account.proposal().statements("user/anna");
    let allowing: Vec<&Value> = statements
        .iter()
        .filter(|statement| statement["Effect"] == "Allow")
        .collect();
    assert!(
        !allowing.is_empty()
            && allowing
                .iter()
                .all(|statement| statement["Condition"] == policy["Statement"][0]["Condition"])
    );
    assert!(
        statements
            .iter()
            .any(|statement| statement["Effect"] == "Deny"
                && statement["Action"] == "sns:DeleteTopic")
    );
}

#[test]
fn a_machine_keeps_what_it_uses_on_what_it_uses_it() {
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:f1";
    let account = Account::new()
        .role(
            "deploy",
            &json!({ "Service": "codebuild.amazonaws.com" }),
            &allow(json!("lambda:*"), json!("*")),
        )
        .resource(function, "lambda:function", json!({}))
        .event(
            "role/deploy",
            "lambda",
            "UpdateFunctionCode20150331v2",
            json!({ "functionName": "f1" }),
        );
    let proposal = account.proposal();
    assert_eq!(
        proposal.allowed("role/deploy", "lambda:UpdateFunctionCode"),
        Some(json!(function))
    );
    assert_eq!(
        proposal.plan.outcomes[proposal.index("role/deploy")].kept["lambda:UpdateFunctionCode"],
        Keep::Machine
    );
    assert!(proposal.plan.specials.is_empty());
}

#[test]
fn people_who_work_in_a_role_go_to_the_special_role_themselves() {
    let account = Account::new()
        .user(
            "anna",
            &[],
            Some(allow(json!("sts:AssumeRole"), json!(arn("role/admin")))),
        )
        .role(
            "admin",
            &json!({ "AWS": arn("root") }),
            &allow(json!("*"), json!("*")),
        )
        .event(
            "user/anna",
            "sts",
            "AssumeRole",
            json!({ "roleArn": arn("role/admin") }),
        )
        .event(
            "role/admin",
            "rds",
            "DeleteDBInstance",
            json!({ "dBInstanceIdentifier": "gone" }),
        );
    let proposal = account.proposal();
    let special = &proposal.plan.specials[&(ACCOUNT.to_owned(), "danger-destroy-rds".to_owned())];
    assert_eq!(
        special.containers,
        BTreeSet::from([proposal.index("user/anna")])
    );
    assert_eq!(
        proposal.allowed("user/anna", "sts:AssumeRole"),
        Some(json!(arn("role/admin"))),
        "the way to the role stays open"
    );
    assert!(
        proposal
            .allowed("role/admin", "rds:DeleteDBInstance")
            .is_none()
    );
}

#[test]
fn what_is_new_or_has_no_history_or_was_not_read_is_left() {
    let mut young = operators();
    young.first_event = "2026-11-01 00:00:00";
    let left = |proposal: &Proposal, path: &str| proposal.plan.outcomes[proposal.index(path)].state;
    assert_eq!(
        left(&young.proposal(), "group/ops"),
        State::Left(Left::ShortHistory)
    );
    let mut new = operators();
    new.rows[1].1["created_at"] = json!("2026-11-10 00:00:00");
    assert_eq!(
        left(&new.proposal(), "group/ops"),
        State::Left(Left::NotSettled),
        "a member is new"
    );
    let mut unread = operators();
    unread.rows[0].1["attached_policy_arns"] = json!(["arn:aws:iam::111122223333:policy/lost"]);
    assert_eq!(
        left(&unread.proposal(), "group/ops"),
        State::Left(Left::Unread)
    );
    let special = operators().role(
        "danger-keys",
        &json!({ "AWS": arn("root") }),
        &allow(json!("kms:*"), json!("*")),
    );
    assert_eq!(
        left(&special.proposal(), "role/danger-keys"),
        State::Left(Left::Special)
    );
    let unseen = operators()
        .user("carl", &[], Some(allow(json!("rds:*"), json!("*"))))
        .proposal();
    assert_eq!(left(&unseen, "user/carl"), State::Denied);
    assert!(
        unseen
            .statements("user/carl")
            .iter()
            .all(|statement| statement["Effect"] == "Deny")
    );
}

#[test]
fn what_policies_of_today_deny_is_not_granted_again() {
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "sns:*", "Resource": "*" },
        { "Effect": "Deny", "Action": "sns:ListTopics", "Resource": "*" },
    ] });
    let proposal = Account::new()
        .user("anna", &[], Some(policy))
        .event("user/anna", "sns", "ListTopics", json!({}))
        .proposal();
    assert!(proposal.allowed("user/anna", "sns:ListTopics").is_none());
    assert_eq!(
        (
            proposal.proof.counts.direct,
            proposal.proof.counts.not_today
        ),
        (0, 1)
    );
}
