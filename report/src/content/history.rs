//! Earlier runs of the lake, and what became of the findings of the last of them.
//!
//! A finding that failed before is only called fixed when it passes now, or when what it was about is gone while its
//! check judged the account without an unknown verdict: what nobody looked at is not fixed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use handoff::run::{self, Run, RunId, RunRecord, Stage};
use handoff::table;
use serde::Serialize;

use super::context;
use super::finding::{self, Check, Finding, Status, Verdicts};
use super::findings::Stop;
use super::score::{Levels, Tally};
use super::{ContentError, accounts, paths, rule_number};

/// Earlier runs shown beside this one.
const EARLIER_RUNS: usize = 7;

/// Earlier runs.
#[derive(Debug, Default)]
pub struct History {
    /// Earlier analysed runs, oldest first.
    pub runs: Vec<Past>,
    /// Earlier runs that could not be read and are left out.
    pub unreadable: Vec<RunId>,
    /// Runs among them that `analyze` has not looked at, latest first.
    pub not_analyzed: Vec<RunId>,
    /// Findings that failed in the last run and do not fail in this one, for whatever reason.
    pub closed: Option<u64>,
    /// Failed in the last run and does not fail any more.
    pub fixed: Vec<Fixed>,
    /// Failed in the last run and was not judged in this one.
    pub not_judged: Vec<Finding>,
}

/// An earlier run in figures.
#[derive(Debug, Serialize)]
pub struct Past {
    /// The run.
    pub run: RunId,
    /// Its score, with this run's importance levels.
    pub score: Option<u32>,
    /// Findings that failed.
    pub open: u64,
    /// Percentage of completely tagged resources.
    pub tagged_percent: Option<u32>,
    /// Accounts it covered.
    pub accounts: BTreeSet<String>,
    /// Checks it ran.
    #[serde(skip)]
    pub checks: BTreeSet<String>,
    /// Verdicts by rule.
    #[serde(skip)]
    pub rules: [Verdicts; 7],
    /// Findings that were new in it.
    pub new: u64,
    /// Findings that failed again after having been fixed.
    pub reopened: u64,
    /// Findings that somebody had accepted.
    pub accepted: u64,
    /// Findings that failed in the run before and did not in this one, for whatever reason; none for the oldest run.
    pub closed: Option<u64>,
    /// Fingerprints of the findings that failed.
    #[serde(skip)]
    pub failing: HashSet<String>,
}

/// A finding that does not fail any more.
#[derive(Debug, Serialize)]
pub struct Fixed {
    /// As it was.
    #[serde(flatten)]
    pub finding: Finding,
    /// Whether the resource passes now; else it, or the part of it that failed, is gone.
    pub passes_now: bool,
}

impl History {
    /// Reads the runs before `run`; those that can't be read are named to `warn` and left out.
    ///
    /// # Errors
    /// When the storage can't be listed or this run's own files can't be read.
    pub(super) fn read(
        run: &Run,
        accounts_now: &BTreeSet<String>,
        levels: &Levels,
        checks: &[Check],
        findings: &[Finding],
        files: &Files,
        warn: &mut dyn FnMut(String),
    ) -> Result<Self, ContentError> {
        let mut history = Self::default();
        let mut last_failures = Vec::new();
        for id in run::committed(&run.lake)?
            .into_iter()
            .rev()
            .filter(|id| *id < run.id)
        {
            if history.runs.len() == EARLIER_RUNS {
                break;
            }
            let earlier = Run {
                lake: handoff::storage::Storage::open(&run.lake.to_string())?,
                id,
            };
            let read = read_past(&earlier, levels).and_then(|past| {
                let Some(past) = past else { return Ok(None) };
                let failures = if history.runs.is_empty() {
                    read_failures(&earlier)?
                } else {
                    Vec::new()
                };
                Ok(Some((past, failures)))
            });
            match read {
                Ok(Some((past, failures))) => {
                    last_failures.extend(failures);
                    history.runs.push(past);
                }
                Ok(None) => history.not_analyzed.push(earlier.id),
                Err(error) => {
                    warn(format!(
                        "run {} is left out of the history: {error}",
                        earlier.id
                    ));
                    history.unreadable.push(earlier.id);
                }
            }
        }
        history.runs.reverse();
        history.count_closed(findings);
        history.settle(last_failures, accounts_now, checks, findings, files)?;
        Ok(history)
    }

