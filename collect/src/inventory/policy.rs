//! The least IAM policy that lets `collect inventory` make its calls, `collect cloudtrail` read a trail, and every stage
//! work on a lake.

mod lake;

use std::collections::BTreeSet;
use std::str::FromStr;

use serde_json::{Value, json};

use super::tablefile::TableFile;
use crate::aws::{ModelError, model};

/// What is asked besides the tables' own operations.
const OWN: [(&str, &str); 2] = [("sts", "GetCallerIdentity"), ("ec2", "DescribeRegions")];

/// A prefix of a bucket: where a trail lies, or a lake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    bucket: String,
    /// Empty, or ends with `/`.
    prefix: String,
}

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("s3://").unwrap_or(text);
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_bucket = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if bucket.is_empty() || !bucket.bytes().all(is_bucket) {
            return Err("expected s3://bucket/prefix".to_owned());
        }
        // What an ARN takes for a wildcard or a variable would allow more than this prefix.
        if prefix.contains(['*', '?', '$']) {
            return Err("a prefix with *, ? or $ can't be told from a wildcard".to_owned());
        }
        let prefix = prefix.trim_matches('/');
        let end = if prefix.is_empty() { "" } else { "/" };
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: format!("{prefix}{end}"),
        })
    }
}

impl Location {
    /// ARN of its objects whose keys match `pattern`.
    fn objects(&self, pattern: &str) -> String {
        format!("arn:aws:s3:::{}/{}{pattern}", self.bucket, self.prefix)
    }

    /// Lets it be listed, and nothing beside it.
    fn listing(&self, sid: &str) -> Value {
        let mut list = json!({
            "Sid": sid,
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": format!("arn:aws:s3:::{}", self.bucket)
        });
        if !self.prefix.is_empty() {
            list["Condition"] = json!({"StringLike": {"s3:prefix": format!("{}*", self.prefix)}});
        }
        list
    }
}

/// What `collect cloudtrail` asks.
fn trail_statements(trail: &Location) -> Vec<Value> {
    vec![
        json!({
            "Sid": "SevenwallsCloudtrail",
            "Effect": "Allow",
            "Action": ["cloudtrail:ListPublicKeys", "cloudtrail:LookupEvents"],
            "Resource": "*"
        }),
        trail.listing("SevenwallsCloudtrailBucket"),
        json!({
            "Sid": "SevenwallsCloudtrailObjects",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": trail.objects("*")
        }),
        // Objects that CloudTrail encrypted with a key of KMS, and nothing else that this key protects.
        json!({
            "Sid": "SevenwallsCloudtrailKey",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"Null": {"kms:EncryptionContext:aws:cloudtrail:arn": "false"}}
        }),
    ]
}

/// The policy as JSON, actions sorted.
///
/// # Errors
///
/// When a table names an operation that no model has; only a damaged build has one.
pub fn policy(
    tables: &[TableFile],
    trail: Option<&Location>,
    lake: Option<&Location>,
) -> Result<Value, ModelError> {
    let mut actions = BTreeSet::from([
        "tag:GetResources".to_owned(),
        "iam:GenerateCredentialReport".to_owned(),
    ]);
    for (service, operation) in OWN {
        actions.insert(model(service)?.iam_action(operation)?.to_owned());
    }
    for table in tables {
        for operation in table.operations() {
            actions.insert(model(&table.service)?.iam_action(operation)?.to_owned());
        }
    }
    let mut statements = vec![
        json!({
            "Sid": "SevenwallsCollect",
            "Effect": "Allow",
            "Action": actions,
            "Resource": "*"
        }),
        json!({
            "Sid": "SevenwallsCollectOtherAccounts",
            "Effect": "Allow",
            "Action": ["organizations:ListAccounts", "sts:AssumeRole"],
            "Resource": "*"
        }),
    ];
    statements.extend(trail.into_iter().flat_map(trail_statements));
    statements.extend(lake.into_iter().flat_map(lake::statements));
    Ok(json!({"Version": "2012-10-17", "Statement": statements}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_is_allowed_where_it_lies_and_nowhere_else() {
        let trail: Location = "s3://logs-1/org/trail/".parse().unwrap();
        let policy = policy(&[], Some(&trail), None).unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        let resources: Vec<&Value> = statements[3..5].iter().map(|s| &s["Resource"]).collect();
        assert_eq!(
            resources,
            ["arn:aws:s3:::logs-1", "arn:aws:s3:::logs-1/org/trail/*"]
        );
        assert_eq!(
            statements[3]["Condition"]["StringLike"]["s3:prefix"],
            "org/trail/*"
        );
        let whole: Location = "logs-1".parse().unwrap();
        assert_eq!(
            trail_statements(&whole)[2]["Resource"],
            "arn:aws:s3:::logs-1/*"
        );
        for unsound in ["s3://", "s3://*/a", "s3://b/a*", "s3://b/${aws:username}"] {
            assert!(unsound.parse::<Location>().is_err(), "{unsound}");
        }
    }
}
