//! What is in the tables, and in which order: none of it breaks the picture.

use serde_json::json;
use tempfile::tempdir;

use super::{Access as _, FREE, critical, threatened};
use crate::lake::{ACCOUNT, Lake, diagram, shop, stderr, stdout};
use crate::rendering::{HOSTILE, svg};

#[test]
fn without_the_tables_access_says_what_to_do() {
    let folder = tempdir().unwrap();
    shop().commit(folder.path(), false);
    let output = diagram(folder.path(), &["access"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("run analyze on it first") && said.contains("principal_classes"),
        "{said}"
    );
}

#[test]
fn users_and_roles_that_nobody_asked_for_are_not_nobody() {
    let folder = tempdir().unwrap();
    let (mut lake, _) = threatened();
    lake.principals.clear();
    for asked in [vec![], vec!["aws_iam_user"]] {
        lake.asked = asked;
        lake.commit(folder.path(), true);
        let output = diagram(folder.path(), &["access"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            stderr(&output).contains("aws_iam_role were not collected"),
            "{}",
            stderr(&output)
        );
    }
    // Of one account they were asked for, of another one they weren't.
    lake.asked = vec!["aws_iam_user", "aws_iam_role"];
    let other = json!({ "account_id": "444455556666", "importance": "critical", "importance_rank": 3, "critical": true });
    lake.add("s3:bucket", "b3_other_shop", "shop", other);
    lake.commit(folder.path(), true);
    let output = diagram(folder.path(), &["access"]);
    assert_eq!(output.status.code(), Some(3));
    let said = stderr(&output);
    assert!(
        said.contains("users and roles of 1 account were not collected"),
        "{said}"
    );
    let output = diagram(folder.path(), &["access", "--account", ACCOUNT]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn users_and_roles_that_were_denied_are_missing() {
    let folder = tempdir().unwrap();
    let (mut lake, _) = threatened();
    lake.errors.push(json!({
        "account_id": ACCOUNT, "region": "global", "service": "iam", "operation": "ListRoles", "table_name": "aws_iam_role",
    }));
    lake.commit(folder.path(), true);
    let output = diagram(folder.path(), &["access"]);
    assert_eq!(output.status.code(), Some(3));
    let said = stderr(&output);
    assert!(said.contains("1 call failed"), "{said}");
}

#[test]
fn hostile_names_are_text() {
    let folder = tempdir().unwrap();
    let mut lake = Lake::default();
    for (number, name) in HOSTILE.iter().enumerate() {
        let bucket = lake.add("s3:bucket", &format!("b{number}"), name, critical());
        let role = lake.principal(
            "role",
            &format!("r{number}"),
            json!({ "name": name, "context": { "name": name, "system": name } }),
        );
        lake.grant(&role, "s3:DeleteBucket", &bucket, FREE);
        lake.way(name, "federated", &role, ["conditional", "not_required"]);
        lake.ways.last_mut().unwrap()["conditions"] = json!([name]);
        lake.escalations.push(json!({
            "account_id": ACCOUNT, "principal_arn": role, "path_id": name, "title": name, "target_arn": name, "to_admin": true,
            "verdict": "allowed", "mfa": "not_required",
        }));
    }
    lake.principal(
        "user",
        "root",
        json!({ "is_admin": true, "name": HOSTILE[0] }),
    );
    lake.commit(folder.path(), true);
    for options in [vec!["access"], vec!["access", "--max-nodes", "3"]] {
        let dot = stdout(&diagram(folder.path(), &options));
        let drawn = svg(&dot);
        assert!(
            !drawn.contains("<script") && !drawn.contains("href=\"javascript"),
            "{drawn}"
        );
        assert!(
            !dot.chars()
                .any(|c| handoff::text::is_unprintable(c) && c != '\n'),
            "{dot}"
        );
    }
    let mermaid = stdout(&diagram(folder.path(), &["access", "--format", "mermaid"]));
    assert!(
        mermaid.starts_with("flowchart") && !mermaid.contains("<script"),
        "{mermaid}"
    );
}

#[test]
fn the_order_of_rows_changes_no_byte() {
    let (first, second) = (tempdir().unwrap(), tempdir().unwrap());
    let (mut lake, _) = threatened();
    lake.commit(first.path(), true);
    for rows in [
        &mut lake.resources,
        &mut lake.context,
        &mut lake.principals,
        &mut lake.classes,
        &mut lake.dangers,
        &mut lake.grants,
        &mut lake.ways,
        &mut lake.escalations,
        &mut lake.usage,
    ] {
        rows.reverse();
    }
    lake.commit(second.path(), true);
    for options in [vec!["access"], vec!["access", "--format", "json"]] {
        let (one, other) = (
            diagram(first.path(), &options),
            diagram(second.path(), &options),
        );
        assert!(
            one.status.success() && !one.stdout.is_empty(),
            "{}",
            stderr(&one)
        );
        assert_eq!(stdout(&one), stdout(&other));
    }
}
