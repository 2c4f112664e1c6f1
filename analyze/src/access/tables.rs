//! Writes the tables of access into the session.
//!
//! They go through Parquet, in columns: millions of grants are no matter then.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::{
    ArrayBuilder as _, ArrayRef, BooleanBuilder, Int64Builder, ListBuilder, StringBuilder,
};
use arrow::datatypes::{DataType, Field, SchemaRef};
use arrow::record_batch::RecordBatch;
use handoff::contract::{ColumnType, TableSchema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::schema;
use crate::session::Session;
use crate::sql::{identifier, quote};

/// A value of a row.
#[derive(Clone, Copy)]
pub(super) enum Cell<'a> {
    Null,
    Text(&'a str),
    Int(usize),
    Bool(bool),
    List(&'a [String]),
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

impl From<Option<bool>> for Cell<'_> {
    fn from(value: Option<bool>) -> Self {
        value.map_or(Self::Null, Self::Bool)
    }
}

enum Builder {
    Text(StringBuilder),
    Int(Int64Builder),
    Bool(BooleanBuilder),
    List(ListBuilder<StringBuilder>),
}

impl Builder {
    fn new(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Int => Self::Int(Int64Builder::new()),
            ColumnType::Bool => Self::Bool(BooleanBuilder::new()),
            ColumnType::List => Self::List(
                ListBuilder::new(StringBuilder::new()).with_field(Field::new(
                    "element",
                    DataType::Utf8,
                    true,
                )),
            ),
            _ => Self::Text(StringBuilder::new()),
        }
    }

    fn push(&mut self, cell: Cell<'_>) {
        match (self, cell) {
            (Self::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Int(builder), Cell::Int(number)) => {
                builder.append_option(i64::try_from(number).ok())
            }
            (Self::Int(builder), _) => builder.append_null(),
            (Self::Bool(builder), Cell::Bool(value)) => builder.append_value(value),
            (Self::Bool(builder), _) => builder.append_null(),
            (Self::List(builder), Cell::List(list)) => {
                list.iter()
                    .for_each(|text| builder.values().append_value(text));
                builder.append(true);
            }
            (Self::List(builder), _) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::List(builder) => Arc::new(builder.finish()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(builder) => builder.len(),
            Self::Int(builder) => builder.len(),
            Self::Bool(builder) => builder.len(),
            Self::List(builder) => builder.len(),
        }
    }
}

/// Rows of a table, on their way into the session.
pub(super) struct Filling<'s> {
    session: &'s Session,
    schema: TableSchema,
    path: PathBuf,
    arrow: SchemaRef,
    builders: Vec<Builder>,
    writer: ArrowWriter<File>,
}

/// Rows held before they are written.
const BATCH: usize = 1 << 16;

impl<'s> Filling<'s> {
    pub(super) fn new(session: &'s Session, schema: TableSchema) -> anyhow::Result<Self> {
        let path = session.scratch_path(&schema.name)?;
        let arrow = handoff::table::arrow_schema(&schema);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let file = File::create(&path).context("can't make a temporary file")?;
        Ok(Self {
            session,
            builders: schema
                .columns
                .iter()
                .map(|column| Builder::new(column.kind))
                .collect(),
            writer: ArrowWriter::try_new(file, Arc::clone(&arrow), Some(properties))?,
            schema,
            path,
            arrow,
        })
    }

    /// `cells` are in the order of the contract's columns.
    pub(super) fn row<const N: usize>(&mut self, cells: [Cell<'_>; N]) -> anyhow::Result<()> {
        for (builder, cell) in self.builders.iter_mut().zip(cells) {
            builder.push(cell);
        }
        if self
            .builders
            .first()
            .is_some_and(|builder| builder.len() >= BATCH)
        {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let columns = self.builders.iter_mut().map(Builder::finish).collect();
        self.writer
            .write(&RecordBatch::try_new(Arc::clone(&self.arrow), columns)?)?;
        Ok(())
    }

    /// Makes the table.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.flush()?;
        self.writer.close()?;
        let name = identifier(&self.schema.name);
        self.session.connection.execute_batch(&format!(
            "create or replace table {name} ({});\ninsert into {name} by name from read_parquet({});",
            schema::definitions(&self.schema.columns),
            quote(&self.path.display().to_string()),
        ))?;
        std::fs::remove_file(&self.path).context("can't remove a temporary file")
    }
}
