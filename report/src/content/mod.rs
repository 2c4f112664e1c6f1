//! What the report tells, read from the lake once and handed to every format.
//!
//! Nothing is judged or derived here that `analyze` could have derived; what `analyze` did not do is `None` and the
//! formats say so. Invariants: findings that pass are only counted; everything is sorted, so that the same lake gives
//! the same bytes; a run that can't be read wholly is an error, except earlier runs, which are left out and named.

pub mod actor;
pub mod attest;
pub mod checklist;
pub mod context;
pub mod finding;
mod findings;
pub mod gaps;
pub mod history;
pub mod monitoring;
pub mod objectives;
pub mod score;
pub mod standing;
pub mod trend;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use handoff::run::{Completeness, FileEntry, Run, RunError, RunId, RunRecord, Stage};
use handoff::storage::StorageError;
use handoff::table::{self, TableError};
use jiff::Timestamp;

use attest::Attestations;
use context::{Context, Zone};
use finding::{Check, CheckStatus, Finding, Severity, Status, Verdicts};
use gaps::Gap;
use history::History;
use monitoring::Monitoring;
use score::Tally;
use trend::Point;

/// Content that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The run or its record.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A table's file.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A row names a rule that does not exist.
    #[error("{table}: check {check_id:?} has rule {found}, expected 1 to 7: run `analyze` again")]
    BadRule {
        table: &'static str,
        check_id: String,
        found: String,
    },
}

/// What a run holds, for all formats.
#[derive(Debug)]
pub struct Content {
    /// The run.
    pub run: RunId,
    /// Time of the facts.
    pub as_of: Timestamp,
    /// Version of `collect` that made the run.
    pub collect_version: String,
    /// Accounts collected.
    pub accounts: Vec<String>,
    /// Regions collected, without `global`.
    pub regions: Vec<String>,
    /// Number of resources.
    pub resources: u64,
    /// Whether `collect` could not do everything.
    pub collect_partial: bool,
    /// What could not be collected, summarised.
    pub gaps: Vec<Gap>,
    /// What `analyze` said; none before it ran.
    pub evaluation: Option<Evaluation>,
    /// What people attest, since no call to AWS could tell.
    pub attestations: Attestations,
}

/// What `analyze` said of a run.
#[derive(Debug)]
pub struct Evaluation {
    /// Version of `analyze`.
    pub version: String,
    /// Whether `analyze` could not do everything.
    pub partial: bool,
    /// Checks that were run, by rule and id.
    pub checks: Vec<Check>,
    /// Verdicts that are not a pass, highest risk first.
    pub findings: Vec<Finding>,
    /// Verdicts counted.
    pub tally: Tally,
    /// What the tags say; none when the run lacks the table.
    pub context: Option<Context>,
    /// Zones that can be restored; none when the run lacks the table.
    pub zones: Option<Vec<Zone>>,
    /// Earlier runs, and what became of what failed in the last of them.
    pub history: History,
    /// Open findings of the runs of up to a year, this one last.
    pub trend: Vec<Point>,
    /// Trails, their days, alarms and scanners.
    pub monitoring: Monitoring,
    /// Rules for which something was attested once and is over.
    pub overdue: BTreeSet<u8>,
}

impl Evaluation {
    /// Findings of a status.
    pub fn of(&self, status: Status) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.status == status)
    }

    /// Open findings of a severity.
    pub fn failing(&self, severity: Severity) -> u64 {
        self.of(Status::Fail)
            .filter(|finding| finding.severity == severity)
            .map(|_| 1)
            .sum()
    }

    /// Percentage of completely tagged resources.
    pub fn tagged_percent(&self) -> Option<u32> {
        self.context
            .as_ref()
            .and_then(|context| context.tags.percent())
    }
}

impl Content {
    /// Reads a run. Warnings, such as an earlier run that can't be read, go to `warn`.
    ///
    /// # Errors
    /// When the run can't be read.
    pub fn read(run: &Run, warn: &mut dyn FnMut(String)) -> Result<Self, ContentError> {
        let record = run.record(Stage::Collect)?;
        let mut regions: BTreeSet<String> = record
            .tables
            .iter()
            .map(|table| table.region.clone())
            .collect();
        regions.remove("global");
        let gaps = gaps::read(&paths(run, &record, "collect_errors")?)?;
        let evaluation = match RunRecord::read(&run.lake, &run.id, Stage::Analyze)? {
            Some(analyzed) => Some(Evaluation::read(run, &record, &analyzed, warn)?),
            None => None,
        };
        Ok(Self {
            run: run.id.clone(),
            as_of: run.id.as_of(),
            collect_version: record.version.clone(),
            accounts: accounts(&record).into_iter().collect(),
            regions: regions.into_iter().collect(),
            resources: entries(&record, "resources")
                .iter()
                .map(|file| file.rows)
                .sum(),
            collect_partial: record.status == Completeness::Partial || !gaps.is_empty(),
            gaps,
            evaluation,
            attestations: Attestations::default(),
        })
    }

    /// Takes what people attest into account.
    pub fn attest(&mut self, attestations: Attestations) {
        self.attestations = attestations;
        let overdue = (1..=7)
            .filter(|rule| self.attestations.has_expired(*rule, self))
            .collect();
        if let Some(evaluation) = &mut self.evaluation {
            evaluation.overdue = overdue;
        }
    }

