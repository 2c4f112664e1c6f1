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

/// What a look at a source found and left out.
#[derive(Debug, Default)]
pub struct LeftOut {
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
    pub fn list(&self, window: Window) -> anyhow::Result<Vec<Object>> {
        let mut found = Vec::new();
        self.visit(window, &Known::default(), &mut |_, object| {
            found.push(object)
        })?;
        self.identify(found)
    }

    /// Looks for objects, which `each` gets in no order with the dates of their paths.
    ///
    /// # Errors
    /// When a folder can't be listed.
    pub fn visit(
        &self,
        window: Window,
        known: &Known,
        each: &mut dyn FnMut(Option<Date>, Listed),
    ) -> anyhow::Result<LeftOut> {
        let mut visit = Visit {
            base: &self.base,
            window,
            known,
            each,
            left_out: LeftOut::default(),
        };
        if let Some(name) = &self.only {
            let level = self.storage.level("")?;
            let object = level.objects.into_iter().find(|object| object.key == *name);
            let object = object.with_context(|| format!("{}{name}: no such object", self.base))?;
            (visit.each)(layout::object_date(&format!("{}{name}", self.base)), object);
            return Ok(visit.left_out);
        }
        let mut pending = vec![String::new()];
        while let Some(folder) = pending.pop() {
            self.look(&folder, &mut pending, &mut visit)?;
        }
        Ok(visit.left_out)
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
                self.visit_region(&folder, window, &mut |object| found.push(object))?;
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
        pending: &mut Vec<String>,
        visit: &mut Visit<'_>,
    ) -> anyhow::Result<()> {
        let path = self.path(folder);
        let Window { since, until } = visit.window;
        if layout::is_region_folder(&path) {
            let is_known = visit.known.roots.contains(&path);
            let floor = visit.known.since.filter(|_| is_known);
            let since = floor.max(since);
            let window = Window { since, until };
            return self.visit_region(folder, window, &mut |object| visit.keep(object, window));
        }
        let level = self.storage.level(folder)?;
        for object in level.objects {
            visit.keep(object, visit.window);
        }
        for name in level.folders {
            let folder = join(folder, &name);
            let path = self.path(&folder);
            if let Some(kind) = layout::other_kind(&path) {
                *visit.left_out.other.entry(kind).or_default() += 1;
            } else if visit.may_hold(&path) {
                pending.push(folder);
            }
        }
        Ok(())
    }

    /// A folder's full path, which tells more than its part below the source.
    fn path(&self, folder: &str) -> String {
        format!("{}{folder}", self.base)
    }

    fn visit_region(
        &self,
        folder: &str,
        window: Window,
        each: &mut dyn FnMut(Listed),
    ) -> anyhow::Result<()> {
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
        Ok(self.storage.visit_range(folder, &after, &within, each)?)
    }

    /// Tells the versions of what was found apart, and sorts it by key.
    ///
    /// # Errors
    /// When a file can't be read.
    pub fn identify(&self, found: Vec<Listed>) -> anyhow::Result<Vec<Object>> {
        let identify = |listed: Listed| -> anyhow::Result<Object> {
            let etag = match &listed.etag {
                Some(etag) if self.is_remote() => etag.clone(),
                _ => self.digest(&listed)?,
            };
            let key = format!("{}{}", self.base, listed.key);
            Ok(Object {
                date: layout::object_date(&key),
                key,
                etag,
                listed,
            })
        };
        let identified = found.into_par_iter().map(identify);
        let mut objects = identified.collect::<anyhow::Result<Vec<Object>>>()?;
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(objects)
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

/// A look at a source.
struct Visit<'v> {
    base: &'v str,
    window: Window,
    known: &'v Known,
    each: &'v mut dyn FnMut(Option<Date>, Listed),
    left_out: LeftOut,
}

impl Visit<'_> {
    fn keep(&mut self, object: Listed, window: Window) {
        let path = format!("{}{}", self.base, object.key);
        let date = layout::object_date(&path);
        if let Some(kind) = layout::other_kind(&path) {
            *self.left_out.other.entry(kind).or_default() += 1;
        } else if !is_trail_name(&path) {
            self.left_out.ignored += 1;
        } else if date.is_none_or(|date| window.overlaps(date, date)) {
            (self.each)(date, object);
        }
    }

    /// Whether there can be something new in a folder, by the dates that its path covers.
    fn may_hold(&self, path: &str) -> bool {
        layout::dated(path).is_none_or(|dated| {
            let floor = self
                .known
                .since
                .filter(|_| self.known.roots.contains(dated.root));
            self.window.overlaps(dated.first, dated.last)
                && floor.is_none_or(|floor| dated.last >= floor)
        })
    }
}

fn is_trail_name(name: &str) -> bool {
    [".json", ".json.gz", ".gz", ".ndjson", ".jsonl"]
        .iter()
        .any(|ending| name.ends_with(ending))
}
