//! The API models: what an operation looks like on the wire, and what its answer is made of.
//!
//! Models are the files in `collect/models`, written by `scripts/models.py` and embedded in the binary. Each
//! service is parsed when it is first asked for. Invariant: every shape a member names exists in its service's
//! model; a test loads them all and follows every name.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::OnceLock;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::endpoints;

/// Why there is no model to work with.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ModelError {
    /// No file in `collect/models` describes this service.
    #[error(
        "unknown service `{0}`: add its operations to collect/models/operations.txt and run scripts/models.py"
    )]
    UnknownService(String),
    /// The service's file does not have this operation.
    #[error(
        "unknown operation `{operation}` of `{service}`: add it to collect/models/operations.txt and run scripts/models.py"
    )]
    UnknownOperation {
        /// Service as boto3 names it.
        service: String,
        /// Operation as the API names it.
        operation: String,
    },
    /// The embedded file cannot be read; only a damaged build has one.
    #[error("model of `{service}`: {reason}")]
    Unreadable {
        /// Service as boto3 names it.
        service: String,
        /// What the JSON parser said.
        reason: String,
    },
}

/// How a service wants its requests and writes its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Form-encoded request, XML answer with a result wrapper.
    Query,
    /// EC2's own variant of `query`.
    Ec2,
    /// JSON in the body both ways, the operation in a header.
    Json,
    /// Parameters in path, query string and headers; JSON bodies.
    RestJson,
    /// Parameters in path, query string and headers; XML bodies.
    RestXml,
}

/// Everything known about one service.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceModel {
    /// Name as the AWS CLI and boto3 have it, e.g. `elbv2`.
    pub service: String,
    /// The id that per-service settings go by, e.g. `Elastic Load Balancing v2`.
    pub service_id: String,
    /// Wire protocol.
    pub protocol: Protocol,
    /// API version, e.g. `2016-11-15`.
    pub api_version: String,
    /// Service name in the signature's credential scope.
    pub signing_name: String,
    /// First label of the endpoint's host name.
    pub endpoint_prefix: String,
    /// `1.0` or `1.1` for the JSON protocol.
    pub json_version: Option<String>,
    /// What `X-Amz-Target` starts with for the JSON protocol.
    pub target_prefix: Option<String>,
    /// The service once spoke `query` and answers errors with the old codes in `x-amzn-query-error`.
    #[serde(default)]
    pub query_compatible: bool,
    operations: BTreeMap<String, Operation>,
    shapes: HashMap<String, Shape>,
}

/// One operation of a service.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// HTTP method.
    pub method: String,
    /// Path with `{Member}` placeholders, possibly with a constant query string.
    pub uri: String,
    /// Name of the input structure.
    pub input: Option<String>,
    /// Name of the output structure.
    pub output: Option<String>,
    /// Element around the result of a `query` answer.
    pub result_wrapper: Option<String>,
    /// Labels put in front of the endpoint's host, with `{Member}` placeholders.
    pub host_prefix: Option<String>,
    /// How to get the next page, if the operation has pages.
    pub pagination: Option<Pagination>,
    /// IAM action that allows the call, e.g. `s3:ListAllMyBuckets`.
    pub iam_action: String,
}

/// How an operation's pages follow each other. All paths are dotted member names.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    /// Input members that take the token, in the order of `output_tokens`.
    pub input_tokens: Vec<String>,
    /// Where the answer has the token of the next page.
    pub output_tokens: Vec<String>,
    /// What is concatenated over the pages.
    pub result_keys: Vec<String>,
    /// What is taken from the first page as it is.
    #[serde(default)]
    pub other_keys: Vec<String>,
    /// A flag without which there is no next page (at most one path).
    #[serde(default)]
    pub more_results: Vec<String>,
    /// Input member that limits the size of a page.
    pub limit_key: Option<String>,
}

/// A composite type. Scalars have no shape of their own; see [`Type`].
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Shape {
    /// Named members in the order of the API's documentation.
    Structure(Structure),
    /// A list of one type.
    List {
        /// Type of the elements.
        member: Member,
    },
    /// A map with string keys.
    Map {
        /// Type of the keys.
        key: Member,
        /// Type of the values.
        value: Member,
    },
}

/// A structure's members and what is special about it.
#[derive(Debug, Default, Deserialize)]
pub struct Structure {
    /// Members by name, in the model's order.
    #[serde(deserialize_with = "in_order")]
    pub members: Vec<(String, Member)>,
    /// Members a request must have.
    #[serde(default)]
    pub required: Vec<String>,
    /// The member that is the whole body.
    pub payload: Option<String>,
    /// Exactly one member is ever set.
    #[serde(default)]
    pub union: bool,
}

impl Structure {
    /// A member by name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        let found = self.members.iter().find(|(known, _)| known == name);
        found.map(|(_, member)| member)
    }
}

/// Where a member lives outside the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Location {
    /// Placeholder of the path.
    Uri,
    /// Query string.
    Querystring,
    /// One header.
    Header,
}

/// A use of a type: its name on the wire and how it is written there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// What it is.
    pub target: Type,
    /// Name on the wire, where it differs from the member's.
    pub name: Option<String>,
    /// Name in an EC2 request, where it differs from `name`.
    pub query_name: Option<String>,
    /// Place outside the body.
    pub location: Option<Location>,
    /// List or map without an element around it.
    pub flattened: bool,
    /// Format of a timestamp in a request: `iso8601`, `unixTimestamp` or `rfc822`.
    pub timestamp_format: Option<String>,
    /// An attribute of the XML element instead of a child.
    pub xml_attribute: bool,
    /// Only what follows the last `/` goes on the wire (Route 53 answers `/hostedzone/Z1` and takes `Z1`).
    pub last_segment: bool,
}

