//! One column under construction: JSON values in, an Arrow array out.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, MapBuilder, MapFieldNames,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, TimeUnit};
use serde_json::Value;

use crate::contract::{Column, ColumnType};

/// The Arrow field of a column. Times have no zone: UTC by contract.
pub(super) fn field(column: &Column) -> Field {
    let kind = match column.kind {
        ColumnType::String | ColumnType::Json => DataType::Utf8,
        ColumnType::Int => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        ColumnType::List => DataType::List(Arc::new(Field::new("element", DataType::Utf8, true))),
        ColumnType::Map => {
            let entries = vec![
                Field::new("key", DataType::Utf8, false),
                Field::new("value", DataType::Utf8, true),
            ];
            DataType::Map(
                Arc::new(Field::new(
                    "key_value",
                    DataType::Struct(entries.into()),
                    false,
                )),
                false,
            )
        }
    };
    Field::new(&column.name, kind, true)
}

pub(super) enum Builder {
    Text(StringBuilder),
    Json(StringBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    List(ListBuilder<StringBuilder>),
    Map(MapBuilder<StringBuilder, StringBuilder>),
}

impl Builder {
    pub(super) fn new(kind: ColumnType) -> Self {
        match kind {
            ColumnType::String => Self::Text(StringBuilder::new()),
            ColumnType::Json => Self::Json(StringBuilder::new()),
            ColumnType::Int => Self::Int(Int64Builder::new()),
            ColumnType::Float => Self::Float(Float64Builder::new()),
            ColumnType::Bool => Self::Bool(BooleanBuilder::new()),
            ColumnType::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new()),
            ColumnType::List => Self::List(
                ListBuilder::new(StringBuilder::new()).with_field(Field::new(
                    "element",
                    DataType::Utf8,
                    true,
                )),
            ),
            ColumnType::Map => {
                let names = MapFieldNames {
                    entry: "key_value".into(),
                    key: "key".into(),
                    value: "value".into(),
                };
                Self::Map(MapBuilder::new(
                    Some(names),
                    StringBuilder::new(),
                    StringBuilder::new(),
                ))
            }
        }
    }

    /// Appends a value, or null when it does not fit; says whether it fitted. Null always fits.
    pub(super) fn push(&mut self, value: &Value) -> bool {
        match self {
            Self::Text(builder) => {
                push_option(value, text(value), |cell| builder.append_option(cell))
            }
            Self::Json(builder) => push_option(value, Some(value.to_string()), |cell| {
                builder.append_option(cell)
            }),
            Self::Int(builder) => {
                push_option(value, integer(value), |cell| builder.append_option(cell))
            }
            Self::Float(builder) => {
                push_option(value, float(value), |cell| builder.append_option(cell))
            }
            Self::Bool(builder) => {
                push_option(value, boolean(value), |cell| builder.append_option(cell))
            }
            Self::Timestamp(builder) => push_option(value, microseconds(value), |cell| {
                builder.append_option(cell)
            }),
            Self::List(builder) => {
                if let Value::Array(elements) = value {
                    elements
                        .iter()
                        .for_each(|element| builder.values().append_option(text(element)));
                }
                builder.append(value.is_array());
                value.is_array() || value.is_null()
            }
            Self::Map(builder) => push_map(builder, value),
        }
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) | Self::Json(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder) => Arc::new(builder.finish()),
            Self::List(builder) => Arc::new(builder.finish()),
            Self::Map(builder) => Arc::new(builder.finish()),
        }
    }
}

fn push_option<T>(value: &Value, cell: Option<T>, append: impl FnOnce(Option<T>)) -> bool {
    let fits = value.is_null() || cell.is_some();
    append(if value.is_null() { None } else { cell });
    fits
}

fn push_map(builder: &mut MapBuilder<StringBuilder, StringBuilder>, value: &Value) -> bool {
    let entries = value.as_object();
    for (key, cell) in entries.into_iter().flatten() {
        builder.keys().append_value(key);
        builder.values().append_option(text(cell));
    }
    // Keys and values were appended in pairs, which is all that append checks.
    builder.append(entries.is_some()).is_ok() && (entries.is_some() || value.is_null())
}

/// Strings as they are, everything else but null as JSON: a number in a text column loses nothing.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn whole(number: f64) -> Option<i64> {
    // 2^53: beyond it a float is no longer the integer that was sent.
    let exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be whole and in range"
    )]
    exact.then_some(number as i64)
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// RFC 3339 with any offset, or without one, which AWS means as UTC; or seconds since 1970.
fn microseconds(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => {
            let time = text.parse::<jiff::Timestamp>().ok().or_else(|| {
                let civil = text.parse::<jiff::civil::DateTime>().ok()?;
                jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
            })?;
            Some(time.as_microsecond())
        }
        Value::Number(number) => {
            let seconds = number.as_f64()?;
            let time = jiff::Timestamp::from_nanosecond(nanoseconds(seconds)?).ok()?;
            Some(time.as_microsecond())
        }
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
fn nanoseconds(seconds: f64) -> Option<i128> {
    (seconds.abs() < 1e12).then(|| ((seconds * 1e6).round() as i128) * 1_000)
}
