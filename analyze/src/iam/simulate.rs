//! `analyze simulate`: requests with their policies as JSON lines in, decisions as JSON lines out, in the same order.
//!
//! Invariant: every line gets its answer. A line that can't be judged gets an error with its id, and the rest goes on.

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::context::{Context, ContextValue};
use super::evaluate::{Decision, Layer, PolicySet, Verdict, evaluate};
use super::organization::OrganizationLevel;
use super::policy::{Policy, PolicyError, PolicyKind};
use super::request::{Action, Principal, Request, RequestError, Resource};
use super::statement::Effect;
use super::strict_json;

/// How many lines were answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SimulateOutcome {
    /// Lines with a decision.
    pub decided: u64,
    /// Lines with an error: not all was judged.
    pub failed: u64,
}

/// Why the stream broke off.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    #[error("line {line}: can't be read: {source}")]
    Read { line: u64, source: io::Error },
    #[error("decisions can't be written: {0}")]
    Write(io::Error),
}

/// Why a line can't be judged.
#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error("not a line of JSON: {0}")]
    Json(serde_json::Error),
    #[error("not UTF-8")]
    Utf8,
    #[error("{place}: expected {expected}")]
    Expected {
        place: String,
        expected: &'static str,
    },
    #[error("{0} is missing")]
    Missing(String),
    #[error("{place}: unknown member {member:?}, expected one of {expected}")]
    Unknown {
        place: &'static str,
        member: String,
        expected: String,
    },
    #[error("{place}: context key {key:?} is given twice")]
    KeyTwice { place: &'static str, key: String },
    #[error("request: {0}")]
    Request(#[from] RequestError),
    #[error("{place}: {source}")]
    Policy { place: String, source: PolicyError },
}

/// Reads requests from `input` and writes decisions to `output`; empty lines are passed over.
///
/// # Errors
/// Fails if reading or writing does. What is wrong with a line is said in its answer.
pub fn simulate(
    mut input: impl BufRead,
    mut output: impl Write,
) -> Result<SimulateOutcome, SimulateError> {
    let mut outcome = SimulateOutcome::default();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = input
            .read_until(b'\n', &mut bytes)
            .map_err(|source| SimulateError::Read { line, source })?;
        if read == 0 {
            break;
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let answer = match answer(&bytes) {
            Ok(answer) => {
                outcome.decided += 1;
                answer
            }
            Err((id, error)) => {
                outcome.failed += 1;
                let mut answer = json!({ "id": id, "error": error.to_string() });
                if id_is_absent(&answer) {
                    answer["line"] = line.into();
                }
                answer
            }
        };
        writeln!(output, "{answer}").map_err(SimulateError::Write)?;
    }
    output.flush().map_err(SimulateError::Write)?;
    Ok(outcome)
}

fn id_is_absent(answer: &Value) -> bool {
    answer["id"].is_null()
}

fn answer(bytes: &[u8]) -> Result<Value, (Value, LineError)> {
    let text = std::str::from_utf8(bytes).map_err(|_| (Value::Null, LineError::Utf8))?;
    let line = strict_json::parse(text).map_err(|error| (Value::Null, LineError::Json(error)))?;
    let id = line.get("id").cloned().unwrap_or_default();
    match judge(&id, &line) {
        Ok(answer) => Ok(answer),
        Err(error) => Err((id, error)),
    }
}

fn judge(id: &Value, line: &Value) -> Result<Value, LineError> {
    let line = object("line", line)?;
    policy_members(line)?;
    let policies = policy_set(line)?;
    let request = object(
        "request",
        line.get("request")
            .ok_or_else(|| LineError::Missing("request".to_owned()))?,
    )?;
    only(
        "request",
        request,
        &[
            "action",
            "resource",
            "resourceAccountId",
            "principal",
            "context",
        ],
    )?;
    let required = |member: &str| match request.get(member) {
        Some(value) => string(&format!("request: {member}"), value),
        None => Err(LineError::Missing(format!("request: {member}"))),
    };
    let account = match present(request, "resourceAccountId") {
        Some(account) => Some(string("request: resourceAccountId", account)?),
        None => None,
    };
    let action = Action::parse(required("action")?)?;
    let resource = Resource::new(required("resource")?, account)?;
    let principal = Principal::parse(required("principal")?)?;
    let context = context(request)?;
    let request = Request {
        action: &action,
        resource: &resource,
        principal: &principal,
        context: &context,
    };
    Ok(decision(id, &evaluate(&request, &policies)))
}

const POLICIES: [&str; 7] = [
    "identityPolicies",
    "permissionBoundaries",
    "sessionPolicy",
    "resourcePolicy",
    "endpointPolicies",
    "serviceControlPolicies",
    "resourceControlPolicies",
];

/// Notes may stand beside the members that count, but a misspelt policy must not be passed over.
fn policy_members(line: &Map<String, Value>) -> Result<(), LineError> {
    let misspelt = line.keys().find(|member| {
        let lower = member.to_ascii_lowercase();
        !POLICIES.contains(&member.as_str())
            && ["polic", "boundar", "request"]
                .iter()
                .any(|part| lower.contains(part))
            && *member != "request"
    });
    match misspelt {
        Some(member) => Err(unknown("line", member, &POLICIES)),
        None => Ok(()),
    }
}

fn policy_set(line: &Map<String, Value>) -> Result<PolicySet, LineError> {
    let document = |member: &str, kind| match present(line, member) {
        Some(document) => policy(member, member, kind, document).map(Some),
        None => Ok(None),
    };
    let list = |member: &str, kind| match present(line, member) {
        Some(list) => policies(member, kind, list).map(Some),
        None => Ok(None),
    };
    let levels = |member: &'static str, kind| match present(line, member) {
        Some(levels) => array(member, levels)?
            .iter()
            .map(|level| organization_level(member, kind, level))
            .collect(),
        None => Ok(Vec::new()),
    };
    Ok(PolicySet {
        identity: list("identityPolicies", PolicyKind::Principal)?.unwrap_or_default(),
        boundaries: list("permissionBoundaries", PolicyKind::Principal)?,
        session: document("sessionPolicy", PolicyKind::Principal)?,
        resource: document("resourcePolicy", PolicyKind::Resource)?,
        endpoints: list("endpointPolicies", PolicyKind::Resource)?.unwrap_or_default(),
        service_control: levels("serviceControlPolicies", PolicyKind::Principal)?,
        resource_control: levels("resourceControlPolicies", PolicyKind::ResourceControl)?,
    })
}

