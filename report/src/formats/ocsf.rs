//! Findings as OCSF 1.8.0 events, one JSON document per line: Compliance Finding (2003) for the configuration of a
//! resource, Detection Finding (2004) for what happened.
//!
//! Verdicts that pass are only counted by the report and have no event; neither has what people attest and that counts. The profile `cloud` says where a finding is.

use std::io;

use serde_json::{Map, Value, json};

use super::json;
use crate::chapters::RULES;
use crate::content::actor::Actor;
use crate::content::finding::{Change, Check, Finding, Severity, Status, short_arn};
use crate::content::standing::{self, Outcome};
use crate::content::{Content, Evaluation};

/// Version of OCSF.
const VERSION: &str = "1.8.0";
/// Category "Findings".
const CATEGORY: u32 = 2;

/// Writes the file; empty before `analyze` ran.
///
/// # Errors
/// Never for memory, which is what it writes to; the encoder's signature allows it.
pub fn render(content: &Content) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(evaluation) = &content.evaluation else {
        return Ok(bytes);
    };
    for finding in &evaluation.findings {
        json::line(&mut bytes, &event(content, evaluation, finding))?;
    }
    for outcome in standing::outcomes(content) {
        if outcome.status != "attested" {
            json::line(&mut bytes, &attestation(content, evaluation, &outcome))?;
        }
    }
    Ok(bytes)
}

fn event(content: &Content, evaluation: &Evaluation, finding: &Finding) -> Value {
    let detection = finding.is_detection();
    let (class_uid, class_name) = match detection {
        true => (2004, "Detection Finding"),
        false => (2003, "Compliance Finding"),
    };
    let (activity_id, activity) = match finding.change {
        Some(Change::Open) => (2, "Update"),
        Some(Change::New | Change::Reopened) | None => (1, "Create"),
    };
    let (status_id, status) = match finding.status {
        Status::Waived => (3, "Suppressed"),
        Status::Fail | Status::Unknown | Status::Pass => (1, "New"),
    };
    let (severity_id, severity) = severity(finding.severity);
    let mut event = json!({
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": class_uid,
        "class_name": class_name,
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": class_uid * 100 + activity_id,
        "type_name": format!("{class_name}: {activity}"),
        "time": content.as_of.as_millisecond(),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": said(finding),
        "metadata": metadata(content, evaluation),
        "cloud": {
            "provider": "AWS",
            "account": {"uid": finding.account_id, "type": "AWS Account", "type_id": 10},
            "region": finding.region,
        },
        "finding_info": finding_info(content, finding),
        "resources": [resource(finding)],
        "unmapped": unmapped(finding),
    });
    if detection {
        event["risk_score"] = json!(finding.risk.round());
        event["is_alert"] = (finding.status == Status::Fail).into();
        if let Some(actor) = &finding.changed_by {
            event["start_time"] = actor.first.as_millisecond().into();
            event["end_time"] = actor.last.as_millisecond().into();
        }
    } else {
        let check = evaluation
            .checks
            .iter()
            .find(|check| check.check_id == finding.check_id);
        event["compliance"] = compliance(finding, check);
    }
    if let Some(remediation) = &finding.remediation {
        event["remediation"] = json!({"desc": remediation});
    }
    if let Some(waiver) = finding
        .waiver
        .as_ref()
        .and_then(|waiver| waiver.reason.as_ref())
    {
        event["comment"] = waiver.as_str().into();
    }
    let actor = finding.changed_by.as_ref().filter(|_| detection);
    let evidences: Vec<Value> = finding
        .evidence_value()
        .map(|evidence| json!({"data": evidence}))
        .into_iter()
        .chain(actor.into_iter().flat_map(actors))
        .collect();
    if !evidences.is_empty() {
        event["evidences"] = evidences.into();
    }
    event
}

/// Who did what a detection saw.
fn actors(actor: &Actor) -> impl Iterator<Item = Value> {
    actor.principals.iter().map(
        |principal| json!({"actor": {"user": {"uid": principal, "name": short_arn(principal)}}}),
    )
}

