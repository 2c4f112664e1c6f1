//! Who reads which object, and what became of it.
//!
//! Per date of the objects' paths there is a numbered series of *claims*: claim 7 is written only if there is no claim 7
//! yet, by somebody who has read claims 1 to 6, and names objects that none of those does. So no object is in two
//! claims, however many collectors work on one lake, and a claim without a *commit* of the same number is a batch that
//! was interrupted and is taken up as it stands, under the same names.
//!
//! A date is read when its objects are looked at, and forgotten afterwards: memory does not grow with the lake.

mod claim;
mod commit;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Context as _;
use handoff::storage::{Listed, Storage};
use handoff::trail;

pub use claim::{Claim, ClaimedObject, batch_name};
pub use commit::{Entry, Status, commit, committed_batch};

use super::source::Object;
use claim::VersionId;
use commit::Unsound;

/// Claims and commits read at a time.
const READ: usize = 16;

/// What is known of one date.
#[derive(Debug, Default)]
struct DateLedger {
    /// Numbers of the claims read.
    claimed: BTreeSet<u32>,
    /// Numbers of the commits read.
    committed: BTreeSet<u32>,
    /// Claims without a commit.
    open: BTreeMap<u32, Claim>,
    /// Objects that were read, or are being read, with the number of the last claim that names them.
    taken: HashMap<VersionId, u32>,
    /// Objects that could not be fetched.
    failed: Vec<ClaimedObject>,
    /// Folders of the objects.
    folders: BTreeSet<String>,
    /// Objects quarantined by earlier runs.
    quarantined: u64,
}

impl DateLedger {
    fn add_claim(&mut self, number: u32, claim: &Claim) {
        self.claimed.insert(number);
        for object in &claim.objects {
            let id = VersionId::of(&object.key, &object.etag);
            let last = self.taken.entry(id).or_default();
            *last = number.max(*last);
            let (folder, _) = object.key.rsplit_once('/').unwrap_or_default();
            if !self.folders.contains(folder) {
                self.folders.insert(folder.to_owned());
            }
        }
    }

    /// A commit releases what could not be fetched, unless a later claim took it again.
    fn add_commit(&mut self, number: u32, unsound: Unsound) {
        self.committed.insert(number);
        self.open.remove(&number);
        self.quarantined += unsound.quarantined;
        for object in unsound.failed {
            let id = VersionId::of(&object.key, &object.etag);
            if self.taken.get(&id) == Some(&number) {
                self.taken.remove(&id);
                self.failed.push(object);
            }
        }
    }

    fn is_taken(&self, key: &str, etag: &str) -> bool {
        self.taken.contains_key(&VersionId::of(key, etag))
    }
}

/// The ledger of a lake, read date by date.
pub struct Ledger<'a> {
    lake: &'a Storage,
    dates: BTreeMap<String, DateLedger>,
    /// Objects quarantined by earlier runs, by date; also of the dates that were forgotten.
    quarantined: BTreeMap<String, u64>,
}

fn folder(date: &str) -> String {
    format!("{}/object_date={date}", trail::LEDGER)
}

/// Ending of the mark of a commit with objects that could not be fetched. They may be older than what is listed of a
/// source, and must be found all the same.
const FAILED: &str = "failed";

fn claim_key(date: &str, number: u32) -> String {
    format!("{}/{number:06}.json", folder(date))
}

fn commit_key(date: &str, number: u32) -> String {
    format!("{}/{number:06}.parquet", folder(date))
}

impl<'a> Ledger<'a> {
    /// The ledger of a lake; nothing is read yet.
    pub fn new(lake: &'a Storage) -> Self {
        Self {
            lake,
            dates: BTreeMap::new(),
            quarantined: BTreeMap::new(),
        }
    }

