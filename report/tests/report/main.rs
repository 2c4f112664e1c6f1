//! `report` against lakes made for each test.

mod access;
mod folder;
mod formats;
mod history;
mod hostile;
mod lake;
mod limits;
mod markdown;
mod page;
mod people;

use std::path::Path;

use lake::{Analyzed, DATABASE, ROOT, Run, finding, rendered, report, small};
use serde_json::{Value, json};

const NOW: &str = "2026-11-16T06:00:00Z";
const BEFORE: &str = "2026-11-09T06:00:00Z";

fn document(lake: &Path) -> Value {
    serde_json::from_str(&rendered(lake, "json")).unwrap()
}

/// Judged by a validator that is not ours: Python's jsonschema.
fn validate(document: &Value) {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/report-1.0.schema.json");
    let program = "import json, sys, jsonschema\n\
        validator = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))\n\
        errors = [f'{e.message} at {e.json_path}' for e in validator.iter_errors(json.load(sys.stdin))]\n\
        sys.exit('\\n'.join(errors) or 0)";
    let mut child = std::process::Command::new(fixtures::python())
        .args(["-c", program, schema])
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), document).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_report_of_a_small_account() {
    let folder = tempfile::tempdir().unwrap();
    small().commit(folder.path(), NOW);
    insta::assert_snapshot!(rendered(folder.path(), "markdown"));
}

#[test]
fn the_document_is_valid_and_tells_what_the_markdown_tells() {
    let folder = tempfile::tempdir().unwrap();
    small().commit(folder.path(), NOW);
    let document = document(folder.path());
    validate(&document);
    let evaluation = &document["evaluation"];
    assert_eq!(document["partial"], true);
    assert_eq!(
        evaluation["findings"].as_array().unwrap().len(),
        5,
        "passes are counted, not listed"
    );
    assert_eq!(
        [
            &evaluation["passed"],
            &evaluation["failed"],
            &evaluation["unknown"],
            &evaluation["waived"]
        ],
        [3, 3, 1, 1]
    );
    assert_eq!(
        evaluation["findings"][1]["evidence"]["backup_retention_days"],
        0
    );
    let statuses: Vec<&str> = evaluation["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        statuses,
        [
            "fail",
            "fail",
            "pass",
            "not evaluated",
            "not evaluated",
            "fail",
            "pass"
        ]
    );
}

#[test]
fn a_schema_that_is_not_met_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    small().commit(folder.path(), NOW);
    let mut document = document(folder.path());
    document["evaluation"]["findings"][0]["surprise"] = 1.into();
    assert!(std::panic::catch_unwind(|| validate(&document)).is_err());
}

#[test]
fn the_same_lake_gives_the_same_bytes_wherever_it_lies() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small().commit(here.path(), NOW);
    let mut shuffled = small();
    shuffled.analyzed.as_mut().unwrap().findings.reverse();
    shuffled.analyzed.as_mut().unwrap().context.reverse();
    shuffled.commit(there.path(), NOW);
    for format in ["markdown", "json", "csv", "html", "sarif", "ocsf", "junit"] {
        assert_eq!(
            rendered(here.path(), format),
            rendered(here.path(), format),
            "{format}"
        );
        assert_eq!(
            rendered(here.path(), format),
            rendered(there.path(), format),
            "{format}"
        );
    }
}

#[test]
fn no_findings() {
    let folder = tempfile::tempdir().unwrap();
    let findings = vec![finding("root-mfa", "pass", ROOT, json!({}))];
    let analyzed = Analyzed {
        findings,
        checks: lake::checks(),
        ..Analyzed::default()
    };
    Run {
        resources: 1,
        analyzed: Some(analyzed),
        ..Run::default()
    }
    .commit(folder.path(), NOW);
    let markdown = rendered(folder.path(), "markdown");
    assert!(
        markdown
            .contains("Everything was evaluated: 7 checks gave 1 verdict, none of them unknown"),
        "{markdown}"
    );
    assert!(markdown.contains("**100**"), "{markdown}");
    for absent in [
        "CAUTION",
        "## Not evaluated",
        "## Top risks",
        "## Evidence",
        "**This report is partial",
    ] {
        assert!(!markdown.contains(absent), "{absent}: {markdown}");
    }
    validate(&document(folder.path()));
    assert_eq!(rendered(folder.path(), "csv").lines().count(), 1);
}

