//! The REST protocols: parameters in path, query string and headers; `rest-json` and `rest-xml` bodies.

use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value};

use super::query::{ENCODED, text_of, type_in_words};
use super::{
    BadParameter, Failure, Malformed, Request, Response, error, json_shape, scalar, xml, xml_shape,
};
use crate::aws::model::{
    Location, Member, Operation, Protocol, ServiceModel, Shape, Structure, Type,
};

/// Builds a request.
pub fn serialize(
    model: &ServiceModel,
    operation: &Operation,
    input: Option<&Structure>,
    params: &Map<String, Value>,
) -> Result<Request, BadParameter> {
    let mut path = operation.uri.clone();
    let mut query = Vec::new();
    let mut headers = Vec::new();
    let members = input.into_iter().flat_map(|input| &input.members);
    for (name, member) in members {
        let Some(value) = params.get(name).filter(|value| !value.is_null()) else {
            continue;
        };
        let wire_name = member.name.as_deref().unwrap_or(name);
        match member.location {
            Some(Location::Uri) => {
                path = fill(
                    &path,
                    wire_name,
                    &text(model, name, member, value)?.concat(),
                )
            }
            Some(Location::Querystring) => {
                let values = text(model, name, member, value)?;
                query.extend(values.into_iter().map(|text| (wire_name.to_owned(), text)));
            }
            Some(Location::Header) => {
                let values = text(model, name, member, value)?;
                headers.push((wire_name.to_ascii_lowercase(), values.join(",")));
            }
            None => {}
        }
    }
    for (name, text) in query {
        path.push(if path.contains('?') { '&' } else { '?' });
        let encode = |text| utf8_percent_encode(text, ENCODED).to_string();
        path.push_str(&format!("{}={}", encode(&name), encode(&text)));
    }
    let body = body(model, input, params)?;
    if !body.is_empty() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    if model.service == "apigateway" {
        // Without it API Gateway answers in HAL, which has other member names.
        headers.push(("accept".to_owned(), "application/json".to_owned()));
    }
    Ok(Request {
        path_and_query: path,
        headers,
        body,
        ..Request::default()
    })
}

/// Members without a place elsewhere make the body. Only `rest-json` operations have any: the script that derives
/// the models refuses others.
fn body(
    model: &ServiceModel,
    input: Option<&Structure>,
    params: &Map<String, Value>,
) -> Result<Vec<u8>, BadParameter> {
    let in_body = |input: &&Structure| {
        input
            .members
            .iter()
            .any(|(_, member)| member.location.is_none())
    };
    match input.filter(in_body) {
        Some(input) if model.protocol == Protocol::RestJson => {
            let body = json_shape::write(model, input, params)?;
            Ok(Value::Object(body).to_string().into_bytes())
        }
        _ => Ok(Vec::new()),
    }
}

/// Puts an encoded value into `{name}` or `{name+}`; the latter keeps slashes.
fn fill(path: &str, name: &str, text: &str) -> String {
    let encoded = utf8_percent_encode(text, ENCODED).to_string();
    let greedy = encoded.replace("%2F", "/");
    path.replace(&format!("{{{name}}}"), &encoded)
        .replace(&format!("{{{name}+}}"), &greedy)
}

/// A parameter as text, each element of a list apart.
fn text(
    model: &ServiceModel,
    name: &str,
    member: &Member,
    value: &Value,
) -> Result<Vec<String>, BadParameter> {
    let default_format = match member.location {
        Some(Location::Header) => "rfc822",
        _ => "iso8601",
    };
    let one = |member: &Member, value: &Value| {
        let text = text_of(member, value, default_format).ok_or_else(|| BadParameter::Type {
            name: name.to_owned(),
            expected: type_in_words(&member.target),
        })?;
        Ok(match text.rsplit_once('/') {
            Some((_, last)) if member.last_segment => last.to_owned(),
            _ => text,
        })
    };
    match (model.shape_of(member), value) {
        (Some(Shape::List { member: inner }), Value::Array(values)) => {
            values.iter().map(|value| one(inner, value)).collect()
        }
        (None, _) => Ok(vec![one(member, value)?]),
        _ => Err(BadParameter::Type {
            name: name.to_owned(),
            expected: "a list",
        }),
    }
}

