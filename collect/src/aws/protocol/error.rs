//! Errors that services answer with: code, message, status, in every protocol's form.

use serde_json::Value;

use super::{Response, xml};
use crate::aws::model::{Protocol, ServiceModel};

/// An error as the service names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServiceError {
    /// The service's code, e.g. `AccessDenied`; the HTTP status where there is none.
    pub code: String,
    /// The service's words, possibly empty.
    pub message: String,
    /// HTTP status.
    pub status: u16,
}

/// Reads the error in a response. A body that cannot be read leaves the status to tell.
pub fn parse(model: &ServiceModel, response: &Response) -> ServiceError {
    let read = match model.protocol {
        Protocol::Json | Protocol::RestJson => from_json(response),
        Protocol::Query | Protocol::Ec2 | Protocol::RestXml => xml::parse(response.body)
            .ok()
            .map(|root| from_xml(&root, response)),
    };
    read.unwrap_or_else(|| from_status(response))
}

fn from_status(response: &Response) -> ServiceError {
    ServiceError {
        code: response.status.to_string(),
        message: String::from_utf8_lossy(response.body)
            .chars()
            .take(200)
            .collect(),
        status: response.status,
    }
}

/// The error is the root itself (S3), a child of it (`query`, Route 53) or in a list (EC2).
pub fn from_xml(root: &xml::Element, response: &Response) -> ServiceError {
    let error = match root.name.as_str() {
        "Error" => Some(root),
        _ => root.child("Error").or_else(|| {
            root.child("Errors")
                .and_then(|errors| errors.child("Error"))
        }),
    };
    let text = |name: &str| {
        error
            .and_then(|error| error.child(name))
            .map(|child| child.text.trim().to_owned())
    };
    match text("Code").filter(|code| !code.is_empty()) {
        Some(code) => ServiceError {
            code,
            message: text("Message").unwrap_or_default(),
            status: response.status,
        },
        None => from_status(response),
    }
}

/// The code is in a header or the body, alone or as `namespace#Code:URL`; a service that once spoke `query` sends
/// the code of that time in a header of its own.
fn from_json(response: &Response) -> Option<ServiceError> {
    let body: Value = serde_json::from_slice(response.body).unwrap_or_default();
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| body.get(name));
        found.and_then(Value::as_str).map(str::to_owned)
    };
    let old = response
        .header("x-amzn-query-error")
        .and_then(|both| both.split(';').next())
        .filter(|code| !code.is_empty());
    let code = match old {
        Some(code) => Some(code.to_owned()),
        None => response
            .header("x-amzn-errortype")
            .map(str::to_owned)
            .or_else(|| text(&["__type", "code", "Code"])),
    };
    let code = code?;
    let code = code.split(':').next().unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default();
    Some(ServiceError {
        code: code.to_owned(),
        message: text(&["message", "Message", "errorMessage"]).unwrap_or_default(),
        status: response.status,
    })
}
