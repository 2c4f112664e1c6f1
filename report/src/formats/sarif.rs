//! Findings as SARIF 2.1.0, for code scanning and for viewers of its kind.
//!
//! A check is a rule, a verdict that is not a pass a result: `fail` with a level for an open one, the same with a
//! suppression for an accepted one, `open` where nobody knows. Before `analyze` ran there are no results at all, which
//! in SARIF is something else than an empty list. What surrounds the findings (rules, trails, alarms, scanners, the
//! checklist of disaster recovery, attestations) is in the properties of the run.

use std::collections::BTreeMap;
use std::io;

use handoff::text::printable;
use serde_json::{Value, json};

use super::json;
use crate::chapters::RULES;
use crate::content::finding::{Check, CheckStatus, Finding, Severity, Status};
use crate::content::gaps::Gap;
use crate::content::{Content, Evaluation, standing};

/// Results a file may have; code scanning refuses files with more.
const RESULTS: usize = 24_999;
/// Operations without an answer that are named.
const NOTIFICATIONS: usize = 1_000;
/// Where the schema is.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the file.
///
/// # Errors
/// Never for memory, which is what it writes to; the encoder's signature allows it.
pub fn render(content: &Content) -> io::Result<Vec<u8>> {
    let evaluation = content.evaluation.as_ref();
    let results = evaluation.map(results);
    let left_out = evaluation.map_or(0, |evaluation| {
        evaluation.findings.len().saturating_sub(RESULTS)
    });
    let mut run = json!({
        "tool": {"driver": {
            "name": "Sevenwalls",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": evaluation.map(rules).unwrap_or_default(),
        }},
        "automationDetails": {"id": format!("sevenwalls/{}/{}", content.accounts.join("+"), content.run)},
        "invocations": [{
            "executionSuccessful": evaluation.is_some(),
            "startTimeUtc": content.as_of,
            "toolExecutionNotifications": notifications(content, left_out),
        }],
        "columnKind": "unicodeCodePoints",
        "properties": {
            "run": content.run,
            "partial": content.is_partial(),
            "report": evaluation.map(|evaluation| json::surroundings(content, evaluation)),
            "attestations": standing::outcomes(content),
        },
    });
    if let Some(results) = results {
        run["results"] = results.into();
    }
    let log = json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]});
    let mut bytes = Vec::new();
    json::pretty(&mut bytes, &log)?;
    Ok(bytes)
}

/// The rules: every check that ran.
fn rules(evaluation: &Evaluation) -> Vec<Value> {
    evaluation.checks.iter().map(rule).collect()
}

fn rule(check: &Check) -> Value {
    let step = RULES[usize::from(check.rule) - 1];
    let controls: Vec<String> = check
        .frameworks
        .iter()
        .map(|(framework, controls)| format!("{framework} {controls}"))
        .collect();
    let mut help = format!(
        "{}. Rule {}, {}: {}",
        check.title.trim_end_matches('.'),
        step.number,
        step.name,
        step.asks
    );
    if !controls.is_empty() {
        help = format!("{help} Controls: {}.", controls.join("; "));
    }
    json!({
        "id": check.check_id,
        "shortDescription": {"text": message(&check.title)},
        "fullDescription": {"text": message(&check.title)},
        "help": {"text": message(&help)},
        "defaultConfiguration": {"level": level(check.severity)},
        "properties": {
            "tags": ["security", format!("rule-{}", check.rule)],
            "security-severity": security_severity(check.severity),
            "problem.severity": problem_severity(check.severity),
        },
    })
}

/// The results, cut where the file would be refused: open findings first, then accepted ones, then what nobody knows,
/// each with the highest risk first.
fn results(evaluation: &Evaluation) -> Vec<Value> {
    let places: BTreeMap<&str, usize> = evaluation
        .checks
        .iter()
        .enumerate()
        .map(|(place, check)| (check.check_id.as_str(), place))
        .collect();
    [Status::Fail, Status::Waived, Status::Unknown]
        .into_iter()
        .flat_map(|status| evaluation.of(status))
        .take(RESULTS)
        .map(|finding| result(finding, places.get(finding.check_id.as_str()).copied()))
        .collect()
}

