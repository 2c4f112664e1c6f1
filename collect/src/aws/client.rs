//! The caller that asks AWS.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _};
use serde_json::{Map, Value};

use super::failure::{CallError, ErrorKind};
use super::limiter::{Counters, Limiter, Stats};
use super::model::{self, Operation, ServiceModel};
use super::pages::{PageError, Pages, Tokens};
use super::protocol;
use super::route::{Addressing, route};
use super::transport::{Sending, Transport};
use super::{Call, Caller, endpoints};

/// Why there is no caller for an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallerError {
    /// The configuration has no source of credentials.
    #[error(
        "account {0}: no credentials; set AWS_PROFILE or the other variables that the AWS CLI reads"
    )]
    NoCredentials(String),
}

/// Asks AWS with the credentials of one account.
///
/// Endpoints follow the user's settings as in the AWS CLI: `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, and
/// `endpoint_url` of profiles and `services` sections; FIPS and dual-stack likewise.
#[derive(Debug)]
pub struct LiveCaller {
    account_id: String,
    config: SdkConfig,
    transport: Transport,
    limiter: Limiter,
    counters: Arc<Counters>,
}

impl LiveCaller {
    /// A caller for the account that `config` has credentials of.
    ///
    /// # Errors
    ///
    /// When the configuration has no source of credentials. Credentials that do not work show in the calls.
    #[allow(clippy::unused_async)] // Whoever starts a caller must be inside a runtime, which this makes plain.
    pub async fn new(
        config: &SdkConfig,
        account_id: impl Into<String>,
    ) -> Result<Self, CallerError> {
        let account_id = account_id.into();
        let counters = Arc::new(Counters::default());
        let transport = Transport::new(config, Arc::clone(&counters))
            .ok_or_else(|| CallerError::NoCredentials(account_id.clone()))?;
        Ok(Self {
            account_id,
            config: config.clone(),
            transport,
            limiter: Limiter::default(),
            counters,
        })
    }

    /// What was asked of AWS so far.
    pub fn stats(&self) -> Stats {
        self.counters.stats()
    }

    /// The model of a call that these credentials are for.
    fn described(
        &self,
        call: &Call,
    ) -> Result<(&'static ServiceModel, &'static Operation), CallError> {
        if call.account_id != self.account_id {
            let message = format!(
                "call for account {} with credentials of {}",
                call.account_id, self.account_id
            );
            return Err(CallError::new(
                ErrorKind::Credentials,
                "WrongAccount",
                &message,
            ));
        }
        let model = model::model(&call.service).map_err(|problem| CallError::refused(&problem))?;
        let operation = model
            .operation(&call.operation)
            .map_err(|problem| CallError::refused(&problem))?;
        Ok((model, operation))
    }

    async fn answer(&self, call: &Call) -> Result<Value, CallError> {
        let (model, operation) = self.described(call)?;
        let mut params = call.params.clone();
        let Some(pagination) = &operation.pagination else {
            return self.page(call, model, operation, &params).await;
        };
        let mut pages = Pages::new(pagination);
        loop {
            let page = self.page(call, model, operation, &params).await?;
            match pages.add(page).map_err(|problem| malformed(&problem))? {
                Some(next) => follow(&mut params, next),
                None => return Ok(pages.finish()),
            }
        }
    }

    /// One page, and what is needed to ask for the next one.
    async fn turn<'a>(
        &'a self,
        call: &'a Call,
        mut leaf: Leaf,
    ) -> (Result<Value, CallError>, Option<Leaf>) {
        let page = match self.described(call) {
            Ok((model, operation)) => self.page(call, model, operation, &leaf.params).await,
            Err(error) => Err(error),
        };
        let page = match page {
            Ok(page) => page,
            Err(error) => return (Err(error), None),
        };
        match leaf
            .tokens
            .as_mut()
            .map_or(Ok(None), |tokens| tokens.next(&page))
        {
            Ok(Some(next)) => {
                follow(&mut leaf.params, next);
                (Ok(page), Some(leaf))
            }
            Ok(None) => (Ok(page), None),
            Err(problem) => (Err(malformed(&problem)), None),
        }
    }

    async fn page(
        &self,
        call: &Call,
        model: &'static ServiceModel,
        operation: &'static Operation,
        params: &Map<String, Value>,
    ) -> Result<Value, CallError> {
        let request =
            protocol::serialize(model, &call.operation, operation, params).map_err(|problem| {
                CallError::new(ErrorKind::Other, "InvalidParameter", &problem.to_string())
            })?;
        let bucket = match model.service.as_str() {
            "s3" => params.get("Bucket").and_then(Value::as_str),
            _ => None,
        };
        let route = route(
            model,
            &call.operation,
            &call.region,
            &request,
            bucket,
            &self.addressing(model),
        )?;
        let partition = endpoints::partition_of_region(&call.region);
        let sending = Sending {
            service: &model.service,
            operation: &call.operation,
            signing_name: &model.signing_name,
            listed: model
                .regions(partition.name)
                .contains(&call.region.as_str()),
            request,
            route,
        };
        let lane = self.limiter.lane(&model.service, &call.region);
        // The semaphore is never closed; if it were, the request would merely not wait.
        let _permit = lane.requests.acquire().await.ok();
        let name = call.operation.clone();
        let read = move |status: u16, headers: &[(String, String)], body: &[u8]| {
            let response = protocol::Response {
                status,
                headers,
                body,
            };
            protocol::parse(model, &name, operation, &response)
                .map_err(|failure| CallError::from_failure(model, failure, status))
        };
        self.transport.send(sending, &lane, read).await
    }

    fn addressing(&self, model: &ServiceModel) -> Addressing {
        let in_code = self.config.get_origin("endpoint_url").is_client_config();
        let of_service = ServiceConfigKey::builder()
            .service_id(&model.service_id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok()
            .filter(|_| !in_code)
            .and_then(|key| self.config.service_config()?.load_config(key));
        Addressing {
            custom: of_service.or_else(|| self.config.endpoint_url().map(str::to_owned)),
            fips: self.config.use_fips().unwrap_or(false),
            dualstack: self.config.use_dual_stack().unwrap_or(false),
        }
    }
}

impl Caller for LiveCaller {
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Value, CallError>> {
        self.answer(call).boxed()
    }

    fn pages<'a>(&'a self, call: &'a Call) -> BoxStream<'a, Result<Value, CallError>> {
        let pagination = self
            .described(call)
            .ok()
            .and_then(|(_, operation)| operation.pagination.as_ref());
        let first = Leaf {
            params: call.params.clone(),
            tokens: pagination.map(Tokens::new),
        };
        let turn = move |leaf: Option<Leaf>| async move { Some(self.turn(call, leaf?).await) };
        stream::unfold(Some(first), turn).boxed()
    }
}

/// Where reading page by page stands.
struct Leaf {
    params: Map<String, Value>,
    tokens: Option<Tokens<'static>>,
}

/// Parameters that lead to the next page.
fn follow(params: &mut Map<String, Value>, next: Vec<(&str, Value)>) {
    for (name, token) in next {
        if token.is_null() {
            params.remove(name);
        } else {
            params.insert(name.to_owned(), token);
        }
    }
}

fn malformed(problem: &PageError) -> CallError {
    CallError::new(
        ErrorKind::Malformed,
        "MalformedResponse",
        &problem.to_string(),
    )
}
