//! The `ec2` protocol: `query` with capitalised names, plain lists and no result wrapper.

use serde_json::{Map, Value};

use super::query::{self, FormRules};
use super::{BadParameter, Malformed, Request, Response, xml, xml_shape};
use crate::aws::model::{Member, ServiceModel, Structure};

const EC2: FormRules = FormRules {
    member_name,
    list_path: |path, _, _| path.to_owned(),
    empty_lists: false,
};

/// `queryName` as it is, else the name on the wire with a capital, else the member's own name.
fn member_name(name: &str, member: &Member) -> String {
    if let Some(query_name) = &member.query_name {
        return query_name.clone();
    }
    let Some(wire_name) = &member.name else {
        return name.to_owned();
    };
    let mut characters = wire_name.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => name.to_owned(),
    }
}

/// Builds a request.
pub fn serialize(
    model: &ServiceModel,
    name: &str,
    input: Option<&Structure>,
    params: &Map<String, Value>,
) -> Result<Request, BadParameter> {
    query::form_request(model, name, input, params, &EC2)
}

/// Reads a response. All members being optional, any XML would pass for an empty answer: the root must be right.
pub fn parse(
    model: &ServiceModel,
    name: &str,
    output: Option<&Structure>,
    response: &Response,
) -> Result<Value, Malformed> {
    let root = xml::parse(response.body)?;
    if root.name != format!("{name}Response") {
        return Err(Malformed::new(format!(
            "expected <{name}Response>, got <{}>",
            root.name
        )));
    }
    let parsed = output.map(|output| xml_shape::structure(model, output, &root));
    parsed
        .transpose()
        .map(|members| Value::Object(members.unwrap_or_default()))
}
