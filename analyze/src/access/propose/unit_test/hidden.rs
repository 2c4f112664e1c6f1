//! What could not be seen is not taken for unused.

use serde_json::json;

use super::{Account, allow, arn, operators};
use crate::access::propose::outcome::State;

#[test]
fn a_group_that_could_not_be_read_hides_what_it_grants() {
    let account = operators().user("emil", &["ops", "lost"], None);
    let proposal = account.proposal();
    assert_eq!(
        proposal.plan.outcomes[proposal.index("group/ops")].state,
        State::Replaced
    );
    assert!(
        proposal.proof.json()["remaining"]
            .to_string()
            .contains("could not be read")
    );
}

#[test]
fn what_a_trail_leaves_out_stays_granted() {
    let reading = operators().proposal();
    let outcome = &reading.plan.outcomes[reading.index("group/ops")];
    assert!(!outcome.after.contains("rds:DescribeDBClusters"));
    let mut writing = operators();
    writing
        .rows
        .retain(|(table, row)| *table != "cloudtrail_events" || row["read_only"] != "true");
    let proposal = writing.proposal();
    let outcome = &proposal.plan.outcomes[proposal.index("group/ops")];
    assert!(
        outcome.after.contains("rds:DescribeDBClusters"),
        "nothing shows who reads"
    );
    assert!(!outcome.after.contains("rds:DeleteDBCluster"));
}

#[test]
fn the_way_to_a_role_that_is_gone_leads_to_no_other() {
    let account = operators()
        .user("fay", &[], Some(allow(json!("sts:AssumeRole"), json!("*"))))
        .event(
            "user/fay",
            "sts",
            "AssumeRole",
            json!({ "roleArn": arn("role/gone") }),
        );
    let proposal = account.proposal();
    assert_eq!(
        proposal.allowed("user/fay", "sts:AssumeRole"),
        Some(json!(arn("role/gone")))
    );
}

#[test]
fn what_comes_and_goes_is_named_by_its_type() {
    let machine = Account::new().role(
        "backup",
        &json!({ "Service": "backup.amazonaws.com" }),
        &allow(json!("ec2:*"), json!("*")),
    );
    let account = machine
        .event(
            "role/backup",
            "ec2",
            "DeleteSnapshot",
            json!({ "snapshotId": "snap-1" }),
        )
        .event(
            "role/backup",
            "ec2",
            "DeleteSnapshot",
            json!({ "snapshotId": "snap-2" }),
        );
    let all = json!("arn:aws:ec2:eu-west-1::snapshot/*");
    assert_eq!(
        account
            .proposal()
            .allowed("role/backup", "ec2:DeleteSnapshot"),
        Some(all)
    );
}

#[test]
fn many_resources_of_a_type_stand_for_all_of_it() {
    let mut account = Account::new().role(
        "deploy",
        &json!({ "Service": "codebuild.amazonaws.com" }),
        &allow(json!("lambda:*"), json!("*")),
    );
    for number in 0..12 {
        account = account
            .resource(
                &format!("arn:aws:lambda:eu-west-1:111122223333:function:f{number}"),
                "lambda:function",
                json!({}),
            )
            .event(
                "role/deploy",
                "lambda",
                "UpdateFunctionCode20150331v2",
                json!({ "functionName": format!("f{number}") }),
            );
    }
    let all = json!("arn:aws:lambda:eu-west-1:111122223333:function:*");
    assert_eq!(
        account
            .proposal()
            .allowed("role/deploy", "lambda:UpdateFunctionCode"),
        Some(all)
    );
}

#[test]
fn what_other_accounts_let_in_is_not_taken_away() {
    let key = "arn:aws:kms:eu-west-1:999988887777:key/k";
    let role = "arn:aws:iam::999988887777:role/theirs";
    let account = operators()
        .user(
            "gus",
            &[],
            Some(allow(json!(["sts:AssumeRole", "kms:*"]), json!("*"))),
        )
        .event("user/gus", "sts", "AssumeRole", json!({ "roleArn": role }))
        .event("user/gus", "kms", "DescribeKey", json!({ "keyId": key }));
    let proposal = account.proposal();
    assert_eq!(
        proposal.allowed("user/gus", "sts:AssumeRole"),
        Some(json!(role))
    );
    assert_eq!(
        proposal.allowed("user/gus", "kms:DescribeKey"),
        Some(json!("arn:aws:kms:eu-west-1:999988887777:key/*"))
    );
    assert_eq!(proposal.proof.counts.not_today, 0);
}

#[test]
fn what_is_done_to_a_role_that_is_gone_is_dangerous_all_the_same() {
    let account = operators()
        .user("hal", &[], Some(allow(json!("iam:*"), json!("*"))))
        .event(
            "user/hal",
            "iam",
            "AttachRolePolicy",
            json!({ "roleName": "gone" }),
        );
    let proposal = account.proposal();
    assert!(
        proposal
            .allowed("user/hal", "iam:AttachRolePolicy")
            .is_none()
    );
    assert_eq!(
        proposal.proof.counts.special, 2,
        "the operators' and this one"
    );
}
