//! `--verify`: is what lies in a source what CloudTrail delivered, and is it all?
//!
//! ```text
//! digests ──> keys ──> proof: signatures along the chain ──> logs: hashes ──> hours ──> rows
//! ```
//!
//! CloudTrail signs a digest each hour with the hashes of the log objects it delivered and the signature of the digest
//! before. What a digest does not vouch for is named: objects that were changed, are missing or were never signed, and
//! stretches of time without a digest. Works on S3 and on copies in a folder, where the newest digest stays unproven.

mod digest;
mod hours;
mod keys;
mod logs;
mod proof;
mod rows;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use handoff::storage::Storage;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};
use rayon::iter::ParallelIterator as _;
use rayon::slice::ParallelSlice as _;

use super::layout::{self, UNDATED};
use super::ledger::Ledger;
use super::source::{Object, Source, Window};
use digest::{Digest, DigestName, Trail, stem};
use keys::Keys;
use logs::Log;
use proof::Judged;
use rows::{Kind, Row};

/// Days after the last one asked for whose digests are read: they hold its last hour, and signatures.
const FOLLOWING_DAYS: i32 = 2;
/// Digests read at a time by one thread.
const FETCH_DIGESTS: usize = 16;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What is known of an object, a digest or a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It is what AWS signed.
    Proven,
    /// It is not.
    Changed,
    /// It was signed, and is not there.
    Missing,
    /// Nothing speaks for or against it.
    Unproven,
    /// What would prove it is still to come.
    Pending,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Unproven => "unproven",
            Self::Pending => "pending",
        }
    }
}

/// What to verify, and with what.
#[derive(Debug)]
pub struct Verification<'a> {
    /// The source as it was given.
    pub location: &'a str,
    /// The source.
    pub source: &'a Source,
    /// Days.
    pub window: Window,
    /// Files with public keys; none asks AWS.
    pub keys: &'a [PathBuf],
    /// AWS profile.
    pub profile: Option<&'a str>,
}

/// Verifies a source, writes what was found into the lake and returns a line for each kind of problem.
///
/// # Errors
/// When the source can't be listed, a file of keys not be read or the lake not be written.
pub fn verify(
    verification: &Verification<'_>,
    lake: &Storage,
    ledger: &mut Ledger<'_>,
) -> anyhow::Result<Vec<String>> {
    let (source, window) = (verification.source, verification.window);
    let (digests, unread) = read_digests(source, window)?;
    let (keys, mut problems) = verification.keys_for(&digests)?;
    let judged = proof::judge(digests, &keys);
    let mut objects = source.list(window)?;
    objects.retain(|object| !layout::is_digest_name(&object.key));
    let logs = logs::judge(source, &objects, &judged, window);
    let (since, until) = (window.since.map(begin), window.until.map(end));
    let mut rows = hour_rows(&judged, &logs, since, until);
    rows.extend(digest_rows(&judged, unread, since));
    let ingested = Ingested::new(ledger, &logs)?;
    rows.extend(log_rows(&logs, &judged, &ingested));
    rows::write(lake, verification.location, &mut rows)?;
    problems.extend(rows::tell(verification.location, &rows));
    if judged.is_empty() {
        problems.push(format!(
            "{}: no digest that could be read: the source must hold CloudTrail-Digest beside CloudTrail",
            verification.location
        ));
    }
    Ok(problems)
}

fn begin(day: Date) -> Timestamp {
    let begin = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0));
    begin.unwrap_or(Timestamp::MIN)
}

/// The end of a day, or now.
fn end(day: Date) -> Timestamp {
    let next = day.saturating_add(1.day());
    begin(next).min(Timestamp::now())
}

/// An object that should be a digest, and why it can't be read as one.
type Unread = (Object, String);

