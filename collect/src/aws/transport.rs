//! One request and its answer, over AWS's own runtime: credentials, signature, retries, timeouts, connections.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_smithy_runtime::client::defaults::default_http_client_plugin_v2;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::{SharedIdentityCache, SharedIdentityResolver};
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::interceptors::{
    Intercept, SharedInterceptor, dyn_dispatch_hint,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason,
};
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_runtime_api::client::runtime_plugin::{RuntimePlugin, StaticRuntimePlugin};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, Layer};
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_smithy_types::retry::{ErrorKind as RetryKind, RetryConfig, RetryMode, RetrySpec};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use serde_json::Value;

use super::failure::{CallError, ErrorKind};
use super::limiter::{Counters, Lane, Meter};
use super::protocol::Request;
use super::route::Route;

/// Attempts per request while the service asks to slow down, unless the user's configuration asks for another number
/// than the SDKs' default. Other failures get the default: what fails three times in a row stays broken.
const ATTEMPTS: u32 = 10;
const DEFAULT_ATTEMPTS: u32 = 3;

/// Timeouts that the user's configuration may replace one by one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(120);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(900);

/// How long an answer may stand still half-way.
const STALL_GRACE: Duration = Duration::from_secs(20);

/// What all requests of an account share.
#[derive(Debug)]
pub struct Transport {
    config: SdkConfig,
    identity: SharedIdentityResolver,
    identity_cache: SharedIdentityCache,
    retry: RetryConfig,
    failures: u32,
    timeouts: TimeoutConfig,
    http: Option<SharedHttpClient>,
    clock_skew: SharedInterceptor,
    counters: Arc<Counters>,
}

/// One request ready to go.
#[derive(Debug)]
pub struct Sending<'a> {
    /// Service, for logs.
    pub service: &'a str,
    /// Operation, for logs.
    pub operation: &'a str,
    /// Name in the signature.
    pub signing_name: &'a str,
    /// Whether the service has known hosts in the region.
    pub listed: bool,
    /// What is asked.
    pub request: Request,
    /// Where.
    pub route: Route,
}

impl Transport {
    /// Prepares for the configuration of one account; `None` when it has no credentials provider.
    pub fn new(config: &SdkConfig, counters: Arc<Counters>) -> Option<Self> {
        let credentials = config.credentials_provider()?;
        let identity_cache = config
            .identity_cache()
            .unwrap_or_else(|| IdentityCache::lazy().build());
        let configured = config
            .retry_config()
            .cloned()
            .unwrap_or_else(RetryConfig::standard);
        let failures = configured.max_attempts();
        let attempts = match failures {
            DEFAULT_ATTEMPTS => ATTEMPTS,
            chosen => chosen,
        };
        let retry = configured
            .with_retry_mode(RetryMode::Adaptive)
            .with_max_attempts(attempts)
            .with_retry_spec(RetrySpec::v2_1());
        let mut timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        if let Some(configured) = config.timeout_config() {
            let mut merged = configured.clone();
            merged.take_defaults_from(&timeouts);
            timeouts = merged;
        }
        Some(Self {
            identity: SharedIdentityResolver::new(credentials),
            identity_cache,
            retry,
            failures,
            timeouts,
            http: config.http_client().or_else(|| default_http_client(config)),
            clock_skew: SharedInterceptor::new(ServiceClockSkewInterceptor::new()),
            counters,
            config: config.clone(),
        })
    }