fn organization_level(
    member: &'static str,
    kind: PolicyKind,
    level: &Value,
) -> Result<OrganizationLevel, LineError> {
    let level = object(member, level)?;
    only(member, level, &["orgIdentifier", "policies"])?;
    let org_identifier = level
        .get("orgIdentifier")
        .ok_or_else(|| LineError::Missing(format!("{member}: orgIdentifier")))?;
    let org_identifier = string(member, org_identifier)?.to_owned();
    let place = format!("{member} of {org_identifier}");
    let list = level
        .get("policies")
        .ok_or_else(|| LineError::Missing(format!("{place}: policies")))?;
    Ok(OrganizationLevel {
        policies: policies(&place, kind, list)?,
        org_identifier,
    })
}

fn policies(place: &str, kind: PolicyKind, list: &Value) -> Result<Vec<Arc<Policy>>, LineError> {
    let read = |(index, named): (usize, &Value)| {
        let named = object(place, named)?;
        only("policy", named, &["name", "policy"])?;
        let name = match named.get("name") {
            Some(name) => string(place, name)?.to_owned(),
            None => format!("#{index}"),
        };
        let place = format!("{place} {name}");
        let document = named
            .get("policy")
            .ok_or_else(|| LineError::Missing(format!("{place}: policy")))?;
        policy(&place, &name, kind, document)
    };
    array(place, list)?.iter().enumerate().map(read).collect()
}

fn policy(
    place: &str,
    name: &str,
    kind: PolicyKind,
    document: &Value,
) -> Result<Arc<Policy>, LineError> {
    match Policy::from_value(name, kind, document) {
        Ok(policy) => Ok(Arc::new(policy)),
        Err(source) => Err(LineError::Policy {
            place: place.to_owned(),
            source,
        }),
    }
}