/// Digests, and those that are none with the reason.
fn read_digests(source: &Source, window: Window) -> anyhow::Result<(Vec<Digest>, Vec<Unread>)> {
    let mut objects = source.digests(window.since)?;
    let last = window
        .until
        .map(|until| begin(until.saturating_add((FOLLOWING_DAYS + 1).days())));
    objects.retain(|object| {
        let name = DigestName::parse(&object.key);
        // A digest that adds to an earlier one comes whenever it comes.
        name.is_none_or(|name| name.is_backfill || last.is_none_or(|last| name.ends < last))
    });
    let read = |objects: &[Object]| -> Vec<Result<Digest, Box<Unread>>> {
        let listed: Vec<_> = objects.iter().map(|object| object.listed.clone()).collect();
        let fetched = source.storage().fetch_listed(&listed);
        let pairs = objects.iter().zip(fetched);
        let read = pairs.map(|(object, fetched)| {
            let digest = fetched.map_err(|error| format!("not read: {error}"));
            digest
                .and_then(|fetched| Digest::read(object, &fetched))
                .map_err(|reason| Box::new((object.clone(), reason)))
        });
        read.collect()
    };
    let results: Vec<_> = objects
        .par_chunks(FETCH_DIGESTS)
        .flat_map_iter(read)
        .collect();
    let mut digests = Vec::new();
    let mut unread = Vec::new();
    for result in results {
        match result {
            Ok(digest) => digests.push(digest),
            Err(other) => unread.push(*other),
        }
    }
    Ok((digests, unread))
}

impl Verification<'_> {
    /// Keys are of a region: that of the log.
    fn keys_for(&self, digests: &[Digest]) -> anyhow::Result<(Keys, Vec<String>)> {
        if !self.keys.is_empty() {
            return Ok((Keys::from_files(self.keys)?, Vec::new()));
        }
        let mut times: BTreeMap<String, (Timestamp, Timestamp)> = BTreeMap::new();
        for digest in digests {
            let region = digest.name.trail.region.clone();
            let range = times.entry(region).or_insert((digest.starts, digest.ends));
            *range = (range.0.min(digest.starts), range.1.max(digest.ends));
        }
        if times.is_empty() {
            return Ok((Keys::default(), Vec::new()));
        }
        Keys::from_api(self.profile, &times)
    }
}

fn of_trail(trail: &Trail, kind: Kind, status: Status) -> Row {
    Row {
        account_id: Some(trail.account_id.clone()),
        region: Some(trail.region.clone()),
        trail: Some(trail.name.clone()),
        ..Row::new(kind, status)
    }
}

impl Row {
    fn new(kind: Kind, status: Status) -> Self {
        Self {
            account_id: None,
            region: None,
            trail: None,
            kind,
            key: None,
            etag: None,
            status,
            reason: None,
            starts: None,
            ends: None,
            digest: None,
            is_backfill: None,
            ingested: None,
        }
    }
}

fn digest_rows(
    judged: &[Judged],
    unread: Vec<(Object, String)>,
    since: Option<Timestamp>,
) -> Vec<Row> {
    let known = judged.iter().map(|one| Row {
        key: Some(one.digest.object.key.clone()),
        etag: Some(one.digest.object.etag.clone()),
        reason: one.reason.clone(),
        starts: Some(one.digest.starts),
        ends: Some(one.digest.ends),
        is_backfill: Some(one.digest.name.is_backfill),
        ..of_trail(&one.digest.name.trail, Kind::Digest, one.status)
    });
    let missing = proof::missing(judged, since).into_iter();
    let missing = missing.map(|(name, missing)| Row {
        key: Some(missing.location),
        reason: Some(format!(
            "{} names it as the one before it",
            missing.named_by
        )),
        ends: Some(name.ends),
        is_backfill: Some(name.is_backfill),
        ..of_trail(&name.trail, Kind::Digest, Status::Missing)
    });
    let unread = unread.into_iter().map(|(object, reason)| {
        let name = DigestName::parse(&object.key);
        let row = match &name {
            Some(name) => of_trail(&name.trail, Kind::Digest, Status::Changed),
            None => Row::new(Kind::Digest, Status::Changed),
        };
        Row {
            key: Some(object.key),
            etag: Some(object.etag),
            reason: Some(reason),
            ends: name.as_ref().map(|name| name.ends),
            is_backfill: name.as_ref().map(|name| name.is_backfill),
            ..row
        }
    });
    known.chain(missing).chain(unread).collect()
}

