//! Title, scope, and before anything else: what was not evaluated.

use crate::content::attest::KINDS;
use crate::content::finding::{Change, Check, CheckStatus, Severity, Status};
use crate::content::{Content, Evaluation};
use crate::markdown::words::{and, counted, counted_as, day, minute, number, some_of};
use crate::markdown::{Align, Page, Place, Table, code, text};

/// Rows shown of each kind; the appendix has the rest.
const ROWS: usize = 10;

/// Writes the chapter.
pub fn write(page: &mut Page<'_>, content: &Content) {
    page.heading(1, "AWS security report");
    page.paragraph(&scope(content));
    page.paragraph(&completeness(page, content));
    if let Some(evaluation) = &content.evaluation {
        caution(page, evaluation);
    }
    if content.is_partial() {
        page.heading(2, "Not evaluated");
        match &content.evaluation {
            None => page.paragraph(&not_analyzed(content)),
            Some(evaluation) => {
                unknown_checks(page, evaluation);
                not_run(page, evaluation);
            }
        }
        missing_calls(page, content);
    }
}

fn scope(content: &Content) -> String {
    let accounts: Vec<String> = content
        .accounts
        .iter()
        .map(|account| code(account))
        .collect();
    let regions: Vec<String> = content.regions.iter().map(|region| code(region)).collect();
    let accounts = match accounts.len() {
        0 => "No account".to_owned(),
        1 => format!("Account {}", accounts[0]),
        many => format!(
            "{} ({})",
            counted(many as u64, "account"),
            some_of(&accounts, 8)
        ),
    };
    let regions = match regions.len() {
        0 => "no region".to_owned(),
        many => format!(
            "{} ({})",
            counted(many as u64, "region"),
            some_of(&regions, 8)
        ),
    };
    let resources = counted(content.resources, "resource");
    let analyze = content
        .evaluation
        .as_ref()
        .map(|evaluation| format!(", analyze {}", text(&evaluation.version)))
        .unwrap_or_default();
    let versions = format!(
        "collect {}{analyze}, report {}",
        text(&content.collect_version),
        env!("CARGO_PKG_VERSION")
    );
    format!(
        "{accounts}, {regions}, {resources}, as of {}. Run {}, made by Sevenwalls ({versions}).",
        minute(content.as_of),
        code(content.run.as_str())
    )
}

fn completeness(page: &Page<'_>, content: &Content) -> String {
    let Some(evaluation) = &content.evaluation else {
        return "**Nothing was evaluated:** `analyze` has not looked at this run. This report shows what was collected and says nothing about whether it is secure."
            .to_owned();
    };
    let verdicts = evaluation.tally.all();
    let checks = evaluation.checks.len() as u64;
    if !content.is_partial() {
        let verdicts = counted(verdicts.total(), "verdict");
        return format!(
            "Everything was evaluated: {} gave {verdicts}, none of them unknown, and no call to AWS failed.{}",
            counted(checks, "check"),
            unattested(content)
        );
    }
    let left_out = evaluation
        .checks
        .iter()
        .filter(|check| check.status == CheckStatus::NotEvaluated)
        .count() as u64;
    let unsure = evaluation
        .checks
        .iter()
        .filter(|check| is_unsure(check))
        .count() as u64;
    let calls: u64 = content.gaps.iter().map(|gap| gap.calls).sum();
    let mut parts = Vec::new();
    if unsure > 0 {
        parts.push(format!(
            "{} of {} could not decide everywhere ({})",
            number(unsure),
            counted(checks - left_out, "check"),
            counted(verdicts.unknown, "unknown verdict")
        ));
    }
    if left_out > 0 {
        parts.push(format!(
            "{} not run",
            counted_as(left_out, "check was", "checks were")
        ));
    }
    if calls > 0 {
        parts.push(format!(
            "{} brought nothing",
            counted_as(calls, "call to AWS", "calls to AWS")
        ));
    }
    if parts.is_empty() {
        parts.push(
            "a stage before this one could not do everything, as its run record says".to_owned(),
        );
    }
    format!(
        "**This report is partial:** {}. [What that hides]({}) comes first.{}",
        parts.join(", "),
        page.chapter(Place::NotEvaluated),
        unattested(content)
    )
}

