//! Files of events merged into one sequence sorted by source, name and time, in bounded memory.
//!
//! Pieces that fit into memory are sorted and put aside on disk, then read side by side, a few at a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use arrow::array::{Array as _, AsArray as _, StringArray};
use arrow::compute::{concat_batches, interleave_record_batch};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use handoff::contract::TableSchema;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use tempfile::NamedTempFile;

use super::write::{EventFile, Order};

/// Rows read of each piece at a time.
const READ_ROWS: usize = 1_024;
/// Pieces read side by side: each has a page of each column in memory.
const SIDE_BY_SIDE: usize = 8;
/// Rows gathered before they are written.
const GATHER_ROWS: usize = 4_096;

/// How much is done at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Memory of a piece that is sorted.
    pub piece_bytes: usize,
    /// Rows of a merged file.
    pub file_rows: usize,
}

impl Default for Limits {
    /// Files of eight row groups, so that several threads have something to read.
    fn default() -> Self {
        Self {
            piece_bytes: 48 << 20,
            file_rows: 8 * 122_880,
        }
    }
}

/// Merges `paths` into files; `make_file` gives places to write them.
///
/// # Errors
/// When a file can't be read, lacks a column or can't be written.
pub fn merge(
    table: &TableSchema,
    schema: &SchemaRef,
    paths: &[PathBuf],
    limits: Limits,
    make_file: &dyn Fn() -> anyhow::Result<NamedTempFile>,
) -> anyhow::Result<Vec<NamedTempFile>> {
    let mut pieces = Vec::new();
    let mut held = Vec::new();
    let mut bytes = 0;
    for path in paths {
        for batch in open(path)? {
            let batch = conform(&batch.with_context(|| path.display().to_string())?, schema)
                .with_context(|| path.display().to_string())?;
            bytes += batch.get_array_memory_size();
            held.push(batch);
            if bytes >= limits.piece_bytes {
                pieces.push(sorted_piece(
                    table,
                    schema,
                    &std::mem::take(&mut held),
                    make_file()?,
                )?);
                bytes = 0;
            }
        }
    }
    if !held.is_empty() {
        pieces.push(sorted_piece(table, schema, &held, make_file()?)?);
        held.clear();
    }
    let merge = |pieces: &[NamedTempFile], file_rows| {
        let cursors = pieces.iter().map(|piece| Cursor::open(piece.path()));
        let merge = Merge {
            table,
            schema,
            make_file,
            file_rows,
            cursors: cursors.collect::<anyhow::Result<_>>()?,
            gathered: Vec::new(),
            current: None,
            rows: 0,
            files: Vec::new(),
        };
        merge.run()
    };
    while pieces.len() > SIDE_BY_SIDE {
        // Neighbours, so that equal keys stay in the order of the files.
        let groups = pieces.chunks(SIDE_BY_SIDE);
        let longer: anyhow::Result<Vec<_>> = groups.map(|group| merge(group, usize::MAX)).collect();
        pieces = longer?.into_iter().flatten().collect();
    }
    merge(&pieces, limits.file_rows)
}

fn open(path: &Path) -> anyhow::Result<ParquetRecordBatchReader> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .with_context(|| path.display().to_string())?;
    Ok(builder.with_batch_size(READ_ROWS).build()?)
}

/// The table's columns by name: a file of an older contract may lack some, and its metadata is its own.
fn conform(batch: &RecordBatch, schema: &SchemaRef) -> anyhow::Result<RecordBatch> {
    let column = |field: &arrow::datatypes::FieldRef| match batch.column_by_name(field.name()) {
        Some(column) if column.data_type() == field.data_type() => Ok(column.clone()),
        Some(column) => anyhow::bail!(
            "column {} is {}, not {}",
            field.name(),
            column.data_type(),
            field.data_type()
        ),
        None => Ok(arrow::array::new_null_array(
            field.data_type(),
            batch.num_rows(),
        )),
    };
    let columns = schema
        .fields()
        .iter()
        .map(column)
        .collect::<anyhow::Result<_>>()?;
    Ok(RecordBatch::try_new(SchemaRef::clone(schema), columns)?)
}

