//! Rows of JSON values into a Parquet file.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::columns::{Builder, field};
use super::{FileLabel, TableError};
use crate::contract::{METADATA_KEY, TableSchema};
use crate::storage::hex;

/// Rows held before they are encoded: the bound on a writer's memory, together with [`BATCH_BYTES`].
const BATCH_ROWS: usize = 4_096;
/// Estimated size of the rows held.
const BATCH_BYTES: usize = 4 << 20;
/// Encoded bytes after which a row group is closed.
const ROW_GROUP_BYTES: usize = 32 << 20;

/// Writes one Parquet file.
pub struct TableWriter {
    schema: TableSchema,
    arrow: SchemaRef,
    builders: Vec<Builder>,
    held: usize,
    held_bytes: usize,
    rows: u64,
    writer: ArrowWriter<Hashed<NamedTempFile>>,
}

/// A file that was written and waits to be moved into the lake.
pub struct Finished {
    /// The file.
    pub file: NamedTempFile,
    /// Number of rows.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in hex.
    pub sha256: String,
}

impl Finished {
    /// The entry of the file in its run record.
    pub fn entry(
        &self,
        path: String,
        table: &str,
        account_id: Option<&str>,
    ) -> crate::run::FileEntry {
        crate::run::FileEntry {
            path,
            table: table.to_owned(),
            account_id: account_id.map(str::to_owned),
            rows: self.rows,
            bytes: self.bytes,
            sha256: self.sha256.clone(),
        }
    }
}

impl TableWriter {
    /// Starts a file of `schema`; get `file` from [`crate::storage::Storage::scratch_file`].
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn new(
        schema: TableSchema,
        label: &FileLabel,
        file: NamedTempFile,
    ) -> Result<Self, TableError> {
        let fail = |message: String| TableError::new(&schema.name, message);
        let arrow = Arc::new(Schema::new(
            schema.columns.iter().map(field).collect::<Vec<_>>(),
        ));
        let label = serde_json::to_string(label).map_err(|error| fail(error.to_string()))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(
                ZstdLevel::try_new(3).map_err(|error| fail(error.to_string()))?,
            ))
            .set_created_by(format!("sevenwalls {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(vec![KeyValue::new(METADATA_KEY.to_owned(), label)]))
            .build();
        let writer = ArrowWriter::try_new(Hashed::new(file), Arc::clone(&arrow), Some(properties))
            .map_err(|error| fail(error.to_string()))?;
        let builders = schema
            .columns
            .iter()
            .map(|column| Builder::new(column.kind))
            .collect();
        Ok(Self {
            schema,
            arrow,
            builders,
            held: 0,
            held_bytes: 0,
            rows: 0,
            writer,
        })
    }

    /// The table being written.
    pub fn schema(&self) -> &TableSchema {
        &self.schema
    }

    /// Appends a row, one value per column in the schema's order. Returns the columns whose value did not fit their
    /// type: null was stored there, and the caller owes an entry in `collect_errors`.
    ///
    /// # Errors
    /// When the row has not one value per column, or the file can't be written.
    pub fn push(&mut self, row: &[Value]) -> Result<Vec<usize>, TableError> {
        if row.len() != self.builders.len() {
            return Err(TableError::new(
                &self.schema.name,
                format!(
                    "a row of {} values for {} columns",
                    row.len(),
                    self.builders.len()
                ),
            ));
        }
        let mut misfits = Vec::new();
        for (index, (builder, value)) in self.builders.iter_mut().zip(row).enumerate() {
            if !builder.push(value) {
                misfits.push(index);
            }
        }
        self.held += 1;
        self.held_bytes += row.iter().map(weight).sum::<usize>();
        self.rows += 1;
        if self.held >= BATCH_ROWS || self.held_bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(misfits)
    }

    fn flush(&mut self) -> Result<(), TableError> {
        if self.held == 0 {
            return Ok(());
        }
        let arrays = self.builders.iter_mut().map(Builder::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.arrow), arrays)
            .map_err(|error| TableError::new(&self.schema.name, error))?;
        self.writer
            .write(&batch)
            .map_err(|error| TableError::new(&self.schema.name, error))?;
        if self.writer.in_progress_size() >= ROW_GROUP_BYTES {
            self.writer
                .flush()
                .map_err(|error| TableError::new(&self.schema.name, error))?;
        }
        self.held = 0;
        self.held_bytes = 0;
        Ok(())
    }

    /// Completes the file.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn finish(mut self) -> Result<Finished, TableError> {
        self.flush()?;
        let hashed = self
            .writer
            .into_inner()
            .map_err(|error| TableError::new(&self.schema.name, error))?;
        Ok(Finished {
            sha256: hex(&hashed.digest.finalize()),
            bytes: hashed.bytes,
            file: hashed.inner,
            rows: self.rows,
        })
    }
}

fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(elements) => elements.iter().map(weight).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| key.len() + weight(member))
            .sum(),
        _ => 8,
    }
}

/// Hashes what passes through, so that a file need not be read again for its record.
struct Hashed<W> {
    inner: W,
    digest: Sha256,
    bytes: u64,
}

impl<W> Hashed<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            digest: Sha256::new(),
            bytes: 0,
        }
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.digest.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
