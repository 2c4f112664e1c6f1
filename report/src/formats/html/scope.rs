//! Title and scope, and what was not evaluated.

use std::fmt::Write as _;

use super::{escaped, severity, value};
use crate::chapters::scope::{ending, usual_reason};
use crate::content::finding::Check;
use crate::content::{Content, Evaluation};
use crate::markdown::words::{counted, counted_as, minute, number, some_of};

/// Rows of each table; the markdown's appendix and the JSON have the rest.
const ROWS: usize = 100;
/// Rows of both tables together that are shown at once.
const UNFOLDED: usize = 12;

/// Writes the head of the page.
pub fn write(out: &mut String, content: &Content) {
    let values = |texts: &[String]| texts.iter().map(|text| value(text)).collect::<Vec<_>>();
    let accounts = match content.accounts.as_slice() {
        [] => "No account".to_owned(),
        [one] => format!("Account <b>{}</b>", value(one)),
        many => format!(
            "{} ({})",
            counted(many.len() as u64, "account"),
            some_of(&values(many), 8)
        ),
    };
    let regions = match content.regions.as_slice() {
        [] => "no region".to_owned(),
        many => some_of(&values(many), 8),
    };
    let analyze = content
        .evaluation
        .as_ref()
        .map(|evaluation| format!(", analyze {}", value(&evaluation.version)))
        .unwrap_or_default();
    let _ = write!(
        out,
        "<header>\n<h1>AWS security report</h1>\n<p>{accounts} · {regions} · {} · as of <b>{}</b></p>\n\
         <p class=\"soft\">Run {}, made by Sevenwalls (collect {}{analyze}, report {}).</p>\n{}{}</header>\n",
        counted(content.resources, "resource"),
        minute(content.as_of),
        value(content.run.as_str()),
        value(&content.collect_version),
        env!("CARGO_PKG_VERSION"),
        chapters(content),
        completeness(content),
    );
}

/// Links to the chapters that the page has.
fn chapters(content: &Content) -> String {
    let chapters = [
        ("not-evaluated", "Not evaluated", content.is_partial()),
        ("scoreboard", "Scoreboard", content.evaluation.is_some()),
        ("rules", "Seven rules", content.evaluation.is_some()),
        ("risks", "Top risks", content.evaluation.is_some()),
        ("findings", "Findings", true),
        (
            "to-do-by-owner",
            "To do by owner",
            content.evaluation.is_some(),
        ),
        ("changes", "Changes", content.evaluation.is_some()),
        (
            "rule-1-tags",
            "Each rule in detail",
            content.evaluation.is_some(),
        ),
        ("frameworks", "Frameworks", content.evaluation.is_some()),
        ("appendix", "Appendix", content.evaluation.is_some()),
    ];
    let links: Vec<String> = chapters
        .iter()
        .filter(|(_, _, is_there)| *is_there)
        .map(|(id, title, _)| format!("<a href=\"#{id}\">{title}</a>"))
        .collect();
    format!("<nav aria-label=\"Chapters\">{}</nav>\n", links.join(" "))
}

