//! Session tokens out, everything else byte by byte as it was.
//!
//! A session token in a log is a working credential until it expires. CloudTrail records those of STS; nothing else
//! of an event is touched.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::json;

/// What stands in place of a token.
pub const REDACTED: &str = "\"[session token redacted]\"";

/// Names, in lower case, of members that hold a session token.
const TOKEN_NAMES: [&str; 3] = ["sessiontoken", "session_token", "x-amz-security-token"];

/// The JSON text with the strings of members that hold a session token replaced, at whatever depth they stand.
///
/// `raw` must be well-formed JSON; that makes one scan over its strings enough, however deep it nests.
pub fn redact(raw: &str) -> Cow<'_, str> {
    if !may_hold_token(raw) {
        return Cow::Borrowed(raw);
    }
    let mut kept = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(start) = memchr::memchr(b'"', &raw.as_bytes()[at..]).map(|offset| at + offset) {
        let end = string_end(raw, start);
        at = end;
        let Some(value) = value_after_colon(raw, end) else {
            continue;
        };
        if raw.as_bytes().get(value) == Some(&b'"') && is_token_name(&raw[start..end]) {
            let value_end = string_end(raw, value);
            kept.push_str(&raw[copied..value]);
            kept.push_str(REDACTED);
            copied = value_end;
            at = value_end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(raw);
    }
    kept.push_str(&raw[copied..]);
    Cow::Owned(kept)
}

/// Whether a member of this name holds a session token.
pub fn names_token(name: &str) -> bool {
    // The length tells nearly all others apart.
    matches!(name.len(), 12 | 13 | 20)
        && TOKEN_NAMES
            .iter()
            .any(|token| name.eq_ignore_ascii_case(token))
}

/// A cheap test that most values end with: no name of a token without `oken` in some case, unless it is escaped.
fn may_hold_token(raw: &str) -> bool {
    static SIGNS: LazyLock<[Finder<'static>; 3]> =
        LazyLock::new(|| ["oken", "OKEN", "\\u"].map(Finder::new));
    SIGNS.iter().any(|sign| sign.find(raw.as_bytes()).is_some())
}

fn is_token_name(quoted: &str) -> bool {
    json::text(quoted).is_some_and(|name| names_token(&name))
}

/// Index after the closing quote of the string that opens at `start`.
fn string_end(raw: &str, start: usize) -> usize {
    let bytes = raw.as_bytes();
    let mut at = start + 1;
    while let Some(offset) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += offset;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// Where the value begins when a colon follows, that is, when the string before was a member's name.
fn value_after_colon(raw: &str, end: usize) -> Option<usize> {
    let rest = raw.get(end..)?.trim_ascii_start();
    let value = rest.strip_prefix(':')?.trim_ascii_start();
    Some(raw.len() - value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_at_any_depth_and_nothing_else_moves() {
        let raw = r#"{"credentials" : {"accessKeyId":"ASIA","sessionToken" :  "IQo\"J=","expiration":1.50},"a":[{"SessionToken":"x"}]}"#;
        let expected = r#"{"credentials" : {"accessKeyId":"ASIA","sessionToken" :  "[session token redacted]","expiration":1.50},"a":[{"SessionToken":"[session token redacted]"}]}"#;
        assert_eq!(redact(raw), expected);
    }

    #[test]
    fn other_tokens_values_named_like_one_and_values_that_are_no_string_stay() {
        for raw in [
            r#"{"nextToken":"abc","clientToken":"d","tokenValue":"e"}"#,
            r#"{"name":"sessionToken","value":"f"}"#,
            r#"["sessionToken","g"]"#,
            r#"{"sessionToken":null,"session_token":{"a":"b"}}"#,
            r#"{"text":"\"sessionToken\":\"h\""}"#,
        ] {
            assert!(matches!(redact(raw), Cow::Borrowed(_)), "{raw}");
        }
    }

    #[test]
    fn every_name_of_a_token_is_one() {
        for name in TOKEN_NAMES {
            assert!(
                names_token(name) && names_token(&name.to_uppercase()),
                "{name}"
            );
        }
    }

    #[test]
    fn an_escaped_name_hides_nothing() {
        assert_eq!(
            redact(r#"{"session\u0054oken":"abc"}"#),
            format!(r#"{{"session\u0054oken":{REDACTED}}}"#)
        );
    }
}
