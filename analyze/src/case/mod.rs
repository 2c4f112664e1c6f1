//! Test cases of checks and derived tables: given rows, expected verdicts or rows.
//!
//! A case goes the whole way, unknown rule included, in a transaction that is rolled back. A check without a failing
//! and a passing case is refused: a check that can't fail finds nothing, one that can't pass is noise.

mod compare;
mod events;
mod given;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, bail, ensure};
use handoff::shell::{self, Exit};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::check::{self, Check};
use crate::cli::TestArgs;
use crate::session::{self, Session};
use crate::{embedded, verdicts};
use compare::{compare, compare_rows, refuse_duplicates};
use given::Bench;

/// Account and region of rows that name none, and the time of the facts in all cases.
const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-west-1";
const AS_OF: &str = "2026-11-16 06:00:00";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases<Row> {
    case: Vec<Case<Row>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<Row> {
    name: String,
    /// Rows by table; only the columns that matter.
    #[serde(default)]
    given: BTreeMap<String, Vec<toml::Table>>,
    /// Rows of `collect_errors`.
    #[serde(default)]
    errors: Vec<toml::Table>,
    /// Tables that were not collected.
    #[serde(default)]
    missing: Vec<String>,
    /// Regions the account was collected in.
    #[serde(default = "regions")]
    regions: Vec<String>,
    /// Settings that replace defaults.
    #[serde(default)]
    config: toml::Table,
    /// The time from which events are new, as `--since` takes it.
    since: Option<String>,
    /// Of a derived table: the rows looked at, as an SQL condition.
    #[serde(rename = "where")]
    condition: Option<String>,
    expect: Vec<Row>,
}

fn regions() -> Vec<String> {
    vec![REGION.to_owned()]
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
struct Expected {
    resource: String,
    status: String,
    discriminator: Option<String>,
    severity: Option<String>,
    /// A part of the reason.
    reason: Option<String>,
    /// The whole remediation command.
    command: Option<String>,
}

/// Runs the test cases of the chosen checks.
pub(crate) fn run(args: &TestArgs) -> anyhow::Result<Exit> {
    let (tables, patterns): (Vec<String>, Vec<String>) = args
        .check
        .iter()
        .cloned()
        .partition(|name| table_cases(name).is_some());
    let checks = if patterns.is_empty() && !tables.is_empty() {
        Vec::new()
    } else {
        check::select(check::load(&args.sources.checks)?, &patterns, &[], None)?
    };
    let subjects: Vec<Subject<'_>> = checks
        .iter()
        .map(Subject::Check)
        .chain(
            session::derived_names()
                .filter(|name| args.check.is_empty() || tables.iter().any(|table| table == name))
                .map(Subject::Table),
        )
        .collect();
    let mut passed = 0;
    let mut failed = Vec::new();
    for (subject, outcome) in subjects.iter().zip(test_all(&subjects)?) {
        match outcome {
            Ok((cases, failures)) => {
                passed += cases - failures.len();
                failed.extend(failures);
            }
            Err(error) => failed.push(format!("{}: {error:#}", subject.name())),
        }
    }
    for failure in &failed {
        shell::warn(failure);
    }
    shell::answer(&format!(
        "{} checks, {passed} cases passed, {} failed\n",
        checks.len(),
        failed.len()
    ))?;
    ensure!(
        failed.is_empty(),
        "{} of the test cases failed",
        failed.len()
    );
    Ok(Exit::Done)
}

/// What has cases.
enum Subject<'a> {
    Check(&'a Check),
    Table(&'static str),
}

impl Subject<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Check(check) => &check.id,
            Self::Table(name) => name,
        }
    }

    fn test(&self, bench: &Bench) -> Outcome {
        match self {
            Self::Check(check) => test(bench, check),
            Self::Table(name) => test_table(bench, name),
        }
    }
}

/// How many cases there are, and what failed.
type Outcome = anyhow::Result<(usize, Vec<String>)>;

