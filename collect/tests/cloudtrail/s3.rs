//! Source and lake in S3, on a moto server.

use fixtures::Moto;
use std::process::Output;

use crate::lake::{collect, stderr};

fn run(moto: &Moto, arguments: &[&str], code: i32) -> Output {
    let output = collect(arguments)
        .envs(moto.environment())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    output
}

const PUT: &str = r#"
import boto3, gzip, json
s3 = boto3.client("s3")
account, region, day, name, first, count = ARGUMENTS
records = [{"eventID": f"e-{account}-{region}-{n}", "eventTime": f"2026-11-{day}T10:00:00Z"} for n in range(int(first), int(first) + int(count))]
key = f"logs/AWSLogs/{account}/CloudTrail/{region}/2026/11/{day}/{name}.json.gz"
s3.put_object(Bucket="trail", Key=key, Body=gzip.compress(json.dumps({"Records": records}).encode(), mtime=0))
"#;

#[test]
fn a_trail_in_s3_into_a_lake_in_s3() {
    let moto = Moto::start();
    moto.make_bucket("trail");
    moto.make_bucket("lake");
    let put = |account: &str, region: &str, day: &str, name: &str, first: &str, count: &str| {
        let arguments = [account, region, day, name, first, count];
        moto.python(&format!("ARGUMENTS = {arguments:?}\n{PUT}"));
    };
    put("111122223333", "eu-west-1", "10", "a", "0", "5");
    put("111122223333", "eu-west-1", "20", "b", "5", "5");
    put("111122223333", "us-east-1", "20", "c", "0", "5");
    put("111122223333", "us-east-1", "19", "d", "5", "5");
    let arguments = ["s3://trail/logs", "--lake", "s3://lake/walls"];
    let output = run(&moto, &arguments, 0);
    assert!(
        stderr(&output).contains("20 events from 4 objects"),
        "{}",
        stderr(&output)
    );
    let output = run(&moto, &arguments, 0);
    assert!(
        stderr(&output).contains("0 events from 0 objects"),
        "{}",
        stderr(&output)
    );

    // A new region brings its history; a known one is looked at from two days before the newest object.
    put("111122223333", "eu-south-1", "11", "e", "0", "5");
    put("111122223333", "eu-west-1", "18", "f", "10", "5");
    put("111122223333", "eu-west-1", "11", "g", "15", "5");
    let output = run(&moto, &arguments, 0);
    assert!(
        stderr(&output).contains("10 events from 2 objects"),
        "{}",
        stderr(&output)
    );
    let output = run(
        &moto,
        &["s3://trail/logs", "--lake", "s3://lake/walls", "--rescan"],
        0,
    );
    assert!(
        stderr(&output).contains("5 events from 1 objects"),
        "{}",
        stderr(&output)
    );

    // Overwritten: another ETag. One object by its own name.
    put("111122223333", "eu-west-1", "20", "b", "5", "6");
    let output = run(&moto, &arguments, 0);
    assert!(
        stderr(&output).contains("6 events from 1 objects"),
        "{}",
        stderr(&output)
    );
    let one = "s3://trail/logs/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/20/c.json.gz";
    let output = run(&moto, &[one, "--lake", "s3://lake/walls"], 0);
    assert!(
        stderr(&output).contains("0 events from 0 objects, 1 known already"),
        "{}",
        stderr(&output)
    );

    // A batch of long ago that was interrupted is taken up, though its date is not listed any more.
    moto.python("import boto3\nboto3.client('s3').delete_object(Bucket='lake', Key='walls/cloudtrail_ledger/object_date=2026-11-10/000001.parquet')");
    let output = run(&moto, &arguments, 0);
    assert!(
        stderr(&output).contains("5 events from 1 objects"),
        "{}",
        stderr(&output)
    );

    let listed = moto.python(
        "import boto3\nfor o in boto3.client('s3').list_objects_v2(Bucket='lake')['Contents']: print(o['Key'])",
    );
    let events = listed
        .lines()
        .filter(|key| key.starts_with("walls/cloudtrail/event_date="));
    assert!(events.count() >= 5, "{listed}");
    let missing = run(
        &moto,
        &["s3://nowhere/logs", "--lake", "s3://lake/walls"],
        2,
    );
    assert!(
        stderr(&missing).contains("NoSuchBucket"),
        "{}",
        stderr(&missing)
    );
}
