//! One batch: its objects fetched, decoded, sorted, written and committed, by one thread in bounded memory.
//!
//! Event files are named after the objects whose events they hold, and the events of an object are in the lake either
//! all or not at all.

use std::collections::BTreeSet;

use arrow::datatypes::SchemaRef;
use handoff::contract::TableSchema;
use handoff::storage::{Listed, Storage};
use handoff::{table, trail};
use tempfile::NamedTempFile;

use super::decode::{Decoded, Event, TakeEvents, decode};
use super::inflate::{Inflater, MAX_TEXT};
use super::ledger::{self, Claim, ClaimedObject, Entry, Status};
use super::rows::{Origin, RowError, Rows};
use super::source::{Object, Source, content_etag};
use super::write::{ROW_GROUP_ROWS, write_rows};

/// Text held before it is sorted and written.
const PART_BYTES: usize = 48 << 20;
/// Objects fetched at a time from afar, by number and size.
const FETCH_OBJECTS: usize = 16;
const FETCH_BYTES: u64 = 8 << 20;
const DAY: i64 = 86_400_000_000;

/// A claim to be carried out.
#[derive(Debug)]
pub struct Work {
    /// Date of the claim.
    pub date: String,
    /// Its number.
    pub number: u32,
    /// The claim.
    pub claim: Claim,
    /// Its objects in their order; `None` for one that is gone from the source.
    pub objects: Vec<Option<Object>>,
}

/// What a batch came to.
#[derive(Debug, Default)]
pub struct Done {
    /// A row for each object.
    pub entries: Vec<Entry>,
    /// Bytes of the files written.
    pub written: u64,
}

/// What a thread needs to read batches. Its memory is kept from one to the next: getting it from the system anew took a
/// tenth of all time.
pub struct Reader {
    table: TableSchema,
    schema: SchemaRef,
    inflater: Inflater,
    rows: Rows,
}

impl Default for Reader {
    fn default() -> Self {
        let table = trail::cloudtrail_events();
        Self {
            schema: table::arrow_schema(&table),
            table,
            inflater: Inflater::default(),
            rows: Rows::default(),
        }
    }
}

/// Reads and commits a batch.
///
/// # Errors
/// When the lake can't be written. What is wrong with an object is in its entry.
pub fn carry_out(
    reader: &mut Reader,
    work: &Work,
    source: &Source,
    lake: &Storage,
) -> anyhow::Result<Done> {
    let mut batch = Batch::new(reader, &work.claim, lake);
    let mut at = 0;
    while at < work.objects.len() {
        let end = if source.is_remote() {
            fetch_end(&work.objects, at)
        } else {
            at + 1
        };
        batch.read(work, at..end, source)?;
        at = end;
    }
    batch.flush()?;
    let name = batch.name();
    let mut keys = Vec::new();
    let mut files = Vec::new();
    let mut written = 0;
    for (date, part, file) in std::mem::take(&mut batch.files) {
        written += file.as_file().metadata()?.len();
        let key = format!("{}/{name}-{part}.parquet", trail::day_folder(&date));
        keys.push(key.clone());
        files.push((key, file));
    }
    lake.put_files(files)?;
    let place = (work.date.as_str(), work.number);
    if !ledger::commit(lake, place, &work.claim, &name, &batch.entries)? {
        // Another collector was faster. Its files are these, unless it could read more or fewer of the objects.
        let theirs = ledger::committed_batch(lake, &work.date, work.number)?;
        if theirs.is_some_and(|theirs| theirs != name) {
            keys.iter().try_for_each(|key| lake.remove(key))?;
        }
    }
    Ok(Done {
        entries: batch.entries,
        written,
    })
}

/// Where a fetch that begins at `start` ends.
fn fetch_end(objects: &[Option<Object>], start: usize) -> usize {
    let mut bytes = 0;
    let mut end = start;
    while let Some(object) = objects.get(end) {
        bytes += object.as_ref().map_or(0, |object| object.listed.bytes);
        if end > start && (bytes > FETCH_BYTES || end - start >= FETCH_OBJECTS) {
            break;
        }
        end += 1;
    }
    end
}

struct Batch<'a> {
    lake: &'a Storage,
    reader: &'a mut Reader,
    /// Rows of objects that turned out unsound.
    dropped: BTreeSet<u32>,
    entries: Vec<Entry>,
    /// Date, part, file.
    files: Vec<(String, u32, NamedTempFile)>,
    part: u32,
}

impl<'a> Batch<'a> {
    fn new(reader: &'a mut Reader, claim: &Claim, lake: &'a Storage) -> Self {
        reader.rows.begin(claim.ingested_at.as_microsecond());
        Self {
            lake,
            reader,
            dropped: BTreeSet::new(),
            entries: Vec::new(),
            files: Vec::new(),
            part: 0,
        }
    }

