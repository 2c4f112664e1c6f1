//! Who reads which object, and what became of it.
//!
//! Per date of the objects' paths there is a numbered series of *claims*: claim 7 is written only if there is no claim 7
//! yet, by somebody who has read claims 1 to 6, and names objects that none of those does. So no object is in two
//! claims, however many collectors work on one lake, and a claim without a *commit* of the same number is a batch that
//! was interrupted and is taken up as it stands, under the same names.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write as _;

use anyhow::Context as _;
use handoff::contract;
use handoff::run::{Stage, is_newer};
use handoff::storage::{Listed, Storage};
use handoff::table::{FileLabel, TableWriter};
use handoff::trail;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::decode::Decoded;
use super::source::{Object, hex};

/// A batch: objects that are read together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Version of the contract.
    pub contract: String,
    /// Hash of the objects, see [`batch_name`].
    pub batch: String,
    /// When it was begun; what `ingested_at` says of its events, also when another process completes it.
    pub ingested_at: jiff::Timestamp,
    /// The objects, by key.
    pub objects: Vec<ClaimedObject>,
}

/// An object of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedObject {
    /// As in the ledger.
    pub key: String,
    /// As in the ledger.
    pub etag: String,
    /// Size.
    pub bytes: u64,
}

/// The name of a batch of these objects: 16 hex digits.
pub fn batch_name<'a>(objects: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut hash = Sha256::new();
    for (key, etag) in objects {
        // Lengths keep `ab` + `c` and `a` + `bc` apart.
        hash.update((key.len() as u64).to_le_bytes());
        hash.update(key);
        hash.update((etag.len() as u64).to_le_bytes());
        hash.update(etag);
    }
    hex(&hash.finalize()[..8])
}

/// What became of an object.
#[derive(Clone, Debug)]
pub enum Status {
    /// All its events have rows.
    Fine,
    /// It is not sound, or some of its records are not.
    Quarantined(String),
    /// It could not be fetched.
    Failed(String),
}

/// A row of the ledger.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The object.
    pub object: ClaimedObject,
    /// What became of it.
    pub status: Status,
    /// What was in it.
    pub decoded: Decoded,
    /// Rows it brought.
    pub rows: u64,
    /// Records that could not become rows.
    pub rejected: u64,
    /// Earliest and latest event, in microseconds.
    pub times: Option<(i64, i64)>,
}

/// The claims of one date.
#[derive(Debug, Default)]
struct DateLedger {
    claims: BTreeMap<u32, Claim>,
    committed: BTreeSet<u32>,
    /// Objects that were read, or are being read.
    taken: HashSet<(String, String)>,
    /// Objects that could not be fetched.
    failed: Vec<ClaimedObject>,
    /// Objects quarantined by earlier runs.
    quarantined: u64,
}

