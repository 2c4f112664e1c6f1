//! AWS itself as the answerer of an account's calls: the model-driven caller, and the tagging API's own client for
//! the sweep over the tags of all services.

use std::sync::Arc;

use aws_config::{Region, SdkConfig};
use aws_sdk_resourcegroupstagging::Client;
use aws_sdk_resourcegroupstagging::error::{
    DisplayErrorContext, ProvideErrorMetadata as _, SdkError,
};
use aws_sdk_resourcegroupstagging::types::ResourceTagMapping;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _};
use serde_json::{Value, json};

use crate::aws::{Call, CallError, Caller, ErrorKind, LiveCaller};

/// Answers calls of one account.
pub struct Live {
    /// The caller of all modelled operations.
    pub caller: Arc<LiveCaller>,
    /// Configuration with the account's credentials.
    pub config: SdkConfig,
}

impl Caller for Live {
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Value, CallError>> {
        match call.service.as_str() {
            "resourcegroupstaggingapi" => self.resources(call).boxed(),
            _ => self.caller.call(call),
        }
    }

    fn pages<'a>(&'a self, call: &'a Call) -> BoxStream<'a, Result<Value, CallError>> {
        match call.service.as_str() {
            "resourcegroupstaggingapi" => stream::once(self.call(call)).boxed(),
            _ => self.caller.pages(call),
        }
    }
}

impl Live {
    /// All tagged resources of a region, as the AWS CLI prints them.
    async fn resources(&self, call: &Call) -> Result<Value, CallError> {
        let config = self
            .config
            .to_builder()
            .region(Region::new(call.region.clone()))
            .build();
        let client = Client::new(&config);
        let pages = client
            .get_resources()
            .resources_per_page(100)
            .into_paginator();
        let mut mappings = pages.items().send();
        let mut found = Vec::new();
        while let Some(mapping) = mappings.next().await {
            found.push(shown(&mapping.map_err(|error| failed(&error))?));
        }
        Ok(json!({"ResourceTagMappingList": found}))
    }
}

fn shown(mapping: &ResourceTagMapping) -> Value {
    let tags = mapping
        .tags()
        .iter()
        .map(|tag| json!({"Key": tag.key(), "Value": tag.value()}));
    json!({"ResourceARN": mapping.resource_arn(), "Tags": tags.collect::<Vec<_>>()})
}

fn failed<E, R>(error: &SdkError<E, R>) -> CallError
where
    E: std::error::Error + aws_sdk_resourcegroupstagging::error::ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    let Some(code) = error.code() else {
        let kind = match error {
            SdkError::TimeoutError(_) => ErrorKind::Timeout,
            _ => ErrorKind::Other,
        };
        return CallError::new(
            kind,
            "RequestFailed",
            &DisplayErrorContext(error).to_string(),
        );
    };
    CallError::recorded(
        "resourcegroupstaggingapi",
        code,
        error.message().unwrap_or_default(),
    )
}
