//! What earlier runs of the lake found: since when a finding fails, and whether it came back.

use std::path::PathBuf;

use handoff::contract;
use handoff::paths;
use handoff::run::{self, Run, RunId, RunRecord, Stage};

use crate::session::Session;
use crate::sql::quote;

/// Runs that are looked back on.
const RUNS: usize = 8;

const TABLE: &str = "create or replace table history (run varchar, account_id varchar, check_id varchar, region varchar, resource_arn varchar, fingerprint varchar, status varchar, first_seen timestamp);";

/// Files of earlier runs.
#[derive(Debug, Default)]
pub(crate) struct History {
    findings: Vec<(RunId, Vec<PathBuf>)>,
    resources: Option<(RunId, Vec<PathBuf>)>,
    contexts: Vec<(RunId, Vec<PathBuf>)>,
    zone_backups: Option<(RunId, Vec<PathBuf>)>,
}

/// Finds the files of the runs before `run`, the latest first.
///
/// # Errors
/// When the lake can't be read; a lost history would make every finding new.
pub(crate) fn find(run: &Run) -> anyhow::Result<History> {
    let mut history = History::default();
    let earlier = run::committed(&run.lake)?
        .into_iter()
        .filter(|id| *id < run.id)
        .rev();
    for id in earlier {
        if history.findings.len() >= RUNS {
            break;
        }
        if history.resources.is_none() {
            history.resources = files(run, &id, Stage::Collect, &contract::resources().name)?;
        }
        if let Some(found) = files(run, &id, Stage::Analyze, &contract::findings().name)? {
            history.findings.push(found);
            history.contexts.extend(files(
                run,
                &id,
                Stage::Analyze,
                &contract::resource_context().name,
            )?);
            if history.zone_backups.is_none() {
                history.zone_backups =
                    files(run, &id, Stage::Analyze, &contract::zone_backups().name)?;
            }
        }
    }
    Ok(history)
}

fn files(
    run: &Run,
    id: &RunId,
    stage: Stage,
    table: &str,
) -> anyhow::Result<Option<(RunId, Vec<PathBuf>)>> {
    if !run.lake.exists(&paths::record(id, stage))? {
        return Ok(None);
    }
    let Some(record) = RunRecord::read(&run.lake, id, stage)? else {
        return Ok(None);
    };
    let files: Vec<_> = record
        .files
        .into_iter()
        .filter(|file| file.table == table)
        .collect();
    if files.is_empty() {
        Ok(None)
    } else {
        Ok(Some((id.clone(), run.lake.local_paths(&files)?)))
    }
}

impl History {
    /// The latest run before this one whose checks were run.
    pub(crate) fn last_run(&self) -> Option<&RunId> {
        self.findings.first().map(|(id, _)| id)
    }

    /// Loads what was found before into the tables `history`, `previous_resources`, `previous_context` and
    /// `previous_zone_backups`.
    pub(crate) fn load(&self, session: &Session) -> anyhow::Result<()> {
        let connection = &session.connection;
        connection.execute_batch(TABLE)?;
        for (id, files) in &self.findings {
            let insert = format!(
                "insert into history by name select {} as run, account_id, check_id, region, resource_arn, fingerprint, status, first_seen from {};",
                quote(id.as_str()),
                source(files)
            );
            connection.execute_batch(&insert)?;
        }
        if let Some((id, files)) = &self.resources {
            let insert = format!(
                "insert into previous_resources by name select account_id, region, arn, resource_type, name, tags, {} as run from {};",
                quote(id.as_str()),
                source(files)
            );
            connection.execute_batch(&insert)?;
        }
        // The latest run that knew a resource tells what it was.
        for (id, files) in &self.contexts {
            let insert = format!(
                "insert into previous_context by name select account_id, region, arn, resource_type, name, owner, environment, system, importance, importance_rank, exposed, {} as run \
                 from {} as earlier anti join previous_context as later on later.account_id = earlier.account_id and later.arn = earlier.arn;",
                quote(id.as_str()),
                source(files)
            );
            connection.execute_batch(&insert)?;
        }
        if let Some((id, files)) = &self.zone_backups {
            let insert = format!(
                "insert into previous_zone_backups by name select account_id, arn, zone_id, name, change_batch, {} as run from {};",
                quote(id.as_str()),
                source(files)
            );
            connection.execute_batch(&insert)?;
        }
        Ok(())
    }
}

fn source(files: &[PathBuf]) -> String {
    let list: Vec<String> = files
        .iter()
        .map(|file| quote(&file.display().to_string()))
        .collect();
    format!(
        "read_parquet([{}], hive_partitioning = false, union_by_name = true)",
        list.join(", ")
    )
}
