//! `analyze query`: a run asked in SQL.

use std::io::{self, IsTerminal as _, Read as _, Write as _};

use anyhow::Context as _;
use clap::ValueEnum;
use handoff::run::{Run, Stage};
use handoff::shell::{self, Exit, Hinted};
use handoff::text::{elide_middle, printable};
use unicode_width::UnicodeWidthStr as _;

use crate::cli::QueryArgs;
use crate::config::{self, Config};
use crate::events;
use crate::open::{open_for_reading, open_reached};
use crate::session::{self, Session};
use crate::sql::{self, SqlError, quote};

/// Formats of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for a terminal, long values shortened
    Table,
    /// Comma-separated values with a header
    Csv,
    /// One JSON array
    Json,
    /// One JSON object per line
    Ndjson,
    /// Parquet
    Parquet,
}

/// Widest column of the terminal table.
const WIDEST: usize = 60;

/// Answers a question about a run.
pub(crate) fn run(args: &QueryArgs) -> anyhow::Result<Exit> {
    let text = if args.sql == "-" {
        read_sql()?
    } else {
        args.sql.clone()
    };
    let select = text.trim().trim_end_matches(';').to_owned();
    let config = Config::load(args.config.as_deref()).map_err(|error| config::hinted(&error))?;
    let reference = args.run.as_deref().or(args.lake.as_deref());
    // Standard input may hold the SQL or belong to a loop around us: a run comes from it only when `-` says so.
    let run = Run::find(Some(reference.unwrap_or(handoff::run::DEFAULT_LAKE)))?;
    let parser = duckdb::Connection::open_in_memory().context("can't start DuckDB")?;
    let read = sql::tables_read(&parser, &select).map_err(explain)?;
    let reached = session::reached(&parser, &read)?;
    let session = match open_reached(&run, &config, &args.limits, &select, &reached)? {
        Some(session) => session,
        None => {
            // Those of a bucket are fetched first, so only when they are asked for.
            let trail = if events::are_read_by(&reached) {
                events::Files::find(&run.lake, None)?
            } else {
                events::Files::default()
            };
            open_for_reading(&run, &config, &args.limits, &trail)?
        }
    };
    warn_of_gaps(&session, &select)?;
    print(&session, &select, args.format).map_err(|error| hint_at_findings(error, &run, &read))?;
    Ok(Exit::Done)
}

/// Prints the answer to a SELECT.
pub(crate) fn print(session: &Session, select: &str, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Table => print_table(session, select),
        Format::Csv => print_csv(session, select),
        Format::Json => print_json(session, select, false),
        Format::Ndjson => print_json(session, select, true),
        Format::Parquet => print_parquet(session, select),
    }
}

fn read_sql() -> anyhow::Result<String> {
    let mut text = String::new();
    io::stdin()
        .take(1 << 20)
        .read_to_string(&mut text)
        .context("can't read SQL from standard input")?;
    Ok(text)
}

fn explain(error: SqlError) -> anyhow::Error {
    match error {
        SqlError::NotASelect => Hinted::new(
            error.to_string(),
            "ask with SELECT, and redirect standard output to keep the answer",
        )
        .into(),
        other => other.into(),
    }
}

fn hint_at_findings(
    error: anyhow::Error,
    run: &Run,
    read: &std::collections::BTreeSet<String>,
) -> anyhow::Error {
    let analyzed = run
        .lake
        .exists(&handoff::paths::record(&run.id, Stage::Analyze))
        .unwrap_or(true);
    if !analyzed && (read.contains("findings") || read.contains("checks")) {
        return Hinted::new(
            format!("{} has no findings yet", run.reference()),
            "run `analyze` first",
        )
        .into();
    }
    match error.downcast::<duckdb::Error>() {
        Ok(error) => SqlError::from(error).into(),
        Err(error) => error,
    }
}