    /// The batch as far as its objects could be fetched.
    fn name(&self) -> String {
        let fetched = self
            .entries
            .iter()
            .filter(|entry| !matches!(entry.status, Status::Failed(_)));
        ledger::batch_name(
            fetched.map(|entry| (entry.object.key.as_str(), entry.object.etag.as_str())),
        )
    }

    fn read(
        &mut self,
        work: &Work,
        range: std::ops::Range<usize>,
        source: &Source,
    ) -> anyhow::Result<()> {
        let claimed = &work.claim.objects[range.clone()];
        let objects = &work.objects[range];
        let fits = |object: &&Object| object.listed.bytes <= MAX_TEXT;
        let wanted: Vec<Listed> = objects
            .iter()
            .flatten()
            .filter(fits)
            .map(|object| object.listed.clone())
            .collect();
        let mut fetched = source.storage().get_listed(&wanted).into_iter();
        for (claimed, object) in claimed.iter().zip(objects) {
            let entry = match object {
                None => failed(claimed, "is gone since it was listed".to_owned()),
                Some(object) if !fits(&object) => {
                    let reason = format!("larger than {MAX_TEXT} bytes: split it");
                    quarantined(claimed, reason, Decoded::default())
                }
                Some(_) => match fetched.next() {
                    Some(Ok(bytes))
                        if source.is_remote() || content_etag(&bytes) == claimed.etag =>
                    {
                        self.read_object(claimed, &bytes)
                    }
                    Some(Ok(_)) => failed(claimed, "was changed since it was listed".to_owned()),
                    // It will not come back; another version is another object.
                    Some(Err(error)) if error.is_gone() => {
                        quarantined(claimed, error.to_string(), Decoded::default())
                    }
                    Some(Err(error)) => failed(claimed, error.to_string()),
                    None => failed(claimed, "was not fetched".to_owned()),
                },
            };
            self.entries.push(entry);
            if self.reader.rows.bytes() >= PART_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn read_object(&mut self, claimed: &ClaimedObject, bytes: &[u8]) -> Entry {
        let Reader { inflater, rows, .. } = &mut *self.reader;
        let text = match inflater.inflate(bytes) {
            Ok(text) => text,
            Err(error) => return quarantined(claimed, error.to_string(), Decoded::default()),
        };
        let first_row = rows.len();
        let mut taker = ObjectRows::new(rows, claimed);
        let decoded = decode(text, &mut taker);
        let ObjectRows {
            times,
            rejected,
            first_error,
            ..
        } = taker;
        let decoded = match decoded {
            Ok(decoded) => decoded,
            Err(error) => {
                let unsound = first_row..rows.len();
                self.dropped
                    .extend(unsound.filter_map(|row| u32::try_from(row).ok()));
                return quarantined(claimed, error.to_string(), Decoded::default());
            }
        };
        let status = first_error.map_or(Status::Fine, |error| {
            Status::Quarantined(format!(
                "{error}; {rejected} of {} records have no row",
                decoded.records
            ))
        });
        Entry {
            object: claimed.clone(),
            status,
            decoded,
            rows: (rows.len() - first_row) as u64,
            rejected,
            times,
        }
    }

    /// Sorts and writes the rows held, a file for each day.
    fn flush(&mut self) -> anyhow::Result<()> {
        let Reader {
            table,
            schema,
            rows,
            ..
        } = &mut *self.reader;
        if rows.is_empty() {
            return Ok(());
        }
        let dropped = std::mem::take(&mut self.dropped);
        let times = rows.times().to_vec();
        let count = u32::try_from(times.len())?;
        let mut order: Vec<u32> = (0..count).filter(|row| !dropped.contains(row)).collect();
        let time = |row: u32| times[row as usize];
        // Stable: events of one second stay in the order of their objects.
        order.sort_by_key(|&row| time(row));
        for day in order.chunk_by(|&a, &b| time(a).div_euclid(DAY) == time(b).div_euclid(DAY)) {
            for order in day.chunks(ROW_GROUP_ROWS) {
                let date = jiff::Timestamp::from_microsecond(time(order[0]))?
                    .strftime("%Y-%m-%d")
                    .to_string();
                let file = self.lake.scratch_file()?;
                let file = write_rows(table, schema, rows, order, file)?;
                self.files.push((date, self.part, file));
                self.part += 1;
            }
        }
        rows.clear(2 * PART_BYTES);
        Ok(())
    }
}

/// What an object's events come to.
struct ObjectRows<'r> {
    rows: &'r mut Rows,
    origin: Origin<'r>,
    /// Of the first and of the last event.
    times: Option<(i64, i64)>,
    /// Events that have no row, and why not the first of them.
    rejected: u64,
    first_error: Option<RowError>,
}

impl<'r> ObjectRows<'r> {
    fn new(rows: &'r mut Rows, object: &'r ClaimedObject) -> Self {
        Self {
            rows,
            origin: Origin {
                key: &object.key,
                etag: &object.etag,
            },
            times: None,
            rejected: 0,
            first_error: None,
        }
    }
}

impl TakeEvents for ObjectRows<'_> {
    fn take(&mut self, event: Event<'_>) {
        match self.rows.push(&event, self.origin) {
            Ok(time) => {
                let (first, last) = self.times.unwrap_or((time, time));
                self.times = Some((first.min(time), last.max(time)));
            }
            Err(error) => {
                self.rejected += 1;
                self.first_error.get_or_insert(error);
            }
        }
    }

