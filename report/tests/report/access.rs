//! The matrix of rule 2: who may endanger what counts as critical.

use std::path::Path;

use handoff::access as tables;
use serde_json::{Value, json};

use crate::hostile::HOSTILE;
use crate::lake::{ACCOUNT, DATABASE, Row, Run, rendered, report, small};
use crate::{NOW, document, section, validate};

fn principal(name: &str, class: u64, over: Value) -> Row {
    let mut row = json!({
        "account_id": ACCOUNT, "principal_arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"), "kind": "role", "name": name,
        "principal_class": class, "is_admin": false, "service_linked": false, "reserved": false, "special": false, "unread": [],
    });
    for (member, value) in over.as_object().unwrap() {
        row[member.as_str()] = value.clone();
    }
    row
}

fn grant(class: u64, action: &str, [verdict, mfa]: [&str; 2]) -> Row {
    json!({"principal_class": class, "action": action, "resource_class": 0, "verdict": verdict, "mfa": mfa, "conditions": [], "statements": []})
}

/// The small lake, in which some may endanger the database.
fn with(principals: Vec<Row>, grants: Vec<Row>, usage: Vec<Row>) -> Run {
    let mut run = small();
    let analyzed = run.analyzed.as_mut().unwrap();
    analyzed.context[0]["critical"] = true.into();
    let classes = [(DATABASE, "rds:db", 0), (crate::lake::UNNAMED, "ec2:instance", 1)]
        .map(|(arn, kind, class)| json!({"account_id": ACCOUNT, "resource_arn": arn, "resource_type": kind, "resource_class": class}));
    let dangers = [
        ("rds:DeleteDBInstance", "destroy"),
        ("rds:ModifyDBInstance", "recovery"),
        ("rds:AddRoleToDBInstance", "policy"),
        ("rds:ModifyDBSnapshotAttribute", "expose"),
    ]
    .map(|(action, kind)| json!({"action": action, "resource_type": "rds:db", "kind": kind}));
    analyzed.access = vec![
        (tables::principal_classes(), principals),
        (tables::resource_classes(), classes.into()),
        (tables::dangerous_actions(), dangers.into()),
        (tables::grants(), grants),
        (tables::usage(), usage),
    ];
    run
}

fn matrix(lake: &Path) -> String {
    let markdown = rendered(lake, "markdown");
    section(
        &markdown,
        "### Dangerous actions on what counts as critical",
        "### Rule 2: what people attest",
    )
}

#[test]
fn who_may_endanger_what_is_critical_and_how_freely() {
    let folder = tempfile::tempdir().unwrap();
    let principals = vec![
        principal("admin", 0, json!({"is_admin": true})),
        principal("deploy", 1, json!({})),
        principal("build", 1, json!({})),
        principal("break-glass", 2, json!({"special": true})),
        principal("reader", 3, json!({"is_admin": null})),
        principal("service", 4, json!({"service_linked": true})),
    ];
    let grants = vec![
        grant(0, "rds:DeleteDBInstance", ["allowed", "not_required"]),
        grant(1, "rds:DeleteDBInstance", ["allowed", "not_required"]),
        grant(1, "rds:ModifyDBInstance", ["allowed", "spared"]),
        grant(
            1,
            "rds:AddRoleToDBInstance",
            ["conditional", "not_required"],
        ),
        grant(
            1,
            "rds:ModifyDBSnapshotAttribute",
            ["unknown", "not_required"],
        ),
        grant(2, "rds:DeleteDBInstance", ["allowed", "required"]),
        grant(4, "rds:DeleteDBInstance", ["allowed", "not_required"]),
    ];
    let used = json!({"account_id": ACCOUNT, "principal_arn": format!("arn:aws:iam::{ACCOUNT}:role/build"), "action": "rds:ModifyDBInstance",
        "mapping": "mapped", "calls": 2, "denied": 0, "source": "cloudtrail"});
    with(principals, grants, vec![used]).commit(folder.path(), NOW);
    let matrix = matrix(folder.path());
    for wanted in [
        "How many of the 1 critical resource",
        "The administrator `role/admin` may do everything and is left out. Of 1 principal it is not known whether",
        "| role `build` and `deploy` | **1** | **1** keys | 1 if | – | – | 1 ? | 4 | 1 |",
        "| role `break-glass`, for dangerous work | 1 MFA | – | – | – | – | – | 1 | 0 |",
        "On 2 of 2 lines, some of the actions were never seen in use. `analyze access --propose DIR` writes policies",
    ] {
        assert!(matrix.contains(wanted), "{wanted}: {matrix}");
    }
    assert!(
        !matrix.contains("service") && !matrix.contains("reader"),
        "{matrix}"
    );
    assert!(
        matrix.find("build") < matrix.find("break-glass"),
        "the most dangerous first: {matrix}"
    );
    let document = document(folder.path());
    validate(&document);
    let holder = &document["evaluation"]["access"]["holders"][0];
    assert_eq!(
        holder["dangers"]["destroy"],
        json!({"resources": 1, "freedom": "always"})
    );
    assert_eq!(
        (&holder["actions"], &holder["used"]),
        (&json!(4), &json!(1))
    );
    assert!(rendered(folder.path(), "html").contains("break-glass"));
}

