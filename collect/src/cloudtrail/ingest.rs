//! A source into the lake: what is new is divided into batches, and threads carry them out.
//!
//! A batch is claimed when a thread is free for it, not before, so two collectors share what there is to do. Its
//! objects are of one date and lie in the order of their keys: the same objects make the same batches.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use handoff::storage::Storage;
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::batch::{Done, Work, carry_out};
use super::decode::OtherKind;
use super::layout::{self, UNDATED};
use super::ledger::{Ledger, Status};
use super::source::{Known, Object, Source, Window};

/// Days before the newest that are listed again: deliveries are late by hours, and a day has many regions.
const LATE_DAYS: i32 = 2;
/// The same with `--rescan`: AWS repeats failed deliveries for that long.
const RESCAN_DAYS: i32 = 30;
/// Size of a batch, in bytes of text as estimated from its objects.
const BATCH_BYTES: u64 = 40 << 20;
const BATCH_OBJECTS: usize = 1_000;
/// How much more text is in a gzip of events, about.
const GZIP_RATIO: u64 = 12;

/// What a source brought.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Objects read.
    pub objects: u64,
    /// Objects that were read by earlier runs.
    pub known: u64,
    /// Rows written.
    pub rows: u64,
    /// Bytes of the files written.
    pub written: u64,
    /// What is not stored because it is of another kind: folders and objects when told by path, else records.
    pub other: BTreeMap<OtherKind, u64>,
    /// Files of other names.
    pub ignored: u64,
    /// A line for each object that is not sound, sorted.
    pub problems: Vec<String>,
}

