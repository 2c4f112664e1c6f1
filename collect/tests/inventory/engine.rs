//! The engine over callers of its own, where no server answers fast enough or breaks off at the right place.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use collect::aws::{Call, CallError, Caller};
use collect::inventory::engine::{Account, Engine};
use collect::inventory::plan::Plan;
use collect::inventory::tablefile::tables;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

const BUCKETS: usize = 10_000;

/// AWS with ten thousand buckets, which a server could not answer for in the time of a test.
struct ManyBuckets {
    calls: AtomicUsize,
}

impl Caller for ManyBuckets {
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Value, CallError>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let answer = match call.operation.as_str() {
            "ListBuckets" => {
                let buckets =
                    (0..BUCKETS).map(|number| json!({"Name": format!("bucket-{number}")}));
                Ok(json!({"Buckets": buckets.collect::<Vec<_>>()}))
            }
            "GetBucketLocation" => Ok(json!({"LocationConstraint": "eu-west-1"})),
            "GetBucketTagging" => Err(CallError::recorded("s3", "NoSuchTagSet", "")),
            // One in a hundred may not be read.
            "GetBucketPolicy" if call.params["Bucket"].as_str().unwrap().ends_with("99") => {
                Err(CallError::recorded("s3", "AccessDenied", ""))
            }
            _ => Ok(json!({})),
        };
        futures::future::ready(answer).boxed()
    }
}

fn account(caller: Arc<dyn Caller>) -> Account {
    Account {
        account_id: "111122223333".to_owned(),
        partition: "aws".to_owned(),
        main_region: "us-east-1".to_owned(),
        regions: vec!["eu-west-1".to_owned()],
        caller,
        live: true,
    }
}

#[tokio::test]
async fn ten_thousand_buckets_are_ten_thousand_rows() {
    let plan = Plan::new(tables().unwrap(), &["aws_s3_bucket".to_owned()], &[]).unwrap();
    let aws = Arc::new(ManyBuckets {
        calls: AtomicUsize::new(0),
    });
    let account = account(Arc::clone(&aws) as Arc<dyn Caller>);
    let (calls, progress) = (Semaphore::new(32), indicatif::ProgressBar::hidden());
    let collected = Engine::new(&plan, &account, &calls, &progress).run().await;
    assert_eq!(collected.counts.values().sum::<u64>(), BUCKETS as u64);
    assert_eq!(collected.names.len(), BUCKETS);
    let denied: Vec<_> = collected
        .errors
        .iter()
        .filter(|error| error.table == "aws_s3_bucket")
        .collect();
    assert_eq!(denied.len(), BUCKETS / 100);
    assert!(
        denied
            .iter()
            .all(|error| error.kind == "denied" && error.resource_arn.is_some())
    );
    let details = tables()
        .unwrap()
        .iter()
        .find(|table| table.name == "aws_s3_bucket")
        .unwrap()
        .details
        .len();
    assert!(aws.calls.load(Ordering::Relaxed) >= BUCKETS * (details - 2));
}

/// AWS that answers one page of its VPCs and denies the next.
struct HalfAnswered;

impl Caller for HalfAnswered {
    fn call<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, Result<Value, CallError>> {
        futures::future::ready(Ok(json!({}))).boxed()
    }

    fn pages<'a>(&'a self, _call: &'a Call) -> BoxStream<'a, Result<Value, CallError>> {
        let page = Ok(json!({"Vpcs": [{"VpcId": "vpc-1"}, {"VpcId": "vpc-2"}]}));
        let error = Err(CallError::recorded("ec2", "UnauthorizedOperation", ""));
        stream::iter([page, error]).boxed()
    }
}

#[tokio::test]
async fn rows_of_the_pages_before_a_failure_are_kept_beside_the_failure() {
    let plan = Plan::new(tables().unwrap(), &["aws_ec2_vpc".to_owned()], &[]).unwrap();
    let account = account(Arc::new(HalfAnswered));
    let (calls, progress) = (Semaphore::new(2), indicatif::ProgressBar::hidden());
    let collected = Engine::new(&plan, &account, &calls, &progress).run().await;
    assert_eq!(collected.counts.values().sum::<u64>(), 2);
    let mut errors = collected.errors.iter();
    let error = errors.find(|error| error.table == "aws_ec2_vpc").unwrap();
    assert_eq!(
        (error.kind, error.resource_arn.as_deref()),
        ("denied", None)
    );
}
