//! A source into the lake: what is new is divided into batches, and threads carry them out.
//!
//! A batch is claimed when a thread is free for it, not before, so two collectors share what there is to do. Its
//! objects are of one date and lie in the order of their keys: the same objects make the same batches. One date after
//! the other is looked at, so that memory is a question of the largest.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use handoff::storage::Storage;
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::batch::{Done, Reader, Work, carry_out};
use super::decode::OtherKind;
use super::layout;
use super::ledger::{ClaimedObject, Ledger, Status, committed_batch};
use super::source::{Known, LeftOut, Object, Source, Window};
use super::spool::Spool;

/// Days before the newest that are listed again: deliveries are late by hours, and a day has many regions.
const LATE_DAYS: i32 = 2;
/// The same with `--rescan`: AWS repeats failed deliveries for that long.
const RESCAN_DAYS: i32 = 30;
/// Size of a batch, in bytes of text as estimated from its objects.
const BATCH_BYTES: u64 = 40 << 20;
const BATCH_OBJECTS: usize = 1_000;
/// How much more text is in a gzip of events, about.
const GZIP_RATIO: u64 = 12;
/// Memory that need not go back to the system between two batches.
const KEPT: usize = 30 << 20;
/// Problems that are told; the rest is in the ledger.
const TOLD: usize = 20;

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
    /// Objects that are not sound.
    pub problems: Problems,
}

/// Lines for people, of which there can be as many as there are objects.
#[derive(Debug, Default)]
pub struct Problems {
    first: BTreeSet<String>,
    count: u64,
}

