//! Verdicts counted per check, and the score.
//!
//! A check's share is the weight of its passed verdicts over that of all its verdicts except waived ones, each verdict
//! weighted by the importance of its resource. The score is the average of the shares, weighted by the checks'
//! severity, times 100, rounded down: 100 means that everything passed. An unknown verdict counts as not passed.
//! Counting by check keeps thousands of small passes from hiding the one that matters.

use std::collections::BTreeMap;
use std::path::PathBuf;

use handoff::table;

use super::ContentError;
use super::finding::{Severity, Status, Verdicts};

/// Weight of a verdict whose resource has no importance: that of the second level, so that leaving the tag off gains nothing.
const WEIGHT_WITHOUT_IMPORTANCE: f64 = 2.0;

/// Importance levels of the run, by name, with their rank from 0 for the lowest.
pub type Levels = BTreeMap<String, i64>;

/// How one check came out.
#[derive(Clone, Debug)]
pub struct CheckTally {
    /// Step of hardening, 1 to 7.
    pub rule: u8,
    /// Highest severity among its verdicts.
    pub severity: Severity,
    /// Its verdicts.
    pub verdicts: Verdicts,
    passed_weight: f64,
    judged_weight: f64,
}

/// How the checks of a run came out.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By check id.
    pub checks: BTreeMap<String, CheckTally>,
}

impl Tally {
    /// Counts the verdicts of a run, reading no text but the few columns that counting needs.
    ///
    /// # Errors
    /// When a file can't be read or names a rule that does not exist.
    pub fn read(paths: &[PathBuf], levels: &Levels) -> Result<Self, ContentError> {
        let mut tally = Self::default();
        for path in paths {
            let rows = table::read(
                "findings",
                path,
                &["check_id", "rule", "severity", "status", "importance"],
            )?;
            rows.for_each(|row| {
                let check_id = row.text("check_id").unwrap_or_default();
                let rule = super::rule_number("findings", check_id, row.int("rule"))?;
                let severity = Severity::parse(row.text("severity"));
                let importance = row.text("importance").filter(|level| !level.is_empty());
                tally.count(
                    check_id,
                    rule,
                    severity,
                    Status::parse(row.text("status")),
                    weight(importance, levels),
                );
                Ok::<(), ContentError>(())
            })?;
        }
        Ok(tally)
    }

    fn count(&mut self, check_id: &str, rule: u8, severity: Severity, status: Status, weight: f64) {
        if !self.checks.contains_key(check_id) {
            let check = CheckTally {
                rule,
                severity,
                verdicts: Verdicts::default(),
                passed_weight: 0.0,
                judged_weight: 0.0,
            };
            self.checks.insert(check_id.to_owned(), check);
        }
        let Some(check) = self.checks.get_mut(check_id) else {
            return;
        };
        check.severity = check.severity.min(severity);
        check.verdicts.count(status);
        if status != Status::Waived {
            check.judged_weight += weight;
        }
        if status == Status::Pass {
            check.passed_weight += weight;
        }
    }

    /// The score, 0 to 100; none when nothing was judged.
    pub fn score(&self) -> Option<u32> {
        let judged = || {
            self.checks
                .values()
                .filter(|check| check.judged_weight > 0.0)
        };
        let total: f64 = judged().map(|check| check.severity.weight()).sum();
        let reached: f64 = judged()
            .map(|check| check.severity.weight() * check.passed_weight / check.judged_weight)
            .sum();
        (total > 0.0).then(|| percent(reached, total))
    }

    /// Verdicts of a rule.
    pub fn rule(&self, rule: u8) -> Verdicts {
        let mut verdicts = Verdicts::default();
        self.checks
            .values()
            .filter(|check| check.rule == rule)
            .for_each(|check| verdicts.add(check.verdicts));
        verdicts
    }

    /// Verdicts of all rules.
    pub fn all(&self) -> Verdicts {
        let mut verdicts = Verdicts::default();
        self.checks
            .values()
            .for_each(|check| verdicts.add(check.verdicts));
        verdicts
    }
}

#[expect(clippy::cast_precision_loss, reason = "ranks are small")]
fn weight(importance: Option<&str>, levels: &Levels) -> f64 {
    let rank = importance.and_then(|level| levels.get(level)).copied();
    rank.filter(|rank| (0..1_000).contains(rank))
        .map_or(WEIGHT_WITHOUT_IMPORTANCE, |rank| rank as f64 + 1.0)
}

/// `part` of `whole` in percent, rounded down so that 100 is reached by nothing less than all.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 100"
)]
pub fn percent(part: f64, whole: f64) -> u32 {
    // Sums of floats may fall short of a whole number by a rounding error that means nothing.
    (part / whole * 100.0 + 1e-9).clamp(0.0, 100.0).floor() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(verdicts: &[(&str, Severity, Status, f64)]) -> Tally {
        let mut tally = Tally::default();
        for &(check_id, severity, status, weight) in verdicts {
            tally.count(check_id, 1, severity, status, weight);
        }
        tally
    }

    #[test]
    fn a_critical_failure_is_not_drowned_by_many_low_passes() {
        let mut verdicts = vec![("root-mfa", Severity::Critical, Status::Fail, 1.0)];
        verdicts.extend(std::iter::repeat_n(
            ("tag-name", Severity::Low, Status::Pass, 1.0),
            1_000,
        ));
        assert_eq!(tally(&verdicts).score(), Some(9));
    }

    #[test]
    fn unknown_is_not_pass_and_waived_is_neither() {
        let verdicts = [
            ("a", Severity::High, Status::Pass, 1.0),
            ("a", Severity::High, Status::Unknown, 1.0),
            ("a", Severity::High, Status::Waived, 9.0),
        ];
        assert_eq!(tally(&verdicts).score(), Some(50));
    }

    #[test]
    fn important_resources_weigh_more() {
        let levels = Levels::from([("low".to_owned(), 0), ("critical".to_owned(), 3)]);
        assert!(weight(Some("critical"), &levels) > weight(Some("low"), &levels));
        assert!(
            weight(None, &levels) > weight(Some("low"), &levels),
            "leaving the tag off must not gain anything"
        );
    }

    #[test]
    fn nothing_judged_has_no_score_and_only_all_is_a_hundred() {
        assert_eq!(tally(&[]).score(), None);
        assert_eq!(
            tally(&[("a", Severity::Low, Status::Waived, 1.0)]).score(),
            None
        );
        assert_eq!(percent(999.0, 1_000.0), 99);
        assert_eq!(percent(0.1 + 0.2, 0.3), 100);
    }
}
