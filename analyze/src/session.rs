//! A DuckDB over one run: tables, macros, views, derived tables; then locked.
//!
//! Invariants: nothing is installed, loaded or fetched; once [`Session::lock`] ran, SQL reads the files of the run and
//! nothing else. Text from files reaches SQL as rows, never as a part of a statement.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use duckdb::Connection;
use handoff::contract;
use handoff::run::RunId;
use tempfile::TempDir;

use crate::access::Stage;
use crate::beside::beside;
use crate::cli::Limits;
use crate::config::Config;
use crate::schema::{self, Table};
use crate::sql::{self, identifier, quote};
use crate::{access, embedded, events, gaps, macros};

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

/// A table that is computed from the others: a derived one, which is written, or a step on the way, which is not.
struct Definition {
    path: &'static str,
    text: &'static str,
    /// What it reads.
    read: BTreeSet<String>,
}

/// An open database.
pub(crate) struct Session {
    /// The connection.
    pub(crate) connection: Connection,
    /// The tables of the inventory.
    pub(crate) tables: BTreeMap<String, Table>,
    /// What each view reads.
    views: BTreeMap<String, BTreeSet<String>>,
    /// The derived tables and the steps towards them.
    derived: BTreeMap<&'static str, Definition>,
    /// Where DuckDB puts what exceeds its memory; removed with the session.
    spill: TempDir,
    /// How many files were made there.
    scratches: Cell<u32>,
    /// Files in which tables lie that are not held in memory.
    files: RefCell<BTreeMap<String, PathBuf>>,
}

impl Session {
    /// An empty database for facts as of `run`, with `config` in force.
    pub(crate) fn open(limits: &Limits, config: &Config, as_of: &str) -> anyhow::Result<Self> {
        Self::open_with(limits, &(config.sql() + macros::ALL), as_of)
    }

    /// The same for these `texts` of SQL, with as much of `config` and of the macros as they take.
    pub(crate) fn open_for(
        limits: &Limits,
        config: &Config,
        as_of: &str,
        texts: &[&str],
    ) -> anyhow::Result<Self> {
        let macros = macros::of(texts);
        let config = config.sql_of(&[texts, &[&macros]].concat());
        Self::open_with(limits, &(config + &macros), as_of)
    }

    fn open_with(limits: &Limits, definitions: &str, as_of: &str) -> anyhow::Result<Self> {
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
        // Every check opens the files of its tables: their footers are read once.
        connection.execute_batch("set parquet_metadata_cache = true;")?;
        connection.execute_batch(RUN_TABLES)?;
        connection.execute_batch(events::TABLES)?;
        connection.execute_batch(&format!(
            "create macro as_of() as timestamp {};",
            quote(as_of)
        ))?;
        connection
            .execute_batch(definitions)
            .context("can't apply the configuration")?;
        let tables = schema::tables()?;
        let session = Self {
            connection,
            tables,
            views: BTreeMap::new(),
            derived: BTreeMap::new(),
            spill,
            scratches: Cell::new(0),
            files: RefCell::default(),
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

    /// Defines the views that checks share, each after those it reads, and finds out what the derived tables read.
    pub(crate) fn define_views(&mut self) -> anyhow::Result<()> {
        for (path, text) in embedded::DERIVED {
            if let Some(name) = path.strip_suffix(".sql") {
                let text = text.trim().trim_end_matches(';');
                let read = sql::tables_read(&self.connection, text)
                    .with_context(|| format!("derive/{path}"))?;
                let name = name.rsplit('/').next().unwrap_or(name);
                self.derived.insert(name, Definition { path, text, read });
            }
        }
        // Views may read derived tables, which are there later.
        for schema in derived_names().filter_map(derived_schema) {
            self.connection.execute_batch(&schema::create(&schema))?;
        }
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
                self.views.insert(name.to_owned(), read);
            }
            anyhow::ensure!(
                later.len() < before,
                "views/{}.sql: reads itself through other views",
                later.first().map_or("", |(name, ..)| name)
            );
            pending = later;
        }
        for name in derived_names() {
            self.connection
                .execute_batch(&format!("drop table {};", identifier(name)))?;
        }
        Ok(())
    }

    /// Defines `names` among the views, in their order; what they read has to be there.
    pub(crate) fn define_some_views(&mut self, names: &[&str]) -> anyhow::Result<()> {
        for name in names {
            let text = view(name).with_context(|| format!("there is no view {name}"))?;
            let read = sql::tables_read(&self.connection, text)
                .with_context(|| format!("views/{name}.sql"))?;
            self.connection
                .execute_batch(&format!("create view {} as\n{text};", identifier(name)))
                .with_context(|| format!("views/{name}.sql"))?;
            self.views.insert((*name).to_owned(), read);
        }
        Ok(())
    }

