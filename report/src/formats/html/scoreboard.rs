//! The figures: now, in the run before, and over the last eight runs.

use std::fmt::Write as _;

use super::{bar, value};
use crate::content::finding::{Change, Severity, Status};
use crate::content::history::{Past, differing_checks};
use crate::content::{Content, Evaluation};
use crate::markdown::words::{and, change, counted, day, number, sparkline};

/// A line of the table.
struct Figure {
    name: &'static str,
    now: Option<u64>,
    last: Option<u64>,
    trend: Vec<Option<u64>>,
    unit: &'static str,
}

/// Writes the chapter.
pub fn write(out: &mut String, content: &Content, evaluation: &Evaluation) {
    let score = evaluation
        .tally
        .score()
        .map_or_else(|| "–".to_owned(), |score| score.to_string());
    let open = Severity::ALL.map(|severity| (severity.name(), evaluation.failing(severity)));
    let verdicts = evaluation.tally.all();
    let _ = write!(
        out,
        "<section id=\"scoreboard\">\n<h2>Scoreboard</h2>\n<div class=\"board\">\n\
         <p class=\"score\"><b>{score}</b> <span>of 100</span></p>\n<div class=\"open\">\n<p><b>{}</b> open, {} unknown, {} accepted, {} passed</p>\n{}\n<ul>",
        number(verdicts.failed),
        number(verdicts.unknown),
        number(verdicts.waived),
        number(verdicts.passed),
        bar(&open),
    );
    for (name, count) in open {
        let _ = write!(
            out,
            "<li class=\"{name}\"><b>{}</b> {name}</li>",
            number(count)
        );
    }
    out.push_str("</ul>\n</div>\n");
    table(out, evaluation);
    out.push_str("</div>\n");
    for caveat in caveats(content, evaluation) {
        let _ = writeln!(out, "<p class=\"soft\">{caveat}</p>");
    }
    out.push_str("</section>\n");
}

fn table(out: &mut String, evaluation: &Evaluation) {
    let last = evaluation.history.last();
    let before = last.map_or_else(
        || "Last run".to_owned(),
        |last| format!("Last run, {}", day(last.run.as_of())),
    );
    let _ = write!(
        out,
        "<table>\n<thead><tr><th>Figure<th class=\"n\">Now<th class=\"n\">{before}<th class=\"n\">Change<th>Trend</tr></thead>\n<tbody>\n"
    );
    for figure in figures(evaluation) {
        let shown = |count: Option<u64>| {
            count.map_or_else(
                || "–".to_owned(),
                |count| format!("{}{}", number(count), figure.unit),
            )
        };
        let against = figure
            .now
            .zip(figure.last)
            .map_or_else(|| "–".to_owned(), |(now, last)| change(now, last));
        let trend = match last {
            Some(_) => sparkline(&figure.trend),
            None => String::new(),
        };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{against}<td class=\"trend\">{trend}</tr>",
            figure.name,
            shown(figure.now),
            shown(figure.last),
        );
    }
    out.push_str("</tbody></table>\n");
}

fn figures(evaluation: &Evaluation) -> Vec<Figure> {
    let runs = &evaluation.history.runs;
    let figure = |name, unit, now: Option<u64>, past: &dyn Fn(&Past) -> Option<u64>| Figure {
        name,
        now,
        last: evaluation.history.last().and_then(past),
        trend: runs.iter().map(past).chain([now]).collect(),
        unit,
    };
    let changed = |wanted: Change| {
        let findings = evaluation.of(Status::Fail);
        Some(
            findings
                .filter(|finding| finding.change == Some(wanted))
                .count() as u64,
        )
    };
    let fixed = evaluation
        .history
        .last()
        .map(|_| evaluation.history.fixed.len() as u64);
    vec![
        figure(
            "Score",
            "",
            evaluation.tally.score().map(u64::from),
            &|past| past.score.map(u64::from),
        ),
        figure("Open", "", Some(evaluation.tally.all().failed), &|past| {
            Some(past.open)
        }),
        figure("New", "", changed(Change::New), &|past| Some(past.new)),
        figure("Reopened", "", changed(Change::Reopened), &|_| None),
        figure("Fixed", "", fixed, &|_| None),
        figure(
            "Fully tagged",
            " %",
            evaluation.tagged_percent().map(u64::from),
            &|past| past.tagged_percent.map(u64::from),
        ),
    ]
}

/// What keeps the figures from being compared like with like.
fn caveats(content: &Content, evaluation: &Evaluation) -> Vec<String> {
    let mut caveats = Vec::new();
    let history = &evaluation.history;
    match history.last() {
        None => {
            caveats.push("There is no earlier analysed run in the lake to compare with.".to_owned())
        }
        Some(last) => {
            if !last.accounts.iter().eq(content.accounts.iter()) {
                caveats.push(
                    "The last run covered other accounts: its figures are not those of this scope."
                        .to_owned(),
                );
            }
            let (only_now, only_before) = differing_checks(&evaluation.checks, last);
            if only_now + only_before > 0 {
                caveats.push(format!(
                    "The scores compare with care: {} only in this run, {} only in the last one.",
                    counted(only_now as u64, "check"),
                    counted(only_before as u64, "check")
                ));
            }
        }
    }
    let not_judged = history.not_judged.len() as u64;
    if not_judged > 0 {
        caveats.push(format!(
            "{} of the last run could not be judged again: not open here, and not fixed either.",
            counted(not_judged, "finding")
        ));
    }
    if !history.unreadable.is_empty() {
        let runs: Vec<String> = history
            .unreadable
            .iter()
            .map(|run| value(run.as_str()))
            .collect();
        caveats.push(format!(
            "Left out because their files could not be read: {}.",
            and(&runs)
        ));
    }
    caveats
}
