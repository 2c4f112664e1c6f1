//! Runs the cases of `tests/iam/*.jsonl` through [`simulate`](super::simulate()): each line is a request as the command
//! takes it, with `expected` (the decision) or `expectedError` (a part of the message), `expectedBy` (what decided, where
//! a case is about that) and `why`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::simulate::simulate;

/// What decided, in the short form of the cases: policy type, organization's node, policy, statement.
fn decided_by(answer: &Value) -> Vec<String> {
    let entries = answer["decidedBy"].as_array().expect("decidedBy is a list");
    entries
        .iter()
        .map(|entry| {
            let mut parts = vec![
                entry["policyType"]
                    .as_str()
                    .expect("every entry has a type"),
            ];
            parts.extend(entry["orgIdentifier"].as_str());
            parts.extend(entry["policy"].as_str());
            let statement = entry["statement"].as_u64().map(|index| index.to_string());
            parts.push(statement.as_deref().unwrap_or("missing"));
            parts.join(" ")
        })
        .collect()
}

/// What is wrong with the answer to one case, if anything is.
fn mismatch(case: &Value, answer: &Value) -> Option<String> {
    if case["id"] != answer["id"] {
        return Some(format!("answered as {}", answer["id"]));
    }
    if let Some(wanted) = case["expectedError"].as_str() {
        let error = answer["error"].as_str().unwrap_or_default();
        return (!error.contains(wanted))
            .then(|| format!("expected an error with {wanted:?}, got {answer}"));
    }
    if case["expected"] != answer["decision"] {
        return Some(format!("expected {}, got {answer}", case["expected"]));
    }
    let wanted = case["expectedBy"].as_array()?;
    let decided_by = decided_by(answer);
    (*wanted != decided_by).then(|| format!("expected {wanted:?} to decide, got {decided_by:?}"))
}

/// Checks one file and returns how many cases it holds.
fn check(path: &Path) -> usize {
    let cases = fs::read_to_string(path).expect("cases can be read");
    let mut answers = Vec::new();
    simulate(cases.as_bytes(), &mut answers).expect("memory can be read and written");
    let answers = String::from_utf8(answers).expect("answers are text");
    assert_eq!(
        cases.lines().count(),
        answers.lines().count(),
        "{}: one answer per line",
        path.display()
    );
    let mut failures = Vec::new();
    for (case, answer) in cases.lines().zip(answers.lines()) {
        let case: Value = serde_json::from_str(case).expect("a case is JSON");
        let answer: Value = serde_json::from_str(answer).expect("an answer is JSON");
        assert!(case["why"].is_string(), "{}: says why", case["id"]);
        if let Some(problem) = mismatch(&case, &answer) {
            failures.push(format!("{} ({}): {problem}", case["id"], case["why"]));
        }
    }
    assert!(
        failures.is_empty(),
        "{}\n{}",
        path.display(),
        failures.join("\n")
    );
    cases.lines().count()
}

macro_rules! files {
    ($($name:ident: $file:literal, at least $least:literal;)+) => {$(
        #[test]
        fn $name() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/iam").join($file);
            let count = check(&path);
            assert!(count >= $least, "{}: {count} cases, {} are due", path.display(), $least);
        }
    )+};
}

files! {
    traps: "traps.jsonl", at least 80;
    conditions: "conditions.jsonl", at least 220;
    variables: "variables.jsonl", at least 45;
    same_account: "same-account.jsonl", at least 55;
    cross_account: "cross-account.jsonl", at least 25;
    boundaries: "boundaries.jsonl", at least 25;
    organization: "organization.jsonl", at least 40;
    principals: "principals.jsonl", at least 35;
    invalid: "invalid.jsonl", at least 65;
}
