//! Lakes made for a test: the files and records that `collect` and `analyze` would have written.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use handoff::contract::{self, TableSchema};
use handoff::paths;
use handoff::run::{FileEntry, RunId, RunRecord, Stage, TableOutcome};
use handoff::storage::Storage;
use handoff::table::{FileLabel, TableWriter};
use serde_json::{Value, json};

pub const ACCOUNT: &str = "111122223333";

/// A row by column name; columns left out are null.
pub type Row = Value;

/// One run of a lake.
#[derive(Default)]
pub struct Run {
    pub errors: Vec<Row>,
    pub resources: usize,
    /// Rows of `aws_cloudtrail_trail`.
    pub trails: Vec<Row>,
    /// What `analyze` wrote; none when it did not run.
    pub analyzed: Option<Analyzed>,
}

#[derive(Default)]
pub struct Analyzed {
    pub findings: Vec<Row>,
    pub checks: Vec<Row>,
    pub context: Vec<Row>,
    pub zones: Vec<Row>,
    pub trail_days: Vec<Row>,
    pub scans: Vec<Row>,
    /// Rows of the tables of access; those without any are not written.
    pub access: Vec<(TableSchema, Vec<Row>)>,
}

/// The columns of `aws_cloudtrail_trail` that a report shows.
fn trail_table() -> TableSchema {
    use contract::ColumnType::{Bool, String as Text, Timestamp};
    TableSchema::new(
        "aws_cloudtrail_trail",
        "trails",
        &[
            ("account_id", Text, ""),
            ("region", Text, ""),
            ("arn", Text, ""),
            ("trail_name", Text, ""),
            ("home_region", Text, ""),
            ("is_multi_region_trail", Bool, ""),
            ("is_logging", Bool, ""),
            ("latest_delivery_at", Timestamp, ""),
            ("log_file_validation_enabled", Bool, ""),
            ("kms_key_id", Text, ""),
            ("s3_bucket_name", Text, ""),
        ],
    )
}

impl Run {
    /// Writes the run as of `time` and returns its id.
    pub fn commit(&self, lake: &Path, time: &str) -> RunId {
        let storage = Storage::open(lake.to_str().unwrap()).unwrap();
        let run = RunId::new(time.parse().unwrap(), time.as_bytes());
        let mut collect = RunRecord::new(run.clone(), Stage::Collect, "0.1.0", Vec::new());
        let resources: Vec<Row> = (0..self.resources)
            .map(|number| json!({"arn": format!("arn:aws:x:::{number}")}))
            .collect();
        for (schema, rows) in [
            (contract::resources(), &resources),
            (contract::collect_errors(), &self.errors),
            (trail_table(), &self.trails),
        ] {
            let path = paths::inventory(&schema.name, ACCOUNT, &run);
            collect.files.push(write(
                &storage,
                Stage::Collect,
                schema,
                rows,
                path,
                Some(ACCOUNT),
            ));
        }
        for region in ["eu-west-1", "global", "us-east-1"] {
            let (table, account_id) = ("aws_ec2_instance".to_owned(), ACCOUNT.to_owned());
            collect.tables.push(TableOutcome {
                table,
                account_id,
                region: region.to_owned(),
                rows: 1,
                errors: 0,
            });
        }
        if !self.errors.is_empty() {
            collect.note("calls failed");
        }
        collect.commit(&storage).unwrap();
        if let Some(analyzed) = &self.analyzed {
            analyzed.commit(&storage, &run);
        }
        run
    }
}

impl Analyzed {
    fn commit(&self, storage: &Storage, run: &RunId) {
        let mut record = RunRecord::new(run.clone(), Stage::Analyze, "0.1.0", Vec::new());
        let tables = [
            (contract::resource_context(), &self.context),
            (contract::zone_backups(), &self.zones),
            (handoff::trail::trail_days(), &self.trail_days),
            (contract::scan_coverage(), &self.scans),
            (contract::checks(), &self.checks),
        ];
        for (schema, rows) in tables {
            let path = paths::derived(&schema.name, run);
            record
                .files
                .push(write(storage, Stage::Analyze, schema, rows, path, None));
        }
        for (schema, rows) in &self.access {
            let path = paths::derived(&schema.name, run);
            record.files.push(write(
                storage,
                Stage::Analyze,
                schema.clone(),
                rows,
                path,
                None,
            ));
        }
        record.files.push(write(
            storage,
            Stage::Analyze,
            contract::findings(),
            &self.findings,
            paths::findings(run),
            None,
        ));
        record.commit(storage).unwrap();
    }
}

