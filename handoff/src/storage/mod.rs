//! Where a lake lies: a folder, or a prefix of an S3 bucket, behind one blocking interface.
//!
//! Keys are relative, use `/` and never leave the lake. A write is whole or absent: beside and renamed in a folder,
//! one put in S3.

mod cache;
mod local;
mod s3;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

pub use local::Folder;
pub use s3::Bucket;

pub(crate) use cache::hex;

use crate::run::FileEntry;

/// A storage operation that failed: what, where, why.
#[derive(Debug, thiserror::Error)]
#[error("{location}/{key}: {message}")]
pub struct StorageError {
    location: String,
    key: String,
    message: String,
    gone: bool,
}

impl StorageError {
    pub(crate) fn new(location: impl fmt::Display, key: &str, message: impl fmt::Display) -> Self {
        Self {
            location: location.to_string(),
            key: key.to_owned(),
            message: crate::text::printable(&message.to_string()).into_owned(),
            gone: false,
        }
    }

    /// An object that is not there any more, or not as it was listed.
    pub(crate) fn gone(location: impl fmt::Display, key: &str, message: &str) -> Self {
        Self {
            gone: true,
            ..Self::new(location, key, message)
        }
    }

    /// Whether the object was removed or replaced since it was listed: trying again is of no use.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// An error of something done for `key` that is not the storage's own.
    pub fn other(lake: &Storage, key: &str, message: &dyn fmt::Display) -> Self {
        Self::new(lake, key, message)
    }
}

/// A lake's storage.
#[derive(Debug)]
pub enum Storage {
    /// A folder of this machine.
    Local(Folder),
    /// A prefix of a bucket.
    S3(Bucket),
}

/// An object of a lake, as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Key, relative to the lake.
    pub key: String,
    /// Size in bytes.
    pub bytes: u64,
    /// What S3 says of the content; files have none.
    pub etag: Option<String>,
}

/// What lies directly under a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Names of folders, sorted.
    pub folders: Vec<String>,
    /// Objects, sorted by key.
    pub objects: Vec<Listed>,
}

/// An object that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Its content.
    pub bytes: Vec<u8>,
    /// What its writer noted of it in S3 (`x-amz-meta-*`, without that beginning); files have none.
    pub metadata: BTreeMap<String, String>,
}

impl Storage {
    /// Opens `s3://bucket/prefix` or a folder, which need not exist yet.
    ///
    /// # Errors
    /// When the location is not well formed.
    pub fn open(location: &str) -> Result<Self, StorageError> {
        Self::open_as(location, None)
    }

    /// As [`Storage::open`], with the credentials of a named AWS profile.
    ///
    /// # Errors
    /// When the location is not well formed.
    pub fn open_as(location: &str, profile: Option<&str>) -> Result<Self, StorageError> {
        if let Some(rest) = location.strip_prefix("s3://") {
            return Ok(Self::S3(Bucket::open(rest, profile)?));
        }
        if let Some((scheme, _)) = location.split_once("://") {
            return Err(StorageError::new(
                location,
                "",
                format!("{scheme}:// is not supported: give a folder or s3://bucket/prefix"),
            ));
        }
        Ok(Self::Local(Folder::new(Path::new(location))))
    }

