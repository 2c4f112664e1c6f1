//! Every event can be rebuilt from its row, number by number and name by name.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::lake::{self, Row};
use crate::trail;

/// JSON with names sorted, equal names in their order, strings unescaped, numbers as they are written.
fn canonical(raw: &str) -> String {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(key) = map.next_key::<String>()? {
                members.push((key, canonical(map.next_value::<&RawValue>()?.get())));
            }
            Ok(members)
        }
    }
    let raw = raw.trim();
    if raw.starts_with('{') {
        let mut members = serde_json::Deserializer::from_str(raw)
            .deserialize_map(Members)
            .unwrap();
        members.sort_by(|a, b| a.0.cmp(&b.0));
        format!(
            "{{{}}}",
            members
                .iter()
                .map(|(key, value)| format!("{key:?}:{value}"))
                .collect::<Vec<_>>()
                .join(",")
        )
    } else if raw.starts_with('[') {
        let elements: Vec<&RawValue> = serde_json::from_str(raw).unwrap();
        format!(
            "[{}]",
            elements
                .iter()
                .map(|element| canonical(element.get()))
                .collect::<Vec<_>>()
                .join(",")
        )
    } else if let Ok(text) = serde_json::from_str::<String>(raw) {
        format!("{text:?}")
    } else {
        raw.to_owned()
    }
}

