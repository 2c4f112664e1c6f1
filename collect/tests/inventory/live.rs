//! AWS, as moto plays it.

use fixtures::Moto;
use tempfile::TempDir;

use super::tool::{collect, parquet, rows, run};

#[test]
fn what_is_recorded_gives_the_same_tables_again_and_a_bucket_is_a_lake() {
    let moto = Moto::start();
    moto.make_bucket("lake-of-runs");
    moto.python(
        "import boto3\n\
         ec2 = boto3.client('ec2')\n\
         ec2.run_instances(ImageId='ami-12c6146b', MinCount=2, MaxCount=2)\n\
         boto3.client('sqs').create_queue(QueueName='q01_orders_checkout', tags={'Owner': 'team'})\n\
         boto3.client('iam').create_user(UserName='anna')\n",
    );
    let folder = TempDir::new().unwrap();
    let (recording, live, again) = (
        folder.path().join("recording"),
        folder.path().join("live"),
        folder.path().join("again"),
    );
    let inventory = || {
        let mut command = collect();
        command.args([
            "inventory",
            "--region",
            "eu-west-1",
            "--table",
            "aws_ec2_*",
            "--table",
            "aws_sqs_*",
            "--table",
            "aws_iam_*",
        ]);
        command.envs(moto.environment());
        command
    };
    let first = run(inventory()
        .arg("--lake")
        .arg(&live)
        .arg("--record")
        .arg(&recording));
    assert!([0, 3].contains(&first.code), "{}", first.err);
    let instances = rows(&first, &live, "aws_ec2_instance", &["arn"]);
    assert_eq!(instances.len(), 2);

    let mut replay = collect();
    replay.args([
        "inventory",
        "--table",
        "aws_ec2_*",
        "--table",
        "aws_sqs_*",
        "--table",
        "aws_iam_*",
    ]);
    let second = run(replay
        .arg("--from")
        .arg(&recording)
        .arg("--lake")
        .arg(&again));
    assert_eq!(second.code, first.code, "{}", second.err);
    let table = |files: Vec<(std::path::PathBuf, Vec<u8>)>| -> Vec<(String, Vec<u8>)> {
        let name =
            |path: &std::path::Path| path.iter().nth(1).unwrap().to_string_lossy().into_owned();
        files
            .into_iter()
            .map(|(path, bytes)| (name(&path), bytes))
            .collect()
    };
    let (one, two) = (table(parquet(&live)), table(parquet(&again)));
    for (one, two) in one.iter().zip(&two) {
        assert_eq!(one.0, two.0);
        assert!(one.1 == two.1, "{} differs", one.0);
    }
    assert_eq!(one.len(), two.len());

    let third = run(inventory().args(["--lake", "s3://lake-of-runs/history"]));
    assert!(
        third.out.starts_with("s3://lake-of-runs/history/runs/"),
        "{} {}",
        third.out,
        third.err
    );
}

#[test]
fn a_killed_run_leaves_nothing_to_see() {
    let moto = Moto::start();
    let lake = TempDir::new().unwrap();
    let mut child = collect();
    let mut child = child
        .arg("inventory")
        .arg("--lake")
        .arg(lake.path())
        .envs(moto.environment())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    child.kill().unwrap();
    child.wait().unwrap();
    let storage = handoff::storage::Storage::open(lake.path().to_str().unwrap()).unwrap();
    assert!(handoff::run::committed(&storage).unwrap().is_empty());
}

#[test]
fn credentials_that_do_not_work_are_one_clear_line() {
    let ran = run(collect()
        .args(["inventory", "--lake", "/nonexistent/lake"])
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"));
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(
        ran.err.starts_with("error: ") && ran.err.contains("hint: set AWS_PROFILE"),
        "{}",
        ran.err
    );
}
