//! Policies that AWS would refuse, that are as large as it takes, or that name who is gone: clear, unknown where it can't be known,
//! nothing lost. Through the whole tool: tables, questions, checks, exit codes.

use serde_json::{Value, json};

use super::{
    ACCOUNT, Account, BUCKET, allow, ask, deny, inline, policy, role, trust, user, when, who,
};
use crate::lake::{FIRST, Lake, Output};

/// Documents that are no policies, and what is said of them.
fn broken() -> Vec<(&'static str, Value, &'static str)> {
    let statement = |statement: Value| policy(&json!([statement]));
    let with = |element: &str, value: Value| {
        let mut may = allow("s3:*", "*");
        may[element] = value;
        statement(may)
    };
    let version = |version: Value| json!({"Version": version, "Statement": [allow("s3:*", "*")]});
    vec![
        (
            "no-json",
            json!("{\"Version\":"),
            "no document of it that is JSON",
        ),
        ("empty", json!(""), "no document of it that is JSON"),
        (
            "nested",
            json!("[".repeat(100_000)),
            "no document of it that is JSON",
        ),
        ("nothing", Value::Null, "policy: expected an object"),
        ("a-list", json!("[]"), "policy: expected an object"),
        ("a-text", json!("\"x\""), "policy: expected an object"),
        (
            "version-new",
            version(json!("2099-01-01")),
            "version \"2099-01-01\" is neither",
        ),
        (
            "version-number",
            version(json!(2012)),
            "Version: expected a string",
        ),
        (
            "operator",
            with("Condition", json!({"StringIs": {"a:b": "c"}})),
            "condition operator \"StringIs\" is unknown",
        ),
        (
            "operator-set",
            with("Condition", json!({"ForSome:StringLike": {"a:b": "c"}})),
            "is unknown",
        ),
        (
            "element",
            with("Conditions", json!({})),
            "unknown element \"Conditions\"",
        ),
        (
            "effect",
            with("Effect", json!("allow")),
            "effect \"allow\" is neither",
        ),
        (
            "principal",
            with("Principal", json!("*")),
            "Principal has no place",
        ),
        (
            "resource",
            with("Resource", json!("ledger")),
            "resource \"ledger\" is neither",
        ),
        (
            "action",
            with("Action", json!("DeleteBucket")),
            "action \"DeleteBucket\" is neither",
        ),
        (
            "value",
            with("Condition", json!({"StringLike": {"a:b": null}})),
            "as a condition's value",
        ),
    ]
}

fn query(lake: &Lake, sql: &str) -> String {
    let output = lake.analyze(&["query", sql, "--run", &lake.run(FIRST), "--format", "csv"]);
    assert_eq!(output.code, 0, "{sql}: {}", output.stderr);
    output.stdout
}

/// The checks of dangerous permissions.
fn dangers(lake: &Lake) -> Output {
    let output = lake.analyze(&[
        &lake.run(FIRST),
        "--check",
        "danger-*",
        "--check",
        "trust-*",
    ]);
    assert!(
        matches!(output.code, 0 | 3) && !output.stderr.contains("panicked"),
        "{}",
        output.stderr
    );
    assert_eq!(
        query(lake, "select count(*) from checks where status = 'error'"),
        "count_star()\n0\n"
    );
    output
}