/// Reads a `rest-json` response.
pub fn parse_json(
    model: &ServiceModel,
    output: Option<&Structure>,
    response: &Response,
) -> Result<Value, Malformed> {
    let Some(output) = output else {
        return Ok(Value::Object(Map::new()));
    };
    let mut parsed = headers(output, response)?;
    let read = |shape, bytes| {
        json_shape::structure(
            model,
            shape,
            json_shape::body(bytes)?,
            json_shape::Scalars::Converted,
        )
    };
    match payload(model, output) {
        Payload::Structure(name, shape) => {
            parsed.insert(name.to_owned(), read(shape, response.body)?);
        }
        Payload::Text(name) => {
            parsed.insert(name.to_owned(), Value::String(body_text(response)?));
        }
        Payload::Whole => {
            if let Value::Object(members) = read(output, response.body)? {
                parsed.extend(members);
            }
        }
    }
    Ok(Value::Object(parsed))
}

/// Reads a `rest-xml` response.
pub fn parse_xml(
    model: &ServiceModel,
    name: &str,
    output: Option<&Structure>,
    response: &Response,
) -> Result<Value, Failure> {
    let Some(output) = output else {
        return Ok(Value::Object(Map::new()));
    };
    let mut parsed = headers(output, response)?;
    let payload = payload(model, output);
    if let Payload::Text(name) = payload {
        parsed.insert(name.to_owned(), Value::String(body_text(response)?));
        return Ok(Value::Object(parsed));
    }
    let root = match response.body {
        [] => xml::Element::default(),
        body => xml::parse(body)?,
    };
    match root.name.as_str() {
        // S3 may notice a failure after it has sent the status 200.
        "Error" => return Err(Failure::Service(error::from_xml(&root, response))),
        "html" => return Err(Malformed::new("expected XML of the service, got a web page").into()),
        _ => {}
    }
    match payload {
        Payload::Structure(name, shape) => {
            let value = xml_shape::structure(model, shape, &root)
                .map_err(|problem| problem.inside(name))?;
            parsed.insert(name.to_owned(), Value::Object(value));
        }
        // The answer's root element holds the region as text, which the model cannot say; none is us-east-1.
        Payload::Whole if model.service == "s3" && name == "GetBucketLocation" => {
            let region = Some(root.text).filter(|text| !text.is_empty());
            parsed.insert(
                "LocationConstraint".to_owned(),
                region.map_or(Value::Null, Value::String),
            );
        }
        Payload::Whole => parsed.extend(xml_shape::structure(model, output, &root)?),
        Payload::Text(_) => {}
    }
    Ok(Value::Object(parsed))
}

enum Payload<'a> {
    /// The body holds the members.
    Whole,
    /// The body is one member, a structure.
    Structure(&'a str, &'a Structure),
    /// The body is one member, as it is.
    Text(&'a str),
}

fn payload<'a>(model: &'a ServiceModel, output: &'a Structure) -> Payload<'a> {
    let member = output
        .payload
        .as_deref()
        .and_then(|name| Some((name, output.member(name)?)));
    match member {
        None => Payload::Whole,
        Some((name, member)) => match model.shape_of(member) {
            Some(Shape::Structure(shape)) => Payload::Structure(name, shape),
            _ => Payload::Text(name),
        },
    }
}

fn body_text(response: &Response) -> Result<String, Malformed> {
    let text = std::str::from_utf8(response.body);
    text.map(str::to_owned).map_err(|problem| {
        Malformed::new(format!("not UTF-8 after byte {}", problem.valid_up_to()))
    })
}

/// The members that come in headers, in the model's order and before those of the body.
fn headers(output: &Structure, response: &Response) -> Result<Map<String, Value>, Malformed> {
    let mut parsed = Map::new();
    for (name, member) in &output.members {
        if member.location != Some(Location::Header) {
            continue;
        }
        if let Some(text) = response.header(member.name.as_deref().unwrap_or(name)) {
            let value = match member.target {
                Type::Boolean => Value::Bool(text.eq_ignore_ascii_case("true")),
                _ => scalar::from_text(&member.target, text)
                    .map_err(|problem| problem.inside(name))?,
            };
            parsed.insert(name.clone(), value);
        }
    }
    Ok(parsed)
}
