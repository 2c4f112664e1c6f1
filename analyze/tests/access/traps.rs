//! What analysers of IAM get wrong, each a case: asked of a run, as a user would.

use serde_json::{Value, json};

use super::{ACCOUNT, Account, BUCKET, allow, deny, inline, policy, when, who};

/// A user for each policy; whether they may do something, in the order of the cases. None: not at all.
fn check(action: &str, resource: &str, cases: &[(&str, Value, Option<&str>)]) {
    let mut account = Account::new().bucket("ledger", None);
    for (name, statements, _) in cases {
        account = account.user(name, statements);
    }
    compare(&account, action, resource, cases);
}

fn compare(account: &Account, action: &str, resource: &str, cases: &[(&str, Value, Option<&str>)]) {
    let found = who(&account.lake(), action, resource);
    let mut expected: Vec<String> = cases
        .iter()
        .filter_map(|(name, _, verdict)| Some(format!("{name}: {}", (*verdict)?)))
        .collect();
    expected.sort();
    assert_eq!(found, expected, "{action} on {resource}");
}

#[test]
fn wildcards_are_those_of_iam_not_of_sql() {
    let on = |resource: &str| json!([allow("s3:GetObject", resource)]);
    check(
        "s3:GetObject",
        "arn:aws:s3:::ledger/a_b%c/Date:1",
        &[
            (
                "same",
                on("arn:aws:s3:::ledger/a_b%c/Date:1"),
                Some("allowed"),
            ),
            ("underscore", on("arn:aws:s3:::ledger/a__%c/Date:1"), None),
            ("percent", on("arn:aws:s3:::ledger/%"), None),
            (
                "question",
                on("arn:aws:s3:::ledger/a?b%c/Date:1"),
                Some("allowed"),
            ),
            (
                "two-questions",
                on("arn:aws:s3:::ledger/a??b%c/Date:1"),
                None,
            ),
            (
                "star-crosses",
                on("arn:aws:s3:::ledger/a*1"),
                Some("allowed"),
            ),
            ("case-of-arn", on("arn:aws:s3:::ledger/A_B%C/Date:1"), None),
            (
                "case-of-action",
                json!([allow("S3:gEtObJeCt", "*")]),
                Some("allowed"),
            ),
            ("bucket-only", on(BUCKET), None),
            ("objects-only", on("arn:aws:s3:::ledger/*"), Some("allowed")),
            ("regexp", on("arn:aws:s3:::ledger/.*"), None),
        ],
    );
}

#[test]
fn a_bucket_is_not_its_objects() {
    check(
        "s3:DeleteBucket",
        BUCKET,
        &[
            ("bucket", json!([allow("s3:*", BUCKET)]), Some("allowed")),
            (
                "objects",
                json!([allow("s3:*", "arn:aws:s3:::ledger/*")]),
                None,
            ),
            (
                "both",
                json!([allow("s3:*", "arn:aws:s3:::ledger*")]),
                Some("allowed"),
            ),
        ],
    );
}