fn sorted_piece(
    table: &TableSchema,
    schema: &SchemaRef,
    batches: &[RecordBatch],
    file: NamedTempFile,
) -> anyhow::Result<NamedTempFile> {
    let batch = concat_batches(schema, batches)?;
    let keys = Keys::of(&batch)?;
    let mut order: Vec<u32> = (0..u32::try_from(batch.num_rows())?).collect();
    // Stable, so that the same files always make the same file.
    order.sort_by(|&a, &b| keys.at(a as usize).cmp(&keys.at(b as usize)));
    let mut piece = EventFile::new(table, schema, Order::SourceNameTime, order.len(), file)?;
    piece.append_in_order(&batch, &order)?;
    piece.finish()
}

/// The columns that rows are sorted by.
struct Keys {
    source: StringArray,
    name: StringArray,
    time: arrow::array::TimestampMicrosecondArray,
}

impl Keys {
    fn of(batch: &RecordBatch) -> anyhow::Result<Self> {
        let column = |name: &str| {
            batch
                .column_by_name(name)
                .with_context(|| format!("no column {name}"))
        };
        let text = |name: &str| -> anyhow::Result<StringArray> {
            Ok(column(name)?
                .as_string_opt::<i32>()
                .with_context(|| format!("column {name} is no text"))?
                .clone())
        };
        let time = column("event_time")?.as_primitive_opt::<TimestampMicrosecondType>();
        Ok(Self {
            source: text("event_source")?,
            name: text("event_name")?,
            time: time.context("column event_time is no time")?.clone(),
        })
    }

    fn at(&self, row: usize) -> (Option<&str>, Option<&str>, i64) {
        (
            self.source.is_valid(row).then(|| self.source.value(row)),
            self.name.is_valid(row).then(|| self.name.value(row)),
            self.time.value(row),
        )
    }
}

/// Where the reading of a piece stands.
struct Cursor {
    reader: ParquetRecordBatchReader,
    batch: RecordBatch,
    keys: Keys,
    row: usize,
}

impl Cursor {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let mut reader = open(path)?;
        let batch = reader.next().context("an empty piece")??;
        Ok(Self {
            keys: Keys::of(&batch)?,
            reader,
            batch,
            row: 0,
        })
    }

    fn key(&self) -> (Option<String>, Option<String>, i64) {
        let (source, name, time) = self.keys.at(self.row);
        (source.map(str::to_owned), name.map(str::to_owned), time)
    }
}

struct Merge<'a> {
    table: &'a TableSchema,
    schema: &'a SchemaRef,
    make_file: &'a dyn Fn() -> anyhow::Result<NamedTempFile>,
    file_rows: usize,
    cursors: Vec<Cursor>,
    /// Cursor and row of what was chosen and not written yet.
    gathered: Vec<(usize, usize)>,
    current: Option<EventFile>,
    rows: usize,
    files: Vec<NamedTempFile>,
}

