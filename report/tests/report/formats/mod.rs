//! The formats of others: judged by their own schemas, and telling what the report tells.

mod told;
mod verdicts;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::NOW;
use crate::hostile::{HOSTILE, lake_of};
use crate::lake::{ROOT, Run, finding, rendered, small};

/// Validators by format: the document on standard input, the schema's file as argument.
const SARIF: &str = "import json, sys, jsonschema
validator = jsonschema.Draft7Validator(json.load(open(sys.argv[1])), format_checker=jsonschema.FormatChecker())
errors = [f'{e.message} at {e.json_path}' for e in validator.iter_errors(json.load(sys.stdin))]
sys.exit('\\n'.join(errors[:10]) or 0)";
const JUNIT: &str = "import sys
from lxml import etree
schema = etree.XMLSchema(etree.parse(sys.argv[1]))
parser = etree.XMLParser(huge_tree=True)
document = etree.parse(sys.stdin.buffer, parser)
sys.exit(0 if schema.validate(document) else str(schema.error_log))";
const OCSF: &str = "import json, sys, jsonschema
from ocsf_json_schema import get_ocsf_schema, OcsfJsonSchemaEmbedded
schemas, validators, errors = OcsfJsonSchemaEmbedded(get_ocsf_schema(version='1.8.0')), {}, []
for line in sys.stdin.buffer.read().decode().split('\\n')[:-1]:
    event = json.loads(line)
    uid = event['class_uid']
    if uid not in validators:
        schema = schemas.get_class_schema(schemas.lookup_class_name_from_uid(uid), profiles=event['metadata']['profiles'])
        validators[uid] = jsonschema.Draft202012Validator(schema)
    errors += [f'{e.message} at {e.json_path}' for e in validators[uid].iter_errors(event)]
sys.exit('\\n'.join(errors[:10]) or 0)";

/// What a validator that is not ours says against a document; nothing when it is valid.
fn objections(program: &str, schema: &str, document: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas");
    let mut child = Command::new(fixtures::python())
        .args(["-c", program])
        .arg(folder.join(schema))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(document.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

fn objections_to(format: &str, document: &str) -> Option<String> {
    match format {
        "sarif" => objections(SARIF, "sarif-2.1.0.schema.json", document),
        "junit" => objections(JUNIT, "junit-10.xsd", document),
        _ => objections(OCSF, "", document),
    }
}

const FORMATS: [&str; 3] = ["sarif", "junit", "ocsf"];

/// The small lake with a detection and a check that failed.
fn with_a_detection() -> Run {
    let mut run = small();
    let analyzed = run.analyzed.as_mut().unwrap();
    analyzed.findings.push(finding(
        "trail-multi-region",
        "fail",
        ROOT,
        json!({"kind": "detection", "discriminator": "event-1", "fingerprint": "00000000000000ff", "reason": "a trail was stopped {0} [now](https://evil.example)"}),
    ));
    analyzed.checks[5]["status"] = "error".into();
    analyzed.checks[5]["error"] = "no such column".into();
    run
}

fn lines(document: &str) -> Vec<Value> {
    document
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_document_is_valid_for_its_own_schema() {
    let folder = tempfile::tempdir().unwrap();
    with_a_detection().commit(folder.path(), NOW);
    for format in FORMATS {
        let document = rendered(folder.path(), format);
        assert_eq!(
            objections_to(format, &document),
            None,
            "{format}: {document}"
        );
    }
}

#[test]
fn the_validators_notice_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    with_a_detection().commit(folder.path(), NOW);
    let spoilt = [
        ("sarif", "\"kind\": \"fail\"", "\"kind\": \"failed\""),
        ("junit", " classname=\"root-mfa\"", " klass=\"root-mfa\""),
        ("ocsf", "\"severity_id\":5", "\"severity_id\":\"5\""),
    ];
    for (format, right, wrong) in spoilt {
        let document = rendered(folder.path(), format);
        assert!(document.contains(right), "{format}: {document}");
        assert!(
            objections_to(format, &document.replace(right, wrong)).is_some(),
            "{format}"
        );
    }
}

#[test]
fn hostile_texts_stay_texts_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    lake_of(folder.path(), &HOSTILE);
    for format in FORMATS {
        let document = rendered(folder.path(), format);
        assert_eq!(objections_to(format, &document), None, "{format}");
        assert!(
            !document.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}']),
            "{format} moves no cursor"
        );
    }
    let log: Value = serde_json::from_str(&rendered(folder.path(), "sarif")).unwrap();
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let text = result["message"]["text"].as_str().unwrap();
        assert!(!text.contains("]("), "a message has no link: {text}");
    }
}