    fn count_closed(&mut self, findings: &[Finding]) {
        let gone = |before: &HashSet<String>, after: &dyn Fn(&str) -> bool| {
            before.iter().filter(|print| !after(print)).count() as u64
        };
        for index in 1..self.runs.len() {
            let (before, after) = self.runs.split_at_mut(index);
            if let (Some(before), Some(after)) = (before.last(), after.first_mut()) {
                after.closed = Some(gone(&before.failing, &|print| {
                    after.failing.contains(print)
                }));
            }
        }
        let failing: HashSet<&str> = findings
            .iter()
            .filter(|finding| finding.status == Status::Fail)
            .map(|finding| finding.fingerprint.as_str())
            .collect();
        self.closed = self
            .last()
            .map(|last| gone(&last.failing, &|print| failing.contains(print)));
    }

    /// Sorts the last run's failures into fixed, not judged, and those that this run's findings tell of anyway.
    fn settle(
        &mut self,
        failures: Vec<Finding>,
        accounts_now: &BTreeSet<String>,
        checks: &[Check],
        findings: &[Finding],
        files: &Files,
    ) -> Result<(), ContentError> {
        let now: HashMap<&str, Status> = findings
            .iter()
            .map(|finding| (finding.fingerprint.as_str(), finding.status))
            .collect();
        let unclear: HashSet<(&str, &str)> = findings
            .iter()
            .filter(|finding| finding.status == Status::Unknown)
            .map(|finding| (finding.check_id.as_str(), finding.account_id.as_str()))
            .collect();
        let ran: HashSet<&str> = checks
            .iter()
            .filter(|check| check.error.is_none())
            .map(|check| check.check_id.as_str())
            .collect();
        let mut absent: Vec<Finding> = Vec::new();
        for failure in failures {
            match now.get(failure.fingerprint.as_str()) {
                Some(Status::Fail | Status::Waived) => {}
                Some(Status::Unknown | Status::Pass) => self.not_judged.push(failure),
                None => absent.push(failure),
            }
        }
        let passing = passing_now(&files.findings, &absent)?;
        let existing = existing_now(&files.context, &absent)?;
        for failure in absent {
            let passes_now = passing.contains(&failure.fingerprint);
            // A check that says nothing of a resource that is still there has not looked at it. With a discriminator, the
            // finding was about a part of the resource, and that part may go.
            let gone = !existing.contains(&failure.resource_arn)
                && !files.context.is_empty()
                && !failure.is_account();
            let judged = (gone || failure.discriminator.is_some())
                && ran.contains(failure.check_id.as_str())
                && accounts_now.contains(&failure.account_id)
                && !unclear.contains(&(failure.check_id.as_str(), failure.account_id.as_str()));
            if passes_now || judged {
                self.fixed.push(Fixed {
                    finding: failure,
                    passes_now,
                });
            } else {
                self.not_judged.push(failure);
            }
        }
        let place = |finding: &Finding| {
            (
                finding.severity,
                finding.rule,
                finding.check_id.clone(),
                finding.resource_arn.clone(),
                finding.fingerprint.clone(),
            )
        };
        self.fixed.sort_by_key(|fixed| place(&fixed.finding));
        self.not_judged.sort_by_key(place);
        Ok(())
    }

    /// The run before this one.
    pub fn last(&self) -> Option<&Past> {
        self.runs.last()
    }
}

/// Files of the present run that tell what became of earlier findings.
pub(super) struct Files {
    /// Of `findings`.
    pub findings: Vec<PathBuf>,
    /// Of `resource_context`.
    pub context: Vec<PathBuf>,
}

/// ARNs among `absent` that this run still has.
fn existing_now(context: &[PathBuf], absent: &[Finding]) -> Result<BTreeSet<String>, ContentError> {
    let wanted: HashSet<&str> = absent
        .iter()
        .map(|finding| finding.resource_arn.as_str())
        .collect();
    let mut existing = BTreeSet::new();
    if wanted.is_empty() {
        return Ok(existing);
    }
    for file in context {
        table::read("resource_context", file, &["arn"])?.for_each(|row| {
            if let Some(arn) = row.text("arn").filter(|arn| wanted.contains(arn)) {
                existing.insert(arn.to_owned());
            }
            Ok::<(), ContentError>(())
        })?;
    }
    Ok(existing)
}

