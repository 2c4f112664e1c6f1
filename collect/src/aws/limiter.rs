//! How hard AWS is asked: per service and region, the number of requests at a time and their rate, and what it
//! cost.
//!
//! The rate follows the AWS SDKs' adaptive mode: unlimited until the service first refuses, then cut back at every
//! refusal and slowly raised again. Retries draw on no common quota, as a run has to get through a storm: the
//! rate and the number of attempts bound them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_smithy_runtime::client::retries::{ClientRateLimiter, RetryPartition, TokenBucket};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use tokio::sync::Semaphore;

/// Requests that one service in one region gets at a time. AWS refills request quotas at tens per second, so
/// more would only collect refusals.
const REQUESTS_AT_A_TIME: usize = 16;

/// What one caller has asked of AWS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// HTTP requests sent, retries included.
    pub requests: u64,
    /// Requests that repeated a failed one.
    pub retries: u64,
    /// Answers that said to slow down.
    pub throttles: u64,
    /// Time from sending a request to the end of its answer, summed over all requests.
    pub waited: Duration,
}

/// Running totals behind [`Stats`].
#[derive(Debug, Default)]
pub struct Counters {
    requests: AtomicU64,
    retries: AtomicU64,
    throttles: AtomicU64,
    waited_microseconds: AtomicU64,
}

impl Counters {
    /// The totals now.
    pub fn stats(&self) -> Stats {
        Stats {
            requests: self.requests.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            throttles: self.throttles.load(Ordering::Relaxed),
            waited: Duration::from_micros(self.waited_microseconds.load(Ordering::Relaxed)),
        }
    }

    /// Counts an answer that said to slow down.
    pub fn throttled(&self) {
        self.throttles.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts requests and measures how long the service takes.
#[derive(Debug)]
pub struct Meter(pub Arc<Counters>);

#[derive(Debug)]
struct SentAt(Instant);

impl Storable for SentAt {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        if config
            .load::<RequestAttempts>()
            .is_some_and(|attempts| attempts.attempts() > 1)
        {
            self.0.retries.fetch_add(1, Ordering::Relaxed);
        }
        config.interceptor_state().store_put(SentAt(Instant::now()));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        _context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(SentAt(sent)) = config.load::<SentAt>() {
            let microseconds = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.0
                .waited_microseconds
                .fetch_add(microseconds, Ordering::Relaxed);
        }
        // An attempt that fails before it is sent must not count the time of the one before.
        config.interceptor_state().unset::<SentAt>();
        Ok(())
    }
}

/// The limits of one service in one region, shared by all its requests.
#[derive(Debug)]
pub struct Lane {
    /// One permit per request.
    pub requests: Semaphore,
    /// Carries the rate limiter from request to request.
    pub retry_partition: RetryPartition,
}

/// The lanes of one account.
#[derive(Debug, Default)]
pub struct Limiter {
    lanes: Mutex<HashMap<(String, String), Arc<Lane>>>,
}

impl Limiter {
    /// The lane of a service in a region.
    pub fn lane(&self, service: &str, region: &str) -> Arc<Lane> {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = since_1970.unwrap_or_default().as_secs_f64();
        // The map is whole even if a holder of the lock panicked.
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes
            .entry((service.to_owned(), region.to_owned()))
            .or_insert_with(|| {
                let partition = RetryPartition::custom(format!("{service}-{region}"))
                    .token_bucket(TokenBucket::unlimited())
                    .client_rate_limiter(ClientRateLimiter::new(now));
                Arc::new(Lane {
                    requests: Semaphore::new(REQUESTS_AT_A_TIME),
                    retry_partition: partition.build(),
                })
            });
        Arc::clone(lane)
    }
}
