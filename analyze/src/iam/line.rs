//! One line of `simulate`'s input.
//!
//! Invariant: a member that changes the decision is never passed over; what can't be read is an error.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::{Context, ContextValue};
use super::evaluate::{Decision, Layer, PolicySet, evaluate};
use super::organization::OrganizationLevel;
use super::policy::{Policy, PolicyError, PolicyKind};
use super::request::{Action, Principal, Request, RequestError, Resource};

/// Why a line can't be judged.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
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

/// A request and its policies.
pub(super) struct Line {
    action: Action,
    resource: Resource,
    principal: Principal,
    context: Context,
    policies: PolicySet,
}

const REQUEST: [&str; 5] = [
    "action",
    "resource",
    "resourceAccountId",
    "principal",
    "context",
];

impl Line {
    pub(super) fn read(line: &Value) -> Result<Self, LineError> {
        let line = object("line", line)?;
        policy_members(line)?;
        let policies = policy_set(line)?;
        let request = object("request", member("line", line, "request")?)?;
        only("request", request, &REQUEST)?;
        let required = |name: &str| {
            string(
                &format!("request: {name}"),
                member("request", request, name)?,
            )
        };
        let account = match present(request, "resourceAccountId") {
            Some(account) => Some(string("request: resourceAccountId", account)?),
            None => None,
        };
        Ok(Self {
            action: Action::parse(required("action")?)?,
            resource: Resource::new(required("resource")?, account)?,
            principal: Principal::parse(required("principal")?)?,
            context: context(request)?,
            policies,
        })
    }

    pub(super) fn judge(&self) -> Decision<'_> {
        let request = Request {
            action: &self.action,
            resource: &self.resource,
            principal: &self.principal,
            context: &self.context,
        };
        evaluate(&request, &self.policies)
    }
}

/// Notes may stand beside the members that count, but a misspelt policy must not be passed over.
fn policy_members(line: &Map<String, Value>) -> Result<(), LineError> {
    let members = Layer::ALL.map(Layer::member);
    let misspelt = line.keys().find(|name| {
        let lower = name.to_ascii_lowercase();
        let tells = lower.contains("polic") || lower.contains("boundar");
        tells && !members.contains(&name.as_str())
    });
    match misspelt {
        Some(name) => Err(unknown("line", name, &members)),
        None => Ok(()),
    }
}

fn policy_set(line: &Map<String, Value>) -> Result<PolicySet, LineError> {
    let document = |layer: Layer, kind| match present(line, layer.member()) {
        Some(document) => policy(layer.member(), layer.member(), kind, document).map(Some),
        None => Ok(None),
    };
    let list = |layer: Layer, kind| match present(line, layer.member()) {
        Some(list) => policies(layer.member(), kind, list).map(Some),
        None => Ok(None),
    };
    let levels = |layer: Layer, kind| match present(line, layer.member()) {
        Some(levels) => array(layer.member(), levels)?
            .iter()
            .map(|level| organization_level(layer.member(), kind, level))
            .collect(),
        None => Ok(Vec::new()),
    };
    Ok(PolicySet {
        identity: list(Layer::Identity, PolicyKind::Principal)?.unwrap_or_default(),
        boundaries: list(Layer::Boundary, PolicyKind::Principal)?,
        session: document(Layer::Session, PolicyKind::Principal)?,
        resource: document(Layer::Resource, PolicyKind::Resource)?,
        endpoints: list(Layer::Endpoint, PolicyKind::Resource)?.unwrap_or_default(),
        service_control: levels(Layer::ServiceControl, PolicyKind::Principal)?.into(),
        resource_control: levels(Layer::ResourceControl, PolicyKind::ResourceControl)?.into(),
    })
}

fn organization_level(
    place: &'static str,
    kind: PolicyKind,
    level: &Value,
) -> Result<OrganizationLevel, LineError> {
    let level = object(place, level)?;
    only(place, level, &["orgIdentifier", "policies"])?;
    let org_identifier = string(place, member(place, level, "orgIdentifier")?)?.to_owned();
    let place = format!("{place} of {org_identifier}");
    let list = member(&place, level, "policies")?;
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
        let document = member(&place, named, "policy")?;
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

/// A member that is null counts as left out.
fn present<'a>(object: &'a Map<String, Value>, member: &str) -> Option<&'a Value> {
    object.get(member).filter(|value| !value.is_null())
}

fn member<'a>(
    place: &str,
    object: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a Value, LineError> {
    object
        .get(name)
        .ok_or_else(|| LineError::Missing(format!("{place}: {name}")))
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
