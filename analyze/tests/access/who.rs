//! Who may do it: paths, what each takes of a second factor, conditions, deciding statements, the last use; in text and JSON.

use serde_json::{Value, json};

use super::{
    ACCOUNT, Account, BUCKET, allow, ask, deny, inline, policy, role, trust, user, way, when, who,
};
use crate::lake::{FIRST, Lake};

fn mfa() -> Value {
    json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}})
}

/// anna becomes `first`, with a second factor, and in it `second`, who may delete the bucket; ben becomes `second` at once.
fn chain() -> Account {
    let account = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")});
    Account::new()
        .bucket("ledger", None)
        .user("anna", &json!([allow("sts:AssumeRole", &role("first"))]))
        .user("ben", &json!([allow("sts:AssumeRole", &role("second"))]))
        .user(
            "cleo",
            &json!([allow("s3:*", "*"), deny("s3:DeleteBucket", "*")]),
        )
        .role(
            "first",
            &json!([when(trust(&account), &mfa())]),
            &json!([allow("sts:AssumeRole", &role("second"))]),
        )
        .role(
            "second",
            &json!([
                trust(&json!({"AWS": [role("first"), user("ben")]})),
                trust(&json!({"Service": "ec2.amazonaws.com"}))
            ]),
            &json!([when(
                allow("s3:DeleteBucket", BUCKET),
                &json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
            )]),
        )
}

#[test]
fn paths_lead_over_roles_and_say_what_each_takes() {
    let lake = chain().lake();
    assert_eq!(
        who(&lake, "s3:DeleteBucket", BUCKET),
        [
            "anna > first > second: conditional, required",
            "ben > second: conditional",
            "ec2.amazonaws.com > second: conditional",
            "first > second: conditional",
            "second: conditional",
        ]
    );
    let of = |principal: &str| {
        let (rows, output) = ask(
            &lake,
            &[
                "--action",
                "s3:DeleteBucket",
                "--resource",
                BUCKET,
                "--principal",
                principal,
            ],
        );
        assert_eq!(output.code, 0, "{}", output.stderr);
        (rows.iter().map(way).collect::<Vec<_>>(), output.stderr)
    };
    assert_eq!(of("ben").0, ["ben > second: conditional"]);
    assert_eq!(
        of(&user("anna")).0,
        ["anna > first > second: conditional, required"]
    );
    let (none, said) = of("cleo");
    assert!(
        none.is_empty() && said.contains(&format!("{} may not do s3:DeleteBucket", user("cleo"))),
        "{said}"
    );
}

#[test]
fn a_row_names_conditions_statements_and_the_last_use() {
    let lake = Lake::new();
    let event = json!({
        "event_id": "e1", "event_time": "2026-11-11T08:00:00Z", "event_source": "s3.amazonaws.com", "event_name": "DeleteBucket",
        "aws_region": "eu-west-1", "recipient_account_id": ACCOUNT, "principal": role("second"), "identity_arn": role("second"),
    });
    lake.events("2026-11-11", &[event]);
    chain().analyzed_in(&lake);
    let (rows, output) = ask(
        &lake,
        &[
            "--action",
            "S3:deletebucket",
            "--resource",
            BUCKET,
            "--principal",
            "anna",
        ],
    );
    assert_eq!(output.code, 0, "{}", output.stderr);
    let [row] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!(row["principal"], json!(user("anna")));
    assert_eq!(
        row["through"],
        json!(format!("{} -> {}", role("first"), role("second")))
    );
    assert_eq!(row["conditions"], "aws:sourceip");
    let statements = row["statements"].as_str().unwrap();
    for part in [
        format!("{}/own#0", user("anna")),
        format!("{}#0", role("first")),
        format!("{}/own#0", role("first")),
        format!("{}#0", role("second")),
        format!("{}/own#0", role("second")),
    ] {
        assert!(
            statements.split(", ").any(|one| one == part),
            "{part}: {statements}"
        );
    }
    assert_eq!(row["last_used"], "2026-11-11 08:00:00");
}

#[test]
fn text_and_json_say_the_same() {
    let lake = chain().lake();
    let run = lake.run(FIRST);
    let ask = |format: &str| {
        let arguments = [
            "access",
            &run,
            "--action",
            "s3:DeleteBucket",
            "--resource",
            BUCKET,
            "--format",
            format,
        ];
        let output = lake.analyze(&arguments);
        assert_eq!(output.code, 0, "{}", output.stderr);
        output.stdout
    };
    let json: Vec<Value> = serde_json::from_str(&ask("json")).unwrap();
    assert_eq!(json.len(), 5);
    let text = ask("table");
    let first = text.lines().next().unwrap();
    for column in [
        "principal",
        "through",
        "verdict",
        "mfa",
        "conditions",
        "statements",
        "last_used",
    ] {
        assert!(
            first.contains(column) && json.iter().all(|row| row.get(column).is_some()),
            "{column}"
        );
    }
    assert_eq!(
        text.lines().count(),
        2 + json.len(),
        "a line for the names and one below them: {text}"
    );
    assert_eq!(ask("csv").lines().count(), 1 + json.len());
    assert_eq!(ask("json"), ask("json"), "the same every time");
}

