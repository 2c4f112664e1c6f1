//! The course of the runs: figures, gaps, and runs that an older contract wrote.

use std::path::Path;

use serde_json::json;

use crate::lake::{Analyzed, DATABASE, Run, UNNAMED, checks, finding, rendered, report, small};
use crate::{document, validate};

/// A run in which `failing` of the resources fail, with the figures that `analyze` counts.
fn run(failing: usize) -> Run {
    let findings = (0..failing).map(|number| {
        let arn = format!("arn:aws:ec2:eu-west-1:111122223333:instance/i-{number}");
        finding(
            "tag-name-format",
            "fail",
            &arn,
            json!({"change": "open", "owner": "team-a", "first_seen": "2026-06-01T06:00:00Z"}),
        )
    });
    let mut checks = checks();
    for check in &mut checks {
        check["failed"] = json!(if check["check_id"] == "tag-name-format" {
            failing
        } else {
            0
        });
    }
    Run {
        resources: failing,
        analyzed: Some(Analyzed {
            findings: findings.collect(),
            checks,
            ..Analyzed::default()
        }),
        ..Run::default()
    }
}

#[test]
fn a_year_of_runs_is_told_with_its_gaps() {
    let lake = tempfile::tempdir().unwrap();
    for (time, failing) in [
        ("2026-08-03T06:00:00Z", 9),
        ("2026-08-10T06:00:00Z", 8),
        ("2026-08-17T06:00:00Z", 7),
        ("2026-11-02T06:00:00Z", 4),
        ("2026-11-16T06:00:00Z", 3),
    ] {
        run(failing).commit(lake.path(), time);
    }
    Run::default().commit(lake.path(), "2026-11-09T06:00:00Z");
    let markdown = rendered(lake.path(), "markdown");
    assert!(
        markdown.contains("| 2026-11-02 | 0 | 4 | 0 | 0 | 3 | 0 | – |"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| **now** | 0 | 3 | 0 | 0 | 1 | 0 | – |"),
        "{markdown}"
    );
    assert!(
        markdown.contains("can't be read: the runs of 2026-11-09."),
        "{markdown}"
    );
    assert!(
        markdown.contains("Between 2026-08-17 and 2026-11-02 there was no run for 77 days"),
        "{markdown}"
    );
    assert!(markdown.contains("x-axis [\"2026-08-03\", \"2026-08-10\", \"2026-08-17\", \"2026-11-02\", \"2026-11-16\"]\n  y-axis \"findings\" 0 --> 9\n  bar [9, 8, 7, 4, 3]"), "{markdown}");
    // Open since June, and the run is in November.
    assert!(
        markdown.contains("| `team-a` | 3 | 0 | 0 | 0 | 3 | 2026-06-01 |"),
        "{markdown}"
    );
    let document = document(lake.path());
    validate(&document);
    assert_eq!(document["evaluation"]["trend"].as_array().unwrap().len(), 6);
    assert_eq!(document["evaluation"]["trend"][4]["open"], json!(null));
}

/// Rewrites the findings and checks of a run without the columns that came later, and with the label of an earlier tool.
fn age(lake: &Path, run: &str) {
    let program = "import sys, duckdb, json, hashlib, os\n\
        lake, run = sys.argv[1:]\n\
        record_path = f'{lake}/runs/{run}/analyze.json'\n\
        record = json.load(open(record_path))\n\
        dropped = {'findings': ['change', 'first_seen', 'waiver_owner', 'waiver_reason', 'waiver_expires', 'system', 'evidence'], 'checks': ['passed', 'failed', 'unknown', 'waived', 'status', 'error', 'kind']}\n\
        for entry in record['files']:\n    \
            if entry['table'] not in dropped: continue\n    \
            path = f\"{lake}/{entry['path']}\"\n    \
            columns = ', '.join(dropped[entry['table']])\n    \
            duckdb.sql(f\"copy (select * exclude ({columns}) from read_parquet('{path}', hive_partitioning=false)) to '{path}.new' (format parquet, compression zstd, kv_metadata {{sevenwalls: '{json.dumps(dict(contract='1.0', table=entry['table'], writer='analyze 0.0.1'))}'}})\")\n    \
            os.replace(path + '.new', path)\n    \
            entry['bytes'] = os.path.getsize(path)\n    \
            entry['sha256'] = hashlib.sha256(open(path, 'rb').read()).hexdigest()\n\
        json.dump(record, open(record_path, 'w'))";
    let output = std::process::Command::new(fixtures::python())
        .args(["-c", program, lake.to_str().unwrap(), run])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_run_of_an_older_contract_tells_what_it_has() {
    let lake = tempfile::tempdir().unwrap();
    let before = small().commit(lake.path(), "2026-11-09T06:00:00Z");
    small().commit(lake.path(), "2026-11-16T06:00:00Z");
    age(lake.path(), before.as_str());
    let document = document(lake.path());
    validate(&document);
    let past = &document["evaluation"]["earlier_runs"][0];
    assert_eq!([&past["open"], &past["new"], &past["accepted"]], [3, 0, 1]);
    assert_eq!(document["evaluation"]["trend"][0]["open"], 3);
    let markdown = rendered(lake.path(), "markdown");
    assert!(!markdown.contains("Left out because"), "{markdown}");
}

#[test]
fn who_changed_it_is_told_where_a_detection_saw_it() {
    let lake = tempfile::tempdir().unwrap();
    let mut run = small();
    let trace = |principal: &str, denied: u64| {
        json!({"trace": {"principals": [principal], "addresses": ["198.51.100.7"], "first": "2026-11-13 09:00:00",
            "last": "2026-11-13 09:05:00", "calls": 2, "denied": denied, "failed": 0}})
    };
    let detection = |number: u64, principal: &str, denied: u64| {
        finding(
            "trail-multi-region",
            "fail",
            UNNAMED,
            json!({"kind": "detection", "discriminator": principal, "reason": format!("happened {number}"),
            "fingerprint": format!("{number:016x}"), "evidence": trace(principal, denied)}),
        )
    };
    let analyzed = run.analyzed.as_mut().unwrap();
    analyzed.findings.extend([
        detection(1, "arn:aws:iam::111122223333:user/ben", 0),
        detection(2, "arn:aws:iam::111122223333:user/eve", 2),
    ]);
    run.commit(lake.path(), "2026-11-16T06:00:00Z");
    let document = document(lake.path());
    validate(&document);
    let name = document["evaluation"]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["check_id"] == "tag-name-format")
        .unwrap();
    assert_eq!(
        name["changed_by"]["principals"],
        json!(["arn:aws:iam::111122223333:user/ben"])
    );
    let markdown = rendered(lake.path(), "markdown");
    assert!(
        markdown.contains("| Last seen change | `user/ben`, 2026-11-13 |"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| 2026-11-13 09:00 | high | [`trail-multi-region`](#f-000000000000000"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| `user/ben` | `198.51.100.7` | happened 1 |"),
        "{markdown}"
    );
}

#[test]
fn a_line_has_the_figures_of_a_run_and_no_zero_for_what_nobody_counted() {
    let lake = tempfile::tempdir().unwrap();
    let mut before = small();
    before.analyzed.as_mut().unwrap().findings.push(finding(
        "tag-name-format",
        "fail",
        DATABASE,
        json!({}),
    ));
    before.commit(lake.path(), "2026-11-09T06:00:00Z");
    small().commit(lake.path(), "2026-11-16T06:00:00Z");
    let line = rendered(lake.path(), "line");
    assert!(
        line.starts_with("sevenwalls 2026-11-16 run=20261116T060000Z-")
            && line.ends_with(
                " accounts=1 critical=1 high=1 new=1 reopened=1 fixed=1 unknown=1 status=partial\n"
            ),
        "{line}"
    );
    Run::default().commit(lake.path(), "2026-11-17T06:00:00Z");
    let output = report(&[lake.path().to_str().unwrap(), "--format", "line"]);
    let line = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(
        line.ends_with("critical=- high=- new=- reopened=- fixed=- unknown=- status=partial\n"),
        "{line}"
    );
}
