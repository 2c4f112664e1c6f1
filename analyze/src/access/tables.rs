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
use handoff::contract::{self, ColumnType, TableSchema};
use handoff::run::Stage;
use handoff::table::FileLabel;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
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

/// Rows of a table in columns.
pub(super) struct Rows {
    builders: Vec<Builder>,
    arrow: SchemaRef,
}

impl Rows {
    pub(super) fn new(schema: &TableSchema) -> Self {
        let kinds = schema.columns.iter().map(|column| column.kind);
        Self {
            builders: kinds.map(Builder::new).collect(),
            arrow: handoff::table::arrow_schema(schema),
        }
    }

    /// `cells` are in the order of the contract's columns.
    pub(super) fn push<const N: usize>(&mut self, cells: [Cell<'_>; N]) {
        for (builder, cell) in self.builders.iter_mut().zip(cells) {
            builder.push(cell);
        }
    }

    fn len(&self) -> usize {
        self.builders.first().map_or(0, Builder::len)
    }

    /// What was pushed; nothing is left.
    pub(super) fn batch(&mut self) -> anyhow::Result<RecordBatch> {
        let columns = self.builders.iter_mut().map(Builder::finish).collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.arrow), columns)?)
    }
}

/// A table on its way into the session.
pub(super) struct Filling<'s> {
    session: &'s Session,
    schema: TableSchema,
    path: PathBuf,
    rows: Rows,
    writer: ArrowWriter<File>,
}

/// Rows held before they are written.
const BATCH: usize = 1 << 16;

/// Rows of which DuckDB reads a part at once.
const ROW_GROUP: usize = 1 << 17;

impl<'s> Filling<'s> {
    pub(super) fn new(session: &'s Session, schema: TableSchema) -> anyhow::Result<Self> {
        let path = session.scratch_path(&schema.name)?;
        let rows = Rows::new(&schema);
        // As it will lie in the lake.
        let label = serde_json::to_string(&FileLabel::new(Stage::Analyze, &schema.name))?;
        let label = KeyValue::new(contract::METADATA_KEY.to_owned(), label);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .set_created_by(format!("sevenwalls {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(vec![label]))
            .build();
        let file = File::create(&path).context("can't make a temporary file")?;
        Ok(Self {
            session,
            writer: ArrowWriter::try_new(file, Arc::clone(&rows.arrow), Some(properties))?,
            rows,
            schema,
            path,
        })
    }

    /// `cells` are in the order of the contract's columns.
    pub(super) fn row<const N: usize>(&mut self, cells: [Cell<'_>; N]) -> anyhow::Result<()> {
        self.rows.push(cells);
        if self.rows.len() >= BATCH {
            let batch = self.rows.batch()?;
            self.batch(&batch)?;
        }
        Ok(())
    }

    /// Rows that were put into columns elsewhere.
    pub(super) fn batch(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        Ok(self.writer.write(batch)?)
    }

    /// Makes the table.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let (session, schema) = (self.session, self.schema.clone());
        let path = self.close()?;
        let name = identifier(&schema.name);
        session.connection.execute_batch(&format!(
            "create or replace table {name} ({});\ninsert into {name} by name from read_parquet({});",
            schema::definitions(&schema.columns),
            quote(&path.display().to_string()),
        ))?;
        std::fs::remove_file(&path).context("can't remove a temporary file")
    }

    /// Leaves the rows in their file, which is read when it is asked for, and goes into the lake as it is: for tables too large to
    /// be held.
    pub(super) fn finish_on_disk(self) -> anyhow::Result<()> {
        let (session, table) = (self.session, self.schema.name.clone());
        let (name, path) = (identifier(&table), self.close()?);
        session.connection.execute_batch(&format!(
            "drop table if exists {name};\ncreate view {name} as from read_parquet({});",
            quote(&path.display().to_string()),
        ))?;
        session.lies_in(&table, path);
        Ok(())
    }

    fn close(mut self) -> anyhow::Result<PathBuf> {
        let batch = self.rows.batch()?;
        self.batch(&batch)?;
        self.writer.close()?;
        Ok(self.path)
    }
}