fn context(request: &Map<String, Value>) -> Result<Context, LineError> {
    let mut context = Context::closed();
    let Some(keys) = present(request, "context") else {
        return Ok(context);
    };
    for (key, value) in object("request: context", keys)? {
        let place = format!("request: context key {key:?}");
        let values = match value {
            Value::Array(list) => list
                .iter()
                .map(|one| scalar(&place, one))
                .collect::<Result<_, _>>()?,
            one => vec![scalar(&place, one)?],
        };
        if context.is_set(key) {
            return Err(LineError::KeyTwice {
                place: "request",
                key: key.clone(),
            });
        }
        context.set(key, ContextValue::Known(values));
    }
    Ok(context)
}

fn decision(id: &Value, decision: &Decision<'_>) -> Value {
    let mut decided_by: Vec<Value> = Vec::new();
    for deciding in &decision.statements {
        let mut entry = entry(deciding.layer, deciding.org_identifier);
        entry["policy"] = deciding.policy.into();
        entry["statement"] = deciding.index.into();
        if let Some(sid) = deciding.statement.sid() {
            entry["sid"] = sid.into();
        }
        entry["effect"] = match deciding.statement.effect() {
            Effect::Allow => "Allow".into(),
            Effect::Deny => "Deny".into(),
        };
        decided_by.push(entry);
    }
    for missing in &decision.missing {
        let mut entry = entry(missing.layer, missing.org_identifier);
        entry["missing"] = "Allow".into();
        decided_by.push(entry);
    }
    let verdict = match decision.verdict {
        Verdict::Allowed => "Allowed",
        Verdict::ImplicitlyDenied => "ImplicitlyDenied",
        Verdict::ExplicitlyDenied => "ExplicitlyDenied",
        Verdict::Unknown => "Unknown",
    };
    json!({ "id": id, "decision": verdict, "decidedBy": decided_by })
}

fn entry(layer: Layer, org_identifier: Option<&str>) -> Value {
    let [
        identity,
        boundary,
        session,
        resource,
        endpoint,
        service_control,
        resource_control,
    ] = POLICIES;
    let policy_type = match layer {
        Layer::Identity => identity,
        Layer::Boundary => boundary,
        Layer::Session => session,
        Layer::Resource => resource,
        Layer::Endpoint => endpoint,
        Layer::ServiceControl => service_control,
        Layer::ResourceControl => resource_control,
    };
    let mut entry = json!({ "policyType": policy_type });
    if let Some(org_identifier) = org_identifier {
        entry["orgIdentifier"] = org_identifier.into();
    }
    entry
}

/// A member that is null counts as left out.
fn present<'a>(object: &'a Map<String, Value>, member: &str) -> Option<&'a Value> {
    object.get(member).filter(|value| !value.is_null())
}

fn only(
    place: &'static str,
    object: &Map<String, Value>,
    members: &[&str],
) -> Result<(), LineError> {
    match object
        .keys()
        .find(|member| !members.contains(&member.as_str()))
    {
        Some(member) => Err(unknown(place, member, members)),
        None => Ok(()),
    }
}

fn unknown(place: &'static str, member: &str, expected: &[&str]) -> LineError {
    LineError::Unknown {
        place,
        member: member.to_owned(),
        expected: expected.join(", "),
    }
}

fn expected(place: &str, expected: &'static str) -> LineError {
    LineError::Expected {
        place: place.to_owned(),
        expected,
    }
}

fn object<'a>(place: &str, value: &'a Value) -> Result<&'a Map<String, Value>, LineError> {
    value
        .as_object()
        .ok_or_else(|| expected(place, "an object"))
}

fn array<'a>(place: &str, value: &'a Value) -> Result<&'a Vec<Value>, LineError> {
    value.as_array().ok_or_else(|| expected(place, "a list"))
}

fn string<'a>(place: &str, value: &'a Value) -> Result<&'a str, LineError> {
    value.as_str().ok_or_else(|| expected(place, "a string"))
}

fn scalar(place: &str, value: &Value) -> Result<String, LineError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(expected(place, "a string or a list of strings"))
        }
    }
}
