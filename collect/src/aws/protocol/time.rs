//! Timestamps: whatever a service writes becomes one form, `2026-11-23T06:00:00+00:00`.
//!
//! That is what Python's `datetime.isoformat()` gives for a time in UTC, and so what the AWS CLI prints there:
//! no fraction when it is zero, six digits otherwise.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads seconds since 1970, ISO 8601 or RFC 822, in the forms that services use; `None` for anything else.
///
/// A time without an offset is taken as UTC, which is what AWS means by it.
pub fn from_text(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return from_seconds(seconds);
    }
    let timestamp = text
        .parse::<Timestamp>()
        .or_else(|_| {
            let civil: DateTime = text.parse()?;
            TimeZone::UTC.to_timestamp(civil)
        })
        .or_else(|_| jiff::fmt::rfc2822::parse(text).map(|zoned| zoned.timestamp()));
    timestamp.ok().map(format)
}

/// Reads seconds since 1970; `None` when they lie outside the years 1 to 9999 or are not a number.
pub fn from_seconds(seconds: f64) -> Option<String> {
    // Rounding the fraction alone, half to even, is what Python does; it decides the last digit.
    let whole = seconds.trunc();
    let microseconds = ((seconds - whole) * 1e6).round_ties_even();
    // -62135596800 is 0001-01-01, 253402300799 is 9999-12-31T23:59:59.
    if !(-62_135_596_800.0..=253_402_300_799.0).contains(&whole) {
        return None;
    }
    // Both are whole numbers well inside i64 and i32.
    #[allow(clippy::cast_possible_truncation)]
    let timestamp = Timestamp::new(whole as i64, microseconds as i32 * 1000).or_else(|_| {
        // A fraction that rounds up to a whole second.
        Timestamp::new(whole as i64 + microseconds.signum() as i64, 0)
    });
    timestamp.ok().map(format)
}

fn format(timestamp: Timestamp) -> String {
    let microseconds = timestamp.subsec_microsecond();
    // Before 1970 a fraction counts backwards from the second above.
    let (second, microseconds) = if microseconds < 0 {
        (timestamp.as_second() - 1, microseconds + 1_000_000)
    } else {
        (timestamp.as_second(), microseconds)
    };
    let whole = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
    let date = whole.strftime("%Y-%m-%dT%H:%M:%S");
    if microseconds == 0 {
        format!("{date}+00:00")
    } else {
        format!("{date}.{microseconds:06}+00:00")
    }
}

/// Writes a timestamp of a request, given in ISO 8601 or as seconds, in the model's format.
pub fn to_wire(text: &str, wire_format: &str) -> Option<String> {
    let canonical = from_text(text)?;
    let timestamp: Timestamp = canonical.parse().ok()?;
    Some(match wire_format {
        "unixTimestamp" => match timestamp.as_microsecond() {
            whole if whole % 1_000_000 == 0 => timestamp.as_second().to_string(),
            // A double has the 51 bits that microseconds take until the year 2041.
            #[allow(clippy::cast_precision_loss)]
            fraction => (fraction as f64 / 1e6).to_string(),
        },
        "rfc822" => timestamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        _ => canonical.replace("+00:00", "Z"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_become_one() {
        for (text, expected) in [
            ("2026-11-23T06:00:00Z", "2026-11-23T06:00:00+00:00"),
            ("2026-11-23T06:00:00.000Z", "2026-11-23T06:00:00+00:00"),
            (
                "2026-11-23T06:00:00.120Z",
                "2026-11-23T06:00:00.120000+00:00",
            ),
            (
                "2026-11-23T06:00:00.1234567Z",
                "2026-11-23T06:00:00.123456+00:00",
            ),
            ("2026-11-23T08:00:00+02:00", "2026-11-23T06:00:00+00:00"),
            ("2026-11-23T06:00:00", "2026-11-23T06:00:00+00:00"),
            ("2026-11-23", "2026-11-23T00:00:00+00:00"),
            ("2026-11-23 06:00:00", "2026-11-23T06:00:00+00:00"),
            ("Mon, 23 Nov 2026 06:00:00 GMT", "2026-11-23T06:00:00+00:00"),
            ("1795413600", "2026-11-23T06:00:00+00:00"),
            ("1795413600.5", "2026-11-23T06:00:00.500000+00:00"),
            ("1.7954136E9", "2026-11-23T06:00:00+00:00"),
            ("-0.5", "1969-12-31T23:59:59.500000+00:00"),
        ] {
            assert_eq!(from_text(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "1e300",
            "nan",
            "inf",
            "1795413600000",
        ] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }

    #[test]
    fn fractions_round_like_python() {
        assert_eq!(
            from_seconds(1_795_413_600.999_999_7).as_deref(),
            Some("2026-11-23T06:00:01+00:00")
        );
        assert_eq!(
            from_seconds(1_795_413_600.123).as_deref(),
            Some("2026-11-23T06:00:00.123000+00:00")
        );
    }

    #[test]
    fn requests_take_the_format_of_the_model() {
        let to = |format| to_wire("2026-11-23T06:00:00+00:00", format).unwrap();
        assert_eq!(to("iso8601"), "2026-11-23T06:00:00Z");
        assert_eq!(to("unixTimestamp"), "1795413600");
        assert_eq!(
            to_wire("2026-11-23T06:00:00.12Z", "unixTimestamp").unwrap(),
            "1795413600.12"
        );
        assert_eq!(to("rfc822"), "Mon, 23 Nov 2026 06:00:00 GMT");
    }
}
