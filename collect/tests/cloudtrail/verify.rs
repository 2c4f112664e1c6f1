//! `--verify`: what AWS signed is told from what was changed, is missing or was never signed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;

use fixtures::Moto;
use tempfile::TempDir;

use crate::lake::{self, Row, collect, stderr};
use crate::signed::{BUCKET, FINGERPRINT, Signer};
use crate::trail::{gzip, object_key, records, write};

struct Place {
    _folder: TempDir,
    source: PathBuf,
    lake: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (source, lake) = (folder.path().join("trail"), folder.path().join("lake"));
        std::fs::create_dir_all(&source).unwrap();
        Self {
            _folder: folder,
            source,
            lake,
        }
    }

    fn verify(&self, signer: &Signer, more: &[&str], code: i32) -> Output {
        let keys = signer.key_file();
        let arguments = [&["--verify", "--keys", &keys], more].concat();
        lake::ingest(self.source.to_str().unwrap(), &self.lake, &arguments, code)
    }

    /// Changes a file of the trail.
    fn change(&self, path: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        let path = self.source.join(path);
        let bytes = std::fs::read(&path).unwrap();
        write(&path, &change(bytes));
    }

    fn remove(&self, path: &str) {
        std::fs::remove_file(self.source.join(path)).unwrap();
    }

    /// Rows of a kind and status: key or time, and reason.
    fn found(&self, kind: &str, status: &str) -> Vec<(String, String)> {
        let rows = lake::verification(&self.lake).into_iter();
        rows.filter(|row| row["kind"] == kind && row["status"] == status)
            .map(|row| {
                (
                    subject(&row),
                    row.get("reason").cloned().unwrap_or_default(),
                )
            })
            .collect()
    }

    fn count(&self, kind: &str, status: &str) -> usize {
        self.found(kind, status).len()
    }
}

fn subject(row: &Row) -> String {
    match row.get("source_key") {
        Some(key) => key.clone(),
        None => format!("{} {}", row["starts_at"], row["ends_at"]),
    }
}

fn assert_says(output: &Output, lines: &[&str]) {
    let text = stderr(output);
    for line in lines {
        assert!(text.contains(line), "{line}\nin:\n{text}");
    }
}

#[test]
fn a_download_is_proven_but_for_its_newest_hour() {
    let place = Place::new();
    let signer = Signer::new(&place.source);
    let chain = signer.hours(0..6);
    signer.log(365);
    let output = place.verify(&signer, &[], 0);
    assert_says(
        &output,
        &[
            "444455556666 eu-west-1 my_trail: 10 log objects proven by 5 digests",
            "444455556666 eu-west-1 my_trail: 2 log objects waiting for a digest",
            "444455556666 eu-west-1: 1 log object waiting for a digest",
        ],
    );
    assert_eq!(place.count("log", "proven"), 10);
    assert_eq!(place.count("log", "pending"), 3);
    let (newest, why) = place.found("digest", "pending").remove(0);
    assert_eq!(newest, chain[5].path);
    assert!(why.contains("metadata of the S3 object"), "{why}");
    assert_eq!(
        place.found("hours", "proven")[0].0,
        "2026-11-20T00:00:31Z 2026-11-20T05:00:31Z"
    );
    assert_eq!(
        place.found("hours", "pending")[0].0,
        "2026-11-20T05:00:31Z 2026-11-20T06:00:31Z"
    );
    let rows = lake::verification(&place.lake);
    assert_eq!(rows.len(), 10 + 3 + 6 + 2);
    for row in rows.iter().filter(|row| row["kind"] == "log") {
        assert_eq!(row["ingested"], "true", "{row:?}");
    }
    let digest = &rows.iter().find(|row| row["status"] == "proven").unwrap()["digest_key"];
    assert_eq!(*digest, format!("s3://{BUCKET}/{}", chain[0].path));

    // Again: a file of the next number, and the newest counts.
    place.verify(&signer, &["--since", "2026-11-20"], 3);
    assert_eq!(
        place.found("hours", "unproven")[0].0,
        "2026-11-20T00:00:00Z 2026-11-20T00:00:31Z",
        "what was asked for begins at midnight"
    );
}

