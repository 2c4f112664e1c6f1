//! Events into the columns of `cloudtrail_events`.
//!
//! Every event can be rebuilt from its row (see [`super::rebuild`]): a member whose column would not give it back
//! exactly, because it is null, a string where a boolean belongs, or named twice, stands in `extra` as well.

use std::borrow::Cow;

use super::column::{AnyColumn, Column, TextColumn};
use super::decode::Event;
use super::identity::Identity;
use super::json;
use super::members::{AT_TIMESTAMP, EVENT_ID, EVENT_TIME, MEMBERS, MemberKind, USER_IDENTITY};
use super::redact::{self, redact};
use super::repeats::Repeats;

/// Bytes of a row beside its texts: some forty views of them.
const ROW_BYTES: usize = 640;

/// Why an event can't be a row.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RowError {
    /// It lacks its id.
    #[error("record {0}: eventID: expected a string, got {1}")]
    NoId(u64, String),
    /// It lacks its time.
    #[error("record {0}: eventTime: expected RFC 3339, got {1}")]
    NoTime(u64, String),
}

/// Where events come from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Key of the object.
    pub key: &'a str,
    /// Its ETag.
    pub etag: &'a str,
}

/// Rows under construction.
#[derive(Default)]
pub struct Rows {
    ingested_at: i64,
    times: Vec<i64>,
    /// By slot of [`MEMBERS`]; those that hold flags are empty.
    texts: [TextColumn; MEMBERS.len()],
    /// The same, the other way round.
    flags: [Column<bool>; MEMBERS.len()],
    identity_texts: [TextColumn; 11],
    identities: Repeats,
    mfa_authenticated: Column<bool>,
    created_at: Column<i64>,
    extra: TextColumn,
    source_key: TextColumn,
    source_etag: TextColumn,
    source_record: Vec<i64>,
    bytes: usize,
    scratch: String,
}

