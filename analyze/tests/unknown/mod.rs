//! What could not be read is unknown, never a pass.

use std::fs;

use serde_json::json;

use crate::findings::{closed_group, finding};
use crate::lake::{self, ACCOUNT, FIRST, Lake, SECOND};

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
