//! Controls of the frameworks: which checks speak to them, and what they say.

use std::collections::BTreeMap;

use crate::content::finding::{Check, CheckStatus, Verdicts};
use crate::content::monitoring::natural;
use crate::content::{Content, Evaluation};
use crate::markdown::words::{counted, number};
use crate::markdown::{Align, Page, Table, code, text};

/// Writes the chapter.
pub fn write(page: &mut Page<'_>, content: &Content) {
    let Some(evaluation) = &content.evaluation else {
        return;
    };
    page.heading(2, "Frameworks");
    let frameworks = by_control(evaluation);
    if frameworks.is_empty() {
        page.paragraph("No check of this run names a control.");
        return;
    }
    page.paragraph(
        "Controls that a check of this run speaks to; a framework has more. A control passes when all verdicts on it pass, and it is not evaluated when there is none: because nothing of its kind was \
         collected, or because the check could not be run.",
    );
    for (framework, controls) in frameworks {
        let outcomes = || controls.values().map(|checks| outcome(checks).0);
        let count = |wanted: &str| outcomes().filter(|found| *found == wanted).count() as u64;
        page.heading(3, &text(&name(framework)));
        page.paragraph(&format!(
            "{}: {} passed, {} failed, {} unknown, {} not evaluated.",
            counted(controls.len() as u64, "control"),
            number(count("pass")),
            number(count("fail")),
            number(count("unknown")),
            number(count("not evaluated")),
        ));
        table(page, &controls);
    }
}

/// Checks by control; controls in the order in which people count.
type Controls<'a> = BTreeMap<(Vec<(String, u64)>, &'a str), Vec<&'a Check>>;

fn by_control(evaluation: &Evaluation) -> BTreeMap<&str, Controls<'_>> {
    let mut frameworks: BTreeMap<&str, Controls<'_>> = BTreeMap::new();
    for check in &evaluation.checks {
        for (framework, controls) in &check.frameworks {
            for control in controls
                .split(',')
                .map(str::trim)
                .filter(|control| !control.is_empty())
            {
                frameworks
                    .entry(framework)
                    .or_default()
                    .entry((natural(control), control))
                    .or_default()
                    .push(check);
            }
        }
    }
    frameworks
}

fn outcome(checks: &[&Check]) -> (&'static str, Verdicts) {
    let mut verdicts = Verdicts::default();
    checks.iter().for_each(|check| verdicts.add(check.verdicts));
    let broken = checks
        .iter()
        .any(|check| check.status == CheckStatus::Error);
    let status = match verdicts {
        Verdicts { failed, .. } if failed > 0 => "fail",
        Verdicts { unknown, .. } if unknown > 0 || broken => "unknown",
        Verdicts {
            passed: 0,
            waived: 0,
            ..
        } => "not evaluated",
        _ => "pass",
    };
    (status, verdicts)
}

fn table(page: &mut Page<'_>, controls: &Controls<'_>) {
    let mut table = Table::new(&[
        ("Control", Align::Left),
        ("Status", Align::Left),
        ("Checks", Align::Left),
        ("Passed", Align::Right),
        ("Failed", Align::Right),
        ("Unknown", Align::Right),
        ("Accepted", Align::Right),
    ]);
    for ((_, control), checks) in controls {
        let (status, verdicts) = outcome(checks);
        let ids: Vec<String> = checks.iter().map(|check| code(&check.check_id)).collect();
        table.row(&[
            text(control),
            match status {
                "fail" => "**fail**".to_owned(),
                status => status.to_owned(),
            },
            ids.join(", "),
            number(verdicts.passed),
            number(verdicts.failed),
            number(verdicts.unknown),
            number(verdicts.waived),
        ]);
    }
    page.table(&table, usize::MAX, "control");
}

/// A framework's name as people write it.
pub fn name(framework: &str) -> String {
    match framework {
        "cis_v3.0" => "CIS 3.0".to_owned(),
        "cis_v5.0" => "CIS 5.0".to_owned(),
        "fsbp" => "FSBP".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::finding::Severity;

    fn check(status: CheckStatus, verdicts: Verdicts) -> Check {
        Check {
            check_id: "a".to_owned(),
            rule: 1,
            kind: None,
            title: String::new(),
            severity: Severity::Low,
            tables: Vec::new(),
            frameworks: BTreeMap::new(),
            status,
            error: None,
            verdicts,
        }
    }

    #[test]
    fn a_control_passes_only_with_passes_and_nothing_else() {
        let passes = check(
            CheckStatus::Evaluated,
            Verdicts {
                passed: 1,
                ..Verdicts::default()
            },
        );
        let nothing = check(CheckStatus::NotEvaluated, Verdicts::default());
        let broken = check(CheckStatus::Error, Verdicts::default());
        assert_eq!(outcome(&[&passes]).0, "pass");
        assert_eq!(outcome(&[&nothing]).0, "not evaluated");
        assert_eq!(outcome(&[&passes, &broken]).0, "unknown");
        assert_eq!(outcome(&[]).0, "not evaluated");
    }
}