impl Rows {
    /// Forgets all rows; `ingested_at` in microseconds is that of the batch whose rows will come.
    pub fn begin(&mut self, ingested_at: i64) {
        self.ingested_at = ingested_at;
        self.clear(usize::MAX);
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Bytes held, about.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Times in microseconds, in the order in which rows were appended.
    pub fn times(&self) -> &[i64] {
        &self.times
    }

    /// The row whose `userIdentity` the text begins with, and its length.
    pub fn known_identity(&self, text: &str) -> Option<(u32, usize)> {
        self.identities.find(text, &self.texts[USER_IDENTITY])
    }

    /// Appends an event and returns its time.
    ///
    /// # Errors
    /// When it has no id or no time; nothing is appended then.
    pub fn push(&mut self, event: &Event<'_>, origin: Origin<'_>) -> Result<i64, RowError> {
        let id = event.members[EVENT_ID];
        if id.and_then(json::text).is_none_or(|id| id.is_empty()) {
            return Err(RowError::NoId(event.record, shown(id)));
        }
        let Some(time) = event.time.and_then(json::time).filter(|time| *time >= 0) else {
            return Err(RowError::NoTime(event.record, shown(event.time)));
        };
        let row = self.times.len();
        self.scratch.clear();
        self.push_members(row, event);
        match event.same_identity {
            Some(earlier) => self.repeat_identity(row, earlier),
            None => self.push_identity(row, &event.identity, event.seen[USER_IDENTITY].escape),
        }
        self.push_time(event, time);
        for (key, value) in &event.extra {
            append_member(&mut self.scratch, key, value);
        }
        if !self.scratch.is_empty() {
            self.scratch.push('}');
            self.bytes += self.extra.set(row, &self.scratch);
        }
        self.bytes += self.source_key.set(row, origin.key);
        self.bytes += self.source_etag.set(row, origin.etag);
        self.source_record
            .push(i64::try_from(event.record).unwrap_or(i64::MAX));
        self.bytes += ROW_BYTES;
        Ok(time)
    }

    fn push_members(&mut self, row: usize, event: &Event<'_>) {
        for (slot, (member, raw)) in MEMBERS.iter().zip(event.members).enumerate() {
            let Some(raw) = raw else { continue };
            if slot == USER_IDENTITY && event.same_identity.is_some() {
                continue;
            }
            let exact = if member.kind == MemberKind::Flag {
                let flag = json::flag(raw);
                self.flags[slot].set(row, flag.map(|(value, _)| value));
                flag.is_some_and(|(_, exact)| exact)
            } else {
                let text = match member.kind {
                    MemberKind::Json if raw == "null" => None,
                    MemberKind::Json if event.seen[slot].token_name => Some(redact(raw)),
                    MemberKind::Json => {
                        if slot == USER_IDENTITY {
                            self.identities.remember(raw, row);
                        }
                        Some(Cow::Borrowed(raw))
                    }
                    _ => json::text_of(raw, event.seen[slot].escape),
                };
                let column = &mut self.texts[slot];
                self.bytes += text.as_ref().map_or(0, |text| column.set(row, text));
                text.is_some()
            };
            if !exact && !event.has_extra(member.key) {
                append_member(&mut self.scratch, member.key, raw);
            }
        }
    }

    fn repeat_identity(&mut self, row: usize, earlier: u32) {
        self.texts[USER_IDENTITY].repeat(row, earlier);
        for column in &mut self.identity_texts {
            column.repeat(row, earlier);
        }
        let mfa = self.mfa_authenticated.get(earlier);
        self.mfa_authenticated.set(row, mfa);
        self.created_at.set(row, self.created_at.get(earlier));
    }

    fn push_identity(&mut self, row: usize, identity: &Identity<'_>, may_escape: bool) {
        let text = |raw| json::text_of(raw, may_escape);
        let session = &identity.session;
        let arn = identity.arn.and_then(text);
        let issuer = session.issuer.arn.and_then(text);
        // An issuer is what tells a session; an empty ARN is none.
        let principal = issuer
            .as_deref()
            .filter(|arn| !arn.is_empty())
            .or(arn.as_deref())
            .map(Cow::Borrowed);
        let texts = [
            identity.kind.and_then(text),
            arn.as_deref().map(Cow::Borrowed),
            identity.principal_id.and_then(text),
            identity.account_id.and_then(text),
            identity.user_name.and_then(text),
            identity.access_key_id.and_then(text),
            identity.invoked_by.and_then(text),
            issuer.as_deref().map(Cow::Borrowed),
            session.issuer.kind.and_then(text),
            session.source_identity.and_then(text),
            principal,
        ];
        for (column, text) in self.identity_texts.iter_mut().zip(texts) {
            self.bytes += text.map_or(0, |text| column.set(row, &text));
        }
        let attributes = &session.attributes;
        let mfa = attributes.mfa_authenticated.and_then(json::flag);
        self.mfa_authenticated.set(row, mfa.map(|(value, _)| value));
        self.created_at
            .set(row, attributes.creation_date.and_then(json::time));
    }

    fn push_time(&mut self, event: &Event<'_>, time: i64) {
        self.times.push(time);
        let from_stamp = event.has_extra(AT_TIMESTAMP);
        if let Some(raw) = event.time
            && !from_stamp
            && !event.has_extra(EVENT_TIME)
            && !is_usual(raw, time)
        {
            append_member(&mut self.scratch, EVENT_TIME, raw);
        }
    }

    /// The columns of the table, in their order.
    pub fn columns(&mut self) -> Vec<AnyColumn<'_>> {
        let mut members: Vec<AnyColumn<'_>> = Vec::new();
        let mut nested = Vec::new();
        for ((texts, flags), member) in self.texts.iter_mut().zip(&self.flags).zip(MEMBERS) {
            match member.kind {
                MemberKind::Text => members.push(AnyColumn::Texts(texts)),
                MemberKind::Flag => members.push(AnyColumn::Flags(flags)),
                MemberKind::Json => nested.push(AnyColumn::Texts(texts)),
            }
        }
        let [identity @ .., source_identity, principal] = &mut self.identity_texts;
        let mut columns = vec![
            AnyColumn::Times(&self.times),
            AnyColumn::SameTime(self.ingested_at),
        ];
        columns.append(&mut members);
        columns.extend(identity.iter_mut().map(AnyColumn::Texts));
        columns.push(AnyColumn::Flags(&self.mfa_authenticated));
        columns.push(AnyColumn::SomeTimes(&self.created_at));
        columns.push(AnyColumn::Texts(source_identity));
        columns.push(AnyColumn::Texts(principal));
        columns.append(&mut nested);
        columns.push(AnyColumn::Texts(&mut self.extra));
        columns.push(AnyColumn::Texts(&mut self.source_key));
        columns.push(AnyColumn::Texts(&mut self.source_etag));
        columns.push(AnyColumn::Numbers(&self.source_record));
        columns
    }

