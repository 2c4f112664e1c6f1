//! Whose word counts: the policies of resources, of other accounts, of the organization.

use serde_json::{Value, json};

use super::{ACCOUNT, Account, BUCKET, allow, deny, inline, policy, role, trust, user, who};

/// Of the policies of a resource: alone they allow within the account, past a boundary too where they name the user or session.
#[test]
fn the_policy_of_a_resource_counts_within_its_account() {
    let named = |principal: Value| json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "s3:DeleteBucket", "Resource": BUCKET});
    let shared = policy(&json!([
        named(json!([user("named"), user("bounded"), role("bounded-role"), user("denied")])),
        named(json!(format!("arn:aws:sts::{ACCOUNT}:assumed-role/web/ann"))),
        named(json!(ACCOUNT)),
        named(json!(["AIDAGONEGONEGONEGONE", "AROAGONEGONEGONEGONE"])),
        {"Effect": "Deny", "Principal": {"AWS": user("denied")}, "Action": "s3:*", "Resource": BUCKET},
    ]));
    let reads = json!({"arn": format!("arn:aws:iam::{ACCOUNT}:policy/reads"), "region": "global", "policy_name": "reads", "document": policy(&json!([allow("s3:Get*", "*")]))});
    let bounded =
        json!({"permissions_boundary_arn": format!("arn:aws:iam::{ACCOUNT}:policy/reads")});
    let mut bounded_role = bounded.clone();
    bounded_role["assume_role_policy"] = policy(&json!([]));
    let account = Account::new()
        .bucket("ledger", Some(&shared))
        .row("aws_iam_policy", reads)
        .user("named", &json!([]))
        .user("unnamed", &json!([]))
        .user("own", &json!([allow("s3:DeleteBucket", "*")]))
        .user("denied", &json!([allow("*", "*")]))
        .user_row("bounded", &bounded)
        .role_row("bounded-role", &bounded_role)
        .role("web", &json!([]), &json!([]))
        .role("gone", &json!([]), &json!([]));
    assert_eq!(
        who(&account.lake(), "s3:DeleteBucket", BUCKET),
        [
            "bounded: allowed",
            "named: allowed",
            "own: allowed",
            "web: conditional"
        ]
    );
}

