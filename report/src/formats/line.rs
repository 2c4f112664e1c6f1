//! One line of figures, for a monitor or a log.
//!
//! `sevenwalls 2026-11-23 run=20261123T060000Z-3fa91c accounts=3 critical=2 high=5 new=1 reopened=0 fixed=4 unknown=12 status=partial`.
//! A figure that nobody counted, since `analyze` has not looked at the run, is a hyphen and no zero.

use std::fmt::Write as _;

use crate::content::finding::{Change, Severity, Status};
use crate::content::{Content, Evaluation};
use crate::markdown::words::day;

/// Counts something of an evaluation.
type Figure = fn(&Evaluation) -> u64;

/// The figures, in their order. `new` and `reopened` are open findings, of every severity.
const FIGURES: [(&str, Figure); 6] = [
    ("critical", |evaluation| {
        evaluation.failing(Severity::Critical)
    }),
    ("high", |evaluation| evaluation.failing(Severity::High)),
    ("new", |evaluation| changed(evaluation, Change::New)),
    ("reopened", |evaluation| {
        changed(evaluation, Change::Reopened)
    }),
    ("fixed", |evaluation| evaluation.history.fixed.len() as u64),
    ("unknown", |evaluation| evaluation.tally.all().unknown),
];

fn changed(evaluation: &Evaluation, change: Change) -> u64 {
    evaluation
        .of(Status::Fail)
        .filter(|finding| finding.change == Some(change))
        .count() as u64
}

/// Writes the line.
pub fn render(content: &Content) -> String {
    let mut line = format!(
        "sevenwalls {} run={} accounts={}",
        day(content.as_of),
        content.run,
        content.accounts.len()
    );
    for (name, count) in FIGURES {
        let figure = content.evaluation.as_ref().map_or_else(
            || "-".to_owned(),
            |evaluation| count(evaluation).to_string(),
        );
        // Writing to a string does not fail.
        let _ = write!(line, " {name}={figure}");
    }
    let status = if content.is_partial() {
        "partial"
    } else {
        "complete"
    };
    line + " status=" + status + "\n"
}