#[test]
fn everything_that_was_tampered_with_is_named() {
    let place = Place::new();
    let signer = Signer::new(&place.source);
    let chain = signer.hours(0..12);
    place.verify(&signer, &[], 0);
    let log = |number: u32| object_key(20, number);
    // An event taken out, an object taken away, one put in, one with events behind its end, one that is damaged.
    place.change(&log(70), |_| gzip(&records(700..709)));
    place.remove(&log(100));
    write(&place.source.join(log(105)), &gzip(&records(5_000..5_001)));
    place.change(&log(130), |bytes| {
        [bytes, gzip(b"{\"Records\":[]}")].concat()
    });
    place.change(&log(160), |bytes| bytes[..bytes.len() - 9].to_vec());
    // A digest that forgets an object, and two that are gone.
    place.change(&chain[4].path, |bytes| {
        let mut text = String::new();
        let mut decoder = flate2::bufread::MultiGzDecoder::new(bytes.as_slice());
        std::io::Read::read_to_string(&mut decoder, &mut text).unwrap();
        let mut digest: serde_json::Value = serde_json::from_str(&text).unwrap();
        digest["logFiles"].as_array_mut().unwrap().remove(0);
        gzip(digest.to_string().as_bytes())
    });
    place.remove(&chain[7].path);
    place.remove(&chain[8].path);
    let output = place.verify(&signer, &[], 3);
    assert_says(
        &output,
        &[
            "my_trail: 3 log objects changed: such as AWSLogs/",
            "my_trail: 1 log object missing: s3://trail-bucket/AWSLogs/",
            "eu-west-1: 6 log objects unproven: such as AWSLogs/",
            "my_trail: 1 digest changed: AWSLogs/",
            "my_trail: 1 digest unproven: AWSLogs/",
            "my_trail: 1 digest missing: s3://trail-bucket/AWSLogs/",
            "my_trail: 2 stretches of time unproven: such as 2026-11-20T04:00:31Z to 2026-11-20T05:00:31Z",
            "hint: what is proven and what isn't is in the table cloudtrail_verification",
        ],
    );
    let hash = "its SHA-256 is not the one in its digest";
    let changed = place.found("log", "changed");
    assert_eq!(changed[0], (log(70), hash.to_owned()));
    assert_eq!(changed[1], (log(130), hash.to_owned()));
    assert_eq!(changed[2].0, log(160));
    assert!(changed[2].1.contains("corrupt or truncated gzip"));
    assert_eq!(
        place.found("log", "missing")[0].0,
        format!("s3://{BUCKET}/{}", log(100))
    );
    let unnamed: Vec<String> = place
        .found("log", "unproven")
        .into_iter()
        .filter(|(_, why)| why == "no digest names it")
        .map(|(key, _)| key)
        .collect();
    // The one put in, the one forgotten, and those of the two hours without digest.
    let expected = [105, 250, 430, 460, 490, 520].map(log);
    assert_eq!(unnamed, expected);
    let versions: Vec<String> = place
        .found("log", "unproven")
        .into_iter()
        .filter(|(_, why)| why.contains("not in the source any more"))
        .map(|(key, _)| key)
        .collect();
    assert_eq!(
        versions,
        [70, 130, 160].map(log),
        "what the lake read before"
    );
    let digest = place.found("digest", "changed").remove(0);
    assert_eq!(digest.0, chain[4].path);
    assert_eq!(digest.1, "its signature does not fit its content");
    assert_eq!(
        place.found("digest", "missing")[0].0,
        format!("s3://{BUCKET}/{}", chain[8].path)
    );
    let hours: Vec<String> = place
        .found("hours", "unproven")
        .into_iter()
        .map(|(hours, _)| hours)
        .collect();
    assert_eq!(
        hours,
        [
            "2026-11-20T04:00:31Z 2026-11-20T05:00:31Z",
            "2026-11-20T06:00:31Z 2026-11-20T09:00:31Z"
        ],
        "what told the signature of the seventh digest is gone as well"
    );
}

