//! What could not be collected: the rows of `collect_errors`, and the lines that tell a user.

use std::collections::BTreeMap;

use handoff::text::clip;
use serde_json::{Value, json};

use super::secrets::hide_text;
use crate::aws::{CallError, ErrorKind};

/// Longest message kept, in bytes.
const MAX_MESSAGE: usize = 1_000;

/// One row of `collect_errors`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ErrorRow {
    /// Account of the call.
    pub account_id: String,
    /// Region as in the tables' column: `global` for services that have none.
    pub region: String,
    /// Table that lacks rows or values.
    pub table: String,
    /// Service.
    pub service: String,
    /// Operation.
    pub operation: String,
    /// The row concerned; `None` when the whole table is.
    pub resource_arn: Option<String>,
    /// Parameter of the call.
    pub resource_id: Option<String>,
    /// Name of the kind, as in the contract.
    pub kind: &'static str,
    /// Code.
    pub code: String,
    /// Message.
    pub message: String,
}

const KINDS: [(ErrorKind, &str); 9] = [
    (ErrorKind::Denied, "denied"),
    (ErrorKind::Throttled, "throttled"),
    (ErrorKind::Timeout, "timeout"),
    (ErrorKind::Credentials, "credentials"),
    (ErrorKind::NotFound, "not_found"),
    (ErrorKind::NotOffered, "not_offered"),
    (ErrorKind::Malformed, "malformed"),
    (ErrorKind::NotRecorded, "not_recorded"),
    (ErrorKind::Other, "other"),
];

/// Name of a kind in `collect_errors` and in recordings.
pub fn kind_name(kind: ErrorKind) -> &'static str {
    KINDS
        .iter()
        .find(|(known, _)| *known == kind)
        .map_or("other", |(_, name)| name)
}

/// The kind of a name.
pub fn kind_of_name(name: &str) -> Option<ErrorKind> {
    KINDS
        .iter()
        .find(|(_, known)| *known == name)
        .map(|(kind, _)| *kind)
}

impl ErrorRow {
    /// Fills in what a failed call says.
    #[must_use]
    pub fn failed(mut self, error: &CallError) -> Self {
        self.kind = kind_name(error.kind);
        self.code.clone_from(&error.code);
        self.message = hide_text(clip(&error.message, MAX_MESSAGE).into_owned());
        self
    }

    /// Whether a resource went away after it was listed. That is no failure of the run: what was not told of it
    /// stays null, and its row says so in `incomplete`. A bare status is no service's word that something is gone.
    pub fn is_gone(&self) -> bool {
        let said = !self.code.bytes().all(|byte| byte.is_ascii_digit());
        self.kind == kind_name(ErrorKind::NotFound) && self.resource_arn.is_some() && said
    }

    /// The row's values in the order of the contract's columns.
    pub fn cells(&self) -> Vec<Value> {
        vec![
            json!(self.account_id),
            json!(self.region),
            json!(self.service),
            json!(self.operation),
            json!(self.table),
            json!(self.resource_arn),
            json!(self.resource_id),
            json!(self.kind),
            json!(self.code),
            json!(self.message),
        ]
    }

    /// The service in front of the operation, as IAM and the tools' messages write it.
    fn call(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

/// One line for a user per table, call and code; rows and regions are counted, not listed.
///
/// Sorted by table. Calls that a recording lacks are one line per table.
pub fn lines<'e>(errors: impl Iterator<Item = &'e ErrorRow>) -> Vec<String> {
    let mut groups: BTreeMap<(&str, String, &str, &str), Vec<&ErrorRow>> = BTreeMap::new();
    for error in errors {
        let (call, code) = match error.kind {
            "not_recorded" => (String::new(), ""),
            _ => (error.call(), error.code.as_str()),
        };
        groups
            .entry((&error.table, call, error.kind, code))
            .or_default()
            .push(error);
    }
    groups
        .into_values()
        .filter_map(|group| line(&group))
        .collect()
}

fn line(group: &[&ErrorRow]) -> Option<String> {
    let first = group.first()?;
    let more = match group.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let place = format!("{}/{}{more}", first.account_id, first.region);
    let verb = match first.kind {
        _ if first.is_gone() => "found nothing any more",
        "denied" => "denied",
        "not_recorded" => "not in the recording",
        "throttled" => "throttled",
        "timeout" => "timed out",
        _ => "failed",
    };
    let subject = first
        .resource_id
        .as_ref()
        .map(|id| format!(" of {}", clip(id, 100)))
        .unwrap_or_default();
    Some(match first.kind {
        "not_recorded" => format!("{}: {} {verb} for {place}", first.table, first.call()),
        _ => format!(
            "{}: {}{subject} {verb} in {place} ({}: {})",
            first.table,
            first.call(),
            first.code,
            clip(&first.message, 200)
        ),
    })
}
