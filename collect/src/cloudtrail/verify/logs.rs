//! Log objects against the hashes that digests hold of them.
//!
//! An object is found by its name, which AWS makes unique, so that a copy can lie anywhere; what counts is the hash.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use rayon::iter::ParallelIterator as _;
use rayon::slice::ParallelSlice as _;

use super::Status;
use super::digest::{HASH_ALGORITHM, LogFile, LogName, stem};
use super::hours::is_pending;
use super::proof::{Judged, newest_proven};
use crate::cloudtrail::inflate::Inflater;
use crate::cloudtrail::layout;
use crate::cloudtrail::source::{Object, Source, Window, content_etag};

/// Objects read at a time by one thread.
const FETCH_OBJECTS: usize = 4;

/// What is known of a log object.
#[derive(Debug)]
pub struct Log {
    /// Its key, or where it should be.
    pub key: String,
    /// Its ETag; none when it is missing.
    pub etag: Option<String>,
    /// What its name says.
    pub name: Option<LogName>,
    /// The digest that tells of it, by index.
    pub digest: Option<usize>,
    /// Proven, changed, missing, unproven or pending.
    pub status: Status,
    /// Why it is not proven.
    pub reason: Option<String>,
}

/// What digests say of one log object.
type Entries<'a> = Vec<(usize, &'a LogFile)>;

/// Judges the objects of a listing, and finds what is missing from it.
pub fn judge(source: &Source, objects: &[Object], judged: &[Judged], window: Window) -> Vec<Log> {
    let mut named: HashMap<&str, Entries<'_>> = HashMap::new();
    for (index, one) in judged.iter().enumerate() {
        for file in one.digest.log_files() {
            let entries = named.entry(stem(file.path())).or_default();
            entries.push((index, file));
        }
    }
    let (known, unknown): (Vec<&Object>, Vec<&Object>) = objects
        .iter()
        .partition(|object| named.contains_key(stem(&object.key)));
    let newest = newest_of_regions(judged);
    let progress = handoff::shell::progress("log objects verified", Some(known.len() as u64));
    let mut logs: Vec<Log> = known
        .par_chunks(FETCH_OBJECTS)
        .flat_map_iter(|objects| {
            let hashes = hashes(source, objects);
            progress.inc(objects.len() as u64);
            let pairs = objects.iter().zip(hashes);
            let compared = pairs
                .map(|(object, hash)| compare(object, &hash, &named[stem(&object.key)], judged));
            compared.collect::<Vec<_>>()
        })
        .collect();
    progress.finish_and_clear();
    logs.extend(unknown.into_iter().map(|object| unnamed(object, &newest)));
    let present: HashSet<&str> = objects.iter().map(|object| stem(&object.key)).collect();
    let absent = named
        .iter()
        .filter(|(name, entries)| !present.contains(*name) && is_within(entries, window));
    logs.extend(absent.filter_map(|(_, entries)| missing(entries, judged)));
    logs
}

fn is_within(entries: &Entries<'_>, window: Window) -> bool {
    let date = entries
        .first()
        .and_then(|(_, file)| layout::object_date(file.path()));
    date.is_none_or(|date| window.overlaps(date, date))
}

/// Until when the log of an account and region is proven at most.
fn newest_of_regions(judged: &[Judged]) -> BTreeMap<(String, String), Timestamp> {
    let mut newest = BTreeMap::new();
    for (trail, ends) in newest_proven(judged) {
        let latest = newest
            .entry((trail.account_id, trail.region))
            .or_insert(ends);
        *latest = ends.max(*latest);
    }
    newest
}

/// SHA-256 of the objects' text, or why there is none: an object that was read and makes no text is `Ok(Err)`.
type Hash = Result<Result<String, String>, String>;

