//! The checklist of disaster recovery: the two lists, component by component.

use super::attested;
use crate::content::checklist::{BACKUPS, Component, HIGH_AVAILABILITY, Line, Spoken, lines};
use crate::content::finding::{Finding, Status};
use crate::content::{Content, Evaluation};
use crate::markdown::words::number;
use crate::markdown::{Align, Page, Table, code};

/// Writes the part.
pub fn write(page: &mut Page<'_>, content: &Content, evaluation: &Evaluation) {
    page.heading(3, "Checklist");
    page.paragraph(
        "A component is as good as the worst verdict on it. Where no check speaks, somebody may [attest](#rule-7-what-people-attest) it; where nobody does, it is not evaluated.",
    );
    for (title, list) in [
        ("Backups", &BACKUPS[..]),
        ("High availability", &HIGH_AVAILABILITY[..]),
    ] {
        page.heading(4, title);
        table(page, content, evaluation, list);
    }
}

fn table(page: &mut Page<'_>, content: &Content, evaluation: &Evaluation, list: &[Component]) {
    let mut table = Table::new(&[
        ("Component", Align::Left),
        ("Status", Align::Left),
        ("What is known", Align::Left),
    ]);
    for line in lines(content, evaluation, list) {
        table.row(&[
            line.component.to_owned(),
            match line.status {
                "fail" => "**fail**".to_owned(),
                status => status.to_owned(),
            },
            known(page, content, evaluation, &line),
        ]);
    }
    page.table(&table, usize::MAX, "component");
}

fn known(page: &Page<'_>, content: &Content, evaluation: &Evaluation, line: &Line) -> String {
    let mut spoken: Vec<&Spoken> = line.checks.iter().collect();
    // Stable: what failed comes first, in the order of the list.
    spoken.sort_by_key(|spoken| (spoken.verdicts.failed == 0, spoken.verdicts.unknown == 0));
    let mut parts: Vec<String> = spoken
        .into_iter()
        .map(|spoken| said(page, evaluation, spoken))
        .collect();
    if let Some(what) = line.attested {
        parts.push(attested::in_words(content, what));
    }
    if parts.is_empty() {
        return "no check had anything to judge".to_owned();
    }
    parts.join("; ")
}

fn said(page: &Page<'_>, evaluation: &Evaluation, spoken: &Spoken) -> String {
    let verdicts = spoken.verdicts;
    let worst: Option<&Finding> = evaluation
        .of(Status::Fail)
        .find(|finding| finding.check_id == spoken.check_id);
    let evidence = worst
        .map(|finding| page.evidence(finding))
        .unwrap_or_default();
    let failed = format!("{} failed", number(verdicts.failed));
    let failed = match evidence.is_empty() {
        true => format!("**{failed}**"),
        false => evidence.replacen("[evidence]", &format!("[**{failed}**]"), 1),
    };
    let parts: Vec<String> = [
        (verdicts.failed, failed),
        (
            verdicts.unknown,
            format!("{} unknown", number(verdicts.unknown)),
        ),
        (
            verdicts.waived,
            format!("{} accepted", number(verdicts.waived)),
        ),
        (
            verdicts.passed,
            format!("{} passed", number(verdicts.passed)),
        ),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(_, words)| words)
    .collect();
    format!("{} {}", code(spoken.check_id), parts.join(", "))
}