/// An empty answer from a table that was not collected must not pass for an answer.
fn warn_of_gaps(session: &Session, select: &str) -> anyhow::Result<()> {
    let read = session.tables_read(select)?;
    let names: Vec<String> = read.iter().map(|name| quote(name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "select table_name || ' is incomplete: ' || string_agg(distinct why, '; ' order by why) from gaps where table_name in ({}) group by table_name order by table_name",
        names.join(", ")
    );
    let mut statement = session.connection.prepare(&sql)?;
    for line in statement.query_map([], |row| row.get::<_, String>(0))? {
        shell::note(&line?);
    }
    Ok(())
}

/// Calls `each` with every row, all values as text.
fn rows(
    session: &Session,
    select: &str,
    mut each: impl FnMut(Vec<Option<String>>) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<String>> {
    let mut statement = session
        .connection
        .prepare(&format!("select columns(*)::varchar from (\n{select}\n)"))?;
    let mut answer = statement.query([])?;
    let names: Vec<String> = answer
        .as_ref()
        .map(duckdb::Statement::column_names)
        .unwrap_or_default();
    while let Some(row) = answer.next()? {
        each(
            (0..names.len())
                .map(|index| row.get(index))
                .collect::<Result<_, _>>()?,
        )?;
    }
    Ok(names)
}

fn print_table(session: &Session, select: &str) -> anyhow::Result<()> {
    let mut cells = Vec::new();
    let names = rows(session, select, |row| {
        cells.push(
            row.iter()
                .map(|cell| cell_text(cell.as_deref().unwrap_or("")))
                .collect::<Vec<_>>(),
        );
        Ok(())
    })?;
    let names: Vec<String> = names.iter().map(|name| cell_text(name)).collect();
    let width = |index: usize| {
        cells
            .iter()
            .chain([&names])
            .map(|row| row[index].width())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut out = io::BufWriter::new(io::stdout().lock());
    for row in [&names, &rule].into_iter().chain(&cells) {
        let padded: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())))
            .collect();
        writeln!(out, "{}", padded.join("  ").trim_end())?;
    }
    out.flush()?;
    Ok(())
}

fn cell_text(text: &str) -> String {
    elide_middle(&printable(text), WIDEST).into_owned()
}

fn print_csv(session: &Session, select: &str) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(io::stdout().lock());
    let mut statement = session
        .connection
        .prepare(&format!("select column_name from (describe {select})"))?;
    let names = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    writer.write_record(&names)?;
    rows(session, select, |row| {
        Ok(writer.write_record(row.iter().map(|cell| cell.as_deref().unwrap_or("")))?)
    })?;
    writer.flush()?;
    Ok(())
}

fn print_json(session: &Session, select: &str, lines: bool) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut statement = session.connection.prepare(&format!(
        "select to_json(answer)::varchar from (\n{select}\n) as answer"
    ))?;
    let mut answer = statement.query([])?;
    let mut first = true;
    while let Some(row) = answer.next()? {
        let text: String = row.get(0)?;
        let before = match (lines, first) {
            (true, _) => "",
            (false, true) => "[\n",
            (false, false) => ",\n",
        };
        write!(out, "{before}{text}{}", if lines { "\n" } else { "" })?;
        first = false;
    }
    if !lines {
        out.write_all(if first { b"[]\n" } else { b"\n]\n" })?;
    }
    out.flush()?;
    Ok(())
}

fn print_parquet(session: &Session, select: &str) -> anyhow::Result<()> {
    if io::stdout().is_terminal() {
        return Err(Hinted::new(
            "Parquet is not for a terminal",
            "redirect standard output to a file",
        )
        .into());
    }
    let path = session.scratch_path("answer")?;
    session.connection.execute_batch(&format!(
        "copy (\n{select}\n) to {} (format parquet, compression zstd);",
        quote(&path.display().to_string())
    ))?;
    let mut file = std::fs::File::open(&path).context("can't read the answer back")?;
    io::copy(&mut file, &mut io::stdout().lock())?;
    Ok(())
}
