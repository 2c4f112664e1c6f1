//! A rule's chapter: its checks, what failed, what nobody knows, and what is particular to the rule.

use super::scope::why_unknown;
use super::{Rule, attested, databases, monitoring, plan, recovery, rules, scanners, tags};
use crate::content::finding::{CheckStatus, Finding, Status};
use crate::content::{Content, Evaluation};
use crate::markdown::page::WHOLE_LIST;
use crate::markdown::words::{capitalised, counted, day, number};
use crate::markdown::{Align, Page, Table, code, text};

/// The file of the folder that holds a part of a rule's evidence.
pub fn evidence_file(rule: Rule, part: usize) -> String {
    format!("evidence/{}-part-{part}.md", rule.file_stem())
}

/// Rows of the table of failures.
const FAILURES: usize = 100;

/// Writes the chapter.
pub fn write(page: &mut Page<'_>, content: &Content, rule: Rule) {
    let Some(evaluation) = &content.evaluation else {
        return;
    };
    overview(page, content, rule);
    failures(page, content, evaluation, rule);
    unknown(page, evaluation, rule);
}

/// Writes the chapter without its findings.
pub fn overview(page: &mut Page<'_>, content: &Content, rule: Rule) {
    let Some(evaluation) = &content.evaluation else {
        return;
    };
    page.heading(2, &format!("Rule {}: {}", rule.number, rule.name));
    page.paragraph(rule.asks);
    let verdicts = evaluation.tally.rule(rule.number);
    if verdicts.total() == 0 {
        page.paragraph("**Not evaluated:** no check of this rule gave a verdict in this run.");
    } else {
        let decided = match verdicts.decided() {
            0 => "no verdict could be decided".to_owned(),
            decided => format!(
                "{} of {} failed",
                number(verdicts.failed),
                counted(decided, "verdict")
            ),
        };
        let unknown = if verdicts.unknown > 0 {
            format!(", {} unknown", number(verdicts.unknown))
        } else {
            String::new()
        };
        page.paragraph(&format!(
            "**{}:** {decided}{unknown}.",
            capitalised(rules::outcome(evaluation, rule.number))
        ));
    }
    match rule.number {
        1 => tags::write(page, evaluation),
        2 => attested::write(page, content, 2),
        3 => monitoring::write(page, content, evaluation),
        4 => scanners::write(page, content, evaluation),
        5 => {
            plan::write(page, evaluation);
            attested::write(page, content, 5);
        }
        6 => databases::write(page, evaluation),
        7 => recovery::write(page, content, evaluation),
        _ => {}
    }
    checks(page, evaluation, rule);
}

fn checks(page: &mut Page<'_>, evaluation: &Evaluation, rule: Rule) {
    let mut checks: Vec<_> = evaluation
        .checks
        .iter()
        .filter(|check| check.rule == rule.number)
        .collect();
    if checks.is_empty() {
        return;
    }
    checks.sort_by(|a, b| {
        (a.verdicts.failed == 0, a.severity, &a.check_id).cmp(&(
            b.verdicts.failed == 0,
            b.severity,
            &b.check_id,
        ))
    });
    page.heading(3, &format!("Rule {}: checks", rule.number));
    let mut table = Table::new(&[
        ("Check", Align::Left),
        ("Asks for", Align::Left),
        ("Severity", Align::Left),
        ("Failed", Align::Right),
        ("Passed", Align::Right),
        ("Unknown", Align::Right),
        ("Accepted", Align::Right),
    ]);
    for check in checks {
        let verdicts = check.verdicts;
        table.row(&[
            code(&check.check_id),
            text(&check.title),
            check.severity.name().to_owned(),
            if verdicts.failed > 0 {
                format!("**{}**", number(verdicts.failed))
            } else {
                number(verdicts.failed)
            },
            number(verdicts.passed),
            match check.status {
                CheckStatus::Evaluated => number(verdicts.unknown),
                CheckStatus::Error => "all: failed".to_owned(),
                CheckStatus::NotEvaluated => "all: not run".to_owned(),
            },
            number(verdicts.waived),
        ]);
    }
    page.table(&table, usize::MAX, "check");
}

fn failures(page: &mut Page<'_>, content: &Content, evaluation: &Evaluation, rule: Rule) {
    let findings: Vec<&Finding> = evaluation
        .of(Status::Fail)
        .filter(|finding| finding.rule == rule.number)
        .collect();
    if findings.is_empty() {
        return;
    }
    page.heading(3, &format!("Rule {}: what failed", rule.number));
    let many_accounts = content.accounts.len() > 1;
    let mut columns = vec![
        ("Severity", Align::Left),
        ("Check", Align::Left),
        ("Resource", Align::Left),
    ];
    if many_accounts {
        columns.push(("Account", Align::Left));
    }
    columns.extend([
        ("Region", Align::Left),
        ("Environment", Align::Left),
        ("Importance", Align::Left),
        ("Owner", Align::Left),
        ("Since", Align::Left),
    ]);
    let mut table = Table::new(&columns);
    for finding in findings {
        let mut cells = vec![
            finding.severity.name().to_owned(),
            code(&finding.check_id),
            page.linked(finding),
        ];
        if many_accounts {
            cells.push(code(&finding.account_id));
        }
        cells.extend([
            text(&finding.region),
            finding.environment.as_deref().map(text).unwrap_or_default(),
            finding.importance.as_deref().map(text).unwrap_or_default(),
            finding.owner.as_deref().map(code).unwrap_or_default(),
            finding.first_seen.map(day).unwrap_or_default(),
        ]);
        table.row(&cells);
    }
    if page.is_folder() {
        let file = evidence_file(rule, 1);
        page.rest_is(&format!("all of them, with their evidence, stand in [the rule's evidence](../{file}) and what follows it"));
    }
    let limit = if page.is_folder() {
        usize::MAX
    } else {
        FAILURES
    };
    page.table(&table, limit, "finding");
    page.rest_is(WHOLE_LIST);
}

fn unknown(page: &mut Page<'_>, evaluation: &Evaluation, rule: Rule) {
    let checks: Vec<_> = evaluation
        .checks
        .iter()
        .filter(|check| check.rule == rule.number && check.is_unsure())
        .collect();
    if checks.is_empty() {
        return;
    }
    page.heading(3, &format!("Rule {}: what nobody knows", rule.number));
    let mut table = Table::new(&[
        ("Check", Align::Left),
        ("Unknown", Align::Right),
        ("Why", Align::Left),
    ]);
    for check in checks {
        table.row(&[
            code(&check.check_id),
            number(check.verdicts.unknown),
            why_unknown(evaluation, check),
        ]);
    }
    page.table(&table, usize::MAX, "check");
}