    /// Makes a table of a view, so that whoever reads it reads rows and computes nothing.
    ///
    /// # Errors
    /// When the view can't be computed; then it stays what it is.
    pub(crate) fn keep(&self, view: &str) -> Result<(), duckdb::Error> {
        let view = identifier(view);
        let kept = identifier("kept rows");
        self.connection.execute_batch(&format!(
            "create table {kept} as from {view};\ndrop view {view};\nalter table {kept} rename to {view};"
        ))
    }

    /// What is read where `names` are, views replaced by what they read themselves.
    fn resolve(&self, names: &BTreeSet<String>) -> BTreeSet<String> {
        let of_name = |name: &String| match self.views.get(name) {
            Some(read) => {
                let others = read.iter().filter(|other| *other != name).cloned();
                self.resolve(&others.collect())
            }
            None => BTreeSet::from([name.clone()]),
        };
        names.iter().flat_map(of_name).collect()
    }

    /// The tables of `collect` that one SELECT reads, views resolved; derived tables stand for themselves and are not
    /// among them, since what they could not decide is null in them.
    pub(crate) fn tables_read(&self, select: &str) -> Result<BTreeSet<String>, sql::SqlError> {
        let mut read = self.resolve(&sql::tables_read(&self.connection, select)?);
        read.retain(|name| self.tables.contains_key(name));
        Ok(read)
    }

    /// The derived tables that one SELECT reads, views resolved.
    pub(crate) fn derived_read(&self, select: &str) -> Result<BTreeSet<String>, sql::SqlError> {
        let mut read = self.resolve(&sql::tables_read(&self.connection, select)?);
        read.retain(|name| derived_names().any(|derived| derived == name));
        Ok(read)
    }

    /// Notes what was not collected, from `collect_errors` and the table `missing`.
    pub(crate) fn note_gaps(&self) -> anyhow::Result<()> {
        note_gaps(&self.connection)
    }

    /// [`Self::note_gaps`] and [`Self::define_some_views`] at the same time.
    pub(crate) fn note_gaps_beside(&mut self, views: &[&str]) -> anyhow::Result<()> {
        let other = self.connection.try_clone()?;
        beside(other, note_gaps, || self.define_some_views(views))?;
        Ok(())
    }

    /// Computes the derived tables.
    pub(crate) fn derive(&self) -> anyhow::Result<()> {
        self.derive_only(&derived_names().map(str::to_owned).collect())
    }

    /// Computes these derived tables and those they read, each after them; the steps on the way are forgotten.
    pub(crate) fn derive_only(&self, names: &BTreeSet<String>) -> anyhow::Result<()> {
        let mut begun = BTreeSet::new();
        for name in names {
            self.compute(name, &mut begun)?;
        }
        for name in begun.iter().filter(|name| derived_schema(name).is_none()) {
            self.connection
                .execute_batch(&format!("drop table {};", identifier(name)))?;
        }
        Ok(())
    }

    fn compute(&self, name: &str, begun: &mut BTreeSet<String>) -> anyhow::Result<()> {
        if let Some(stage) = access::STAGES
            .iter()
            .find(|stage| stage.names.contains(&name))
        {
            return self.compute_access(stage, begun);
        }
        let Some(definition) = self.derived.get(name) else {
            return Ok(());
        };
        if !begun.insert(name.to_owned()) {
            return Ok(());
        }
        for other in self.resolve(&definition.read) {
            self.compute(&other, begun)?;
        }
        let (path, text) = (definition.path, definition.text);
        let statement = match derived_schema(name) {
            Some(schema) => format!(
                "create or replace table {name} ({});\ninsert into {name} by name\n{text};",
                schema::definitions(&schema.columns)
            ),
            None => format!("create or replace table {} as\n{text};", identifier(name)),
        };
        let started = Instant::now();
        self.connection
            .execute_batch(&statement)
            .with_context(|| format!("derive/{path}"))?;
        tracing::debug!(
            table = name,
            seconds = started.elapsed().as_secs_f64(),
            "derived"
        );
        Ok(())
    }