/// The short way asks for a second factor, a longer one does not.
#[test]
fn a_longer_way_without_a_second_factor_is_told_too() {
    let account = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")});
    let lake = Account::new()
        .bucket("ledger", None)
        .user("anna", &json!([allow("sts:AssumeRole", "*")]))
        .role(
            "side",
            &json!([trust(&account)]),
            &json!([allow("sts:AssumeRole", &role("vault"))]),
        )
        .role(
            "vault",
            &json!([
                when(trust(&json!({"AWS": user("anna")})), &mfa()),
                trust(&json!({"AWS": role("side")}))
            ]),
            &json!([allow("s3:DeleteBucket", BUCKET)]),
        )
        .lake();
    assert_eq!(
        who(&lake, "s3:DeleteBucket", BUCKET),
        [
            "anna > side > vault: allowed",
            "anna > vault: allowed, required",
            "side > vault: allowed",
            "vault: allowed",
        ]
    );
}

#[test]
fn who_may_become_a_role_is_asked_of_its_trust_policy() {
    let (mut accounts, federated) = (chain(), json!({"Federated": "accounts.google.com"}));
    accounts = accounts.role(
        "web",
        &json!([{"Effect": "Allow", "Principal": federated, "Action": "sts:AssumeRoleWithWebIdentity"}]),
        &json!([]),
    );
    let lake = accounts.lake();
    assert_eq!(
        who(&lake, "sts:AssumeRole", &role("first")),
        ["anna: allowed, required"]
    );
    assert_eq!(
        who(&lake, "sts:AssumeRole", &role("second")),
        [
            "anna > first: allowed, required",
            "ben: allowed",
            "ec2.amazonaws.com: allowed",
            "first: allowed"
        ]
    );
    assert_eq!(
        who(&lake, "sts:AssumeRoleWithWebIdentity", &role("web")),
        ["accounts.google.com: allowed"]
    );
    assert_eq!(who(&lake, "sts:AssumeRole", &role("web")), [""; 0]);
}