    fn known_identity(&self, text: &str) -> Option<(u32, usize)> {
        self.rows.known_identity(text)
    }
}

fn failed(object: &ClaimedObject, reason: String) -> Entry {
    entry(object, Status::Failed(reason), Decoded::default())
}

fn quarantined(object: &ClaimedObject, reason: String, decoded: Decoded) -> Entry {
    entry(object, Status::Quarantined(reason), decoded)
}

fn entry(object: &ClaimedObject, status: Status, decoded: Decoded) -> Entry {
    Entry {
        object: object.clone(),
        status,
        decoded,
        rows: 0,
        rejected: 0,
        times: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What must not be taken for an identity known already, each twice among others.
    const IDENTITIES: &[&str] = &[
        r#"{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE000:deploy-checkout-0123456789","arn":"a","accessKeyId":"ASIA1","sessionContext":{"attributes":{"mfaAuthenticated":"true","creationDate":"2026-11-20T10:00:00Z"},"sessionIssuer":{"arn":"i","type":"Role"}}}"#,
        r#"{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE000:deploy-checkout-0123456789","arn":"a","accessKeyId":"ASIA2","sessionContext":{"attributes":{"mfaAuthenticated":"false","creationDate":"2026-11-20T16:00:00Z"},"sessionIssuer":{"arn":"i","type":"Role"}}}"#,
        r#"{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE000:deploy-checkout-0123456789","arn":"a"}"#,
        r#"{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE000:deploy-checkout-0123456789","arn":"a" }"#,
        r#"{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE000:deploy-checkout-0123456789","sessionToken":"secret"}"#,
        r#"{"type":"IAMUser","principalId":"AIDAEXAMPLEEXAMPLE000","arn":"arn:aws:iam::111122223333:user/\u00e9lise","userName":"\u00e9lise","accountId":null}"#,
        r#"["type","AssumedRole","principalId","AROAEXAMPLEEXAMPLE000:deploy-checkout-0123456789 and much more of it"]"#,
        r#""a text that is as long as identities are, and that is none: AROAEXAMPLEEXAMPLE000:deploy-checkout""#,
        r#"{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}"#,
        "{}",
        "null",
        r#"{"type":"Root"},"userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE000:deploy-checkout-0123456789","arn":"a"}"#,
    ];

    fn object() -> String {
        let count = IDENTITIES.len();
        let records = (0..count * count * 2).map(|number| {
            // Every one after every other one.
            let identity = IDENTITIES[(number + (number / count) * (number % count)) % count];
            format!(r#"{{"eventID":"{number}","eventTime":"2026-11-20T10:00:00Z","userIdentity":{identity},"eventName":"n"}}"#)
        });
        let records: Vec<String> = records.collect();
        format!("{{\"Records\":[{}]}}", records.join(","))
    }

    fn file_of(rows: &mut Rows) -> Vec<u8> {
        let table = trail::cloudtrail_events();
        let schema = table::arrow_schema(&table);
        let order: Vec<u32> = (0..u32::try_from(rows.len()).unwrap()).collect();
        let scratch = NamedTempFile::new().unwrap();
        let file = write_rows(&table, &schema, rows, &order, scratch).unwrap();
        std::fs::read(file.path()).unwrap()
    }

    #[test]
    fn identities_that_are_not_read_again_make_the_same_file() {
        let object = object();
        let origin = Origin {
            key: "k",
            etag: "e",
        };
        let mut read = Rows::default();
        let mut each = |event: Event<'_>| {
            read.push(&event, origin).unwrap();
        };
        decode(object.as_bytes(), &mut each).unwrap();

        struct Counted<'r>(ObjectRows<'r>, std::cell::Cell<u32>);
        impl TakeEvents for Counted<'_> {
            fn take(&mut self, event: Event<'_>) {
                self.0.take(event);
            }

            fn known_identity(&self, text: &str) -> Option<(u32, usize)> {
                let known = self.0.known_identity(text);
                self.1.set(self.1.get() + u32::from(known.is_some()));
                known
            }
        }
        let mut rows = Rows::default();
        let claimed = ClaimedObject {
            key: "k".to_owned(),
            etag: "e".to_owned(),
            bytes: 0,
        };
        let mut taker = Counted(ObjectRows::new(&mut rows, &claimed), 0.into());
        decode(object.as_bytes(), &mut taker).unwrap();
        let known = taker.1.get();
        assert!(known > 20, "{known}");
        assert_eq!(taker.0.rejected, 0);
        assert!(file_of(&mut rows) == file_of(&mut read));
        rows.clear(usize::MAX);
        assert_eq!(rows.known_identity(IDENTITIES[0]), None);
    }
}
