//! A row back into the event it came from: the proof that nothing was lost.
//!
//! The rule, for anybody who wants to do the same in SQL: every member of `extra` as it stands; then every column that
//! is not null under its member's name, unless `extra` has that name already. `eventTime` comes from `event_time`
//! unless `extra` has `eventTime` or `@timestamp`. The identity's columns repeat parts of `user_identity`.

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::record_batch::RecordBatch;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json::{self, Key};
use super::members::{AT_TIMESTAMP, EVENT_TIME, MEMBERS, MemberKind};

/// The event of row `index` as JSON text; `None` when the batch has not the columns of `cloudtrail_events`.
pub fn rebuild(batch: &RecordBatch, index: usize) -> Option<String> {
    let text = |column: &str| -> Option<Option<&str>> {
        let array = batch.column_by_name(column)?.as_string_opt::<i32>()?;
        Some(array.is_valid(index).then(|| array.value(index)))
    };
    let extra = text("extra")?;
    let names = names(extra.unwrap_or("{}"));
    let has = |key: &str| names.iter().any(|name| name == key);
    let mut members: Vec<String> = Vec::new();
    if let Some(extra) = extra {
        members.push(
            extra
                .trim()
                .strip_prefix('{')?
                .strip_suffix('}')?
                .to_owned(),
        );
    }
    if !has(EVENT_TIME) && !has(AT_TIMESTAMP) {
        let times = batch
            .column_by_name("event_time")?
            .as_primitive_opt::<TimestampMicrosecondType>()?;
        members.push(member(
            EVENT_TIME,
            &quoted(&json::time_text(times.value(index))),
        ));
    }
    for promoted in MEMBERS.iter().filter(|promoted| !has(promoted.key)) {
        let raw = match promoted.kind {
            MemberKind::Json => text(promoted.column)?.map(str::to_owned),
            MemberKind::Text => text(promoted.column)?.map(quoted),
            MemberKind::Flag => {
                let flags = batch.column_by_name(promoted.column)?.as_boolean_opt()?;
                flags
                    .is_valid(index)
                    .then(|| flags.value(index).to_string())
            }
        };
        members.extend(raw.map(|raw| member(promoted.key, &raw)));
    }
    Some(format!("{{{}}}", members.join(",")))
}

fn member(key: &str, raw: &str) -> String {
    format!("{}:{raw}", quoted(key))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn names(object: &str) -> Vec<String> {
    struct Names;
    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Vec<String>, A::Error> {
            let mut names = Vec::new();
            while let Some(Key(key)) = members.next_key()? {
                members.next_value::<&RawValue>()?;
                names.push(key.into_owned());
            }
            Ok(names)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(object);
    deserializer.deserialize_map(Names).unwrap_or_default()
}