/// Whether a check was run and could not decide everywhere.
fn is_unsure(check: &Check) -> bool {
    check.status != CheckStatus::NotEvaluated && check.is_unsure()
}

/// What only people can tell and nobody told.
fn unattested(content: &Content) -> String {
    let missing: Vec<String> = KINDS
        .iter()
        .filter(|kind| content.attestations.of(kind.what).next().is_none())
        .map(|kind| code(kind.what))
        .collect();
    if missing.is_empty() {
        return String::new();
    }
    format!(
        " What no call to AWS can tell is not evaluated unless somebody attests it: {}.",
        and(&missing)
    )
}

/// A box for what is both new and critical, and for nothing else: a box that is always there is not read.
fn caution(page: &mut Page<'_>, evaluation: &Evaluation) {
    let is_new = |change: Option<Change>| change == Some(Change::New);
    let new: Vec<_> = evaluation
        .of(Status::Fail)
        .filter(|finding| finding.severity == Severity::Critical && is_new(finding.change))
        .collect();
    if new.is_empty() {
        return;
    }
    let since = match evaluation.history.last() {
        Some(last) => format!("new since {}", day(last.run.as_of())),
        None => "open in the first analysed run of this lake".to_owned(),
    };
    let mut findings = Vec::new();
    for finding in &new {
        let line = format!("{} {}", code(&finding.check_id), page.linked(finding));
        if !findings.contains(&line) {
            findings.push(line);
        }
    }
    let (count, are) = (new.len() as u64, if new.len() == 1 { "is" } else { "are" });
    page.paragraph(&format!(
        "> [!CAUTION]\n> **{} {are} {since}:** {}.",
        counted(count, "critical finding"),
        some_of(&findings, 5)
    ));
}

fn not_analyzed(content: &Content) -> String {
    let stage = "Run `analyze` on this run, then `report` again.";
    format!(
        "No check was run on the {} of this run, so nothing here passes. {stage}",
        counted(content.resources, "resource")
    )
}

fn unknown_checks(page: &mut Page<'_>, evaluation: &Evaluation) {
    let mut unsure: Vec<_> = evaluation
        .checks
        .iter()
        .filter(|check| is_unsure(check))
        .collect();
    if unsure.is_empty() {
        return;
    }
    unsure.sort_by(|a, b| {
        let place = |check: &crate::content::finding::Check| {
            (check.verdicts.decided() > 0, check.severity, check.rule)
        };
        place(a)
            .cmp(&place(b))
            .then_with(|| a.check_id.cmp(&b.check_id))
    });
    page.paragraph("These checks could not decide everywhere. What they did not decide is neither passed nor failed, and may hide anything.");
    let mut table = Table::new(&[
        ("Check", Align::Left),
        ("Severity", Align::Left),
        ("Unknown", Align::Right),
        ("Decided", Align::Right),
        ("Why", Align::Left),
    ]);
    // One missing answer often leaves many checks unsure: they share a row.
    let mut rows: Vec<(String, Vec<&Check>)> = Vec::new();
    for check in unsure {
        let why = why_unknown(evaluation, check);
        match rows.iter_mut().find(|(known, _)| *known == why) {
            Some((_, checks)) => checks.push(check),
            None => rows.push((why, vec![check])),
        }
    }
    for (why, checks) in rows {
        let ids: Vec<String> = checks.iter().map(|check| code(&check.check_id)).collect();
        let worst = checks.iter().map(|check| check.severity).min();
        table.row(&[
            some_of(&ids, 4),
            worst.map_or_else(String::new, |severity| severity.name().to_owned()),
            number(checks.iter().map(|check| check.verdicts.unknown).sum()),
            number(checks.iter().map(|check| check.verdicts.decided()).sum()),
            why,
        ]);
    }
    page.table(&table, ROWS * 2, "line");
}

