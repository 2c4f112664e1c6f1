//! `analyze tags` over small lakes.

mod restraint;
mod sources;

use std::fs;

use serde_json::{Map, Value, json};

use super::lake::{ACCOUNT, FIRST, Lake, Output};

/// A row of the proposals.
#[derive(Debug, Clone)]
struct Proposal {
    name: String,
    key: String,
    value: String,
    confidence: f64,
    evidence: String,
}

/// A resource of a made-up account: `("ec2:volume", "v")` is `arn:aws:ec2:eu-west-1:<account>:volume/v`.
fn arn(kind: &str, name: &str) -> String {
    let (service, noun) = kind.split_once(':').unwrap();
    match service {
        "iam" => format!("arn:aws:iam::{ACCOUNT}:{noun}/{name}"),
        _ => format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:{noun}/{name}"),
    }
}

fn resource(kind: &str, name: &str, tags: &[(&str, &str)]) -> Value {
    let tags: Map<String, Value> = tags
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    json!({"arn": arn(kind, name), "resource_type": kind, "name": name, "tags": tags})
}

fn relation(kind: &str, from: &str, to: &str) -> Value {
    json!({"account_id": ACCOUNT, "region": "eu-west-1", "kind": kind, "from_arn": from, "to_arn": to})
}

fn lake_of(resources: Vec<Value>, relations: Vec<Value>, errors: &[Value]) -> Lake {
    let lake = Lake::new();
    // The resources' own tables do not matter here, but for the state of instances.
    lake.related(FIRST, &[("aws_ec2_instance", resources)], relations, errors);
    lake
}

fn propose(lake: &Lake) -> (Output, Vec<Proposal>) {
    let output = lake.analyze(&["tags", &lake.run(FIRST), "--propose", "out"]);
    let text = fs::read_to_string(lake.path("out/tags.csv"))
        .unwrap_or_else(|_| panic!("{}", output.stderr));
    // A mark of the encoding is there when a spreadsheet needs it.
    assert_eq!(text.starts_with('\u{feff}'), !text.is_ascii());
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let proposals = reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let cell = |name: &str| {
                let index = header.iter().position(|column| column == name).unwrap();
                record[index].to_owned()
            };
            Proposal {
                name: cell("name"),
                key: cell("key"),
                value: cell("value"),
                confidence: cell("confidence").parse().unwrap(),
                evidence: cell("evidence"),
            }
        })
        .collect();
    (output, proposals)
}

fn of(resources: Vec<Value>, relations: Vec<Value>) -> Vec<Proposal> {
    let (output, proposals) = propose(&lake_of(resources, relations, &[]));
    assert_eq!(output.code, 0, "{}", output.stderr);
    proposals
}

fn find<'a>(proposals: &'a [Proposal], name: &str, key: &str) -> &'a Proposal {
    proposals
        .iter()
        .find(|proposal| proposal.name == name && proposal.key == key)
        .unwrap_or_else(|| panic!("no {key} for {name}: {proposals:#?}"))
}

fn keys(proposals: &[Proposal], name: &str) -> Vec<String> {
    proposals
        .iter()
        .filter(|proposal| proposal.name == name)
        .map(|proposal| proposal.key.clone())
        .collect()
}

/// A value for each concept.
const ALL: [(&str, &str); 4] = [
    ("Owner", "team-a"),
    ("Environment", "prod"),
    ("System", "shop"),
    ("Importance", "high"),
];

/// Who else has them: an owner must be named twice to be believed.
fn known(name: &str) -> Value {
    resource("sns:topic", name, &ALL)
}