/// The ledger of a lake, read date by date.
pub struct Ledger<'a> {
    lake: &'a Storage,
    dates: BTreeMap<String, DateLedger>,
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

    /// Objects of the dates read so far that could not be fetched and that nobody has taken since.
    pub fn failed(&self) -> Vec<(String, ClaimedObject)> {
        let of_date = |(date, ledger): (&String, &DateLedger)| {
            let taken = |object: &&ClaimedObject| {
                ledger
                    .taken
                    .contains(&(object.key.clone(), object.etag.clone()))
            };
            let failed = ledger.failed.iter().filter(|object| !taken(object));
            failed
                .map(|object| (date.clone(), object.clone()))
                .collect::<Vec<_>>()
        };
        self.dates.iter().flat_map(of_date).collect()
    }

    /// Reads what is new of a date.
    ///
    /// # Errors
    /// When the storage fails, or a claim or commit can't be read.
    pub fn load(&mut self, date: &str) -> anyhow::Result<()> {
        let ledger = self.dates.entry(date.to_owned()).or_default();
        let listed = self.lake.list(&folder(date))?;
        let is_new = |number: u32, is_claim: bool| {
            if is_claim {
                !ledger.claims.contains_key(&number)
            } else {
                !ledger.committed.contains(&number)
            }
        };
        let fresh: Vec<(u32, bool, Listed)> = listed
            .into_iter()
            .filter_map(|file| {
                let (stem, ending) = trail::file_name(&file.key).split_once('.')?;
                let number = stem.parse().ok()?;
                let is_claim = ending == "json";
                (is_claim || ending == "parquet").then_some((number, is_claim, file))
            })
            .filter(|&(number, is_claim, _)| is_new(number, is_claim))
            .collect();
        let files: Vec<Listed> = fresh.iter().map(|(_, _, file)| file.clone()).collect();
        let mut commits = Vec::new();
        for ((number, is_claim, file), bytes) in fresh.iter().zip(self.lake.get_listed(&files)) {
            let bytes = bytes?;
            if *is_claim {
                let claim =
                    read_claim(&bytes).with_context(|| format!("{}/{}", self.lake, file.key))?;
                let objects = claim.objects.iter();
                ledger
                    .taken
                    .extend(objects.map(|object| (object.key.clone(), object.etag.clone())));
                ledger.claims.insert(*number, claim);
            } else {
                commits.push((*number, bytes));
            }
        }
        // A commit releases what could not be fetched, unless a later claim took it again.
        for (number, bytes) in commits {
            for (object, status) in read_commit(&bytes)? {
                if status == "failed" && !claimed_after(&ledger.claims, number, &object) {
                    ledger.taken.remove(&object);
                    let claim = ledger.claims.get(&number);
                    let mut objects = claim.into_iter().flat_map(|claim| &claim.objects);
                    let failed =
                        objects.find(|claimed| claimed.key == object.0 && claimed.etag == object.1);
                    ledger.failed.extend(failed.cloned());
                } else if status == "quarantined" {
                    ledger.quarantined += 1;
                }
            }
            ledger.committed.insert(number);
        }
        Ok(())
    }

    /// Whether a date was read.
    pub fn is_loaded(&self, date: &str) -> bool {
        self.dates.contains_key(date)
    }

    /// Objects of the dates read so far that earlier runs quarantined.
    pub fn quarantined(&self) -> u64 {
        self.dates.values().map(|ledger| ledger.quarantined).sum()
    }

    /// Keys of the objects that a date's claims name.
    pub fn keys(&self, date: &str) -> impl Iterator<Item = &str> {
        let claims = self
            .dates
            .get(date)
            .into_iter()
            .flat_map(|ledger| ledger.claims.values());
        claims.flat_map(|claim| claim.objects.iter().map(|object| object.key.as_str()))
    }

    /// Keys and ETags of the objects of a date that were read, or are about to be.
    pub fn versions(&self, date: &str) -> impl Iterator<Item = (&str, &str)> {
        let taken = self
            .dates
            .get(date)
            .into_iter()
            .flat_map(|ledger| &ledger.taken);
        taken.map(|(key, etag)| (key.as_str(), etag.as_str()))
    }

    /// Whether somebody has read the object, or is about to.
    pub fn is_taken(&self, date: &str, object: &Object) -> bool {
        let taken = self.dates.get(date).map(|ledger| &ledger.taken);
        taken.is_some_and(|taken| taken.contains(&(object.key.clone(), object.etag.clone())))
    }

    /// Claims without a commit, of the dates read so far.
    pub fn open_claims(&self) -> Vec<(String, u32, Claim)> {
        let of_date = |(date, ledger): (&String, &DateLedger)| {
            let open = ledger
                .claims
                .iter()
                .filter(|(number, _)| !ledger.committed.contains(number));
            open.map(|(number, claim)| (date.clone(), *number, claim.clone()))
                .collect::<Vec<_>>()
        };
        self.dates.iter().flat_map(of_date).collect()
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
        let number = ledger.claims.keys().next_back().map_or(1, |last| last + 1);
        let claim = Claim {
            contract: contract::VERSION.to_owned(),
            batch: batch_name(
                objects
                    .iter()
                    .map(|object| (object.key.as_str(), object.etag.as_str())),
            ),
            ingested_at: now(),
            objects: objects
                .iter()
                .map(|object| ClaimedObject {
                    key: object.key.clone(),
                    etag: object.etag.clone(),
                    bytes: object.listed.bytes,
                })
                .collect(),
        };
        let mut text = serde_json::to_vec(&claim)?;
        text.push(b'\n');
        if !self.lake.put_new(&claim_key(date, number), &text)? {
            self.load(date)?;
            return Ok(None);
        }
        let taken = claim
            .objects
            .iter()
            .map(|object| (object.key.clone(), object.etag.clone()));
        ledger.taken.extend(taken);
        ledger.claims.insert(number, claim.clone());
        Ok(Some((number, claim)))
    }
}

/// Whole seconds: what a day's files say of their age need not differ within one.
fn now() -> jiff::Timestamp {
    let now = handoff::run::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now)
}

fn claimed_after(claims: &BTreeMap<u32, Claim>, number: u32, object: &(String, String)) -> bool {
    let mut later = claims
        .range(number + 1..)
        .flat_map(|(_, claim)| &claim.objects);
    later.any(|claimed| claimed.key == object.0 && claimed.etag == object.1)
}

