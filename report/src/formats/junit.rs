//! Findings as JUnit XML, so that continuous integration shows them: a suite per rule, a test case per finding.
//!
//! An open finding fails, an unknown or accepted one is skipped with the reason, a check whose SQL failed is an error.
//! What passes is one test case per check with the number of verdicts. Nothing is green that was not judged: a check
//! without verdicts is skipped, and so is every rule before `analyze` ran. The properties of a suite tell what the report
//! knows of the rule besides.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::markup::escaped;
use crate::chapters::{RULES, Rule, rules};
use crate::content::checklist::{self, BACKUPS, HIGH_AVAILABILITY};
use crate::content::finding::{Check, CheckStatus, Finding, Status};
use crate::content::standing::{self, Outcome};
use crate::content::{Content, Evaluation};
use crate::markdown::words::counted;

/// Findings with a test case of their own; of the rest, one test case per check and status tells the number.
const CASES: usize = 20_000;

/// How a test case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Passed,
    Failed,
    Error,
    Skipped,
}

/// A test case.
struct Case {
    class: String,
    name: String,
    outcome: Ended,
    /// Severity of a failure.
    kind: &'static str,
    message: String,
    text: String,
}

impl Case {
    fn new(check: &str, name: String, outcome: Ended, message: String) -> Self {
        Self {
            class: check.to_owned(),
            name,
            outcome,
            kind: "",
            message,
            text: String::new(),
        }
    }
}

/// Writes the file.
pub fn render(content: &Content) -> String {
    let suites: Vec<(Rule, Vec<Case>)> = match &content.evaluation {
        Some(evaluation) => {
            let listed = evaluation.findings.len().min(CASES);
            let findings = evaluation.findings.split_at(listed);
            let attested = standing::outcomes(content);
            RULES
                .into_iter()
                .map(|rule| (rule, cases(evaluation, rule, findings, &attested)))
                .collect()
        }
        None => RULES
            .into_iter()
            .map(|rule| {
                (
                    rule,
                    vec![not_evaluated(rule, "analyze has not looked at this run")],
                )
            })
            .collect(),
    };
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = || suites.iter().flat_map(|(_, cases)| cases);
    // Writing to a String can't fail.
    let _ = writeln!(
        out,
        "<testsuites name=\"Sevenwalls {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        escaped(content.run.as_str()),
        all().count(),
        ended(all(), Ended::Failed),
        ended(all(), Ended::Error),
    );
    for (rule, cases) in &suites {
        suite(&mut out, content, *rule, cases);
    }
    out.push_str("</testsuites>\n");
    out
}

fn ended<'a>(cases: impl Iterator<Item = &'a Case>, outcome: Ended) -> usize {
    cases.filter(|case| case.outcome == outcome).count()
}

fn not_evaluated(rule: Rule, why: &str) -> Case {
    let name = format!("rule {} is not evaluated", rule.number);
    Case::new("not-evaluated", name, Ended::Skipped, why.to_owned())
}