/// Temporary credentials with and without a second factor, and access keys, which have no key about it.
#[test]
fn a_second_factor_has_three_states() {
    let may = || allow("s3:DeleteBucket", "*");
    let denied = |condition: Value| json!([may(), when(deny("s3:*", "*"), &condition)]);
    let allowed = |condition: Value| json!([when(may(), &condition)]);
    let present = |value: &str| json!({"aws:MultiFactorAuthPresent": value});
    let cases = [
        ("plain", json!([may()]), Some("allowed")),
        (
            "deny-bool",
            denied(json!({"Bool": present("false")})),
            Some("allowed, spared"),
        ),
        (
            "deny-boolifexists",
            denied(json!({"BoolIfExists": present("false")})),
            Some("allowed, required"),
        ),
        (
            "deny-not-equals",
            denied(json!({"StringNotEquals": present("true")})),
            Some("allowed, required"),
        ),
        (
            "deny-age",
            denied(json!({"NumericGreaterThan": {"aws:MultiFactorAuthAge": "3600"}})),
            Some("allowed"),
        ),
        (
            "deny-age-ifexists",
            denied(json!({"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "3600"}})),
            Some("allowed, required"),
        ),
        (
            "deny-null-age",
            denied(json!({"Null": {"aws:MultiFactorAuthAge": "true"}})),
            Some("allowed, required"),
        ),
        (
            "deny-present-null",
            denied(json!({"Null": present("true")})),
            Some("allowed"),
        ),
        (
            "allow-bool",
            allowed(json!({"Bool": present("true")})),
            Some("allowed, required"),
        ),
        (
            "allow-boolifexists",
            allowed(json!({"BoolIfExists": present("true")})),
            Some("allowed, spared"),
        ),
        (
            "allow-age",
            allowed(json!({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}})),
            Some("allowed, required"),
        ),
        (
            "allow-all-values",
            allowed(json!({"ForAllValues:Bool": present("true")})),
            Some("allowed, spared"),
        ),
        (
            "case-of-key",
            denied(json!({"BoolIfExists": {"AWS:multifactorauthpresent": "false"}})),
            Some("allowed, required"),
        ),
        (
            "only-with",
            json!([
                when(may(), &json!({"Bool": present("true")})),
                when(deny("s3:*", "*"), &json!({"Bool": present("true")}))
            ]),
            None,
        ),
    ];
    check("s3:DeleteBucket", BUCKET, &cases);
    // Sessions of roles are temporary: there is no key that slips through.
    let hole = denied(json!({"Bool": present("false")}));
    let role = Account::new()
        .bucket("ledger", None)
        .role("ops", &json!([]), &hole);
    compare(
        &role,
        "s3:DeleteBucket",
        BUCKET,
        &[("ops", hole, Some("allowed, required"))],
    );
}

#[test]
fn absent_and_unknown_keys_decide_as_they_do_in_aws() {
    let may = || allow("s3:DeleteBucket", "*");
    let allowed = |condition: Value| json!([when(may(), &condition)]);
    let denied = |condition: Value| json!([may(), when(deny("s3:*", "*"), &condition)]);
    check(
        "s3:DeleteBucket",
        BUCKET,
        &[
            // Nobody who signs himself has the key.
            (
                "absent",
                allowed(json!({"StringEquals": {"aws:SourceAccount": "1"}})),
                None,
            ),
            (
                "absent-negated",
                allowed(json!({"StringNotEquals": {"aws:SourceAccount": "1"}})),
                Some("allowed"),
            ),
            (
                "absent-if-exists",
                allowed(json!({"StringEqualsIfExists": {"aws:SourceAccount": "1"}})),
                Some("allowed"),
            ),
            (
                "absent-null",
                allowed(json!({"Null": {"aws:SourceAccount": "true"}})),
                Some("allowed"),
            ),
            (
                "absent-all",
                allowed(json!({"ForAllValues:StringEquals": {"aws:CalledVia": "x.amazonaws.com"}})),
                Some("allowed"),
            ),
            (
                "absent-any",
                allowed(json!({"ForAnyValue:StringEquals": {"aws:CalledVia": "x.amazonaws.com"}})),
                None,
            ),
            (
                "absent-deny-negated",
                denied(
                    json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1", "aws:CalledViaFirst": "x"}}),
                ),
                Some("conditional"),
            ),
            // A request tells it.
            (
                "unknown",
                allowed(json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})),
                Some("conditional"),
            ),
            (
                "unknown-deny",
                denied(json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})),
                Some("conditional"),
            ),
            (
                "unknown-request-tag",
                allowed(json!({"StringEquals": {"aws:RequestTag/a": "b"}})),
                Some("conditional"),
            ),
            // Everybody has a user id: no limit.
            (
                "userid-any",
                allowed(json!({"StringLike": {"aws:userid": "*"}})),
                Some("allowed"),
            ),
            (
                "userid-own",
                allowed(json!({"StringEquals": {"aws:userid": "AIDAuserid-own"}})),
                Some("allowed"),
            ),
            (
                "userid-other",
                allowed(json!({"StringEquals": {"aws:userid": "AIDAsomebody"}})),
                None,
            ),
            (
                "secure",
                allowed(json!({"Bool": {"aws:SecureTransport": "false"}})),
                None,
            ),
        ],
    );
}