fn read_claim(bytes: &[u8]) -> anyhow::Result<Claim> {
    let claim: Claim = serde_json::from_slice(bytes).context("not a claim of ours")?;
    if is_newer(&claim.contract) {
        anyhow::bail!(
            "written under contract {}: install the newer version",
            claim.contract
        );
    }
    Ok(claim)
}

fn read_commit(bytes: &[u8]) -> anyhow::Result<Vec<((String, String), String)>> {
    let mut file = tempfile::NamedTempFile::new().context("can't make a temporary file")?;
    file.write_all(bytes)
        .context("can't write a temporary file")?;
    let mut entries = Vec::new();
    let columns = ["source_key", "source_etag", "status"];
    handoff::table::read("cloudtrail_ledger", file.path(), &columns)?.for_each(|row| {
        entries.push((
            (row.string("source_key"), row.string("source_etag")),
            row.string("status"),
        ));
        Ok::<(), handoff::table::TableError>(())
    })?;
    Ok(entries)
}

/// Commits a batch. False when it was committed already, by a collector that read the same claim.
///
/// # Errors
/// When the storage fails.
pub fn commit(
    lake: &Storage,
    (date, number): (&str, u32),
    claim: &Claim,
    batch: &str,
    entries: &[Entry],
) -> anyhow::Result<bool> {
    let table = trail::cloudtrail_ledger();
    let label = FileLabel::new(Stage::Collect, &table.name);
    let mut writer = TableWriter::new(table, &label, tempfile::NamedTempFile::new()?)?;
    for entry in entries {
        let misfits = writer.push(&row(entry, claim, batch))?;
        anyhow::ensure!(
            misfits.is_empty(),
            "{}: a row that does not fit the ledger",
            entry.object.key
        );
    }
    let finished = writer.finish()?;
    let bytes = std::fs::read(finished.file.path())?;
    if entries
        .iter()
        .any(|entry| matches!(entry.status, Status::Failed(_)))
    {
        let mark = format!("{}/{number:06}.{FAILED}", folder(date));
        lake.put(&mark, b"see table cloudtrail_ledger\n")?;
    }
    Ok(lake.put_new(&commit_key(date, number), &bytes)?)
}

/// Whether a batch was committed, and under which name its events lie.
///
/// # Errors
/// When the storage fails.
pub fn committed_batch(lake: &Storage, date: &str, number: u32) -> anyhow::Result<Option<String>> {
    let Some(bytes) = lake.get(&commit_key(date, number))? else {
        return Ok(None);
    };
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(&bytes)?;
    let mut batch = String::new();
    handoff::table::read("cloudtrail_ledger", file.path(), &["batch"])?.for_each(|row| {
        batch = row.string("batch");
        Ok::<(), handoff::table::TableError>(())
    })?;
    Ok(Some(batch))
}

fn row(entry: &Entry, claim: &Claim, batch: &str) -> Vec<Value> {
    let (status, error) = match &entry.status {
        Status::Fine => ("ok", Value::Null),
        Status::Quarantined(error) => ("quarantined", json!(error)),
        Status::Failed(error) => ("failed", json!(error)),
    };
    let other = &entry.decoded.other;
    let other: serde_json::Map<String, Value> = other
        .iter()
        .map(|(kind, count)| (kind.name().to_owned(), json!(count)))
        .collect();
    let time = |microseconds: Option<i64>| microseconds.map(super::json::time_text);
    vec![
        json!(entry.object.key),
        json!(entry.object.etag),
        json!(entry.object.bytes),
        json!(status),
        error,
        json!(entry.decoded.records),
        json!(entry.rows),
        json!(entry.rejected),
        if other.is_empty() {
            Value::Null
        } else {
            Value::Object(other)
        },
        json!(time(entry.times.map(|(first, _)| first))),
        json!(time(entry.times.map(|(_, last)| last))),
        json!(batch),
        json!(claim.ingested_at.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(reader.open_claims().is_empty());
        assert_eq!(
            reader.failed(),
            [(date.to_owned(), claim.objects[1].clone())]
        );
        assert!(reader.is_taken(date, &object("a")));
        assert!(!reader.is_taken(date, &object("b")));
        reader.claim(date, &[object("b")]).unwrap().unwrap();
        assert!(reader.failed().is_empty());
        let mut third = Ledger::new(&lake);
        third.load(date).unwrap();
        assert!(third.failed().is_empty());
        assert!(third.is_taken(date, &object("b")));
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
        assert!(other.is_taken(date, &object("a")));
        let (number, _) = other.claim(date, &[object("b")]).unwrap().unwrap();
        assert_eq!(number, 2);
    }
}