/// Reads what is new of a source.
///
/// # Errors
/// When the source can't be listed, or the lake not be read or written.
pub fn ingest(
    source: &Source,
    lake: &Storage,
    ledger: &mut Ledger<'_>,
    window: Window,
    rescan: bool,
) -> anyhow::Result<Outcome> {
    let known = known_roots(source, ledger, window, rescan)?;
    let listing = source.list(window, &known)?;
    let mut outcome = Outcome {
        other: listing.other,
        ignored: listing.ignored,
        ..Outcome::default()
    };
    let listed = listing.objects.len() as u64;
    let plan = Plan::new(source, ledger, listing.objects)?;
    outcome.known = listed.saturating_sub(plan.remaining());
    let progress = handoff::shell::progress("trail objects", Some(plan.remaining()));
    let shared = Mutex::new((plan, outcome));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let results: Vec<anyhow::Result<()>> = std::thread::scope(|scope| {
        let work = || -> anyhow::Result<()> {
            loop {
                let next = lock(&shared).0.next(lake);
                let Some(work) = next.inspect_err(|_| lock(&shared).0.stop())? else {
                    return Ok(());
                };
                let done =
                    carry_out(&work, source, lake).inspect_err(|_| lock(&shared).0.stop())?;
                progress.inc(done.entries.len() as u64);
                lock(&shared).1.add(&done);
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, anyhow::Result<()>>| {
            thread
                .join()
                .unwrap_or_else(|_| Err(anyhow::anyhow!("a reading thread ended unexpectedly")))
        };
        threads.into_iter().map(join).collect()
    });
    progress.finish_and_clear();
    results.into_iter().collect::<anyhow::Result<Vec<()>>>()?;
    let (_, mut outcome) = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcome.problems.sort();
    Ok(outcome)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked is reported by its join; what it held is counters and queues.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Outcome {
    fn add(&mut self, done: &Done) {
        self.objects += done.entries.len() as u64;
        self.written += done.written;
        for entry in &done.entries {
            self.rows += entry.rows;
            for (kind, count) in &entry.decoded.other {
                *self.other.entry(*kind).or_default() += count;
            }
            match &entry.status {
                Status::Fine => {}
                Status::Quarantined(reason) => {
                    self.problems
                        .push(format!("{}: quarantined: {reason}", entry.object.key));
                }
                Status::Failed(reason) => {
                    self.problems
                        .push(format!("{}: not read: {reason}", entry.object.key));
                }
            }
        }
    }
}

/// The dated paths of a source in S3 that were read lately, and from which day on they have to be listed.
fn known_roots(
    source: &Source,
    ledger: &mut Ledger<'_>,
    window: Window,
    rescan: bool,
) -> anyhow::Result<Known> {
    if !source.is_remote() || window.since.is_some() {
        return Ok(Known::default());
    }
    let days = if rescan { RESCAN_DAYS } else { LATE_DAYS };
    let mut known = Known::default();
    for date in ledger.dates()?.into_iter().rev() {
        let Ok(day) = date.parse::<Date>() else {
            continue;
        };
        if known.since.is_some_and(|since| day < since) {
            break;
        }
        ledger.load(&date)?;
        let roots = ledger
            .keys(&date)
            .filter(|key| key.starts_with(source.base()));
        let roots: Vec<String> = roots
            .filter_map(|key| Some(layout::dated(key.rsplit_once('/')?.0)?.root.to_owned()))
            .collect();
        if !roots.is_empty() && known.since.is_none() {
            known.since = Some(day.saturating_sub(days.days()));
        }
        known.roots.extend(roots);
    }
    Ok(known)
}

/// What there is to do.
struct Plan<'p, 'l> {
    ledger: &'p mut Ledger<'l>,
    interrupted: VecDeque<Work>,
    fresh: BTreeMap<String, VecDeque<Object>>,
}

impl<'p, 'l> Plan<'p, 'l> {
    fn new(
        source: &Source,
        ledger: &'p mut Ledger<'l>,
        objects: Vec<Object>,
    ) -> anyhow::Result<Self> {
        let mut by_date: BTreeMap<String, VecDeque<Object>> = BTreeMap::new();
        for object in objects {
            let date = object
                .date
                .map_or(UNDATED.to_owned(), |date| date.to_string());
            by_date.entry(date).or_default().push_back(object);
        }
        for date in by_date
            .keys()
            .filter(|date| !ledger.is_loaded(date))
            .cloned()
            .collect::<Vec<_>>()
        {
            ledger.load(&date)?;
        }
        // What was begun or failed may be older than what is listed.
        for date in ledger.unfinished_dates()? {
            if !ledger.is_loaded(&date) {
                ledger.load(&date)?;
            }
        }
        for (date, failed) in ledger.failed() {
            let object = source.object(&failed.key, &failed.etag, failed.bytes);
            let listed = by_date.entry(date).or_default();
            if let Some(object) = object
                && !listed.contains(&object)
            {
                listed.push_back(object);
            }
        }
        let interrupted = interrupted(source, ledger, &by_date);
        for (date, objects) in &mut by_date {
            objects.retain(|object| !ledger.is_taken(date, object));
        }
        Ok(Self {
            ledger,
            interrupted: interrupted.into(),
            fresh: by_date,
        })
    }

    /// Objects still to be read.
    fn remaining(&self) -> u64 {
        let interrupted = self.interrupted.iter().map(|work| work.objects.len());
        let fresh = self.fresh.values().map(VecDeque::len);
        interrupted.chain(fresh).sum::<usize>() as u64
    }

    /// Nothing more is to be begun.
    fn stop(&mut self) {
        self.interrupted.clear();
        self.fresh.clear();
    }

    fn next(&mut self, lake: &Storage) -> anyhow::Result<Option<Work>> {
        while let Some(work) = self.interrupted.pop_front() {
            // Whoever began it may have ended it since.
            if super::ledger::committed_batch(lake, &work.date, work.number)?.is_none() {
                return Ok(Some(work));
            }
        }
        while let Some(mut entry) = self.fresh.first_entry() {
            let date = entry.key().clone();
            let objects = entry.get_mut();
            objects.retain(|object| !self.ledger.is_taken(&date, object));
            let batch: Vec<Object> = objects
                .iter()
                .take(batch_length(objects))
                .cloned()
                .collect();
            if batch.is_empty() {
                entry.remove();
                continue;
            }
            let Some((number, claim)) = self.ledger.claim(&date, &batch)? else {
                continue;
            };
            objects.drain(..batch.len());
            return Ok(Some(Work {
                date,
                number,
                claim,
                objects: batch.into_iter().map(Some).collect(),
            }));
        }
        Ok(None)
    }
}

fn batch_length(objects: &VecDeque<Object>) -> usize {
    let mut bytes = 0;
    let fits = |object: &&Object| {
        bytes += weight(object);
        bytes <= BATCH_BYTES
    };
    let length = objects.iter().take(BATCH_OBJECTS).take_while(fits).count();
    length.max(objects.len().min(1))
}

fn weight(object: &Object) -> u64 {
    if object.listed.key.ends_with(".gz") {
        object.listed.bytes.saturating_mul(GZIP_RATIO)
    } else {
        object.listed.bytes
    }
}

/// Batches that were begun and not ended, of this source: as they were claimed.
fn interrupted(
    source: &Source,
    ledger: &Ledger<'_>,
    listed: &BTreeMap<String, VecDeque<Object>>,
) -> Vec<Work> {
    let objects = listed.values().flatten();
    let listed: HashMap<(&str, &str), &Object> = objects
        .map(|object| ((object.key.as_str(), object.etag.as_str()), object))
        .collect();
    let mut interrupted = Vec::new();
    for (date, number, claim) in ledger.open_claims() {
        let find = |claimed: &super::ledger::ClaimedObject| {
            let found = listed.get(&(claimed.key.as_str(), claimed.etag.as_str()));
            found
                .map(|&object| object.clone())
                .or_else(|| source.object(&claimed.key, &claimed.etag, claimed.bytes))
        };
        let objects: Vec<Option<Object>> = claim.objects.iter().map(find).collect();
        // None of them here: it is a batch of another source.
        if objects.iter().any(Option::is_some) {
            interrupted.push(Work {
                date,
                number,
                claim,
                objects,
            });
        }
    }
    interrupted
}
