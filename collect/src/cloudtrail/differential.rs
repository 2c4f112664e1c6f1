//! The scanner and what reads with it, compared with `serde_json` on documents made and damaged at random, the same in
//! every run: what one takes for JSON so does the other, and both see the same in it.

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::decode::{Event, decode};
use super::identity::{Attributes, Identity, Issuer, Session, identity};
use super::json::pick;
use super::scan::{Malformed, Scanner};

/// Knuth's MMIX generator.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "7",
    "-12",
    "1.50",
    "1e5",
    "1E+05",
    "-0.0e-0",
    "1e999",
    "123456789012345678901234567890",
    "0.1e-400",
    "9007199254740993",
    "18446744073709551616",
    "-9223372036854775809",
];
const TEXT: &[&str] = &[
    "a",
    "bcdefgh",
    "0123456789abcdef",
    "é",
    "😀",
    "\u{7f}",
    "\u{2028}",
    "\u{feff}",
    "/",
    "'",
    "{",
    "]",
    ":",
    ",",
    " ",
    "\\\"",
    "\\\\",
    "\\/",
    "\\b",
    "\\f",
    "\\n",
    "\\r",
    "\\t",
    "\\u0000",
    "\\u00e9",
    "\\ud83d\\ude00",
    "\\ud800",
    "\\uDFFF",
    "sessionToken",
    "\\u0061rn",
];
const NAMES: &[&str] = &[
    "eventID",
    "eventTime",
    "userIdentity",
    "Records",
    "Events",
    "CloudTrailEvent",
    "type",
    "arn",
    "principalId",
    "accountId",
    "userName",
    "accessKeyId",
    "invokedBy",
    "sessionContext",
    "sessionIssuer",
    "attributes",
    "sourceIdentity",
    "mfaAuthenticated",
    "creationDate",
    "\\u0061rn",
    "",
    "x",
    "readOnly",
    "@timestamp",
];
const IDENTITY: &[&str] = &[
    "type",
    "arn",
    "accountId",
    "invokedBy",
    "x",
    "sessionContext",
];
const SPACE: &[&str] = &["", "", "", "", "", "", " ", "\n", "\t", "\r\n", "    "];
/// What damage is made of: all that has a meaning in JSON, and some that has none.
const PIECES: &[&str] = &[
    "{", "}", "[", "]", "\"", ",", ":", "\\", " ", "0", "1", "9", "-", "+", ".", "e", "E", "u",
    "t", "true", "false", "null", "nul", "\n", "\t", "\u{0}", "\u{1f}", "\u{b}", "\u{a0}",
    "\u{feff}", "é", "\\u", "\\ud800", "//", "NaN", "'",
];

fn string(random: &mut Random, out: &mut String) {
    out.push('"');
    for _ in 0..random.below(6) {
        out.push_str(random.pick(TEXT));
    }
    out.push('"');
}

fn space(random: &mut Random, out: &mut String) {
    out.push_str(random.pick(SPACE));
}

fn document(random: &mut Random, depth: usize, out: &mut String) {
    space(random, out);
    match random.below(if depth == 0 { 4 } else { 9 }) {
        0 => out.push_str(random.pick(NUMBERS)),
        1 => out.push_str(random.pick(&["true", "false", "null"])),
        2 | 3 => string(random, out),
        4 | 5 => {
            out.push('[');
            for index in 0..random.below(4) {
                out.push_str(if index > 0 { "," } else { "" });
                document(random, depth - 1, out);
            }
            space(random, out);
            out.push(']');
        }
        _ => {
            out.push('{');
            for index in 0..random.below(6) {
                out.push_str(if index > 0 { "," } else { "" });
                space(random, out);
                if random.below(5) == 0 {
                    string(random, out);
                } else {
                    out.push_str(&format!("\"{}\"", random.pick(NAMES)));
                }
                space(random, out);
                out.push(':');
                document(random, depth - 1, out);
            }
            space(random, out);
            out.push('}');
        }
    }
    space(random, out);
}

