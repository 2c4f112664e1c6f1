//! Every operation, with every member of its input and output, against boto3.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use collect::aws::{Caller, model, services};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::server::{Answer, Seen, Server};
use crate::{call, caller, crate_path, difference, python};

/// Headers that do not depend on the operation, or that only one of the two sends.
const UNRELATED: &[&str] = &[
    "accept-encoding",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "content-length",
    "expect",
    "host",
    "user-agent",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-user-agent",
];

#[tokio::test]
async fn every_operation_asks_and_reads_like_boto3() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("cases.json");
    let done = python()
        .arg(crate_path("tests/fidelity/synthetic.py"))
        .arg(crate_path("models/operations.txt"))
        .arg(crate_path("models"))
        .arg(&out)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "synthetic.py: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();

    let server = Server::start();
    let caller = caller(&server.url).await;
    let mut problems = Vec::new();
    let mut covered = BTreeSet::new();
    let mut sent = Vec::new();
    for case in &cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let params = case["params"].as_object().unwrap().clone();
        server.answer_with(case["responses"].as_array().unwrap().iter().map(answer));
        let answer = caller
            .call(&call(text("service"), text("operation"), params))
            .await;
        let title = format!(
            "{} {} ({})",
            text("service"),
            text("operation"),
            text("kind")
        );
        let problem = match answer {
            Ok(answer) => difference("", &answer, &case["result"]),
            Err(error) => Some(format!("ours failed: {error}")),
        };
        problems.extend(problem.map(|problem| format!("{title}: answer{problem}")));
        let problem = requests(&server.seen(), case["requests"].as_array().unwrap());
        problems.extend(problem.map(|problem| format!("{title}: request {problem}")));
        covered.insert(format!("{} {}", text("service"), text("operation")));
        let signing_name = &model(text("service")).unwrap().signing_name;
        sent.extend(server.seen().iter().map(|seen| {
            json!({
                "title": title, "signing_name": signing_name, "method": seen.method, "target": seen.target,
                "headers": seen.headers, "body": seen.body,
            })
        }));
    }
    std::fs::write(&out, Value::Array(sent).to_string()).unwrap();
    let script = crate_path("tests/fidelity/signatures.py");
    let signed = python().arg(script).arg(&out).output().unwrap();
    if !signed.status.success() {
        let said = [signed.stdout, signed.stderr].concat();
        problems.push(format!("signatures: {}", String::from_utf8_lossy(&said)));
    }
    let known = services().flat_map(|service| {
        let operations = model(service).unwrap().operations();
        operations.map(move |(operation, _)| format!("{service} {operation}"))
    });
    assert_eq!(covered, known.collect());
    assert!(
        problems.is_empty(),
        "{} of {} cases:\n{}",
        problems.len(),
        cases.len(),
        problems.join("\n")
    );
}

fn answer(response: &Value) -> Answer {
    let headers = response["headers"].as_array().unwrap();
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        .collect();
    let body = STANDARD.decode(response["body"].as_str().unwrap()).unwrap();
    Answer::new(200, &headers, &body)
}

fn requests(ours: &[Seen], theirs: &[Value]) -> Option<String> {
    if ours.len() != theirs.len() {
        return Some(format!(
            "count: ours {}, boto3 {}",
            ours.len(),
            theirs.len()
        ));
    }
    ours.iter()
        .zip(theirs)
        .find_map(|(ours, theirs)| request(ours, theirs))
}

fn request(ours: &Seen, theirs: &Value) -> Option<String> {
    let text = |name: &str| theirs[name].as_str().unwrap();
    let (path, query) = ours.target.split_once('?').unwrap_or((&ours.target, ""));
    let kind = theirs["headers"]["content-type"]
        .as_str()
        .unwrap_or_default();
    let same_body = if kind.contains("json") {
        let read = |body: &str| serde_json::from_str::<Value>(body).unwrap_or(Value::Null);
        read(&ours.body) == read(text("body"))
    } else {
        pairs(&ours.body) == pairs(text("body"))
    };
    if ours.method != text("method") || path != text("path") {
        return Some(format!(
            "line: ours {} {path}, boto3 {} {}",
            ours.method,
            text("method"),
            text("path")
        ));
    }
    if pairs(query) != pairs(text("query")) {
        return Some(format!("query: ours {query}, boto3 {}", text("query")));
    }
    if !same_body {
        return Some(format!("body: ours {}, boto3 {}", ours.body, text("body")));
    }
    let theirs = theirs["headers"].as_object().unwrap();
    theirs
        .iter()
        .filter(|(name, _)| !UNRELATED.contains(&name.as_str()))
        .find_map(|(name, theirs)| {
            let ours = ours.header(name);
            (ours != theirs.as_str())
                .then(|| format!("header {name}: ours {ours:?}, boto3 {theirs}"))
        })
}

/// Names and values of a form or query string, decoded and sorted.
fn pairs(text: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    let parts = text.split('&').filter(|part| !part.is_empty());
    let mut pairs: Vec<(String, String)> = parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        })
        .collect();
    pairs.sort();
    pairs
}