fn write(
    storage: &Storage,
    stage: Stage,
    schema: TableSchema,
    rows: &[Row],
    path: String,
    account: Option<&str>,
) -> FileEntry {
    let label = FileLabel::new(stage, &schema.name);
    let (name, columns) = (schema.name.clone(), schema.columns.clone());
    let mut writer = TableWriter::new(schema, &label, storage.scratch_file().unwrap()).unwrap();
    for row in rows {
        let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        assert!(
            row.as_object()
                .unwrap()
                .keys()
                .all(|key| known.contains(&key.as_str())),
            "{name}: {row}"
        );
        let values: Vec<Value> = known
            .iter()
            .map(|column| row.get(column).cloned().unwrap_or(Value::Null))
            .collect();
        assert!(writer.push(&values).unwrap().is_empty(), "{name}: {row}");
    }
    let finished = writer.finish().unwrap();
    let entry = finished.entry(path.clone(), &name, account);
    storage.put_file(&path, finished.file).unwrap();
    entry
}

/// A finding; `over` replaces members.
pub fn finding(check: &str, status: &str, arn: &str, over: Value) -> Row {
    let checks: BTreeMap<&str, (u8, &str, &str)> = CHECKS
        .iter()
        .map(|(id, rule, severity, title)| (*id, (*rule, *severity, *title)))
        .collect();
    let (rule, severity, title) = checks[check];
    let mut row = json!({
        "check_id": check, "rule": rule, "kind": "config", "title": title, "severity": severity, "status": status,
        "account_id": ACCOUNT, "region": "eu-west-1", "resource_arn": arn, "resource_type": "ec2:instance",
        "exposed": false, "risk": 40.0, "reason": "it is not as it should be", "fingerprint": fingerprint(check, arn),
    });
    if status != "pass" {
        row["change"] = "new".into();
        row["first_seen"] = "2026-11-16T06:00:00Z".into();
    }
    for (member, value) in over.as_object().unwrap() {
        row[member.as_str()] = value.clone();
    }
    row
}

