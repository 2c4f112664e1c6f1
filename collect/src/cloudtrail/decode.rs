//! Bytes of a trail object into events, in one pass and without copying what they say.
//!
//! Shapes: `{"Records": [...]}` as S3 gets it, a bare array, events one after the other (newline-delimited or not),
//! and the output of `aws cloudtrail lookup-events`, where the event is a string. Other kinds of records
//! that trails deliver are told by their shape and counted, not stored.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::json::{self, Key};
use super::members::{self, AT_TIMESTAMP, EVENT_TIME, MEMBERS};

/// Why an object is no trail object.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Neither gzip nor text.
    #[error("not JSON text: byte {0} is no UTF-8")]
    NotText(usize),
    /// Nothing in it.
    #[error("empty: no JSON in it")]
    Empty,
    /// Not JSON, or JSON of another shape.
    #[error("after record {records}: {message}")]
    Malformed {
        /// Records read before.
        records: u64,
        /// The parser's words.
        message: String,
    },
}

/// A kind of record that trails deliver beside events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OtherKind {
    /// Hashes of delivered objects.
    Digest,
    /// Unusual activity, as CloudTrail Insights sees it.
    Insight,
    /// Calls through a VPC endpoint.
    NetworkActivity,
    /// Counts of events over a time.
    Aggregated,
    /// Logs of another service under the same prefix.
    OtherService,
}

impl OtherKind {
    /// Name in the ledger and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::Insight => "insight",
            Self::NetworkActivity => "network_activity",
            Self::Aggregated => "aggregated",
            Self::OtherService => "other_service",
        }
    }
}

/// What was in an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// Records seen, of whatever kind.
    pub records: u64,
    /// Records of other kinds.
    pub other: BTreeMap<OtherKind, u64>,
}

/// An event as slices of the text it was read from.
#[derive(Debug)]
pub struct Event<'a> {
    /// Position in its object, from 0.
    pub record: u64,
    /// `eventTime`, or what stands for it.
    pub time: Option<&'a str>,
    /// Raw values by slot of [`MEMBERS`].
    pub members: [Option<&'a str>; MEMBERS.len()],
    /// Members that no column holds, and every occurrence of those named more than once, in their order.
    pub extra: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Event<'a> {
    fn new(record: u64) -> Self {
        Self {
            record,
            time: None,
            members: [None; MEMBERS.len()],
            extra: Vec::new(),
        }
    }

    fn insert(&mut self, key: Cow<'a, str>, value: &'a str) {
        if key == EVENT_TIME {
            if let Some(earlier) = self.time.replace(value) {
                self.keep_both(key, earlier, value);
            }
            return;
        }
        let Some(slot) = members::slot(&key) else {
            self.extra.push((key, value));
            return;
        };
        if let Some(earlier) = self.members[slot].replace(value) {
            self.keep_both(key, earlier, value);
        }
    }

    /// A name that occurs twice: the column has the last, as JSON parsers do; `extra` has them all.
    fn keep_both(&mut self, key: Cow<'a, str>, earlier: &'a str, later: &'a str) {
        if !self.has_extra(&key) {
            self.extra.push((key.clone(), earlier));
        }
        self.extra.push((key, later));
    }

    /// Whether `extra` has a member of that name.
    pub fn has_extra(&self, key: &str) -> bool {
        self.extra.iter().any(|(name, _)| name == key)
    }

    fn last_extra(&self, key: &str) -> Option<&'a str> {
        let mut found = self.extra.iter().rev();
        found.find(|(name, _)| name == key).map(|&(_, value)| value)
    }

    /// A member nobody promoted tells what it is.
    fn other_kind(&self) -> Option<OtherKind> {
        match self.members[members::EVENT_CATEGORY] {
            Some("\"Insight\"") => return Some(OtherKind::Insight),
            Some("\"NetworkActivity\"") => return Some(OtherKind::NetworkActivity),
            Some("\"Aggregated\"") => return Some(OtherKind::Aggregated),
            _ => {}
        }
        let is_digest = !self.extra.is_empty()
            && self.has_extra("digestStartTime")
            && self.has_extra("digestS3Object");
        is_digest.then_some(OtherKind::Digest)
    }

    /// An export's `@timestamp` stands for a missing `eventTime`; where both are, `extra` has both, so that the
    /// presence of `@timestamp` there alone tells which of them the column came from.
    fn settle_time(&mut self) {
        let Some(stamp) = self.last_extra(AT_TIMESTAMP) else {
            return;
        };
        match self.time {
            None => self.time = Some(stamp),
            Some(time) if !self.has_extra(EVENT_TIME) => {
                self.extra.push((Cow::Borrowed(EVENT_TIME), time));
            }
            Some(_) => {}
        }
    }
}