fn completeness(content: &Content) -> String {
    let Some(evaluation) = &content.evaluation else {
        return "<p class=\"notice\"><b>Nothing was evaluated:</b> <code>analyze</code> has not looked at this run. This page shows what was \
                collected and says nothing about whether it is secure.</p>\n"
            .to_owned();
    };
    let verdicts = evaluation.tally.all();
    let checks = counted(evaluation.checks.len() as u64, "check");
    if !content.is_partial() {
        return format!(
            "<p>Everything was evaluated: {checks} gave {}, none of them unknown, and no call to AWS failed.</p>\n",
            counted(verdicts.total(), "verdict")
        );
    }
    let unsure = unsure(evaluation).len() as u64;
    let calls: u64 = content.gaps.iter().map(|gap| gap.calls).sum();
    let mut parts = Vec::new();
    if unsure > 0 {
        parts.push(format!(
            "{} of {checks} could not decide everywhere ({})",
            number(unsure),
            counted(verdicts.unknown, "unknown verdict")
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
        "<p class=\"notice\"><b>This report is partial:</b> {}. <a href=\"#not-evaluated\">What that hides</a></p>\n",
        parts.join(", ")
    )
}

fn unsure(evaluation: &Evaluation) -> Vec<&Check> {
    let mut unsure: Vec<&Check> = evaluation
        .checks
        .iter()
        .filter(|check| check.verdicts.unknown > 0 || check.error.is_some())
        .collect();
    unsure.sort_by_key(|check| {
        (
            check.verdicts.decided() > 0,
            check.severity,
            check.rule,
            &check.check_id,
        )
    });
    unsure
}

/// Writes what was not evaluated, before anything else; folded when it is long.
pub fn not_evaluated(out: &mut String, content: &Content) {
    if !content.is_partial() {
        return;
    }
    let unsure = content
        .evaluation
        .as_ref()
        .map_or(0, |evaluation| unsure(evaluation).len());
    let open = match unsure + content.gaps.len() > UNFOLDED {
        true => "",
        false => " open",
    };
    let _ = writeln!(
        out,
        "<section id=\"not-evaluated\">\n<details{open}><summary><h2>Not evaluated</h2></summary>"
    );
    match &content.evaluation {
        None => {
            let resources = counted(content.resources, "resource");
            let _ = writeln!(
                out,
                "<p>No check was run on the {resources} of this run, so nothing here passes. Run <code>analyze</code> on this run, then \
                 <code>report</code> again.</p>"
            );
        }
        Some(evaluation) => checks(out, evaluation),
    }
    calls(out, content);
    out.push_str("</details>\n</section>\n");
}

fn checks(out: &mut String, evaluation: &Evaluation) {
    let unsure = unsure(evaluation);
    if unsure.is_empty() {
        return;
    }
    out.push_str(
        "<p>What these checks did not decide is neither passed nor failed, and may hide anything.</p>\n<div class=\"wide\"><table>\n\
         <thead><tr><th>Severity<th>Check<th class=\"n\">Unknown<th class=\"n\">Decided<th>Why</tr></thead>\n<tbody>\n",
    );
    for check in unsure.iter().take(ROWS) {
        let why = match (&check.error, usual_reason(evaluation, check)) {
            (Some(error), _) => value(error),
            (None, Some((reason, 0))) => value(reason),
            (None, Some((reason, others))) => {
                format!(
                    "{} (and {})",
                    value(reason),
                    counted(others, "other reason")
                )
            }
            (None, None) => String::new(),
        };
        let _ = writeln!(
            out,
            "<tr><td>{}<td><code>{}</code><td class=\"n\">{}<td class=\"n\">{}<td>{why}</tr>",
            severity(check.severity),
            value(&check.check_id),
            number(check.verdicts.unknown),
            number(check.verdicts.decided()),
        );
    }
    out.push_str("</tbody></table></div>\n");
    left_out(out, unsure.len().saturating_sub(ROWS), "check");
}

fn calls(out: &mut String, content: &Content) {
    if content.gaps.is_empty() {
        return;
    }
    out.push_str(
        "<p>These calls to AWS brought nothing. <code>collect policy</code> prints the IAM policy that allows them.</p>\n<div class=\"wide\"><table>\n\
         <thead><tr><th>Call<th>Result<th class=\"n\">Calls<th>Where<th>Tables that lack it</tr></thead>\n<tbody>\n",
    );
    for gap in content.gaps.iter().take(ROWS) {
        let some = |names: &std::collections::BTreeSet<String>| {
            some_of(&names.iter().map(|name| value(name)).collect::<Vec<_>>(), 4)
        };
        let code = match gap.code.is_empty() {
            true => String::new(),
            false => format!(" (<code>{}</code>)", value(&gap.code)),
        };
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code><td>{}{code}<td class=\"n\">{}<td>{}<td>{}</tr>",
            value(&format!("{}:{}", gap.service, gap.operation)),
            escaped(ending(&gap.kind)),
            number(gap.calls),
            some(&gap.regions),
            some(&gap.tables),
        );
    }
    out.push_str("</tbody></table></div>\n");
    left_out(out, content.gaps.len().saturating_sub(ROWS), "operation");
}

/// Says how much was left out, if anything was.
pub fn left_out(out: &mut String, count: usize, noun: &str) {
    if count > 0 {
        let _ = writeln!(
            out,
            "<p class=\"soft\">{} more: <code>report --format json</code> has everything.</p>",
            counted(count as u64, noun)
        );
    }
}
