//! Events into the columns of `cloudtrail_events`.
//!
//! Every event can be rebuilt from its row (see [`super::rebuild`]): a member whose column would not give it back
//! exactly, because it is null, a string where a boolean belongs, or named twice, stands in `extra` as well.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::decode::Event;
use super::json;
use super::members::{AT_TIMESTAMP, EVENT_ID, EVENT_TIME, MEMBERS, MemberKind, USER_IDENTITY};
use super::redact::{self, redact};

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

enum Column {
    Text(StringBuilder),
    Flag(BooleanBuilder),
}

/// Rows under construction.
pub struct Rows {
    schema: SchemaRef,
    ingested_at: i64,
    times: Vec<i64>,
    members: Vec<Column>,
    identity_texts: [StringBuilder; 11],
    mfa_authenticated: BooleanBuilder,
    created_at: TimestampMicrosecondBuilder,
    extra: StringBuilder,
    source_key: StringBuilder,
    source_etag: StringBuilder,
    source_record: Int64Builder,
    bytes: usize,
    scratch: String,
}

impl Rows {
    /// No rows yet; `ingested_at` in microseconds is that of the batch.
    pub fn new(schema: SchemaRef, ingested_at: i64) -> Self {
        let column = |kind| match kind {
            MemberKind::Text | MemberKind::Json => Column::Text(StringBuilder::new()),
            MemberKind::Flag => Column::Flag(BooleanBuilder::new()),
        };
        Self {
            schema,
            ingested_at,
            times: Vec::new(),
            members: MEMBERS.iter().map(|member| column(member.kind)).collect(),
            identity_texts: std::array::from_fn(|_| StringBuilder::new()),
            mfa_authenticated: BooleanBuilder::new(),
            created_at: TimestampMicrosecondBuilder::new(),
            extra: StringBuilder::new(),
            source_key: StringBuilder::new(),
            source_etag: StringBuilder::new(),
            source_record: Int64Builder::new(),
            bytes: 0,
            scratch: String::new(),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Bytes of text held, about.
    pub fn bytes(&self) -> usize {
        self.bytes
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
        self.scratch.clear();
        self.push_members(event);
        self.push_identity(event.members[USER_IDENTITY]);
        self.push_time(event, time);
        for (key, value) in &event.extra {
            append_member(&mut self.scratch, key, value);
        }
        self.finish_extra();
        self.source_key.append_value(origin.key);
        self.source_etag.append_value(origin.etag);
        self.source_record
            .append_value(i64::try_from(event.record).unwrap_or(i64::MAX));
        self.bytes += 64 + origin.key.len() + origin.etag.len();
        Ok(time)
    }

    fn push_members(&mut self, event: &Event<'_>) {
        let members = self.members.iter_mut().zip(MEMBERS).zip(event.members);
        for ((column, member), raw) in members {
            let exact = match (column, raw) {
                (Column::Text(builder), None) => {
                    builder.append_null();
                    continue;
                }
                (Column::Flag(builder), None) => {
                    builder.append_null();
                    continue;
                }
                (Column::Text(builder), Some(raw)) => {
                    let text = match member.kind {
                        MemberKind::Json => (raw != "null").then(|| redact(raw)),
                        _ => json::text(raw),
                    };
                    self.bytes += text.as_ref().map_or(0, |text| text.len());
                    let exact = text.is_some();
                    builder.append_option(text);
                    exact
                }
                (Column::Flag(builder), Some(raw)) => {
                    let flag = json::flag(raw);
                    builder.append_option(flag.map(|(value, _)| value));
                    flag.is_some_and(|(_, exact)| exact)
                }
            };
            if let Some(raw) = raw
                && !exact
                && !event.has_extra(member.key)
            {
                append_member(&mut self.scratch, member.key, raw);
            }
        }
    }

    fn push_identity(&mut self, raw: Option<&str>) {
        let raw = raw.unwrap_or_default();
        let [
            kind,
            arn,
            principal_id,
            account_id,
            user_name,
            key_id,
            invoked_by,
            session,
        ] = json::pick(
            raw,
            [
                "type",
                "arn",
                "principalId",
                "accountId",
                "userName",
                "accessKeyId",
                "invokedBy",
                "sessionContext",
            ],
        );
        let [issuer, attributes, source_identity] = json::pick(
            session.unwrap_or_default(),
            ["sessionIssuer", "attributes", "sourceIdentity"],
        );
        let [issuer_arn, issuer_type] = json::pick(issuer.unwrap_or_default(), ["arn", "type"]);
        let [mfa, created] = json::pick(
            attributes.unwrap_or_default(),
            ["mfaAuthenticated", "creationDate"],
        );
        let arn_text = arn.and_then(json::text);
        let issuer_text = issuer_arn.and_then(json::text);
        // An issuer is what tells a session; an empty ARN is none.
        let principal = issuer_text
            .as_deref()
            .filter(|arn| !arn.is_empty())
            .or(arn_text.as_deref());
        let texts = [
            kind.and_then(json::text),
            arn_text.clone(),
            principal_id.and_then(json::text),
            account_id.and_then(json::text),
            user_name.and_then(json::text),
            key_id.and_then(json::text),
            invoked_by.and_then(json::text),
            issuer_text.clone(),
            issuer_type.and_then(json::text),
            source_identity.and_then(json::text),
            principal.map(Cow::Borrowed),
        ];
        for (builder, text) in self.identity_texts.iter_mut().zip(texts) {
            self.bytes += text.as_ref().map_or(0, |text| text.len());
            builder.append_option(text);
        }
        self.mfa_authenticated
            .append_option(mfa.and_then(json::flag).map(|(value, _)| value));
        self.created_at.append_option(created.and_then(json::time));
    }

    fn push_time(&mut self, event: &Event<'_>, time: i64) {
        self.times.push(time);
        let from_stamp = event.has_extra(AT_TIMESTAMP);
        if let Some(raw) = event.time
            && !from_stamp
            && !event.has_extra(EVENT_TIME)
            && json::text(raw).is_none_or(|text| text != json::time_text(time))
        {
            append_member(&mut self.scratch, EVENT_TIME, raw);
        }
    }

    fn finish_extra(&mut self) {
        if self.scratch.is_empty() {
            self.extra.append_null();
        } else {
            self.scratch.push('}');
            self.bytes += self.scratch.len();
            self.extra.append_value(&self.scratch);
        }
    }

    /// The rows in the order they were appended, with the times that order them; none are left.
    ///
    /// # Errors
    /// When the columns are not those of the schema.
    pub fn finish(&mut self) -> Result<(RecordBatch, Vec<i64>), ArrowError> {
        let times = std::mem::take(&mut self.times);
        let rows = times.len();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        arrays.push(Arc::new(arrow::array::TimestampMicrosecondArray::from(
            times.clone(),
        )));
        arrays.push(Arc::new(
            arrow::array::TimestampMicrosecondArray::from_value(self.ingested_at, rows),
        ));
        let first_json = MEMBERS
            .iter()
            .position(|member| member.kind == MemberKind::Json);
        let (plain, nested) = self.members.split_at_mut(first_json.unwrap_or_default());
        arrays.extend(plain.iter_mut().map(finish_column));
        let [texts @ .., source_identity, principal] = &mut self.identity_texts;
        for text in texts {
            arrays.push(Arc::new(text.finish()));
        }
        arrays.push(Arc::new(self.mfa_authenticated.finish()));
        arrays.push(Arc::new(self.created_at.finish()));
        arrays.push(Arc::new(source_identity.finish()));
        arrays.push(Arc::new(principal.finish()));
        arrays.extend(nested.iter_mut().map(finish_column));
        arrays.push(Arc::new(self.extra.finish()));
        arrays.push(Arc::new(self.source_key.finish()));
        arrays.push(Arc::new(self.source_etag.finish()));
        arrays.push(Arc::new(self.source_record.finish()));
        self.bytes = 0;
        Ok((
            RecordBatch::try_new(Arc::clone(&self.schema), arrays)?,
            times,
        ))
    }
}

fn finish_column(column: &mut Column) -> ArrayRef {
    match column {
        Column::Text(builder) => Arc::new(builder.finish()),
        Column::Flag(builder) => Arc::new(builder.finish()),
    }
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
        let mut rows = Rows::new(handoff::table::arrow_schema(&schema), 0);
        assert_eq!(rows.finish().unwrap().0.num_rows(), 0);
    }
}
