//! What people attest, what was not run, and the tables that speak of monitoring.

use std::path::Path;

use serde_json::json;

use crate::lake::{DATABASE, ROOT, finding, report, small};
use crate::{NOW, document, rendered, validate};

/// The report in a format, told of a file of attestations.
pub fn attested_as(lake: &Path, file: &str, format: &str) -> std::process::Output {
    let path = lake.join("attestations.toml");
    std::fs::write(&path, file).unwrap();
    report(&[
        lake.to_str().unwrap(),
        "--attestations",
        path.to_str().unwrap(),
        "--format",
        format,
    ])
}

fn attested(lake: &Path, file: &str) -> std::process::Output {
    attested_as(lake, file, "markdown")
}

pub fn entry(what: &str, about: &str, expires: &str) -> String {
    format!(
        "[[attestation]]\nwhat = '{what}'\n{about}\ndate = 2026-01-15\nexpires = {expires}\nby = 'Example'\nevidence = 'https://example.com/r p'\n"
    )
}

#[test]
fn attestations_count_fail_when_over_and_are_missed_when_absent() {
    let lake = tempfile::tempdir().unwrap();
    small().commit(lake.path(), NOW);
    let file = entry("penetration-test", "system = 'checkout'", "2027-01-15")
        + &entry("codebase-backup", "account = '111122223333'", "2026-11-15")
        + &entry("recovery-drill", "account = '111122223333'", "2026-11-16");
    let output = attested(lake.path(), &file);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let markdown = String::from_utf8(output.stdout).unwrap();
    for wanted in [
        "| attested | system `checkout` | 2026-01-15 | 2027-01-15 | Example | [`https://example.com/r p`](https://example.com/r%20p) |",
        "| **fail**: over since 2026-11-15 | account `111122223333` |",
        "| attested | account `111122223333` | 2026-01-15 | 2026-11-16 |",
        "| Codebase | **fail** | **`codebase-backup` is over** for account `111122223333` (2026-11-15) |",
        "| not evaluated | – | – | – | – | – |",
        "is not evaluated unless somebody attests it: `access-review`, `external-scan`, `incident-drill`, `configuration-backup` and `application-addressing`.",
        "| [7 Disaster recovery](#rule-7-disaster-recovery) | **fail** |",
    ] {
        assert!(markdown.contains(wanted), "{wanted}: {markdown}");
    }
    let without = rendered(lake.path(), "markdown");
    assert!(
        without.contains("| Codebase | not evaluated | `codebase-backup` is attested by nobody |"),
        "{without}"
    );
    assert!(
        without.contains("| [7 Disaster recovery](#rule-7-disaster-recovery) | pass |"),
        "{without}"
    );
}

#[test]
fn a_file_with_faults_is_refused_with_a_line_for_each() {
    let lake = tempfile::tempdir().unwrap();
    small().commit(lake.path(), NOW);
    let output = attested(
        lake.path(),
        "[[attestation]]\nwhat = 'pentest'\nsystem = 'checkout'\ndate = 2026-01-15\nexpires = 2027-01-15\nby = ''\nevidence = 'x'\n",
    );
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said.lines()
            .filter(|line| line.starts_with("error: "))
            .count(),
        3,
        "{said}"
    );
    assert!(said.contains("attestation 1: by is empty"), "{said}");
    assert!(output.stdout.is_empty());
    let output = attested(
        lake.path(),
        &entry("access-review", "system = 'chekout'", "2027-01-15"),
    );
    assert_eq!(output.status.code(), Some(0));
    assert!(
        String::from_utf8(output.stderr).unwrap().contains(
            "attestation 1 is about system \"chekout\", which no resource of this run has"
        )
    );
}

#[test]
fn checks_that_were_not_run_are_named_and_pass_nothing() {
    let lake = tempfile::tempdir().unwrap();
    let mut run = small();
    let analyzed = run.analyzed.as_mut().unwrap();
    for check in &mut analyzed.checks {
        if check["check_id"] == "trail-multi-region" {
            check["status"] = json!("not_evaluated");
            check["error"] = json!("the lake has no CloudTrail events");
        }
    }
    analyzed
        .findings
        .retain(|finding| finding["check_id"] != "trail-multi-region");
    run.commit(lake.path(), NOW);
    let markdown = rendered(lake.path(), "markdown");
    for wanted in [
        "1 check was not run (`trail-multi-region`): the lake has no CloudTrail events.",
        "1 check was not run, 1 call to AWS",
        "| [3 Logging and monitoring](#rule-3-logging-and-monitoring) | not evaluated |",
        "| high | 0 | 0 | all: not run | 0 |",
    ] {
        assert!(markdown.contains(wanted), "{wanted}: {markdown}");
    }
    assert!(!markdown.contains("the check itself failed"), "{markdown}");
    let document = document(lake.path());
    validate(&document);
    let check = document["evaluation"]["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["check_id"] == "trail-multi-region")
        .unwrap();
    assert_eq!(check["status"], "not_evaluated");
}

#[test]
fn monitoring_and_objectives_are_shown_as_they_were_observed() {
    let lake = tempfile::tempdir().unwrap();
    let mut run = small();
    run.trails.push(json!({"account_id": "111122223333", "region": "eu-west-1", "arn": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main", "trail_name": "main",
        "home_region": "eu-west-1", "is_multi_region_trail": false, "is_logging": true, "log_file_validation_enabled": true, "s3_bucket_name": "logs"}));
    let analyzed = run.analyzed.as_mut().unwrap();
    for day in ["2026-11-01", "2026-11-14", "2026-11-15", "2026-11-17"] {
        analyzed.trail_days.push(json!({"account_id": "111122223333", "region": "eu-west-1", "day": format!("{day}T00:00:00Z"), "events": 10, "changes": 2}));
    }
    analyzed.scans.push(json!({"account_id": "111122223333", "region": "eu-west-1", "scanner": "Inspector", "kind": "instances", "resources": 3, "covered": 2,
        "undecided": 0, "oldest_scan_at": "2026-11-06T06:00:00Z"}));
    let rpo = |status: &str, over: serde_json::Value| {
        let mut row = finding("db-backup-off", status, DATABASE, over);
        row["check_id"] = json!("db-rpo-unmet");
        row["fingerprint"] = json!("00000000000000aa");
        row
    };
    analyzed
        .findings
        .push(rpo("pass", json!({"evidence": {"behind_seconds": 300}})));
    analyzed.findings.push(finding("cis-alarms", "pass", ROOT, json!({"discriminator": "root-use", "reason": "counted by root", "evidence": {"control": "4.3"}})));
    run.commit(lake.path(), NOW);
    let markdown = rendered(lake.path(), "markdown");
    for wanted in [
        "| `main` | eu-west-1 | **no** | yes | – | yes | **no** | `logs` | not known |",
        // The last two days of the strip: the 15th had events, the 16th is the day of the run.
        "| eu-west-1 | 40 | 8 | 3 | 2026-11-01 | 2026-11-15 | 12 days | `············█············██·` |",
        "| us-east-1 | **none** | 0 | 0 | – | – | 15 days |",
        "| Inspector | instances | eu-west-1 | **2 of 3** | 0 | 2026-11-06 | 10 days |",
        "| 4.3 | root-use | yes | counted by root |",
        "| 15m | 5m, met | 24h | not evaluated | – |",
    ] {
        assert!(markdown.contains(wanted), "{wanted}: {markdown}");
    }
    let document = document(lake.path());
    validate(&document);
    assert_eq!(
        document["evaluation"]["databases"][0]["rpo_observed"]["seconds"],
        300
    );
}
