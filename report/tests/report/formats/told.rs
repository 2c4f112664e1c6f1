//! What the report tells beside verdicts, in every format: attestations, chapters, who changed it.

use serde_json::{Value, json};

use super::{FORMATS, lines, objections_to};
use crate::NOW;
use crate::hostile::HOSTILE;
use crate::lake::{DATABASE, ROOT, finding, rendered, small};
use crate::people::{attested_as, entry};

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
