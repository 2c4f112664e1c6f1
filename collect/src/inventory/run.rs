//! A whole run: accounts in, a committed run out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use futures::stream::{self, StreamExt as _};
use handoff::paths;
use handoff::run::{Completeness, RunId, RunRecord, Stage, TableOutcome, now};
use handoff::shell::{self, Exit};
use handoff::storage::Storage;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Semaphore;

use super::accounts::{self, Accounts, Choice, Closed, Keeping};
use super::collected::Collected;
use super::engine::Engine;
use super::errors::{ErrorRow, lines};
use super::output::Output;
use super::plan::Plan;
use super::tablefile::{Scope, tables};
use crate::recording::{Layout, Recording, write_header};

/// Calls under way at a time, over all accounts.
const CALLS_AT_A_TIME: usize = 32;
/// Accounts collected at a time.
const ACCOUNTS_AT_A_TIME: usize = 4;
/// Warnings printed one by one; all of them are in `collect_errors`.
const LINES_SHOWN: usize = 20;

/// What `collect inventory` was asked to do.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where the lake is.
    pub lake: String,
    /// Accounts and regions.
    pub choice: Choice,
    /// Recording to read instead of AWS.
    pub from: Option<PathBuf>,
    /// Time of a recording that does not tell its own.
    pub recorded_at: Option<Timestamp>,
    /// Folder to record what is answered.
    pub record: Option<PathBuf>,
    /// Tables to collect; empty means all.
    pub tables: Vec<String>,
    /// Tables to leave out.
    pub skip: Vec<String>,
}

/// Collects, and prints the run's reference on standard output.
///
/// # Errors
///
/// When nothing can be collected, or the lake can't be written.
pub fn run(options: &Options) -> anyhow::Result<Exit> {
    let plan = Plan::new(tables()?, &options.tables, &options.skip)?;
    let lake = Storage::open_as(&options.lake, options.choice.profile.as_deref())?;
    let layout = Arc::new(Layout::new(plan.tables));
    let recording = match &options.from {
        Some(folder) => Some(Arc::new(Recording::open(folder, Arc::clone(&layout))?)),
        None => None,
    };
    let run = identify(options, recording.as_deref())?;
    if recording.is_some()
        && let Some(record) = RunRecord::read(&lake, &run, Stage::Collect)?
    {
        shell::note(&format!(
            "{run} is in {lake} already: the same recording was read before"
        ));
        return finish(&lake, &record);
    }
    let keeping = options
        .record
        .as_ref()
        .map(|folder| Keeping { folder, layout });
    let runtime = tokio::runtime::Runtime::new().context("can't start the asynchronous runtime")?;
    let accounts = match recording {
        Some(recording) => accounts::recorded(recording, &options.choice, keeping.as_ref())?,
        None => runtime.block_on(accounts::live(&options.choice, keeping.as_ref()))?,
    };
    let inputs = match &options.from {
        Some(folder) => vec![format!("recording {}", folder.display())],
        None => ids(&accounts)
            .iter()
            .map(|id| format!("account {id}"))
            .collect(),
    };
    let mut record = RunRecord::new(run, Stage::Collect, env!("CARGO_PKG_VERSION"), inputs);
    conceal(&mut record.arguments, options.choice.external_id.as_deref());
    let errors = collect(&runtime, &plan, &lake, &accounts, &mut record)?;
    complete_recording(options, &accounts, &record)?;
    for line in lines(errors.iter().filter(|error| !error.is_gone())) {
        record.note(line);
    }
    let gone = lines(errors.iter().filter(|error| error.is_gone()));
    for line in gone.iter().take(LINES_SHOWN) {
        shell::note(line);
    }
    record.commit(&lake)?;
    finish(&lake, &record)
}

