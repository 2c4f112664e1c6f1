//! Small lakes for tests, written as `collect` and `analyze` write theirs.

use std::path::Path;
use std::process::{Command, Output};

use handoff::access;
use handoff::contract::{self, TableSchema};
use handoff::run::{RunId, RunRecord, Stage, TableOutcome};
use handoff::storage::Storage;
use handoff::table::{FileLabel, TableWriter};
use serde_json::{Map, Value, json};

pub const ACCOUNT: &str = "111122223333";

/// A run under construction: rows as JSON objects, columns left out are null.
#[derive(Clone)]
pub struct Lake {
    pub resources: Vec<Value>,
    pub relationships: Vec<Value>,
    pub context: Vec<Value>,
    pub findings: Vec<Value>,
    pub errors: Vec<Value>,
    pub route_tables: Vec<Value>,
    pub vaults: Vec<Value>,
    pub points: Vec<Value>,
    pub instances: Vec<Value>,
    pub paths: Vec<Value>,
    pub hops: Vec<Value>,
    pub principals: Vec<Value>,
    pub classes: Vec<Value>,
    pub dangers: Vec<Value>,
    pub grants: Vec<Value>,
    pub ways: Vec<Value>,
    pub escalations: Vec<Value>,
    pub usage: Vec<Value>,
    /// The inventory table that resources come from.
    pub table: &'static str,
    /// Tables of IAM that were asked for.
    pub asked: Vec<&'static str>,
}

impl Default for Lake {
    fn default() -> Self {
        Self {
            resources: Vec::new(),
            relationships: Vec::new(),
            context: Vec::new(),
            findings: Vec::new(),
            errors: Vec::new(),
            route_tables: Vec::new(),
            vaults: Vec::new(),
            points: Vec::new(),
            instances: Vec::new(),
            paths: Vec::new(),
            hops: Vec::new(),
            principals: Vec::new(),
            classes: Vec::new(),
            dangers: Vec::new(),
            grants: Vec::new(),
            ways: Vec::new(),
            escalations: Vec::new(),
            usage: Vec::new(),
            table: "aws_rds_db_instance",
            asked: vec!["aws_iam_user", "aws_iam_role"],
        }
    }
}

pub fn arn(resource_type: &str, id: &str) -> String {
    let (service, kind) = resource_type.split_once(':').unwrap();
    format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:{kind}/{id}")
}

impl Lake {
    /// Adds a resource with its context; `more` are further columns of `resource_context`.
    pub fn add(&mut self, resource_type: &str, id: &str, system: &str, more: Value) -> String {
        let arn = arn(resource_type, id);
        let mut row = json!({
            "account_id": ACCOUNT, "region": "eu-west-1", "arn": arn, "resource_type": resource_type, "name": id,
            "environment": "prod", "required_tags": 5, "missing_tags": [], "taggable": true, "exposed": false,
        });
        let row_map = row.as_object_mut().unwrap();
        if !system.is_empty() {
            row_map.insert("system".into(), system.into());
        }
        row_map.extend(more.as_object().cloned().unwrap_or_default());
        let mut collected: Map<String, Value> = row_map.clone();
        let mut tags = if system.is_empty() {
            json!({})
        } else {
            json!({ "System": system, "Environment": "prod" })
        };
        if let Some(more) = collected.get("tags").and_then(Value::as_object) {
            tags.as_object_mut().unwrap().extend(more.clone());
        }
        collected.insert("tags".into(), tags);
        collected.insert("source_table".into(), self.table.into());
        self.resources.push(collected.into());
        self.context.push(row);
        arn
    }

    pub fn link(&mut self, kind: &str, from: &str, to: &str, detail: &str) {
        let known = to.starts_with("arn:").then_some(to);
        self.relationships.push(json!({ "kind": kind, "from_arn": from, "to_arn": known, "to_id": to, "detail": detail }));
    }