    /// Sends a request until it is answered or the attempts are used up. `read` makes the answer of a response.
    #[expect(
        clippy::result_large_err,
        reason = "the error's type is the orchestrator's"
    )]
    pub async fn send<F>(
        &self,
        sending: Sending<'_>,
        lane: &Lane,
        read: F,
    ) -> Result<Value, CallError>
    where
        F: Fn(u16, &[(String, String)], &[u8]) -> Result<Value, CallError> + Send + Sync + 'static,
    {
        let counters = Arc::clone(&self.counters);
        let attempt = Attempt::default();
        let mut builder = Operation::builder()
            .service_name(sending.service.to_owned())
            .operation_name(sending.operation.to_owned())
            .behavior_version(behavior_version(&self.config))
            .endpoint_url(&sending.route.url)
            .standard_retry(&self.retry)
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<AttemptError>::new())
            .retry_classifier(AwsErrorCodeClassifier::<AttemptError>::new())
            .retry_classifier(ServiceClockSkewClassifier::<AttemptError>::new())
            .retry_classifier(KindClassifier::new(attempt.clone(), self.failures))
            .timeout_config(self.timeouts.clone())
            .stalled_stream_protection(
                StalledStreamProtectionConfig::enabled()
                    .grace_period(STALL_GRACE)
                    .build(),
            )
            .with_connection_poisoning()
            .interceptor(self.clock_skew.clone())
            .interceptor(RequestInfoInterceptor::new())
            .interceptor(InvocationIdInterceptor::new())
            .interceptor(Meter(Arc::clone(&self.counters)))
            .interceptor(attempt)
            .runtime_plugin(self.signing(&sending, lane));
        if let Some(client) = &self.http {
            builder = builder.http_client(client.clone());
        }
        if let Some(sleep) = self.config.sleep_impl() {
            builder = builder.sleep_impl(sleep);
        }
        if let Some(clock) = self.config.time_source() {
            builder = builder.time_source(clock);
        }
        let path_and_query = sending.route.path_and_query;
        let operation = builder
            .serializer(move |request: Request| http_request(request, &path_and_query))
            .deserializer(move |response: &HttpResponse| {
                read_response(response, &read).map_err(|error| {
                    if error.kind == ErrorKind::Throttled {
                        counters.throttled();
                    }
                    OrchestratorError::operation(AttemptError::from(error))
                })
            })
            .build();
        let result = operation.invoke(sending.request).await;
        result.map_err(|error| match error {
            SdkError::ServiceError(context) => context.into_err().error,
            other => CallError::from_transport(&other, sending.listed),
        })
    }

    fn signing(&self, sending: &Sending, lane: &Lane) -> StaticRuntimePlugin {
        let mut options = SigningOptions::default();
        if sending.signing_name == "s3" {
            // S3 signs paths as they are and wants the body's hash in a header.
            options.double_uri_encode = false;
            options.normalize_uri_path = false;
            options.content_sha256_header = true;
        }
        let mut layer = Layer::new("signing");
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(lane.retry_partition.clone());
        layer.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(aws_types::region::Region::new(
                sending.route.signing_region.clone(),
            ))),
            name: Some(SigningName::from(sending.signing_name.to_owned())),
            region_set: None,
            signing_options: options,
        });
        let components = RuntimeComponentsBuilder::new("signing")
            .with_auth_scheme(SigV4AuthScheme::new())
            .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![
                SCHEME_ID,
            ])))
            .with_identity_cache(Some(self.identity_cache.clone()))
            .with_identity_resolver(SCHEME_ID, self.identity.clone());
        StaticRuntimePlugin::new()
            .with_config(layer.freeze())
            .with_runtime_components(components)
    }
}

fn behavior_version(config: &SdkConfig) -> BehaviorVersion {
    config
        .behavior_version()
        .unwrap_or_else(BehaviorVersion::latest)
}

/// The runtime's own client, made once: left to each request, none would find an open connection.
fn default_http_client(config: &SdkConfig) -> Option<SharedHttpClient> {
    let plugin = default_http_client_plugin_v2(behavior_version(config))?;
    let components = RuntimeComponentsBuilder::new("http client");
    plugin.runtime_components(&components).http_client()
}

fn http_request(request: Request, path_and_query: &str) -> Result<HttpRequest, BoxError> {
    let mut http = HttpRequest::new(SdkBody::from(request.body));
    http.set_method(&request.method)?;
    http.set_uri(path_and_query)?;
    let headers = http.headers_mut();
    headers.try_insert(
        "user-agent",
        concat!("sevenwalls-collect/", env!("CARGO_PKG_VERSION")),
    )?;
    for (name, value) in request.headers {
        headers.try_insert(name, value)?;
    }
    Ok(http)
}

