//! The least IAM policy that lets `collect inventory` make its calls.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::tablefile::TableFile;
use crate::aws::{ModelError, model};

/// What is asked besides the tables' own operations.
const OWN: [(&str, &str); 2] = [("sts", "GetCallerIdentity"), ("ec2", "DescribeRegions")];

/// The policy as JSON, actions sorted.
///
/// # Errors
///
/// When a table names an operation that no model has; only a damaged build has one.
pub fn policy(tables: &[TableFile]) -> Result<Value, ModelError> {
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
    Ok(json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "SevenwallsCollect",
                "Effect": "Allow",
                "Action": actions,
                "Resource": "*"
            },
            {
                "Sid": "SevenwallsCollectOtherAccounts",
                "Effect": "Allow",
                "Action": ["organizations:ListAccounts", "sts:AssumeRole"],
                "Resource": "*"
            }
        ]
    }))
}