    /// Writes an object whole, replacing what was there.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StorageError> {
        check(self, key)?;
        match self {
            Self::Local(folder) => folder.put(key, bytes),
            Self::S3(bucket) => bucket.put(key, bytes),
        }
    }

    /// Writes an object unless there is one of that name; false when there was.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn put_new(&self, key: &str, bytes: &[u8]) -> Result<bool, StorageError> {
        check(self, key)?;
        match self {
            Self::Local(folder) => folder.put_new(key, bytes),
            Self::S3(bucket) => bucket.put_new(key, bytes),
        }
    }

    /// Moves a finished file of this machine into the lake.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn put_file(&self, key: &str, file: tempfile::NamedTempFile) -> Result<(), StorageError> {
        check(self, key)?;
        match self {
            Self::Local(folder) => folder.put_file(key, file),
            Self::S3(bucket) => bucket.put_file(key, file),
        }
    }

    /// Moves finished files into the lake, several at a time where that is faster.
    ///
    /// # Errors
    /// When the storage fails; files already moved stay, which is harmless before the record is written.
    pub fn put_files(
        &self,
        files: Vec<(String, tempfile::NamedTempFile)>,
    ) -> Result<(), StorageError> {
        for (key, _) in &files {
            check(self, key)?;
        }
        match self {
            Self::Local(folder) => files
                .into_iter()
                .try_for_each(|(key, file)| folder.put_file(&key, file)),
            Self::S3(bucket) => bucket.put_files(files),
        }
    }

    /// A place for a file that [`Storage::put_file`] will move: on the lake's own disk where it has one.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn scratch_file(&self) -> Result<tempfile::NamedTempFile, StorageError> {
        match self {
            Self::Local(folder) => folder.scratch_file(),
            Self::S3(_) => tempfile::NamedTempFile::new().map_err(|error| {
                StorageError::new(self, "", format!("can't make a temporary file: {error}"))
            }),
        }
    }

    /// Removes what writers that were killed left unfinished, and says how much; what others are writing stays.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn remove_abandoned(&self) -> Result<u64, StorageError> {
        match self {
            Self::Local(folder) => folder.remove_abandoned(),
            // Their unfinished files are temporary ones of the machine that ran them.
            Self::S3(_) => Ok(0),
        }
    }

    /// Reads an object; `None` when there is none.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        check(self, key)?;
        match self {
            Self::Local(folder) => folder.get(key),
            Self::S3(bucket) => bucket.get(key),
        }
    }

    /// Whether there is an object of that name.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn exists(&self, key: &str) -> Result<bool, StorageError> {
        check(self, key)?;
        match self {
            Self::Local(folder) => Ok(folder.path(key).is_file()),
            Self::S3(bucket) => bucket.exists(key),
        }
    }

    /// Removes an object; nothing happens when there is none.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn remove(&self, key: &str) -> Result<(), StorageError> {
        check(self, key)?;
        match self {
            Self::Local(folder) => folder.remove(key),
            Self::S3(bucket) => bucket.remove(key),
        }
    }

    /// Objects under a folder of the lake, sorted by key.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn list(&self, folder: &str) -> Result<Vec<Listed>, StorageError> {
        self.list_range(folder, "", &|_| true)
    }

    /// Objects under a folder whose keys come after `after`, as far as `within` holds, which must be a range; sorted by key.
    ///
    /// In S3 nothing before `after` and little beyond the end is listed, which is what makes a part of a large trail
    /// cheap to look at.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn list_range(
        &self,
        folder: &str,
        after: &str,
        within: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Listed>, StorageError> {
        let mut listed = Vec::new();
        self.visit_range(folder, after, within, &mut |object| listed.push(object))?;
        listed.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(listed)
    }

    /// Gives `each` what [`Storage::list_range`] lists, one object after the other and in no order: a trail can have more
    /// of them than memory should hold.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn visit_range(
        &self,
        folder: &str,
        after: &str,
        within: &dyn Fn(&str) -> bool,
        each: &mut dyn FnMut(Listed),
    ) -> Result<(), StorageError> {
        check(self, folder)?;
        let mut in_range = |object: Listed| {
            if object.key.as_str() > after && within(&object.key) {
                each(object);
            }
        };
        match self {
            Self::Local(local) => local.visit(folder, &mut in_range),
            Self::S3(bucket) => bucket.visit_range(folder, after, within, &mut in_range),
        }
    }

    /// Folders and objects directly under a folder.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn level(&self, folder: &str) -> Result<Level, StorageError> {
        check(self, folder)?;
        let mut level = match self {
            Self::Local(local) => local.level(folder)?,
            Self::S3(bucket) => bucket.level(folder)?,
        };
        level.folders.sort();
        level.objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(level)
    }

    /// Reads objects, several at a time where that is faster, each as it was listed: one that is gone or was changed
    /// since is an error of its own.
    pub fn get_listed(&self, objects: &[Listed]) -> Vec<Result<Vec<u8>, StorageError>> {
        let fetched = self.fetch_listed(objects).into_iter();
        fetched.map(|object| Ok(object?.bytes)).collect()
    }

    /// As [`Storage::get_listed`], with the objects' metadata.
    pub fn fetch_listed(&self, objects: &[Listed]) -> Vec<Result<Fetched, StorageError>> {
        match self {
            Self::Local(folder) => objects
                .iter()
                .map(|object| {
                    check(self, &object.key)?;
                    let gone =
                        || StorageError::gone(self, &object.key, "is gone since it was listed");
                    Ok(Fetched {
                        bytes: folder.get(&object.key)?.ok_or_else(gone)?,
                        metadata: BTreeMap::new(),
                    })
                })
                .collect(),
            Self::S3(bucket) => bucket.fetch_listed(objects),
        }
    }

    /// Paths on this machine of listed objects, in their order: the files themselves, or copies of S3 objects, cached
    /// under key and ETag.
    ///
    /// # Errors
    /// When an object can't be read, or has changed since it was listed.
    pub fn local_copies(&self, objects: &[Listed]) -> Result<Vec<PathBuf>, StorageError> {
        for object in objects {
            check(self, &object.key)?;
        }
        match self {
            Self::Local(folder) => Ok(objects
                .iter()
                .map(|object| folder.path(&object.key))
                .collect()),
            Self::S3(bucket) => cache::fetch_listed(bucket, objects),
        }
    }

    /// Names of the folders directly under a folder, sorted.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn folders(&self, folder: &str) -> Result<Vec<String>, StorageError> {
        Ok(self.level(folder)?.folders)
    }

    /// Paths on this machine of a run's files, in their order: the files themselves, or cached copies of S3 objects.
    ///
    /// # Errors
    /// When a file is missing, or is not the one its record lists.
    pub fn local_paths(&self, files: &[FileEntry]) -> Result<Vec<PathBuf>, StorageError> {
        for file in files {
            check(self, &file.path)?;
        }
        match self {
            Self::Local(folder) => files.iter().map(|file| folder.listed_path(file)).collect(),
            Self::S3(bucket) => cache::fetch(bucket, files),
        }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(folder) => folder.fmt(f),
            Self::S3(bucket) => bucket.fmt(f),
        }
    }
}

/// A record is input too: its paths must not lead out of the lake.
fn check(lake: &Storage, key: &str) -> Result<(), StorageError> {
    let sound = !key.starts_with('/')
        && !key.contains('\0')
        && key.split('/').all(|part| part != ".." && part != ".");
    if sound {
        Ok(())
    } else {
        Err(StorageError::new(
            lake,
            key,
            "the path leads out of the lake",
        ))
    }
}