    /// A path of `reachability`, with one link; `open` is null where it is not known.
    pub fn path(
        &mut self,
        from: &str,
        to: &str,
        step: u64,
        lane: &str,
        port: Option<u16>,
        open: Option<bool>,
    ) {
        let id = format!("{from} {to} {port:?}");
        self.paths.push(json!({
            "path_id": id, "step": step, "from_arn": from, "to_arn": to, "lane": lane, "open": open, "hops": 1,
            "protocol": port.map(|_| "tcp"), "from_port": port, "to_port": port, "detail": "lets in", "why": "not known",
        }));
        self.hops.push(json!({
            "path_id": id, "hop": 1, "from_arn": from, "to_arn": to, "kind": "security-group", "detail": "lets in", "open": open,
        }));
    }

    pub fn fail(&mut self, arn: &str, severity: &str, status: &str) {
        self.findings
            .push(json!({ "resource_arn": arn, "severity": severity, "status": status }));
    }

    /// Commits the run as `collect` does, and as `analyze` does when asked for.
    pub fn commit(&self, folder: &Path, analyzed: bool) {
        self.commit_at(folder, analyzed, "2026-11-16T06:00:00Z");
    }

    /// The same, as a run of another time.
    pub fn commit_at(&self, folder: &Path, analyzed: bool, time: &str) {
        let lake = Storage::open(folder.to_str().unwrap()).unwrap();
        let run = RunId::new(time.parse().unwrap(), b"test");
        let route_tables = TableSchema::new(
            "aws_ec2_route_table",
            "",
            &[
                ("arn", contract::ColumnType::String, ""),
                ("is_main", contract::ColumnType::Bool, ""),
            ],
        );
        let collected = [
            (contract::resources(), &self.resources),
            (contract::relationships(), &self.relationships),
            (contract::collect_errors(), &self.errors),
            (route_tables, &self.route_tables),
            (inventory("aws_backup_vault", VAULT), &self.vaults),
            (inventory("aws_backup_recovery_point", POINT), &self.points),
            (inventory("aws_rds_db_instance", INSTANCE), &self.instances),
        ];
        let mut record = RunRecord::new(run.clone(), Stage::Collect, "0", Vec::new());
        record.tables = self.asked.iter().map(|table| outcome(table)).collect();
        stage(&lake, record, collected.into());
        if analyzed {
            let derived = [
                (contract::resource_context(), &self.context),
                (contract::findings(), &self.findings),
                (contract::reachability(), &self.paths),
                (contract::reachability_hops(), &self.hops),
                (access::principal_classes(), &self.principals),
                (access::resource_classes(), &self.classes),
                (access::dangerous_actions(), &self.dangers),
                (access::grants(), &self.grants),
                (access::assume_edges(), &self.ways),
                (access::escalations(), &self.escalations),
                (access::usage(), &self.usage),
            ];
            let record = RunRecord::new(run, Stage::Analyze, "0", Vec::new());
            stage(&lake, record, derived.into());
        }
    }
}

const VAULT: &[(&str, contract::ColumnType, &str)] = &[
    ("arn", contract::ColumnType::String, ""),
    ("locked", contract::ColumnType::Bool, ""),
    ("recovery_point_count", contract::ColumnType::Int, ""),
];
const POINT: &[(&str, contract::ColumnType, &str)] = &[
    ("resource_arn", contract::ColumnType::String, ""),
    ("backup_vault_arn", contract::ColumnType::String, ""),
    ("source_backup_vault_arn", contract::ColumnType::String, ""),
    ("status", contract::ColumnType::String, ""),
    ("completed_at", contract::ColumnType::Timestamp, ""),
];
const INSTANCE: &[(&str, contract::ColumnType, &str)] = &[
    ("arn", contract::ColumnType::String, ""),
    ("backup_retention_days", contract::ColumnType::Int, ""),
    ("latest_restorable_at", contract::ColumnType::Timestamp, ""),
];

fn inventory(name: &str, columns: &[(&str, contract::ColumnType, &str)]) -> TableSchema {
    TableSchema::new(name, "", columns)
}

