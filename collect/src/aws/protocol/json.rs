//! The `json` protocol, versions 1.0 and 1.1: one URL, the operation in a header, JSON both ways.

use serde_json::{Map, Value};

use super::{BadParameter, Malformed, Request, Response, json_shape};
use crate::aws::model::{ServiceModel, Structure};

/// Builds a request.
pub fn serialize(
    model: &ServiceModel,
    name: &str,
    input: Option<&Structure>,
    params: &Map<String, Value>,
) -> Result<Request, BadParameter> {
    let target = model.target_prefix.as_deref().unwrap_or_default();
    let version = model.json_version.as_deref().unwrap_or("1.1");
    let mut headers = vec![
        ("x-amz-target".to_owned(), format!("{target}.{name}")),
        (
            "content-type".to_owned(),
            format!("application/x-amz-json-{version}"),
        ),
    ];
    if model.query_compatible {
        headers.push(("x-amzn-query-mode".to_owned(), "true".to_owned()));
    }
    let body = match input {
        Some(input) => json_shape::write(model, input, params)?,
        None => Map::new(),
    };
    Ok(Request {
        path_and_query: "/".to_owned(),
        headers,
        body: Value::Object(body).to_string().into_bytes(),
        ..Request::default()
    })
}

/// Reads a response.
pub fn parse(
    model: &ServiceModel,
    output: Option<&Structure>,
    response: &Response,
) -> Result<Value, Malformed> {
    match output {
        Some(output) => {
            let body = json_shape::body(response.body)?;
            json_shape::structure(model, output, body, json_shape::Scalars::AsSent)
        }
        None => Ok(Value::Object(Map::new())),
    }
}
