//! What to do, by the one who has to do it.

use std::collections::BTreeMap;

use crate::content::Content;
use crate::content::finding::{Finding, Severity, Status};
use crate::markdown::words::{counted, some_of};
use crate::markdown::{Page, code, html, text};

/// Resources named per task.
const NAMED: usize = 8;
/// Tasks per owner.
const TASKS: usize = 40;
/// Owners shown.
const OWNERS: usize = 100;

/// Writes the chapter.
pub fn write(page: &mut Page<'_>, content: &Content) {
    if content.evaluation.is_none() {
        return;
    }
    page.heading(2, "To do by owner");
    let owners = by_owner(content);
    if owners.is_empty() {
        page.paragraph("Nothing: no check failed.");
        return;
    }
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
    format!(
        "- [ ] **{}** {}{many}: {what}. On {}",
        severity.name(),
        code(check_id),
        some_of(&resources, NAMED)
    )
}
