//! What to do, by the one who has to do it.

use std::fmt::Write as _;

use super::scope::left_out;
use super::{findings, linked, severity, value, without_stop};
use crate::chapters::owners::{by_owner, by_severity, tasks};
use crate::content::Content;
use crate::content::finding::{Finding, Severity};
use crate::markdown::words::{counted, number, some_of};

/// Resources named per task.
const NAMED: usize = 8;
/// Tasks per owner.
const TASKS: usize = 40;
/// Owners shown.
const OWNERS: usize = 100;
/// What the chapter may take, in bytes.
const ROOM: usize = 2_500_000;

/// Writes the chapter.
pub fn write(out: &mut String, content: &Content, list: &findings::List<'_>) {
    if content.evaluation.is_none() {
        return;
    }
    out.push_str("<section id=\"to-do-by-owner\">\n<h2>To do by owner</h2>\n");
    let owners = by_owner(content);
    if owners.is_empty() {
        out.push_str("<p>Nothing: no check failed.</p>\n");
    }
    let (end, mut shown) = (out.len() + ROOM, 0);
    for (owner, findings) in owners.iter().take(OWNERS) {
        let one = details(*owner, findings, list);
        if out.len() + one.len() > end {
            break;
        }
        out.push_str(&one);
        shown += 1;
    }
    left_out(out, owners.len() - shown, "owner");
    out.push_str("</section>\n");
}

fn details(owner: Option<&str>, findings: &[&Finding], list: &findings::List<'_>) -> String {
    let counts: Vec<String> = Severity::ALL
        .into_iter()
        .zip(by_severity(findings))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{} {}", number(count as u64), severity.name()))
        .collect();
    let mut out = format!(
        "<details class=\"owner\"><summary><b>{}</b> <span class=\"soft\">{}</span></summary>\n<ul>\n",
        owner.map_or_else(|| "no owner".to_owned(), value),
        counts.join(", ")
    );
    let tasks = tasks(findings);
    for ((rank, check_id), findings) in tasks.iter().take(TASKS) {
        task(&mut out, *rank, check_id, findings, list);
    }
    out.push_str("</ul>\n");
    left_out(&mut out, tasks.len().saturating_sub(TASKS), "task");
    out.push_str("</details>\n");
    out
}

fn task(
    out: &mut String,
    rank: Severity,
    check_id: &str,
    findings: &[&Finding],
    list: &findings::List<'_>,
) {
    let what = findings
        .iter()
        .find_map(|finding| finding.remediation.as_deref())
        .or_else(|| findings.first().map(|finding| finding.title.as_str()))
        .unwrap_or_default();
    let resources: Vec<String> = findings
        .iter()
        .take(NAMED + 1)
        .map(|finding| linked(finding, list))
        .collect();
    let resources = match findings.len() {
        few if few <= NAMED => some_of(&resources, NAMED),
        many => format!(
            "{} and {} more",
            resources[..NAMED].join(", "),
            many - NAMED
        ),
    };
    let many = match findings.len() {
        1 => String::new(),
        many => format!(" ({})", counted(many as u64, "finding")),
    };
    let _ = writeln!(
        out,
        "<li>{} <code>{}</code>{many}: {}. On {resources}</li>",
        severity(rank),
        value(check_id),
        without_stop(&value(what)),
    );
}
