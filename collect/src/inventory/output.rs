//! What was collected, as files of the lake.
//!
//! Tables are written account by account; `resources`, `relationships` and `collect_errors` are about the whole
//! run and follow at its end. Nothing is visible before the run record lists it.

use std::collections::{BTreeMap, HashMap};

use handoff::contract::{self, TableSchema};
use handoff::paths;
use handoff::run::{FileEntry, RunId, Stage};
use handoff::storage::{Storage, StorageError};
use handoff::table::{FileLabel, Finished, TableError, TableWriter};
use handoff::text::clip;
use serde_json::{Value, json};

use super::collected::Collected;
use super::errors::{ErrorRow, kind_name};
use super::identifiers::{Home, Identifiers};
use super::plan::Plan;
use super::rank::{ArnParts, rank};
use super::rows::{NAME, Reference, StoredRow, TAGS, default_name};
use super::sorter::{Sorter, Spool};
use crate::aws::ErrorKind;

/// Longest value quoted in an error, in bytes.
const MAX_QUOTED: usize = 80;

/// Why a run can't be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The lake failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A file could not be encoded.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The disk for temporary files failed.
    #[error("rows can't be kept in the folder for temporary files: {0}; make room or set TMPDIR")]
    Spool(#[from] std::io::Error),
}

/// Writes the files of one run.
pub struct Output<'a> {
    lake: &'a Storage,
    run: RunId,
    /// Files written so far.
    pub files: Vec<FileEntry>,
    spool: Spool,
    resources: Sorter,
    /// ARN to the rank of the row that stands for it: the least.
    ranks: HashMap<Box<str>, String>,
    references: Sorter,
    identifiers: Identifiers,
}

impl<'a> Output<'a> {
    /// Starts the files of a run.
    pub fn new(lake: &'a Storage, run: RunId) -> Self {
        Self {
            lake,
            run,
            files: Vec::new(),
            spool: Spool::default(),
            resources: Sorter::default(),
            ranks: HashMap::new(),
            references: Sorter::default(),
            identifiers: Identifiers::default(),
        }
    }

    /// Writes one account's tables, each to a file even when it has no rows, and returns what failed in it.
    ///
    /// # Errors
    ///
    /// When a file can't be written.
    pub fn account(
        &mut self,
        plan: &Plan,
        account_id: &str,
        mut collected: Collected,
    ) -> Result<Vec<ErrorRow>, OutputError> {
        if let Some(error) = collected.broken.take() {
            return Err(error.into());
        }
        collected.swept = canonical(std::mem::take(&mut collected.swept), &collected.names);
        let mut finished = Vec::new();
        for (index, table) in plan
            .tables
            .iter()
            .enumerate()
            .filter(|(index, _)| plan.wanted[*index])
        {
            let mut writer = self.writer(table.schema())?;
            let rows = collected.rows.remove(&index).unwrap_or_default();
            for row in rows.sorted(&collected.spool) {
                let mut row: StoredRow =
                    serde_json::from_value(row?).map_err(std::io::Error::from)?;
                fill_tags(&mut row, &collected.swept);
                let misfits = writer.push(&row.cells)?;
                for misfit in misfits {
                    let operation = &table.list.operation;
                    collected.errors.extend(misfit_error(
                        &table.schema(),
                        &table.service,
                        operation,
                        &row.cells,
                        misfit,
                    ));
                }
                if let (Some(resource_type), Some(_)) = (&table.resource_type, &row.resource) {
                    self.resource(resource_type, &table.name, &row)?;
                }
            }
            finished.push((table.name.clone(), writer.finish()?));
        }
        self.swept(account_id, &collected.swept)?;
        let secrets = self.plain(
            contract::secrets_found(),
            std::mem::take(&mut collected.secrets),
            &collected.spool,
        )?;
        finished.push(("secrets_found".to_owned(), secrets));
        self.put(account_id, finished)?;

        for (region, resource_type, arn, ids) in &collected.names {
            self.identifiers
                .add(Home { account_id, region }, resource_type, arn, ids);
        }
        for reference in collected.references.sorted(&collected.spool) {
            self.references.push(&mut self.spool, &[], &reference?)?;
        }
        Ok(collected.errors)
    }

    /// Enters a row among the candidates for `resources`.
    fn resource(
        &mut self,
        resource_type: &str,
        table: &str,
        row: &StoredRow,
    ) -> Result<(), OutputError> {
        let Some(facts) = &row.resource else {
            return Ok(());
        };
        let cell = |index: usize| row.cells.get(index).cloned().unwrap_or_default();
        if ArnParts::new(cell(2).as_str().unwrap_or_default()).is_of_aws() {
            return Ok(());
        }
        let service = resource_type.split(':').next().unwrap_or_default();
        let cells = json!([
            cell(0),
            cell(1),
            cell(2),
            service,
            resource_type,
            cell(NAME),
            cell(TAGS),
            facts.created_at,
            facts.zone,
            facts.summary,
            table
        ]);
        self.candidate(cells)
    }