impl Problems {
    /// Adds a line.
    pub fn add(&mut self, line: String) {
        self.count += 1;
        self.first.insert(line);
        if self.first.len() > TOLD {
            self.first.pop_last();
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first of them in their order.
    pub fn first(&self) -> &BTreeSet<String> {
        &self.first
    }

    /// How many others there are.
    pub fn others(&self) -> u64 {
        self.count.saturating_sub(self.first.len() as u64)
    }
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
    let mut spool = Spool::default();
    let LeftOut { other, ignored } = source.visit(window, &known, &mut |date, object| {
        spool.push(date, &object)
    })?;
    let outcome = Outcome {
        other,
        ignored,
        ..Outcome::default()
    };
    let progress = handoff::shell::progress("trail objects", Some(spool.len()));
    let plan = Plan::new(source, ledger, spool)?;
    keep_memory();
    let shared = Mutex::new((plan, outcome));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let results: Vec<anyhow::Result<()>> = std::thread::scope(|scope| {
        let work = || -> anyhow::Result<()> {
            let mut reader = Reader::default();
            loop {
                let next = lock(&shared).0.next(lake);
                let (known, work) = next.inspect_err(|_| lock(&shared).0.stop())?;
                progress.inc(known);
                lock(&shared).1.known += known;
                let Some(work) = work else { return Ok(()) };
                let done = carry_out(&mut reader, &work, source, lake)
                    .inspect_err(|_| lock(&shared).0.stop())?;
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
    let (_, outcome) = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(outcome)
}

/// The C library's memory goes back to the system with every page of Parquet that is finished, and comes again with the
/// next one, unless it has once seen a large block given back: that takes a tenth of all time otherwise.
fn keep_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(KEPT)));
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
                    let key = &entry.object.key;
                    self.problems.add(format!("{key}: quarantined: {reason}"));
                }
                Status::Failed(reason) => {
                    let key = &entry.object.key;
                    self.problems.add(format!("{key}: not read: {reason}"));
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
        let folders = ledger
            .folders(&date)
            .filter(|folder| folder.starts_with(source.base()));
        let roots: Vec<String> = folders
            .filter_map(|folder| Some(layout::dated(folder)?.root.to_owned()))
            .collect();
        ledger.forget(&date);
        if !roots.is_empty() && known.since.is_none() {
            known.since = Some(day.saturating_sub(days.days()));
        }
        known.roots.extend(roots);
    }
    Ok(known)
}

/// What there is to do.
struct Plan<'p, 'l> {
    source: &'p Source,
    ledger: &'p mut Ledger<'l>,
    spool: Spool,
    /// Dates to come.
    dates: VecDeque<String>,
    /// The date that is worked on.
    date: String,
    interrupted: VecDeque<Work>,
    fresh: VecDeque<Object>,
}

impl<'p, 'l> Plan<'p, 'l> {
    fn new(source: &'p Source, ledger: &'p mut Ledger<'l>, spool: Spool) -> anyhow::Result<Self> {
        // What was begun or failed may be older than what is listed.
        let mut dates = ledger.unfinished_dates()?;
        dates.extend(spool.dates().cloned());
        Ok(Self {
            source,
            ledger,
            spool,
            dates: dates.into_iter().collect(),
            date: String::new(),
            interrupted: VecDeque::new(),
            fresh: VecDeque::new(),
        })
    }

    /// Nothing more is to be begun.
    fn stop(&mut self) {
        self.dates.clear();
        self.interrupted.clear();
        self.fresh.clear();
    }

    /// How many objects turned out to be read already, and the next batch.
    fn next(&mut self, lake: &Storage) -> anyhow::Result<(u64, Option<Work>)> {
        let mut known = 0;
        loop {
            if let Some(work) = self.next_of_date(lake)? {
                return Ok((known, Some(work)));
            }
            self.ledger.forget(&self.date);
            let Some(date) = self.dates.pop_front() else {
                return Ok((known, None));
            };
            known += self.begin(date)?;
        }
    }

    /// Takes up a date; the number of its objects that are read already.
    fn begin(&mut self, date: String) -> anyhow::Result<u64> {
        self.ledger.load(&date)?;
        let mut objects = self.source.identify(self.spool.take(&date)?)?;
        let listed = objects.len();
        for failed in self.ledger.failed(&date) {
            let object = self.source.object(&failed.key, &failed.etag, failed.bytes);
            if let Some(object) = object
                && !objects.contains(&object)
            {
                objects.push(object);
            }
        }
        self.interrupted = interrupted(self.source, self.ledger, &date, &objects).into();
        objects.retain(|object| !self.ledger.is_taken(&date, &object.key, &object.etag));
        self.fresh = objects.into();
        self.date = date;
        let interrupted = self.interrupted.iter().map(|work| work.objects.len());
        let remaining = interrupted.sum::<usize>() + self.fresh.len();
        Ok(listed.saturating_sub(remaining) as u64)
    }

    fn next_of_date(&mut self, lake: &Storage) -> anyhow::Result<Option<Work>> {
        while let Some(work) = self.interrupted.pop_front() {
            // Whoever began it may have ended it since.
            if committed_batch(lake, &work.date, work.number)?.is_none() {
                return Ok(Some(work));
            }
        }
        let date = &self.date;
        while !self.fresh.is_empty() {
            let batch: Vec<Object> = self
                .fresh
                .iter()
                .take(batch_length(&self.fresh))
                .cloned()
                .collect();
            if let Some((number, claim)) = self.ledger.claim(date, &batch)? {
                self.fresh.drain(..batch.len());
                return Ok(Some(Work {
                    date: date.clone(),
                    number,
                    claim,
                    objects: batch.into_iter().map(Some).collect(),
                }));
            }
            let is_taken = |object: &Object| self.ledger.is_taken(date, &object.key, &object.etag);
            self.fresh.retain(|object| !is_taken(object));
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

/// Batches of a date that were begun and not ended, of this source: as they were claimed.
fn interrupted(source: &Source, ledger: &Ledger<'_>, date: &str, listed: &[Object]) -> Vec<Work> {
    let mut open = ledger.open_claims(date).peekable();
    if open.peek().is_none() {
        return Vec::new();
    }
    let listed: HashMap<(&str, &str), &Object> = listed
        .iter()
        .map(|object| ((object.key.as_str(), object.etag.as_str()), object))
        .collect();
    let mut interrupted = Vec::new();
    for (number, claim) in open {
        let find = |claimed: &ClaimedObject| {
            let found = listed.get(&(claimed.key.as_str(), claimed.etag.as_str()));
            found
                .map(|&object| object.clone())
                .or_else(|| source.object(&claimed.key, &claimed.etag, claimed.bytes))
        };
        let objects: Vec<Option<Object>> = claim.objects.iter().map(find).collect();
        // None of them here: it is a batch of another source.
        if objects.iter().any(Option::is_some) {
            interrupted.push(Work {
                date: date.to_owned(),
                number,
                claim: claim.clone(),
                objects,
            });
        }
    }
    interrupted
}