/// The run's id: of AWS the time and chance, of a recording its own time and content.
fn identify(options: &Options, recording: Option<&Recording>) -> anyhow::Result<RunId> {
    let Some(recording) = recording else {
        let clock = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        return Ok(RunId::new(
            now(),
            format!("{}-{}", clock.as_nanos(), std::process::id()).as_bytes(),
        ));
    };
    let time = recording.recorded_at().or(options.recorded_at).unwrap_or_else(|| {
        shell::note("the recording does not tell its time: it is taken for recorded now; --recorded-at says otherwise");
        now()
    });
    let mut seed = recording.digest()?;
    let choice = &options.choice;
    let chosen = json!([
        env!("CARGO_PKG_VERSION"),
        choice.regions,
        choice.accounts,
        options.tables,
        options.skip
    ]);
    seed.extend_from_slice(chosen.to_string().as_bytes());
    Ok(RunId::new(time, &seed))
}

/// Replaces a value that only the role's owner and its users should know.
fn conceal(arguments: &mut [String], secret: Option<&str>) {
    let Some(secret) = secret.filter(|secret| !secret.is_empty()) else {
        return;
    };
    for argument in arguments {
        *argument = argument.replace(secret, "***");
    }
}

/// Ids of all accounts, sorted.
fn ids(accounts: &Accounts) -> Vec<String> {
    let open = accounts.open.iter().map(|account| &account.account_id);
    let mut ids: Vec<String> = open
        .chain(accounts.closed.iter().map(|closed| &closed.account_id))
        .cloned()
        .collect();
    ids.sort();
    ids
}

/// Collects all accounts and writes their files as they are done. Returns everything that failed.
fn collect(
    runtime: &tokio::runtime::Runtime,
    plan: &Plan,
    lake: &Storage,
    accounts: &Accounts,
    record: &mut RunRecord,
) -> anyhow::Result<Vec<ErrorRow>> {
    let progress = shell::progress("collecting", Some(0));
    let calls = Semaphore::new(CALLS_AT_A_TIME);
    let mut output = Output::new(lake, record.run.clone());
    let mut errors = Vec::new();
    let mut counts = BTreeMap::new();
    let engines = accounts.open.iter().map(|account| {
        let engine = Engine::new(plan, account, &calls, &progress);
        async move { (account, engine.run().await) }
    });
    let mut done = stream::iter(engines).buffer_unordered(ACCOUNTS_AT_A_TIME);
    // Writing blocks, on S3 with a runtime of its own, and so happens outside this one.
    while let Some((account, collected)) = runtime.block_on(done.next()) {
        count(
            plan,
            &account.account_id,
            &account.regions,
            &collected,
            &mut counts,
        );
        errors.extend(output.account(plan, &account.account_id, collected)?);
    }
    for closed in &accounts.closed {
        let collected = Collected {
            errors: closed_errors(plan, closed),
            ..Collected::default()
        };
        errors.extend(output.account(plan, &closed.account_id, collected)?);
    }
    output.finish(&ids(accounts), &mut errors)?;
    progress.finish_and_clear();
    record.tables = outcomes(counts, &errors);
    output.files.sort_by(|a, b| a.path.cmp(&b.path));
    record.files = output.files;
    figures(accounts, record);
    Ok(errors)
}

/// Rows by table, account and region; a table that was asked for and has none counts zero.
type Counts = BTreeMap<(String, String, String), u64>;

fn count(
    plan: &Plan,
    account_id: &str,
    regions: &[String],
    collected: &Collected,
    counts: &mut Counts,
) {
    for (index, table) in plan
        .tables
        .iter()
        .enumerate()
        .filter(|(index, _)| plan.wanted[*index])
    {
        let places = match table.scope {
            Scope::Global => &["global".to_owned()][..],
            Scope::Regional => regions,
        };
        for region in places {
            let rows = collected
                .counts
                .get(&(index, region.clone()))
                .copied()
                .unwrap_or_default();
            counts.insert(
                (table.name.clone(), account_id.to_owned(), region.clone()),
                rows,
            );
        }
    }
}