#[test]
fn one_new_critical_finding_is_announced_and_linked() {
    let folder = tempfile::tempdir().unwrap();
    let findings = vec![finding("root-mfa", "fail", ROOT, json!({}))];
    let analyzed = Analyzed {
        findings,
        checks: lake::checks(),
        ..Analyzed::default()
    };
    Run {
        resources: 1,
        analyzed: Some(analyzed),
        ..Run::default()
    }
    .commit(folder.path(), NOW);
    let markdown = rendered(folder.path(), "markdown");
    let anchor = format!("f-{}", &lake::fingerprint("root-mfa", ROOT)[..6]);
    assert!(
        markdown.contains(
            "> **1 critical finding is open in the first analysed run of this lake:** `root-mfa`"
        ),
        "{markdown}"
    );
    assert!(
        markdown.contains(&format!("](#{anchor})"))
            && markdown.contains(&format!("<a id=\"{anchor}\"></a>")),
        "{markdown}"
    );
}

#[test]
fn before_analyze_nothing_passes_and_the_exit_code_tells() {
    let folder = tempfile::tempdir().unwrap();
    Run {
        resources: 3,
        ..Run::default()
    }
    .commit(folder.path(), NOW);
    for format in ["markdown", "json", "csv"] {
        let output = report(&[folder.path().to_str().unwrap(), "--format", format]);
        assert_eq!(output.status.code(), Some(3), "{format}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("analyze has not looked at run"));
        let text = String::from_utf8(output.stdout).unwrap();
        match format {
            "markdown" => assert!(
                text.contains("**Nothing was evaluated:**") && text.contains("3 resources"),
                "{text}"
            ),
            "json" => {
                let document: Value = serde_json::from_str(&text).unwrap();
                validate(&document);
                assert_eq!(
                    [&document["evaluation"], &document["partial"]],
                    [&Value::Null, &Value::Bool(true)]
                );
            }
            _ => assert_eq!(text.lines().count(), 1),
        }
    }
}

/// A run before the small one: the same failures, and five more with five different fates.
fn earlier(lake: &Path) {
    let mut before = small();
    let analyzed = before.analyzed.as_mut().unwrap();
    analyzed.findings.retain(|finding| {
        finding["check_id"] != "root-mfa"
            && finding["status"] != "pass"
            && finding["status"] != "unknown"
    });
    analyzed.findings.extend([
        finding(
            "trail-multi-region",
            "fail",
            ROOT,
            json!({"change": "open"}),
        ),
        finding(
            "tag-name-format",
            "fail",
            "arn:aws:ec2:eu-west-1:111122223333:instance/i-gone",
            json!({"change": "open"}),
        ),
        finding(
            "dns-zone-backup",
            "fail",
            DATABASE,
            json!({"change": "open"}),
        ),
        finding("inspector-off", "fail", ROOT, json!({"change": "open"})),
        finding(
            "inspector-off",
            "fail",
            "arn:aws:ec2:eu-west-1:111122223333:instance/i-away",
            json!({"change": "open"}),
        ),
    ]);
    before.commit(lake, BEFORE);
}

#[test]
fn what_became_of_the_last_runs_findings() {
    let folder = tempfile::tempdir().unwrap();
    earlier(folder.path());
    small().commit(folder.path(), NOW);
    let document = document(folder.path());
    validate(&document);
    let named = |list: &str| -> Vec<(String, String)> {
        let text = |finding: &Value, member: &str| finding[member].as_str().unwrap().to_owned();
        document["evaluation"][list]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| (text(finding, "check_id"), text(finding, "resource_arn")))
            .collect()
    };
    let pair = |check: &str, arn: &str| (check.to_owned(), arn.to_owned());
    let gone = "arn:aws:ec2:eu-west-1:111122223333:instance/i-gone";
    let away = "arn:aws:ec2:eu-west-1:111122223333:instance/i-away";
    assert_eq!(
        named("fixed"),
        [
            pair("trail-multi-region", ROOT),
            pair("tag-name-format", gone)
        ]
    );
    // Still there without a verdict; unknown now; gone, but its check could not look everywhere.
    assert_eq!(
        named("not_evaluated_again"),
        [
            pair("dns-zone-backup", DATABASE),
            pair("inspector-off", away),
            pair("inspector-off", ROOT)
        ]
    );
    let last = &document["evaluation"]["earlier_runs"][0];
    assert_eq!(last["open"], 7);
    let markdown = rendered(folder.path(), "markdown");
    for wanted in ["are new since", "is new since"] {
        if markdown.contains(wanted) {
            insta::assert_snapshot!(
                "changes",
                section(&markdown, "## Scoreboard", "## Top risks")
                    + &section(&markdown, "## Changes", "## To do")
            );
            return;
        }
    }
    panic!("no caution for the new critical finding: {markdown}");
}

