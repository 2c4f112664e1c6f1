//! A DuckDB over one run: tables, macros, views, derived tables; then locked.
//!
//! Invariants: nothing is installed, loaded or fetched; once [`Session::lock`] ran, SQL reads the files of the run and
//! nothing else. Text from files reaches SQL as rows, never as a part of a statement.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Context as _;
use duckdb::Connection;
use handoff::contract::{self, Column};
use handoff::run::RunId;
use tempfile::TempDir;

use crate::cli::Limits;
use crate::config::Config;
use crate::schema::{self, Table};
use crate::sql::{self, identifier, quote};
use crate::{embedded, events, gaps};

const MACROS: &str = include_str!("../macros.sql");

/// Tables about the run itself, beside those of the lake.
const RUN_TABLES: &str = "
create table accounts (account_id varchar, partition varchar, arn varchar);
create table collected (account_id varchar, region varchar, table_name varchar);
create table missing (account_id varchar, table_name varchar, why varchar);
create table collect_outcomes (account_id varchar, region varchar, table_name varchar);
create table known_accounts (account_id varchar);
create table resource_tables (table_name varchar);
create table gaps (account_id varchar, region varchar, table_name varchar, resource_arn varchar, operation varchar, kind varchar, why varchar);
create table previous_resources (account_id varchar, region varchar, arn varchar, resource_type varchar, name varchar, tags map(varchar, varchar), run varchar);
create table previous_context (account_id varchar, region varchar, arn varchar, resource_type varchar, name varchar, owner varchar, environment varchar, system varchar, importance varchar, importance_rank bigint, exposed boolean, run varchar);
create table previous_zone_backups (account_id varchar, arn varchar, zone_id varchar, name varchar, change_batch json, run varchar);
";

/// An open database.
pub(crate) struct Session {
    /// The connection.
    pub(crate) connection: Connection,
    /// The tables of the inventory.
    pub(crate) tables: BTreeMap<String, Table>,
    /// What each view reads, views among it resolved.
    views: BTreeMap<String, BTreeSet<String>>,
    /// Where DuckDB puts what exceeds its memory; removed with the session.
    spill: TempDir,
}

impl Session {
    /// An empty database for facts as of `run`, with `config` in force.
    pub(crate) fn open(limits: &Limits, config: &Config, as_of: &str) -> anyhow::Result<Self> {
        let spill = tempfile::tempdir().context("can't make a folder for temporary files")?;
        let settings = duckdb::Config::default()
            .enable_autoload_extension(false)?
            .with("autoinstall_known_extensions", "false")?
            .with("temp_directory", spill.path().display().to_string())?
            .max_memory(&limits.memory)
            .with_context(|| {
                format!("--memory {:?}: expected a size such as 4GB", limits.memory)
            })?;
        let settings = match limits.threads {
            Some(threads) => settings.threads(i64::from(threads))?,
            None => settings,
        };
        let connection =
            Connection::open_in_memory_with_flags(settings).context("can't start DuckDB")?;
        connection.execute_batch(RUN_TABLES)?;
        connection.execute_batch(events::TABLES)?;
        // Views may read derived tables, which are filled later.
        for schema in derived_names().filter_map(derived_schema) {
            connection.execute_batch(&schema::create(&schema))?;
        }
        connection.execute_batch(&format!(
            "create macro as_of() as timestamp {};",
            quote(as_of)
        ))?;
        connection
            .execute_batch(&config.sql())
            .context("can't apply the configuration")?;
        connection
            .execute_batch(MACROS)
            .context("can't define the macros")?;
        let tables = schema::tables()?;
        let session = Self {
            connection,
            tables,
            views: BTreeMap::new(),
            spill,
        };
        let of_resources = session
            .tables
            .iter()
            .filter(|(_, table)| table.resource_type.is_some());
        session.fill(
            "resource_tables",
            of_resources.map(|(name, _)| vec![Some(name.clone())]),
        )?;
        Ok(session)
    }

    /// Makes a table readable: a view over its files, or an empty table where there are none.
    ///
    /// # Errors
    /// When a file can't be read.
    pub(crate) fn register(&self, name: &str, files: &[PathBuf]) -> anyhow::Result<()> {
        let known: &[Column] = self.tables.get(name).map_or(&[], |table| &table.columns);
        if files.is_empty() {
            self.connection.execute_batch(&format!(
                "create or replace table {} ({});",
                identifier(name),
                schema::definitions(known)
            ))?;
            return Ok(());
        }
        let list: Vec<String> = files
            .iter()
            .map(|file| quote(&file.display().to_string()))
            .collect();
        let source = format!(
            "read_parquet([{}], hive_partitioning = false, union_by_name = true)",
            list.join(", ")
        );
        let present = self
            .columns_of(&source)
            .with_context(|| format!("{name}: can't read its files"))?;
        let mut columns = Vec::new();
        for column in known {
            let quoted = identifier(&column.name);
            let value = if present.contains(&column.name) {
                quoted.as_str()
            } else {
                "null"
            };
            columns.push(format!("{value}::{} as {quoted}", column.kind.sql()));
        }
        columns.extend(
            present
                .iter()
                .filter(|name| !known.iter().any(|column| column.name == **name))
                .map(|name| identifier(name)),
        );
        self.connection.execute_batch(&format!(
            "create or replace view {} as select {} from {source};",
            identifier(name),
            columns.join(", ")
        ))?;
        Ok(())
    }

    fn columns_of(&self, source: &str) -> anyhow::Result<Vec<String>> {
        let mut statement = self.connection.prepare(&format!(
            "select column_name from (describe select * from {source})"
        ))?;
        let names = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()?;
        Ok(names)
    }