    /// Resources that only the tag sweep may know.
    fn swept(
        &mut self,
        account_id: &str,
        swept: &BTreeMap<String, Value>,
    ) -> Result<(), OutputError> {
        for (arn, tags) in swept {
            let named = ArnParts::new(arn);
            let region = if named.region.is_empty() {
                "global"
            } else {
                named.region
            };
            let name = default_name(tags, Some(arn));
            self.candidate(json!([
                account_id,
                region,
                arn,
                named.service,
                named.resource_type(),
                name,
                tags,
                null,
                null,
                null,
                "tags"
            ]))?;
        }
        Ok(())
    }

    /// Of several rows with one ARN the one where the resource is at home stands for it: a trail of all regions
    /// shows in each, a shared subnet in each account.
    fn candidate(&mut self, cells: Value) -> Result<(), OutputError> {
        let rank = rank(&cells);
        let arn = cells.get(2).and_then(Value::as_str).unwrap_or_default();
        if arn.is_empty() {
            return Ok(());
        }
        match self.ranks.get_mut(arn) {
            Some(known) if *known <= rank => return Ok(()),
            Some(known) => *known = rank,
            None => {
                self.ranks.insert(arn.into(), rank);
            }
        }
        let text = |index: usize| cells.get(index).and_then(Value::as_str).unwrap_or_default();
        let key = [text(0), text(1), arn];
        Ok(self.resources.push(&mut self.spool, &key, &cells)?)
    }

    /// Writes what is about the whole run, for each account a file.
    ///
    /// # Errors
    ///
    /// When a file can't be written.
    pub fn finish(
        &mut self,
        accounts: &[String],
        errors: &mut Vec<ErrorRow>,
    ) -> Result<(), OutputError> {
        self.write_resources(accounts, errors)?;
        self.write_relationships(accounts)?;
        errors.sort();
        errors.dedup();
        for account in accounts {
            let mut writer = self.writer(contract::collect_errors())?;
            for error in errors.iter().filter(|error| error.account_id == *account) {
                writer.push(&error.cells())?;
            }
            self.put(
                account,
                vec![("collect_errors".to_owned(), writer.finish()?)],
            )?;
        }
        Ok(())
    }

    fn write_resources(
        &mut self,
        accounts: &[String],
        errors: &mut Vec<ErrorRow>,
    ) -> Result<(), OutputError> {
        let schema = contract::resources();
        let mut writers = self.writers(&schema, accounts)?;
        for row in std::mem::take(&mut self.resources).sorted(&self.spool) {
            let row = row?;
            let Value::Array(cells) = &row else { continue };
            let text = |index: usize| cells.get(index).and_then(Value::as_str).unwrap_or_default();
            let (account, arn) = (text(0), text(2));
            if self.ranks.get(arn).is_none_or(|best| *best != rank(&row)) {
                continue;
            }
            if text(10) == "tags" {
                self.identifiers.add(
                    Home {
                        account_id: account,
                        region: text(1),
                    },
                    text(4),
                    arn,
                    &[],
                );
            }
            // An ARN is written once: rows of one rank are the same row.
            self.ranks.remove(arn);
            if let Some(writer) = writers.get_mut(account) {
                for misfit in writer.push(cells)? {
                    errors.extend(misfit_error(&schema, text(3), "", cells, misfit));
                }
            }
        }
        self.put_all(writers, "resources")
    }

    fn write_relationships(&mut self, accounts: &[String]) -> Result<(), OutputError> {
        let mut sorted = Sorter::default();
        let mut spool = Spool::default();
        for reference in std::mem::take(&mut self.references).sorted(&self.spool) {
            let reference: Reference =
                serde_json::from_value(reference?).map_err(std::io::Error::from)?;
            for row in resolved(&self.identifiers, &reference) {
                let text =
                    |index: usize| row.get(index).and_then(Value::as_str).unwrap_or_default();
                let key: Vec<&str> = (0..9).map(text).collect();
                sorted.push(&mut spool, &key, &Value::from(row.clone()))?;
            }
        }
        let mut writers = self.writers(&contract::relationships(), accounts)?;
        let mut last = Value::Null;
        for row in sorted.sorted(&spool) {
            let row = row?;
            // Two elements of one row may say the same.
            if row == last {
                continue;
            }
            if let Value::Array(cells) = &row
                && let Some(writer) = cells
                    .first()
                    .and_then(Value::as_str)
                    .and_then(|account| writers.get_mut(account))
            {
                writer.push(cells)?;
            }
            last = row;
        }
        self.put_all(writers, "relationships")
    }

