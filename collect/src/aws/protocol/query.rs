//! The `query` protocol: a form in, XML out, the result inside a wrapper named after the operation.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::{BadParameter, Malformed, Request, Response, scalar, time, xml, xml_shape};
use crate::aws::model::{Member, Operation, ServiceModel, Shape, Structure, Type};

/// Everything but the characters that RFC 3986 leaves alone.
pub const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Names of list elements and members in a form: `query` and `ec2` differ in nothing else.
pub struct FormRules {
    /// Name of a member of a structure.
    pub member_name: fn(&str, &Member) -> String,
    /// Path of a list's elements, before their number, from the path of the list.
    pub list_path: fn(&str, &Member, &Member) -> String,
    /// Whether an empty list is written as an empty value.
    pub empty_lists: bool,
}

const QUERY: FormRules = FormRules {
    member_name: |name, member| member.name.clone().unwrap_or_else(|| name.to_owned()),
    list_path: |path, list, inner| match (&inner.name, list.flattened) {
        (Some(name), true) => match path.rsplit_once('.') {
            Some((parent, _)) => format!("{parent}.{name}"),
            None => name.clone(),
        },
        (None, true) => path.to_owned(),
        (name, false) => format!("{path}.{}", name.as_deref().unwrap_or("member")),
    },
    empty_lists: true,
};

/// Builds a request.
pub fn serialize(
    model: &ServiceModel,
    name: &str,
    input: Option<&Structure>,
    params: &Map<String, Value>,
) -> Result<Request, BadParameter> {
    form_request(model, name, input, params, &QUERY)
}

/// Builds a request whose body is a form.
pub fn form_request(
    model: &ServiceModel,
    name: &str,
    input: Option<&Structure>,
    params: &Map<String, Value>,
    rules: &FormRules,
) -> Result<Request, BadParameter> {
    let mut form = Form {
        model,
        rules,
        fields: vec![
            ("Action".to_owned(), name.to_owned()),
            ("Version".to_owned(), model.api_version.clone()),
        ],
    };
    if let Some(input) = input {
        form.structure("", input, params)?;
    }
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let fields: Vec<String> = form
        .fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    Ok(Request {
        path_and_query: "/".to_owned(),
        headers: vec![(
            "content-type".to_owned(),
            "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
        )],
        body: fields.join("&").into_bytes(),
        ..Request::default()
    })
}

struct Form<'a> {
    model: &'a ServiceModel,
    rules: &'a FormRules,
    fields: Vec<(String, String)>,
}

impl Form<'_> {
    fn structure(
        &mut self,
        prefix: &str,
        shape: &Structure,
        values: &Map<String, Value>,
    ) -> Result<(), BadParameter> {
        for (name, value) in values.iter().filter(|(_, value)| !value.is_null()) {
            let member = shape
                .member(name)
                .ok_or_else(|| BadParameter::Unknown(name.clone()))?;
            let wire_name = (self.rules.member_name)(name, member);
            let path = if prefix.is_empty() {
                wire_name
            } else {
                format!("{prefix}.{wire_name}")
            };
            self.value(&path, member, value)?;
        }
        Ok(())
    }

    fn value(&mut self, path: &str, member: &Member, value: &Value) -> Result<(), BadParameter> {
        let wrong = |expected| BadParameter::Type {
            name: path.to_owned(),
            expected,
        };
        match self.model.shape_of(member) {
            Some(Shape::Structure(shape)) => {
                let values = value.as_object().ok_or_else(|| wrong("an object"))?;
                self.structure(path, shape, values)
            }
            Some(Shape::List { member: inner }) => {
                let values = value.as_array().ok_or_else(|| wrong("a list"))?;
                if values.is_empty() && self.rules.empty_lists {
                    self.fields.push((path.to_owned(), String::new()));
                }
                let elements = (self.rules.list_path)(path, member, inner);
                for (index, value) in values.iter().enumerate() {
                    self.value(&format!("{elements}.{}", index + 1), inner, value)?;
                }
                Ok(())
            }
            Some(Shape::Map { key, value: inner }) => {
                let values = value.as_object().ok_or_else(|| wrong("an object"))?;
                let entries = if member.flattened {
                    path.to_owned()
                } else {
                    format!("{path}.entry")
                };
                for (index, (name, value)) in values.iter().enumerate() {
                    let part = |member: &Member, default: &str| {
                        format!(
                            "{entries}.{}.{}",
                            index + 1,
                            member.name.as_deref().unwrap_or(default)
                        )
                    };
                    self.fields.push((part(key, "key"), name.clone()));
                    self.value(&part(inner, "value"), inner, value)?;
                }
                Ok(())
            }
            None => {
                let text = text_of(member, value, "iso8601")
                    .ok_or_else(|| wrong(type_in_words(&member.target)))?;
                self.fields.push((path.to_owned(), text));
                Ok(())
            }
        }
    }
}

/// A scalar parameter as text; `None` when its JSON type does not fit.
pub fn text_of(member: &Member, value: &Value, timestamp_format: &str) -> Option<String> {
    match (&member.target, value) {
        (Type::Boolean, Value::Bool(flag)) => Some(flag.to_string()),
        (Type::Integer | Type::Float, Value::Number(number)) => Some(number.to_string()),
        (Type::Timestamp, _) => {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            time::to_wire(
                &text,
                member
                    .timestamp_format
                    .as_deref()
                    .unwrap_or(timestamp_format),
            )
        }
        (Type::Blob, Value::String(text)) => scalar::blob(text),
        // Numbers and flags pass for text, so that an id of digits need not be quoted in a table file.
        (Type::String, Value::String(text)) => Some(text.clone()),
        (Type::String, Value::Number(number)) => Some(number.to_string()),
        (Type::Integer | Type::Float, Value::String(text)) => {
            text.parse::<f64>().is_ok().then(|| text.clone())
        }
        _ => None,
    }
}

/// A scalar type as an error message names it.
pub fn type_in_words(target: &Type) -> &'static str {
    match target {
        Type::Boolean => "true or false",
        Type::Integer | Type::Float => "a number",
        Type::Timestamp => "a timestamp",
        Type::Blob => "base64",
        _ => "a string",
    }
}

/// Reads a response.
pub fn parse(
    model: &ServiceModel,
    operation: &Operation,
    output: Option<&Structure>,
    response: &Response,
) -> Result<Value, Malformed> {
    let root = xml::parse(response.body)?;
    let Some(output) = output else {
        return Ok(Value::Object(Map::new()));
    };
    let result = match &operation.result_wrapper {
        Some(wrapper) => root
            .child(wrapper)
            .ok_or_else(|| Malformed::new(format!("no <{wrapper}> in <{}>", root.name)))?,
        None => &root,
    };
    xml_shape::structure(model, output, result).map(Value::Object)
}
