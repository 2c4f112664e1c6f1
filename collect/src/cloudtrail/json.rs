//! JSON text looked at without copying it: members of an object as slices of the text they stand in.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A member's name: a slice of the text unless it has escapes.
pub struct Key<'a>(pub Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// The members `names` of the object that `raw` is, as raw values; of members named twice the last, as JSON parsers
/// have it. All are absent when `raw` is no object.
pub fn pick<'a, const N: usize>(raw: &'a str, names: [&str; N]) -> [Option<&'a str>; N] {
    struct Picked<'n, const N: usize>([&'n str; N]);
    impl<'de, const N: usize> Visitor<'de> for Picked<'_, N> {
        type Value = [Option<&'de str>; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let mut found = [None; N];
            while let Some(Key(key)) = members.next_key()? {
                let value: &'de RawValue = members.next_value()?;
                if let Some(index) = self.0.iter().position(|name| *name == key) {
                    found[index] = Some(value.get());
                }
            }
            Ok(found)
        }
    }
    if !raw.starts_with('{') {
        return [None; N];
    }
    let mut deserializer = serde_json::Deserializer::from_str(raw);
    deserializer
        .deserialize_map(Picked(names))
        .unwrap_or([None; N])
}

/// The string that a raw value is; `None` when it is something else, or has escapes that name no character.
pub fn text(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
}

/// The boolean that a raw value is, and whether it is one rather than a string saying so.
pub fn flag(raw: &str) -> Option<(bool, bool)> {
    match raw {
        "true" => Some((true, true)),
        "false" => Some((false, true)),
        _ => match text(raw)?.as_ref() {
            "true" | "True" => Some((true, false)),
            "false" | "False" => Some((false, false)),
            _ => None,
        },
    }
}

/// Microseconds since 1970 of a raw value that is a time in RFC 3339 (without an offset: UTC, as AWS means it).
pub fn time(raw: &str) -> Option<i64> {
    let text = text(raw)?;
    let time = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        // A date alone parses too, and is not a time.
        let has_time = text.contains(['T', 't', ' ']);
        has_time.then(|| jiff::tz::TimeZone::UTC.to_timestamp(civil).ok())?
    })?;
    Some(time.as_microsecond())
}

/// A time the way AWS writes it: `2026-11-23T06:00:00Z`, with a fraction only where there is one.
pub fn time_text(microseconds: i64) -> String {
    jiff::Timestamp::from_microsecond(microseconds)
        .map(|time| time.to_string())
        .unwrap_or_default()
}
