//! Where trails lie, and which of their objects a run looks at.
//!
//! A source is a file, a folder or a prefix in S3. Objects of S3 are identified by URL and ETag; files by their path
//! below the source and their SHA-256, so that a lake does not depend on where somebody keeps copies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use handoff::shell::Hinted;
use handoff::storage::{Listed, Storage};
use jiff::civil::Date;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use sha2::{Digest as _, Sha256};

use super::decode::OtherKind;
use super::layout;

/// Dates of paths to look at, both included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// First day.
    pub since: Option<Date>,
    /// Last day.
    pub until: Option<Date>,
}

impl Window {
    /// Whether any of the days from `first` to `last` is among them.
    pub fn overlaps(&self, first: Date, last: Date) -> bool {
        self.since.is_none_or(|since| last >= since)
            && self.until.is_none_or(|until| first <= until)
    }
}

/// What is known of a source from earlier runs: roots of dated paths seen lately need no look before `since`.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// First day to list of a known root.
    pub since: Option<Date>,
    /// Paths before the date.
    pub roots: BTreeSet<String>,
}

/// An object of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What names it in the lake.
    pub key: String,
    /// What tells its content from others under that key.
    pub etag: String,
    /// Where it lies in the source's storage.
    pub listed: Listed,
    /// Date of its path.
    pub date: Option<Date>,
}

/// What a look at a source found.
#[derive(Debug, Default)]
pub struct Listing {
    /// Objects that hold events, or may.
    pub objects: Vec<Object>,
    /// Folders and objects of other kinds, by kind.
    pub other: BTreeMap<OtherKind, u64>,
    /// Objects whose names end with neither .json nor .gz nor their like.
    pub ignored: u64,
}

/// A source that was opened.
#[derive(Debug)]
pub struct Source {
    storage: Storage,
    /// The one object wanted, when the source is no folder.
    only: Option<String>,
    /// `s3://bucket/prefix/`, or empty.
    base: String,
}

impl Source {
    /// Opens `s3://bucket/prefix`, a folder or a file.
    ///
    /// # Errors
    /// When there is no such file, or the location is not well formed.
    pub fn open(location: &str, profile: Option<&str>) -> anyhow::Result<Self> {
        if location.starts_with("s3://") {
            let (folder, only) = match location.rsplit_once('/') {
                Some((folder, name)) if is_trail_name(name) => (folder, Some(name.to_owned())),
                _ => (location, None),
            };
            let storage = Storage::open_as(folder, profile)?;
            let base = format!("{storage}/");
            return Ok(Self {
                storage,
                only,
                base,
            });
        }
        let path = Path::new(location);
        let metadata = std::fs::metadata(path).map_err(|error| {
            let hint = "a source is a file, a folder or s3://bucket/prefix";
            Hinted::new(format!("{location}: {error}"), hint)
        })?;
        let (folder, only) = if metadata.is_dir() {
            (path, None)
        } else {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.with_context(|| format!("{location}: the name is no UTF-8"))?;
            (
                path.parent().unwrap_or(Path::new("")),
                Some(name.to_owned()),
            )
        };
        let folder = folder
            .to_str()
            .with_context(|| format!("{location}: the path is no UTF-8"))?;
        Ok(Self {
            storage: Storage::open(folder)?,
            only,
            base: String::new(),
        })
    }

    /// What keys of this source begin with; empty for files.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether the source is in S3, where listing is what costs.
    pub fn is_remote(&self) -> bool {
        matches!(self.storage, Storage::S3(_))
    }

    /// The storage its objects are read from.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The object that an earlier listing called `key`, if it is of this source.
    pub fn object(&self, key: &str, etag: &str, bytes: u64) -> Option<Object> {
        let relative = key.strip_prefix(&self.base).filter(|_| self.is_remote())?;
        Some(Object {
            key: key.to_owned(),
            etag: etag.to_owned(),
            listed: Listed {
                key: relative.to_owned(),
                bytes,
                etag: Some(etag.to_owned()),
            },
            date: layout::object_date(key),
        })
    }

    /// Looks for objects.
    ///
    /// # Errors
    /// When a folder can't be listed or a file not be read.
    pub fn list(&self, window: Window, known: &Known) -> anyhow::Result<Listing> {
        let mut listing = Listing::default();
        let mut found = Vec::new();
        if let Some(name) = &self.only {
            let level = self.storage.level("")?;
            found.extend(
                level
                    .objects
                    .into_iter()
                    .filter(|object| object.key == *name),
            );
        } else {
            let mut pending = vec![String::new()];
            while let Some(folder) = pending.pop() {
                self.look(
                    &folder,
                    window,
                    known,
                    &mut pending,
                    &mut found,
                    &mut listing,
                )?;
            }
        }
        if found.is_empty() && self.only.is_some() {
            anyhow::bail!(
                "{}{}: no such object",
                self.base,
                self.only.as_deref().unwrap_or_default()
            );
        }
        listing.objects = self.identify(found)?;
        listing.objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(listing)
    }

