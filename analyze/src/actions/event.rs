//! From an event of CloudTrail to the actions that allowed it.
//!
//! In this order: the table's exceptions for the event, the catalogue's action of that name under the prefix of the event's
//! source, the same without a date at its end. Digits are cut off last and only as a date: 64 actions end in digits that
//! belong to them (`rds:RestoreDBInstanceFromS3`).

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use regex::Regex;

use super::catalogue::Catalogue;
use super::tsv;

const TEXT: &str = include_str!("../../actions/events.tsv");

/// Marks an event, or a whole source, that needs no permission.
const NOTHING: &str = "-";

/// Which actions allowed an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventActions<'a> {
    /// These, all of them.
    Actions(Vec<&'a str>),
    /// None: a sign-in, or something that a service did by itself.
    NoPermission,
    /// Not known.
    Unmapped,
}

/// The actions that allowed an event, by its `eventSource` and `eventName`.
pub fn of_event(event_source: &str, event_name: &str) -> EventActions<'static> {
    let source = event_source.to_ascii_lowercase();
    let source = source.strip_suffix(".amazonaws.com").unwrap_or(&source);
    let plain = Source::plain();
    let known = table().get(source).unwrap_or(&plain);
    let name = event_name.to_ascii_lowercase();
    known
        .find(source, &name)
        .or_else(|| known.find(source, without_date(&name)?))
        .unwrap_or(match known.prefixes {
            Some(NOTHING) => EventActions::NoPermission,
            _ => EventActions::Unmapped,
        })
}

/// What `events.tsv` says of an event source, named without `.amazonaws.com`.
#[derive(Debug)]
struct Source {
    /// Prefixes of its actions, or [`NOTHING`]; absent where it is the source's name.
    prefixes: Option<&'static str>,
    /// Per lower-case event name: the actions, or [`NOTHING`].
    exceptions: BTreeMap<String, &'static str>,
}

impl Source {
    const fn plain() -> Self {
        Self {
            prefixes: None,
            exceptions: BTreeMap::new(),
        }
    }

    /// By the exceptions, then by the actions' names.
    fn find(&self, source: &str, event: &str) -> Option<EventActions<'static>> {
        match self.exceptions.get(event) {
            Some(&NOTHING) => return Some(EventActions::NoPermission),
            Some(actions) => return Some(EventActions::Actions(actions.split(' ').collect())),
            None => {}
        }
        let prefixes = self.prefixes.unwrap_or(source).split(' ');
        let mut named =
            prefixes.filter_map(|prefix| Catalogue::embedded().find(&format!("{prefix}:{event}")));
        Some(EventActions::Actions(vec![named.next()?.name]))
    }
}

fn table() -> &'static BTreeMap<&'static str, Source> {
    static TABLE: OnceLock<BTreeMap<&'static str, Source>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = BTreeMap::new();
        for [source, event, actions] in tsv::rows(TEXT) {
            let source = table.entry(source).or_insert(Source::plain());
            if event == "*" {
                source.prefixes = Some(actions);
            } else {
                source
                    .exceptions
                    .insert(event.to_ascii_lowercase(), actions);
            }
        }
        table
    })
}

/// The name without the date of an API version at its end: `20150331`, `20150331v2`, `2015_03_31v2`.
fn without_date(name: &str) -> Option<&str> {
    static DATE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("20[0-9]{2}_?[01][0-9]_?[0-3][0-9](v[0-9]+)?$").expect("a valid expression")
    });
    let date = DATE.find(name)?;
    Some(&name[..date.start()])
}
