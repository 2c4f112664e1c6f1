//! Large accounts: the file stays readable, and the rest is named.

use serde_json::json;

use crate::lake::{ACCOUNT, Analyzed, CHECKS, Run, checks, finding, rendered};

pub const FINDINGS: usize = 20_000;

/// A lake with so many findings, resources and calls that failed.
pub fn large(count: usize) -> Run {
    let arn = |number: usize| format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-{number:08x}");
    let findings = (0..count).map(|number| {
        let over = json!({"resource_name": format!("a{number:05}_web_shop"), "owner": format!("team-{}", number % 300), "environment": "prod",
            "risk": (number % 100) as f64, "evidence": {"port": 22, "text": "x".repeat(200)}, "remediation": "do something about it"});
        finding(CHECKS[number % CHECKS.len()].0, "fail", &arn(number), over)
    });
    let context = (0..count).map(|number| {
        json!({"arn": arn(number), "resource_type": "rds:db", "name": format!("d{number:05}_db_shop"), "environment": format!("env-{}", number % 500),
               "required_tags": 3, "missing_tags": ["Owner"], "taggable": true, "dr": ["backup"], "dr_unmet": ["backup"]})
    });
    let errors = (0..5_000).map(|number| {
        json!({"account_id": ACCOUNT, "region": "eu-west-1", "service": "s3", "operation": format!("Call{number}"), "table_name": "aws_s3_bucket", "kind": "denied"})
    });
    Run {
        errors: errors.collect(),
        resources: count,
        analyzed: Some(Analyzed {
            findings: findings.collect(),
            checks: checks(),
            context: context.collect(),
            ..Analyzed::default()
        }),
        ..Run::default()
    }
}

#[test]
fn a_large_account_fits_and_says_what_was_left_out() {
    let folder = tempfile::tempdir().unwrap();
    large(FINDINGS).commit(folder.path(), "2026-11-16T06:00:00Z");
    let markdown = rendered(folder.path(), "markdown");
    assert!(markdown.len() < 300_000, "{}", markdown.len());
    assert!(
        markdown.len() > 200_000,
        "the room is used: {}",
        markdown.len()
    );
    let longest = markdown
        .lines()
        .fold((0, 0), |(run, longest), line| {
            if line.starts_with('|') {
                (run + 1, longest.max(run + 1))
            } else {
                (0, longest)
            }
        })
        .1;
    assert!(longest <= 201, "a table of {longest} lines");
    let shown = markdown
        .lines()
        .filter(|line| line.starts_with("<a id=\"f-"))
        .count();
    let left = markdown
        .lines()
        .find(|line| line.starts_with("The evidence of"))
        .unwrap();
    let left: usize = left
        .split(' ')
        .nth(3)
        .unwrap()
        .replace(',', "")
        .parse()
        .unwrap();
    assert_eq!(shown + left, FINDINGS);
    assert!(
        markdown.contains("## Appendix") && markdown.contains("### Glossary"),
        "the end is there"
    );
    assert_eq!(
        rendered(folder.path(), "csv").lines().count(),
        FINDINGS + 1,
        "nothing is lost"
    );
}

#[test]
fn links_lead_to_evidence_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    large(FINDINGS).commit(folder.path(), "2026-11-16T06:00:00Z");
    let markdown = rendered(folder.path(), "markdown");
    let anchors: Vec<&str> = markdown
        .split("<a id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let unique: std::collections::BTreeSet<&&str> = anchors.iter().collect();
    assert_eq!(unique.len(), anchors.len(), "anchors differ");
    let links: Vec<&str> = markdown
        .split("](#f-")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect();
    assert!(!links.is_empty());
    for link in links {
        assert!(
            unique.contains(&format!("f-{link}").as_str()),
            "{link} leads nowhere"
        );
    }
}
