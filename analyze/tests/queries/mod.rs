//! `analyze query`, and what is refused before anything is asked: runs that are not there, settings that do not exist.

use std::fs;

use crate::findings::open_group;
use crate::lake::{self, FIRST, Lake, SECOND};

#[test]
fn queries_read_the_run_and_nothing_else() {
    let lake = Lake::new();
    lake.collected(
        FIRST,
        &[("aws_ec2_security_group", vec![open_group()])],
        &[],
    );
    let ask = |sql: &str| lake.analyze(&["query", sql, "--run", &lake.run(FIRST)]);
    for sql in [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "copy (select 1) to '/tmp/analyze-query-test'",
        "select 1; select 2",
        "set memory_limit = '1TB'",
        "attach '/tmp/x.db'",
        "select * from 'https://example.com/x.parquet'",
        "install httpfs",
    ] {
        let output = ask(sql);
        assert_eq!(output.code, 2, "{sql}: {}", output.stdout);
        assert!(
            output.stderr.starts_with("error: ") && !output.stderr.contains("panicked"),
            "{}",
            output.stderr
        );
    }
    let output = ask("select name from aws_ec2_security_group");
    assert!(
        output.code == 0
            && !output.stdout.contains('\u{1b}')
            && output.stdout.contains("drop table findings"),
        "{}",
        output.stdout
    );
    assert!(
        ask("select * from findings")
            .stderr
            .contains("run `analyze` first")
    );
    assert!(
        ask("select * from aws_ec2_vpc")
            .stderr
            .contains("aws_ec2_vpc is incomplete: not collected")
    );
}

#[test]
fn runs_that_are_not_there_are_named() {
    let lake = Lake::new();
    lake.write(&format!("runs/{FIRST}/unfinished"), "");
    let output = lake.analyze(&[&lake.run(FIRST)]);
    assert!(
        output.code == 2
            && output
                .stderr
                .contains("collect was interrupted or never ran"),
        "{}",
        output.stderr
    );
    lake.collected(SECOND, &[("aws_sqs_queue", vec![])], &[]);
    let record = lake.path(&format!("runs/{SECOND}/collect.json"));
    let text = fs::read_to_string(&record)
        .unwrap()
        .replace("\"contract\": \"1.", "\"contract\": \"2.");
    lake::overwrite(&record, text.as_bytes());
    let output = lake.analyze(&[&lake.run(SECOND)]);
    assert!(
        output.code == 2 && output.stderr.contains("install the newer version"),
        "{}",
        output.stderr
    );
}

#[test]
fn settings_that_do_not_exist_are_refused() {
    let lake = Lake::new();
    lake.collected(FIRST, &[("aws_sqs_queue", vec![])], &[]);
    lake.write("c.toml", "[limits]\nkey_age = 3\n");
    let output = lake.analyze(&[
        &lake.run(FIRST),
        "--config",
        &lake.path("c.toml").display().to_string(),
    ]);
    assert!(
        output.code == 2
            && output
                .stderr
                .contains("did you mean \"limits.key_age_days\""),
        "{}",
        output.stderr
    );
    assert!(
        lake.analyze(&["explain", "sg-admin"])
            .stderr
            .contains("did you mean sg-admin-open")
    );
}
