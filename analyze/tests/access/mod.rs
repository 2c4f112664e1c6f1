//! `analyze access` over small accounts: who may do what, and what is not known.

mod bad_input;
mod doubts;
mod propose;
mod sides;
mod traps;
mod who;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::lake::{ACCOUNT, FIRST, Lake, Output};

const BUCKET: &str = "arn:aws:s3:::ledger";

fn user(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/{name}")
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

fn policy(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn allow(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

fn deny(action: &str, resource: &str) -> Value {
    json!({"Effect": "Deny", "Action": action, "Resource": resource})
}

/// A statement under a condition.
fn when(mut statement: Value, condition: &Value) -> Value {
    statement["Condition"] = condition.clone();
    statement
}

/// A statement of a trust policy, or of the policy of a resource.
fn trust(principal: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
}

fn inline(document: &Value) -> Value {
    json!([{"PolicyName": "own", "PolicyDocument": document}])
}

/// An account in the making: rows by table. Everything that access is judged by is there, be it empty.
struct Account {
    tables: BTreeMap<&'static str, Vec<Value>>,
    errors: Vec<Value>,
}

impl Account {
    fn new() -> Self {
        let tables = [
            "aws_iam_user",
            "aws_iam_role",
            "aws_iam_group",
            "aws_iam_policy",
            "aws_organizations_account",
            "aws_organizations_organization",
            "aws_organizations_service_control_policy",
            "aws_organizations_resource_control_policy",
        ];
        Self {
            tables: tables.map(|table| (table, Vec::new())).into(),
            errors: Vec::new(),
        }
    }

    fn row(mut self, table: &'static str, row: Value) -> Self {
        self.tables.entry(table).or_default().push(row);
        self
    }

    /// A user with a document as it is.
    fn user_of(self, name: &str, document: &Value) -> Self {
        self.user_row(name, &json!({"inline_policies": inline(document)}))
    }

    fn user(self, name: &str, statements: &Value) -> Self {
        self.user_of(name, &policy(statements))
    }

    /// A user with these columns.
    fn user_row(self, name: &str, columns: &Value) -> Self {
        let mut row = json!({
            "arn": user(name), "region": "global", "resource_type": "iam:user", "name": name, "user_name": name,
            "user_id": format!("AIDA{name}"), "group_names": [], "attached_policy_arns": [], "inline_policies": [],
        });
        merge(&mut row, columns);
        self.row("aws_iam_user", row)
    }

    fn role(self, name: &str, trust: &Value, statements: &Value) -> Self {
        self.role_row(
            name,
            &json!({"assume_role_policy": policy(trust), "inline_policies": inline(&policy(statements))}),
        )
    }

    /// A role with these columns.
    fn role_row(self, name: &str, columns: &Value) -> Self {
        let mut row = json!({
            "arn": role(name), "region": "global", "resource_type": "iam:role", "name": name, "role_name": name,
            "role_id": format!("AROA{name}"), "attached_policy_arns": [], "inline_policies": [],
        });
        merge(&mut row, columns);
        self.row("aws_iam_role", row)
    }

    /// A bucket, with a policy if there is one.
    fn bucket(self, name: &str, document: Option<&Value>) -> Self {
        let row = json!({
            "arn": format!("arn:aws:s3:::{name}"), "resource_type": "s3:bucket", "name": name,
            "has_policy": if document.is_some() { "true" } else { "false" }, "policy": document,
        });
        self.row("aws_s3_bucket", row)
    }

    /// An analyzed lake.
    fn lake(&self) -> Lake {
        let lake = Lake::new();
        self.analyzed_in(&lake);
        lake
    }

    fn analyzed_in(&self, lake: &Lake) {
        let tables: Vec<(&str, Vec<Value>)> = self
            .tables
            .iter()
            .map(|(table, rows)| (*table, rows.clone()))
            .collect();
        lake.collected(FIRST, &tables, &self.errors);
        let output = lake.analyze(&[&lake.run(FIRST), "--check", "trust-anyone"]);
        assert!(matches!(output.code, 0 | 3), "{}", output.stderr);
    }
}

fn merge(row: &mut Value, columns: &Value) {
    row.as_object_mut()
        .unwrap()
        .extend(columns.as_object().unwrap().clone());
}

/// Asks, and hands back the rows beside what was said.
fn ask(lake: &Lake, arguments: &[&str]) -> (Vec<Value>, Output) {
    let run = lake.run(FIRST);
    let mut all = vec!["access", &run, "--format", "ndjson"];
    all.extend(arguments);
    let output = lake.analyze(&all);
    let rows = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    (rows, output)
}

/// Who may do something, by name: `verdict`, with the degree of MFA if it matters and the roles on the way.
fn who(lake: &Lake, action: &str, resource: &str) -> Vec<String> {
    let (rows, output) = ask(lake, &["--action", action, "--resource", resource]);
    assert!(matches!(output.code, 0 | 3), "{}", output.stderr);
    let mut ways: Vec<String> = rows.iter().map(way).collect();
    ways.sort();
    ways
}

/// A row in short: `anna > admin: allowed, required`.
fn way(row: &Value) -> String {
    let short = |arn: &str| match arn.rsplit_once('/') {
        Some((_, name)) if arn.contains(ACCOUNT) => name.to_owned(),
        _ => arn.to_owned(),
    };
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let through = text("through");
    let mut path = vec![short(&text("principal"))];
    path.extend(
        through
            .split(" -> ")
            .filter(|role| !role.is_empty())
            .map(short),
    );
    let mfa = match text("mfa").as_str() {
        "not_required" => String::new(),
        mfa => format!(", {mfa}"),
    };
    format!("{}: {}{mfa}", path.join(" > "), text("verdict"))
}