    /// Forgets the rows. Their memory is kept for the next ones up to a limit: one large object should not hold it for
    /// the rest of a batch.
    pub fn clear(&mut self, kept: usize) {
        if self.bytes > kept {
            *self = Self {
                ingested_at: self.ingested_at,
                ..Self::default()
            };
        }
        self.times.clear();
        self.texts.iter_mut().for_each(TextColumn::clear);
        self.flags.iter_mut().for_each(Column::clear);
        self.identity_texts.iter_mut().for_each(TextColumn::clear);
        self.identities.clear();
        self.mfa_authenticated.clear();
        self.created_at.clear();
        self.extra.clear();
        self.source_key.clear();
        self.source_etag.clear();
        self.source_record.clear();
        self.bytes = 0;
    }
}

/// Whether a time is written the way [`json::time_text`] does.
fn is_usual(raw: &str, time: i64) -> bool {
    json::text(raw)
        .is_some_and(|text| json::usual_time(&text) == Some(time) || text == json::time_text(time))
}

/// Appends a member to an object that lacks its closing brace, tokens redacted.
fn append_member(object: &mut String, key: &str, raw: &str) {
    object.push(if object.is_empty() { '{' } else { ',' });
    // A string always serialises.
    object.push_str(&serde_json::to_string(key).unwrap_or_default());
    object.push(':');
    if redact::names_token(key) && raw.starts_with('"') {
        object.push_str(redact::REDACTED);
    } else {
        object.push_str(&redact(raw));
    }
}

/// A raw value for a message, short.
fn shown(raw: Option<&str>) -> String {
    raw.map_or_else(
        || "nothing".to_owned(),
        |raw| handoff::text::clip(raw, 60).into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::members::Member;
    use super::*;
    use handoff::contract::ColumnType;

    /// Columns of `cloudtrail_events` that `userIdentity` fills, in their order.
    const IDENTITY_COLUMNS: [&str; 13] = [
        "identity_type",
        "identity_arn",
        "identity_principal_id",
        "identity_account_id",
        "identity_user_name",
        "identity_access_key_id",
        "identity_invoked_by",
        "session_issuer_arn",
        "session_issuer_type",
        "session_mfa_authenticated",
        "session_created_at",
        "source_identity",
        "principal",
    ];

    #[test]
    fn the_builders_are_the_columns_of_the_contract_in_their_order() {
        let schema = handoff::trail::cloudtrail_events();
        let mut names = vec!["event_time", "ingested_at"];
        let (plain, nested): (Vec<&Member>, Vec<&Member>) = MEMBERS
            .iter()
            .partition(|member| member.kind != MemberKind::Json);
        names.extend(plain.iter().map(|member| member.column));
        names.extend(IDENTITY_COLUMNS);
        names.extend(nested.iter().map(|member| member.column));
        names.extend(["extra", "source_key", "source_etag", "source_record"]);
        let columns: Vec<&str> = schema
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        assert_eq!(columns, names);
        for member in MEMBERS {
            let column = schema
                .columns
                .iter()
                .find(|column| column.name == member.column);
            let expected = match member.kind {
                MemberKind::Text => ColumnType::String,
                MemberKind::Flag => ColumnType::Bool,
                MemberKind::Json => ColumnType::Json,
            };
            assert_eq!(
                column.map(|column| column.kind),
                Some(expected),
                "{}",
                member.column
            );
        }
        assert_eq!(Rows::default().columns().len(), names.len());
    }
}
