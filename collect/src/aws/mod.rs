//! The AWS caller: any operation that `collect/models` describes, without generated code.
//!
//! A [`Call`] names service, operation, region and parameters; a [`Caller`] answers it with the JSON that the AWS
//! CLI prints for the same call, all pages merged, or with one [`CallError`]. An answer is whole or it is an
//! error: a page that fails or cannot be read fails the call. Who can work on a part at a time takes the
//! [pages](Caller::pages) one by one.

mod client;
mod endpoints;
mod failure;
mod limiter;
mod model;
mod pages;
mod protocol;
mod route;
mod transport;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _};
use serde_json::{Map, Value};

pub use client::{CallerError, LiveCaller};
pub use endpoints::{Partition, partition_of_region, partitions};
pub use failure::{CallError, ErrorKind};
pub use limiter::Stats;
pub use model::{
    Location, Member, ModelError, Operation, Pagination, Protocol, ServiceModel, Shape, Structure,
    Type, model, services,
};

/// One AWS call: all pages of one operation in one account and region.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Account that the credentials belong to, 12 digits.
    pub account_id: String,
    /// Region, e.g. `eu-west-1`; for a global service the partition's main region.
    pub region: String,
    /// Service as the AWS CLI names it, e.g. `elbv2`.
    pub service: String,
    /// Operation as the API names it, e.g. `DescribeInstances`.
    pub operation: String,
    /// Parameters as boto3 takes them.
    pub params: Map<String, Value>,
}

/// Something that answers calls: AWS itself, or a recording of it.
pub trait Caller: Send + Sync {
    /// Answers one call, all pages merged.
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Value, CallError>>;

    /// Answers one call in parts, each an answer with some elements of its lists. A failure is the last part, and
    /// says that others are missing.
    fn pages<'a>(&'a self, call: &'a Call) -> BoxStream<'a, Result<Value, CallError>> {
        stream::once(self.call(call)).boxed()
    }
}

/// Reads one response body as the named operation's answer, without a network.
///
/// For tests and for answers that were saved as the service sent them; headers are name and value.
pub fn read_response(
    service: &str,
    operation: &str,
    status: u16,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<Value, CallError> {
    let model = model(service).map_err(|problem| CallError::refused(&problem))?;
    let described = model
        .operation(operation)
        .map_err(|problem| CallError::refused(&problem))?;
    let response = protocol::Response {
        status,
        headers,
        body,
    };
    protocol::parse(model, operation, described, &response)
        .map_err(|failure| CallError::from_failure(model, failure, status))
}
