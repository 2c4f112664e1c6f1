//! A lake in a folder. Files are written beside their place and renamed, so readers see whole files only.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{Level, Listed, StorageError};
use crate::run::FileEntry;

/// Folder for unfinished files, below the lake's root so that a rename never crosses file systems.
const SCRATCH: &str = ".unfinished";

/// A folder of this machine.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder at `root`; it is made with the first write.
    pub fn new(root: &Path) -> Self {
        Self {
            root: if root.as_os_str().is_empty() {
                PathBuf::from(".")
            } else {
                root.to_owned()
            },
        }
    }

    /// Path of an object.
    pub fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    fn error(&self, key: &str, error: &io::Error) -> StorageError {
        StorageError::new(self, key, error)
    }

    /// A file that stays locked while it is open, which tells it from those of processes that ended.
    pub(super) fn scratch_file(&self) -> Result<NamedTempFile, StorageError> {
        let folder = self.root.join(SCRATCH);
        let make = || -> io::Result<NamedTempFile> {
            fs::create_dir_all(&folder)?;
            loop {
                let file = NamedTempFile::new_in(&folder)?;
                // Where files can't be locked, nobody can take this one for abandoned either.
                let _ = file.as_file().lock();
                // Somebody who cleaned up may have been faster.
                if file.path().exists() {
                    return Ok(file);
                }
            }
        };
        make().map_err(|error| self.error(SCRATCH, &error))
    }

    pub(super) fn remove_abandoned(&self) -> Result<u64, StorageError> {
        let entries = match fs::read_dir(self.root.join(SCRATCH)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(self.error(SCRATCH, &error)),
        };
        let mut removed = 0;
        for entry in entries.flatten() {
            let path = entry.path();
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            // Removed under its lock, so that a writer that has just made it and waits for the lock sees it gone.
            if is_file
                && let Ok(file) = fs::File::open(&path)
                && file.try_lock().is_ok()
                && fs::remove_file(&path).is_ok()
            {
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn place(&self, key: &str) -> Result<PathBuf, StorageError> {
        let path = self.path(key);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| self.error(key, &error))?;
        }
        Ok(path)
    }

    fn written(&self, key: &str, bytes: &[u8]) -> Result<NamedTempFile, StorageError> {
        let mut file = self.scratch_file()?;
        file.write_all(bytes)
            .map_err(|error| self.error(key, &error))?;
        Ok(file)
    }

    pub(super) fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let file = self.written(key, bytes)?;
        self.put_file(key, file)
    }

    pub(super) fn put_new(&self, key: &str, bytes: &[u8]) -> Result<bool, StorageError> {
        let file = self.written(key, bytes)?;
        let path = self.place(key)?;
        self.make_durable(key, &file)?;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(self.error(key, &error.error)),
        }
    }

    pub(super) fn put_file(&self, key: &str, file: NamedTempFile) -> Result<(), StorageError> {
        let path = self.place(key)?;
        self.make_durable(key, &file)?;
        file.persist(path)
            .map(drop)
            .map_err(|error| self.error(key, &error.error))
    }

    /// Temporary files are private to their maker, a lake is to be read by others; and a record must not reach the
    /// disk before the files it lists.
    fn make_durable(&self, key: &str, file: &NamedTempFile) -> Result<(), StorageError> {
        use std::os::unix::fs::PermissionsExt as _;
        let shared = fs::Permissions::from_mode(0o644);
        file.as_file()
            .set_permissions(shared)
            .and_then(|()| file.as_file().sync_data())
            .map_err(|error| self.error(key, &error))
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        match fs::read(self.path(key)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error(key, &error)),
        }
    }

    pub(super) fn remove(&self, key: &str) -> Result<(), StorageError> {
        match fs::remove_file(self.path(key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.error(key, &error)),
            _ => Ok(()),
        }
    }

    pub(super) fn visit(
        &self,
        folder: &str,
        each: &mut dyn FnMut(Listed),
    ) -> Result<(), StorageError> {
        let mut pending = vec![folder.trim_end_matches('/').to_owned()];
        while let Some(folder) = pending.pop() {
            for entry in self.entries(&folder)? {
                let (name, entry) = entry?;
                let key = if folder.is_empty() {
                    name
                } else {
                    format!("{folder}/{name}")
                };
                let metadata = entry.metadata().map_err(|error| self.error(&key, &error))?;
                if metadata.is_dir() {
                    pending.push(key);
                } else {
                    each(Listed {
                        key,
                        bytes: metadata.len(),
                        etag: None,
                    });
                }
            }
        }
        Ok(())
    }

    pub(super) fn level(&self, folder: &str) -> Result<Level, StorageError> {
        let folder = folder.trim_end_matches('/');
        let mut level = Level::default();
        for entry in self.entries(folder)? {
            let (name, entry) = entry?;
            let key = if folder.is_empty() {
                name.clone()
            } else {
                format!("{folder}/{name}")
            };
            // A link to a folder is one, as it is for whoever made it.
            let metadata = fs::metadata(entry.path()).map_err(|error| self.error(&key, &error))?;
            if metadata.is_dir() {
                level.folders.push(name);
            } else {
                level.objects.push(Listed {
                    key,
                    bytes: metadata.len(),
                    etag: None,
                });
            }
        }
        Ok(level)
    }

    /// Names in a folder, with what they name; nothing when there is no such folder.
    fn entries(
        &self,
        folder: &str,
    ) -> Result<impl Iterator<Item = Result<(String, fs::DirEntry), StorageError>>, StorageError>
    {
        let reader = match fs::read_dir(self.path(folder)) {
            Ok(reader) => Some(reader),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(self.error(folder, &error)),
        };
        let named = move |entry: io::Result<fs::DirEntry>| match entry {
            // A name that is no UTF-8 is none of ours.
            Ok(entry) => {
                let name = entry.file_name().into_string().ok()?;
                (name != SCRATCH).then_some(Ok((name, entry)))
            }
            Err(error) => Some(Err(self.error(folder, &error))),
        };
        Ok(reader.into_iter().flatten().filter_map(named))
    }

    pub(super) fn listed_path(&self, file: &FileEntry) -> Result<PathBuf, StorageError> {
        let path = self.path(&file.path);
        let bytes = fs::metadata(&path)
            .map_err(|error| self.error(&file.path, &error))?
            .len();
        if bytes != file.bytes {
            return Err(StorageError::new(
                self,
                &file.path,
                format!(
                    "has {bytes} bytes, its run record says {}: run the tool that wrote it again",
                    file.bytes
                ),
            ));
        }
        Ok(path)
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_processes_left_is_removed_and_what_is_written_is_not() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        assert_eq!(folder.remove_abandoned().unwrap(), 0);
        let mut held = folder.scratch_file().unwrap();
        let left = root.path().join(SCRATCH).join("left");
        fs::File::create(&left).unwrap();
        assert_eq!(folder.remove_abandoned().unwrap(), 1);
        assert!(!left.exists());
        held.write_all(b"x").unwrap();
        folder.put_file("a/b", held).unwrap();
        assert_eq!(folder.get("a/b").unwrap().unwrap(), b"x");
    }
}