/// Something that people attest and that is over, or that nobody attested for everything.
fn attestation(content: &Content, evaluation: &Evaluation, outcome: &Outcome<'_>) -> Value {
    let step = RULES[usize::from(outcome.rule) - 1];
    let (status_id, status) = match outcome.status {
        "fail" => (3, "Fail"),
        _ => (0, "Unknown"),
    };
    let why = outcome.why.as_deref().unwrap_or_default();
    let cloud = match content.accounts.as_slice() {
        [account] => {
            json!({"provider": "AWS", "account": {"uid": account, "type": "AWS Account", "type_id": 10}})
        }
        _ => json!({"provider": "AWS"}),
    };
    json!({
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "activity_id": 2,
        "activity_name": "Update",
        "type_uid": 200_302,
        "type_name": "Compliance Finding: Update",
        "time": content.as_of.as_millisecond(),
        "severity_id": 0,
        "severity": "Unknown",
        "status_id": 1,
        "status": "New",
        "message": why,
        "metadata": metadata(content, evaluation),
        "cloud": cloud,
        "finding_info": {
            "uid": format!("attestation/{}/{}", content.accounts.join("+"), outcome.what),
            "title": outcome.says,
            "desc": why,
            "types": [format!("Rule {}: {}", step.number, step.name)],
            "analytic": {"uid": outcome.what, "name": "attested by people", "type_id": 99, "type": "Other"},
        },
        "compliance": {
            "control": outcome.what,
            "desc": outcome.says,
            "status_id": status_id,
            "status": status,
            "status_details": [why],
        },
        "unmapped": {"rule": outcome.rule, "status": outcome.status, "attestations": outcome.attestations},
    })
}

fn metadata(content: &Content, evaluation: &Evaluation) -> Value {
    json!({
        "version": VERSION,
        "profiles": ["cloud"],
        "product": {"name": "Sevenwalls", "vendor_name": "Sevenwalls", "version": evaluation.version},
        "correlation_uid": content.run,
    })
}

fn said(finding: &Finding) -> &str {
    match finding.reason.is_empty() {
        true => &finding.title,
        false => &finding.reason,
    }
}

fn severity(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Critical => (5, "Critical"),
        Severity::High => (4, "High"),
        Severity::Medium => (3, "Medium"),
        Severity::Low => (2, "Low"),
        Severity::Info => (1, "Informational"),
    }
}

fn finding_info(content: &Content, finding: &Finding) -> Value {
    let step = RULES[usize::from(finding.rule) - 1];
    let first_seen = finding.first_seen.unwrap_or(content.as_of);
    json!({
        "uid": finding.fingerprint,
        "title": finding.title,
        "desc": said(finding),
        "types": [format!("Rule {}: {}", step.number, step.name)],
        "analytic": {"uid": finding.check_id, "name": finding.title, "type_id": 1, "type": "Rule"},
        "first_seen_time": first_seen.as_millisecond(),
        "last_seen_time": content.as_of.as_millisecond(),
    })
}

/// An accepted failure is a failure still; its event is suppressed.
fn compliance(finding: &Finding, check: Option<&Check>) -> Value {
    let (status_id, status) = match finding.status {
        Status::Pass => (1, "Pass"),
        Status::Fail | Status::Waived => (3, "Fail"),
        Status::Unknown => (0, "Unknown"),
    };
    let frameworks = check.map(|check| &check.frameworks);
    let standards: Vec<&String> = frameworks
        .into_iter()
        .flat_map(|frameworks| frameworks.keys())
        .collect();
    let requirements: Vec<String> = frameworks
        .into_iter()
        .flatten()
        .map(|(framework, controls)| format!("{framework} {controls}"))
        .collect();
    json!({
        "control": finding.check_id,
        "desc": finding.title,
        "standards": standards,
        "requirements": requirements,
        "status_id": status_id,
        "status": status,
        "status_details": [said(finding)],
    })
}

/// The resource, with what its tags say of it.
fn resource(finding: &Finding) -> Value {
    let mut resource = Map::new();
    resource.insert("uid".to_owned(), finding.resource_arn.as_str().into());
    resource.insert("name".to_owned(), finding.resource_label().into());
    resource.insert("region".to_owned(), finding.region.as_str().into());
    if let Some(resource_type) = &finding.resource_type {
        resource.insert("type".to_owned(), resource_type.as_str().into());
    }
    if let Some(owner) = &finding.owner {
        resource.insert("owner".to_owned(), json!({"name": owner}));
    }
    if let Some(importance) = &finding.importance {
        resource.insert("criticality".to_owned(), importance.as_str().into());
    }
    let labels: Vec<String> = [
        ("environment", &finding.environment),
        ("system", &finding.system),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(format!("{name}:{}", value.as_deref()?)))
    .collect();
    if !labels.is_empty() {
        resource.insert("labels".to_owned(), labels.into());
    }
    resource.into()
}

/// What OCSF has no attribute for.
fn unmapped(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule,
        "status": finding.status,
        "risk": finding.risk,
        "exposed": finding.exposed,
        "change": finding.change,
        "changed_by": finding.changed_by,
        "discriminator": finding.discriminator,
        "remediation_command": finding.remediation_command,
        "waiver": finding.waiver,
    })
}
