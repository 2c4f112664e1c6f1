//! Copies of a bucket's objects on this machine, so that a reader fetches only what it has not seen.
//!
//! A copy is named by its SHA-256, taken from the run record: it can't go stale, and one that is damaged is
//! fetched again. Objects of one content are kept once.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{Bucket, Listed, StorageError};
use crate::run::FileEntry;

/// Objects fetched at a time; latency, not bandwidth, is what a lake of small files costs.
const PARALLEL: usize = 16;

pub(super) fn fetch(bucket: &Bucket, files: &[FileEntry]) -> Result<Vec<PathBuf>, StorageError> {
    let folder = folder(bucket)?;
    let paths: Vec<PathBuf> = files
        .iter()
        .map(|file| folder.join(format!("{}.parquet", file.sha256)))
        .collect();
    let mut missing: Vec<(&FileEntry, &PathBuf)> = files
        .iter()
        .zip(&paths)
        .filter(|(file, path)| !is_cached(file, path))
        .collect();
    missing.sort_by(|a, b| a.1.cmp(b.1));
    missing.dedup_by(|a, b| a.1 == b.1);
    for batch in missing.chunks(PARALLEL) {
        let keys: Vec<&str> = batch.iter().map(|(file, _)| file.path.as_str()).collect();
        for ((file, path), bytes) in batch.iter().zip(bucket.get_many(&keys)?) {
            keep(bucket, file, path, bytes.as_deref())?;
        }
    }
    Ok(paths)
}

/// Copies named by where they come from and by ETag: what S3 overwrites gets another.
pub(super) fn fetch_listed(
    bucket: &Bucket,
    objects: &[Listed],
) -> Result<Vec<PathBuf>, StorageError> {
    let folder = folder(bucket)?;
    let name = |object: &Listed| {
        let etag = object.etag.as_deref().unwrap_or_default();
        let name = Sha256::digest(format!("{bucket}\n{}\n{etag}", object.key));
        folder.join(format!("{}.parquet", hex(&name)))
    };
    let paths: Vec<PathBuf> = objects.iter().map(name).collect();
    let missing: Vec<(&Listed, &PathBuf)> = objects
        .iter()
        .zip(&paths)
        .filter(|(object, path)| {
            object.etag.is_none()
                || !fs::metadata(path).is_ok_and(|metadata| metadata.len() == object.bytes)
        })
        .collect();
    for batch in missing.chunks(PARALLEL) {
        let wanted: Vec<Listed> = batch.iter().map(|(object, _)| (*object).clone()).collect();
        for ((object, path), fetched) in batch.iter().zip(bucket.fetch_listed(&wanted)) {
            store(bucket, &object.key, path, &fetched?.bytes)?;
        }
    }
    Ok(paths)
}

fn folder(bucket: &Bucket) -> Result<PathBuf, StorageError> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let base = base
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir);
    let folder = base.join("sevenwalls").join("objects");
    fs::create_dir_all(&folder).map_err(|error| {
        StorageError::new(
            bucket,
            "",
            format!("can't make the cache folder {}: {error}", folder.display()),
        )
    })?;
    Ok(folder)
}

fn is_cached(file: &FileEntry, path: &Path) -> bool {
    file.sha256.len() == 64
        && file.sha256.bytes().all(|b| b.is_ascii_hexdigit())
        && fs::metadata(path).is_ok_and(|metadata| metadata.len() == file.bytes)
}

fn keep(
    bucket: &Bucket,
    file: &FileEntry,
    path: &Path,
    bytes: Option<&[u8]>,
) -> Result<(), StorageError> {
    let fail = |message: String| StorageError::new(bucket, &file.path, message);
    let bytes = bytes
        .ok_or_else(|| fail("is listed in its run record, but is not in the bucket".to_owned()))?;
    if hex(&Sha256::digest(bytes)) != file.sha256 {
        return Err(fail(
            "is not the file its run record lists: run the tool that wrote it again".to_owned(),
        ));
    }
    store(bucket, &file.path, path, bytes)
}

fn store(bucket: &Bucket, key: &str, path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    let fail = |message: String| StorageError::new(bucket, key, message);
    let parent = path.parent().unwrap_or(Path::new("."));
    let mut copy =
        tempfile::NamedTempFile::new_in(parent).map_err(|error| fail(error.to_string()))?;
    std::io::Write::write_all(&mut copy, bytes).map_err(|error| fail(error.to_string()))?;
    copy.persist(path)
        .map(drop)
        .map_err(|error| fail(error.to_string()))
}

/// Bytes as lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
