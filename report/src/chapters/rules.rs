//! The seven rules at a glance.

use super::RULES;
use crate::content::finding::Verdicts;
use crate::content::{Content, Evaluation};
use crate::markdown::words::{change, number};
use crate::markdown::{Align, Page, Place, Table};

/// How a rule came out. What failed in the last run and was not judged in this one keeps a rule from passing.
/// So does what people attested once and is over.
pub fn outcome(evaluation: &Evaluation, rule: u8) -> &'static str {
    if evaluation.overdue.contains(&rule) {
        return "fail";
    }
    match status(evaluation.tally.rule(rule)) {
        "pass" if not_judged(evaluation, rule) > 0 => "partial",
        status => status,
    }
}

/// How many findings of a rule failed in the last run and were not judged in this one.
pub fn not_judged(evaluation: &Evaluation, rule: u8) -> u64 {
    evaluation
        .history
        .not_judged
        .iter()
        .filter(|finding| finding.rule == rule)
        .count() as u64
}

fn status(verdicts: Verdicts) -> &'static str {
    match verdicts {
        Verdicts { failed, .. } if failed > 0 => "fail",
        Verdicts {
            passed: 0,
            waived: 0,
            ..
        } => "not evaluated",
        Verdicts { unknown, .. } if unknown > 0 => "partial",
        _ => "pass",
    }
}

/// Writes the chapter.
pub fn write(page: &mut Page<'_>, content: &Content) {
    let Some(evaluation) = &content.evaluation else {
        return;
    };
    page.heading(2, "Seven rules");
    let mut table = Table::new(&[
        ("Rule", Align::Left),
        ("Status", Align::Left),
        ("Failed of checked", Align::Right),
        ("Unknown", Align::Right),
        ("Accepted", Align::Right),
        ("Change", Align::Right),
    ]);
    for rule in RULES {
        let verdicts = evaluation.tally.rule(rule.number);
        let before = evaluation
            .history
            .last()
            .map(|last| last.rules[usize::from(rule.number) - 1].failed);
        let status = outcome(evaluation, rule.number);
        table.row(&[
            format!(
                "[{} {}]({})",
                rule.number,
                rule.name,
                page.chapter(Place::Rule(rule))
            ),
            if status == "fail" {
                format!("**{status}**")
            } else {
                status.to_owned()
            },
            format!(
                "{} of {}",
                number(verdicts.failed),
                number(verdicts.decided())
            ),
            number(verdicts.unknown),
            number(verdicts.waived),
            before.map_or_else(String::new, |before| {
                let not_judged = not_judged(evaluation, rule.number);
                // Fewer failures because nobody looked are no progress.
                let known = change(verdicts.failed, before.saturating_sub(not_judged));
                if not_judged > 0 {
                    format!("{known}, {} not judged", number(not_judged))
                } else {
                    known
                }
            }),
        ]);
    }
    page.table(&table, RULES.len(), "rule");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_passes_only_when_everything_was_judged_and_passed() {
        let verdicts = |passed, failed, unknown, waived| Verdicts {
            passed,
            failed,
            unknown,
            waived,
        };
        assert_eq!(status(verdicts(0, 0, 0, 0)), "not evaluated");
        assert_eq!(status(verdicts(0, 0, 5, 0)), "not evaluated");
        assert_eq!(status(verdicts(9, 0, 1, 0)), "partial");
        assert_eq!(status(verdicts(9, 1, 1, 0)), "fail");
        assert_eq!(status(verdicts(9, 0, 0, 1)), "pass");
    }
}
