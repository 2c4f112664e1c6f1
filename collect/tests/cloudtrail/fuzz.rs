//! Events and objects changed at random, the same in every run: nothing is lost, nothing falls over.

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::lake;
use crate::lossless::{assert_rebuilt, elements, fixture};
use crate::trail::{gzip, records, write};

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

/// JSON whose numbers, names and strings stay as they are written, equal names included.
#[derive(Clone)]
enum Node {
    Leaf(String),
    Array(Vec<Node>),
    /// Names with their quotes.
    Object(Vec<(String, Node)>),
}

fn parse(raw: &str) -> Node {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, Node)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(name) = map.next_key::<&RawValue>()? {
                let value = parse(map.next_value::<&RawValue>()?.get());
                members.push((name.get().to_owned(), value));
            }
            Ok(members)
        }
    }
    let raw = raw.trim();
    if raw.starts_with('{') {
        let mut deserializer = serde_json::Deserializer::from_str(raw);
        Node::Object(deserializer.deserialize_map(Members).unwrap())
    } else if raw.starts_with('[') {
        let elements: Vec<&RawValue> = serde_json::from_str(raw).unwrap();
        Node::Array(elements.iter().map(|raw| parse(raw.get())).collect())
    } else {
        Node::Leaf(raw.to_owned())
    }
}

const VALUES: &[&str] = &[
    "0",
    "-0",
    "0.0",
    "-0.10",
    "1E5",
    "1e-400",
    "1e999",
    "9223372036854775808",
    "123456789012345678901234567890.5",
    "null",
    "true",
    "\"true\"",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "\"😀 é \u{202e} \\t\"",
    "\"\\\\\\\"\\/\"",
    "\"'; drop table x; --\"",
    "[]",
    "{}",
    "[null]",
    "{\"\":{\"\":[]}}",
    "{\"a\":1,\"a\":1.0}",
    "\"2026-02-30T25:61:61Z\"",
    "\"HIDDEN_DUE_TO_SECURITY_REASONS\"",
];
const NAMES: &[&str] = &[
    "\"somethingNew\"",
    "\"\"",
    "\"кл\\\"юч\"",
    "\"event\\u004eame\"",
    "\"eventName\"",
    "\"userIdentity\"",
    "\"readOnly\"",
    "\"extra\"",
    "\"source_key\"",
    "\"\\ud83d\\ude00\"",
    "\"responseElements\"",
    "\"resources\"",
    "\"awsRegion\"",
    "\"sessionContext\"",
    "\"arn\"",
];
/// Without them an event has no row.
const REQUIRED: &[&str] = &["\"eventID\"", "\"eventTime\""];

fn mutate(node: &mut Node, random: &mut Random) {
    match node {
        Node::Object(members) if !members.is_empty() => {
            let at = random.below(members.len());
            if REQUIRED.contains(&members[at].0.as_str()) {
                return;
            }
            match random.below(8) {
                0 => {
                    let copy = (
                        members[at].0.clone(),
                        Node::Leaf(random.pick(VALUES).to_owned()),
                    );
                    let place = random.below(members.len() + 1);
                    members.insert(place, copy);
                }
                1 => {
                    let value = Node::Leaf(random.pick(VALUES).to_owned());
                    members.push((random.pick(NAMES).to_owned(), value));
                }
                2 => drop(members.remove(at)),
                3 => members[at].0 = random.pick(NAMES).to_owned(),
                4 => members.rotate_left(at),
                _ => mutate(&mut members[at].1, random),
            }
        }
        Node::Array(elements) if !elements.is_empty() && random.below(3) > 0 => {
            let at = random.below(elements.len());
            mutate(&mut elements[at], random);
        }
        other => {
            *other = match random.below(4) {
                0 => (0..random.below(50)).fold(other.clone(), |inner, depth| {
                    if depth % 2 == 0 {
                        Node::Array(vec![inner])
                    } else {
                        Node::Object(vec![("\"k\"".to_owned(), inner)])
                    }
                }),
                _ => Node::Leaf(random.pick(VALUES).to_owned()),
            };
        }
    }
}

