//! Rows out of Parquet files, for stages that need no SQL.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, AsArray as _, BooleanArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::record_batch::{RecordBatch, RecordBatchReader as _};
use jiff::Timestamp;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::file::metadata::KeyValue;

use super::{FileLabel, TableError};
use crate::contract::{METADATA_KEY, VERSION};
use crate::run::is_newer;

/// Batches of a file.
pub struct Rows {
    table: String,
    reader: ParquetRecordBatchReader,
}

/// Opens a file of `table`, reading only `columns`; with an empty list, all of them.
///
/// # Errors
/// When the file can't be read, is no Parquet, or is of a newer contract.
pub fn read(table: &str, path: &Path, columns: &[&str]) -> Result<Rows, TableError> {
    open(table, path, one_of(columns), None)
}

/// The names of the columns of a file, in their order.
///
/// # Errors
/// As [`read`].
pub fn column_names(table: &str, path: &Path) -> Result<Vec<String>, TableError> {
    let schema = read(table, path, &[])?.reader.schema();
    Ok(schema
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect())
}

/// As [`read`], reading the columns that `is_wanted` admits by their names.
///
/// # Errors
/// As [`read`].
pub fn read_columns(
    table: &str,
    path: &Path,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Rows, TableError> {
    open(table, path, is_wanted, None)
}

/// As [`read`], but only the rows whose text in `column` is one of `wanted`: the other columns of the rest are not decoded.
///
/// # Errors
/// As [`read`].
pub fn read_where(
    table: &str,
    path: &Path,
    columns: &[&str],
    column: &str,
    wanted: &[&str],
) -> Result<Rows, TableError> {
    open(table, path, one_of(columns), Some((column, wanted)))
}

fn one_of(columns: &[&str]) -> impl Fn(&str) -> bool {
    move |name| columns.is_empty() || columns.contains(&name)
}

fn open(
    table: &str,
    path: &Path,
    is_wanted: impl Fn(&str) -> bool,
    condition: Option<(&str, &[&str])>,
) -> Result<Rows, TableError> {
    let fail = |message: String| TableError::new(table, format!("{}: {message}", path.display()));
    let file = File::open(path).map_err(|error| fail(error.to_string()))?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| fail(error.to_string()))?;
    refuse_newer(builder.metadata().file_metadata().key_value_metadata()).map_err(fail)?;
    let columns = builder.schema().fields().iter().enumerate();
    let wanted = columns.filter_map(|(at, field)| is_wanted(field.name()).then_some(at));
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let filter = condition.map(|(column, wanted)| {
        let wanted: Vec<String> = wanted.iter().map(|&text| text.to_owned()).collect();
        let mask = ProjectionMask::columns(builder.parquet_schema(), [column]);
        let predicate = ArrowPredicateFn::new(mask, move |batch: RecordBatch| {
            Ok(is_one_of(&batch, &wanted))
        });
        RowFilter::new(vec![Box::new(predicate)])
    });
    let builder = match filter {
        Some(filter) => builder.with_row_filter(filter),
        None => builder,
    };
    let reader = builder
        .with_projection(mask)
        .with_batch_size(4_096)
        .build()
        .map_err(|error| fail(error.to_string()))?;
    Ok(Rows {
        table: table.to_owned(),
        reader,
    })
}

/// Rows whose text in the only column of the batch is wanted; none where the file lacks the column.
fn is_one_of(batch: &RecordBatch, wanted: &[String]) -> BooleanArray {
    let texts = batch
        .columns()
        .first()
        .and_then(|column| column.as_string_opt::<i32>());
    match texts {
        Some(texts) => texts
            .iter()
            .map(|text| Some(text.is_some_and(|text| wanted.iter().any(|one| one == text))))
            .collect(),
        None => BooleanArray::from(vec![false; batch.num_rows()]),
    }
}

/// Refuses files of a newer major contract; files without a label are somebody else's and judged by their columns.
fn refuse_newer(metadata: Option<&Vec<KeyValue>>) -> Result<(), String> {
    let label = metadata
        .into_iter()
        .flatten()
        .find(|entry| entry.key == METADATA_KEY);
    let Some(text) = label.and_then(|entry| entry.value.as_deref()) else {
        return Ok(());
    };
    let label: FileLabel = serde_json::from_str(text)
        .map_err(|error| format!("its {METADATA_KEY} metadata is not ours: {error}"))?;
    if is_newer(&label.contract) {
        return Err(format!(
            "written under contract {} by {}, this tool reads {VERSION}; install the newer version",
            label.contract, label.writer
        ));
    }
    Ok(())
}