#[test]
fn identity_policies_that_are_none_leave_it_unknown() {
    let mut account = Account::new()
        .bucket("ledger", None)
        .user("fine", &json!([allow("s3:*", "*")]))
        .user("nobody", &json!([]));
    for (name, document, _) in broken() {
        account = account.user_of(name, &document);
    }
    let lake = account.lake();
    dangers(&lake);
    let found = who(&lake, "s3:DeleteBucket", BUCKET);
    let mut expected: Vec<String> = broken()
        .iter()
        .map(|(name, ..)| format!("{name}: unknown"))
        .chain(["fine: allowed".to_owned()])
        .collect();
    expected.sort();
    assert_eq!(found, expected);
    for (name, _, why) in broken() {
        let question = [
            "--action",
            "s3:DeleteBucket",
            "--resource",
            BUCKET,
            "--principal",
            name,
        ];
        let (_, output) = ask(&lake, &question);
        let said = output.stderr.lines().any(|line| {
            line.contains(&format!("{}/own could not be read: ", user(name))) && line.contains(why)
        });
        assert!(output.code == 3 && said, "{name}: {}", output.stderr);
    }
    let unread = query(
        &lake,
        "select count(*) from principal_classes where unread = [principal_arn || '/own']",
    );
    assert_eq!(unread, format!("count_star()\n{}\n", broken().len()));
    let verdicts = query(
        &lake,
        "select p.name, list(distinct g.verdict) from grants as g join principal_classes as p using (principal_class)
        where g.action = 's3:DeleteBucket' and p.name in ('fine', 'nobody', 'operator') group by p.name order by p.name",
    );
    assert_eq!(
        verdicts.lines().skip(1).collect::<Vec<_>>(),
        ["fine,[allowed]", "operator,[unknown]"]
    );
    let admins = query(
        &lake,
        "select count(*) from principal_classes where is_admin is null",
    );
    assert_eq!(
        admins,
        format!("count_star()\n{}\n", broken().len()),
        "whether they are administrators is not known"
    );
}

#[test]
fn boundaries_trust_policies_and_policies_of_resources_that_are_none_do_so_too() {
    let bad = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]});
    let bound = json!({"arn": format!("arn:aws:iam::{ACCOUNT}:policy/bound"), "region": "global", "policy_name": "bound", "document": bad});
    let bounded = json!({"permissions_boundary_arn": format!("arn:aws:iam::{ACCOUNT}:policy/bound"), "inline_policies": inline(&policy(&json!([allow("s3:*", "*")])))});
    let lake = Account::new()
        .bucket("ledger", None)
        .bucket("odd", Some(&bad))
        .row("aws_iam_policy", bound)
        .user_row("bounded", &bounded)
        .user("plain", &json!([]))
        .user("owner", &json!([allow("*", "*")]))
        .role_row("odd", &json!({"assume_role_policy": bad, "inline_policies": inline(&policy(&json!([allow("s3:DeleteBucket", BUCKET)])))}))
        .role_row("gone", &json!({"assume_role_policy": null, "inline_policies": inline(&policy(&json!([allow("s3:DeleteBucket", BUCKET)])))}))
        .lake();
    dangers(&lake);
    let found = who(&lake, "s3:DeleteBucket", BUCKET);
    for way in [
        "bounded: unknown",
        "owner: allowed",
        "odd: allowed",
        "plain > odd: unknown",
        "plain > gone: unknown",
    ] {
        assert!(found.contains(&way.to_owned()), "{way}: {found:?}");
    }
    let found = who(&lake, "s3:DeleteBucket", "arn:aws:s3:::odd");
    for way in ["owner: unknown", "plain: unknown"] {
        assert!(found.contains(&way.to_owned()), "{way}: {found:?}");
    }
    let (_, output) = ask(
        &lake,
        &[
            "--action",
            "s3:DeleteBucket",
            "--resource",
            "arn:aws:s3:::odd",
        ],
    );
    assert!(
        output.code == 3
            && output
                .stderr
                .contains("arn:aws:s3:::odd could not be read: statement 0: effect \"Maybe\""),
        "{}",
        output.stderr
    );
}

#[test]
fn what_is_attached_may_not_be_known() {
    let unknown = |column: &str| json!({column: null});
    let lake = Account::new()
        .bucket("ledger", None)
        .user_row("attached", &unknown("attached_policy_arns"))
        .user_row("inline", &unknown("inline_policies"))
        .user_row("groups", &unknown("group_names"))
        .user_row("member", &json!({"group_names": ["not-listed"]}))
        .user_row("none", &json!({}))
        .lake();
    assert_eq!(
        who(&lake, "s3:DeleteBucket", BUCKET),
        [
            "attached: unknown",
            "groups: unknown",
            "inline: unknown",
            "member: unknown"
        ]
    );
}