impl Merge<'_> {
    fn run(mut self) -> anyhow::Result<Vec<NamedTempFile>> {
        // Equal keys come in the order of the pieces, which is the order of the files.
        let entries = self
            .cursors
            .iter()
            .enumerate()
            .map(|(index, cursor)| Reverse((cursor.key(), index)));
        let mut heap: BinaryHeap<_> = entries.collect();
        while let Some(Reverse((_, index))) = heap.pop() {
            self.gathered.push((index, self.cursors[index].row));
            self.cursors[index].row += 1;
            if self.gathered.len() >= GATHER_ROWS {
                self.write()?;
            }
            if self.advance(index)? {
                heap.push(Reverse((self.cursors[index].key(), index)));
            }
        }
        self.write()?;
        self.end_file()?;
        Ok(self.files)
    }

    /// Makes the cursor stand on a row; false at the end of its piece.
    fn advance(&mut self, index: usize) -> anyhow::Result<bool> {
        if self.cursors[index].row < self.cursors[index].batch.num_rows() {
            return Ok(true);
        }
        // What was gathered refers to the rows that are about to go.
        self.write()?;
        let cursor = &mut self.cursors[index];
        let Some(batch) = cursor.reader.next() else {
            return Ok(false);
        };
        cursor.batch = batch?;
        cursor.keys = Keys::of(&cursor.batch)?;
        cursor.row = 0;
        Ok(true)
    }

    fn write(&mut self) -> anyhow::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let batches: Vec<&RecordBatch> = self.cursors.iter().map(|cursor| &cursor.batch).collect();
        let batch = interleave_record_batch(&batches, &self.gathered)?;
        self.gathered.clear();
        let current = match self.current.take() {
            Some(current) => current,
            None => {
                let file = (self.make_file)()?;
                EventFile::new(
                    self.table,
                    self.schema,
                    Order::SourceNameTime,
                    self.file_rows,
                    file,
                )?
            }
        };
        let current = self.current.insert(current);
        current.append(&batch)?;
        self.rows += batch.num_rows();
        if self.rows >= self.file_rows {
            self.end_file()?;
        }
        Ok(())
    }

    fn end_file(&mut self) -> anyhow::Result<()> {
        self.rows = 0;
        if let Some(current) = self.current.take() {
            self.files.push(current.finish()?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode::{Event, decode};
    use super::super::rows::{Origin, Rows};
    use super::super::write::write_rows;
    use super::*;
    use handoff::trail::cloudtrail_events;

    fn scratch() -> anyhow::Result<NamedTempFile> {
        Ok(NamedTempFile::new()?)
    }

    /// A file of events whose sources, names and times are anything but in order.
    fn file(number: u64, rows: u64) -> NamedTempFile {
        let (table, events) = (cloudtrail_events(), 0..rows);
        let schema = handoff::table::arrow_schema(&table);
        let text: Vec<String> = events
            .map(|row| {
                let (mixed, minute) = ((row * 7919 + number * 31) % 997, (row * 37) % 60);
                let source = if mixed.is_multiple_of(11) { String::new() } else { format!(r#","eventSource":"s{}""#, mixed % 7) };
                format!(
                    r#"{{"eventID":"{number}-{row}","eventTime":"2026-11-20T10:{minute:02}:00Z","eventName":"n{}"{source}}}"#,
                    mixed % 13
                )
            })
            .collect();
        let mut columns = Rows::default();
        let origin = Origin {
            key: "k",
            etag: "e",
        };
        decode(text.join("\n").as_bytes(), &mut |event: Event<'_>| {
            columns.push(&event, origin).unwrap();
        })
        .unwrap();
        let order: Vec<u32> = (0..u32::try_from(rows).unwrap()).collect();
        write_rows(&table, &schema, &mut columns, &order, scratch().unwrap()).unwrap()
    }

    type Key = (Option<String>, Option<String>, i64);

    fn read_back(files: &[NamedTempFile]) -> Vec<(Key, String)> {
        let mut rows = Vec::new();
        for batch in files.iter().flat_map(|file| open(file.path()).unwrap()) {
            let batch = batch.unwrap();
            let keys = Keys::of(&batch).unwrap();
            let ids = batch.column_by_name("event_id").unwrap().as_string::<i32>();
            for row in 0..batch.num_rows() {
                let (source, name, time) = keys.at(row);
                rows.push((
                    (source.map(str::to_owned), name.map(str::to_owned), time),
                    ids.value(row).to_owned(),
                ));
            }
        }
        rows
    }

    #[test]
    fn many_pieces_and_files_are_one_sorted_sequence() {
        let inputs: Vec<NamedTempFile> = (0..5).map(|number| file(number, 2_500)).collect();
        let paths: Vec<PathBuf> = inputs.iter().map(|file| file.path().to_owned()).collect();
        let table = cloudtrail_events();
        let schema = handoff::table::arrow_schema(&table);
        let limits = |piece_bytes, file_rows| Limits {
            piece_bytes,
            file_rows,
        };
        let merged = |limits| merge(&table, &schema, &paths, limits, &scratch).unwrap();
        // Some forty pieces: merged, and merged again.
        let small = merged(limits(300_000, 5_000));
        assert!(small.len() >= 2, "{}", small.len());
        let rows = read_back(&small);
        let mut expected = read_back(&inputs);
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(
            rows, expected,
            "sorted, and equal keys in the order of the files"
        );
        assert_eq!(read_back(&merged(Limits::default())), expected);
    }
}