#[test]
fn without_the_tables_without_events_and_without_anything_critical_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    small().commit(folder.path(), NOW);
    assert!(
        matrix(folder.path()).contains("Not known: this run has no tables `principal_classes`")
    );
    assert_eq!(document(folder.path())["evaluation"]["access"], Value::Null);
    let folder = tempfile::tempdir().unwrap();
    let grants = vec![grant(
        1,
        "rds:DeleteDBInstance",
        ["allowed", "not_required"],
    )];
    let mut run = with(vec![principal("deploy", 1, json!({}))], grants, Vec::new());
    run.commit(folder.path(), NOW);
    assert!(
        matrix(folder.path()).contains("| 1 | not known |"),
        "{}",
        matrix(folder.path())
    );
    assert!(
        matrix(folder.path())
            .contains("Without events in the lake nobody knows what of it is used."),
        "{}",
        matrix(folder.path())
    );
    let folder = tempfile::tempdir().unwrap();
    run.analyzed.as_mut().unwrap().context[0]["critical"] = false.into();
    run.commit(folder.path(), NOW);
    assert!(
        matrix(folder.path())
            .contains("No resource is tagged with an importance that counts as critical")
    );
}

#[test]
fn hostile_and_many_principals_are_a_bounded_table_of_text() {
    let folder = tempfile::tempdir().unwrap();
    let mut principals: Vec<Row> = (0..600)
        .map(|number| principal(&format!("r{number}"), number, json!({})))
        .collect();
    let mut grants: Vec<Row> = (0..600)
        .map(|number| grant(number, "rds:DeleteDBInstance", ["allowed", "required"]))
        .collect();
    for (number, name) in (1_000..).zip(HOSTILE) {
        principals.push(principal(
            &format!("h{number}"),
            number,
            json!({"name": name, "kind": name}),
        ));
        grants.push(grant(
            number,
            "rds:DeleteDBInstance",
            ["allowed", "not_required"],
        ));
    }
    with(principals, grants, Vec::new()).commit(folder.path(), NOW);
    let matrix = matrix(folder.path());
    let rows: Vec<&str> = matrix
        .lines()
        .filter(|line| line.starts_with('|'))
        .collect();
    assert_eq!(rows.len(), 2 + 60);
    assert!(matrix.contains("570 more lines are left out"), "{matrix}");
    for row in rows {
        let cells = row.replace("\\|", "").matches('|').count();
        assert_eq!(cells, 10, "{row}");
    }
    assert!(
        !matrix.contains("<script>alert") || matrix.contains("`<script>alert"),
        "{matrix}"
    );
    let output = report(&[folder.path().to_str().unwrap(), "--format", "html"]);
    assert!(
        !String::from_utf8(output.stdout)
            .unwrap()
            .contains("<script>alert(1)")
    );
    validate(&document(folder.path()));
}