/// A stand-in for the hash: distinct, stable, hexadecimal.
pub fn fingerprint(check: &str, arn: &str) -> String {
    let hash = check
        .bytes()
        .chain(arn.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
    format!("{hash:016x}")
}

pub const CHECKS: [(&str, u8, &str, &str); 7] = [
    ("tag-name-format", 1, "low", "Names say what a resource is"),
    (
        "root-mfa",
        2,
        "critical",
        "The root user has a second factor",
    ),
    (
        "trail-multi-region",
        3,
        "high",
        "A trail records every region",
    ),
    (
        "cis-alarms",
        3,
        "medium",
        "Somebody is told of what CIS names",
    ),
    ("inspector-off", 4, "medium", "Inspector scans the account"),
    (
        "db-backup-off",
        6,
        "high",
        "Databases have automatic backups",
    ),
    ("dns-zone-backup", 7, "high", "Hosted zones are backed up"),
];

/// The rows of `checks` for [`CHECKS`].
pub fn checks() -> Vec<Row> {
    CHECKS
        .iter()
        .map(|(id, rule, severity, title)| {
            json!({"check_id": id, "rule": rule, "kind": "config", "title": title, "severity": severity, "status": "evaluated",
                   "tables": ["aws_ec2_instance"], "frameworks": {"cis_v3.0": "1.5"}})
        })
        .collect()
}

pub const ROOT: &str = "arn:aws:iam::111122223333:root";
pub const DATABASE: &str = "arn:aws:rds:eu-west-1:111122223333:db:d01_orders_checkout";
pub const UNNAMED: &str = "arn:aws:ec2:eu-west-1:111122223333:instance/i-0aa1";

/// The context of the three resources of the small lake.
pub fn context() -> Vec<Row> {
    vec![
        json!({"account_id": ACCOUNT, "region": "eu-west-1", "arn": DATABASE, "service": "rds", "resource_type": "rds:db", "name": "d01_orders_checkout",
               "summary": "db.t3.micro · mysql 8.0", "system": "checkout", "environment": "prod", "owner": "team-checkout", "importance": "critical",
               "importance_rank": 3, "dr": ["multi-az", "backup"], "rpo_seconds": 900, "rto_seconds": 86_400, "required_tags": 5, "missing_tags": [],
               "taggable": true, "data_store": true, "exposed": true, "exposure": "tcp/3306 from 0.0.0.0/0", "dr_met": 1, "dr_unmet": ["backup"]}),
        json!({"account_id": ACCOUNT, "region": "eu-west-1", "arn": UNNAMED, "service": "ec2", "resource_type": "ec2:instance",
               "name": "DO_NOT_DELETE_UNTIL_12/02", "environment": "staging", "required_tags": 5, "missing_tags": ["Importance", "Owner"],
               "taggable": true, "data_store": false}),
        json!({"account_id": ACCOUNT, "region": "eu-west-1", "arn": "arn:aws:s3:::shop-media", "service": "s3", "resource_type": "s3:bucket",
               "name": "shop-media", "required_tags": 5, "taggable": true, "data_store": true}),
    ]
}

/// A small lake's last run: failures, an unknown, an accepted one, passes, a denied call.
pub fn small() -> Run {
    let database = json!({"resource_name": "d01_orders_checkout", "resource_type": "rds:db", "owner": "team-checkout", "environment": "prod",
        "system": "checkout", "importance": "critical", "exposed": true, "risk": 83.5, "reason": "backup retention is 0 days",
        "evidence": {"backup_retention_days": 0, "window": null, "zones": ["eu-west-1a", "eu-west-1b"]},
        "remediation": "keep backups for at least 7 days",
        "remediation_command": "aws rds modify-db-instance --db-instance-identifier d01_orders_checkout \\\n  --backup-retention-period 7",
        "change": "open", "first_seen": "2026-10-01T06:00:00Z"});
    let findings = vec![
        finding(
            "root-mfa",
            "fail",
            ROOT,
            json!({"region": "global", "resource_type": "account", "risk": 95.0, "reason": "the root user has no second factor"}),
        ),
        finding("db-backup-off", "fail", DATABASE, database),
        finding(
            "tag-name-format",
            "fail",
            UNNAMED,
            json!({"resource_name": "DO_NOT_DELETE_UNTIL_12/02", "risk": 8.0, "change": "reopened"}),
        ),
        finding(
            "inspector-off",
            "unknown",
            ROOT,
            json!({"risk": 0.0, "reason": "inspector2:BatchGetAccountStatus was denied in eu-west-1"}),
        ),
        finding(
            "db-backup-off",
            "waived",
            "arn:aws:rds:eu-west-1:111122223333:db:d02_cache",
            json!({"waiver_owner": "team-checkout",
            "waiver_reason": "can be made again", "waiver_expires": "2027-01-01T00:00:00Z"}),
        ),
        finding("tag-name-format", "pass", DATABASE, json!({})),
        finding("trail-multi-region", "pass", ROOT, json!({})),
        finding(
            "dns-zone-backup",
            "pass",
            "arn:aws:route53:::hostedzone/Z1",
            json!({}),
        ),
    ];
    let zones = vec![
        json!({"account_id": ACCOUNT, "arn": "arn:aws:route53:::hostedzone/Z1", "zone_id": "Z1", "name": "shop.example.com.", "records": 14, "left_out": 2}),
    ];
    let denied = json!({"account_id": ACCOUNT, "region": "eu-west-1", "service": "inspector2", "operation": "BatchGetAccountStatus",
        "table_name": "aws_inspector2_status", "kind": "denied", "code": "AccessDeniedException", "message": "not authorized"});
    Run {
        errors: vec![denied],
        resources: 3,
        analyzed: Some(Analyzed {
            findings,
            checks: checks(),
            context: context(),
            zones,
            ..Analyzed::default()
        }),
        ..Run::default()
    }
}

/// Runs the tool.
pub fn report(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_report"))
        .args(arguments)
        .output()
        .unwrap()
}

/// The report of a lake in a format, which must succeed.
pub fn rendered(lake: &Path, format: &str) -> String {
    let output = report(&[lake.to_str().unwrap(), "--format", format]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