    fn writer(&self, schema: TableSchema) -> Result<TableWriter, OutputError> {
        let label = FileLabel::new(Stage::Collect, &schema.name);
        Ok(TableWriter::new(schema, &label, self.lake.scratch_file()?)?)
    }

    fn writers(
        &self,
        schema: &TableSchema,
        accounts: &[String],
    ) -> Result<BTreeMap<String, TableWriter>, OutputError> {
        accounts
            .iter()
            .map(|account| Ok((account.clone(), self.writer(schema.clone())?)))
            .collect()
    }

    fn plain(
        &self,
        schema: TableSchema,
        rows: Sorter,
        spool: &Spool,
    ) -> Result<Finished, OutputError> {
        let mut writer = self.writer(schema)?;
        for row in rows.sorted(spool) {
            if let Value::Array(cells) = row? {
                writer.push(&cells)?;
            }
        }
        Ok(writer.finish()?)
    }

    fn put_all(
        &mut self,
        writers: BTreeMap<String, TableWriter>,
        table: &str,
    ) -> Result<(), OutputError> {
        for (account, writer) in writers {
            self.put(&account, vec![(table.to_owned(), writer.finish()?)])?;
        }
        Ok(())
    }

    /// Moves an account's finished files into the lake. They stay invisible until the record is written.
    fn put(
        &mut self,
        account_id: &str,
        finished: Vec<(String, Finished)>,
    ) -> Result<(), OutputError> {
        let mut files = Vec::new();
        for (table, finished) in finished {
            let key = paths::inventory(&table, account_id, &self.run);
            self.files
                .push(finished.entry(key.clone(), &table, Some(account_id)));
            files.push((key, finished.file));
        }
        Ok(self.lake.put_files(files)?)
    }
}

/// The sweep's tags under the ARNs that the tables use: the tagging API names the account in ARNs of snapshots and
/// images, which their own do not.
fn canonical(
    swept: BTreeMap<String, Value>,
    names: &[(String, String, String, Vec<String>)],
) -> BTreeMap<String, Value> {
    let aliases: HashMap<&str, &str> = names
        .iter()
        .flat_map(|(_, _, arn, ids)| {
            ids.iter()
                .filter(|id| id.starts_with("arn:"))
                .map(|id| (id.as_str(), arn.as_str()))
        })
        .collect();
    let known = |(arn, tags): (String, Value)| match aliases.get(arn.as_str()) {
        Some(canonical) => ((*canonical).to_owned(), tags),
        None => (arn, tags),
    };
    swept.into_iter().map(known).collect()
}

/// Tags that a table's calls did not tell, from the sweep. A name that was only a default follows the Name tag.
fn fill_tags(row: &mut StoredRow, swept: &BTreeMap<String, Value>) {
    if row.cells.get(TAGS) != Some(&Value::Null) {
        return;
    }
    let arn = row
        .cells
        .get(2)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let Some(tags) = swept.get(&arn) else { return };
    if row.default_name {
        row.cells[NAME] = json!(default_name(tags, Some(&arn)));
    }
    row.cells[TAGS] = tags.clone();
}

fn misfit_error(
    schema: &TableSchema,
    service: &str,
    operation: &str,
    cells: &[Value],
    index: usize,
) -> Option<ErrorRow> {
    let column = schema.columns.get(index)?;
    let text = |index: usize| cells.get(index).and_then(Value::as_str).map(str::to_owned);
    let value = cells.get(index)?.to_string();
    Some(ErrorRow {
        account_id: text(0)?,
        region: text(1)?,
        table: schema.name.clone(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        resource_arn: text(2),
        resource_id: None,
        kind: kind_name(ErrorKind::Malformed),
        code: "WrongType".to_owned(),
        message: format!(
            "{}: expected {}, got {}",
            column.name,
            column.kind.sql(),
            clip(&value, MAX_QUOTED)
        ),
    })
}

/// The rows of `relationships` for one reference: one per resource it means, or one that says what is not known.
fn resolved(identifiers: &Identifiers, reference: &Reference) -> Vec<Vec<Value>> {
    let home = Home {
        account_id: &reference.account_id,
        region: &reference.region,
    };
    let arns = identifiers.resolve(&reference.identifier, home, reference.target.as_deref());
    let others: Vec<Option<&str>> = if arns.is_empty() {
        vec![None]
    } else {
        arns.into_iter().map(Some).collect()
    };
    let own = (json!(reference.arn), Value::Null);
    let row = |other: Option<&str>| {
        let other = (json!(other), json!(reference.identifier));
        let (from, to) = if reference.reverse {
            (other, own.clone())
        } else {
            (own.clone(), other)
        };
        vec![
            json!(reference.account_id),
            json!(reference.region),
            json!(reference.kind),
            from.0,
            from.1,
            to.0,
            to.1,
            json!(reference.detail),
            json!(reference.table),
        ]
    };
    others.into_iter().map(row).collect()
}
