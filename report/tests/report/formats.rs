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
use crate::people::{attested_as, entry};

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

#[test]
fn what_people_attest_is_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    small().commit(folder.path(), NOW);
    let file = entry("penetration-test", "system = 'checkout'", "2027-01-15")
        + &entry("codebase-backup", "account = '111122223333'", "2026-11-15");
    let told = |format: &str| {
        let output = attested_as(folder.path(), &file, format);
        assert_eq!(output.status.code(), Some(0), "{format}");
        String::from_utf8(output.stdout).unwrap()
    };
    for format in FORMATS {
        assert_eq!(objections_to(format, &told(format)), None, "{format}");
    }

    let log: Value = serde_json::from_str(&told("sarif")).unwrap();
    let run = &log["runs"][0];
    let attestations = run["properties"]["attestations"].as_array().unwrap();
    let statuses: Vec<(&str, &str)> = attestations
        .iter()
        .map(|entry| {
            (
                entry["what"].as_str().unwrap(),
                entry["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(statuses.len(), 8);
    for wanted in [
        ("penetration-test", "attested"),
        ("codebase-backup", "fail"),
        ("external-scan", "not evaluated"),
    ] {
        assert!(statuses.contains(&wanted), "{wanted:?} of {statuses:?}");
    }
    let notes = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(
        notes.contains(
            "attestation codebase-backup (fail): over for account 111122223333 since 2026-11-15"
        ),
        "{notes}"
    );

    let events = lines(&told("ocsf"));
    let of = |what: &str| {
        let control = |event: &&Value| event["compliance"]["control"] == what;
        events
            .iter()
            .find(control)
            .map(|event| event["compliance"]["status"].clone())
    };
    assert_eq!(of("codebase-backup"), Some("Fail".into()));
    assert_eq!(of("external-scan"), Some("Unknown".into()));
    assert_eq!(of("penetration-test"), None, "what counts is no event");

    let suites = told("junit");
    for wanted in [
        "<testcase classname=\"attestation\" name=\"penetration-test: somebody who did not build it tried to break in\"/>",
        "<failure message=\"over for account 111122223333 since 2026-11-15\">done 2026-01-15 by Example, counts until 2026-11-15: https://example.com/r p</failure>",
        "<skipped message=\"nobody attested it\"/>",
        "<property name=\"Codebase\" value=\"fail\"/>",
    ] {
        assert!(suites.contains(wanted), "{wanted}: {suites}");
    }

    let page = told("html");
    assert!(page.contains(
        "<a href=\"https://example.com/r%20p\"><code>https://example.com/r p</code></a>"
    ));
    assert!(page.contains("<strong>fail</strong>: over since 2026-11-15"));
    assert_eq!(
        told("csv").lines().count(),
        6,
        "a list of findings has no place for it"
    );
}

#[test]
fn the_chapters_are_in_every_format_that_has_a_place_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = small();
    let analyzed = run.analyzed.as_mut().unwrap();
    analyzed.trail_days.push(json!({"account_id": "111122223333", "region": "eu-west-1", "day": "2026-11-14T00:00:00Z", "events": 10, "changes": 2}));
    analyzed.scans.push(json!({"account_id": "111122223333", "region": "eu-west-1", "scanner": "Inspector", "kind": "instances", "resources": 3, "covered": 2, "undecided": 0}));
    analyzed.findings.push(finding("cis-alarms", "fail", ROOT, json!({"discriminator": "root-use", "reason": "nobody is told", "evidence": {"control": "4.3"}})));
    run.commit(folder.path(), NOW);
    let log: Value = serde_json::from_str(&rendered(folder.path(), "sarif")).unwrap();
    let report = &log["runs"][0]["properties"]["report"];
    assert_eq!(report["rules"].as_array().unwrap().len(), 7);
    assert_eq!(report["scan_coverage"][0]["covered"], 2);
    assert_eq!(report["alarms"][0]["event"], "root-use");
    assert_eq!(
        report["dr_checklist"]["backups"][4]["component"],
        "Codebase"
    );
    let suites = rendered(folder.path(), "junit");
    for wanted in [
        "<property name=\"status\" value=\"not evaluated\"/>",
        "<property name=\"days with events, 111122223333 eu-west-1\" value=\"1\"/>",
        "<property name=\"told of, 111122223333 4.3 root-use\" value=\"no\"/>",
        "<property name=\"Inspector instances, 111122223333 eu-west-1\" value=\"2 of 3\"/>",
    ] {
        assert!(suites.contains(wanted), "{wanted}: {suites}");
    }
    let page = rendered(folder.path(), "html");
    for wanted in [
        "<h3 id=\"trail-coverage-by-region-and-day\">",
        "<h3 id=\"alarms-that-cis-names\">",
        "<h3 id=\"scanner-coverage-and-age\">",
        "<h3 id=\"checklist\">",
        "<h3 id=\"method\">",
        "<section class=\"chapter\" id=\"frameworks\">",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
}

#[test]
fn who_changed_it_is_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = small();
    let trace = json!({"trace": {"principals": ["arn:aws:iam::111122223333:user/ben"], "addresses": ["198.51.100.7"],
        "first": "2026-11-13 09:00:00", "last": "2026-11-13 09:04:00", "calls": 3, "denied": 0, "failed": 0}});
    let over = json!({"kind": "detection", "discriminator": "event-1", "fingerprint": "00000000000000ff", "evidence": trace});
    let analyzed = run.analyzed.as_mut().unwrap();
    analyzed
        .findings
        .push(finding("trail-multi-region", "fail", DATABASE, over));
    run.commit(folder.path(), NOW);
    for format in FORMATS {
        assert_eq!(
            objections_to(format, &rendered(folder.path(), format)),
            None,
            "{format}"
        );
    }
    let log: Value = serde_json::from_str(&rendered(folder.path(), "sarif")).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let by = |check: &str| {
        let result = results
            .iter()
            .find(|result| result["ruleId"] == check)
            .unwrap();
        result["properties"]["changed_by"]["principals"][0].clone()
    };
    let ben = "arn:aws:iam::111122223333:user/ben";
    assert_eq!(by("trail-multi-region"), ben);
    assert_eq!(
        by("db-backup-off"),
        ben,
        "the last seen change of the same resource"
    );
    assert_eq!(by("root-mfa"), Value::Null);

    let events = lines(&rendered(folder.path(), "ocsf"));
    let event = events
        .iter()
        .find(|event| event["class_uid"] == 2004)
        .unwrap();
    assert_eq!(event["evidences"][1]["actor"]["user"]["uid"], ben);
    assert_eq!(
        event["end_time"].as_i64().unwrap() - event["start_time"].as_i64().unwrap(),
        240_000
    );
    assert_eq!(
        event["unmapped"]["changed_by"]["addresses"][0],
        "198.51.100.7"
    );
    let drifted = events
        .iter()
        .find(|event| event["compliance"]["control"] == "db-backup-off")
        .unwrap();
    assert_eq!(drifted["unmapped"]["changed_by"]["principals"][0], ben);
    assert_eq!(
        drifted["evidences"].as_array().unwrap().len(),
        1,
        "it is no evidence of the setting"
    );

    let suites = rendered(folder.path(), "junit");
    assert!(suites.contains("\ndone by arn:aws:iam::111122223333:user/ben from 198.51.100.7 at 2026-11-13T09:04:00Z\n"), "{suites}");
    assert!(suites.contains("\nlast seen change by "), "{suites}");
    let page = rendered(folder.path(), "html");
    assert!(
        page.contains(
            "<dt>Done by</dt><dd>user/ben from 198.51.100.7, 2026-11-13 09:04 UTC, 3 calls</dd>"
        ),
        "{page}"
    );
    assert!(
        page.contains("<dt>Last seen change</dt><dd>user/ben"),
        "{page}"
    );
}

#[test]
fn hostile_attestations_stay_texts_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    small().commit(folder.path(), NOW);
    let file: String = HOSTILE
        .iter()
        .filter(|text| !text.trim().is_empty() && !text.contains("://"))
        .map(|text| {
            let quoted = Value::from(*text).to_string();
            entry("penetration-test", "system = 'checkout'", "2027-01-15")
                .replace("'Example'", &quoted)
                .replace("'https://example.com/r p'", &quoted)
        })
        .collect();
    for format in ["markdown", "html", "json", "sarif", "junit", "ocsf"] {
        let output = attested_as(folder.path(), &file, format);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{format}: {said}");
        let document = String::from_utf8(output.stdout).unwrap();
        assert!(
            !document.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}']),
            "{format} moves no cursor"
        );
        if FORMATS.contains(&format) {
            assert_eq!(objections_to(format, &document), None, "{format}");
        }
        if format == "markdown" {
            let without = rendered(folder.path(), format);
            let problems = crate::hostile::problems;
            assert_eq!(
                problems(&document),
                problems(&without),
                "none came with them"
            );
        }
        if format == "html" {
            for element in [
                "<img",
                "<h1>gone",
                "<b>\\",
                "javascript:alert(1)\"",
                "<script>alert",
            ] {
                assert!(!document.contains(element), "{element}");
            }
        }
    }
}