/// Writes events of CloudTrail into the lake.
pub fn events(folder: &Path, rows: &[Value]) {
    let lake = Storage::open(folder.to_str().unwrap()).unwrap();
    let schema = handoff::trail::cloudtrail_events();
    let columns: Vec<String> = schema
        .columns
        .iter()
        .map(|column| column.name.clone())
        .collect();
    let label = FileLabel::new(Stage::Collect, "cloudtrail");
    let mut writer = TableWriter::new(schema, &label, lake.scratch_file().unwrap()).unwrap();
    for row in rows {
        let cells: Vec<Value> = columns
            .iter()
            .map(|column| row.get(column).cloned().unwrap_or(Value::Null))
            .collect();
        assert!(writer.push(&cells).unwrap().is_empty(), "{row}");
    }
    let path = "cloudtrail/event_date=2026-11-12/0-0.parquet";
    lake.put_file(path, writer.finish().unwrap().file).unwrap();
}

/// A table that was asked for, without anything in it.
fn outcome(table: &str) -> TableOutcome {
    TableOutcome {
        table: table.to_owned(),
        account_id: ACCOUNT.to_owned(),
        region: "global".to_owned(),
        rows: 0,
        errors: 0,
    }
}

fn stage(lake: &Storage, mut record: RunRecord, tables: Vec<(TableSchema, &Vec<Value>)>) {
    let (run, stage) = (record.run.clone(), record.stage);
    for (schema, rows) in tables {
        let name = schema.name.clone();
        let columns: Vec<String> = schema
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        let mut writer = TableWriter::new(
            schema,
            &FileLabel::new(stage, &name),
            lake.scratch_file().unwrap(),
        )
        .unwrap();
        for row in rows {
            let cells: Vec<Value> = columns
                .iter()
                .map(|column| row.get(column).cloned().unwrap_or(Value::Null))
                .collect();
            assert!(writer.push(&cells).unwrap().is_empty(), "{name}: {row}");
        }
        let finished = writer.finish().unwrap();
        let path = format!("{name}-{run}.parquet");
        record.files.push(finished.entry(path.clone(), &name, None));
        lake.put_file(&path, finished.file).unwrap();
    }
    record.commit(lake).unwrap();
}

/// Runs the tool on the latest run of a lake.
pub fn diagram(folder: &Path, arguments: &[&str]) -> Output {
    let (view, options) = arguments.split_first().unwrap();
    let mut all = vec![*view, folder.to_str().unwrap()];
    all.extend(options);
    diagram_of(&all)
}

