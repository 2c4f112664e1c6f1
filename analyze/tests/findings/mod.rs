//! Findings: the same every time, with a history, accepted by waivers, told by exit codes.

use std::fs;

use serde_json::json;

use crate::lake::{FIRST, Lake, SECOND, THIRD};

const GROUP: &str = "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1";

pub fn open_group() -> serde_json::Value {
    json!({"arn": GROUP, "group_id": "sg-1", "name": "a'; drop table findings; --\u{1b}[31m",
        "ip_permissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]})
}

pub fn closed_group() -> serde_json::Value {
    json!({"arn": GROUP, "group_id": "sg-1", "ip_permissions": []})
}

pub fn finding(lake: &Lake, run: &str, columns: &str) -> String {
    let sql = format!(
        "select {columns} from findings where check_id = 'sg-admin-open' order by resource_arn"
    );
    lake.analyze(&["query", &sql, "--run", &lake.run(run), "--format", "csv"])
        .stdout
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