/// Stretches of the trails; and hours that have log objects no digest of any trail names, outside of what is proven.
fn hour_rows(
    judged: &[Judged],
    logs: &[Log],
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Vec<Row> {
    let trails = hours::of_trails(judged, since, until);
    let mut covered: HashMap<(&str, &str), Vec<hours::Stretch>> = HashMap::new();
    let mut rows = Vec::new();
    for (trail, stretches) in &trails {
        let covered = covered
            .entry((trail.account_id.as_str(), trail.region.as_str()))
            .or_default();
        for &(stretch, status) in stretches {
            covered.push(stretch);
            rows.push(Row {
                starts: Some(stretch.0),
                ends: Some(stretch.1),
                ..of_trail(trail, Kind::Hours, status)
            });
        }
    }
    let mut stray: BTreeMap<(&str, &str), Vec<hours::Stretch>> = BTreeMap::new();
    for log in logs.iter().filter(|log| log.status == Status::Unproven) {
        let Some(name) = log.name.as_ref().filter(|_| log.digest.is_none()) else {
            continue;
        };
        let place = (name.account_id.as_str(), name.region.as_str());
        let is_covered = covered.get(&place).is_some_and(|stretches| {
            stretches
                .iter()
                .any(|&(start, end)| start <= name.time && name.time < end)
        });
        let hour = name.time.as_second().div_euclid(3_600) * 3_600;
        if let (false, Ok(start)) = (is_covered, Timestamp::from_second(hour)) {
            let end = start.saturating_add(HOUR).unwrap_or(start);
            stray.entry(place).or_default().push((start, end));
        }
    }
    for ((account_id, region), stretches) in stray {
        rows.extend(hours::merge(stretches).into_iter().map(|(start, end)| Row {
            account_id: Some(account_id.to_owned()),
            region: Some(region.to_owned()),
            starts: Some(start),
            ends: Some(end),
            reason: Some("no digest covers it".to_owned()),
            ..Row::new(Kind::Hours, Status::Unproven)
        }));
    }
    rows
}

/// Versions of log objects that the lake has read, by their names.
struct Ingested {
    versions: BTreeMap<String, Vec<(String, String)>>,
}

impl Ingested {
    fn new(ledger: &mut Ledger<'_>, logs: &[Log]) -> anyhow::Result<Self> {
        let dates: BTreeSet<String> = logs.iter().map(|log| ledger_date(&log.key)).collect();
        let mut versions: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for date in dates {
            ledger.each_version(&date, &mut |key, etag| {
                let version = (key.to_owned(), etag.to_owned());
                versions
                    .entry(stem(key).to_owned())
                    .or_default()
                    .push(version);
            })?;
            ledger.forget(&date);
        }
        Ok(Self { versions })
    }

    /// Whether a version was read; of an object that is missing, whether any was.
    fn has(&self, log: &Log) -> bool {
        let versions = self.versions.get(stem(&log.key));
        versions.is_some_and(|versions| {
            let is_this = |(_, etag): &(String, String)| Some(etag) == log.etag.as_ref();
            log.etag.is_none() || versions.iter().any(is_this)
        })
    }
}

fn ledger_date(key: &str) -> String {
    layout::object_date(key).map_or(UNDATED.to_owned(), |date| date.to_string())
}

/// A row for each log object, and for each version of it that the lake has events of and that is gone from the source.
fn log_rows(logs: &[Log], judged: &[Judged], ingested: &Ingested) -> Vec<Row> {
    let mut rows: Vec<Row> = logs
        .iter()
        .map(|log| Row {
            key: Some(log.key.clone()),
            etag: log.etag.clone(),
            reason: log.reason.clone(),
            ingested: Some(ingested.has(log)),
            ..log_row(log, judged, log.status)
        })
        .collect();
    let listed: HashSet<(&str, &str)> = logs
        .iter()
        .filter_map(|log| Some((log.key.as_str(), log.etag.as_deref()?)))
        .collect();
    let present: BTreeMap<&str, &Log> = logs
        .iter()
        .filter(|log| log.etag.is_some())
        .map(|log| (stem(&log.key), log))
        .collect();
    for (name, log) in present {
        for (key, etag) in ingested.versions.get(name).into_iter().flatten() {
            if !listed.contains(&(key.as_str(), etag.as_str())) {
                let why =
                    "the lake has events of this version, which is not in the source any more";
                rows.push(Row {
                    key: Some(key.clone()),
                    etag: Some(etag.clone()),
                    reason: Some(why.to_owned()),
                    ingested: Some(true),
                    ..log_row(log, judged, Status::Unproven)
                });
            }
        }
    }
    rows
}

fn log_row(log: &Log, judged: &[Judged], status: Status) -> Row {
    let digest = log.digest.map(|index| &judged[index].digest);
    let row = match (&log.name, digest) {
        (_, Some(digest)) => of_trail(&digest.name.trail, Kind::Log, status),
        (Some(name), None) => Row {
            account_id: Some(name.account_id.clone()),
            region: Some(name.region.clone()),
            ..Row::new(Kind::Log, status)
        },
        (None, None) => Row::new(Kind::Log, status),
    };
    Row {
        starts: log.name.as_ref().map(|name| name.time),
        digest: digest.map(Digest::location),
        ..row
    }
}
