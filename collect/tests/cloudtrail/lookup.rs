//! The LookupEvents API, played by a server of the test's own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::lake::{self, collect, stderr};

/// Answers GetCallerIdentity, and LookupEvents in pages of two; denies it in `eu-south-1`.
struct Api {
    url: String,
    requests: Arc<AtomicUsize>,
    /// Events by time in seconds.
    events: Arc<Mutex<Vec<(i64, Value)>>>,
}

impl Api {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            requests: Arc::default(),
            events: Arc::default(),
        };
        let (requests, events) = (Arc::clone(&api.requests), Arc::clone(&api.events));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &requests, &events.lock().unwrap());
            }
        });
        api
    }

    fn add(&self, id: &str, time: Timestamp) {
        let event = json!({"eventID": id, "eventTime": time.to_string(), "eventName": "CreateUser", "recipientAccountId": "444455556666"});
        self.events.lock().unwrap().push((time.as_second(), event));
    }

    fn run(&self, lake: &Path, arguments: &[&str], code: i32) -> Output {
        let output = collect(&["lookup", "--lake", lake.to_str().unwrap()])
            .args(arguments)
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", "us-east-1")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        output
    }
}

fn answer(stream: TcpStream, requests: &AtomicUsize, events: &[(i64, Value)]) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 {
            return;
        }
        if line.trim().is_empty() {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&lower);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let (status, kind, text) = if head.contains("lookupevents") {
        requests.fetch_add(1, Ordering::SeqCst);
        if head.contains("/eu-south-1/") {
            (
                "400 Bad Request",
                "application/x-amz-json-1.1",
                r#"{"__type":"AccessDeniedException","Message":"not allowed"}"#.to_owned(),
            )
        } else {
            (
                "200 OK",
                "application/x-amz-json-1.1",
                page(&serde_json::from_slice(&body).unwrap(), events).to_string(),
            )
        }
    } else {
        let identity = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::444455556666:user/x</Arn><UserId>A</UserId><Account>444455556666</Account></GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>";
        ("200 OK", "text/xml", identity.to_owned())
    };
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
    .unwrap();
}

fn page(request: &Value, events: &[(i64, Value)]) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
    let second = |name: &str| request[name].as_f64().unwrap() as i64;
    let (start, end) = (second("StartTime"), second("EndTime"));
    let mut found: Vec<_> = events
        .iter()
        .filter(|(time, _)| (start..=end).contains(time))
        .collect();
    found.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    let from: usize = request["NextToken"]
        .as_str()
        .map_or(0, |token| token.parse().unwrap());
    let entries: Vec<Value> = found
        .iter()
        .skip(from)
        .take(2)
        .map(|(time, event)| json!({"EventId": event["eventID"], "EventTime": time, "CloudTrailEvent": event.to_string()}))
        .collect();
    let mut page = json!({ "Events": entries });
    if found.len() > from + 2 {
        page["NextToken"] = (from + 2).to_string().into();
    }
    page
}

#[test]
fn events_are_looked_up_once_they_are_settled() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let api = Api::start();
    let now = Timestamp::now();
    let hours = |hours: i64| now.checked_sub(hours.hours()).unwrap();
    for number in 0..5 {
        api.add(&format!("a{number}"), hours(30 + number));
    }
    api.add("running", now);
    let since = hours(48).strftime("%Y-%m-%d").to_string();
    api.run(&lake, &["--since", &since], 0);
    assert_eq!(lake::counts(&lake), (5, 5));
    let ledger = lake::ledger(&lake);
    let first = &ledger[0];
    assert!(
        first["source_key"].starts_with("lookup/444455556666/us-east-1/20"),
        "{first:?}"
    );

    // A day after the newest is looked at again, and what is known has no second row.
    let before = lake::names(&lake);
    let asked = api.requests.load(Ordering::SeqCst);
    api.run(&lake, &[], 0);
    assert_eq!(lake::names(&lake), before);
    assert!(
        api.requests.load(Ordering::SeqCst) - asked <= 8,
        "not all 90 days"
    );
    api.add("late", hours(4));
    api.run(&lake, &[], 0);
    assert_eq!(lake::counts(&lake), (6, 6));
}

#[test]
fn a_region_that_is_denied_is_named_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let api = Api::start();
    let yesterday = Timestamp::now().checked_sub(24.hours()).unwrap();
    api.add("one", yesterday);
    let since = yesterday.strftime("%Y-%m-%d").to_string();
    let output = api.run(
        &lake,
        &[
            "--region",
            "eu-south-1",
            "--region",
            "eu-west-1",
            "--since",
            &since,
        ],
        3,
    );
    let expected = "warning: lookup/444455556666/eu-south-1: cloudtrail:LookupEvents failed: AccessDeniedException: not allowed";
    assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    assert_eq!(lake::counts(&lake), (1, 1));
}