#[test]
fn policies_as_large_as_they_may_be_are_read_whole() {
    let padded = |size: usize, last: Value| {
        let mut statements = Vec::new();
        while policy(&json!(statements)).to_string().len() + last.to_string().len() + 120 < size {
            let number = statements.len();
            statements.push(json!({"Effect": "Allow", "Action": ["sqs:Get*", "sqs:List*"], "Resource": format!("arn:aws:sqs:*:*:queue-{number:04}")}));
        }
        statements.push(last);
        policy(&json!(statements))
    };
    let managed = |number: usize| {
        let last = if number == 9 {
            allow("s3:DeleteBucket", "*")
        } else {
            allow("s3:ListAllMyBuckets", "*")
        };
        json!({"arn": format!("arn:aws:iam::{ACCOUNT}:policy/p{number}"), "region": "global", "policy_name": format!("p{number}"), "document": padded(6_144, last)})
    };
    let arns: Vec<String> = (0..10)
        .map(|number| format!("arn:aws:iam::{ACCOUNT}:policy/p{number}"))
        .collect();
    let denial = json!({"Effect": "Deny", "Principal": {"AWS": user("denied")}, "Action": "s3:DeleteBucket", "Resource": BUCKET});
    let mut of_bucket = padded(20_480, denial);
    for statement in of_bucket["Statement"].as_array_mut().unwrap() {
        if statement["Effect"] == "Allow" {
            *statement = json!({"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "s3:GetObject", "Resource": format!("{BUCKET}/{}", statement["Resource"].as_str().unwrap())});
        }
    }
    let mut account = Account::new()
        .bucket("ledger", Some(&of_bucket))
        .user_row("managed", &json!({"attached_policy_arns": arns}))
        .user_row("denied", &json!({"attached_policy_arns": arns}))
        .user_of("own", &padded(2_048, allow("s3:DeleteBucket", BUCKET)));
    for number in 0..10 {
        account = account.row("aws_iam_policy", managed(number));
    }
    assert_eq!(
        who(&account.lake(), "s3:DeleteBucket", BUCKET),
        ["managed: allowed", "own: allowed"]
    );
}

#[test]
fn wildcards_in_every_place_and_variables_without_a_value() {
    let wild = json!({"Effect": "Allow", "Action": "*?*:*?*", "Resource": "arn:*:*:*:*:*?*", "Condition": {"StringLike": {"aws:userid": "*?*"}, "ArnLike": {"aws:PrincipalArn": "arn:*:*:*:*:*"}}});
    let star = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:username": "*"}}});
    let many = "*a".repeat(400);
    let slow = allow("s3:*", &format!("arn:aws:s3:::{many}*"));
    let on = |resource: &str| json!([allow("s3:*", resource)]);
    let lake = Account::new()
        .bucket("ledger", None)
        .user("wild", &json!([wild]))
        .user("star", &json!([star]))
        .user("slow", &json!([slow]))
        .user("denied", &json!([star, {"Effect": "Deny", "NotAction": "iam:*", "NotResource": "arn:aws:iam::*:*"}]))
        .user("empty-name", &on("arn:aws:s3:::${}"))
        .user("not-closed", &on("arn:aws:s3:::${aws:username"))
        .user("no-tag", &on("arn:aws:s3:::${aws:PrincipalTag/none}"))
        .user("not-known", &on("arn:aws:s3:::${aws:FederatedProvider}*"))
        .user("made-up", &on("arn:aws:s3:::${sevenwalls:none}"))
        .user("denied-by-variable", &json!([allow("s3:*", "*"), deny("s3:*", "arn:aws:s3:::${sevenwalls:none}")]))
        .lake();
    dangers(&lake);
    assert_eq!(
        who(&lake, "s3:DeleteBucket", BUCKET),
        [
            "denied-by-variable: conditional",
            "empty-name: conditional",
            "made-up: conditional",
            "star: allowed",
            "wild: allowed"
        ]
    );
}

/// Nobody has the id that a deleted principal leaves behind, whoever has its name now.
#[test]
fn who_is_gone_is_nobody() {
    let gone = json!({"AWS": ["AIDAGONEGONEGONEGONE", "AROAGONEGONEGONEGONE"]});
    let shared = policy(&json!([
        {"Effect": "Allow", "Principal": gone, "Action": "s3:*", "Resource": BUCKET},
        {"Effect": "Deny", "NotPrincipal": {"AWS": ["AIDAGONEGONEGONEGONE"]}, "Action": "s3:PutBucketPolicy", "Resource": BUCKET},
    ]));
    let lake = Account::new()
        .bucket("ledger", Some(&shared))
        .user("anna", &json!([allow("sts:AssumeRole", "*")]))
        .user("owner", &json!([allow("s3:*", "*")]))
        .role(
            "orphan",
            &json!([trust(&gone)]),
            &json!([allow("s3:DeleteBucket", BUCKET)]),
        )
        .lake();
    dangers(&lake);
    assert_eq!(
        who(&lake, "s3:DeleteBucket", BUCKET),
        ["orphan: allowed", "owner: allowed"]
    );
    assert_eq!(
        who(&lake, "s3:PutBucketPolicy", BUCKET),
        [""; 0],
        "a denial that spares somebody who is gone spares nobody"
    );
    assert_eq!(who(&lake, "sts:AssumeRole", &role("orphan")), [""; 0]);
    assert_eq!(
        query(&lake, "select count(*) from assume_edges"),
        "count_star()\n0\n"
    );
}

#[test]
fn roles_in_circles_end() {
    let ring = |from: &str| json!([trust(&json!({"AWS": role(from)}))]);
    let next = |to: &str| allow("sts:AssumeRole", &role(to));
    let lake = Account::new()
        .bucket("ledger", None)
        .user("anna", &json!([next("one")]))
        .role(
            "one",
            &json!([trust(
                &json!({"AWS": [user("anna"), role("three"), role("one")]})
            )]),
            &json!([next("two"), next("one")]),
        )
        .role("two", &ring("one"), &json!([next("three")]))
        .role(
            "three",
            &ring("two"),
            &json!([
                next("one"),
                when(
                    allow("s3:DeleteBucket", BUCKET),
                    &json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}})
                )
            ]),
        )
        .lake();
    dangers(&lake);
    assert_eq!(
        who(&lake, "s3:DeleteBucket", BUCKET),
        [
            "anna > one > two > three: allowed, required",
            "one > two > three: allowed, required",
            "three: allowed, required",
            "two > three: allowed, required",
        ]
    );
    let (rows, _) = ask(&lake, &["--principal", "anna"]);
    assert_eq!(rows.len(), 1, "{rows:?}");
}

