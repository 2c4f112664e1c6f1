//! The wire protocols: a request from parameters, and JSON from a response.
//!
//! The JSON is what boto3 returns for the same response, as the AWS CLI would print it: member names of the API,
//! timestamps in ISO 8601, blobs in base64, absent what the service left out. One deviation is deliberate: where
//! boto3 takes a body that is no JSON for an empty answer, we report it, because an empty answer means "there are
//! none".

mod ec2;
mod error;
mod json;
mod json_shape;
mod query;
mod rest;
mod scalar;
pub mod time;
mod xml;
mod xml_shape;

use serde_json::{Map, Value};

use super::model::{Operation, Protocol, ServiceModel};
pub use error::ServiceError;

/// A request before it has a host and a signature.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// HTTP method.
    pub method: String,
    /// Percent-encoded path and query string, starting with `/`.
    pub path_and_query: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body, possibly empty.
    pub body: Vec<u8>,
    /// Labels that go in front of the public endpoint's host, with their dot.
    pub host_prefix: Option<String>,
}

/// A whole response.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    /// HTTP status.
    pub status: u16,
    /// Headers by any case.
    pub headers: &'a [(String, String)],
    /// Body.
    pub body: &'a [u8],
}

impl Response<'_> {
    /// The first header of a name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A response that is not what the model says, with the place inside it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", .path.iter().rev().fold(String::new(), |path, part| path + part + ": "))]
pub struct Malformed {
    path: Vec<String>,
    reason: String,
}

impl Malformed {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            reason: reason.into(),
        }
    }

    fn expected(what: &str, got: &str) -> Self {
        let shown: String = got.chars().take(60).collect();
        Self::new(format!("expected {what}, got {shown:?}"))
    }

    fn inside(mut self, member: &str) -> Self {
        self.path.push(member.chars().take(60).collect());
        self
    }
}

/// Parameters that do not fit the operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadParameter {
    /// The operation takes no such parameter.
    #[error("unknown parameter `{0}`")]
    Unknown(String),
    /// The operation needs this parameter.
    #[error("missing parameter `{0}`")]
    Missing(String),
    /// The parameter's value is of another type.
    #[error("parameter `{name}`: expected {expected}")]
    Type {
        /// Name of the parameter.
        name: String,
        /// Type in words.
        expected: &'static str,
    },
}

/// What a response turned out to be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The service answered with an error.
    #[error("{0}")]
    Service(ServiceError),
    /// The answer cannot be read.
    #[error("{0}")]
    Malformed(#[from] Malformed),
}

/// Builds the request of one page.
pub fn serialize(
    model: &ServiceModel,
    name: &str,
    operation: &Operation,
    params: &Map<String, Value>,
) -> Result<Request, BadParameter> {
    let input = operation
        .input
        .as_deref()
        .and_then(|input| model.structure(input));
    for required in input.iter().flat_map(|input| &input.required) {
        if params.get(required).is_none_or(Value::is_null) {
            return Err(BadParameter::Missing(required.clone()));
        }
    }
    for param in params.keys() {
        if input.is_none_or(|input| input.member(param).is_none()) {
            return Err(BadParameter::Unknown(param.clone()));
        }
    }
    let mut request = match model.protocol {
        Protocol::Query => query::serialize(model, name, input, params),
        Protocol::Ec2 => ec2::serialize(model, name, input, params),
        Protocol::Json => json::serialize(model, name, input, params),
        Protocol::RestJson | Protocol::RestXml => rest::serialize(model, operation, input, params),
    }?;
    request.method.clone_from(&operation.method);
    request.host_prefix = host_prefix(operation, params);
    Ok(request)
}

/// `{AccountId}.` with the parameter put in, if it fits a host name.
fn host_prefix(operation: &Operation, params: &Map<String, Value>) -> Option<String> {
    let mut prefix = operation.host_prefix.clone()?;
    for (name, value) in params {
        if let Some(value) = value.as_str() {
            prefix = prefix.replace(&format!("{{{name}}}"), value);
        }
    }
    let is_host = |character: char| character.is_ascii_alphanumeric() || "-.".contains(character);
    prefix.chars().all(is_host).then_some(prefix)
}

/// Reads the response to one page.
pub fn parse(
    model: &ServiceModel,
    name: &str,
    operation: &Operation,
    response: &Response,
) -> Result<Value, Failure> {
    // 301 and 307 are S3's way to say that the bucket is elsewhere; no redirect is followed.
    if response.status >= 301 {
        return Err(Failure::Service(error::parse(model, response)));
    }
    let output = operation
        .output
        .as_deref()
        .and_then(|output| model.structure(output));
    match model.protocol {
        Protocol::Query => Ok(query::parse(model, operation, output, response)?),
        Protocol::Ec2 => Ok(ec2::parse(model, name, output, response)?),
        Protocol::Json => Ok(json::parse(model, output, response)?),
        Protocol::RestJson => Ok(rest::parse_json(model, output, response)?),
        Protocol::RestXml => rest::parse_xml(model, name, output, response),
    }
}

#[cfg(test)]
mod tests;
