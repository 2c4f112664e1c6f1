//! The view `access`: who may endanger what matters, by which roles, and what stands between.

mod factor;
mod rows;
mod shown;
mod size;

use serde_json::{Value, json};

use crate::lake::{ACCOUNT, Lake};

fn critical() -> Value {
    json!({ "importance": "critical", "importance_rank": 3, "critical": true })
}

fn principal_arn(kind: &str, name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{kind}/{name}")
}

/// Rows of the tables of access.
pub trait Access {
    /// A user or role, of a class of its own.
    fn principal(&mut self, kind: &str, name: &str, more: Value) -> String;
    /// A resource of a class of its own.
    fn class_of(&mut self, arn: &str) -> usize;
    /// A dangerous action of a principal on a resource; `how` is verdict and second factor.
    fn grant(&mut self, who: &str, action: &str, what: &str, how: [&str; 2]);
    /// Somebody may become a role.
    fn way(&mut self, from: &str, kind: &str, to: &str, how: [&str; 2]);
}

impl Access for Lake {
    fn principal(&mut self, kind: &str, name: &str, more: Value) -> String {
        let arn = principal_arn(kind, name);
        let mut row = json!({
            "account_id": ACCOUNT, "region": "global", "arn": arn, "resource_type": format!("iam:{kind}"), "name": name,
            "environment": "prod", "required_tags": 5, "missing_tags": [], "taggable": true, "exposed": false, "system": "shop",
        });
        let fields = row.as_object_mut().unwrap();
        fields.extend(more["context"].as_object().cloned().unwrap_or_default());
        self.resources.push(row.clone());
        self.context.push(row);
        let mut row = json!({
            "account_id": ACCOUNT, "principal_arn": arn, "kind": kind, "name": name, "principal_class": self.principals.len(),
            "is_admin": false, "service_linked": false, "reserved": false, "special": false, "unread": [],
        });
        let fields = row.as_object_mut().unwrap();
        let more = more.as_object().cloned().unwrap_or_default();
        fields.extend(more.into_iter().filter(|(key, _)| key != "context"));
        self.principals.push(row);
        arn
    }

    fn class_of(&mut self, arn: &str) -> usize {
        let known = self
            .classes
            .iter()
            .position(|row| row["resource_arn"] == arn);
        known.unwrap_or_else(|| {
            let row = self.context.iter().find(|row| row["arn"] == arn);
            let kind = row.map_or("account", |row| row["resource_type"].as_str().unwrap());
            let class = self.classes.len();
            self.classes.push(json!({
                "account_id": ACCOUNT, "resource_arn": arn, "resource_type": kind, "resource_class": class, "policy_unread": false,
            }));
            class
        })
    }

    fn grant(&mut self, who: &str, action: &str, what: &str, [verdict, mfa]: [&str; 2]) {
        let class = self.class_of(what);
        let of = self
            .principals
            .iter()
            .position(|row| row["principal_arn"] == who);
        let kind = self.classes[class]["resource_type"].clone();
        let danger = match action.split(':').nth(1).unwrap_or_default() {
            name if name.starts_with("Delete") => "destroy",
            name if name.starts_with("Stop") => "logging",
            name if name.ends_with("Policy") => "policy",
            name if name.ends_with("Backup") => "recovery",
            name if name.starts_with("Share") => "expose",
            _ => "escalate",
        };
        self.dangers.push(json!({ "action": action, "resource_type": kind, "kind": danger, "logged": "management" }));
        self.grants.push(json!({
            "principal_class": of, "action": action, "resource_class": class, "verdict": verdict, "mfa": mfa,
            "conditions": [], "statements": [],
        }));
    }

    fn way(&mut self, from: &str, kind: &str, to: &str, [verdict, mfa]: [&str; 2]) {
        let conditions = if verdict == "conditional" {
            vec!["sts:externalid"]
        } else {
            Vec::new()
        };
        self.ways.push(json!({
            "account_id": ACCOUNT, "from_arn": from, "from_kind": kind, "to_arn": to, "verdict": verdict, "mfa": mfa,
            "conditions": conditions, "statements": [],
        }));
    }
}

const FREE: [&str; 2] = ["allowed", "not_required"];
const GUARDED: [&str; 2] = ["allowed", "required"];

/// A database and a bucket that matter, and those who may endanger them, each in another way.
pub fn threatened() -> (Lake, [String; 9]) {
    let mut lake = Lake::default();
    let database = lake.add("rds:db", "d1_orders_shop", "shop", critical());
    let bucket = lake.add("s3:bucket", "b1_files_media", "media", critical());
    lake.add("s3:bucket", "b2_trash_shop", "shop", json!({}));
    let anna = lake.principal("user", "anna", json!({}));
    let ben = lake.principal("user", "ben", json!({}));
    let root = lake.principal("role", "admin", json!({ "is_admin": true }));
    let dba = lake.principal("role", "dba-break-glass", json!({ "special": true }));
    let deploy = lake.principal("role", "deploy", json!({}));
    let app = lake.principal("role", "app", json!({ "unread": ["broken"] }));
    let quiet = lake.principal("role", "quiet", json!({}));
    lake.grant(&anna, "rds:DeleteDBInstance", &database, FREE);
    lake.grant(&dba, "rds:DeleteDBInstance", &database, FREE);
    lake.grant(&dba, "rds:StopBackup", &database, FREE);
    lake.grant(&deploy, "s3:DeleteBucket", &bucket, FREE);
    lake.grant(&deploy, "s3:PutBucketPolicy", &bucket, GUARDED);
    lake.grant(
        &app,
        "s3:DeleteBucket",
        &bucket,
        ["unknown", "not_required"],
    );
    lake.grant(&root, "s3:DeleteBucket", &bucket, FREE);
    lake.way(&ben, "user", &dba, GUARDED);
    lake.way(
        "arn:aws:iam::999999999999:root",
        "foreign",
        &deploy,
        ["conditional", "not_required"],
    );
    lake.way("ec2.amazonaws.com", "service", &app, FREE);
    lake.way(&anna, "user", &root, GUARDED);
    lake.way("*", "anyone", &quiet, FREE);
    lake.escalations.push(json!({
        "account_id": ACCOUNT, "principal_arn": deploy, "path_id": "iam-001", "title": "A new version of a policy", "actions": [],
        "target_arn": deploy, "to_admin": true, "verdict": "allowed", "mfa": "not_required", "conditions": [],
    }));
    lake.usage.push(json!({
        "account_id": ACCOUNT, "principal_arn": dba, "action": "rds:StopBackup", "mapping": "mapped", "calls": 1, "denied": 0,
        "last_used": "2026-11-12 06:00:00", "source": "cloudtrail",
    }));
    (
        lake,
        [database, bucket, anna, ben, root, dba, deploy, app, quiet],
    )
}
