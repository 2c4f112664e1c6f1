//! Bytes of a trail object into events, in one pass and without copying what they say.
//!
//! Shapes: `{"Records": [...]}` as S3 gets it, a bare array, events one after the other (newline-delimited or not),
//! and the output of `aws cloudtrail lookup-events`, where the event is a string. Other kinds of records
//! that trails deliver are told by their shape and counted, not stored.

use std::borrow::Cow;
use std::collections::BTreeMap;

use handoff::text;
use serde_json::value::RawValue;

use super::identity::{Identity, identity};
use super::json;
use super::members::{self, AT_TIMESTAMP, EVENT_TIME, MEMBERS, Slot, USER_IDENTITY};
use super::scan::{Malformed, Name, Scanner, Seen};

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
#[derive(Debug, Default)]
pub struct Event<'a> {
    /// Position in its object, from 0.
    pub record: u64,
    /// `eventTime`, or what stands for it.
    pub time: Option<&'a str>,
    /// Raw values by slot of [`MEMBERS`].
    pub members: [Option<&'a str>; MEMBERS.len()],
    /// What there is in them.
    pub seen: [Seen; MEMBERS.len()],
    /// Parts of [`USER_IDENTITY`]; empty where it is that of an event taken before.
    pub identity: Identity<'a>,
    /// The row of that event.
    pub same_identity: Option<u32>,
    /// Members that no column holds, and every occurrence of those named more than once, in their order.
    pub extra: Vec<(Cow<'a, str>, &'a str)>,
}

/// Whoever wants the events of an object.
pub trait TakeEvents {
    /// Takes an event.
    fn take(&mut self, event: Event<'_>);

    /// The row of an event taken before whose `userIdentity`, an object, `text` begins with to the letter, and the
    /// length of that: identities are a third of a trail, and most come again.
    fn known_identity(&self, _text: &str) -> Option<(u32, usize)> {
        None
    }
}

impl<F: FnMut(Event<'_>)> TakeEvents for F {
    fn take(&mut self, event: Event<'_>) {
        self(event);
    }
}

impl<'a> Event<'a> {
    fn read(scanner: &mut Scanner<'a>, taker: &dyn TakeEvents) -> Result<Self, Stop> {
        if scanner.peek() != Some(b'{') {
            return Err(Stop::expected("a record, which is an object", scanner));
        }
        let mut event = Self::default();
        scanner.object(|scanner, name| event.read_member(scanner, name, taker))?;
        Ok(event)
    }

    fn read_member(
        &mut self,
        scanner: &mut Scanner<'a>,
        name: Name<'a>,
        taker: &dyn TakeEvents,
    ) -> Result<(), Stop> {
        let name = name.text().ok_or(Stop::Syntax)?;
        let slot = members::slot(&name);
        scanner.take_seen();
        let value = if slot == Some(USER_IDENTITY) {
            self.read_identity(scanner, taker)?
        } else {
            scanner.value()?
        };
        match slot {
            Some(slot) => {
                self.seen[slot] = scanner.take_seen();
                self.insert(slot, name, value);
            }
            None if name == EVENT_TIME => {
                if let Some(earlier) = self.time.replace(value) {
                    self.keep_both(name, earlier, value);
                }
            }
            None => self.extra.push((name, value)),
        }
        Ok(())
    }

    fn read_identity(
        &mut self,
        scanner: &mut Scanner<'a>,
        taker: &dyn TakeEvents,
    ) -> Result<&'a str, Malformed> {
        if let Some((row, length)) = taker.known_identity(scanner.rest()) {
            self.same_identity = Some(row);
            return Ok(scanner.known(length));
        }
        self.same_identity = None;
        scanner.slice(|scanner| {
            self.identity = identity(scanner)?;
            Ok(())
        })
    }

