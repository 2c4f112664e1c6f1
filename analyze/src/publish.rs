//! Writes the tables of `analyze` into the lake and commits them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use handoff::contract::{self, ColumnType, TableSchema};
use handoff::paths;
use handoff::run::{FileEntry, Run, RunRecord, Stage};
use handoff::table::{FileLabel, Finished};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::session::{self, Session};
use crate::sql::{identifier, quote};

/// Files that were made before the database was locked, one per table.
pub(crate) struct Outputs {
    files: Vec<(TableSchema, String, NamedTempFile)>,
}

impl Outputs {
    /// Makes the files.
    pub(crate) fn new(run: &Run) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        let derived = session::derived_names()
            .filter_map(session::derived_schema)
            .map(|schema| (paths::derived(&schema.name, &run.id), schema));
        let own = [
            (paths::findings(&run.id), contract::findings()),
            (paths::derived("checks", &run.id), contract::checks()),
        ];
        for (key, schema) in derived.chain(own) {
            files.push((schema, key, run.lake.scratch_file()?));
        }
        Ok(Self { files })
    }

    /// Paths that DuckDB must be allowed to write.
    pub(crate) fn paths(&self) -> anyhow::Result<Vec<PathBuf>> {
        self.files
            .iter()
            .map(|(_, _, file)| {
                file.path()
                    .canonicalize()
                    .context("can't find a temporary file")
            })
            .collect()
    }

    /// Writes the tables and moves them into the lake; the record's entries are returned.
    pub(crate) fn write(self, session: &Session, run: &Run) -> anyhow::Result<Vec<FileEntry>> {
        let mut entries = Vec::new();
        let mut finished = Vec::new();
        for (schema, key, file) in self.files {
            let written = copy(session, &schema, file)
                .with_context(|| format!("can't write {}", schema.name))?;
            entries.push(written.entry(key.clone(), &schema.name, None));
            finished.push((key, written.file));
        }
        RunRecord::withdraw(&run.lake, &run.id, Stage::Analyze)?;
        run.lake.put_files(finished)?;
        Ok(entries)
    }
}

fn copy(session: &Session, schema: &TableSchema, file: NamedTempFile) -> anyhow::Result<Finished> {
    let path = file.path().canonicalize()?;
    match session.file_of(&schema.name) {
        Some(written) => {
            std::fs::copy(written, &path)?;
        }
        None => write(session, schema, &path)?,
    }
    let rows: i64 = session.connection.query_row(
        &format!("select count(*) from {}", identifier(&schema.name)),
        [],
        |row| row.get(0),
    )?;
    // DuckDB may have replaced the file at the path, so it is opened anew.
    let mut reader = std::fs::File::open(&path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        digest.update(&buffer[..read]);
    }
    let sha256 = digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(Finished {
        file,
        rows: u64::try_from(rows)?,
        bytes,
        sha256,
    })
}

/// Has DuckDB write a table.
fn write(session: &Session, schema: &TableSchema, path: &Path) -> anyhow::Result<()> {
    let label = serde_json::to_string(&FileLabel::new(Stage::Analyze, &schema.name))?;
    // JSON is text in the lake: every reader of Parquet has text.
    let columns: Vec<String> = schema
        .columns
        .iter()
        .map(|column| match column.kind {
            ColumnType::Json => format!("{0}::varchar as {0}", identifier(&column.name)),
            _ => identifier(&column.name),
        })
        .collect();
    session.connection.execute_batch(&format!(
        "copy (select {} from {}) to {} (format parquet, compression zstd, row_group_size 50000, use_tmp_file false, kv_metadata {{{}: {}}});",
        columns.join(", "),
        identifier(&schema.name),
        quote(&path.display().to_string()),
        contract::METADATA_KEY,
        quote(&label),
    ))?;
    Ok(())
}

/// The record that commits what was written.
pub(crate) fn record(run: &Run, files: Vec<FileEntry>, missing: &[String]) -> RunRecord {
    let inputs = vec![paths::record(&run.id, Stage::Collect)];
    let mut record = RunRecord::new(
        run.id.clone(),
        Stage::Analyze,
        env!("CARGO_PKG_VERSION"),
        inputs,
    );
    record.files = files;
    for line in missing {
        record.note(line);
    }
    record
}
