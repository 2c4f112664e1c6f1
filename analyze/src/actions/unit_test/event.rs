//! How events become actions.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::{exact, files, root};
use crate::actions::event::named_actions;
use crate::actions::{Catalogue, EventActions, of_event};

fn mapped(source: &str, event: &str) -> String {
    match of_event(source, event) {
        EventActions::Actions(actions) => actions.join(" "),
        EventActions::NoPermission => "-".to_owned(),
        EventActions::Unmapped => "unmapped".to_owned(),
    }
}

#[test]
fn events_lead_to_actions_of_the_catalogue() {
    let unknown: Vec<&str> = named_actions().filter(|action| !exact(action)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn events_become_actions() {
    for (source, event, actions) in [
        (
            "s3",
            "PutBucketReplication",
            "s3:PutReplicationConfiguration",
        ),
        ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
        ("s3", "DeleteObjects", "s3:DeleteObject"),
        ("s3", "CopyObject", "s3:GetObject s3:PutObject"),
        ("s3", "HeadObject", "s3:GetObject"),
        ("lambda", "Invoke", "lambda:InvokeFunction"),
        (
            "lambda",
            "UpdateFunctionCode20150331v2",
            "lambda:UpdateFunctionCode",
        ),
        ("lambda", "ListFunctions20150331", "lambda:ListFunctions"),
        ("lambda", "AddPermission20150331v2", "lambda:AddPermission"),
        (
            "cloudfront",
            "UpdateDistribution2020_05_31",
            "cloudfront:UpdateDistribution",
        ),
        (
            "rds",
            "RestoreDBInstanceFromS3",
            "rds:RestoreDBInstanceFromS3",
        ),
        ("monitoring", "DescribeAlarms", "cloudwatch:DescribeAlarms"),
        ("kms", "ReEncrypt", "kms:ReEncryptFrom kms:ReEncryptTo"),
        ("tagging", "GetResources", "tag:GetResources"),
        ("dynamodb", "TransactGetItems", "dynamodb:GetItem"),
        ("sts", "AssumeRoleWithSAML", "sts:AssumeRoleWithSAML"),
        ("signin", "ConsoleLogin", "-"),
        ("signin", "SwitchRole", "-"),
        ("kms", "RotateKey", "-"),
        ("secretsmanager", "RotationStarted", "-"),
        ("s3", "NoSuchCall", "unmapped"),
        ("nobody", "ListBuckets", "unmapped"),
        ("", "", "unmapped"),
        ("s3", "20150331", "unmapped"),
    ] {
        assert_eq!(
            mapped(&format!("{source}.amazonaws.com"), event),
            actions,
            "{source} {event}"
        );
    }
    assert_eq!(
        mapped("S3.amazonaws.com", "listbuckets"),
        "s3:ListAllMyBuckets"
    );
}

/// 64 actions end in digits that belong to them.
#[test]
fn digits_that_belong_to_a_name_stay() {
    let numbered = Catalogue::embedded()
        .actions()
        .iter()
        .filter(|facts| facts.name.ends_with(|last: char| last.is_ascii_digit()));
    let mut seen = 0;
    for facts in numbered {
        let (service, name) = facts.name.split_once(':').expect("service:Action");
        let EventActions::Actions(actions) = of_event(&format!("{service}.amazonaws.com"), name)
        else {
            continue;
        };
        assert!(
            !actions
                .iter()
                .any(|action| facts.name.starts_with(action) && facts.name != *action),
            "{}",
            facts.name
        );
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}

/// Every event of the demo's trails is understood.
#[test]
fn events_of_the_demo_are_mapped() {
    let mut events = BTreeSet::new();
    for path in files(&root().join("fixtures/demo/cloudtrail")) {
        if !path.to_string_lossy().ends_with(".json.gz")
            || path.to_string_lossy().contains("Digest")
        {
            continue;
        }
        let mut text = String::new();
        let file = fs::File::open(&path).expect("a file of the demo");
        MultiGzDecoder::new(file)
            .read_to_string(&mut text)
            .expect("gzip of text");
        // A file that is cut off is part of the demo.
        let Ok(Value::Object(file)) = serde_json::from_str(&text) else {
            continue;
        };
        for record in file
            .get("Records")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if let (Some(source), Some(name)) =
                (record["eventSource"].as_str(), record["eventName"].as_str())
            {
                events.insert((source.to_owned(), name.to_owned()));
            }
        }
    }
    assert!(events.len() > 100, "{}", events.len());
    let unmapped: Vec<_> = events
        .iter()
        .filter(|(source, name)| of_event(source, name) == EventActions::Unmapped)
        .collect();
    assert!(unmapped.is_empty(), "{unmapped:?}");
}