    /// Dates that have claims, oldest first; `none` is among them when undated objects were read.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn dates(&self) -> anyhow::Result<Vec<String>> {
        let folders = self.lake.folders(trail::LEDGER)?;
        let dates = folders
            .iter()
            .filter_map(|name| name.strip_prefix("object_date="));
        Ok(dates.map(str::to_owned).collect())
    }

    /// Dates that have a claim without a commit or a mark of failed objects, by the names of their files alone.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn unfinished_dates(&self) -> anyhow::Result<BTreeSet<String>> {
        let listed = self.lake.list(trail::LEDGER)?;
        let keys: BTreeSet<&str> = listed.iter().map(|file| file.key.as_str()).collect();
        let unfinished = keys.iter().filter_map(|key| {
            let is_open = match key.rsplit_once('.')? {
                (stem, "json") => !keys.contains(format!("{stem}.parquet").as_str()),
                (_, ending) => ending == FAILED,
            };
            let (folder, _) = key.rsplit_once('/')?;
            let (_, date) = folder.split_once("object_date=")?;
            is_open.then(|| date.to_owned())
        });
        Ok(unfinished.collect())
    }

    /// Objects of a date that could not be fetched and that nobody has taken since.
    pub fn failed(&self, date: &str) -> Vec<ClaimedObject> {
        let of_date = |ledger: &DateLedger| {
            let mut failed = ledger.failed.clone();
            failed.retain(|object| !ledger.is_taken(&object.key, &object.etag));
            failed
        };
        self.dates.get(date).map(of_date).unwrap_or_default()
    }

    /// Reads what is new of a date.
    ///
    /// # Errors
    /// When the storage fails, or a claim or commit can't be read.
    pub fn load(&mut self, date: &str) -> anyhow::Result<()> {
        let ledger = self.dates.entry(date.to_owned()).or_default();
        let (mut claims, mut commits) = (Vec::new(), Vec::new());
        for file in self.lake.list(&folder(date))? {
            let parts = trail::file_name(&file.key).split_once('.');
            let Some((number, ending)) =
                parts.and_then(|(stem, ending)| Some((stem.parse().ok()?, ending)))
            else {
                continue;
            };
            match ending {
                "json" if !ledger.claimed.contains(&number) => claims.push((number, file)),
                "parquet" if !ledger.committed.contains(&number) => commits.push((number, file)),
                _ => {}
            }
        }
        let ended: BTreeSet<u32> = commits.iter().map(|&(number, _)| number).collect();
        each_file(self.lake, &claims, |number, bytes| {
            let claim = Claim::read(bytes)?;
            ledger.add_claim(number, &claim);
            if !ended.contains(&number) {
                ledger.open.insert(number, claim);
            }
            Ok(())
        })?;
        each_file(self.lake, &commits, |number, bytes| {
            ledger.add_commit(number, Unsound::of(bytes)?);
            Ok(())
        })?;
        self.quarantined
            .entry(date.to_owned())
            .or_insert(ledger.quarantined);
        Ok(())
    }

    /// Frees the memory that a date takes.
    pub fn forget(&mut self, date: &str) {
        self.dates.remove(date);
    }

    /// Objects of the dates read so far that earlier runs quarantined.
    pub fn quarantined(&self) -> u64 {
        self.quarantined.values().sum()
    }

    /// Folders of the objects that a date's claims name.
    pub fn folders(&self, date: &str) -> impl Iterator<Item = &str> {
        let ledger = self.dates.get(date).into_iter();
        ledger.flat_map(|ledger| ledger.folders.iter().map(String::as_str))
    }

    /// Gives `each` key and ETag of the objects of a date that were read, or are about to be.
    ///
    /// # Errors
    /// When the storage fails, or a claim or commit can't be read.
    pub fn each_version(
        &mut self,
        date: &str,
        each: &mut dyn FnMut(&str, &str),
    ) -> anyhow::Result<()> {
        self.load(date)?;
        let mut claims = self.lake.list(&folder(date))?;
        claims.retain(|file| file.key.ends_with(".json"));
        let claims: Vec<(u32, Listed)> = claims.into_iter().map(|file| (0, file)).collect();
        each_file(self.lake, &claims, |_, bytes| {
            for object in Claim::read(bytes)?.objects {
                if self.is_taken(date, &object.key, &object.etag) {
                    each(&object.key, &object.etag);
                }
            }
            Ok(())
        })
    }

    /// Whether somebody has read the object, or is about to.
    pub fn is_taken(&self, date: &str, key: &str, etag: &str) -> bool {
        let ledger = self.dates.get(date);
        ledger.is_some_and(|ledger| ledger.is_taken(key, etag))
    }

    /// Claims without a commit, of a date that was read.
    pub fn open_claims(&self, date: &str) -> impl Iterator<Item = (u32, &Claim)> {
        let ledger = self.dates.get(date).into_iter();
        ledger.flat_map(|ledger| ledger.open.iter().map(|(number, claim)| (*number, claim)))
    }

    /// Claims objects of a date. `None` when somebody else wrote a claim first: the date was read again, and what is
    /// still free must be looked for again.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn claim(
        &mut self,
        date: &str,
        objects: &[Object],
    ) -> anyhow::Result<Option<(u32, Claim)>> {
        let ledger = self.dates.entry(date.to_owned()).or_default();
        let number = ledger.claimed.last().map_or(1, |last| last + 1);
        let claim = Claim::new(objects);
        let mut text = serde_json::to_vec(&claim)?;
        text.push(b'\n');
        if !self.lake.put_new(&claim_key(date, number), &text)? {
            self.load(date)?;
            return Ok(None);
        }
        ledger.add_claim(number, &claim);
        Ok(Some((number, claim)))
    }
}

