//! The files of a table under its name.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use duckdb::Connection;
use handoff::contract::Column;

use crate::schema;
use crate::session::Session;
use crate::sql::{identifier, quote};

/// A table and its files.
pub(crate) type Registration<'a> = (&'a str, &'a [PathBuf]);

impl Session {
    /// Makes a table readable: a view over its files, or an empty table where there are none.
    ///
    /// # Errors
    /// When a file can't be read.
    pub(crate) fn register(&self, name: &str, files: &[PathBuf]) -> anyhow::Result<()> {
        register(&self.connection, self.columns(name), name, files)
    }

    /// [`Self::register`] for several tables, on all cores: to plan a view over a file takes longer than to open it. In the same
    /// order what became of each.
    ///
    /// # Errors
    /// When DuckDB takes no further connection.
    pub(crate) fn register_all(
        &self,
        tables: &[Registration<'_>],
    ) -> anyhow::Result<Vec<anyhow::Result<()>>> {
        let tables: Vec<_> = tables
            .iter()
            .map(|(name, files)| (*name, self.columns(name), *files))
            .collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let connections = (0..cores.min(tables.len()))
            .map(|_| self.connection.try_clone())
            .collect::<Result<Vec<_>, _>>()?;
        let next = AtomicUsize::new(0);
        let take = || {
            let at = next.fetch_add(1, Ordering::Relaxed);
            tables.get(at).map(|table| (at, table))
        };
        let work = |connection: &Connection| {
            let mut done = Vec::new();
            while let Some((at, (name, columns, files))) = take() {
                done.push((at, register(connection, columns, name, files)));
            }
            done
        };
        let work = &work;
        let mut done: Vec<(usize, anyhow::Result<()>)> = std::thread::scope(|scope| {
            let workers: Vec<_> = connections
                .into_iter()
                .map(|connection| scope.spawn(move || work(&connection)))
                .collect();
            let joined = workers.into_iter().map(|worker| {
                let done = worker.join();
                done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            joined.flatten().collect()
        });
        done.sort_by_key(|(at, _)| *at);
        Ok(done.into_iter().map(|(_, outcome)| outcome).collect())
    }

    /// The columns that the contract gives a table.
    fn columns(&self, name: &str) -> &[Column] {
        self.tables.get(name).map_or(&[], |table| &table.columns)
    }
}

fn register(
    connection: &Connection,
    known: &[Column],
    name: &str,
    files: &[PathBuf],
) -> anyhow::Result<()> {
    if files.is_empty() {
        connection.execute_batch(&format!(
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
    let list = format!("[{}]", list.join(", "));
    // Columns are looked for in all files whenever the table is read, which takes long for hundreds of files.
    let by_name = if files.len() == 1 || are_alike(connection, &list).unwrap_or(false) {
        ""
    } else {
        ", union_by_name = true"
    };
    let source = format!("read_parquet({list}, hive_partitioning = false{by_name})");
    let present = match files {
        [file] => handoff::table::column_names(name, file)?,
        _ => columns_of(connection, &source)
            .with_context(|| format!("{name}: can't read its files"))?,
    };
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
    let kind = if is_scattered(files) { "table" } else { "view" };
    connection.execute_batch(&format!(
        "create or replace {kind} {} as select {} from {source};",
        identifier(name),
        columns.join(", ")
    ))?;
    Ok(())
}

/// Whether all files of a list have the same columns, in the same order.
fn are_alike(connection: &Connection, files: &str) -> Result<bool, duckdb::Error> {
    // The root of the schema is named after whoever wrote the file.
    let schemas = format!(
        "select count(distinct columns) from (
            select file_name, list((name, duckdb_type, num_children) order by column_id) as columns
            from parquet_schema({files}) where column_id > 0 group by file_name
        )"
    );
    let count: i64 = connection.query_row(&schemas, [], |row| row.get(0))?;
    Ok(count == 1)
}

fn columns_of(connection: &Connection, source: &str) -> anyhow::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!(
        "select column_name from (describe select * from {source})"
    ))?;
    let names = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    Ok(names)
}

/// Many small files, as those of many accounts: each check would open them all again, so they are read once.
fn is_scattered(files: &[PathBuf]) -> bool {
    const SMALL: u64 = 32 << 20;
    let bytes = |file: &PathBuf| file.metadata().map_or(u64::MAX, |metadata| metadata.len());
    let total = files
        .iter()
        .fold(0_u64, |total, file| total.saturating_add(bytes(file)));
    files.len() > 1 && total <= SMALL
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Limits;
    use crate::config::Config;

    /// What is read of files that hold these rows, and whether their columns were compared first.
    fn read(files: &[&str]) -> (Vec<String>, bool) {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            memory: "1GB".to_owned(),
            threads: Some(1),
        };
        let config = Config::load(None).unwrap();
        let session = Session::open(&limits, &config, "2026-11-16 06:00:00").unwrap();
        let write = |(number, rows): (usize, &&str)| {
            let path = folder.path().join(format!("{number}.parquet"));
            let copy = format!("copy ({rows}) to {}", quote(&path.display().to_string()));
            session.connection.execute_batch(&copy).unwrap();
            path
        };
        let paths: Vec<PathBuf> = files.iter().enumerate().map(write).collect();
        session.register("things", &paths).unwrap();
        let mut statement = session
            .connection
            .prepare("select to_json(things)::varchar from things order by all")
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        let rows = rows.collect::<Result<_, _>>().unwrap();
        let list: Vec<String> = paths
            .iter()
            .map(|path| quote(&path.display().to_string()))
            .collect();
        let alike = are_alike(&session.connection, &format!("[{}]", list.join(", ")));
        (rows, alike.unwrap())
    }

    #[test]
    fn a_column_that_some_files_lack_is_null_in_them() {
        let (rows, alike) = read(&[
            "select 1 as a",
            "select 2 as a, 'x' as b",
            "select 'y' as b",
        ]);
        let expected = [
            r#"{"a":1,"b":null}"#,
            r#"{"a":2,"b":"x"}"#,
            r#"{"a":null,"b":"y"}"#,
        ];
        assert_eq!((rows, alike), (expected.map(str::to_owned).to_vec(), false));
    }

    #[test]
    fn a_column_is_of_a_type_that_holds_what_all_files_have() {
        let (rows, alike) = read(&["select 1::tinyint as a", "select 4000000000 as a"]);
        let expected = [r#"{"a":1}"#, r#"{"a":4000000000}"#];
        assert_eq!((rows, alike), (expected.map(str::to_owned).to_vec(), false));
    }

    #[test]
    fn files_of_the_same_columns_are_alike() {
        let (rows, alike) = read(&[
            "select 1 as a, 'x' as b",
            "select 2 as a, null::varchar as b",
        ]);
        let expected = [r#"{"a":1,"b":"x"}"#, r#"{"a":2,"b":null}"#];
        assert_eq!((rows, alike), (expected.map(str::to_owned).to_vec(), true));
    }
}