    /// The tables of a stage of access are computed together, after what they are computed from.
    fn compute_access(&self, stage: &Stage, begun: &mut BTreeSet<String>) -> anyhow::Result<()> {
        if stage
            .names
            .iter()
            .any(|name| !begun.insert((*name).to_owned()))
        {
            return Ok(());
        }
        for name in self.resolve(&stage.read.iter().map(|name| (*name).to_owned()).collect()) {
            self.compute(&name, begun)?;
        }
        let started = Instant::now();
        (stage.derive)(self).context("access")?;
        tracing::debug!(
            tables = stage.names.join(", "),
            seconds = started.elapsed().as_secs_f64(),
            "derived"
        );
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

    /// A new file that SQL may read and write even when locked: it lies where DuckDB keeps what exceeds its memory. No two have
    /// the same name, since DuckDB remembers the footers of files.
    pub(crate) fn scratch_path(&self, what: &str) -> anyhow::Result<PathBuf> {
        let number = self.scratches.get();
        self.scratches.set(number + 1);
        Ok(self
            .spill
            .path()
            .canonicalize()?
            .join(format!("{what}-{number}.parquet")))
    }

    /// Remembers the file in which a table lies, as it shall lie in the lake.
    pub(crate) fn lies_in(&self, table: &str, file: PathBuf) {
        self.files.borrow_mut().insert(table.to_owned(), file);
    }

    /// The file in which a table lies.
    pub(crate) fn file_of(&self, table: &str) -> Option<PathBuf> {
        self.files.borrow().get(table).cloned()
    }

    /// A new table `name` with one column `value`, for what a question is about.
    pub(crate) fn fill_new(&self, name: &str, values: &[&str]) -> anyhow::Result<()> {
        self.connection.execute_batch(&format!(
            "create or replace table {} (value varchar);",
            identifier(name)
        ))?;
        self.fill(
            name,
            values.iter().map(|value| vec![Some((*value).to_owned())]),
        )
    }

    /// A table of the run's own facts, filled with rows of text.
    pub(crate) fn fill(
        &self,
        table: &str,
        rows: impl IntoIterator<Item = Vec<Option<String>>>,
    ) -> anyhow::Result<()> {
        let mut rows = rows.into_iter().peekable();
        // To ask for a table's columns takes longer than to find that nothing goes into them.
        if rows.peek().is_none() {
            return Ok(());
        }
        let mut appender = self.connection.appender(table)?;
        for row in rows {
            appender.append_row(duckdb::appender_params_from_iter(row))?;
        }
        appender.flush()?;
        Ok(())
    }
}

/// [`Session::note_gaps`] by another connection.
pub(crate) fn note_gaps(connection: &Connection) -> anyhow::Result<()> {
    connection
        .execute_batch(gaps::SQL)
        .context("collect_errors can't be read")
}

/// The text of a view.
pub(crate) fn view(name: &str) -> Option<&'static str> {
    let path = format!("{name}.sql");
    let (_, text) = embedded::VIEWS.iter().find(|(file, _)| *file == path)?;
    Some(text.trim().trim_end_matches(';'))
}

/// What is read where some names are.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    /// Views, each after those it reads.
    pub(crate) views: Vec<String>,
    /// Everything else.
    pub(crate) tables: BTreeSet<String>,
}

/// What reading `names` reads, be it through views.
///
/// # Errors
/// When a view can't be parsed.
pub(crate) fn reached(
    parser: &Connection,
    names: &BTreeSet<String>,
) -> Result<Reached, sql::SqlError> {
    let mut reached = Reached::default();
    for name in names {
        reached.reach(parser, name)?;
    }
    Ok(reached)
}

impl Reached {
    fn reach(&mut self, parser: &Connection, name: &str) -> Result<(), sql::SqlError> {
        let Some(text) = view(name) else {
            self.tables.insert(name.to_owned());
            return Ok(());
        };
        if self.views.iter().any(|known| known == name) {
            return Ok(());
        }
        for other in sql::tables_read(parser, text)? {
            self.reach(parser, &other)?;
        }
        self.views.push(name.to_owned());
        Ok(())
    }
}

/// Schema of a derived table, from the contract.
pub(crate) fn derived_schema(name: &str) -> Option<contract::TableSchema> {
    [
        contract::reachability(),
        contract::reachability_hops(),
        contract::resource_context(),
        contract::zone_backups(),
        contract::scan_coverage(),
        handoff::trail::activity(),
        handoff::trail::trail_days(),
        handoff::access::access_paths(),
    ]
    .into_iter()
    .chain(handoff::access::tables())
    .find(|schema| schema.name == name)
}

/// Names of the derived tables; the steps towards them lie in a folder of their own.
pub(crate) fn derived_names() -> impl Iterator<Item = &'static str> {
    embedded::DERIVED
        .iter()
        .filter(|(path, _)| !path.contains('/'))
        .filter_map(|(path, _)| path.strip_suffix(".sql"))
        .chain(access::STAGES.iter().flat_map(|stage| stage.names).copied())
}

/// The time of a run's facts as SQL reads it.
pub(crate) fn as_of(run: &RunId) -> String {
    run.as_of().strftime("%Y-%m-%d %H:%M:%S").to_string()
}