fn space(random: &mut Random, out: &mut String) {
    if random.below(12) == 0 {
        out.push_str(random.pick(&["  ", "\t", "\r\n", " "]));
    }
}

fn render(node: &Node, random: &mut Random, out: &mut String) {
    space(random, out);
    match node {
        Node::Leaf(text) => out.push_str(text),
        Node::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                render(element, random, out);
            }
            out.push(']');
        }
        Node::Object(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                space(random, out);
                out.push_str(name);
                out.push(':');
                render(value, random, out);
            }
            out.push('}');
        }
    }
}

#[test]
fn events_changed_at_random_are_rebuilt() {
    let text = fixture("records.json");
    let events: Vec<Node> = elements(&text, "Records")
        .iter()
        .filter(|event| !event.contains("sessionToken"))
        .map(|event| parse(event))
        .collect();
    assert!(events.len() > 3);
    let mut random = Random(20_261_120);
    let originals: Vec<String> = (0..4_000)
        .map(|_| {
            let mut event = events[random.below(events.len())].clone();
            for _ in 0..=random.below(12) {
                mutate(&mut event, &mut random);
            }
            let mut text = String::new();
            render(&event, &mut random, &mut text);
            text
        })
        .collect();
    let text = format!("{{\"Records\":[{}]}}", originals.join(","));
    assert_rebuilt("fuzz.json.gz", &gzip(text.as_bytes()), &originals);
}

#[test]
fn a_parameter_of_twenty_megabytes_is_kept() {
    let big = "0123456789abcdé ".repeat(20_000_000 / 17);
    let event = format!(
        r#"{{"eventID":"x","eventTime":"2026-11-20T10:00:00Z","requestParameters":{{"policy":"{big}"}}}}"#
    );
    assert!(event.len() > 20_000_000);
    assert_rebuilt("big.json", event.as_bytes(), std::slice::from_ref(&event));
}

#[test]
fn objects_damaged_at_random_have_a_fate_each() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
    let sound = fixture("records.json").into_bytes();
    let mut random = Random(7);
    let damaged = 300;
    for number in 0..damaged {
        let mut bytes = sound.clone();
        match number % 3 {
            // Characters of several bytes are cut in their middle too.
            0 => bytes.truncate(random.below(bytes.len())),
            1 => {
                for _ in 0..=random.below(3) {
                    let at = random.below(bytes.len());
                    bytes[at] = u8::try_from(random.below(256)).unwrap();
                }
            }
            _ => {
                let (from, to) = (random.below(bytes.len()), random.below(bytes.len()));
                bytes.drain(from.min(to)..from.max(to));
            }
        }
        if number % 2 == 0 {
            bytes = gzip(&bytes);
            let at = random.below(bytes.len());
            bytes[at] ^= u8::try_from(random.below(2)).unwrap();
        }
        write(&source.join(format!("{number}.json")), &bytes);
    }
    write(&source.join("sound.json"), &records(0..50));
    lake::ingest(source.to_str().unwrap(), &lake, &[], 3);
    let ledger = lake::ledger(&lake);
    assert_eq!(ledger.len(), damaged + 1);
    let rows: u64 = ledger
        .iter()
        .map(|row| row["rows"].parse::<u64>().unwrap())
        .sum();
    assert_eq!(rows, lake::counts(&lake).0 as u64);
    for row in &ledger {
        let number = |name: &str| row[name].parse::<u64>().unwrap();
        match row["status"].as_str() {
            "ok" => assert_eq!((number("rejected"), row.get("error")), (0, None), "{row:?}"),
            "quarantined" => assert!(!row["error"].is_empty(), "{row:?}"),
            other => panic!("{other}"),
        }
        if row["source_key"] == "sound.json" {
            assert_eq!((number("rows"), row["status"].as_str()), (50, "ok"));
        }
    }
}