/// Fingerprints among `absent` that this run has a pass for.
fn passing_now(files: &[PathBuf], absent: &[Finding]) -> Result<BTreeSet<String>, ContentError> {
    let wanted: HashSet<&str> = absent
        .iter()
        .map(|finding| finding.fingerprint.as_str())
        .collect();
    let mut passing = BTreeSet::new();
    if wanted.is_empty() {
        return Ok(passing);
    }
    for file in files {
        table::read("findings", file, &["fingerprint", "status"])?.for_each(|row| {
            if let Some(fingerprint) = row.text("fingerprint")
                && wanted.contains(fingerprint)
                && row.text("status") == Some("pass")
            {
                passing.insert(fingerprint.to_owned());
            }
            Ok::<(), ContentError>(())
        })?;
    }
    Ok(passing)
}

/// The figures of a run; none when it was not analysed.
fn read_past(run: &Run, levels: &Levels) -> Result<Option<Past>, ContentError> {
    let Some(record) = RunRecord::read(&run.lake, &run.id, Stage::Analyze)? else {
        return Ok(None);
    };
    let files = paths(run, &record, "findings")?;
    if files.is_empty() {
        return Ok(None);
    }
    let tally = Tally::read(&files, levels)?;
    let changes = Changes::read(&files, &tally)?;
    let mut checks: BTreeSet<String> = tally.checks.keys().cloned().collect();
    for file in paths(run, &record, "checks")? {
        table::read("checks", &file, &["check_id"])?.for_each(|row| {
            checks.insert(row.string("check_id"));
            Ok::<(), ContentError>(())
        })?;
    }
    Ok(Some(Past {
        run: run.id.clone(),
        score: tally.score(),
        open: tally.all().failed,
        tagged_percent: context::tagged_percent(&paths(run, &record, "resource_context")?)?,
        accounts: accounts(&run.record(Stage::Collect)?),
        checks,
        rules: [1, 2, 3, 4, 5, 6, 7].map(|rule| tally.rule(rule)),
        new: changes.new,
        reopened: changes.reopened,
        accepted: tally.all().waived,
        closed: None,
        failing: changes.failing,
    }))
}

/// How a run's failures stood against the run before it.
#[derive(Default)]
struct Changes {
    new: u64,
    reopened: u64,
    failing: HashSet<String>,
}

impl Changes {
    /// Reads as far as there are failures: `analyze` writes passes last.
    fn read(files: &[PathBuf], tally: &Tally) -> Result<Self, ContentError> {
        let mut changes = Self::default();
        let mut left = tally.all().failed;
        for file in files {
            let columns = ["status", "change", "fingerprint"];
            let read = table::read("findings", file, &columns)?.for_each(|row| {
                if left == 0 {
                    return Err(Stop::Done);
                }
                if Status::parse(row.text("status")) == Status::Fail {
                    left -= 1;
                    changes.new += u64::from(row.text("change") == Some("new"));
                    changes.reopened += u64::from(row.text("change") == Some("reopened"));
                    changes.failing.insert(row.string("fingerprint"));
                }
                Ok(())
            });
            Stop::settle(read)?;
        }
        Ok(changes)
    }
}

fn read_failures(run: &Run) -> Result<Vec<Finding>, ContentError> {
    let record = run.record(Stage::Analyze)?;
    let mut failures = Vec::new();
    for file in paths(run, &record, "findings")? {
        table::read("findings", &file, &finding::COLUMNS)?.for_each(|row| {
            if Status::parse(row.text("status")) == Status::Fail {
                let rule = rule_number(
                    "findings",
                    row.text("check_id").unwrap_or_default(),
                    row.int("rule"),
                )?;
                failures.push(Finding::read(row, rule));
            }
            Ok::<(), ContentError>(())
        })?;
    }
    Ok(failures)
}

/// Checks that only one of two runs has: their scores don't compare.
pub fn differing_checks(now: &[Check], past: &Past) -> (usize, usize) {
    let now: BTreeSet<&String> = now.iter().map(|check| &check.check_id).collect();
    let before: BTreeSet<&String> = past.checks.iter().collect();
    (
        now.difference(&before).count(),
        before.difference(&now).count(),
    )
}