fn read_response<F>(response: &HttpResponse, read: &F) -> Result<Value, CallError>
where
    F: Fn(u16, &[(String, String)], &[u8]) -> Result<Value, CallError>,
{
    let headers = response.headers().iter_bytes();
    let headers: Vec<(String, String)> = headers
        .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
        .collect();
    // The runtime has read the body into memory before it asks for the answer.
    let body = response.body().bytes().unwrap_or_default();
    read(response.status().as_u16(), &headers, body)
}

/// A failed attempt in the form that the runtime's classifiers read.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
struct AttemptError {
    error: CallError,
    metadata: ErrorMetadata,
}

impl From<CallError> for AttemptError {
    fn from(error: CallError) -> Self {
        let metadata = ErrorMetadata::builder()
            .code(&error.code)
            .message(&error.message);
        Self {
            metadata: metadata.build(),
            error,
        }
    }
}

impl ProvideErrorMetadata for AttemptError {
    fn meta(&self) -> &ErrorMetadata {
        &self.metadata
    }
}

/// Retries what the runtime's classifiers do not know: throttling told by the status alone, answers that cannot be
/// read, and S3's failures behind a status of 200. Ends the retries of a request that keeps failing for another reason
/// than throttling.
#[derive(Debug)]
struct KindClassifier {
    attempt: Attempt,
    /// Attempt that was last seen to fail so, and how many were.
    failed: Mutex<(u32, u32)>,
    most: u32,
}

impl KindClassifier {
    /// For one request, which may fail `most` times.
    fn new(attempt: Attempt, most: u32) -> Self {
        Self {
            attempt,
            failed: Mutex::default(),
            most,
        }
    }

    /// Allows a retry as long as failures are left. The runtime asks more than once about one attempt.
    fn counted(&self, action: RetryAction) -> RetryAction {
        let attempt = self.attempt.0.load(Ordering::Relaxed);
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.0 != attempt {
            *failed = (attempt, failed.1 + 1);
        }
        match failed.1 >= self.most {
            true => RetryAction::RetryForbidden,
            false => action,
        }
    }
}

/// The number of a request's attempt, which classifiers are not told.
#[derive(Debug, Clone, Default)]
struct Attempt(Arc<AtomicU32>);

#[dyn_dispatch_hint]
impl Intercept for Attempt {
    fn name(&self) -> &'static str {
        "Attempt"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl ClassifyRetry for KindClassifier {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else {
            return RetryAction::NoActionIndicated;
        };
        let attempt = error
            .as_operation_error()
            .and_then(|error| error.downcast_ref::<AttemptError>());
        match attempt.map(|attempt| (attempt.error.kind, attempt.error.status)) {
            Some((ErrorKind::Throttled, _)) => RetryAction::throttling_error(),
            Some((ErrorKind::Malformed, _) | (ErrorKind::Other, Some(200))) => {
                RetryAction::transient_error()
            }
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn classify_retry_v2(
        &self,
        context: &InterceptorContext,
        previous: &RetryAction,
    ) -> RetryAction {
        // The runtime's verdict may carry the delay that the service asked for.
        let own = self.classify_retry(context);
        match (previous, &own) {
            (RetryAction::RetryIndicated(reason), _) if is_throttling(reason) => {
                RetryAction::NoActionIndicated
            }
            (_, RetryAction::RetryIndicated(reason)) if is_throttling(reason) => own,
            (_, RetryAction::RetryIndicated(_)) => self.counted(own),
            (RetryAction::RetryIndicated(_), _) => self.counted(RetryAction::NoActionIndicated),
            _ => own,
        }
    }

    fn name(&self) -> &'static str {
        "Kind of call error"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

fn is_throttling(reason: &RetryReason) -> bool {
    let throttling = RetryKind::ThrottlingError;
    matches!(reason, RetryReason::RetryableError { kind, .. } if *kind == throttling)
}