/// The type of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Type {
    /// Text, also enumerations: values the model does not know are kept.
    #[default]
    String,
    /// Integer of 32 or 64 bits.
    Integer,
    /// Floating point of single or double precision.
    Float,
    /// Truth value.
    Boolean,
    /// Point in time.
    Timestamp,
    /// Bytes, as base64 in JSON.
    Blob,
    /// JSON of any form.
    Document,
    /// IAM policy: URL-encoded JSON on the wire, an object in what we return.
    PolicyDocument,
    /// A shape of the service, by name.
    Shape(String),
}

impl Type {
    fn from_name(name: &str) -> Self {
        match name {
            "string" | "character" => Self::String,
            "integer" | "long" => Self::Integer,
            "float" | "double" => Self::Float,
            "boolean" => Self::Boolean,
            "timestamp" => Self::Timestamp,
            "blob" => Self::Blob,
            "document" => Self::Document,
            "policyDocument" => Self::PolicyDocument,
            shape => Self::Shape(shape.to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Member {
    /// A member without traits is written as the bare name of its type.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Traits {
            shape: String,
            name: Option<String>,
            query_name: Option<String>,
            location: Option<Location>,
            #[serde(default)]
            flattened: bool,
            timestamp_format: Option<String>,
            #[serde(default)]
            xml_attribute: bool,
            #[serde(default)]
            last_segment: bool,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Bare(String),
            Traits(Box<Traits>),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Bare(name) => Self {
                target: Type::from_name(&name),
                ..Self::default()
            },
            Written::Traits(traits) => Self {
                target: Type::from_name(&traits.shape),
                name: traits.name,
                query_name: traits.query_name,
                location: traits.location,
                flattened: traits.flattened,
                timestamp_format: traits.timestamp_format,
                xml_attribute: traits.xml_attribute,
                last_segment: traits.last_segment,
            },
        })
    }
}

/// Members keep the order of the file, which is the order boto3 prints them in.
fn in_order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, Member)>, D::Error> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, Member)>;
        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            formatter.write_str("members by name")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::with_capacity(map.size_hint().unwrap_or(0));
            while let Some(entry) = map.next_entry()? {
                members.push(entry);
            }
            Ok(members)
        }
    }
    deserializer.deserialize_map(Members)
}

impl ServiceModel {
    /// An operation by its API name, e.g. `DescribeInstances`.
    pub fn operation(&self, name: &str) -> Result<&Operation, ModelError> {
        self.operations
            .get(name)
            .ok_or_else(|| ModelError::UnknownOperation {
                service: self.service.clone(),
                operation: name.to_owned(),
            })
    }

    /// All operations by name, sorted.
    pub fn operations(&self) -> impl Iterator<Item = (&str, &Operation)> {
        self.operations
            .iter()
            .map(|(name, operation)| (name.as_str(), operation))
    }

    /// The IAM action that allows an operation.
    pub fn iam_action(&self, operation: &str) -> Result<&str, ModelError> {
        Ok(&self.operation(operation)?.iam_action)
    }

    /// Whether the service has one endpoint for the whole partition.
    pub fn is_global(&self) -> bool {
        endpoints::is_global(&self.service)
    }

    /// Regions of a partition in which the service is known to be offered, sorted. Empty when botocore's facts
    /// do not list the service there.
    pub fn regions(&self, partition: &str) -> Vec<&'static str> {
        endpoints::service_regions(&self.service, partition)
    }

    /// A shape by name.
    pub fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }

    /// The shape that a member is made of; `None` for scalars.
    pub fn shape_of(&self, member: &Member) -> Option<&Shape> {
        match &member.target {
            Type::Shape(name) => self.shape(name),
            _ => None,
        }
    }

    /// A structure by name; `None` also when the shape is a list or a map.
    pub fn structure(&self, name: &str) -> Option<&Structure> {
        match self.shape(name) {
            Some(Shape::Structure(structure)) => Some(structure),
            _ => None,
        }
    }

    /// The members an operation takes; empty when it takes none.
    pub fn input_members(&self, operation: &str) -> Result<&[(String, Member)], ModelError> {
        let input = self.operation(operation)?.input.as_deref();
        let structure = input.and_then(|name| self.structure(name));
        Ok(structure.map_or(&[], |structure| &structure.members))
    }

    /// The structure an operation answers with, to check expressions against; `None` when it answers nothing.
    pub fn output_structure(&self, operation: &str) -> Result<Option<&Structure>, ModelError> {
        let output = self.operation(operation)?.output.as_deref();
        Ok(output.and_then(|name| self.structure(name)))
    }
}

type Embedded = (
    &'static str,
    &'static str,
    OnceLock<Result<ServiceModel, ModelError>>,
);

// `MODELS`: service, text of the model, the model once it was asked for; sorted by service.
include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// The model of a service, named as in the AWS CLI.
pub fn model(service: &str) -> Result<&'static ServiceModel, ModelError> {
    let (name, text, parsed) = MODELS
        .iter()
        .find(|(name, _, _)| *name == service)
        .ok_or_else(|| ModelError::UnknownService(service.to_owned()))?;
    let read = || {
        serde_json::from_str(text).map_err(|problem| ModelError::Unreadable {
            service: (*name).to_owned(),
            reason: problem.to_string(),
        })
    };
    parsed.get_or_init(read).as_ref().map_err(Clone::clone)
}

/// Names of all services with a model, sorted.
pub fn services() -> impl Iterator<Item = &'static str> {
    MODELS.iter().map(|(name, _, _)| *name)
}

#[cfg(test)]
mod tests;