fn damage(random: &mut Random, text: &mut String) {
    for _ in 0..=random.below(3) {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let Some(&at) = places.get(random.below(places.len().max(1))) else {
            return;
        };
        let end = at + text[at..].chars().next().map_or(0, char::len_utf8);
        match random.below(4) {
            0 => text.replace_range(at..end, random.pick(PIECES)),
            1 => text.insert_str(at, random.pick(PIECES)),
            2 => text.replace_range(at..end, ""),
            _ => text.truncate(at),
        }
    }
}

/// A value with all in it, as deep as it goes: names and values as they are written.
fn walked(text: &str) -> Option<Vec<String>> {
    fn walk(scanner: &mut Scanner<'_>, seen: &mut Vec<String>) -> Result<(), Malformed> {
        match scanner.peek() {
            Some(b'{') => scanner.object(|scanner, name| {
                seen.push(name.quoted.to_owned());
                walk(scanner, seen)
            }),
            Some(b'[') => scanner.array(|scanner| walk(scanner, seen)),
            _ => {
                seen.push(scanner.value()?.to_owned());
                Ok(())
            }
        }
    }
    let mut seen = Vec::new();
    let mut scanner = Scanner::new(text);
    walk(&mut scanner, &mut seen).ok()?;
    scanner.peek().is_none().then_some(seen)
}

/// The same with `serde_json`.
fn parsed(text: &str) -> Option<Vec<String>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(&'de RawValue, &'de RawValue)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    fn parse(value: &RawValue, seen: &mut Vec<String>) {
        let text = value.get();
        if text.starts_with('{') {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            for (name, value) in deserializer.deserialize_map(Members).unwrap() {
                seen.push(name.get().to_owned());
                parse(value, seen);
            }
        } else if text.starts_with('[') {
            let elements: Vec<&RawValue> = serde_json::from_str(text).unwrap();
            elements.iter().for_each(|element| parse(element, seen));
        } else {
            seen.push(text.to_owned());
        }
    }
    let mut seen = Vec::new();
    parse(serde_json::from_str(text).ok()?, &mut seen);
    Some(seen)
}

fn value(text: &str) -> Option<&str> {
    let mut scanner = Scanner::new(text);
    let value = scanner.value().ok()?;
    scanner.peek().is_none().then_some(value)
}

/// An object that has some of these members, which may hold others of an identity's.
fn identity_document(random: &mut Random, names: &[&str], out: &mut String) {
    const ISSUER: &[&str] = &["arn", "type", "userName"];
    const ATTRIBUTES: &[&str] = &["mfaAuthenticated", "creationDate", "arn"];
    out.push('{');
    for index in 0..random.below(7) {
        let name = random.pick(names);
        out.push_str(if index > 0 { "," } else { "" });
        out.push_str(&format!("\"{name}\":"));
        let inner = match name {
            "sessionContext" => ["sessionIssuer", "attributes", "sourceIdentity", "x"].as_slice(),
            "sessionIssuer" => ISSUER,
            "attributes" => ATTRIBUTES,
            _ => &[],
        };
        if inner.is_empty() || random.below(6) == 0 {
            document(random, 2, out);
        } else {
            identity_document(random, inner, out);
        }
    }
    out.push('}');
}

/// Calls `each` with as many documents as `count` says, two of three damaged; how many of them were JSON.
fn documents(
    seed: u64,
    count: usize,
    make: fn(&mut Random, &mut String),
    mut each: impl FnMut(&str, bool),
) -> usize {
    let mut random = Random(seed);
    let mut sound = 0;
    for number in 0..count {
        let mut text = String::new();
        make(&mut random, &mut text);
        if number % 3 > 0 {
            damage(&mut random, &mut text);
        }
        let is_json = serde_json::from_str::<&RawValue>(&text).is_ok();
        assert!(is_json || number % 3 > 0, "{text}");
        sound += usize::from(is_json);
        each(&text, is_json);
    }
    sound
}

#[test]
fn what_is_json_and_what_is_in_it_is_what_serde_json_says() {
    let make = |random: &mut Random, out: &mut String| document(random, 5, out);
    let sound = documents(1, 60_000, make, |text, _| {
        let expected = serde_json::from_str::<&RawValue>(text).ok();
        assert_eq!(value(text), expected.map(RawValue::get), "{text}");
        assert_eq!(walked(text), parsed(text), "{text}");
    });
    assert!((25_000..50_000).contains(&sound), "{sound}");
}