#[test]
fn a_denial_takes_what_it_covers_and_no_more() {
    let may = || allow("s3:DeleteBucket", "*");
    check(
        "s3:DeleteBucket",
        BUCKET,
        &[
            ("covered", json!([may(), deny("s3:Delete*", BUCKET)]), None),
            ("first", json!([deny("s3:*", "*"), may()]), None),
            (
                "elsewhere",
                json!([may(), deny("s3:*", "arn:aws:s3:::other")]),
                Some("allowed"),
            ),
            (
                "objects",
                json!([may(), deny("s3:*", "arn:aws:s3:::ledger/*")]),
                Some("allowed"),
            ),
            (
                "other-action",
                json!([may(), deny("s3:DeleteObject", "*")]),
                Some("allowed"),
            ),
            (
                "not-action",
                json!([may(), {"Effect": "Deny", "NotAction": "s3:Get*", "Resource": "*"}]),
                None,
            ),
            (
                "not-action-spares",
                json!([may(), {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}]),
                Some("allowed"),
            ),
            (
                "not-resource",
                json!([may(), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::other"}]),
                None,
            ),
            (
                "not-resource-spares",
                json!([may(), {"Effect": "Deny", "Action": "*", "NotResource": BUCKET}]),
                Some("allowed"),
            ),
            (
                "allow-not-action",
                json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]),
                Some("allowed"),
            ),
            (
                "condition-not-met",
                json!([
                    may(),
                    when(
                        deny("s3:*", "*"),
                        &json!({"Bool": {"aws:SecureTransport": "false"}})
                    )
                ]),
                Some("allowed"),
            ),
        ],
    );
}

#[test]
fn a_denial_may_stand_in_another_policy() {
    let may = json!([allow("s3:DeleteBucket", "*")]);
    let group = |name: &str, statements: Value| json!({"arn": format!("arn:aws:iam::{ACCOUNT}:group/{name}"), "region": "global", "group_name": name, "attached_policy_arns": [], "inline_policies": inline(&policy(&statements))});
    let managed = |name: &str, statements: Value| json!({"arn": format!("arn:aws:iam::{ACCOUNT}:policy/{name}"), "region": "global", "policy_name": name, "document": policy(&statements)});
    let of = |columns: Value| {
        let mut columns = columns;
        columns["inline_policies"] = inline(&policy(&may));
        columns
    };
    let bounded = |name: &str| {
        of(json!({"permissions_boundary_arn": format!("arn:aws:iam::{ACCOUNT}:policy/{name}")}))
    };
    let account = Account::new()
        .bucket("ledger", None)
        .row(
            "aws_iam_group",
            group("careful", json!([deny("s3:Delete*", "*")])),
        )
        .row("aws_iam_group", group("bold", json!([allow("s3:*", "*")])))
        .row(
            "aws_iam_policy",
            managed("no", json!([deny("s3:*", BUCKET)])),
        )
        .row(
            "aws_iam_policy",
            managed("reads", json!([allow("s3:Get*", "*")])),
        )
        .row("aws_iam_policy", managed("all", json!([allow("*", "*")])))
        .row(
            "aws_iam_policy",
            managed(
                "all-but",
                json!([allow("*", "*"), deny("s3:DeleteBucket", "*")]),
            ),
        )
        .user_row("by-group", &of(json!({"group_names": ["careful"]})))
        .user_row("from-group", &json!({"group_names": ["bold"]}))
        .user_row("both-groups", &json!({"group_names": ["bold", "careful"]}))
        .user_row(
            "by-managed",
            &of(json!({"attached_policy_arns": [format!("arn:aws:iam::{ACCOUNT}:policy/no")]})),
        )
        .user_row("bounded", &bounded("reads"))
        .user_row("bounded-wide", &bounded("all"))
        .user_row("bounded-denied", &bounded("all-but"))
        .user_row(
            "only-bounded",
            &json!({"permissions_boundary_arn": format!("arn:aws:iam::{ACCOUNT}:policy/all")}),
        );
    assert_eq!(
        who(&account.lake(), "s3:DeleteBucket", BUCKET),
        ["bounded-wide: allowed", "from-group: allowed"]
    );
}

