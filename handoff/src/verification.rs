//! Which objects of a trail AWS's digests prove, as `collect cloudtrail --verify` found it.
//!
//! ```text
//! cloudtrail_verification/source=<hash>/<number>.parquet
//! ```
//!
//! Each verification of a source writes one file, with a row for every log object, every digest and every stretch of
//! time. Readers MUST take of each source the file with the highest number, see [`files`]; those before it are history.

use crate::contract::ColumnType::{Bool, String as Text, Timestamp};
use crate::contract::TableSchema;
use crate::storage::{Listed, Storage, StorageError};

/// Folder of the verifications.
pub const VERIFICATION: &str = "cloudtrail_verification";

/// Key of the verification of a source with this number; numbers start at 1. `source` is a hash of its location.
pub fn key(source: &str, number: u32) -> String {
    format!("{VERIFICATION}/source={source}/{number:06}.parquet")
}

/// Number of the newest verification of a source, 0 without one.
///
/// # Errors
/// When the storage fails.
pub fn newest_number(lake: &Storage, source: &str) -> Result<u32, StorageError> {
    let listed = lake.list(&format!("{VERIFICATION}/source={source}"))?;
    let numbers = listed.iter().filter_map(|file| number(&file.key));
    Ok(numbers.max().unwrap_or_default())
}

/// The files that count: the newest of each source.
///
/// # Errors
/// When the storage fails.
pub fn files(lake: &Storage) -> Result<Vec<Listed>, StorageError> {
    let mut newest: Vec<Listed> = Vec::new();
    // Sorted by key, and numbers have six digits: the newest of a folder is its last.
    for file in lake.list(VERIFICATION)? {
        if number(&file.key).is_none() {
            continue;
        }
        match newest.last_mut() {
            Some(last) if folder(&last.key) == folder(&file.key) => *last = file,
            _ => newest.push(file),
        }
    }
    Ok(newest)
}

fn folder(key: &str) -> &str {
    key.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn number(key: &str) -> Option<u32> {
    let name = crate::trail::file_name(key).strip_suffix(".parquet")?;
    name.parse().ok().filter(|_| name.len() == 6)
}

/// `cloudtrail_verification`: what is proven of a trail, and what isn't.
pub fn cloudtrail_verification() -> TableSchema {
    TableSchema::new(
        "cloudtrail_verification",
        "a log object, a digest or a stretch of time of a trail, and whether AWS's signatures prove it; of each source \
         the newest verification counts",
        &[
            (
                "account_id",
                Text,
                "account whose log it is, 12 digits; null for an object whose name does not tell",
            ),
            ("region", Text, "region of the log"),
            (
                "trail",
                Text,
                "trail that wrote the digest; null for an object that no digest names",
            ),
            ("kind", Text, "log, digest or hours"),
            (
                "source_key",
                Text,
                "the object, as in `cloudtrail_ledger`; of one that is missing `s3://` and where the digest says it \
                 should be; null for hours",
            ),
            (
                "source_etag",
                Text,
                "its ETag; of a file the SHA-256; null when it is missing",
            ),
            (
                "status",
                Text,
                "proven; changed (it is not what was signed); missing (a digest names it and it is not there); unproven \
                 (nothing proves or disproves it); pending (younger than the newest proven digest by hours: the digest \
                 to prove it is still to come)",
            ),
            ("reason", Text, "why it is not proven"),
            (
                "starts_at",
                Timestamp,
                "begin of a digest's or a stretch's time; time in a log object's name",
            ),
            (
                "ends_at",
                Timestamp,
                "end of a digest's or a stretch's time",
            ),
            (
                "digest_key",
                Text,
                "digest that tells of the log object, as `s3://` and its own path",
            ),
            (
                "is_backfill",
                Bool,
                "whether the digest adds objects that an earlier one lacks; such a digest proves objects, not hours",
            ),
            (
                "ingested",
                Bool,
                "whether the lake has read this version of the log object",
            ),
            ("source", Text, "the location that was verified"),
            ("verified_at", Timestamp, "when it was verified"),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_source_the_newest_counts() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Storage::open(folder.path().to_str().unwrap()).unwrap();
        assert_eq!(newest_number(&lake, "a").unwrap(), 0);
        for (source, number) in [("a", 1), ("a", 2), ("a", 10), ("b", 1)] {
            lake.put(&key(source, number), b"").unwrap();
        }
        lake.put("cloudtrail_verification/source=a/notes.txt", b"")
            .unwrap();
        assert_eq!(newest_number(&lake, "a").unwrap(), 10);
        let files = files(&lake).unwrap();
        let keys: Vec<&str> = files.iter().map(|file| file.key.as_str()).collect();
        assert_eq!(keys, [key("a", 10), key("b", 1)]);
    }
}
