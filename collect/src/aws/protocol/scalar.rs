//! Scalars: from the text of an element or header, or from a JSON value, to the JSON that the AWS CLI prints.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::{Number, Value};

use super::{Malformed, time};
use crate::aws::model::Type;

/// Reads a scalar from text.
pub fn from_text(target: &Type, text: &str) -> Result<Value, Malformed> {
    let expected = |what: &str| Malformed::expected(what, text);
    Ok(match target {
        Type::Boolean => Value::Bool(text == "true"),
        Type::Integer => integer(text).ok_or_else(|| expected("an integer"))?,
        Type::Float => float(text).ok_or_else(|| expected("a number"))?,
        Type::Timestamp => {
            Value::String(time::from_text(text).ok_or_else(|| expected("a timestamp"))?)
        }
        Type::Blob => Value::String(blob(text).ok_or_else(|| expected("base64"))?),
        Type::PolicyDocument => policy_document(text),
        Type::String | Type::Document | Type::Shape(_) => Value::String(text.to_owned()),
    })
}

/// Reads an integer with the sign and white space that Python's `int` accepts.
pub fn integer(text: &str) -> Option<Value> {
    let text = text.trim();
    let signed = text.parse::<i64>().map(Number::from);
    let number = signed.or_else(|_| text.parse::<u64>().map(Number::from));
    number.ok().map(Value::Number)
}

/// Reads a floating-point number. JSON has no infinities and no NaN: they stay words.
pub fn float(text: &str) -> Option<Value> {
    let number = text.trim().parse::<f64>().ok()?;
    Some(float_value(number))
}

/// A number as JSON, or its name when JSON has no such number.
pub fn float_value(number: f64) -> Value {
    let word = || match number {
        number if number.is_nan() => "NaN",
        number if number > 0.0 => "Infinity",
        _ => "-Infinity",
    };
    Number::from_f64(number).map_or_else(|| Value::String(word().to_owned()), Value::Number)
}

/// Reads base64, with or without line breaks, and writes it without.
pub fn blob(text: &str) -> Option<String> {
    let compact: String = text.split_ascii_whitespace().collect();
    STANDARD
        .decode(&compact)
        .ok()
        .map(|bytes| STANDARD.encode(bytes))
}

/// IAM sends policies as URL-encoded JSON. One that cannot be read stays the text it is.
fn policy_document(text: &str) -> Value {
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    serde_json::from_str(&decoded).unwrap_or_else(|_| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_becomes_typed() {
        let read = |target, text| from_text(&target, text).unwrap();
        assert_eq!(read(Type::Integer, " 42"), json!(42));
        assert_eq!(read(Type::Integer, "18446744073709551615"), json!(u64::MAX));
        assert_eq!(read(Type::Float, "1"), json!(1.0));
        assert_eq!(read(Type::Float, "NaN"), json!("NaN"));
        assert_eq!(read(Type::Boolean, "true"), json!(true));
        assert_eq!(read(Type::Boolean, "false"), json!(false));
        assert_eq!(read(Type::Blob, "YWJj\nZA=="), json!("YWJjZA=="));
        assert_eq!(read(Type::String, ""), json!(""));
    }

    #[test]
    fn policies_are_decoded_or_kept() {
        let encoded = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D";
        let read = |text| from_text(&Type::PolicyDocument, text).unwrap();
        assert_eq!(
            read(encoded),
            json!({"Version": "2012-10-17", "Statement": []})
        );
        assert_eq!(read("{\"a\":\"1+1\"}"), json!({"a": "1+1"}));
        assert_eq!(read("%7Bnot json"), json!("%7Bnot json"));
    }

    #[test]
    fn text_of_another_type_is_malformed() {
        for (target, text) in [
            (Type::Integer, "many"),
            (Type::Integer, ""),
            (Type::Float, "x"),
            (Type::Timestamp, "soon"),
            (Type::Blob, "***"),
        ] {
            assert!(from_text(&target, text).is_err(), "{target:?} {text}");
        }
    }
}
