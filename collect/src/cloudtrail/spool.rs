//! What was listed, put aside by date: in memory while it is little, on disk when it is more, so that memory is a
//! question of the largest day and not of all days.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use handoff::storage::Listed;
use jiff::civil::Date;
use tempfile::TempDir;

use super::layout::UNDATED;

/// Bytes held in memory.
const HELD: usize = 8 << 20;

/// Objects by date.
#[derive(Debug, Default)]
pub struct Spool {
    /// Lines of JSON by date, of what is not on disk.
    held: BTreeMap<String, Vec<u8>>,
    held_bytes: usize,
    folder: Option<TempDir>,
    /// How many objects were put in, by date.
    counts: BTreeMap<String, u64>,
    /// The first thing that went wrong; said when something is taken out.
    failed: Option<io::Error>,
}

impl Spool {
    /// Puts an object aside.
    pub fn push(&mut self, date: Option<Date>, object: &Listed) {
        let date = date.map_or(UNDATED.to_owned(), |date| date.to_string());
        let lines = self.held.entry(date.clone()).or_default();
        let before = lines.len();
        let line = (&object.key, object.bytes, &object.etag);
        let written = serde_json::to_writer(&mut *lines, &line).map_err(io::Error::from);
        lines.push(b'\n');
        self.held_bytes += lines.len() - before;
        *self.counts.entry(date).or_default() += 1;
        let written = written.and_then(|()| self.spill_beyond(HELD));
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }

    /// Number of objects.
    pub fn len(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Dates of the objects that are left.
    pub fn dates(&self) -> impl Iterator<Item = &String> {
        self.counts.keys()
    }

    /// Takes the objects of a date out, in no order.
    ///
    /// # Errors
    /// When the disk failed, now or when they were put in.
    pub fn take(&mut self, date: &str) -> anyhow::Result<Vec<Listed>> {
        let mut take = || -> io::Result<Vec<Listed>> {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            let mut objects = Vec::new();
            if self.counts.remove(date).is_none() {
                return Ok(objects);
            }
            let lines = self.held.remove(date).unwrap_or_default();
            self.held_bytes -= lines.len();
            let spilled = match self.path(date).map(std::fs::read) {
                Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                read => read.and_then(Result::ok).unwrap_or_default(),
            };
            for lines in [spilled, lines] {
                let lines = serde_json::Deserializer::from_slice(&lines);
                for line in lines.into_iter::<(String, u64, Option<String>)>() {
                    let (key, bytes, etag) = line?;
                    objects.push(Listed { key, bytes, etag });
                }
            }
            Ok(objects)
        };
        take().context("can't put the list of objects aside in the temporary folder")
    }

    fn path(&self, date: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.path().join(date))
    }

    fn spill_beyond(&mut self, limit: usize) -> io::Result<()> {
        if self.held_bytes <= limit {
            return Ok(());
        }
        if self.folder.is_none() {
            self.folder = Some(tempfile::tempdir()?);
        }
        self.held_bytes = 0;
        for (date, lines) in std::mem::take(&mut self.held) {
            if let Some(path) = self.path(&date) {
                let mut file = OpenOptions::new().append(true).create(true).open(path)?;
                file.write_all(&lines)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_comes_out_by_date_from_memory_and_disk() {
        let mut spool = Spool::default();
        let day = |number: i8| (number < 3).then(|| jiff::civil::date(2026, 11, number + 1));
        let object = |number: u64| Listed {
            key: format!("a \"b\"\n{number}"),
            bytes: number,
            etag: number.is_multiple_of(2).then(|| "e".to_owned()),
        };
        let mut expected: BTreeMap<String, Vec<Listed>> = BTreeMap::new();
        for number in 0..400_u64 {
            let date = day(i8::try_from(number % 4).unwrap());
            spool.push(date, &object(number));
            let name = date.map_or("none".to_owned(), |date| date.to_string());
            expected.entry(name).or_default().push(object(number));
            if number % 50 == 49 && number < 300 {
                spool.spill_beyond(0).unwrap();
                assert!(spool.held.is_empty() && spool.folder.is_some());
            }
        }
        assert_eq!(spool.len(), 400);
        assert!(spool.dates().eq(expected.keys()));
        for (date, objects) in &expected {
            assert_eq!(&spool.take(date).unwrap(), objects);
            assert_eq!(spool.take(date).unwrap(), []);
        }
        assert_eq!((spool.len(), spool.held_bytes), (0, 0));
    }
}