    /// Looks for digests, from a day on.
    ///
    /// # Errors
    /// When a folder can't be listed or a file not be read.
    pub fn digests(&self, since: Option<Date>) -> anyhow::Result<Vec<Object>> {
        if self.only.is_some() {
            return Ok(Vec::new());
        }
        let window = Window { since, until: None };
        let mut found = Vec::new();
        let mut pending = vec![String::new()];
        while let Some(folder) = pending.pop() {
            if layout::is_digest_region_folder(&self.path(&folder)) {
                found.extend(self.region_objects(&folder, window)?);
                continue;
            }
            let level = self.storage.level(&folder)?;
            found.extend(level.objects);
            for name in level.folders {
                let folder = join(&folder, &name);
                let path = self.path(&folder);
                let may_hold = matches!(layout::other_kind(&path), None | Some(OtherKind::Digest));
                if may_hold && !layout::is_region_folder(&path) {
                    pending.push(folder);
                }
            }
        }
        found.retain(|object| {
            let date = layout::digest_date(&object.key);
            layout::is_digest_name(&object.key)
                && date.is_none_or(|date| window.overlaps(date, date))
        });
        self.identify(found)
    }

    fn look(
        &self,
        folder: &str,
        window: Window,
        known: &Known,
        pending: &mut Vec<String>,
        found: &mut Vec<Listed>,
        listing: &mut Listing,
    ) -> anyhow::Result<()> {
        let path = self.path(folder);
        if layout::is_region_folder(&path) {
            let since = if known.roots.contains(&path) {
                known.since.max(window.since)
            } else {
                window.since
            };
            let range = Window { since, ..window };
            for object in self.region_objects(folder, range)? {
                keep(object, &self.base, range, found, listing);
            }
            return Ok(());
        }
        let level = self.storage.level(folder)?;
        for object in level.objects {
            keep(object, &self.base, window, found, listing);
        }
        for name in level.folders {
            let folder = join(folder, &name);
            let path = self.path(&folder);
            if let Some(kind) = layout::other_kind(&path) {
                *listing.other.entry(kind).or_default() += 1;
                continue;
            }
            let inside = layout::dated(&path).is_none_or(|dated| {
                let floor = known.since.filter(|_| known.roots.contains(dated.root));
                window.overlaps(dated.first, dated.last)
                    && floor.is_none_or(|floor| dated.last >= floor)
            });
            if inside {
                pending.push(folder);
            }
        }
        Ok(())
    }

    /// A folder's full path, which tells more than its part below the source.
    fn path(&self, folder: &str) -> String {
        format!("{}{folder}", self.base)
    }

    fn region_objects(&self, folder: &str, window: Window) -> anyhow::Result<Vec<Listed>> {
        let prefix = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let day = |date: Date| format!("{prefix}{}", date.strftime("%Y/%m/%d"));
        let after = window.since.map(day).unwrap_or_default();
        // `~` comes after every character of the names AWS gives.
        let end = window.until.map(|until| format!("{}/~", day(until)));
        let within = |key: &str| end.as_deref().is_none_or(|end| key <= end);
        Ok(self.storage.list_range(folder, &after, &within)?)
    }

    fn identify(&self, found: Vec<Listed>) -> anyhow::Result<Vec<Object>> {
        let is_remote = self.is_remote();
        found
            .into_par_iter()
            .map(|listed| {
                let etag = match &listed.etag {
                    Some(etag) if is_remote => etag.clone(),
                    _ => self.digest(&listed)?,
                };
                let key = format!("{}{}", self.base, listed.key);
                Ok(Object {
                    date: layout::object_date(&key),
                    key,
                    etag,
                    listed,
                })
            })
            .collect()
    }

    fn digest(&self, listed: &Listed) -> anyhow::Result<String> {
        let Storage::Local(folder) = &self.storage else {
            // S3 always tells an ETag; without one, time and content can't be told apart.
            anyhow::bail!("{}{}: listed without an ETag", self.base, listed.key);
        };
        let path = folder.path(&listed.key);
        let read = || -> std::io::Result<String> {
            let mut hash = Sha256::new();
            let mut file = std::fs::File::open(&path)?;
            let mut buffer = vec![0; 256 << 10];
            loop {
                match std::io::Read::read(&mut file, &mut buffer)? {
                    0 => return Ok(hex(&hash.finalize())),
                    length => hash.update(&buffer[..length]),
                }
            }
        };
        read().with_context(|| path.display().to_string())
    }
}

/// SHA-256 of bytes, as files are identified by it.
pub fn content_etag(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

fn keep(
    object: Listed,
    base: &str,
    window: Window,
    found: &mut Vec<Listed>,
    listing: &mut Listing,
) {
    let path = format!("{base}{}", object.key);
    if let Some(kind) = layout::other_kind(&path) {
        *listing.other.entry(kind).or_default() += 1;
    } else if !is_trail_name(&path) {
        listing.ignored += 1;
    } else if layout::object_date(&path).is_none_or(|date| window.overlaps(date, date)) {
        found.push(object);
    }
}

fn is_trail_name(name: &str) -> bool {
    [".json", ".json.gz", ".gz", ".ndjson", ".jsonl"]
        .iter()
        .any(|ending| name.ends_with(ending))
}