    /// Defines the views that checks share, each after those it reads.
    pub(crate) fn define_views(&mut self) -> anyhow::Result<()> {
        let mut pending = Vec::new();
        for (path, text) in embedded::VIEWS {
            let name = path.trim_end_matches(".sql");
            let text = text.trim().trim_end_matches(';');
            let read = sql::tables_read(&self.connection, text)
                .with_context(|| format!("views/{path}"))?;
            pending.push((name, text, read));
        }
        let names: BTreeSet<&str> = pending.iter().map(|(name, ..)| *name).collect();
        while !pending.is_empty() {
            let before = pending.len();
            let mut later = Vec::new();
            for (name, text, read) in pending {
                if read.iter().any(|table| {
                    table != name
                        && names.contains(table.as_str())
                        && !self.views.contains_key(table)
                }) {
                    later.push((name, text, read));
                    continue;
                }
                self.connection
                    .execute_batch(&format!("create view {} as\n{text};", identifier(name)))
                    .with_context(|| format!("views/{name}.sql"))?;
                let resolved = self.resolve(&read);
                self.views.insert(name.to_owned(), resolved);
            }
            anyhow::ensure!(
                later.len() < before,
                "views/{}.sql: reads itself through other views",
                later.first().map_or("", |(name, ..)| name)
            );
            pending = later;
        }
        Ok(())
    }

    fn resolve(&self, names: &BTreeSet<String>) -> BTreeSet<String> {
        let of_name = |name: &String| match self.views.get(name) {
            Some(tables) => tables.clone(),
            None if self.tables.contains_key(name) => BTreeSet::from([name.clone()]),
            None => BTreeSet::new(),
        };
        names.iter().flat_map(of_name).collect()
    }

    /// The tables of `collect` that one SELECT reads, views resolved; derived tables stand for themselves and are not
    /// among them, since what they could not decide is null in them.
    pub(crate) fn tables_read(&self, select: &str) -> Result<BTreeSet<String>, sql::SqlError> {
        Ok(self.resolve(&sql::tables_read(&self.connection, select)?))
    }

    /// Whether reading `names` is reading one of `wanted`, be it through views.
    ///
    /// # Errors
    /// When a view can't be parsed.
    pub(crate) fn reach(
        &self,
        names: &BTreeSet<String>,
        wanted: &[&str],
    ) -> Result<bool, sql::SqlError> {
        if names.iter().any(|name| wanted.contains(&name.as_str())) {
            return Ok(true);
        }
        for (path, text) in embedded::VIEWS {
            if names.contains(path.trim_end_matches(".sql")) {
                let read = sql::tables_read(&self.connection, text.trim().trim_end_matches(';'))?;
                // A common table expression may have the name of its view.
                let others = read.difference(names).cloned().collect();
                if self.reach(&others, wanted)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Notes what was not collected, from `collect_errors` and the table `missing`.
    pub(crate) fn note_gaps(&self) -> anyhow::Result<()> {
        self.connection
            .execute_batch(gaps::SQL)
            .context("collect_errors can't be read")
    }

    /// Computes the derived tables.
    pub(crate) fn derive(&self) -> anyhow::Result<()> {
        for (path, text) in embedded::DERIVED {
            let name = path.trim_end_matches(".sql");
            let schema = derived_schema(name)
                .with_context(|| format!("derive/{path}: the contract has no such table"))?;
            let text = text.trim().trim_end_matches(';');
            let fill = format!(
                "create or replace table {name} ({});\ninsert into {name} by name\n{text};",
                schema::definitions(&schema.columns)
            );
            self.connection
                .execute_batch(&fill)
                .with_context(|| format!("derive/{path}"))?;
        }
        Ok(())
    }

    /// From now on only `readable` files and those already registered can be opened, and no setting changes.
    pub(crate) fn lock(&self, readable: &[PathBuf]) -> anyhow::Result<()> {
        let paths: Vec<String> = readable
            .iter()
            .map(|path| quote(&path.display().to_string()))
            .collect();
        let allow = if paths.is_empty() {
            String::new()
        } else {
            format!("set allowed_paths = [{}];", paths.join(", "))
        };
        let lock =
            format!("{allow} set enable_external_access = false; set lock_configuration = true;");
        self.connection
            .execute_batch(&lock)
            .context("can't lock DuckDB")
    }

    /// A file that SQL may write even when locked: it lies where DuckDB keeps what exceeds its memory.
    pub(crate) fn answer_path(&self) -> anyhow::Result<PathBuf> {
        Ok(self.spill.path().canonicalize()?.join("answer.parquet"))
    }

    /// A table of the run's own facts, filled with rows of text.
    pub(crate) fn fill(
        &self,
        table: &str,
        rows: impl IntoIterator<Item = Vec<Option<String>>>,
    ) -> anyhow::Result<()> {
        let mut appender = self.connection.appender(table)?;
        for row in rows {
            appender.append_row(duckdb::appender_params_from_iter(row))?;
        }
        appender.flush()?;
        Ok(())
    }
}

/// Schema of a derived table, from the contract.
pub(crate) fn derived_schema(name: &str) -> Option<contract::TableSchema> {
    [
        contract::resource_context(),
        contract::zone_backups(),
        contract::scan_coverage(),
        handoff::trail::activity(),
        handoff::trail::trail_days(),
    ]
    .into_iter()
    .find(|schema| schema.name == name)
}

/// Names of the derived tables.
pub(crate) fn derived_names() -> impl Iterator<Item = &'static str> {
    embedded::DERIVED
        .iter()
        .map(|(path, _)| path.trim_end_matches(".sql"))
}

/// The time of a run's facts as SQL reads it.
pub(crate) fn as_of(run: &RunId) -> String {
    run.as_of().strftime("%Y-%m-%d %H:%M:%S").to_string()
}