#[test]
fn a_key_takes_what_its_own_policy_allows() {
    let key = |name: &str| format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/{name}");
    let row = |name: &str, document: Value| json!({"arn": key(name), "resource_type": "kms:key", "key_id": name, "policy": document});
    let root = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")});
    let on = |principal: &Value| {
        policy(
            &json!([{"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}]),
        )
    };
    let lake = Account::new()
        .row("aws_kms_key", row("usual", on(&root)))
        .row(
            "aws_kms_key",
            row("closed", on(&json!({"AWS": user("keeper")}))),
        )
        .row("aws_kms_key", row("unread", Value::Null))
        .user("admin", &json!([allow("*", "*")]))
        .user("keeper", &json!([]))
        .lake();
    let who = |name: &str| who(&lake, "kms:ScheduleKeyDeletion", &key(name));
    assert_eq!(who("usual"), ["admin: allowed"]);
    assert_eq!(who("closed"), ["keeper: allowed"]);
    assert_eq!(who("unread"), ["admin: unknown", "keeper: unknown"]);
}

/// Across accounts both sides have to allow.
#[test]
fn across_accounts_both_sides_allow() {
    let other = "444455556666";
    let from = |name: &str, statements: Value| json!({"arn": format!("arn:aws:iam::{other}:user/{name}"), "account_id": other, "name": name, "user_name": name, "user_id": format!("AIDA{name}"), "inline_policies": inline(&policy(&statements))});
    let ours = |name: &str| format!("arn:aws:iam::{other}:user/{name}");
    let shared = policy(
        &json!([{"Effect": "Allow", "Principal": {"AWS": [ours("both"), ours("theirs"), "777788889999"]}, "Action": "s3:DeleteBucket", "Resource": BUCKET}]),
    );
    let account = Account::new()
        .bucket("ledger", Some(&shared))
        .user("admin", &json!([allow("*", "*")]))
        .user_row("both", &from("both", json!([allow("s3:*", "*")])))
        .user_row("theirs", &from("theirs", json!([])))
        .user_row("ours", &from("ours", json!([allow("*", "*")])));
    assert_eq!(
        who(&account.lake(), "s3:DeleteBucket", BUCKET),
        [
            "admin: allowed",
            "arn:aws:iam::444455556666:user/both: allowed",
            "arn:aws:iam::777788889999:root: allowed"
        ]
    );
}

/// An organization: `management`, and the account below a unit; policies by the node that they hang at.
fn organization(service: &[(&str, Value)], resource: &[(&str, Value)]) -> Account {
    let management = "999988887777";
    let member = |id: &str, path: &str| json!({"arn": format!("arn:aws:organizations::{management}:account/o-1/{id}"), "region": "global", "member_account_id": id, "paths": [path]});
    let bucket = |name: &str, account: &str| json!({"arn": format!("arn:aws:s3:::{name}"), "account_id": account, "resource_type": "s3:bucket", "has_policy": "false"});
    let other = |name: &str| json!({"arn": format!("arn:aws:iam::{management}:user/{name}"), "account_id": management, "name": name, "user_name": name, "inline_policies": inline(&policy(&json!([allow("*", "*")])))});
    let linked = json!({
        "arn": format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"), "is_service_linked": "true",
        "assume_role_policy": policy(&json!([trust(&json!({"Service": "x.amazonaws.com"}))])), "inline_policies": inline(&policy(&json!([allow("*", "*")]))),
    });
    let mut account = Account::new()
        .row("aws_organizations_organization", json!({"arn": "arn:aws:organizations::1:organization/o-1", "region": "global", "management_account_id": management}))
        .row("aws_organizations_account", member(ACCOUNT, &format!("o-1/r-1/ou-1/{ACCOUNT}/")))
        .row("aws_organizations_account", member(management, &format!("o-1/r-1/{management}/")))
        .row("aws_s3_bucket", bucket("ledger", ACCOUNT))
        .row("aws_s3_bucket", bucket("books", management))
        .row("aws_rds_db_instance", json!({"arn": format!("arn:aws:rds:eu-west-1:{ACCOUNT}:db:orders"), "resource_type": "rds:db"}))
        .user("member", &json!([allow("*", "*")]))
        .role_row("linked", &linked)
        .user_row("manager", &other("manager"));
    for (table, policies) in [
        ("aws_organizations_service_control_policy", service),
        ("aws_organizations_resource_control_policy", resource),
    ] {
        for (number, (node, document)) in policies.iter().enumerate() {
            let arn = format!("arn:aws:organizations::{management}:policy/o-1/{table}/p-{number}");
            account = account.row(
                table,
                json!({"arn": arn, "region": "global", "content": document, "target_ids": [node]}),
            );
        }
    }
    account
}

const BOOKS: &str = "arn:aws:s3:::books";
const MANAGER: &str = "arn:aws:iam::999988887777:user/manager: allowed";
const LINKED: &str = "AWSServiceRoleForX: allowed";

#[test]
fn every_level_of_an_organization_has_to_allow() {
    let full = policy(&json!([allow("*", "*")]));
    let s3_only = policy(&json!([allow("s3:*", "*")]));
    let deny_deletion = policy(&json!([deny("s3:DeleteBucket", "*")]));
    let services = "x.amazonaws.com > AWSServiceRoleForX: allowed";
    let of = |policies: &[(&str, Value)]| {
        who(
            &organization(policies, &[]).lake(),
            "s3:DeleteBucket",
            BUCKET,
        )
    };
    let everywhere = |mut more: Vec<(&'static str, Value)>| {
        more.extend([
            ("r-1", full.clone()),
            ("ou-1", full.clone()),
            (ACCOUNT, full.clone()),
        ]);
        more
    };
    assert_eq!(
        of(&everywhere(vec![])),
        [LINKED, "member: allowed", services]
    );
    assert_eq!(
        of(&everywhere(vec![("ou-1", deny_deletion.clone())])),
        [LINKED, services],
        "a denial at one level"
    );
    let levels = |unit: &Value, account: &Value| {
        vec![
            ("r-1", full.clone()),
            ("ou-1", unit.clone()),
            (ACCOUNT, account.clone()),
        ]
    };
    let only_ec2 = policy(&json!([allow("ec2:*", "*")]));
    assert_eq!(
        of(&levels(&s3_only, &full)),
        [LINKED, "member: allowed", services],
        "each allows"
    );
    assert_eq!(
        of(&levels(&s3_only, &only_ec2)),
        [LINKED, services],
        "both allow something else"
    );
    assert_eq!(
        of(&levels(&full, &json!("not a policy"))),
        [LINKED, "member: unknown", services],
        "one can't be read"
    );
    // The account that manages the organization is spared.
    let lake = organization(&[("r-1", deny_deletion)], &[]).lake();
    assert_eq!(who(&lake, "s3:DeleteBucket", BOOKS), [MANAGER]);
}

#[test]
fn resource_control_denies_for_the_services_it_reaches() {
    let denial = |action: &str| {
        policy(&json!([{"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}]))
    };
    let full =
        policy(&json!([{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]));
    let database = format!("arn:aws:rds:eu-west-1:{ACCOUNT}:db:orders");
    let services = "x.amazonaws.com > AWSServiceRoleForX: allowed";
    let lake = organization(
        &[],
        &[
            ("r-1", full.clone()),
            ("ou-1", denial("s3:*")),
            ("r-1", denial("rds:*")),
        ],
    )
    .lake();
    assert_eq!(who(&lake, "s3:DeleteBucket", BUCKET), [LINKED, services]);
    assert_eq!(
        who(&lake, "rds:DeleteDBInstance", &database),
        [LINKED, "member: allowed", services],
        "not a service that they reach"
    );
    // A level without policies denies nothing, and nothing is lost where only some actions are denied.
    let lake = organization(&[], &[("ou-1", denial("s3:GetObject"))]).lake();
    assert_eq!(
        who(&lake, "s3:DeleteBucket", BUCKET),
        [LINKED, "member: allowed", services]
    );
    // Resources of the account that manages the organization are spared.
    let lake = organization(&[], &[("r-1", denial("s3:*"))]).lake();
    assert_eq!(who(&lake, "s3:DeleteBucket", BOOKS), [MANAGER]);
    assert_eq!(who(&lake, "s3:DeleteBucket", BUCKET), [LINKED, services]);
}
