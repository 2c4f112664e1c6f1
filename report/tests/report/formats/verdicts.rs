//! Verdicts in each format: what is open, accepted, unknown, left out, and what is not judged at all.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{FORMATS, lines, objections_to, with_a_detection};
use crate::NOW;
use crate::lake::{Analyzed, DATABASE, ROOT, Run, checks, finding, rendered, report};
use crate::limits::large;

#[test]
fn sarif_tells_open_accepted_and_unknown_apart() {
    let folder = tempfile::tempdir().unwrap();
    with_a_detection().commit(folder.path(), NOW);
    let log: Value = serde_json::from_str(&rendered(folder.path(), "sarif")).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let told: Vec<(&str, &str, &str, usize)> = results
        .iter()
        .map(|result| {
            let text = |member: &str| result[member].as_str().unwrap();
            (
                text("ruleId"),
                text("kind"),
                text("level"),
                result["suppressions"].as_array().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("root-mfa", "fail", "error", 0),
            ("db-backup-off", "fail", "error", 0),
            ("trail-multi-region", "fail", "error", 0),
            ("tag-name-format", "fail", "note", 0),
            ("db-backup-off", "fail", "error", 1),
            ("inspector-off", "open", "none", 0),
        ]
    );
    for result in results {
        let rule = &run["tool"]["driver"]["rules"]
            [usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(!rule["help"]["text"].as_str().unwrap().is_empty());
    }
    assert_eq!(
        results[1]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
        DATABASE
    );
    assert_eq!(
        results[2]["message"]["text"],
        "a trail was stopped {{0}} [now] (https://evil.example)"
    );
    assert_eq!(
        results[4]["suppressions"][0]["justification"],
        "accepted by team-checkout until 2027-01-01T00:00:00Z: can be made again"
    );
    let notes = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(
        notes.contains("check db-backup-off failed: no such column")
            && notes.contains("inspector2:BatchGetAccountStatus"),
        "{notes}"
    );
}

#[test]
fn ocsf_has_a_class_for_configuration_and_one_for_detections() {
    let folder = tempfile::tempdir().unwrap();
    with_a_detection().commit(folder.path(), NOW);
    let events = lines(&rendered(folder.path(), "ocsf"));
    let told: Vec<(u64, &str, &str)> = events
        .iter()
        .map(|event| {
            let status = event["compliance"]["status"].as_str().unwrap_or("none");
            (
                event["type_uid"].as_u64().unwrap(),
                event["status"].as_str().unwrap(),
                status,
            )
        })
        .collect();
    assert_eq!(events.len(), 6);
    for wanted in [
        (200_301, "New", "Fail"),
        (200_302, "New", "Fail"),
        (200_401, "New", "none"),
        (200_301, "Suppressed", "Fail"),
        (200_301, "New", "Unknown"),
    ] {
        assert!(told.contains(&wanted), "{wanted:?} of {told:?}");
    }
    assert!(!told.iter().any(|(_, _, status)| *status == "Pass"));
    assert_eq!(events[0]["severity_id"], 5);
    assert_eq!(events[0]["time"], 1_794_808_800_000_u64);
}

/// Outcomes of test cases by suite, counted from the elements, and what the suites' attributes say.
fn counted(document: &str) -> BTreeMap<&'static str, usize> {
    ["<testcase ", "<failure ", "<skipped ", "<error "]
        .into_iter()
        .map(|element| (element, document.matches(element).count()))
        .collect()
}

#[test]
fn junit_is_green_only_where_a_verdict_passed() {
    let folder = tempfile::tempdir().unwrap();
    with_a_detection().commit(folder.path(), NOW);
    let document = rendered(folder.path(), "junit");
    let found = counted(&document);
    // Four open, one accepted, one unknown, one failed check, one not evaluated, and checks with something that passed.
    assert_eq!(
        found,
        BTreeMap::from([
            ("<testcase ", 11 + 1),
            ("<failure ", 4),
            ("<skipped ", 4),
            ("<error ", 1)
        ]),
        "{document}"
    );
    assert!(
        document.contains("tests=\"12\" failures=\"4\" errors=\"1\""),
        "{document}"
    );
    assert!(document.contains("<skipped message=\"unknown: inspector2:BatchGetAccountStatus was denied in eu-west-1\"/>"), "{document}");
    assert!(document.contains("<skipped message=\"accepted by team-checkout until 2027-01-01T00:00:00Z: can be made again\"/>"), "{document}");
}

#[test]
fn before_analyze_nothing_is_green_and_the_exit_code_tells() {
    let folder = tempfile::tempdir().unwrap();
    Run {
        resources: 3,
        ..Run::default()
    }
    .commit(folder.path(), NOW);
    for format in FORMATS {
        let output = report(&[folder.path().to_str().unwrap(), "--format", format]);
        assert_eq!(output.status.code(), Some(3), "{format}");
        let document = String::from_utf8(output.stdout).unwrap();
        match format {
            "sarif" => {
                assert_eq!(objections_to(format, &document), None);
                let log: Value = serde_json::from_str(&document).unwrap();
                assert_eq!(
                    log["runs"][0].get("results"),
                    None,
                    "no results is not an empty list of results"
                );
                assert_eq!(
                    log["runs"][0]["invocations"][0]["executionSuccessful"],
                    false
                );
            }
            "junit" => {
                assert_eq!(objections_to(format, &document), None);
                assert_eq!(
                    [
                        counted(&document)["<testcase "],
                        counted(&document)["<skipped "]
                    ],
                    [7, 7]
                );
            }
            _ => assert_eq!(document, ""),
        }
    }
}

#[test]
fn a_run_without_findings_is_valid_too() {
    let folder = tempfile::tempdir().unwrap();
    let analyzed = Analyzed {
        findings: vec![finding("root-mfa", "pass", ROOT, json!({}))],
        checks: checks(),
        ..Analyzed::default()
    };
    Run {
        resources: 1,
        analyzed: Some(analyzed),
        ..Run::default()
    }
    .commit(folder.path(), NOW);
    for format in FORMATS {
        let document = rendered(folder.path(), format);
        assert_eq!(
            objections_to(format, &document),
            None,
            "{format}: {document}"
        );
    }
    let found = counted(&rendered(folder.path(), "junit"));
    assert_eq!(
        [found["<testcase "], found["<failure "], found["<skipped "]],
        [8, 0, 7]
    );
}

#[test]
fn what_is_left_out_of_a_large_account_is_counted() {
    const MANY: usize = 26_000;
    let folder = tempfile::tempdir().unwrap();
    large(MANY).commit(folder.path(), NOW);
    let sarif = rendered(folder.path(), "sarif");
    let log: Value = serde_json::from_str(&sarif).unwrap();
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 24_999);
    let note = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(
        note.as_str()
            .unwrap()
            .starts_with("1001 results are left out"),
        "{note}"
    );
    let junit = rendered(folder.path(), "junit");
    let own = junit.matches("<failure ").count();
    let folded: usize = junit
        .lines()
        .filter_map(|line| {
            line.split_once(" more, of lower risk")?
                .0
                .rsplit('"')
                .next()
        })
        .map(|count| {
            count
                .split(' ')
                .next()
                .unwrap()
                .replace(',', "")
                .parse::<usize>()
                .unwrap()
        })
        .sum();
    assert_eq!(folded, 6_000);
    assert!(own > 20_000 && own <= 20_007, "{own}");
    assert_eq!(
        lines(&rendered(folder.path(), "ocsf")).len(),
        MANY,
        "nothing is lost"
    );
}