    fn insert(&mut self, slot: Slot, name: Cow<'a, str>, value: &'a str) {
        if let Some(earlier) = self.members[slot].replace(value) {
            self.keep_both(name, earlier, value);
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

/// Gives `taker` every event of the object's text.
///
/// # Errors
/// When the text is not JSON or not of a shape that trails have. Events before the error have been taken.
pub fn decode(bytes: &[u8], taker: &mut dyn TakeEvents) -> Result<Decoded, DecodeError> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| DecodeError::NotText(error.valid_up_to()))?;
    // Some editors mark the beginning.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut sink = Sink {
        taker,
        decoded: Decoded::default(),
    };
    let mut scanner = Scanner::new(text);
    if scanner.peek().is_none() {
        return Err(DecodeError::Empty);
    }
    while scanner.peek().is_some() {
        sink.read(&mut scanner)
            .map_err(|error| DecodeError::Malformed {
                records: sink.decoded.records,
                message: error.told_of(text),
            })?;
    }
    Ok(sink.decoded)
}

/// Why the reading stopped.
enum Stop {
    /// No JSON.
    Syntax,
    /// JSON of another shape.
    Shape(String),
}

impl From<Malformed> for Stop {
    fn from(_: Malformed) -> Self {
        Self::Syntax
    }
}

impl Stop {
    fn told_of(self, text: &str) -> String {
        match self {
            Self::Shape(message) => message,
            // The scanner is fast because it does not count lines.
            Self::Syntax => serde_json::Deserializer::from_str(text)
                .into_iter::<&RawValue>()
                .find_map(Result::err)
                .map_or_else(
                    || "a name with escapes that name no character".to_owned(),
                    |error| error.to_string(),
                ),
        }
    }

    fn expected(what: &str, scanner: &mut Scanner<'_>) -> Self {
        match scanner.value() {
            Ok(value) => Self::Shape(format!("expected {what}, got {}", text::clip(value, 60))),
            Err(Malformed) => Self::Syntax,
        }
    }
}

struct Sink<'s> {
    taker: &'s mut dyn TakeEvents,
    decoded: Decoded,
}

impl Sink<'_> {
    /// One JSON value of the object: a list of records, something that holds one, or a record.
    fn read(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        match scanner.peek() {
            Some(b'[') => self.read_list(scanner),
            Some(b'{') => self.read_object(scanner),
            _ => Err(Stop::expected(
                "CloudTrail records: an object with Records, an array, or one event per line",
                scanner,
            )),
        }
    }

    fn read_object(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        let mut event = Event::default();
        let mut is_list = false;
        scanner.object(|scanner, name| {
            if matches!(name.text().as_deref(), Some("Records" | "Events")) {
                is_list = true;
                match scanner.peek() {
                    Some(b'[') => self.read_list(scanner),
                    _ => Err(Stop::expected("a list of records", scanner)),
                }
            } else if is_list {
                // What stands beside the list, such as the token of the next page, is about the list.
                scanner.value()?;
                Ok(())
            } else {
                event.read_member(scanner, name, self.taker)
            }
        })?;
        if !is_list {
            return self.take(event);
        }
        // A list beside an event's own members is ambiguous, and reading either would lose the other.
        match event.members[members::EVENT_ID] {
            Some(_) => Err(Stop::Shape(
                "an event that also holds a list of records".to_owned(),
            )),
            None => Ok(()),
        }
    }

    fn read_list(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        scanner.array(|scanner| {
            let event = Event::read(scanner, self.taker)?;
            self.take(event)
        })
    }

    fn take(&mut self, mut event: Event<'_>) -> Result<(), Stop> {
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
        self.taker.take(event);
        Ok(())
    }

    /// `lookup-events` prints the event as a string inside an index entry of it.
    fn take_wrapped(&mut self, raw: &str) -> Result<(), Stop> {
        let malformed = |reason: &str| Stop::Shape(format!("CloudTrailEvent: {reason}"));
        let text = json::text(raw).ok_or_else(|| malformed("expected the event as a string"))?;
        let mut scanner = Scanner::new(&text);
        let event = Event::read(&mut scanner, self.taker)
            .map_err(|stop| malformed(&stop.told_of(&text)))?;
        if scanner.peek().is_some() {
            return Err(malformed("more than one event"));
        }
        if event.has_extra("CloudTrailEvent") {
            return Err(malformed("an event inside an event inside an event"));
        }
        self.take(event)
    }
}