#[test]
fn gaps_backfills_and_empty_digests() {
    let place = Place::new();
    let signer = Signer::new(&place.source);
    signer.hours(0..3);
    // Stopped for two hours; then a chain of its own, with an hour in which nothing was delivered.
    let first = signer.digest(5, "", &[signer.log(310).1], None);
    let empty = signer.digest(6, "", &[], Some(&first));
    let third = signer.digest(7, "", &[], Some(&empty));
    signer.digest(8, "", &[], Some(&third));
    // Late objects of the second hour, in two backfills; what follows a backfill proves it.
    let backfill = signer.digest(2, "_backfill", &[signer.log(75).1], None);
    signer.digest(9, "_backfill", &[], Some(&backfill));
    let output = place.verify(&signer, &[], 3);
    assert_says(
        &output,
        &["my_trail: 1 stretch of time unproven: 2026-11-20T02:00:31Z to 2026-11-20T05:00:31Z"],
    );
    let proven = place.found("log", "proven");
    assert!(proven.iter().any(|(key, _)| *key == object_key(20, 75)));
    // The third digest of the first chain has none behind it: its hour is in the gap, its objects unproven.
    assert_eq!(place.count("log", "unproven"), 2);
    assert_eq!(place.count("digest", "missing"), 0);
    let backfills: Vec<Row> = lake::verification(&place.lake)
        .into_iter()
        .filter(|row| row.get("is_backfill").is_some_and(|flag| flag == "true"))
        .collect();
    let statuses: Vec<&str> = backfills.iter().map(|row| row["status"].as_str()).collect();
    assert_eq!(statuses, ["proven", "pending"]);
}

#[test]
fn only_the_right_key_proves() {
    let place = Place::new();
    let signer = Signer::new(&place.source);
    signer.hours(0..3);
    let other = Signer::new(&place.source);
    let output = place.verify(&other, &[], 3);
    assert_says(&output, &["my_trail: 3 digests unproven"]);
    assert_eq!(place.count("log", "proven"), 0);

    let keys = place.source.join("../none.json");
    write(&keys, b"{\"PublicKeyList\":[]}");
    let source = place.source.to_str().unwrap();
    let arguments = ["--verify", "--keys", keys.to_str().unwrap()];
    let output = lake::ingest(source, &place.lake, &arguments, 3);
    let expected = format!("no public key with fingerprint {FINGERPRINT}");
    assert_says(&output, &["my_trail: 3 digests unproven", &expected]);
    assert_eq!(place.count("log", "proven"), 0);
    assert_eq!(place.count("hours", "proven"), 0);

    write(&keys, b"[]");
    let output = lake::ingest(source, &place.lake, &arguments, 2);
    assert_says(
        &output,
        &["expected the output of `aws cloudtrail list-public-keys`"],
    );
}

#[test]
fn without_digests_nothing_is_proven() {
    let place = Place::new();
    let signer = Signer::new(&place.source);
    signer.log(70);
    signer.log(100);
    signer.log(190);
    let output = place.verify(&signer, &[], 3);
    assert_says(
        &output,
        &[
            "no digest that could be read: the source must hold CloudTrail-Digest beside CloudTrail",
            "444455556666 eu-west-1: 3 log objects unproven",
            "444455556666 eu-west-1: 2 stretches of time unproven: such as 2026-11-20T01:00:00Z to 2026-11-20T02:00:00Z",
        ],
    );
    let output = lake::ingest("lookup", &place.lake, &["--verify"], 2);
    assert_says(&output, &["what is looked up is not signed"]);
}

