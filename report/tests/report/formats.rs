//! The formats of others: judged by their own schemas, and telling what the report tells.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::NOW;
use crate::hostile::{HOSTILE, lake_of};
use crate::lake::{Analyzed, DATABASE, ROOT, Run, checks, finding, rendered, report, small};
use crate::limits::large;

/// Validators by format: the document on standard input, the schema's file as argument.
const SARIF: &str = "import json, sys, jsonschema
validator = jsonschema.Draft7Validator(json.load(open(sys.argv[1])), format_checker=jsonschema.FormatChecker())
errors = [f'{e.message} at {e.json_path}' for e in validator.iter_errors(json.load(sys.stdin))]
sys.exit('\\n'.join(errors[:10]) or 0)";
const JUNIT: &str = "import sys
from lxml import etree
schema = etree.XMLSchema(etree.parse(sys.argv[1]))
parser = etree.XMLParser(huge_tree=True)
document = etree.parse(sys.stdin.buffer, parser)
sys.exit(0 if schema.validate(document) else str(schema.error_log))";
const OCSF: &str = "import json, sys, jsonschema
from ocsf_json_schema import get_ocsf_schema, OcsfJsonSchemaEmbedded
schemas, validators, errors = OcsfJsonSchemaEmbedded(get_ocsf_schema(version='1.8.0')), {}, []
for line in sys.stdin.buffer.read().decode().split('\\n')[:-1]:
    event = json.loads(line)
    uid = event['class_uid']
    if uid not in validators:
        schema = schemas.get_class_schema(schemas.lookup_class_name_from_uid(uid), profiles=event['metadata']['profiles'])
        validators[uid] = jsonschema.Draft202012Validator(schema)
    errors += [f'{e.message} at {e.json_path}' for e in validators[uid].iter_errors(event)]
sys.exit('\\n'.join(errors[:10]) or 0)";

/// What a validator that is not ours says against a document; nothing when it is valid.
fn objections(program: &str, schema: &str, document: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas");
    let mut child = Command::new(fixtures::python())
        .args(["-c", program])
        .arg(folder.join(schema))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(document.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

fn objections_to(format: &str, document: &str) -> Option<String> {
    match format {
        "sarif" => objections(SARIF, "sarif-2.1.0.schema.json", document),
        "junit" => objections(JUNIT, "junit-10.xsd", document),
        _ => objections(OCSF, "", document),
    }
}

const FORMATS: [&str; 3] = ["sarif", "junit", "ocsf"];

/// The small lake with a detection and a check that failed.
fn with_a_detection() -> Run {
    let mut run = small();
    let analyzed = run.analyzed.as_mut().unwrap();
    analyzed.findings.push(finding(
        "trail-multi-region",
        "fail",
        ROOT,
        json!({"kind": "detection", "discriminator": "event-1", "fingerprint": "00000000000000ff", "reason": "a trail was stopped {0} [now](https://evil.example)"}),
    ));
    analyzed.checks[5]["status"] = "error".into();
    analyzed.checks[5]["error"] = "no such column".into();
    run
}

fn lines(document: &str) -> Vec<Value> {
    document
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_document_is_valid_for_its_own_schema() {
    let folder = tempfile::tempdir().unwrap();
    with_a_detection().commit(folder.path(), NOW);
    for format in FORMATS {
        let document = rendered(folder.path(), format);
        assert_eq!(
            objections_to(format, &document),
            None,
            "{format}: {document}"
        );
    }
}

#[test]
fn the_validators_notice_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    with_a_detection().commit(folder.path(), NOW);
    let spoilt = [
        ("sarif", "\"kind\": \"fail\"", "\"kind\": \"failed\""),
        ("junit", " classname=\"root-mfa\"", " klass=\"root-mfa\""),
        ("ocsf", "\"severity_id\":5", "\"severity_id\":\"5\""),
    ];
    for (format, right, wrong) in spoilt {
        let document = rendered(folder.path(), format);
        assert!(document.contains(right), "{format}: {document}");
        assert!(
            objections_to(format, &document.replace(right, wrong)).is_some(),
            "{format}"
        );
    }
}

#[test]
fn hostile_texts_stay_texts_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    lake_of(folder.path(), &HOSTILE);
    for format in FORMATS {
        let document = rendered(folder.path(), format);
        assert_eq!(objections_to(format, &document), None, "{format}");
        assert!(
            !document.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}']),
            "{format} moves no cursor"
        );
    }
    let log: Value = serde_json::from_str(&rendered(folder.path(), "sarif")).unwrap();
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let text = result["message"]["text"].as_str().unwrap();
        assert!(!text.contains("]("), "a message has no link: {text}");
    }
}

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