fn result(finding: &Finding, place: Option<usize>) -> Value {
    let (kind, level) = match finding.status {
        Status::Unknown => ("open", "none"),
        _ => ("fail", level(finding.severity)),
    };
    let mut result = json!({
        "ruleId": finding.check_id,
        "kind": kind,
        "level": level,
        "message": {"text": message(&said(finding))},
        "locations": [location(finding)],
        "partialFingerprints": {"sevenwalls/v1": finding.fingerprint},
        "rank": finding.risk.clamp(0.0, 100.0),
        "properties": {
            "status": finding.status,
            "severity": finding.severity,
            "security-severity": security_severity(finding.severity),
            "account_id": finding.account_id,
            "region": finding.region,
            "owner": finding.owner,
            "environment": finding.environment,
            "system": finding.system,
            "importance": finding.importance,
            "exposed": finding.exposed,
            "first_seen": finding.first_seen,
            "change": finding.change,
            "changed_by": finding.changed_by,
            "remediation_command": finding.remediation_command,
            "evidence": finding.evidence_value(),
        },
    });
    if let Some(place) = place {
        result["ruleIndex"] = place.into();
    }
    // Either all results of a run have suppressions or none has.
    result["suppressions"] = json!([]);
    if let Some(waiver) = &finding.waiver {
        let owner = waiver.owner.as_deref().unwrap_or("somebody");
        let mut justification = format!("accepted by {owner}");
        if let Some(expires) = waiver.expires {
            justification = format!("{justification} until {expires}");
        }
        if let Some(reason) = &waiver.reason {
            justification = format!("{justification}: {reason}");
        }
        result["suppressions"] = json!([{"kind": "external", "status": "accepted", "justification": printable(&justification)}]);
    }
    result
}

/// The resource. Viewers that know files only get a file name made of the ARN; there is no such file.
fn location(finding: &Finding) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": {"uri": file_name(&finding.resource_arn)},
            "region": {"startLine": 1},
        },
        "logicalLocations": [{
            "name": finding.resource_label(),
            "fullyQualifiedName": finding.resource_arn,
            "kind": finding.resource_type.as_deref().unwrap_or("resource"),
        }],
    })
}

/// An ARN as one segment of a relative path.
fn file_name(arn: &str) -> String {
    let mut name = String::from("aws-");
    for byte in arn.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name
}

fn said(finding: &Finding) -> String {
    let reason = if finding.reason.is_empty() {
        &finding.title
    } else {
        &finding.reason
    };
    match &finding.remediation {
        Some(remediation) => format!("{reason}. To do: {remediation}"),
        None => reason.clone(),
    }
}

/// A text as SARIF's messages take it: braces are placeholders there and brackets before parentheses are links.
fn message(text: &str) -> String {
    printable(text)
        .replace('{', "{{")
        .replace('}', "}}")
        .replace("](", "] (")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The scale of code scanning: above 9 critical, above 7 high, above 4 medium, the rest low.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

fn problem_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "recommendation",
    }
}

/// What was not evaluated, and what this file leaves out.
fn notifications(content: &Content, left_out: usize) -> Vec<Value> {
    let note =
        |level: &str, text: &str| json!({"level": level, "message": {"text": message(text)}});
    let mut notes = Vec::new();
    let Some(evaluation) = &content.evaluation else {
        notes.push(note(
            "error",
            "analyze has not looked at this run: nothing was evaluated, so nothing passes",
        ));
        return notes;
    };
    if left_out > 0 {
        notes.push(note(
            "warning",
            &format!(
                "{left_out} results are left out, since {RESULTS} is the most that code scanning takes: open findings come first, \
                 then accepted ones, then unknown ones, each with the highest risk first"
            ),
        ));
    }
    for check in &evaluation.checks {
        let (id, why) = (&check.check_id, check.error.as_deref().unwrap_or_default());
        match check.status {
            CheckStatus::Evaluated => {}
            CheckStatus::Error => notes.push(note("error", &format!("check {id} failed: {why}"))),
            CheckStatus::NotEvaluated => {
                notes.push(note(
                    "note",
                    &format!("check {id} was not evaluated: {why}"),
                ));
            }
        }
    }
    for outcome in standing::outcomes(content) {
        let level = match outcome.status {
            "fail" => "error",
            _ => "note",
        };
        if let Some(why) = outcome.why {
            let text = format!("attestation {} ({}): {why}", outcome.what, outcome.status);
            notes.push(note(level, &text));
        }
    }
    notes.extend(
        content
            .gaps
            .iter()
            .take(NOTIFICATIONS)
            .map(|gap| note("warning", &unanswered(gap))),
    );
    let more = content.gaps.len().saturating_sub(NOTIFICATIONS);
    if more > 0 {
        notes.push(note(
            "warning",
            &format!("{more} more operations brought nothing"),
        ));
    }
    notes
}

fn unanswered(gap: &Gap) -> String {
    format!(
        "{}:{} brought nothing in {} of its calls ({} {}): {}",
        gap.service, gap.operation, gap.calls, gap.kind, gap.code, gap.message
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_no_placeholders_and_no_links() {
        assert_eq!(
            message("{0} [x](javascript:y)\u{1b}"),
            "{{0}} [x] (javascript:y)\u{fffd}"
        );
    }

    #[test]
    fn an_arn_is_one_segment_of_a_path() {
        assert_eq!(
            file_name("arn:aws:s3:::a/../b"),
            "aws-arn%3Aaws%3As3%3A%3A%3Aa%2F%2E%2E%2Fb"
        );
    }
}
