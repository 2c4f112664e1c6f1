//! The tool as a user meets it, over lakes made here.

mod lake;
mod tags;

use std::fs;

use lake::{ACCOUNT, FIRST, Lake, SECOND, THIRD};
use serde_json::json;

const GROUP: &str = "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1";

fn open_group() -> serde_json::Value {
    json!({"arn": GROUP, "group_id": "sg-1", "name": "a'; drop table findings; --\u{1b}[31m",
        "ip_permissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]})
}

fn closed_group() -> serde_json::Value {
    json!({"arn": GROUP, "group_id": "sg-1", "ip_permissions": []})
}

fn finding(lake: &Lake, run: &str, columns: &str) -> String {
    let sql = format!(
        "select {columns} from findings where check_id = 'sg-admin-open' order by resource_arn"
    );
    lake.analyze(&["query", &sql, "--run", &lake.run(run), "--format", "csv"])
        .stdout
}

#[test]
fn all_cases_of_all_checks_pass() {
    let output = Lake::new().analyze(&["test"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
}

#[test]
fn findings_are_written_the_same_every_time_and_the_run_is_printed() {
    let lake = Lake::new();
    lake.collected(
        FIRST,
        &[("aws_ec2_security_group", vec![open_group()])],
        &[],
    );
    let output = lake.analyze(&[&lake.run(FIRST), "--check", "sg-admin-open"]);
    assert_eq!(
        (output.code, output.stdout.trim()),
        (0, lake.run(FIRST).as_str()),
        "{}",
        output.stderr
    );
    let file = lake.path(&format!("findings/run={FIRST}/findings.parquet"));
    let before = fs::read(&file).unwrap();
    lake.analyze(&[&lake.run(FIRST), "--check", "sg-admin-open"]);
    assert_eq!(before, fs::read(&file).unwrap());
    let found = finding(&lake, FIRST, "status, risk, change, remediation_command");
    assert!(
        found.contains(
            "fail,45.0,new,aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-1"
        ),
        "{found}"
    );
}

#[test]
fn fail_on_looks_at_severity() {
    let lake = Lake::new();
    lake.collected(
        FIRST,
        &[("aws_ec2_security_group", vec![open_group()])],
        &[],
    );
    let code = |severity: &str| {
        lake.analyze(&[
            &lake.run(FIRST),
            "--check",
            "sg-admin-open",
            "--fail-on",
            severity,
        ])
        .code
    };
    assert_eq!((code("high"), code("critical")), (1, 0));
}

#[test]
fn fail_on_new_looks_at_what_the_run_before_did_not_have() {
    let lake = Lake::new();
    let code = |run: &str, fail_on: &str| {
        lake.analyze(&[
            &lake.run(run),
            "--check",
            "sg-admin-open",
            "--fail-on",
            fail_on,
        ])
        .code
    };
    let codes = |run: &str, group: serde_json::Value| {
        lake.collected(run, &[("aws_ec2_security_group", vec![group])], &[]);
        ["high", "new-high", "new-info", "new-critical"].map(|fail_on| code(run, fail_on))
    };
    assert_eq!(codes(FIRST, open_group()), [1, 1, 1, 0]);
    assert_eq!(codes(SECOND, open_group()), [1, 0, 0, 0]);
    assert_eq!(codes(THIRD, closed_group()), [0, 0, 0, 0]);
    assert_eq!(
        codes("20261117T060000Z-dddddd", open_group()),
        [1, 1, 1, 0],
        "it came back"
    );
    let refused = lake.analyze(&[&lake.run(FIRST), "--fail-on", "old-high"]);
    assert!(
        refused.code == 2 && refused.stderr.contains("or new- before one"),
        "{}",
        refused.stderr
    );
}

#[test]
fn what_could_not_be_looked_at_in_between_is_neither_new_nor_reopened() {
    let lake = Lake::new();
    let groups = |run: &str, groups, errors: &[serde_json::Value]| {
        lake.collected(run, &[("aws_ec2_security_group", groups)], errors);
        lake.analyze(&[
            &lake.run(run),
            "--check",
            "sg-admin-open",
            "--fail-on",
            "new-high",
        ])
        .code
    };
    let denied = |region: &str| json!({"region": region, "service": "ec2", "operation": "DescribeSecurityGroups", "table_name": "aws_ec2_security_group", "kind": "denied", "code": "UnauthorizedOperation"});
    assert_eq!(groups(FIRST, vec![open_group()], &[]), 1);
    assert_eq!(groups(SECOND, vec![], &[denied("eu-west-1")]), 3);
    assert_eq!(groups(THIRD, vec![open_group()], &[]), 0);
    let told = finding(&lake, THIRD, "status, change, first_seen");
    assert!(told.contains("fail,open,2026-11-14 06:00:00"), "{told}");
    // Another region's answer is missing: what is gone from this one is gone.
    let (fourth, fifth) = ("20261117T060000Z-dddddd", "20261118T060000Z-eeeeee");
    assert_eq!(groups(fourth, vec![], &[denied("us-east-1")]), 3);
    assert_eq!(groups(fifth, vec![open_group()], &[]), 1);
    let told = finding(&lake, fifth, "status, change");
    assert!(told.contains("fail,reopened"), "{told}");
}

#[test]
fn a_run_that_is_analyzed_again_is_without_a_record_until_its_files_are_whole() {
    let lake = Lake::new();
    lake.collected(
        FIRST,
        &[("aws_ec2_security_group", vec![open_group()])],
        &[],
    );
    let run = [&lake.run(FIRST), "--check", "sg-admin-open"];
    assert_eq!(lake.analyze(&run).code, 0);
    let record = lake.path(&format!("runs/{FIRST}/analyze.json"));
    assert!(record.is_file());
    // A folder stands where the findings go.
    let findings = lake.path(&format!("findings/run={FIRST}/findings.parquet"));
    std::fs::remove_file(&findings).unwrap();
    std::fs::create_dir(&findings).unwrap();
    assert_eq!(lake.analyze(&run).code, 2);
    assert!(!record.exists(), "the old record lists files that are gone");
    std::fs::remove_dir(&findings).unwrap();
    assert_eq!(lake.analyze(&run).code, 0);
}

#[test]
fn findings_have_a_history() {
    let lake = Lake::new();
    for (run, group) in [
        (FIRST, open_group()),
        (SECOND, closed_group()),
        (THIRD, open_group()),
    ] {
        lake.collected(run, &[("aws_ec2_security_group", vec![group])], &[]);
        lake.analyze(&[&lake.run(run), "--check", "sg-admin-open"]);
    }
    let history =
        [FIRST, SECOND, THIRD].map(|run| finding(&lake, run, "status, change, first_seen"));
    assert!(
        history[0].contains("fail,new,2026-11-14 06:00:00"),
        "{history:?}"
    );
    assert!(history[1].contains("pass,,"), "{history:?}");
    assert!(
        history[2].contains("fail,reopened,2026-11-16 06:00:00"),
        "{history:?}"
    );
}

#[test]
fn a_denied_call_is_unknown_and_exit_code_3() {
    let lake = Lake::new();
    let error = json!({"region": "eu-west-1", "service": "ec2", "operation": "DescribeSecurityGroups", "table_name": "aws_ec2_security_group", "kind": "denied", "code": "UnauthorizedOperation"});
    lake.collected(
        FIRST,
        &[("aws_ec2_security_group", vec![closed_group()])],
        &[error],
    );
    let output = lake.analyze(&[&lake.run(FIRST), "--check", "sg-admin-open"]);
    assert_eq!(output.code, 3);
    assert!(
        output
            .stderr
            .contains("ec2:DescribeSecurityGroups was denied (UnauthorizedOperation)"),
        "{}",
        output.stderr
    );
    assert_eq!(
        finding(&lake, FIRST, "status"),
        "status\nunknown\nunknown\n"
    );
    let record = fs::read_to_string(lake.path(&format!("runs/{FIRST}/analyze.json"))).unwrap();
    assert!(record.contains("\"partial\"") && record.contains("UnauthorizedOperation"));
}

#[test]
fn a_table_that_was_not_collected_or_is_damaged_is_unknown() {
    let lake = Lake::new();
    lake.collected(FIRST, &[("aws_sqs_queue", vec![])], &[]);
    assert_eq!(
        lake.analyze(&[&lake.run(FIRST), "--check", "sg-admin-open"])
            .code,
        3
    );
    assert!(
        finding(&lake, FIRST, "status, reason")
            .contains("unknown,not collected: aws_ec2_security_group")
    );
    lake.collected(
        SECOND,
        &[("aws_ec2_security_group", vec![closed_group()])],
        &[],
    );
    let file = lake.path(&format!(
        "inventory/aws_ec2_security_group/account={ACCOUNT}/run={SECOND}/data.parquet"
    ));
    let length = usize::try_from(fs::metadata(&file).unwrap().len()).unwrap();
    lake::overwrite(&file, &vec![b'x'; length]);
    let output = lake.analyze(&[&lake.run(SECOND), "--check", "sg-admin-open"]);
    assert_eq!(output.code, 3, "{}", output.stderr);
    assert!(
        finding(&lake, SECOND, "status, reason").contains("its file can't be read"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_check_that_can_not_be_run_is_unknown() {
    let lake = Lake::new();
    lake.collected(
        FIRST,
        &[("aws_ec2_security_group", vec![closed_group()])],
        &[],
    );
    let head = "/*\ntitle = \"t\"\nseverity = \"low\"\ntables = [\"aws_ec2_security_group\"]\nremediation = \"r\"\n*/\n";
    let row =
        "account_id, region, arn as resource_arn, false as failed, '' as reason, null as evidence";
    let checks = [
        (
            "wrong-column",
            format!("select nope, {row} from aws_ec2_security_group"),
            "nope",
        ),
        (
            "no-select",
            "copy (select 1) to '/tmp/x'".to_owned(),
            "only one SELECT",
        ),
        (
            "two-statements",
            format!("select {row} from aws_ec2_security_group; drop table resources"),
            "only one SELECT",
        ),
        (
            "undeclared",
            "select s.account_id, s.region, s.arn as resource_arn, false as failed, '' as reason, null as evidence from aws_ec2_security_group as s, aws_ec2_vpc".to_string(),
            "aws_ec2_vpc",
        ),
        (
            "reads-files",
            format!("select {row} from aws_ec2_security_group, read_text('/etc/passwd')"),
            "file system operations are disabled",
        ),
    ];
    for (id, sql, _) in &checks {
        lake.write(
            &format!("checks/5-own/{id}.sql"),
            &format!("{head}{sql};\n"),
        );
    }
    let folder = lake.path("checks").display().to_string();
    for (id, _, why) in &checks {
        let output = lake.analyze(&[&lake.run(FIRST), "--checks", &folder, "--check", id]);
        assert_eq!(output.code, 3, "{id}: {}", output.stderr);
        let sql = format!("select status, reason from findings where check_id = '{id}'");
        let answer = lake
            .analyze(&["query", &sql, "--run", &lake.run(FIRST), "--format", "csv"])
            .stdout;
        assert!(
            answer.contains("unknown") && answer.contains(why),
            "{id}: {answer}"
        );
    }
}

#[test]
fn waivers_hold_until_they_expire() {
    let lake = Lake::new();
    lake.collected(
        FIRST,
        &[("aws_ec2_security_group", vec![open_group()])],
        &[],
    );
    let waive = |expires: &str| {
        lake.write("w.toml", &format!("[[waiver]]\ncheck = \"sg-*\"\narn = \"*:security-group/*\"\nowner = \"o\"\nreason = \"r\"\nexpires = {expires}\n"));
        lake.analyze(&[
            &lake.run(FIRST),
            "--check",
            "sg-admin-open",
            "--waivers",
            &lake.path("w.toml").display().to_string(),
            "--fail-on",
            "high",
        ])
    };
    assert_eq!(waive("2027-01-31").code, 0);
    assert!(finding(&lake, FIRST, "status, waiver_owner").contains("waived,o"));
    assert_eq!(waive("2026-01-31").code, 1);
    assert!(finding(&lake, FIRST, "status").contains("fail"));
    let expired = lake
        .analyze(&[
            "query",
            "select rule, reason from findings where check_id = 'waiver-expired'",
            "--run",
            &lake.run(FIRST),
            "--format",
            "csv",
        ])
        .stdout;
    assert!(expired.contains("sg-admin-open by o was over"), "{expired}");
    lake.write("w.toml", "[[waiver]]\ncheck = \"sg-admin\"\narn = \"*\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2027-01-31\n");
    let output = lake.analyze(&[
        &lake.run(FIRST),
        "--waivers",
        &lake.path("w.toml").display().to_string(),
    ]);
    assert!(
        output.code == 2 && output.stderr.contains("did you mean sg-admin-open"),
        "{}",
        output.stderr
    );
}

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

#[test]
fn zones_are_exported_as_change_batches() {
    let lake = Lake::new();
    let zone = json!({"arn": "arn:aws:route53:::hostedzone/Z1", "region": "global", "zone_id": "/hostedzone/Z1", "zone_name": "example.com."});
    let record = |name: &str, kind: &str| {
        json!({"arn": "arn:aws:route53:::hostedzone/Z1", "region": "global", "zone_name": "example.com.", "record_name": name, "record_type": kind,
            "config": {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}})
    };
    let records = vec![
        record("example.com.", "NS"),
        record("www.example.com.", "A"),
        record("sub.example.com.", "NS"),
    ];
    lake.collected(
        FIRST,
        &[
            ("aws_route53_hosted_zone", vec![zone]),
            ("aws_route53_record", records),
        ],
        &[],
    );
    let out = lake.path("zones");
    let output = lake.analyze(&[
        "zones",
        &lake.run(FIRST),
        "--export",
        &out.display().to_string(),
    ]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let batch: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("Z1.json")).unwrap()).unwrap();
    let names: Vec<&str> = batch["Changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["ResourceRecordSet"]["Name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["sub.example.com.", "www.example.com."]);
    assert_eq!(batch["Changes"][0]["Action"], "UPSERT");
    assert!(
        fs::read_to_string(out.join("README.md"))
            .unwrap()
            .contains("--hosted-zone-id Z1 --change-batch file://Z1.json")
    );
}

#[test]
fn the_snapshot_of_the_tables_is_that_of_collect() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut declared = serde_json::Map::new();
    for service in fs::read_dir(root.join("../collect/tables"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
    {
        for path in fs::read_dir(service)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            let table: toml::Table = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let columns = table
                .get("columns")
                .and_then(toml::Value::as_table)
                .cloned()
                .unwrap_or_default();
            let mut types: Vec<(String, serde_json::Value)> = columns
                .into_iter()
                .map(|(name, column)| (name, column["type"].as_str().unwrap().into()))
                .collect();
            types.sort_by(|a, b| a.0.cmp(&b.0));
            let types: serde_json::Map<_, _> = types.into_iter().collect();
            let of = |key: &str| {
                table
                    .get(key)
                    .and_then(toml::Value::as_str)
                    .map_or(serde_json::Value::Null, Into::into)
            };
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            declared.insert(name, json!({"scope": of("scope"), "resource_type": of("resource_type"), "columns": types}));
        }
    }
    declared.sort_keys();
    let lines: Vec<String> = declared
        .iter()
        .map(|(name, table)| format!(" {}: {table}", json!(name)))
        .collect();
    let text = format!("{{\n{}\n}}\n", lines.join(",\n"));
    let snapshot = root.join("schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        lake::overwrite(&snapshot, text.as_bytes());
    }
    let same = fs::read_to_string(&snapshot).unwrap() == text;
    assert!(
        same,
        "schema.json is not what collect/tables say: run this test with UPDATE_SCHEMA=1 and look at the difference"
    );
}