fn outcomes(counts: Counts, errors: &[ErrorRow]) -> Vec<TableOutcome> {
    let mut failed: Counts = BTreeMap::new();
    for error in errors {
        *failed
            .entry((
                error.table.clone(),
                error.account_id.clone(),
                error.region.clone(),
            ))
            .or_default() += 1;
    }
    let mut places: Vec<(String, String, String)> =
        counts.keys().chain(failed.keys()).cloned().collect();
    places.sort();
    places.dedup();
    let outcome = |place: (String, String, String)| {
        let of = |counts: &Counts| counts.get(&place).copied().unwrap_or_default();
        let (rows, errors) = (of(&counts), of(&failed));
        let (table, account_id, region) = place;
        TableOutcome {
            table,
            account_id,
            region,
            rows,
            errors,
        }
    };
    places.into_iter().map(outcome).collect()
}

/// An account that can't be asked lacks every table, everywhere.
fn closed_errors(plan: &Plan, closed: &Closed) -> Vec<ErrorRow> {
    let mut errors = Vec::new();
    for (index, table) in plan.tables.iter().enumerate() {
        let regions = match table.scope {
            Scope::Global => &["global".to_owned()][..],
            Scope::Regional => &closed.regions,
        };
        for region in regions.iter().filter(|_| plan.wanted[index]) {
            let entry = ErrorRow {
                account_id: closed.account_id.clone(),
                region: region.clone(),
                table: table.name.clone(),
                service: closed.service.to_owned(),
                operation: closed.operation.to_owned(),
                resource_arn: None,
                resource_id: None,
                kind: "",
                code: String::new(),
                message: String::new(),
            };
            errors.push(entry.failed(&closed.error));
        }
    }
    errors
}

fn figures(accounts: &Accounts, record: &mut RunRecord) {
    if accounts.callers.is_empty() {
        return;
    }
    let (mut requests, mut retries, mut throttled, mut waited) = (0, 0, 0, 0.0);
    for stats in accounts.callers.iter().map(|caller| caller.stats()) {
        requests += stats.requests;
        retries += stats.retries;
        throttled += stats.throttles;
        waited += stats.waited.as_secs_f64();
    }
    record
        .figures
        .insert("requests".to_owned(), json!(requests));
    record.figures.insert("retries".to_owned(), json!(retries));
    record
        .figures
        .insert("throttled".to_owned(), json!(throttled));
    record.figures.insert(
        "seconds_waiting".to_owned(),
        json!((waited * 10.0).round() / 10.0),
    );
}

/// Describes the recording, and fails when it lacks something that was answered.
fn complete_recording(
    options: &Options,
    accounts: &Accounts,
    record: &RunRecord,
) -> anyhow::Result<()> {
    let Some(folder) = &options.record else {
        return Ok(());
    };
    if let Some(failure) = accounts
        .recorders
        .iter()
        .find_map(|recorder| recorder.failure())
    {
        anyhow::bail!("the recording is not complete: {failure}");
    }
    let described = accounts
        .open
        .iter()
        .map(|account| (account.account_id.clone(), account.regions.clone()));
    write_header(folder, record.run.as_of(), described.collect())
        .with_context(|| format!("{}: can't be written", folder.display()))?;
    shell::note(&format!(
        "{} holds what AWS answered, secrets included: keep it as you keep them",
        folder.display()
    ));
    Ok(())
}

/// Says what is missing, and prints the reference.
fn finish(lake: &Storage, record: &RunRecord) -> anyhow::Result<Exit> {
    for line in record.errors.iter().take(LINES_SHOWN) {
        shell::warn(line);
    }
    if record.errors.len() > LINES_SHOWN {
        shell::warn(&format!(
            "and {} more: see collect_errors",
            record.errors.len() - LINES_SHOWN
        ));
    }
    let denied = record
        .errors
        .iter()
        .find(|line| line.contains(" denied in "));
    if let Some((table, _)) = denied.and_then(|line| line.split_once(':')) {
        shell::hint(&format!(
            "grant it (collect policy prints the policy) or --skip {table}"
        ));
    }
    shell::answer(&format!("{lake}/{}/{}\n", paths::RUNS, record.run))?;
    Ok(match record.status {
        Completeness::Complete => Exit::Done,
        Completeness::Partial => Exit::Partial,
    })
}