impl Rows {
    /// Calls `each` with every row.
    ///
    /// # Errors
    /// When the file is damaged, or `each` fails.
    pub fn for_each<E: From<TableError>>(
        self,
        mut each: impl FnMut(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        for batch in self.reader {
            let batch = batch.map_err(|error| TableError::new(&self.table, error))?;
            for index in 0..batch.num_rows() {
                each(Row {
                    batch: &batch,
                    index,
                })?;
            }
        }
        Ok(())
    }
}

/// A row; a column that is absent, null or of another type reads as `None`.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    batch: &'a RecordBatch,
    index: usize,
}

impl<'a> Row<'a> {
    fn column(&self, name: &str) -> Option<&'a dyn Array> {
        let array = self.batch.column_by_name(name)?.as_ref();
        array.is_valid(self.index).then_some(array)
    }

    /// A text or JSON column.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        Some(self.column(name)?.as_string_opt::<i32>()?.value(self.index))
    }

    /// A text column as an owned string, empty when there is none.
    pub fn string(&self, name: &str) -> String {
        self.text(name).unwrap_or_default().to_owned()
    }

    /// An integer column.
    pub fn int(&self, name: &str) -> Option<i64> {
        Some(
            self.column(name)?
                .as_primitive_opt::<Int64Type>()?
                .value(self.index),
        )
    }

    /// A float column.
    pub fn float(&self, name: &str) -> Option<f64> {
        Some(
            self.column(name)?
                .as_primitive_opt::<Float64Type>()?
                .value(self.index),
        )
    }

    /// A boolean column.
    pub fn bool(&self, name: &str) -> Option<bool> {
        Some(self.column(name)?.as_boolean_opt()?.value(self.index))
    }

    /// A time column.
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        let array = self.column(name)?;
        if !matches!(
            array.data_type(),
            DataType::Timestamp(TimeUnit::Microsecond, _)
        ) {
            return None;
        }
        Timestamp::from_microsecond(
            array
                .as_primitive_opt::<TimestampMicrosecondType>()?
                .value(self.index),
        )
        .ok()
    }

    /// Columns of text, numbers, booleans and lists that are not null, with their values as text.
    pub fn cells(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let index = self.index;
        let fields = self.batch.schema_ref().fields().iter();
        let columns = fields.zip(self.batch.columns());
        columns.filter_map(move |(field, array)| {
            let value = array.is_valid(index).then(|| in_words(array, index))?;
            Some((field.name().as_str(), value?))
        })
    }

    /// A list column.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        texts(self.column(name)?, self.index)
    }

    /// A map column, sorted by key.
    pub fn map(&self, name: &str) -> Option<BTreeMap<String, String>> {
        let entries = self.column(name)?.as_map_opt()?.value(self.index);
        let keys = entries.column(0).as_string_opt::<i32>()?;
        let values = entries.column(1).as_string_opt::<i32>()?;
        let pairs = keys.iter().zip(values.iter());
        Some(
            pairs
                .filter_map(|(key, value)| {
                    Some((key?.to_owned(), value.unwrap_or_default().to_owned()))
                })
                .collect(),
        )
    }
}

/// The texts of a list.
fn texts(array: &dyn Array, index: usize) -> Option<Vec<String>> {
    let elements = array.as_list_opt::<i32>()?.value(index);
    let texts = elements.as_string_opt::<i32>()?.iter().flatten();
    Some(texts.map(str::to_owned).collect())
}

/// A value as text; `None` for times and maps.
fn in_words(array: &dyn Array, index: usize) -> Option<Cow<'_, str>> {
    Some(match array.data_type() {
        DataType::Utf8 => Cow::Borrowed(array.as_string_opt::<i32>()?.value(index)),
        DataType::Boolean => Cow::Owned(array.as_boolean_opt()?.value(index).to_string()),
        DataType::Int64 => {
            let number = array.as_primitive_opt::<Int64Type>()?.value(index);
            Cow::Owned(number.to_string())
        }
        DataType::Float64 => {
            let number = array.as_primitive_opt::<Float64Type>()?.value(index);
            Cow::Owned(number.to_string())
        }
        _ => Cow::Owned(texts(array, index)?.join(", ")),
    })
}
