//! Rows put in order with bounded memory: they wait in a file that nobody else sees, only their keys in memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Rows of several sorters, one after the other.
#[derive(Debug, Default)]
pub struct Spool {
    file: Option<File>,
    end: u64,
}

/// The order of one table's rows. All rows of a sorter are in one spool.
#[derive(Debug, Default)]
pub struct Sorter {
    entries: Vec<Entry>,
}

/// A row's key, a hash of its content that decides between equal keys, and where it is.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    key: Box<str>,
    hash: u64,
    offset: u64,
    length: usize,
}

impl Spool {
    fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.write_all_at(bytes, self.end)?;
        let offset = self.end;
        self.end += bytes.len() as u64;
        Ok(offset)
    }

    fn read(&self, entry: &Entry) -> io::Result<Value> {
        let file = self
            .file
            .as_ref()
            .ok_or_else(|| io::Error::other("an empty spool has no rows"))?;
        let mut bytes = vec![0; entry.length];
        file.read_exact_at(&mut bytes, entry.offset)?;
        Ok(serde_json::from_slice(&bytes)?)
    }
}

impl Sorter {
    /// Adds a row.
    ///
    /// # Errors
    ///
    /// When the disk for temporary files is full.
    pub fn push(&mut self, spool: &mut Spool, key: &[&str], row: &Value) -> io::Result<()> {
        let bytes = serde_json::to_vec(row)?;
        let mut hash = [0; 8];
        hash.copy_from_slice(&Sha256::digest(&bytes)[..8]);
        self.entries.push(Entry {
            key: key.join("\0").into_boxed_str(),
            hash: u64::from_be_bytes(hash),
            offset: spool.append(&bytes)?,
            length: bytes.len(),
        });
        Ok(())
    }

    /// The rows, sorted by key; rows of one key in an order that their content decides.
    pub fn sorted(mut self, spool: &Spool) -> impl Iterator<Item = io::Result<Value>> {
        self.entries.sort();
        self.entries.into_iter().map(|entry| spool.read(&entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_come_back_in_order_whatever_order_they_came_in() {
        let rows = [
            ("b", json!([1])),
            ("a", json!([2])),
            ("b", json!([0])),
            ("a", json!("ü")),
        ];
        let order = |indexes: [usize; 4]| -> Vec<Value> {
            let (mut spool, mut sorter) = (Spool::default(), Sorter::default());
            for index in indexes {
                sorter
                    .push(&mut spool, &[rows[index].0], &rows[index].1)
                    .unwrap();
            }
            sorter.sorted(&spool).collect::<Result<_, _>>().unwrap()
        };
        let first = order([0, 1, 2, 3]);
        assert_eq!(first, order([3, 2, 1, 0]));
        assert!(first[..2].contains(&json!([2])));
    }
}
