//! The tool as a user meets it, over lakes made here.

mod access;
mod findings;
mod lake;
mod queries;
mod tags;
mod unknown;
mod usage;

use std::fs;

use lake::{FIRST, Lake};
use serde_json::json;

#[test]
fn all_cases_of_all_checks_pass() {
    let output = Lake::new().analyze(&["test"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
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