fn hashes(source: &Source, objects: &[&Object]) -> Vec<Hash> {
    let listed: Vec<_> = objects.iter().map(|object| object.listed.clone()).collect();
    let mut inflater = Inflater::default();
    let mut hash = |bytes: Vec<u8>| match inflater.inflate(&bytes) {
        Ok(text) => Ok(content_etag(text)),
        Err(error) => Err(error.to_string()),
    };
    let fetched = source.storage().get_listed(&listed).into_iter();
    fetched
        .map(|bytes| bytes.map(&mut hash).map_err(|error| error.to_string()))
        .collect()
}

fn compare(object: &Object, hash: &Hash, entries: &Entries<'_>, judged: &[Judged]) -> Log {
    // What a digest that was changed says is worth nothing.
    let worth = |status: Status| match status {
        Status::Proven => 2,
        Status::Pending | Status::Unproven => 1,
        Status::Changed | Status::Missing => 0,
    };
    let fits = |file: &LogFile| match hash {
        Ok(Ok(hash)) => {
            file.hash_algorithm == HASH_ALGORITHM && file.hash_value.eq_ignore_ascii_case(hash)
        }
        _ => false,
    };
    // The best digest; among equals one whose hash fits.
    let best = entries.iter().max_by_key(|(index, file)| {
        (
            worth(judged[*index].status),
            fits(file),
            std::cmp::Reverse(*index),
        )
    });
    let digest = best.map(|(index, _)| *index);
    let (status, reason) = match (best, hash) {
        (_, Err(error)) => (Status::Unproven, Some(format!("not read: {error}"))),
        (Some((index, file)), Ok(text)) => {
            let by = &judged[*index];
            if fits(file) {
                let reason = by.reason.as_ref();
                match by.status {
                    Status::Proven => (Status::Proven, None),
                    Status::Pending => (Status::Pending, reason.map(|why| of_digest(why))),
                    _ => (Status::Unproven, reason.map(|why| of_digest(why))),
                }
            } else if worth(by.status) == 0 {
                let why = "only a digest that was changed names it";
                (Status::Unproven, Some(why.to_owned()))
            } else if file.hash_algorithm != HASH_ALGORITHM {
                let why = format!("hashed with {}, not known", file.hash_algorithm);
                (Status::Unproven, Some(why))
            } else {
                let why = match text {
                    Ok(_) => "its SHA-256 is not the one in its digest".to_owned(),
                    Err(error) => error.clone(),
                };
                (Status::Changed, Some(why))
            }
        }
        (None, Ok(_)) => (Status::Unproven, Some(UNNAMED.to_owned())),
    };
    Log {
        key: object.key.clone(),
        etag: Some(object.etag.clone()),
        name: LogName::parse(&object.key),
        digest,
        status,
        reason,
    }
}

const UNNAMED: &str = "no digest names it";

fn of_digest(reason: &str) -> String {
    format!("its digest is not proven: {reason}")
}

fn unnamed(object: &Object, newest: &BTreeMap<(String, String), Timestamp>) -> Log {
    let name = LogName::parse(&object.key);
    let proven = name
        .as_ref()
        .and_then(|name| newest.get(&(name.account_id.clone(), name.region.clone())));
    let awaits = name
        .as_ref()
        .zip(proven)
        .is_some_and(|(name, &proven)| is_pending(name.time, proven));
    Log {
        key: object.key.clone(),
        etag: Some(object.etag.clone()),
        name,
        digest: None,
        status: if awaits {
            Status::Pending
        } else {
            Status::Unproven
        },
        reason: Some(UNNAMED.to_owned()),
    }
}

fn missing(entries: &Entries<'_>, judged: &[Judged]) -> Option<Log> {
    let sound = entries
        .iter()
        .filter(|(index, _)| judged[*index].status != Status::Changed);
    let (index, file) = sound.min_by_key(|(index, _)| *index)?;
    Some(Log {
        key: file.location(),
        etag: None,
        name: LogName::parse(file.path()),
        digest: Some(*index),
        status: Status::Missing,
        reason: Some("a digest names it, and it is not there".to_owned()),
    })
}