#[test]
fn the_policy_of_a_resource_lets_others_in() {
    let principals = json!({"AWS": ["444455556666", "arn:aws:iam::777788889999:user/ext"], "Service": "logging.s3.amazonaws.com"});
    let shared = policy(&json!([
        {"Effect": "Allow", "Principal": principals, "Action": "s3:PutObject", "Resource": format!("{BUCKET}/*")},
        when(json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": format!("{BUCKET}/*")}),
            &json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
    ]));
    let lake = Account::new()
        .bucket("ledger", Some(&shared))
        .user("anna", &json!([allow("ec2:*", "*")]))
        .lake();
    let object = format!("{BUCKET}/2026/may");
    assert_eq!(
        who(&lake, "s3:PutObject", &object),
        [
            "arn:aws:iam::444455556666:root: allowed",
            "arn:aws:iam::777788889999:user/ext: allowed",
            "logging.s3.amazonaws.com: allowed",
        ]
    );
    let readers = who(&lake, "s3:GetObject", &object);
    assert!(
        ["*: conditional", "anna: conditional"]
            .iter()
            .all(|reader| readers.contains(&(*reader).to_owned())),
        "{readers:?}"
    );
    assert_eq!(who(&lake, "s3:DeleteObject", &object), [""; 0]);
}

/// A trust policy may name one session of a role: whoever is in that role may be in that session.
#[test]
fn a_session_that_is_named_is_one_of_its_role() {
    let session = format!("arn:aws:sts::{ACCOUNT}:assumed-role/web/ann");
    let account = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")});
    let lake = Account::new()
        .bucket("ledger", None)
        .user("anna", &json!([allow("sts:AssumeRole", &role("web"))]))
        .role("web", &json!([trust(&account)]), &json!([]))
        .role("other", &json!([trust(&account)]), &json!([]))
        .role(
            "late",
            &json!([trust(&json!({"AWS": session}))]),
            &json!([allow("s3:DeleteBucket", BUCKET)]),
        )
        .lake();
    assert_eq!(
        who(&lake, "sts:AssumeRole", &role("late")),
        ["anna > web: conditional", "web: conditional"]
    );
    assert_eq!(
        who(&lake, "s3:DeleteBucket", BUCKET),
        [
            "anna > web > late: conditional",
            "late: allowed",
            "web > late: conditional"
        ]
    );
}

#[test]
fn everybody_but_some_is_everybody() {
    let shared = policy(&json!([
        {"Effect": "Allow", "NotPrincipal": {"AWS": "444455556666"}, "Action": "s3:PutObject", "Resource": format!("{BUCKET}/*")},
    ]));
    let lake = Account::new().bucket("ledger", Some(&shared)).lake();
    assert_eq!(
        who(&lake, "s3:PutObject", &format!("{BUCKET}/x")),
        ["*: allowed"]
    );
}

#[test]
fn what_a_principal_may_do_is_told_by_way_and_kind() {
    let lake = chain().user("dora", &json!([allow("*", "*")])).lake();
    let kinds = |principal: &str| {
        let (rows, output) = ask(&lake, &["--principal", principal]);
        // Not all that can be endangered was collected.
        assert_eq!(output.code, 3, "{}", output.stderr);
        let row = |row: &Value| {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            format!(
                "{} {} {} {} {}",
                text("through").replace(&role(""), ""),
                text("kind"),
                text("resource_type"),
                text("verdict"),
                text("mfa")
            )
        };
        (rows.iter().map(row).collect::<Vec<_>>(), output.stderr)
    };
    assert_eq!(
        kinds("ben").0,
        ["second destroy s3:bucket conditional not_required"]
    );
    assert_eq!(
        kinds("anna").0,
        ["first -> second destroy s3:bucket conditional required"]
    );
    assert_eq!(kinds("dora").0[0], " administrator  allowed not_required");
    let idle = Account::new()
        .bucket("ledger", None)
        .user("idle", &json!([allow("s3:ListAllMyBuckets", "*")]));
    let lake = idle.lake();
    let (rows, output) = ask(&lake, &["--principal", "idle"]);
    assert!(
        rows.is_empty()
            && output
                .stderr
                .contains("may do nothing dangerous, by itself or by roles"),
        "{}",
        output.stderr
    );
}

/// Everybody may become everybody: the number of paths has no end, that of the answers does.
#[test]
fn roles_that_all_lead_to_each_other_are_told_once() {
    let account = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")});
    let mut many = Account::new()
        .bucket("ledger", None)
        .user("anna", &json!([allow("sts:AssumeRole", "*")]));
    for number in 0..40 {
        let may = if number == 39 {
            "s3:DeleteBucket"
        } else {
            "s3:ListAllMyBuckets"
        };
        many = many.role(
            &format!("r{number}"),
            &json!([trust(&account)]),
            &json!([allow("sts:AssumeRole", "*"), allow(may, "*")]),
        );
    }
    let lake = many.lake();
    let found = who(&lake, "s3:DeleteBucket", BUCKET);
    assert_eq!(found.len(), 41);
    assert!(
        found.contains(&"anna > r39: allowed".to_owned()),
        "{found:?}"
    );
    let (rows, output) = ask(&lake, &["--principal", "anna"]);
    // Not all that can be endangered was collected.
    assert_eq!(output.code, 3, "{}", output.stderr);
    let through: std::collections::BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row["through"].as_str())
        .collect();
    assert_eq!(through.into_iter().collect::<Vec<_>>(), [role("r39")]);
}

#[test]
fn hostile_names_stay_text() {
    let hostile = "x'; drop table usage; --\u{1b}[31m\u{202e}\n,\"";
    let odd = json!({"arn": format!("arn:aws:iam::{ACCOUNT}:user/{hostile}"), "inline_policies": json!([{"PolicyName": hostile, "PolicyDocument": policy(&json!([allow("s3:*", "*")]))}])});
    let tags = json!({"tags": {hostile: hostile}, "inline_policies": inline(&policy(&json!([when(allow("s3:*", "*"), &json!({"StringEquals": {format!("aws:ResourceTag/{hostile}"): "${*}"}}))])))});
    let lake = Account::new()
        .bucket("ledger", None)
        .user_row(hostile, &odd)
        .user_row("tagged", &tags)
        .lake();
    let run = lake.run(FIRST);
    for format in ["table", "csv", "json"] {
        let output = lake.analyze(&[
            "access",
            &run,
            "--action",
            "s3:DeleteBucket",
            "--resource",
            BUCKET,
            "--format",
            format,
        ]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        let controls = |text: &str| text.contains(['\u{1b}', '\u{202e}']);
        assert!(
            !controls(&output.stderr) && (format != "table" || !controls(&output.stdout)),
            "{format}"
        );
        assert!(
            output.stdout.contains("drop table usage"),
            "{format}: {}",
            output.stdout
        );
    }
    let (rows, _) = ask(
        &lake,
        &[
            "--action",
            "s3:DeleteBucket",
            "--resource",
            BUCKET,
            "--principal",
            hostile,
        ],
    );
    assert_eq!(rows.len(), 1);
    let (_, output) = ask(&lake, &["--principal", "nobody\u{1b}[31m' or 1=1"]);
    assert!(
        output.code == 2 && !output.stderr.contains('\u{1b}'),
        "{}",
        output.stderr
    );
}
