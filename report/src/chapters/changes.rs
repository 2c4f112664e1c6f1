//! What changed since the run before: new, reopened, fixed, not looked at again, accepted.

use super::detections::who;
use crate::content::actor::Actor;
use crate::content::finding::{Change, Finding, Status};
use crate::content::{Content, Evaluation};
use crate::markdown::page::resource;
use crate::markdown::words::{counted, day, number};
use crate::markdown::{Align, Page, Place, Table, code, text};

/// Rows of each table in one file: the chapter is to be read, the rest is in the rules' chapters.
const ROWS: usize = 40;

fn rows(page: &Page<'_>) -> usize {
    if page.is_folder() { usize::MAX } else { ROWS }
}

/// What changed, in figures, for the first file of the folder.
pub fn summary(page: &mut Page<'_>, content: &Content) {
    let Some(evaluation) = &content.evaluation else {
        return;
    };
    page.heading(2, "Changes");
    let Some(last) = evaluation.history.last() else {
        page.paragraph("There is no earlier analysed run in the lake: every open finding is new, and nothing can be called fixed yet.");
        return;
    };
    let of = |change| {
        let findings = evaluation
            .of(Status::Fail)
            .filter(|finding| finding.change == Some(change));
        number(findings.count() as u64)
    };
    page.paragraph(&format!(
        "Since run {} of {}: {} new, {} reopened, {} fixed, {} not judged again, {} accepted. [Which, and who changed them]({}).",
        code(last.run.as_str()),
        day(last.run.as_of()),
        of(Change::New),
        of(Change::Reopened),
        number(evaluation.history.fixed.len() as u64),
        number(evaluation.history.not_judged.len() as u64),
        number(evaluation.tally.all().waived),
        page.chapter(Place::Changes),
    ));
}

/// Writes the chapter.
pub fn write(page: &mut Page<'_>, content: &Content) {
    let Some(evaluation) = &content.evaluation else {
        return;
    };
    page.heading(2, "Changes");
    match evaluation.history.last() {
        None => page.paragraph("There is no earlier analysed run in the lake: every open finding is new, and nothing can be called fixed yet."),
        Some(last) => {
            page.paragraph(&format!("Since run {} of {}.", code(last.run.as_str()), day(last.run.as_of())));
            new_and_reopened(page, evaluation);
            fixed(page, evaluation);
            not_judged(page, evaluation);
        }
    }
    accepted(page, evaluation);
}

fn new_and_reopened(page: &mut Page<'_>, evaluation: &Evaluation) {
    for (title, change, none) in [
        ("New", Change::New, "Nothing new failed."),
        ("Reopened", Change::Reopened, ""),
    ] {
        let findings: Vec<&Finding> = evaluation
            .of(Status::Fail)
            .filter(|finding| finding.change == Some(change))
            .collect();
        if findings.is_empty() && none.is_empty() {
            continue;
        }
        page.heading(3, title);
        if findings.is_empty() {
            page.paragraph(none);
            continue;
        }
        let known = findings.iter().any(|finding| finding.changed_by.is_some());
        let mut columns = vec![
            ("Severity", Align::Left),
            ("Check", Align::Left),
            ("Resource", Align::Left),
            ("Owner", Align::Left),
        ];
        if known {
            columns.push(("Changed by", Align::Left));
        }
        columns.push(("Why", Align::Left));
        let mut table = Table::new(&columns);
        for finding in &findings {
            let mut cells = vec![
                finding.severity.name().to_owned(),
                code(&finding.check_id),
                page.linked(finding),
                owner(finding),
            ];
            if known {
                let actor = finding.changed_by.as_ref();
                cells.push(actor.map(changed_by).unwrap_or_default());
            }
            cells.push(text(&finding.reason));
            table.row(&cells);
        }
        page.table(&table, rows(page), "finding");
    }
}

fn fixed(page: &mut Page<'_>, evaluation: &Evaluation) {
    page.heading(3, "Fixed");
    if evaluation.history.fixed.is_empty() {
        page.paragraph("Nothing that failed in the last run passes now or is gone.");
        return;
    }
    let mut table = Table::new(&[
        ("Severity", Align::Left),
        ("Check", Align::Left),
        ("Resource", Align::Left),
        ("Owner", Align::Left),
        ("Now", Align::Left),
    ]);
    for fixed in &evaluation.history.fixed {
        let now = if fixed.passes_now { "passes" } else { "gone" };
        let finding = &fixed.finding;
        table.row(&[
            finding.severity.name().to_owned(),
            code(&finding.check_id),
            resource(finding),
            owner(finding),
            now.to_owned(),
        ]);
    }
    page.table(&table, rows(page), "finding");
}

fn not_judged(page: &mut Page<'_>, evaluation: &Evaluation) {
    let findings = &evaluation.history.not_judged;
    if findings.is_empty() {
        return;
    }
    page.heading(3, "Failed before, not evaluated now");
    page.paragraph(&format!(
        "Not judged again, and therefore unknown rather than fixed: {} of the last run.",
        counted(findings.len() as u64, "finding")
    ));
    let mut table = Table::new(&[
        ("Severity", Align::Left),
        ("Check", Align::Left),
        ("Resource", Align::Left),
        ("Owner", Align::Left),
    ]);
    for finding in findings {
        table.row(&[
            finding.severity.name().to_owned(),
            code(&finding.check_id),
            resource(finding),
            owner(finding),
        ]);
    }
    page.table(&table, rows(page), "finding");
}

fn accepted(page: &mut Page<'_>, evaluation: &Evaluation) {
    let mut waived: Vec<&Finding> = evaluation.of(Status::Waived).collect();
    if waived.is_empty() {
        return;
    }
    waived.sort_by_key(|finding| finding.waiver.as_ref().and_then(|waiver| waiver.expires));
    page.heading(3, "Accepted");
    page.paragraph(
        "Would fail, but somebody accepted that until a date. The first to expire come first.",
    );
    let mut table = Table::new(&[
        ("Until", Align::Left),
        ("Severity", Align::Left),
        ("Check", Align::Left),
        ("Resource", Align::Left),
        ("Accepted by", Align::Left),
        ("Reason", Align::Left),
    ]);
    for finding in waived {
        let waiver = finding.waiver.as_ref();
        table.row(&[
            waiver
                .and_then(|waiver| waiver.expires)
                .map(day)
                .unwrap_or_default(),
            finding.severity.name().to_owned(),
            code(&finding.check_id),
            resource(finding),
            waiver
                .and_then(|waiver| waiver.owner.as_deref())
                .map(code)
                .unwrap_or_default(),
            waiver
                .and_then(|waiver| waiver.reason.as_deref())
                .map(text)
                .unwrap_or_default(),
        ]);
    }
    page.table(&table, rows(page), "accepted finding");
}

/// Who changed something, and on which day.
pub fn changed_by(actor: &Actor) -> String {
    format!("{}, {}", who(actor), day(actor.last))
}

fn owner(finding: &Finding) -> String {
    finding.owner.as_deref().map(code).unwrap_or_default()
}