/// Runs the tool.
pub fn diagram_of(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_diagram"))
        .args(arguments)
        .output()
        .unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The picture's JSON; the tool must have succeeded.
pub fn picture(folder: &Path, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments
        .iter()
        .copied()
        .chain(["--format", "json"])
        .collect();
    let output = diagram(folder, &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

/// The node that stands for a resource.
pub fn node_of<'a>(picture: &'a Value, arn: &str) -> &'a Value {
    let mut nodes = picture["nodes"].as_array().unwrap().iter();
    let has = |node: &&Value| {
        node["members"]
            .as_array()
            .unwrap()
            .iter()
            .any(|member| member == arn)
    };
    nodes
        .find(has)
        .unwrap_or_else(|| panic!("no node stands for {arn}"))
}

/// A shop in one VPC: load balancer, group of instances, database, queue and function, and the platform around it.
pub fn shop() -> Lake {
    let mut lake = Lake::default();
    let vpc = lake.add(
        "ec2:vpc",
        "vpc-1",
        "platform",
        json!({ "summary": "10.20.0.0/16" }),
    );
    let gateway = lake.add("ec2:internet-gateway", "igw-1", "platform", json!({}));
    let mut subnets = Vec::new();
    for tier in ["public", "isolated"] {
        let subnet = lake.add(
            "ec2:subnet",
            &format!("subnet-{tier}"),
            "platform",
            json!({ "zone": "eu-west-1a" }),
        );
        let table = lake.add(
            "ec2:route-table",
            &format!("rtb-{tier}"),
            "platform",
            json!({}),
        );
        lake.link("in_vpc", &subnet, &vpc, "");
        lake.link("in_vpc", &table, &vpc, "");
        if tier == "public" {
            lake.link("associated_with", &table, &subnet, "");
            lake.link("routes_to", &table, &gateway, "0.0.0.0/0");
        } else {
            lake.route_tables
                .push(json!({ "arn": table, "is_main": true }));
        }
        subnets.push(subnet);
    }
    let placed =
        |lake: &mut Lake, kind: &str, id: &str, subnet: usize, group: &str, more: Value| {
            let resource = lake.add(kind, id, "checkout", more);
            lake.link("in_vpc", &resource, &vpc, "");
            lake.link("in_subnet", &resource, &subnets[subnet], "");
            lake.link("has_security_group", &resource, group, "");
            resource
        };
    let groups: Vec<String> = ["lb", "web", "db"]
        .iter()
        .map(|id| {
            lake.add(
                "ec2:security-group",
                &format!("sg-{id}"),
                "checkout",
                json!({}),
            )
        })
        .collect();
    lake.link("allows", &groups[0], &groups[1], "tcp/8080");
    lake.link("allows", &groups[1], &groups[2], "tcp/3306");
    let exposed = json!({ "exposed": true, "exposure": "tcp/443 from 0.0.0.0/0" });
    let balancer = placed(
        &mut lake,
        "elasticloadbalancing:loadbalancer",
        "l01_alb_checkout",
        0,
        &groups[0],
        exposed,
    );
    let web = lake.add(
        "autoscaling:autoScalingGroup",
        "w01_web_checkout",
        "checkout",
        json!({}),
    );
    for number in 0..3 {
        let instance = placed(
            &mut lake,
            "ec2:instance",
            &format!("i-{number}"),
            0,
            &groups[1],
            json!({ "name": "w01_web_checkout" }),
        );
        let volume = lake.add(
            "ec2:volume",
            &format!("vol-{number}"),
            "checkout",
            json!({}),
        );
        lake.link("member_of", &instance, &web, "");
        lake.link("attached_to", &volume, &instance, "/dev/sda1");
    }
    let important = json!({ "importance": "critical", "importance_rank": 3, "dr": ["backup", "multi-az"], "dr_met": 1 });
    let database = placed(
        &mut lake,
        "rds:db",
        "d01_orders_checkout",
        1,
        &groups[2],
        important,
    );
    lake.fail(&database, "critical", "fail");
    lake.fail(&balancer, "high", "unknown");
    let queue = lake.add("sqs:queue", "q01_orders_checkout", "checkout", json!({}));
    let mailer = lake.add("lambda:function", "f01_mailer_notify", "notify", json!({}));
    lake.link("triggers", &queue, &mailer, "");
    lake
}

/// The further lines of a card, with a mark where something is judged.
pub fn lines(node: &Value) -> Vec<String> {
    let lines = node["lines"].as_array().cloned().unwrap_or_default();
    let phrase = |phrase: &Value| {
        let mark = match phrase["verdict"].as_str() {
            Some("met") => "+",
            Some("missed") => "!",
            Some("unknown") => "?",
            _ => "",
        };
        format!("{mark}{}", phrase["text"].as_str().unwrap())
    };
    let line = |line: &Value| {
        let phrases: Vec<String> = line.as_array().unwrap().iter().map(phrase).collect();
        phrases.join(" ")
    };
    lines.iter().map(line).collect()
}

/// Nodes with this first line.
pub fn titled<'a>(picture: &'a Value, title: &str) -> Vec<&'a Value> {
    let nodes = picture["nodes"].as_array().unwrap().iter();
    nodes.filter(|node| node["title"] == title).collect()
}

/// Edges from one node to another.
pub fn edges<'a>(picture: &'a Value, from: &Value, to: &Value) -> Vec<&'a Value> {
    let edges = picture["edges"].as_array().unwrap().iter();
    edges
        .filter(|edge| edge["from"] == from["id"] && edge["to"] == to["id"])
        .collect()
}
