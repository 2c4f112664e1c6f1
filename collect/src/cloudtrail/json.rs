//! JSON text looked at without copying it: members of an object as slices of the text they stand in.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

const EPOCH: jiff::civil::Date = jiff::civil::date(1970, 1, 1);

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

/// As [`text`], of a value that is known to have no escapes unless `may_escape`.
pub fn text_of(raw: &str, may_escape: bool) -> Option<Cow<'_, str>> {
    if may_escape {
        return text(raw);
    }
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    Some(Cow::Borrowed(inner))
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
    if let Some(time) = usual_time(&text) {
        return Some(time);
    }
    let time = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        // A date alone parses too, and is not a time.
        let has_time = text.contains(['T', 't', ' ']);
        has_time.then(|| jiff::tz::TimeZone::UTC.to_timestamp(civil).ok())?
    })?;
    Some(time.as_microsecond())
}

/// The time that a text names in the way of [`time_text`], to the second; all others are for a patient parser.
pub fn usual_time(text: &str) -> Option<i64> {
    let text: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let shape = text.map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    if shape != *b"0000-00-00T00:00:00Z" {
        return None;
    }
    let digit = |at: usize| text[at] - b'0';
    let two = |at: usize| i8::try_from(digit(at) * 10 + digit(at + 1)).ok();
    let year = i16::from(two(0)?) * 100 + i16::from(two(2)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let date = jiff::civil::Date::new(year, two(5)?, two(8)?).ok()?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    Some((date.duration_since(EPOCH).as_secs() + seconds) * 1_000_000)
}

/// A time the way AWS writes it: `2026-11-23T06:00:00Z`, with a fraction only where there is one.
pub fn time_text(microseconds: i64) -> String {
    jiff::Timestamp::from_microsecond(microseconds)
        .map(|time| time.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_times_are_read_as_the_patient_parser_reads_them() {
        let (mut read, mut state) = (0, 1_u64);
        for _ in 0..100_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let part = |shift: u64, limit: u64| (state >> shift) % limit;
            let (year, month, day) = (part(20, 10_000), part(32, 14), part(36, 33));
            let (hour, minute, second) = (part(42, 26), part(47, 62), part(53, 62));
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
            let expected = text.parse::<jiff::Timestamp>();
            let expected = expected.ok().map(jiff::Timestamp::as_microsecond);
            if let Some(time) = usual_time(&text) {
                assert_eq!(Some(time), expected, "{text}");
                assert_eq!(time_text(time), text);
                read += 1;
            } else {
                assert!(expected.is_none() || second == 60, "{text}");
            }
        }
        assert!(read > 50_000, "{read}");
        for other in [
            "2026-11-23T06:00:00z",
            "2026-11-23 06:00:00Z",
            "2026-11-23T06:00:0:Z",
            "+026-11-23T06:00:00Z",
            "2026-11-23T06:00Z",
        ] {
            assert_eq!(usual_time(other), None, "{other}");
        }
    }
}
