//! Tables as Parquet files: written row by row with bounded memory, read batch by batch.

mod columns;
mod read;
mod write;

use serde::{Deserialize, Serialize};

pub use read::{Row, Rows, column_names, read, read_columns, read_where};
pub use write::{Finished, TableWriter};

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

use crate::contract;

/// A table that could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{table}: {message}")]
pub struct TableError {
    table: String,
    message: String,
}

impl TableError {
    fn new(table: &str, message: impl std::fmt::Display) -> Self {
        Self {
            table: table.to_owned(),
            message: crate::text::printable(&message.to_string()).into_owned(),
        }
    }
}

/// The table as Arrow sees it. Times have no zone: UTC by contract.
pub fn arrow_schema(table: &contract::TableSchema) -> SchemaRef {
    let fields: Vec<_> = table.columns.iter().map(columns::field).collect();
    Arc::new(Schema::new(fields))
}

/// What every Parquet file of the lake says of itself, as JSON under [`contract::METADATA_KEY`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLabel {
    /// Version of the contract.
    pub contract: String,
    /// Table.
    pub table: String,
    /// Tool and version that wrote it.
    pub writer: String,
}

impl FileLabel {
    /// The label of a file of `table` written by this build of `stage`.
    pub fn new(stage: crate::run::Stage, table: &str) -> Self {
        Self {
            contract: contract::VERSION.to_owned(),
            table: table.to_owned(),
            writer: format!("{} {}", stage.name(), env!("CARGO_PKG_VERSION")),
        }
    }
}
