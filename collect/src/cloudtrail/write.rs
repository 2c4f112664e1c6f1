//! Rows of events as Parquet files, sorted.

use std::ops::Range;
use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::UInt32Array;
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use handoff::contract::{ColumnType, METADATA_KEY, TableSchema};
use handoff::run::Stage;
use handoff::table::FileLabel;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter, add_encoded_arrow_schema_to_metadata};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use tempfile::NamedTempFile;

use super::rows::Rows;

/// Rows of a row group: what DuckDB scans with one thread.
pub const ROW_GROUP_ROWS: usize = 122_880;
/// Rows copied into order at a time.
const SLICE_ROWS: usize = 8_192;
/// Columns without repetition, where a dictionary costs time and saves nothing.
const UNIQUE: [&str; 3] = ["event_id", "request_id", "source_record"];

/// What the rows of a file are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By time, while a day is open.
    Time,
    /// By source, name and time, once it is closed.
    SourceNameTime,
}

impl Order {
    /// What is written of an open day is written again when it is closed: there is time for compression then.
    fn compression(self) -> anyhow::Result<Compression> {
        let level = match self {
            Self::Time => 1,
            Self::SourceNameTime => 3,
        };
        Ok(Compression::ZSTD(ZstdLevel::try_new(level)?))
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Time => &["event_time"],
            Self::SourceNameTime => &["event_source", "event_name", "event_time"],
        }
    }
}

/// A Parquet file of events being written.
pub struct EventFile {
    writer: ArrowWriter<NamedTempFile>,
}

impl EventFile {
    /// Starts a file; get `file` from the lake's storage.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn new(
        table: &TableSchema,
        schema: &SchemaRef,
        order: Order,
        rows: usize,
        file: NamedTempFile,
    ) -> anyhow::Result<Self> {
        let properties = properties(table, schema, order, rows)?.build();
        Ok(Self {
            writer: ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(properties))?,
        })
    }

    /// Appends rows, which must follow those before in the file's order.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn append(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        self.writer.write(batch)?;
        Ok(())
    }

    /// Appends the rows that `indices` name, in that order.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn append_in_order(&mut self, batch: &RecordBatch, indices: &[u32]) -> anyhow::Result<()> {
        for slice in indices.chunks(SLICE_ROWS) {
            match contiguous(slice) {
                Some(range) => self.append(&batch.slice(range.start, range.len()))?,
                None => {
                    let rows = UInt32Array::from(slice.to_vec());
                    self.append(&take_record_batch(batch, &rows)?)?;
                }
            }
        }
        Ok(())
    }

    /// Completes the file.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn finish(self) -> anyhow::Result<NamedTempFile> {
        self.writer
            .into_inner()
            .context("can't complete a file of events")
    }
}

/// Writes rows, at most [`ROW_GROUP_ROWS`], in the order of their times that `order` says, as a file of one row group.
///
/// Column after column, so that only one of them is in memory in yet another form.
///
/// # Errors
/// When the file can't be written.
pub fn write_rows(
    table: &TableSchema,
    schema: &SchemaRef,
    rows: &mut Rows,
    order: &[u32],
    file: NamedTempFile,
) -> anyhow::Result<NamedTempFile> {
    let mut properties = properties(table, schema, Order::Time, order.len())?;
    for (column, field) in rows.columns().iter().zip(schema.fields()) {
        if column.looks_unique(order) {
            let path = ColumnPath::from(field.name().as_str());
            properties = properties.set_column_dictionary_enabled(path, false);
        }
    }
    let mut properties = properties.build();
    add_encoded_arrow_schema_to_metadata(schema, &mut properties);
    let converted = ArrowSchemaConverter::new().convert(schema)?;
    let mut file =
        SerializedFileWriter::new(file, converted.root_schema_ptr(), Arc::new(properties))?;
    let views = as_views(schema);
    let factory = ArrowRowGroupWriterFactory::new(&file, SchemaRef::clone(&views));
    let writers = factory.create_column_writers(0)?;
    let mut row_group = file.next_row_group()?;
    for ((column, field), mut writer) in rows.columns().into_iter().zip(views.fields()).zip(writers)
    {
        column.with_array(order, |array| {
            for leaf in compute_leaves(field, &array)? {
                writer.write(&leaf)?;
            }
            Ok(writer.close()?.append_to_row_group(&mut row_group)?)
        })?;
    }
    row_group.close()?;
    file.into_inner().context("can't complete a file of events")
}

/// The schema with the type that texts have in [`Rows`]; in the file they are what `schema` says.
fn as_views(schema: &SchemaRef) -> SchemaRef {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 => field.as_ref().clone().with_data_type(DataType::BinaryView),
        _ => field.as_ref().clone(),
    };
    Arc::new(Schema::new(
        schema.fields().iter().map(field).collect::<Vec<_>>(),
    ))
}

/// The rows as a range when they stand in order already, as those of most objects do.
fn contiguous(indices: &[u32]) -> Option<Range<usize>> {
    let (first, last) = (*indices.first()?, *indices.last()?);
    let in_order = indices.windows(2).all(|pair| pair[1] == pair[0] + 1);
    in_order.then_some(first as usize..last as usize + 1)
}

fn properties(
    table: &TableSchema,
    schema: &SchemaRef,
    order: Order,
    rows: usize,
) -> anyhow::Result<WriterPropertiesBuilder> {
    let label = serde_json::to_string(&FileLabel::new(Stage::Collect, &table.name))?;
    let event_id = ColumnPath::from("event_id");
    let mut builder = WriterProperties::builder()
        .set_compression(order.compression()?)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by(format!("sevenwalls {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![KeyValue::new(METADATA_KEY.to_owned(), label)]))
        .set_sorting_columns(Some(sorting(schema, order)))
        .set_column_bloom_filter_enabled(event_id.clone(), true)
        .set_column_bloom_filter_fpp(event_id.clone(), 0.01)
        .set_column_bloom_filter_max_ndv(event_id, rows.clamp(1, ROW_GROUP_ROWS) as u64);
    for name in UNIQUE {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(name), false);
    }
    for column in table
        .columns
        .iter()
        .filter(|column| column.kind == ColumnType::Json)
    {
        // The smallest and largest JSON text of a row group tell nobody anything.
        let path = ColumnPath::from(column.name.as_str());
        builder = builder.set_column_statistics_enabled(path, EnabledStatistics::None);
    }
    Ok(builder)
}

fn sorting(schema: &SchemaRef, order: Order) -> Vec<SortingColumn> {
    let index = |name: &&str| {
        let index = schema.index_of(name).ok()?;
        i32::try_from(index).ok()
    };
    order
        .columns()
        .iter()
        .filter_map(index)
        .map(|column_idx| SortingColumn {
            column_idx,
            descending: false,
            nulls_first: true,
        })
        .collect()
}