#[test]
fn identities_read_on_the_way_are_those_picked_afterwards() {
    let mut with_session = 0;
    let make = |random: &mut Random, out: &mut String| match random.below(8) {
        0 => document(random, 3, out),
        1 => identity_document(random, NAMES, out),
        _ => identity_document(random, IDENTITY, out),
    };
    documents(2, 60_000, make, |text, is_json| {
        let mut scanner = Scanner::new(text);
        let found = identity(&mut scanner).ok();
        let found = found.filter(|_| scanner.peek().is_none());
        assert_eq!(found.is_some(), is_json, "{text}");
        let Some(found) = found else { return };
        let raw = |value: Option<&'_ str>| value.map_or("null", str::trim).to_owned();
        let [
            kind,
            arn,
            principal_id,
            account_id,
            user_name,
            access_key_id,
            invoked_by,
            session,
        ] = pick(
            text.trim(),
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
        let session = raw(session);
        let [source_identity, issuer, attributes] =
            pick(&session, ["sourceIdentity", "sessionIssuer", "attributes"]);
        let (issuer, attributes) = (raw(issuer), raw(attributes));
        let [issuer_arn, issuer_kind] = pick(&issuer, ["arn", "type"]);
        let [mfa_authenticated, creation_date] =
            pick(&attributes, ["mfaAuthenticated", "creationDate"]);
        let expected = Identity {
            kind,
            arn,
            principal_id,
            account_id,
            user_name,
            access_key_id,
            invoked_by,
            session: Session {
                source_identity,
                issuer: Issuer {
                    arn: issuer_arn,
                    kind: issuer_kind,
                },
                attributes: Attributes {
                    mfa_authenticated,
                    creation_date,
                },
            },
        };
        // Names whose escapes name no character are none for `pick`, and end its reading.
        if !text.contains("\\ud800") && !text.contains("\\uDFFF") {
            assert_eq!(found, expected, "{text}");
            with_session += usize::from(found.session != Session::default());
        }
    });
    assert!(with_session > 500, "{with_session}");
}

#[test]
fn objects_of_events_are_read_when_serde_json_can_read_them() {
    let mut read = 0;
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let mut text = random.pick(&["{\"Records\":[", "[", "", ""]).to_owned();
        let close = if text.ends_with('[') && text.starts_with('{') {
            "]}"
        } else if text == "[" {
            "]"
        } else {
            ""
        };
        for index in 0..random.below(4) {
            let separator = if close.is_empty() { "\n" } else { "," };
            text.push_str(if index > 0 { separator } else { "" });
            text.push_str(&format!("{{\"eventID\":\"{index}\",\"requestParameters\":"));
            document(&mut random, 3, &mut text);
            text.push('}');
        }
        text.push_str(close);
        if random.below(2) == 0 {
            damage(&mut random, &mut text);
        }
        let unmarked = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut values = serde_json::Deserializer::from_str(unmarked).into_iter::<&RawValue>();
        let is_json = values.all(|value| value.is_ok());
        let mut parameters = Vec::new();
        let decoded = decode(text.as_bytes(), &mut |event: Event<'_>| {
            let raw = event.members[super::members::REQUEST_PARAMETERS];
            parameters.extend(raw.map(str::to_owned));
        });
        if decoded.is_ok() {
            assert!(is_json, "{text}");
            for raw in &parameters {
                assert!(serde_json::from_str::<&RawValue>(raw).is_ok(), "{raw}");
            }
            read += 1;
        } else if let Err(error) = &decoded {
            // Of JSON, only what is in it can be wrong.
            let message = error.to_string();
            let is_shape = [
                "expected",
                "CloudTrailEvent",
                "list of records",
                "no character",
                "empty:",
            ];
            assert!(
                !is_json || is_shape.iter().any(|part| message.contains(part)),
                "{message}: {text}"
            );
        }
    }
    assert!(read > 8_000, "{read}");
}
