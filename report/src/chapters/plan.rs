//! Rule 5's own part: what to do first, over all rules, with the commands.

use std::collections::BTreeSet;

use crate::content::Evaluation;
use crate::content::finding::{Finding, Status};
use crate::markdown::page::resource;
use crate::markdown::words::{number, some_of};
use crate::markdown::{Align, Page, Table, code, fence, html, text};

/// Steps of the plan, and those among them whose commands are shown in one file.
const STEPS: usize = 25;
const WITH_COMMANDS: usize = 12;
/// Commands shown of one step.
const COMMANDS: usize = 3;
/// Owners named in a step.
const OWNERS: usize = 3;

/// One thing to do: the open findings of a check.
struct Step<'a> {
    findings: Vec<&'a Finding>,
    risk: f64,
}

/// Writes the part.
pub fn write(page: &mut Page<'_>, evaluation: &Evaluation) {
    let steps = steps(evaluation);
    if steps.is_empty() {
        return;
    }
    page.heading(3, "Plan");
    page.paragraph(
        "What to do first, over all rules: by the highest risk that a step takes away, then by the sum of it.",
    );
    let mut table = Table::new(&[
        ("Step", Align::Right),
        ("To do", Align::Left),
        ("Check", Align::Left),
        ("Findings", Align::Right),
        ("Highest risk", Align::Right),
        ("Risk in all", Align::Right),
        ("Owners", Align::Left),
    ]);
    for (index, step) in steps.iter().enumerate() {
        let Some(worst) = step.findings.first() else {
            continue;
        };
        table.row(&[
            (index + 1).to_string(),
            what(worst),
            format!("{} {}", worst.severity.name(), code(&worst.check_id)),
            number(step.findings.len() as u64),
            format!("{:.0}", worst.risk),
            format!("{:.0}", step.risk),
            owners(step),
        ]);
    }
    let (shown, with_commands) = match page.is_folder() {
        true => (usize::MAX, STEPS * 2),
        false => (STEPS, WITH_COMMANDS),
    };
    page.table(&table, shown, "step");
    for (index, step) in steps.iter().enumerate().take(with_commands) {
        commands(page, index + 1, step);
    }
}

fn steps(evaluation: &Evaluation) -> Vec<Step<'_>> {
    let mut place = std::collections::BTreeMap::new();
    let mut steps: Vec<Step<'_>> = Vec::new();
    // Findings come by descending risk: the first of a check is its worst.
    for finding in evaluation.of(Status::Fail) {
        let next = steps.len();
        let index = *place.entry(finding.check_id.as_str()).or_insert(next);
        if index == next {
            steps.push(Step {
                findings: Vec::new(),
                risk: 0.0,
            });
        }
        if let Some(step) = steps.get_mut(index) {
            step.findings.push(finding);
            step.risk += finding.risk;
        }
    }
    steps.sort_by(|a, b| {
        let highest = |step: &Step<'_>| step.findings.first().map_or(0.0, |finding| finding.risk);
        highest(b)
            .total_cmp(&highest(a))
            .then_with(|| b.risk.total_cmp(&a.risk))
    });
    steps
}

fn what(finding: &Finding) -> String {
    let words = finding.remediation.as_deref().unwrap_or(&finding.title);
    text(words).trim_end_matches('.').to_owned()
}

fn owners(step: &Step<'_>) -> String {
    let owners: BTreeSet<Option<&str>> = step
        .findings
        .iter()
        .map(|finding| finding.owner.as_deref())
        .collect();
    let owners: Vec<String> = owners
        .into_iter()
        .map(|owner| owner.map_or_else(|| "nobody".to_owned(), code))
        .collect();
    some_of(&owners, OWNERS)
}

fn commands(page: &mut Page<'_>, number_of_step: usize, step: &Step<'_>) {
    let mut shown: Vec<(String, &str)> = Vec::new();
    for finding in &step.findings {
        if let Some(command) = finding.remediation_command.as_deref()
            && !shown.iter().any(|(_, known)| *known == command)
        {
            shown.push((page.linked(finding), command));
        }
    }
    let Some(worst) = step.findings.first() else {
        return;
    };
    let more = shown.len().saturating_sub(COMMANDS);
    let mut block = String::new();
    for (label, command) in shown.iter().take(COMMANDS) {
        block.push_str(&format!("\nFor {label}:\n\n{}", fence("sh", command)));
    }
    if block.is_empty() || !page.has_room(block.len() + 300) {
        return;
    }
    page.raw(&format!(
        "\n<details>\n<summary><b>Step {number_of_step}</b>: {}</summary>\n{block}",
        html(&worst.check_id)
    ));
    if more > 0 {
        let others: Vec<String> = step
            .findings
            .iter()
            .skip(COMMANDS)
            .map(|finding| resource(finding))
            .collect();
        page.paragraph(&format!("In the same way for {}.", some_of(&others, 8)));
    }
    page.raw("\n</details>\n");
}