/// Tests all of them, each processor with a session of its own; the outcomes are in their order.
fn test_all(subjects: &[Subject<'_>]) -> anyhow::Result<Vec<Outcome>> {
    let next = AtomicUsize::new(0);
    let work = || -> anyhow::Result<Vec<(usize, Outcome)>> {
        let bench = Bench::open()?;
        let mut outcomes = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(subject) = subjects.get(index) else {
                return Ok(outcomes);
            };
            outcomes.push((index, subject.test(&bench)));
        }
    };
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(8);
    let mut outcomes = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut outcomes = Vec::new();
        for worker in workers {
            let part = worker
                .join()
                .map_err(|_| anyhow::anyhow!("a test thread panicked"))?;
            outcomes.extend(part?);
        }
        anyhow::Ok(outcomes)
    })?;
    outcomes.sort_by_key(|(index, _)| *index);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Runs the cases of a check; returns how many there are and what failed.
fn test(bench: &Bench, check: &Check) -> Outcome {
    let text = check.cases.as_ref().with_context(|| {
        format!(
            "no test cases: put them in {}",
            check.origin.replace(".sql", ".toml")
        )
    })?;
    let cases: Cases<Expected> = parse(text)?;
    let statuses: BTreeSet<&str> = cases
        .case
        .iter()
        .flat_map(|case| &case.expect)
        .map(|expected| expected.status.as_str())
        .collect();
    for status in ["fail", "pass"] {
        ensure!(
            statuses.contains(status),
            "no case expects {status}: a check needs at least one that fails and one that passes"
        );
    }
    let failures = run_cases(bench, &check.id, &cases, |case| {
        judge(&bench.session, check, case)
    })?;
    Ok((cases.case.len(), failures))
}

/// The cases of a derived table, in the file beside it.
fn table_cases(name: &str) -> Option<&'static str> {
    let path = format!("{name}.toml");
    embedded::DERIVED
        .iter()
        .find_map(|(file, text)| (*file == path).then_some(*text))
}

/// Runs the cases of a derived table; returns how many there are and what failed.
fn test_table(bench: &Bench, name: &str) -> Outcome {
    let Some(text) = table_cases(name) else {
        return Ok((0, Vec::new()));
    };
    let cases: Cases<toml::Table> = parse(text)?;
    let failures = run_cases(bench, name, &cases, |case| {
        let session = &bench.session;
        session.derive_only(&BTreeSet::from([name.to_owned()]))?;
        let condition = case.condition.as_deref().unwrap_or("true");
        compare_rows(session, name, condition, &case.expect)
    })?;
    Ok((cases.case.len(), failures))
}

fn parse<Row: DeserializeOwned>(text: &str) -> anyhow::Result<Cases<Row>> {
    toml::from_str(text).map_err(|error| anyhow::anyhow!("its cases: {}", check::one_line(&error)))
}

/// Sets up every case and looks at it with `look`, in a transaction of its own; returns what failed.
fn run_cases<Row>(
    bench: &Bench,
    name: &str,
    cases: &Cases<Row>,
    look: impl Fn(&Case<Row>) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<String>> {
    let mut failures = Vec::new();
    for case in &cases.case {
        let connection = &bench.session.connection;
        connection.execute_batch("begin")?;
        let outcome = bench.set_up(case).and_then(|()| look(case));
        connection.execute_batch("rollback")?;
        if let Err(error) = outcome {
            failures.push(format!("{name}: {}: {error:#}", case.name));
        }
    }
    Ok(failures)
}

fn judge(session: &Session, check: &Check, case: &Case<Expected>) -> anyhow::Result<()> {
    session.derive_only(&session.derived_read(&check.sql)?)?;
    let failures = verdicts::judge(session, std::slice::from_ref(check))?;
    if let Some(failure) = failures.first() {
        bail!("{}", failure.message);
    }
    refuse_duplicates(session)?;
    compare(session, &case.expect)
}