/// Reads numbered files, a few at a time.
fn each_file(
    lake: &Storage,
    files: &[(u32, Listed)],
    mut each: impl FnMut(u32, &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for files in files.chunks(READ) {
        let listed: Vec<Listed> = files.iter().map(|(_, file)| file.clone()).collect();
        for ((number, file), bytes) in files.iter().zip(lake.get_listed(&listed)) {
            each(*number, &bytes?).with_context(|| format!("{lake}/{}", file.key))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudtrail::decode::Decoded;

    fn object(key: &str) -> Object {
        Object {
            key: key.to_owned(),
            etag: "e".to_owned(),
            listed: Listed {
                key: key.to_owned(),
                bytes: 3,
                etag: None,
            },
            date: None,
        }
    }

    fn entry(object: &ClaimedObject, status: Status) -> Entry {
        Entry {
            object: object.clone(),
            status,
            decoded: Decoded::default(),
            rows: 0,
            rejected: 0,
            times: None,
        }
    }

    #[test]
    fn what_could_not_be_fetched_is_found_again_until_somebody_takes_it() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Storage::open(folder.path().to_str().unwrap()).unwrap();
        let date = "2026-11-20";
        let mut ledger = Ledger::new(&lake);
        let (number, claim) = ledger
            .claim(date, &[object("a"), object("b")])
            .unwrap()
            .unwrap();
        let mut reader = Ledger::new(&lake);
        assert!(reader.unfinished_dates().unwrap().contains(date));
        let entries = [
            entry(&claim.objects[0], Status::Fine),
            entry(&claim.objects[1], Status::Failed("timeout".to_owned())),
        ];
        assert!(commit(&lake, (date, number), &claim, "x", &entries).unwrap());
        assert!(!commit(&lake, (date, number), &claim, "y", &entries).unwrap());
        assert_eq!(
            committed_batch(&lake, date, number).unwrap().as_deref(),
            Some("x")
        );

        assert!(
            reader.unfinished_dates().unwrap().contains(date),
            "by its mark"
        );
        reader.load(date).unwrap();
        assert!(reader.open_claims(date).next().is_none());
        assert_eq!(reader.failed(date), [claim.objects[1].clone()]);
        assert!(reader.is_taken(date, "a", "e"));
        assert!(!reader.is_taken(date, "b", "e"));
        reader.claim(date, &[object("b")]).unwrap().unwrap();
        assert!(reader.failed(date).is_empty());
        let mut third = Ledger::new(&lake);
        third.load(date).unwrap();
        assert!(third.failed(date).is_empty());
        assert!(third.is_taken(date, "b", "e"));
        let mut versions = Vec::new();
        third
            .each_version(date, &mut |key, etag| {
                versions.push(format!("{key} {etag}"))
            })
            .unwrap();
        versions.sort();
        assert_eq!(versions, ["a e", "b e", "b e"]);
        assert!(third.folders(date).eq([""]));
        third.forget(date);
        assert!(!third.is_taken(date, "b", "e"));
    }

    #[test]
    fn a_claim_that_another_wrote_first_is_read_instead() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Storage::open(folder.path().to_str().unwrap()).unwrap();
        let (mut one, mut other) = (Ledger::new(&lake), Ledger::new(&lake));
        let date = "2026-11-20";
        one.load(date).unwrap();
        other.load(date).unwrap();
        one.claim(date, &[object("a")]).unwrap().unwrap();
        assert!(
            other
                .claim(date, &[object("a"), object("b")])
                .unwrap()
                .is_none()
        );
        assert!(other.is_taken(date, "a", "e"));
        let (number, _) = other.claim(date, &[object("b")]).unwrap().unwrap();
        assert_eq!(number, 2);
    }
}
