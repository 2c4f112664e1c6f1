//! The course of the runs: figures of the last eight, open findings of up to a year.

use crate::content::Evaluation;
use crate::content::finding::{Change, Status};
use crate::markdown::words::{day, number};
use crate::markdown::{Align, Page, Table, chart};

/// A pause between two runs is named when it is this many times as long as the usual one.
const UNUSUAL: i64 = 3;

/// Writes the part; nothing when there is no earlier run.
pub fn write(page: &mut Page<'_>, evaluation: &Evaluation) {
    if evaluation.history.runs.is_empty() {
        return;
    }
    table(page, evaluation);
    let known: Vec<(String, u64)> = evaluation
        .trend
        .iter()
        .filter_map(|point| Some((day(point.run.as_of()), point.open?)))
        .collect();
    let (labels, values): (Vec<String>, Vec<u64>) = known.into_iter().unzip();
    if let Some(chart) = chart::bars("Open findings per run", "findings", &labels, &values)
        && page.has_room(chart.len() + 1)
    {
        page.raw(&format!("\n{chart}"));
    }
}

/// Writes the part without its chart.
pub fn table(page: &mut Page<'_>, evaluation: &Evaluation) {
    if evaluation.history.runs.is_empty() {
        return;
    }
    page.heading(3, "Trend");
    course(page, evaluation);
    for line in gaps(evaluation) {
        page.paragraph(&line);
    }
}

fn course(page: &mut Page<'_>, evaluation: &Evaluation) {
    let mut table = Table::new(&[
        ("Run", Align::Left),
        ("Score", Align::Right),
        ("Open", Align::Right),
        ("New", Align::Right),
        ("Reopened", Align::Right),
        ("No longer open", Align::Right),
        ("Accepted", Align::Right),
        ("Fully tagged", Align::Right),
    ]);
    let points = |value: Option<u32>| value.map_or_else(String::new, |value| value.to_string());
    let percent = |value: Option<u32>| value.map_or_else(String::new, |value| format!("{value} %"));
    for past in &evaluation.history.runs {
        table.row(&[
            day(past.run.as_of()),
            points(past.score),
            number(past.open),
            number(past.new),
            number(past.reopened),
            past.closed.map(number).unwrap_or_default(),
            number(past.accepted),
            percent(past.tagged_percent),
        ]);
    }
    let of = |change| {
        let findings = evaluation
            .of(Status::Fail)
            .filter(|finding| finding.change == Some(change));
        number(findings.count() as u64)
    };
    let verdicts = evaluation.tally.all();
    table.row(&[
        "**now**".to_owned(),
        points(evaluation.tally.score()),
        number(verdicts.failed),
        of(Change::New),
        of(Change::Reopened),
        evaluation.history.closed.map(number).unwrap_or_default(),
        number(verdicts.waived),
        percent(evaluation.tagged_percent()),
    ]);
    page.table(&table, usize::MAX, "run");
}

/// What interrupts the course: runs without figures, and pauses.
fn gaps(evaluation: &Evaluation) -> Vec<String> {
    let mut lines = Vec::new();
    let without: Vec<String> = evaluation
        .trend
        .iter()
        .filter(|point| point.open.is_none())
        .map(|point| day(point.run.as_of()))
        .collect();
    if !without.is_empty() {
        lines.push(format!(
            "Without figures, since `analyze` has not looked at them or their figures can't be read: the runs of {}.",
            crate::markdown::words::some_of(&without, 8)
        ));
    }
    let times: Vec<_> = evaluation
        .trend
        .iter()
        .map(|point| point.run.as_of())
        .collect();
    let pauses: Vec<(i64, usize)> = times
        .windows(2)
        .enumerate()
        .map(|(index, pair)| (pair[1].duration_since(pair[0]).as_hours(), index))
        .collect();
    let mut usual: Vec<i64> = pauses.iter().map(|(hours, _)| *hours).collect();
    usual.sort_unstable();
    let usual = usual.get(usual.len() / 2).copied().unwrap_or(0);
    let longest = pauses.iter().max_by_key(|(hours, _)| *hours);
    if let Some(&(hours, index)) = longest
        && pauses.len() >= 3
        && hours >= 48
        && hours > usual.saturating_mul(UNUSUAL)
    {
        lines.push(format!(
            "Between {} and {} there was no run for {} days: what came and went in that time is not in these figures.",
            day(times[index]),
            day(times[index + 1]),
            hours / 24
        ));
    }
    lines
}
