//! JSON bodies by the model's shapes, both ways.
//!
//! In answers, members the model does not know are left out and nulls are absent, as in boto3.

use serde_json::{Map, Value};

use super::{BadParameter, Malformed, query, scalar, time};
use crate::aws::model::{Location, Member, ServiceModel, Shape, Structure, Type};

/// What happens to numbers and flags of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalars {
    /// `json`: they stay as the service sent them.
    AsSent,
    /// `rest-json`: they are brought to the type of the model.
    Converted,
}

/// Reads a body; an empty one is an empty object.
pub fn body(bytes: &[u8]) -> Result<Value, Malformed> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(bytes).map_err(|problem| Malformed::new(format!("JSON: {problem}")))
}

/// Brings a value that should be a structure into the model's form.
pub fn structure(
    model: &ServiceModel,
    shape: &Structure,
    sent: Value,
    scalars: Scalars,
) -> Result<Value, Malformed> {
    let Value::Object(mut sent) = sent else {
        return Err(Malformed::expected("an object", &sent.to_string()));
    };
    if shape.union
        && let Some(unknown) = unknown_union_member(shape, &sent)?
    {
        return Ok(unknown);
    }
    let mut parsed = Map::new();
    for (name, member) in &shape.members {
        if member.location == Some(Location::Header) {
            continue;
        }
        let wire_name = member.name.as_deref().unwrap_or(name);
        match sent.remove(wire_name) {
            None | Some(Value::Null) => {}
            Some(sent) => {
                let value =
                    value(model, member, sent, scalars).map_err(|problem| problem.inside(name))?;
                parsed.insert(name.clone(), value);
            }
        }
    }
    Ok(Value::Object(parsed))
}

/// A union has exactly one member; one that is newer than the model is named and not read.
fn unknown_union_member(
    shape: &Structure,
    sent: &Map<String, Value>,
) -> Result<Option<Value>, Malformed> {
    let set: Vec<&String> = sent
        .iter()
        .filter(|(name, value)| *name != "__type" && !value.is_null())
        .map(|(name, _)| name)
        .collect();
    let [tag] = set[..] else {
        return Err(Malformed::new(format!("union with {} members", set.len())));
    };
    let known = shape
        .members
        .iter()
        .any(|(name, member)| member.name.as_ref().unwrap_or(name) == tag);
    Ok((!known).then(|| serde_json::json!({"SDK_UNKNOWN_MEMBER": {"name": tag}})))
}

fn value(
    model: &ServiceModel,
    member: &Member,
    sent: Value,
    scalars: Scalars,
) -> Result<Value, Malformed> {
    if sent.is_null() {
        return Ok(Value::Null);
    }
    match model.shape_of(member) {
        Some(Shape::Structure(shape)) => structure(model, shape, sent, scalars),
        Some(Shape::List { member: inner }) => match sent {
            Value::Array(values) => {
                let values = values.into_iter().enumerate().map(|(index, sent)| {
                    value(model, inner, sent, scalars)
                        .map_err(|problem| problem.inside(&format!("[{index}]")))
                });
                values.collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
            other => Err(Malformed::expected("a list", &other.to_string())),
        },
        Some(Shape::Map { value: inner, .. }) => match sent {
            Value::Object(values) => {
                let values = values.into_iter().map(|(key, sent)| {
                    let value = value(model, inner, sent, scalars)
                        .map_err(|problem| problem.inside(&key))?;
                    Ok((key, value))
                });
                values.collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
            other => Err(Malformed::expected("an object", &other.to_string())),
        },
        None => read_scalar(&member.target, sent, scalars),
    }
}

fn read_scalar(target: &Type, sent: Value, scalars: Scalars) -> Result<Value, Malformed> {
    match (target, &sent) {
        (Type::Timestamp, Value::Number(number)) => number
            .as_f64()
            .and_then(time::from_seconds)
            .map(Value::String)
            .ok_or_else(|| Malformed::expected("a timestamp", &number.to_string())),
        (Type::Timestamp | Type::Blob | Type::PolicyDocument, Value::String(text)) => {
            scalar::from_text(target, text)
        }
        (Type::Timestamp | Type::Blob, other) => {
            Err(Malformed::expected("text", &other.to_string()))
        }
        (Type::Integer | Type::Float | Type::Boolean, _) if scalars == Scalars::Converted => {
            convert(target, sent)
        }
        _ => Ok(sent),
    }
}

fn convert(target: &Type, sent: Value) -> Result<Value, Malformed> {
    Ok(match (target, &sent) {
        (Type::Boolean, Value::Bool(_)) => sent,
        (Type::Boolean, Value::String(text)) => Value::Bool(text.eq_ignore_ascii_case("true")),
        (Type::Boolean, _) => Value::Bool(false),
        (Type::Integer, Value::Number(number)) if number.is_f64() => {
            let whole = number.as_f64().map(f64::trunc);
            let text = whole.map(|whole| format!("{whole:.0}")).unwrap_or_default();
            scalar::integer(&text).ok_or_else(|| Malformed::expected("an integer", &text))?
        }
        (Type::Float, Value::Number(number)) => {
            number.as_f64().map_or(sent.clone(), scalar::float_value)
        }
        (Type::Integer, Value::Number(_)) => sent,
        (_, Value::String(text)) => scalar::from_text(target, text)?,
        (_, other) => return Err(Malformed::expected("a number", &other.to_string())),
    })
}

/// Writes parameters as the body of a request.
pub fn write(
    model: &ServiceModel,
    shape: &Structure,
    params: &Map<String, Value>,
) -> Result<Map<String, Value>, BadParameter> {
    let mut body = Map::new();
    for (name, value) in params.iter().filter(|(_, value)| !value.is_null()) {
        let member = shape
            .member(name)
            .ok_or_else(|| BadParameter::Unknown(name.clone()))?;
        if member.location.is_none() {
            let wire_name = member.name.as_ref().unwrap_or(name);
            body.insert(wire_name.clone(), write_value(model, name, member, value)?);
        }
    }
    Ok(body)
}

fn write_value(
    model: &ServiceModel,
    name: &str,
    member: &Member,
    value: &Value,
) -> Result<Value, BadParameter> {
    let wrong = |expected| BadParameter::Type {
        name: name.to_owned(),
        expected,
    };
    match model.shape_of(member) {
        Some(Shape::Structure(shape)) => {
            let values = value.as_object().ok_or_else(|| wrong("an object"))?;
            write(model, shape, values).map(Value::Object)
        }
        Some(Shape::List { member: inner }) => {
            let values = value.as_array().ok_or_else(|| wrong("a list"))?;
            let values = values
                .iter()
                .map(|value| write_value(model, name, inner, value));
            values.collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        Some(Shape::Map { value: inner, .. }) => {
            let values = value.as_object().ok_or_else(|| wrong("an object"))?;
            let values = values
                .iter()
                .map(|(key, value)| Ok((key.clone(), write_value(model, name, inner, value)?)));
            values.collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }
        None if member.target == Type::Document => Ok(value.clone()),
        None => {
            let text = query::text_of(member, value, "unixTimestamp")
                .ok_or_else(|| wrong(query::type_in_words(&member.target)))?;
            let is_number = match member.target {
                Type::Integer | Type::Float => true,
                Type::Timestamp => member.timestamp_format.is_none(),
                _ => false,
            };
            Ok(match (&member.target, value) {
                (Type::Boolean, _) | (_, Value::Number(_)) if member.target != Type::String => {
                    value.clone()
                }
                _ if is_number => serde_json::from_str(&text).map_err(|_| wrong("a number"))?,
                _ => Value::String(text),
            })
        }
    }
}