    /// Whether something is missing: calls that failed, checks that could not decide, or no analysis at all.
    pub fn is_partial(&self) -> bool {
        let evaluated = self.evaluation.as_ref().is_some_and(|evaluation| {
            !evaluation.partial && !evaluation.checks.iter().any(Check::is_unsure)
        });
        self.collect_partial || !evaluated
    }
}

impl Evaluation {
    fn read(
        run: &Run,
        collected: &RunRecord,
        record: &RunRecord,
        warn: &mut dyn FnMut(String),
    ) -> Result<Self, ContentError> {
        let accounts = &accounts(collected);
        let files = history::Files {
            findings: paths(run, record, "findings")?,
            context: paths(run, record, "resource_context")?,
        };
        let mut context = match files.context.is_empty() {
            true => None,
            false => Some(Context::read(&files.context)?),
        };
        if let Some(context) = &mut context {
            objectives::read(&files.findings, &mut context.databases)?;
        }
        let zones = match entries(record, "zone_backups").is_empty() {
            true => None,
            false => Some(context::zones(&paths(run, record, "zone_backups")?)?),
        };
        let levels = context
            .as_ref()
            .map(|context| context.levels.clone())
            .unwrap_or_default();
        let tally = Tally::read(&files.findings, &levels)?;
        let mut findings = findings::read(&files.findings, &tally)?;
        if let Some(context) = &context {
            for finding in findings
                .iter_mut()
                .filter(|finding| finding.exposed == Some(true))
            {
                finding.exposure = context
                    .exposure
                    .get(&finding.resource_arn)
                    .cloned()
                    .filter(|text| !text.is_empty());
            }
        }
        findings::name_anchors(&mut findings);
        findings::name_changers(&mut findings);
        let checks = read_checks(&paths(run, record, "checks")?, &tally, &findings)?;
        let history = History::read(run, accounts, &levels, &checks, &findings, &files, warn)?;
        let trend = trend::read(run, tally.all().failed, &history)?;
        let monitoring = Monitoring::read(run, collected, record, &files.findings)?;
        Ok(Self {
            version: record.version.clone(),
            partial: record.status == Completeness::Partial,
            checks,
            findings,
            tally,
            context,
            zones,
            history,
            trend,
            monitoring,
            overdue: BTreeSet::new(),
        })
    }
}

fn read_checks(
    files: &[PathBuf],
    tally: &Tally,
    findings: &[Finding],
) -> Result<Vec<Check>, ContentError> {
    let mut checks: BTreeMap<(u8, String), Check> = BTreeMap::new();
    for file in files {
        let columns = [
            "check_id",
            "rule",
            "kind",
            "title",
            "severity",
            "tables",
            "frameworks",
            "status",
            "error",
        ];
        table::read("checks", file, &columns)?.for_each(|row| {
            let check_id = row.string("check_id");
            let rule = rule_number("checks", &check_id, row.int("rule"))?;
            let status = CheckStatus::parse(row.text("status"));
            let error = row
                .text("error")
                .filter(|text| !text.is_empty())
                .map(str::to_owned);
            let check = Check {
                rule,
                kind: row.text("kind").map(str::to_owned),
                title: row.string("title"),
                severity: Severity::parse(row.text("severity")),
                tables: row.list("tables").unwrap_or_default(),
                frameworks: row.map("frameworks").unwrap_or_default(),
                status,
                error: error.or_else(|| match status {
                    CheckStatus::Evaluated => None,
                    CheckStatus::Error => Some("its SQL failed".to_owned()),
                    CheckStatus::NotEvaluated => Some("there was nothing to look at".to_owned()),
                }),
                verdicts: Verdicts::default(),
                check_id: check_id.clone(),
            };
            checks.insert((rule, check_id), check);
            Ok::<(), ContentError>(())
        })?;
    }
    // Verdicts without a check, such as an expired waiver, are listed as well.
    for (check_id, counted) in &tally.checks {
        let check = checks
            .entry((counted.rule, check_id.clone()))
            .or_insert_with(|| Check {
                check_id: check_id.clone(),
                rule: counted.rule,
                kind: None,
                title: findings
                    .iter()
                    .find(|finding| finding.check_id == *check_id)
                    .map(|finding| finding.title.clone())
                    .unwrap_or_default(),
                severity: counted.severity,
                tables: Vec::new(),
                frameworks: BTreeMap::new(),
                status: CheckStatus::Evaluated,
                error: None,
                verdicts: Verdicts::default(),
            });
        check.verdicts = counted.verdicts;
    }
    Ok(checks.into_values().collect())
}

/// A rule's number, checked.
fn rule_number(table: &'static str, check_id: &str, rule: Option<i64>) -> Result<u8, ContentError> {
    let number = rule
        .and_then(|rule| u8::try_from(rule).ok())
        .filter(|rule| (1..=7).contains(rule));
    number.ok_or_else(|| ContentError::BadRule {
        table,
        check_id: check_id.to_owned(),
        found: rule.map_or_else(|| "null".to_owned(), |rule| rule.to_string()),
    })
}

fn accounts(record: &RunRecord) -> BTreeSet<String> {
    let tables = record.tables.iter().map(|table| table.account_id.clone());
    tables
        .chain(
            record
                .files
                .iter()
                .filter_map(|file| file.account_id.clone()),
        )
        .collect()
}

fn entries(record: &RunRecord, table: &str) -> Vec<FileEntry> {
    record
        .files
        .iter()
        .filter(|file| file.table == table)
        .cloned()
        .collect()
}

fn paths(run: &Run, record: &RunRecord, table: &str) -> Result<Vec<PathBuf>, StorageError> {
    run.lake.local_paths(&entries(record, table))
}