fn section(markdown: &str, from: &str, to: &str) -> String {
    let start = markdown.find(from).unwrap();
    let end = markdown[start..].find(to).unwrap();
    markdown[start..start + end].to_owned()
}

#[test]
fn an_earlier_run_that_is_damaged_is_left_out_and_named() {
    let folder = tempfile::tempdir().unwrap();
    earlier(folder.path());
    small().commit(folder.path(), NOW);
    let findings = std::fs::read_dir(folder.path().join("findings"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .min()
        .unwrap();
    let file = findings.join("findings.parquet");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, vec![0; bytes.len()]).unwrap();
    let output = report(&[folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is left out of the history"));
    let markdown = String::from_utf8(output.stdout).unwrap();
    assert!(
        markdown.contains("Left out because their files could not be read: `20261109T060000Z-"),
        "{markdown}"
    );
    assert!(
        !markdown.contains(folder.path().to_str().unwrap()),
        "no path in a report"
    );
}

#[test]
fn a_rule_that_does_not_exist_ends_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let findings = vec![finding("root-mfa", "fail", ROOT, json!({"rule": 9}))];
    Run {
        analyzed: Some(Analyzed {
            findings,
            ..Analyzed::default()
        }),
        ..Run::default()
    }
    .commit(folder.path(), NOW);
    let output = report(&[folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: findings: check \"root-mfa\" has rule 9, expected 1 to 7: run `analyze` again\n"
    );
}

#[test]
fn a_folder_gets_a_file_per_format_and_the_next_tool_the_run() {
    let (lake, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let run = small().commit(lake.path(), NOW);
    let folder = out.path().join("made/here");
    let arguments = [
        lake.path().to_str().unwrap(),
        "--out",
        folder.to_str().unwrap(),
        "--format",
        "markdown",
        "--format",
        "json",
        "--format",
        "csv",
    ];
    let output = report(&arguments);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("{}/runs/{run}\n", lake.path().display())
    );
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "appendix.md",
            "changes.md",
            "findings.csv",
            "frameworks.md",
            "owners.md",
            "report.json",
            "report.md"
        ]
    );
    assert_eq!(
        report(&[
            lake.path().to_str().unwrap(),
            "--format",
            "json",
            "--format",
            "csv"
        ])
        .status
        .code(),
        Some(2)
    );
}

#[test]
fn a_diagram_is_embedded_when_a_reader_can_load_it() {
    let lake = tempfile::tempdir().unwrap();
    small().commit(lake.path(), NOW);
    let location = lake.path().to_str().unwrap();
    let output = report(&[location, "--diagram", "pictures/landscape.svg"]);
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("\n![The account's landscape](pictures/landscape.svg)\n")
    );
    assert_eq!(
        report(&[location, "--diagram", "javascript:alert(1)"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn what_is_not_a_run_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let output = report(&[folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!(
            "error: no committed run in {}: run `collect inventory` first\n",
            folder.path().display()
        )
    );
}