/// Calls `each` with every event of the object's text.
///
/// # Errors
/// When the text is not JSON or not of a shape that trails have. Events before the error have been given to `each`.
pub fn decode(bytes: &[u8], each: &mut dyn FnMut(Event<'_>)) -> Result<Decoded, DecodeError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| DecodeError::NotText(error.valid_up_to()))?
        .trim_start_matches('\u{feff}');
    let mut sink = Sink {
        each,
        decoded: Decoded::default(),
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut values = 0_u64;
    while deserializer.end().is_err() {
        let read = Value { sink: &mut sink }.deserialize(&mut deserializer);
        read.map_err(|error| DecodeError::Malformed {
            records: sink.decoded.records,
            message: error.to_string(),
        })?;
        values += 1;
    }
    if values == 0 {
        return Err(DecodeError::Empty);
    }
    Ok(sink.decoded)
}

struct Sink<'s> {
    each: &'s mut dyn FnMut(Event<'_>),
    decoded: Decoded,
}

impl Sink<'_> {
    fn take(&mut self, mut event: Event<'_>) -> Result<(), serde_json::Error> {
        event.record = self.decoded.records;
        if let Some(wrapped) = event.last_extra("CloudTrailEvent") {
            return self.take_wrapped(wrapped);
        }
        self.decoded.records += 1;
        if let Some(kind) = event.other_kind() {
            *self.decoded.other.entry(kind).or_default() += 1;
            return Ok(());
        }
        event.settle_time();
        (self.each)(event);
        Ok(())
    }

    /// `lookup-events` prints the event as a string inside an index entry of it.
    fn take_wrapped(&mut self, raw: &str) -> Result<(), serde_json::Error> {
        let text = json::text(raw).ok_or_else(|| {
            serde_json::Error::custom("CloudTrailEvent: expected the event as a string")
        })?;
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        let event = Record.deserialize(&mut deserializer)?;
        deserializer.end()?;
        if event.has_extra("CloudTrailEvent") {
            return Err(serde_json::Error::custom(
                "CloudTrailEvent: an event inside an event inside an event",
            ));
        }
        self.take(event)
    }
}

/// One JSON value of the object: a list of records, something that holds one, or a record.
struct Value<'v, 's> {
    sink: &'v mut Sink<'s>,
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CloudTrail records: an object with Records, an array, or one event per line")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<(), A::Error> {
        take_all(self.sink, elements)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut event = Event::new(0);
        let mut is_list = false;
        while let Some(Key(key)) = entries.next_key()? {
            if key == "Records" || key == "Events" {
                entries.next_value_seed(List {
                    sink: &mut *self.sink,
                })?;
                is_list = true;
            } else if is_list {
                // What stands beside the list, such as the token of the next page, is about the list.
                entries.next_value::<IgnoredAny>()?;
            } else {
                event.insert(key, entries.next_value::<&'de RawValue>()?.get());
            }
        }
        if is_list {
            // A list beside an event's own members is ambiguous, and reading either would lose the other.
            return match event.members[members::EVENT_ID] {
                Some(_) => Err(A::Error::custom(
                    "an event that also holds a list of records",
                )),
                None => Ok(()),
            };
        }
        self.sink.take(event).map_err(A::Error::custom)
    }
}

struct List<'v, 's> {
    sink: &'v mut Sink<'s>,
}

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<(), A::Error> {
        take_all(self.sink, elements)
    }
}

fn take_all<'de, A: SeqAccess<'de>>(sink: &mut Sink<'_>, mut elements: A) -> Result<(), A::Error> {
    while let Some(event) = elements.next_element_seed(Record)? {
        sink.take(event).map_err(A::Error::custom)?;
    }
    Ok(())
}

/// One record.
struct Record;

impl<'de> DeserializeSeed<'de> for Record {
    type Value = Event<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Event<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Record {
    type Value = Event<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Event<'de>, A::Error> {
        let mut event = Event::new(0);
        while let Some(Key(key)) = entries.next_key()? {
            event.insert(key, entries.next_value::<&'de RawValue>()?.get());
        }
        Ok(event)
    }
}