/// Checks keep what failed, and say of the rest that it is not known.
#[test]
fn a_denied_call_leaves_what_was_seen() {
    let critical = json!({"arn": BUCKET, "resource_type": "s3:bucket", "name": "ledger", "has_policy": "false", "tags": {"Importance": "critical"}});
    let mut account = Account::new()
        .row("aws_s3_bucket", critical)
        .user("anna", &json!([allow("s3:DeleteBucket", "*")]));
    let statuses = |account: &Account| {
        let lake = account.lake();
        let output = dangers(&lake);
        let found = query(
            &lake,
            "select status, count(*) from findings where check_id = 'danger-unscoped' group by status order by status",
        );
        let grants = query(
            &lake,
            "select count(*) > 0 from grants where action = 's3:DeleteBucket'",
        );
        assert!(grants.contains("true"), "{grants}");
        (
            found.lines().skip(1).map(str::to_owned).collect::<Vec<_>>(),
            output,
        )
    };
    let (before, _) = statuses(&account);
    assert!(
        before.iter().any(|status| status.starts_with("fail,")),
        "{before:?}"
    );
    account.errors.push(json!({"region": "global", "service": "iam", "operation": "GetAccountAuthorizationDetails", "table_name": "aws_iam_role", "kind": "denied", "code": "AccessDenied"}));
    let (after, output) = statuses(&account);
    assert!(
        output.code == 3
            && output
                .stderr
                .contains("iam:GetAccountAuthorizationDetails was denied (AccessDenied)"),
        "{}",
        output.stderr
    );
    assert!(
        after.iter().any(|status| status.starts_with("fail,"))
            && after.iter().any(|status| status.starts_with("unknown,"))
            && !after.iter().any(|status| status.starts_with("pass,")),
        "{after:?}"
    );
}
