//! The figures: now, in the run before, and over the last eight runs.

use super::trend;
use crate::content::finding::{Change, Severity, Status};
use crate::content::history::differing_checks;
use crate::content::{Content, Evaluation};
use crate::markdown::words::{and, change, counted, day, number, sparkline};
use crate::markdown::{Align, Page, Place, Table, code};

/// Writes the chapter.
pub fn write(page: &mut Page<'_>, content: &Content) {
    let Some(evaluation) = &content.evaluation else {
        return;
    };
    page.heading(2, "Scoreboard");
    let runs = &evaluation.history.runs;
    let last = evaluation.history.last();
    let before = last.map_or_else(
        || "Last run".to_owned(),
        |last| format!("Last run, {}", day(last.run.as_of())),
    );
    page.paragraph(&summary(evaluation, &before));

    let mut table = Table::new(&[
        ("Figure", Align::Left),
        ("Now", Align::Right),
        ("Last run", Align::Right),
        ("Change", Align::Right),
        ("Trend", Align::Left),
    ]);
    let score = evaluation.tally.score();
    let open = evaluation.tally.all().failed;
    let tagged = evaluation.tagged_percent();
    let points = |value: Option<u32>| value.map_or_else(String::new, |value| value.to_string());
    let percent = |value: Option<u32>| value.map_or_else(String::new, |value| format!("{value} %"));
    let against = |now: Option<u32>, before: Option<u32>| {
        now.zip(before).map_or_else(String::new, |(now, before)| {
            change(now.into(), before.into())
        })
    };
    let trend = |now: Option<u64>, past: &dyn Fn(&crate::content::history::Past) -> Option<u64>| {
        let line = sparkline(&runs.iter().map(past).chain([now]).collect::<Vec<_>>());
        if runs.is_empty() || line.is_empty() {
            String::new()
        } else {
            format!("`{line}`")
        }
    };
    table.row(&[
        format!("[Score]({}), 0 to 100", page.chapter(Place::Method)),
        score.map_or_else(String::new, |score| format!("**{score}**")),
        points(last.and_then(|last| last.score)),
        against(score, last.and_then(|last| last.score)),
        trend(score.map(u64::from), &|past| past.score.map(u64::from)),
    ]);
    table.row(&[
        "Open findings".to_owned(),
        number(open),
        last.map_or_else(String::new, |last| number(last.open)),
        last.map_or_else(String::new, |last| change(open, last.open)),
        trend(Some(open), &|past| Some(past.open)),
    ]);
    let count = |change| {
        evaluation
            .of(Status::Fail)
            .filter(|finding| finding.change == Some(change))
            .count() as u64
    };
    let new = count(Change::New);
    table.row(&[
        "New findings".to_owned(),
        number(new),
        last.map_or_else(String::new, |last| number(last.new)),
        String::new(),
        trend(Some(new), &|past| Some(past.new)),
    ]);
    let reopened = count(Change::Reopened);
    table.row(&[
        "Reopened findings".to_owned(),
        number(reopened),
        last.map_or_else(String::new, |last| number(last.reopened)),
        String::new(),
        trend(Some(reopened), &|past| Some(past.reopened)),
    ]);
    let fixed = if last.is_some() {
        number(evaluation.history.fixed.len() as u64)
    } else {
        String::new()
    };
    table.row(&[
        "Fixed findings".to_owned(),
        fixed,
        String::new(),
        String::new(),
        String::new(),
    ]);
    let accepted = evaluation.tally.all().waived;
    table.row(&[
        "Accepted findings".to_owned(),
        number(accepted),
        last.map_or_else(String::new, |last| number(last.accepted)),
        last.map_or_else(String::new, |last| change(accepted, last.accepted)),
        trend(Some(accepted), &|past| Some(past.accepted)),
    ]);
    table.row(&[
        "Fully tagged resources".to_owned(),
        percent(tagged),
        percent(last.and_then(|last| last.tagged_percent)),
        against(tagged, last.and_then(|last| last.tagged_percent)),
        trend(tagged.map(u64::from), &|past| {
            past.tagged_percent.map(u64::from)
        }),
    ]);
    page.table(&table, usize::MAX, "figure");
    for caveat in caveats(page, content, evaluation) {
        page.paragraph(&caveat);
    }
    trend::write(page, evaluation);
}

fn summary(evaluation: &Evaluation, before: &str) -> String {
    let open: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| (severity, evaluation.failing(severity)))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{} {}", number(count), severity.name()))
        .collect();
    let open = match open.is_empty() {
        true => "No check failed.".to_owned(),
        false => format!("Open: {}.", and(&open)),
    };
    let verdicts = evaluation.tally.all();
    let unknown = if verdicts.unknown > 0 {
        format!(
            " Unknown, and not counted as passed: {}.",
            number(verdicts.unknown)
        )
    } else {
        String::new()
    };
    let compared = match evaluation.history.last() {
        Some(_) => format!(" Compared with: {}.", before.to_lowercase()),
        None => " There is no earlier analysed run in the lake to compare with.".to_owned(),
    };
    format!("{open}{unknown}{compared}")
}

/// What keeps the figures from being compared like with like.
fn caveats(page: &Page<'_>, content: &Content, evaluation: &Evaluation) -> Vec<String> {
    let mut caveats = Vec::new();
    if let Some(last) = evaluation.history.last() {
        if !last.accounts.iter().eq(content.accounts.iter()) {
            caveats.push(
                "The last run covered other accounts: its figures are not those of this scope."
                    .to_owned(),
            );
        }
        let (only_now, only_before) = differing_checks(&evaluation.checks, last);
        let mut parts = Vec::new();
        if only_now > 0 {
            parts.push(format!(
                "{} of this run had no part in the last one",
                counted(only_now as u64, "check")
            ));
        }
        if only_before > 0 {
            parts.push(format!(
                "{} of the last run had no part in this one",
                counted(only_before as u64, "check")
            ));
        }
        if !parts.is_empty() {
            caveats.push(format!(
                "The scores compare with care: {}.",
                parts.join(", ")
            ));
        }
    }
    let not_judged = evaluation.history.not_judged.len() as u64;
    if not_judged > 0 {
        caveats.push(format!("{} of the last run could not be judged again: not open here, and [not fixed]({}) either.", counted(not_judged, "finding"), page.chapter(Place::Changes)));
    }
    if !evaluation.history.unreadable.is_empty() {
        let runs: Vec<String> = evaluation
            .history
            .unreadable
            .iter()
            .map(|run| code(run.as_str()))
            .collect();
        caveats.push(format!(
            "Left out because their files could not be read: {}.",
            and(&runs)
        ));
    }
    caveats
}