fn cases(
    evaluation: &Evaluation,
    rule: Rule,
    (own, rest): (&[Finding], &[Finding]),
    attested: &[Outcome<'_>],
) -> Vec<Case> {
    let of_rule = |finding: &&Finding| finding.rule == rule.number;
    let mut cases: Vec<Case> = own.iter().filter(of_rule).map(finding_case).collect();
    let mut folded: BTreeMap<(Status, &str), u64> = BTreeMap::new();
    for finding in rest.iter().filter(of_rule) {
        *folded
            .entry((finding.status, &finding.check_id))
            .or_default() += 1;
    }
    cases.extend(folded.into_iter().map(|((status, check_id), count)| {
        let name = format!("{} more, of lower risk", counted(count, "finding"));
        let message = format!("only {CASES} findings have a test case of their own");
        Case::new(check_id, name, outcome(status), message)
    }));
    let checks = evaluation
        .checks
        .iter()
        .filter(|check| check.rule == rule.number);
    cases.extend(checks.flat_map(check_cases));
    cases.extend(
        attested
            .iter()
            .filter(|outcome| outcome.rule == rule.number)
            .map(attested_case),
    );
    if cases.is_empty() {
        cases.push(not_evaluated(rule, "no check of this rule gave a verdict"));
    }
    cases
}

fn outcome(status: Status) -> Ended {
    match status {
        Status::Fail => Ended::Failed,
        Status::Unknown | Status::Waived => Ended::Skipped,
        Status::Pass => Ended::Passed,
    }
}

fn finding_case(finding: &Finding) -> Case {
    let mut name = finding.resource_arn.clone();
    if let Some(discriminator) = &finding.discriminator {
        let _ = write!(name, " {discriminator}");
    }
    let mut case = Case::new(
        &finding.check_id,
        name,
        outcome(finding.status),
        finding.reason.clone(),
    );
    case.kind = finding.severity.name();
    match finding.status {
        Status::Unknown => case.message = format!("unknown: {}", finding.reason),
        Status::Waived => {
            let waiver = finding.waiver.as_ref();
            let text = |value: Option<&String>, none: &str| {
                value.map_or_else(|| none.to_owned(), Clone::clone)
            };
            let owner = text(waiver.and_then(|waiver| waiver.owner.as_ref()), "somebody");
            let reason = text(
                waiver.and_then(|waiver| waiver.reason.as_ref()),
                "no reason given",
            );
            let until = waiver
                .and_then(|waiver| waiver.expires)
                .map(|expires| format!(" until {expires}"))
                .unwrap_or_default();
            case.message = format!("accepted by {owner}{until}: {reason}");
        }
        Status::Fail | Status::Pass => case.text = details(finding),
    }
    case
}

/// What a failure's reader wants to know next.
fn details(finding: &Finding) -> String {
    let owner = finding.owner.as_deref().unwrap_or("nobody");
    let mut lines = vec![
        finding.title.clone(),
        format!(
            "{}, risk {:.0} of 100, in account {}, {}, owner {owner}",
            finding.severity.name(),
            finding.risk,
            finding.account_id,
            finding.region
        ),
    ];
    if let Some(actor) = &finding.changed_by {
        let what = match finding.is_detection() {
            true => "done",
            false => "last seen change",
        };
        let from = match actor.addresses.is_empty() {
            true => String::new(),
            false => format!(" from {}", actor.addresses.join(", ")),
        };
        let who = actor.principals.join(", ");
        lines.push(format!("{what} by {who}{from} at {}", actor.last));
    }
    lines.extend(
        finding
            .evidence
            .as_ref()
            .map(|evidence| format!("evidence: {evidence}")),
    );
    lines.extend(
        finding
            .remediation
            .as_ref()
            .map(|remediation| format!("to do: {remediation}")),
    );
    lines.extend(finding.remediation_command.clone());
    lines.join("\n")
}

/// What is left to say of a check: an error, what passed, or that there was nothing to judge.
fn check_cases(check: &Check) -> Vec<Case> {
    let case = |name: &str, outcome, message: &str| {
        Case::new(
            &check.check_id,
            format!("{}: {name}", check.title),
            outcome,
            message.to_owned(),
        )
    };
    let mut cases = Vec::new();
    let why = check.error.as_deref().unwrap_or_default();
    match check.status {
        CheckStatus::Evaluated => {}
        CheckStatus::Error => cases.push(case("the check failed", Ended::Error, why)),
        CheckStatus::NotEvaluated => cases.push(case("not evaluated", Ended::Skipped, why)),
    }
    if check.verdicts.passed > 0 {
        let passed = format!("{} passed", counted(check.verdicts.passed, "verdict"));
        cases.push(case(&passed, Ended::Passed, ""));
    }
    if check.verdicts.total() == 0 && check.status == CheckStatus::Evaluated {
        cases.push(case(
            "no verdict",
            Ended::Skipped,
            "there was nothing to judge, or nobody looked",
        ));
    }
    cases
}

/// What people attest: over is a failure, nothing or a part of it is skipped.
fn attested_case(outcome: &Outcome<'_>) -> Case {
    let ended = match outcome.status {
        "attested" => Ended::Passed,
        "fail" => Ended::Failed,
        _ => Ended::Skipped,
    };
    let name = format!("{}: {}", outcome.what, outcome.says);
    let mut case = Case::new(
        "attestation",
        name,
        ended,
        outcome.why.clone().unwrap_or_default(),
    );
    let told = outcome.attestations.iter().map(|entry| {
        format!(
            "done {} by {}, counts until {}: {}",
            entry.date, entry.by, entry.expires, entry.evidence
        )
    });
    case.text = told.collect::<Vec<_>>().join("\n");
    case
}

/// What the report says of a rule besides its verdicts.
fn properties(content: &Content, evaluation: &Evaluation, rule: Rule) -> Vec<(String, String)> {
    let mut properties = vec![(
        "status".to_owned(),
        rules::outcome(evaluation, rule.number).to_owned(),
    )];
    let monitoring = &evaluation.monitoring;
    match rule.number {
        1 => properties.extend(
            evaluation
                .tagged_percent()
                .map(|percent| ("fully tagged, percent".to_owned(), percent.to_string())),
        ),
        3 => {
            for region in monitoring.recorded.iter().flatten() {
                let name = format!("days with events, {} {}", region.account_id, region.region);
                properties.push((name, region.days.to_string()));
            }
            for alarm in &monitoring.alarms {
                let name = format!(
                    "told of, {} {} {}",
                    alarm.account_id, alarm.control, alarm.event
                );
                let told = match alarm.status {
                    Status::Pass => "yes",
                    Status::Fail => "no",
                    Status::Waived => "no, accepted",
                    Status::Unknown => "not known",
                };
                properties.push((name, told.to_owned()));
            }
        }
        4 => {
            for scanner in monitoring.scanners.iter().flatten() {
                let name = format!(
                    "{} {}, {} {}",
                    scanner.scanner, scanner.kind, scanner.account_id, scanner.region
                );
                let covered = format!("{} of {}", scanner.covered, scanner.resources);
                properties.push((name, covered));
            }
        }
        7 => {
            for list in [&BACKUPS[..], &HIGH_AVAILABILITY[..]] {
                let lines = checklist::lines(content, evaluation, list);
                properties.extend(
                    lines
                        .into_iter()
                        .map(|line| (line.component.to_owned(), line.status.to_owned())),
                );
            }
        }
        _ => {}
    }
    properties
}

fn suite(out: &mut String, content: &Content, rule: Rule, cases: &[Case]) {
    let _ = writeln!(
        out,
        "  <testsuite name=\"Rule {}: {}\" id=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" timestamp=\"{}\">",
        rule.number,
        rule.name,
        rule.number,
        cases.len(),
        ended(cases.iter(), Ended::Failed),
        ended(cases.iter(), Ended::Error),
        ended(cases.iter(), Ended::Skipped),
        content.as_of.strftime("%Y-%m-%dT%H:%M:%S"),
    );
    if let Some(evaluation) = &content.evaluation {
        out.push_str("    <properties>\n");
        for (name, value) in properties(content, evaluation, rule) {
            let (name, value) = (escaped(&name), escaped(&value));
            let _ = writeln!(out, "      <property name=\"{name}\" value=\"{value}\"/>");
        }
        out.push_str("    </properties>\n");
    }
    for case in cases {
        write_case(out, case);
    }
    out.push_str("  </testsuite>\n");
}

fn write_case(out: &mut String, case: &Case) {
    let (class, name) = (escaped(&case.class), escaped(&case.name));
    let _ = write!(out, "    <testcase classname=\"{class}\" name=\"{name}\"");
    let element = match case.outcome {
        Ended::Passed => {
            out.push_str("/>\n");
            return;
        }
        Ended::Failed => "failure",
        Ended::Error => "error",
        Ended::Skipped => "skipped",
    };
    let _ = write!(out, "><{element} message=\"{}\"", escaped(&case.message));
    if case.outcome == Ended::Failed && !case.kind.is_empty() {
        let _ = write!(out, " type=\"{}\"", case.kind);
    }
    match case.text.is_empty() {
        true => out.push_str("/>"),
        false => {
            let lines: Vec<String> = case.text.lines().map(escaped).collect();
            let _ = write!(out, ">{}</{element}>", lines.join("\n"));
        }
    }
    out.push_str("</testcase>\n");
}