#[test]
fn the_comparison_sees_what_parsers_forgive() {
    assert_eq!(
        canonical(r#"{"b":1,"a":"\u0041"}"#),
        canonical(r#"{ "a" : "A", "b" : 1 }"#)
    );
    assert_ne!(canonical(r#"{"a":1.50}"#), canonical(r#"{"a":1.5}"#));
    assert_ne!(canonical(r#"{"a":1,"a":2}"#), canonical(r#"{"a":2}"#));
    assert_ne!(canonical(r#"{"a":null}"#), canonical("{}"));
}

/// Rows and rebuilt events by position in their object.
fn ingest_text(name: &str, text: &[u8]) -> BTreeMap<u64, (Row, String)> {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join(name);
    trail::write(&source, text);
    let lake = folder.path().join("lake");
    lake::ingest(source.to_str().unwrap(), &lake, &[], 0);
    let events = lake::events(&lake).into_iter().map(|(row, rebuilt)| {
        assert_eq!(row["source_key"], name);
        (row["source_record"].parse().unwrap(), (row, rebuilt))
    });
    events.collect()
}

pub fn assert_rebuilt(
    name: &str,
    text: &[u8],
    originals: &[String],
) -> BTreeMap<u64, (Row, String)> {
    let events = ingest_text(name, text);
    assert_eq!(events.len(), originals.len());
    for (original, (_, rebuilt)) in originals.iter().zip(events.values()) {
        assert_eq!(canonical(rebuilt), canonical(original));
    }
    events
}

pub fn fixture(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/cloudtrail");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The elements of the list `name` as they are written.
pub fn elements(text: &str, name: &str) -> Vec<String> {
    let lists: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap();
    let list: Vec<&RawValue> = serde_json::from_str(lists[name].get()).unwrap();
    list.iter()
        .map(|element| element.get().to_owned())
        .collect()
}

const TOKEN: &str = "FwoGZXIvEXAMPLETOKEN==";
const REDACTED: &str = "[session token redacted]";

#[test]
fn records_as_a_trail_delivers_them() {
    let text = fixture("records.json");
    let originals: Vec<String> = elements(&text, "Records")
        .iter()
        .map(|event| event.replace(TOKEN, REDACTED))
        .collect();
    assert!(text.contains(TOKEN));
    let gzip = trail::gzip(text.as_bytes());
    let events = assert_rebuilt("records.json.gz", &gzip, &originals);
    assert_rebuilt("records.json", text.as_bytes(), &originals);
    let bare = format!("[{}]", elements(&text, "Records").join(",\n"));
    assert_rebuilt("bare.json", bare.as_bytes(), &originals);

    let columns = |record: u64, names: &[&str]| -> Vec<Option<String>> {
        names
            .iter()
            .map(|name| events[&record].0.get(*name).cloned())
            .collect()
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        columns(
            0,
            &[
                "event_name",
                "identity_user_name",
                "principal",
                "session_credential_from_console"
            ]
        ),
        [
            some("CreateAccessKey"),
            some("maria"),
            some("arn:aws:iam::444455556666:user/maria"),
            some("true")
        ]
    );
    assert_eq!(
        columns(
            2,
            &[
                "principal",
                "session_mfa_authenticated",
                "session_created_at",
                "source_identity",
                "response_elements"
            ]
        ),
        [
            some("arn:aws:iam::444455556666:role/dns_admin"),
            some("true"),
            some("2026-11-20T07:00:01Z"),
            some("maria"),
            None
        ]
    );
    assert_eq!(
        columns(
            3,
            &[
                "error_message",
                "read_only",
                "management_event",
                "additional_event_data"
            ]
        )[..3],
        [
            some("User is not authorized; \"deny\" in\ta policy\\statement"),
            some("true"),
            some("false")
        ]
    );
    assert!(
        events[&3].0["additional_event_data"].contains("1.0E+3"),
        "numbers stay as they are written"
    );
    assert_eq!(
        columns(4, &["identity_type", "identity_invoked_by"]),
        [None, some("AWS Internal")]
    );
    assert_eq!(
        columns(6, &["event_time", "aws_region", "read_only"]),
        [
            some("2026-11-20T08:04:00.25Z"),
            some("xx-nowhere-9"),
            some("false")
        ]
    );
}

#[test]
fn several_gzip_members_are_one_object() {
    let text = fixture("records.json");
    let events = elements(&text, "Records");
    let (first, rest) = events.split_at(3);
    let line = |events: &[String]| {
        let lines: Vec<String> = events
            .iter()
            .map(|event| event.replace('\n', " "))
            .collect();
        format!("{}\n", lines.join("\n"))
    };
    let mut bytes = trail::gzip(line(first).as_bytes());
    bytes.extend(trail::gzip(line(rest).as_bytes()));
    let originals: Vec<String> = events
        .iter()
        .map(|event| event.replace(TOKEN, REDACTED))
        .collect();
    assert_rebuilt("members.json.gz", &bytes, &originals);
}

#[test]
fn lookup_events_and_search_engine_exports() {
    let lookup = fixture("lookup-events.json");
    let originals: Vec<String> = elements(&lookup, "Events")
        .iter()
        .map(|entry| {
            let entry: serde_json::Value = serde_json::from_str(entry).unwrap();
            entry["CloudTrailEvent"]
                .as_str()
                .unwrap()
                .replace(TOKEN, REDACTED)
        })
        .collect();
    assert_rebuilt("lookup.json", lookup.as_bytes(), &originals);

    let lines = fixture("timestamped.ndjson");
    let originals: Vec<String> = lines
        .lines()
        .map(|line| line.replace(TOKEN, REDACTED))
        .collect();
    let events = assert_rebuilt("export.ndjson", lines.as_bytes(), &originals);
    assert_eq!(events[&0].0["event_time"], "2026-11-20T08:00:00Z");
    assert_eq!(
        events[&2].0["event_time"], "2026-11-20T08:01:11Z",
        "eventTime wins over @timestamp"
    );
}

/// Members that are null, of another type, named twice, escaped, unknown, deep, or huge.
#[test]
fn odd_events() {
    let base = |id: u32, members: &str| {
        format!(
            r#"{{"eventID":"60000000-0000-4000-8000-{id:012}","eventTime":"2026-11-20T10:00:00Z"{members}}}"#
        )
    };
    let deep = format!("{}1{}", r#"{"a":["#.repeat(2_000), "]}".repeat(2_000));
    let big = "ä\\u0000\\ud83d\\ude00 \\\"".repeat(100_000);
    let members = [
        String::new(),
        r#","errorCode":null,"userIdentity":null,"readOnly":null,"resources":null"#.to_owned(),
        r#","apiVersion":2013,"awsRegion":["a"],"eventName":{"a":1},"readOnly":"False","managementEvent":1"#.to_owned(),
        r#","eventName":"A","eventName":"B","somethingNew":1,"somethingNew":2"#.to_owned(),
        r#","requestParameters":{"a":1,"a":2},"requestParameters":null"#.to_owned(),
        r#","eventTime":"2026-11-20T11:00:00Z""#.to_owned(),
        r#","@timestamp":"2026-11-20T12:00:00Z","@timestamp":"x""#.to_owned(),
        r#","n":[0,-0,1.0,1.50,1E5,1e-400,123456789012345678901234567890,0.1000000000000000055511151231257827]"#.to_owned(),
        r#","event\u004eame":"escaped name","":"","кл\"юч":"é\u00e9""#.to_owned(),
        r#","requestParameters":"a string","responseElements":[],"tlsDetails":5"#.to_owned(),
        r#","userIdentity":{"type":7,"arn":"x","arn":"y","sessionContext":[],"invokedBy":null}"#.to_owned(),
        r#" , "eventSource" : "" , "requestParameters" : { } "#.to_owned(),
        format!(r#","requestParameters":"{big}","userAgent":"{big}""#),
    ];
    let mut originals: Vec<String> = (0..)
        .zip(&members)
        .map(|(id, members)| base(id, members))
        .collect();
    for time in [
        "2026-11-20T10:00:00.123Z",
        "2026-11-20T12:00:00+02:00",
        "2026-11-20t10:00:00z",
        "2026-11-20T10:00:00.1234567Z",
    ] {
        let id = u32::try_from(originals.len()).unwrap();
        originals.push(base(id, "").replace("2026-11-20T10:00:00Z", time));
    }
    let events = assert_rebuilt(
        "odd.json",
        format!("{{\"Records\":[{}]}}", originals.join(",")).as_bytes(),
        &originals,
    );
    assert_eq!(
        events[&3].0["event_name"], "B",
        "of two the last, as JSON parsers have it"
    );
    assert_eq!(events[&5].0["event_time"], "2026-11-20T11:00:00Z");
    assert_eq!(events[&8].0["event_name"], "escaped name");
    assert_eq!(events[&2].0.get("aws_region"), None);

    // Too deep for the comparison, and kept byte by byte all the same.
    let deep_event = base(99, &format!(r#","requestParameters":{deep}"#));
    let events = ingest_text("deep.json", deep_event.as_bytes());
    assert_eq!(events[&0].0["request_parameters"], deep);
}

#[test]
fn generated_events() {
    let mut state = 1_u64;
    let mut random = move |below: u64| {
        // Knuth's MMIX generator; the same events in every run.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let keys = [
        "errorCode",
        "userAgent",
        "readOnly",
        "userIdentity",
        "requestParameters",
        "x",
        "y",
        "tlsDetails",
        "eventType",
        "@timestamp",
        "sharedEventID",
    ];
    let scalars = [
        "null",
        "true",
        "\"true\"",
        "0.10",
        "\"2026-11-20T01:02:03Z\"",
        "\"\\n\\u00e4\"",
        "[]",
        "{\"arn\":\"a\"}",
        "-1E+2",
        "\"\"",
    ];
    let originals: Vec<String> = (0..2_000)
        .map(|id| {
            let mut members = format!(r#""eventID":"{id}""#);
            for _ in 0..random(8) {
                let key = keys[usize::try_from(random(keys.len() as u64)).unwrap()];
                let mut value =
                    scalars[usize::try_from(random(scalars.len() as u64)).unwrap()].to_owned();
                if random(3) == 0 {
                    value = format!(r#"{{"k":[{value},{{"l":{value}}}]}}"#);
                }
                members.push_str(&format!(r#","{key}":{value}"#));
            }
            members.push_str(r#","eventTime":"2026-11-20T01:02:03Z""#);
            format!("{{{members}}}")
        })
        .collect();
    assert_rebuilt(
        "generated.ndjson",
        originals.join("\n").as_bytes(),
        &originals,
    );
}