#[test]
fn variables_and_tags_are_filled_in_where_they_are_known() {
    let own = |resource: &str| json!([allow("s3:*", resource)]);
    let by_tag = |condition: Value| json!([when(allow("s3:DeleteBucket", "*"), &condition)]);
    let cases = [
        (
            "ledger",
            own("arn:aws:s3:::${aws:username}"),
            Some("allowed"),
        ),
        ("other", own("arn:aws:s3:::${aws:username}"), None),
        (
            "default",
            own("arn:aws:s3:::${aws:PrincipalTag/bucket, 'ledger'}"),
            Some("allowed"),
        ),
        (
            "absent",
            own("arn:aws:s3:::${aws:PrincipalTag/bucket}*"),
            None,
        ),
        (
            "unresolved",
            own("arn:aws:s3:::${aws:SourceIdentity}"),
            Some("conditional"),
        ),
        ("literal", own("arn:aws:s3:::${*}"), None),
        (
            "resource-tag",
            by_tag(json!({"StringEquals": {"aws:ResourceTag/team": "red"}})),
            Some("allowed"),
        ),
        (
            "resource-tag-other",
            by_tag(json!({"StringEquals": {"aws:ResourceTag/team": "blue"}})),
            None,
        ),
        (
            "resource-tag-absent",
            by_tag(json!({"StringEquals": {"aws:ResourceTag/nobody": "blue"}})),
            None,
        ),
        (
            "principal-tag",
            by_tag(json!({"StringEquals": {"aws:PrincipalTag/team": "red"}})),
            None,
        ),
        (
            "request-tag",
            by_tag(json!({"StringEquals": {"aws:RequestTag/team": "red"}})),
            Some("conditional"),
        ),
        (
            "tag-of-both",
            by_tag(json!({"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}})),
            None,
        ),
    ];
    let mut account = Account::new().row(
        "aws_s3_bucket",
        json!({"arn": BUCKET, "resource_type": "s3:bucket", "tags": {"Team": "red"}, "has_policy": "false"}),
    );
    for (name, statements, _) in &cases {
        account = account.user(name, statements);
    }
    let tagged = json!({"tags": {"team": "red"}, "inline_policies": inline(&policy(&cases[11].1))});
    account = account.user_row("red", &tagged);
    let mut cases = cases.to_vec();
    cases.push(("red", Value::Null, Some("allowed")));
    compare(&account, "s3:DeleteBucket", BUCKET, &cases);
}

#[test]
fn wildcards_in_the_account_and_region_of_an_arn_are_no_limit() {
    let queue = format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:orders");
    let on = |resource: &str| json!([allow("sqs:*", resource)]);
    let cases = [
        ("any", on("arn:aws:sqs:*:*:orders"), Some("allowed")),
        ("any-partition", on("arn:*:sqs:*:*:*"), Some("allowed")),
        (
            "region",
            on(&format!("arn:aws:sqs:us-*:{ACCOUNT}:orders")),
            None,
        ),
        ("account", on("arn:aws:sqs:*:444455556666:orders"), None),
    ];
    let row = json!({"arn": queue, "resource_type": "sqs:queue", "queue_url": "https://q", "config": {"QueueAttributes": {}}});
    let mut account = Account::new().row("aws_sqs_queue", row);
    for (name, statements, _) in &cases {
        account = account.user(name, statements);
    }
    compare(&account, "sqs:DeleteQueue", &queue, &cases);
}

/// An action without resources is judged by `*`: to grant it on an ARN grants nothing.
#[test]
fn an_action_that_takes_no_resource_is_not_granted_on_one() {
    check(
        "s3:ListAllMyBuckets",
        BUCKET,
        &[
            ("scoped", json!([allow("s3:*", BUCKET)]), None),
            ("all", json!([allow("s3:List*", "*")]), Some("allowed")),
            (
                "denied-scoped",
                json!([allow("s3:*", "*"), deny("s3:*", BUCKET)]),
                Some("allowed"),
            ),
        ],
    );
}