/// Checks that were not run, by the reason.
fn not_run(page: &mut Page<'_>, evaluation: &Evaluation) {
    let mut reasons: std::collections::BTreeMap<&str, Vec<String>> =
        std::collections::BTreeMap::new();
    for check in evaluation
        .checks
        .iter()
        .filter(|check| check.status == CheckStatus::NotEvaluated)
    {
        let why = check.error.as_deref().unwrap_or_default();
        reasons.entry(why).or_default().push(code(&check.check_id));
    }
    for (why, checks) in reasons {
        page.paragraph(&format!(
            "{} not run ({}): {}.",
            counted_as(checks.len() as u64, "check was", "checks were"),
            some_of(&checks, ROWS),
            text(why).trim_end_matches('.')
        ));
    }
}

/// The reason most of a check's unknown verdicts give.
pub fn why_unknown(evaluation: &Evaluation, check: &crate::content::finding::Check) -> String {
    if let Some(error) = &check.error {
        let what = match check.status {
            CheckStatus::NotEvaluated => "not run",
            CheckStatus::Evaluated | CheckStatus::Error => "the check itself failed",
        };
        return format!("{what}: {}", text(error));
    }
    let Some((most, others)) = usual_reason(evaluation, check) else {
        return String::new();
    };
    let more = if others > 0 {
        format!(" (and {})", counted(others, "other reason"))
    } else {
        String::new()
    };
    format!("{}{more}", text(most))
}

/// The reason most of a check's unknown verdicts give, and how many other reasons there are.
pub fn usual_reason<'a>(
    evaluation: &'a Evaluation,
    check: &crate::content::finding::Check,
) -> Option<(&'a str, u64)> {
    let mut reasons: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for finding in evaluation
        .of(Status::Unknown)
        .filter(|finding| finding.check_id == check.check_id)
    {
        *reasons.entry(finding.reason.as_str()).or_default() += 1;
    }
    let others = reasons.len().saturating_sub(1) as u64;
    reasons
        .iter()
        .max_by_key(|(reason, count)| (**count, std::cmp::Reverse(**reason)))
        .map(|(reason, _)| (*reason, others))
}

fn missing_calls(page: &mut Page<'_>, content: &Content) {
    if content.gaps.is_empty() {
        return;
    }
    page.paragraph(&format!(
        "These calls to AWS brought nothing. [All of them, and what they would have filled]({}), are in the appendix.",
        page.chapter(Place::Calls)
    ));
    let mut table = Table::new(&[
        ("Call", Align::Left),
        ("Result", Align::Left),
        ("Calls", Align::Right),
        ("Where", Align::Left),
    ]);
    for gap in content.gaps.iter().take(ROWS) {
        let places: Vec<String> = gap.regions.iter().map(|region| code(region)).collect();
        table.row(&[
            code(&format!("{}:{}", gap.service, gap.operation)),
            outcome(&gap.kind, &gap.code),
            number(gap.calls),
            some_of(&places, 3),
        ]);
    }
    page.table(&table, ROWS, "call");
}

/// How a call ended, in words.
pub fn outcome(kind: &str, error_code: &str) -> String {
    let words = ending(kind);
    if error_code.is_empty() {
        words.to_owned()
    } else {
        format!("{words} ({})", code(error_code))
    }
}

/// How a call ended, without its error code.
pub fn ending(kind: &str) -> &'static str {
    match kind {
        "denied" => "denied",
        "throttled" => "throttled until we gave up",
        "timeout" => "timed out",
        "credentials" => "credentials refused",
        "not_found" => "not found",
        "not_offered" => "not offered in the region",
        "malformed" => "answer could not be read",
        "not_recorded" => "not in the recording",
        _ => "failed",
    }
}