#[test]
fn names_that_lie_prove_nothing() {
    let place = Place::new();
    let signer = Signer::new(&place.source);
    let chain = signer.hours(0..3);
    // A digest under another's name, something else under a digest's name.
    let other = chain[1].path.replace("0200", "2200");
    std::fs::copy(place.source.join(&chain[1].path), place.source.join(&other)).unwrap();
    let odd = chain[1].path.replace("0200", "2300");
    write(&place.source.join(&odd), b"[1]");
    place.verify(&signer, &[], 3);
    let changed = place.found("digest", "changed");
    assert_eq!(changed.len(), 2);
    assert!(
        changed[0]
            .1
            .starts_with("renamed: it says that it is AWSLogs/"),
        "{changed:?}"
    );
    assert!(changed[1].1.starts_with("not a digest: "), "{changed:?}");
    assert_eq!(place.count("log", "proven"), 4);
}

/// Answers every request with this text.
fn serve(text: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let lower = line.trim().to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if lower.is_empty() {
                    break;
                }
            }
            reader.read_exact(&mut vec![0; length]).unwrap();
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close";
            write!(
                reader.get_mut(),
                "{head}\r\nContent-Length: {}\r\n\r\n{text}",
                text.len()
            )
            .unwrap();
        }
    });
    url
}

#[test]
fn keys_come_from_the_api() {
    let place = Place::new();
    let signer = Signer::new(&place.source);
    signer.hours(0..3);
    let run = |url: &str, code| {
        let output = collect(&[place.source.to_str().unwrap(), "--verify", "--lake"])
            .arg(&place.lake)
            .env("AWS_ENDPOINT_URL", url)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_MAX_ATTEMPTS", "1")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        output
    };
    run(&serve(signer.key_list().to_string()), 0);
    assert_eq!(place.count("log", "proven"), 4);
    let output = run("http://127.0.0.1:9", 3);
    assert_says(&output, &["eu-west-1: cloudtrail:ListPublicKeys failed: "]);
    assert_eq!(place.count("log", "proven"), 0);
}

const UPLOAD: &str = r#"
import boto3, pathlib
s3 = boto3.client("s3")
folder, bucket, signatures = ARGUMENTS
for path in sorted(pathlib.Path(folder).rglob("*.gz")):
    key = str(path.relative_to(folder))
    metadata = {"signature": signatures[key], "signature-algorithm": "SHA256withRSA"} if key in signatures else {}
    s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), Metadata=metadata)
"#;

#[test]
fn in_s3_the_newest_digest_is_proven_too() {
    let moto = Moto::start();
    moto.make_bucket(BUCKET);
    let place = Place::new();
    let signer = Signer::new(&place.source);
    let chain = signer.hours(0..3);
    let signatures: Vec<String> = chain
        .iter()
        .map(|digest| format!("{:?}: {:?}", digest.path, digest.signature))
        .collect();
    let (folder, signatures) = (place.source.display(), signatures.join(", "));
    moto.python(&format!(
        "ARGUMENTS = ({folder:?}, {BUCKET:?}, {{{signatures}}})\n{UPLOAD}",
        folder = folder.to_string()
    ));
    let keys = signer.key_file();
    let location = format!("s3://{BUCKET}");
    let run = |code| verify_in_s3(&moto, &location, &place.lake, &keys, code);
    let output = run(0);
    assert_says(&output, &["my_trail: 6 log objects proven by 3 digests"]);
    assert_eq!(place.count("digest", "proven"), 3);
    let log = object_key(20, 70);
    moto.python(&format!(
        "import boto3, gzip\nboto3.client('s3').put_object(Bucket={BUCKET:?}, Key={log:?}, Body=gzip.compress(b'{{\"Records\":[]}}'))"
    ));
    run(3);
    assert_eq!(
        place.found("log", "changed")[0].0,
        format!("s3://{BUCKET}/{log}")
    );
    assert_eq!(place.count("log", "proven"), 5);
}

fn verify_in_s3(moto: &Moto, location: &str, lake: &Path, keys: &str, code: i32) -> Output {
    let output = collect(&[location, "--verify", "--keys", keys, "--lake"])
        .arg(lake)
        .envs(moto.environment())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    output
}
