//! What to do, by the one who has to do it.

use std::collections::BTreeMap;

use super::ageing;
use crate::content::Content;
use crate::content::finding::{Finding, Severity, Status};
use crate::markdown::page::WHOLE_LIST;
use crate::markdown::words::{counted, number, some_of};
use crate::markdown::{Align, Links, Page, Place, Table, code, html, text};

/// Resources named per task.
const NAMED: usize = 8;
/// Tasks per owner.
const TASKS: usize = 40;
/// Owners shown.
const OWNERS: usize = 100;
/// Owners in the figures of the first file of a folder.
const SUMMARY_OWNERS: usize = 40;

/// Writes the chapter.
pub fn write(page: &mut Page<'_>, content: &Content) {
    let Some(evaluation) = &content.evaluation else {
        return;
    };
    page.heading(2, "To do by owner");
    let owners = by_owner(content);
    if owners.is_empty() {
        page.paragraph("Nothing: no check failed.");
        return;
    }
    ageing::write(page, content, evaluation);
    let mut shown = 0;
    for (owner, findings) in owners.iter().take(OWNERS) {
        if !page.has_room(1_500) {
            break;
        }
        details(page, *owner, findings);
        shown += 1;
    }
    page.left_out(owners.len() - shown, "owner");
}

/// Open findings by owner; what has none comes first, since nobody else will look at it.
pub fn by_owner(content: &Content) -> Vec<(Option<&str>, Vec<&Finding>)> {
    let mut owners: BTreeMap<Option<&str>, Vec<&Finding>> = BTreeMap::new();
    for finding in content
        .evaluation
        .iter()
        .flat_map(|evaluation| evaluation.of(Status::Fail))
    {
        owners
            .entry(finding.owner.as_deref())
            .or_default()
            .push(finding);
    }
    let mut owners: Vec<_> = owners.into_iter().collect();
    owners.sort_by_key(|(owner, findings)| {
        (owner.is_some(), std::cmp::Reverse(by_severity(findings)))
    });
    owners
}

/// How much is open for whom, for the first file of the folder.
pub fn summary(page: &mut Page<'_>, content: &Content) {
    if content.evaluation.is_none() {
        return;
    }
    page.heading(2, "To do by owner");
    let owners = by_owner(content);
    if owners.is_empty() {
        page.paragraph("Nothing: no check failed.");
        return;
    }
    let address = page.chapter(Place::Owners);
    page.paragraph(&format!("[The to-do lists]({address}), in figures:"));
    let mut columns = vec![("Owner", Align::Left)];
    columns.extend(Severity::ALL.map(|severity| (severity.name(), Align::Right)));
    let mut table = Table::new(&columns);
    for (owner, findings) in owners {
        let mut cells = vec![owner.map_or_else(|| "no owner".to_owned(), code)];
        cells.extend(by_severity(&findings).map(|count| number(count as u64)));
        table.row(&cells);
    }
    page.rest_is(&format!("[the to-do lists]({address}) have all of them"));
    page.table(&table, SUMMARY_OWNERS, "owner");
    page.rest_is(WHOLE_LIST);
}

/// The chapter in files of at most `room` bytes, with their names.
pub fn split(content: &Content, links: &Links<'_>, room: usize) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let name = |part: usize| match part {
        1 => Place::Owners.file(),
        part => format!("owners-part-{part}.md"),
    };
    let mut page = Page::of(&name(1), room, links);
    page.heading(2, "To do by owner");
    let owners = by_owner(content);
    match &content.evaluation {
        Some(evaluation) if !owners.is_empty() => ageing::write(&mut page, content, evaluation),
        _ => page.paragraph("Nothing: no check failed."),
    }
    for (owner, findings) in owners {
        let file = name(files.len() + 1);
        let mut one = Page::of(&file, room / 2, links);
        details(&mut one, owner, &findings);
        let text = one.into_text();
        if !page.has_room(text.len()) {
            let next = name(files.len() + 2);
            let full = std::mem::replace(&mut page, Page::of(&next, room, links));
            files.push((file, full.into_text()));
            page.heading(2, &format!("To do by owner, part {}", files.len() + 1));
        }
        page.raw(&text);
    }
    files.push((name(files.len() + 1), page.into_text()));
    files
}

/// Findings counted by severity, worst first.
pub fn by_severity(findings: &[&Finding]) -> [usize; 5] {
    Severity::ALL.map(|severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    })
}

fn details(page: &mut Page<'_>, owner: Option<&str>, findings: &[&Finding]) {
    let counts: Vec<String> = Severity::ALL
        .into_iter()
        .zip(by_severity(findings))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {}", severity.name()))
        .collect();
    let owner = owner.map_or_else(|| "no owner".to_owned(), html);
    page.raw(&format!(
        "\n<details>\n<summary><b>{owner}</b>: {}</summary>\n",
        counts.join(", ")
    ));
    let tasks = tasks(findings);
    let lines: Vec<String> = tasks
        .iter()
        .map(|((severity, check_id), findings)| task(page, *severity, check_id, findings))
        .collect();
    page.list(&lines, TASKS, "task");
    page.raw("\n</details>\n");
}

/// Findings by what is to be done: one check's are one task. The worst come first.
pub fn tasks<'a>(findings: &[&'a Finding]) -> BTreeMap<(Severity, &'a str), Vec<&'a Finding>> {
    let mut tasks: BTreeMap<(Severity, &str), Vec<&Finding>> = BTreeMap::new();
    for &finding in findings {
        tasks
            .entry((finding.severity, finding.check_id.as_str()))
            .or_default()
            .push(finding);
    }
    tasks
}

fn task(page: &Page<'_>, severity: Severity, check_id: &str, findings: &[&Finding]) -> String {
    let what = findings
        .iter()
        .find_map(|finding| finding.remediation.as_deref())
        .map(text);
    let what = what
        .or_else(|| findings.first().map(|finding| text(&finding.title)))
        .unwrap_or_default();
    let what = what.trim_end_matches('.');
    let resources: Vec<String> = findings
        .iter()
        .map(|finding| page.linked(finding))
        .collect();
    let many = if findings.len() > 1 {
        format!(" ({})", counted(findings.len() as u64, "finding"))
    } else {
        String::new()
    };
    // GitHub ticks the box of a line that has [x] anywhere, in code too: what others wrote stands on
    // the next, which begins with the check's name and so is no heading or list of its own.
    format!(
        "- [ ] **{}**\n  {}{many}: {what}. On {}",
        severity.name(),
        code(check_id),
        some_of(&resources, NAMED)
    )
}
