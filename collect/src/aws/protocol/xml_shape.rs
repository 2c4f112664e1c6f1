//! From XML elements to JSON by the model's shapes, as boto3 reads them.
//!
//! A member whose element is absent is absent; an empty element is an empty string, list or structure. Elements
//! the model does not know are left out.

use serde_json::{Map, Value};

use super::xml::Element;
use super::{Malformed, scalar};
use crate::aws::model::{Member, ServiceModel, Shape, Structure, Type};

/// Reads a structure from its element.
pub fn structure(
    model: &ServiceModel,
    shape: &Structure,
    element: &Element,
) -> Result<Map<String, Value>, Malformed> {
    let mut parsed = Map::new();
    for (name, member) in &shape.members {
        if member.location.is_some() {
            continue;
        }
        let wire_name = element_name(model, name, member);
        let found: Vec<&Element> = element
            .children
            .iter()
            .filter(|child| child.name == wire_name)
            .collect();
        if !found.is_empty() {
            let value = value(model, member, &found).map_err(|problem| problem.inside(name))?;
            parsed.insert(name.clone(), value);
        } else if member.xml_attribute
            && let Some(text) = attribute(element, wire_name)
        {
            parsed.insert(name.clone(), Value::String(text.to_owned()));
        }
    }
    Ok(parsed)
}

/// The element a member is in. A flattened list has no element of its own: its name is that of its elements.
fn element_name<'a>(model: &'a ServiceModel, name: &'a str, member: &'a Member) -> &'a str {
    if member.flattened
        && let Some(Shape::List { member: inner }) = model.shape_of(member)
        && let Some(inner_name) = &inner.name
    {
        return inner_name;
    }
    member.name.as_deref().unwrap_or(name)
}

/// `xsi:type` in the model stands for any prefix bound to the same namespace.
fn attribute<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    let (qualified, local) = match name.split_once(':') {
        Some((_, local)) => (true, local),
        None => (false, name),
    };
    let found = element
        .attributes
        .iter()
        .find(|attribute| attribute.qualified == qualified && attribute.name == local);
    found.map(|attribute| attribute.value.as_str())
}

/// Reads a value from the elements of its name: one, or several for a flattened list or map.
fn value(model: &ServiceModel, member: &Member, found: &[&Element]) -> Result<Value, Malformed> {
    match model.shape_of(member) {
        Some(Shape::Structure(shape)) => {
            let first = found.first().ok_or_else(|| Malformed::new("no element"))?;
            structure(model, shape, first).map(Value::Object)
        }
        Some(Shape::List { member: inner }) => list(model, inner, member.flattened, found),
        Some(Shape::Map { key, value }) => map(model, key, value, member.flattened, found),
        None if matches!(member.target, Type::Shape(_)) => {
            Err(Malformed::new("the model lacks a shape"))
        }
        None => match found {
            [element] => scalar::from_text(&member.target, &element.text),
            _ => Err(Malformed::new(format!(
                "{} elements where one was expected",
                found.len()
            ))),
        },
    }
}

fn list(
    model: &ServiceModel,
    inner: &Member,
    flattened: bool,
    found: &[&Element],
) -> Result<Value, Malformed> {
    let elements: Vec<&Element> = match found {
        [wrapper] if !flattened => wrapper.children.iter().collect(),
        repeated => repeated.to_vec(),
    };
    let values = elements.iter().enumerate().map(|(index, element)| {
        value(model, inner, &[element]).map_err(|problem| problem.inside(&format!("[{index}]")))
    });
    values.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn map(
    model: &ServiceModel,
    key: &Member,
    inner: &Member,
    flattened: bool,
    found: &[&Element],
) -> Result<Value, Malformed> {
    let entries: Vec<&Element> = match found {
        [wrapper] if !flattened => wrapper.children.iter().collect(),
        repeated => repeated.to_vec(),
    };
    let key_name = key.name.as_deref().unwrap_or("key");
    let value_name = inner.name.as_deref().unwrap_or("value");
    let mut parsed = Map::new();
    for entry in entries {
        let part = |name: &str| {
            entry
                .child(name)
                .ok_or_else(|| Malformed::new(format!("map entry without <{name}>")))
        };
        let key = part(key_name)?.text.clone();
        let value =
            value(model, inner, &[part(value_name)?]).map_err(|problem| problem.inside(&key))?;
        parsed.insert(key, value);
    }
    Ok(Value::Object(parsed))
}
