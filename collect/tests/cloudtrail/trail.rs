//! Trails made for tests.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

pub fn gzip(text: &[u8]) -> Vec<u8> {
    packed(text, Compression::fast())
}

/// A gzip with the text in it as it is.
pub fn stored(text: &[u8]) -> Vec<u8> {
    packed(text, Compression::none())
}

fn packed(text: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::File::create(path)
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

/// An event of the given number; numbers are ids, and times go a second forward with each.
pub fn event(number: u32) -> Value {
    json!({
        "eventVersion": "1.10",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::444455556666:user/maria", "accountId": "444455556666"},
        "eventTime": time(number),
        "eventSource": "ec2.amazonaws.com",
        "eventName": "DescribeInstances",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "198.51.100.7",
        "requestParameters": {"filter": "x".repeat((number % 50) as usize), "number": number},
        "responseElements": null,
        "eventID": format!("50000000-0000-4000-8000-{number:012}"),
        "readOnly": true,
        "recipientAccountId": "444455556666",
    })
}

fn time(number: u32) -> String {
    let start: jiff::Timestamp = "2026-11-20T00:00:00Z".parse().unwrap();
    jiff::Timestamp::from_second(start.as_second() + i64::from(number))
        .unwrap()
        .to_string()
}

pub fn records(numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let records: Vec<Value> = numbers.into_iter().map(event).collect();
    json!({ "Records": records }).to_string().into_bytes()
}

/// The same, one event a line.
pub fn lines(numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let line = |number| format!("{}\n", event(number));
    let lines: String = numbers.into_iter().map(line).collect();
    lines.into_bytes()
}

/// Where AWS would put the object of that number.
pub fn object_key(day: u32, number: u32) -> String {
    format!(
        "AWSLogs/444455556666/CloudTrail/eu-west-1/2026/11/{day:02}/\
         444455556666_CloudTrail_eu-west-1_202611{day:02}T{:02}{:02}Z_{number:06}.json.gz",
        number / 60 % 24,
        number % 60
    )
}

/// A trail of `objects` objects with `events` events each, over three days.
pub fn make(folder: &Path, objects: u32, events: u32) {
    for number in 0..objects {
        let first = number * events;
        let bytes = gzip(&records(first..first + events));
        write(
            &folder.join(object_key(20 + number * 3 / objects, number)),
            &bytes,
        );
    }
}
