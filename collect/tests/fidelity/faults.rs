//! What happens on the way, from a server that does it on purpose: throttling, silence, answers cut short.

use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use collect::aws::{Caller as _, ErrorKind, LiveCaller};
use futures::StreamExt as _;
use serde_json::{Map, json};

use crate::server::{Answer, Server, XML};
use crate::{ACCOUNT, ask, call, caller, config};

const VPCS: &[u8] = b"<DescribeVpcsResponse xmlns='urn:x'><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>";

#[tokio::test]
async fn throttling_storms_pass() {
    let server = Server::start();
    let ec2 = b"<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow</Message></Error></Errors></Response>";
    server.answer_with([
        Answer::new(503, &[XML], ec2),
        Answer::new(429, &[], b""),
        Answer::new(503, &[], b"<html>busy</html>"),
        Answer::new(200, &[XML], VPCS),
    ]);
    let caller = caller(&server.url).await;
    let vpcs = call("ec2", "DescribeVpcs", Map::new());
    assert_eq!(
        caller.call(&vpcs).await.unwrap(),
        json!({"Vpcs": [{"VpcId": "vpc-1"}]})
    );
    let stats = caller.stats();
    assert_eq!((stats.requests, stats.retries, stats.throttles), (4, 3, 3));
    assert!(stats.waited > Duration::ZERO);

    // The same caller goes on once the storm is over.
    server.answer_with([
        Answer::new(200, &[XML], VPCS),
        Answer::new(200, &[XML], VPCS),
    ]);
    assert!(caller.call(&vpcs).await.is_ok());
    assert!(caller.call(&vpcs).await.is_ok());
}

#[tokio::test]
async fn a_storm_that_does_not_end_is_an_error() {
    let server = Server::start();
    let slow = Answer::new(
        400,
        &[],
        br#"{"__type":"com.amazon#ThrottlingException","message":"Rate exceeded"}"#,
    );
    server.answer_with(vec![slow; 9]);
    let error = ask(&server, "kms", "ListKeys", json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::Throttled, "ThrottlingException")
    );
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn server_errors_are_retried() {
    let server = Server::start();
    server.answer_with([
        Answer::new(500, &[], b""),
        Answer::new(502, &[], b"<html>bad gateway</html>"),
        Answer::new(200, &[XML], VPCS),
    ]);
    assert!(ask(&server, "ec2", "DescribeVpcs", json!({})).await.is_ok());
}

/// The number of requests that one call makes with the attempts that the SDKs default to.
async fn requests(answer: Answer) -> usize {
    let server = Server::start();
    server.answer_with(vec![answer; 20]);
    let retries = RetryConfig::standard()
        .with_initial_backoff(Duration::from_millis(1))
        .with_max_backoff(Duration::from_millis(5));
    let config = config(&server.url)
        .into_builder()
        .retry_config(retries)
        .build();
    let caller = LiveCaller::new(&config, ACCOUNT).await.unwrap();
    let vpcs = call("ec2", "DescribeVpcs", Map::new());
    assert!(caller.call(&vpcs).await.is_err());
    server.seen().len()
}

#[tokio::test]
async fn only_throttling_is_worth_more_than_three_attempts() {
    assert_eq!(requests(Answer::new(500, &[], b"")).await, 3);
    assert_eq!(
        requests(Answer::new(502, &[], b"<html>bad gateway</html>")).await,
        3
    );
    assert_eq!(requests(Answer::new(200, &[XML], b"<not xml")).await, 3);
    let internal = b"<Response><Errors><Error><Code>InternalError</Code><Message>x</Message></Error></Errors></Response>";
    assert_eq!(requests(Answer::new(500, &[XML], internal)).await, 3);
    let denied = b"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>x</Message></Error></Errors></Response>";
    assert_eq!(requests(Answer::new(403, &[XML], denied)).await, 1);
    let slow = b"<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>x</Message></Error></Errors></Response>";
    assert_eq!(requests(Answer::new(503, &[XML], slow)).await, 10);
}

#[tokio::test]
async fn pages_that_were_read_are_there_when_a_later_one_fails() {
    let first = b"<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet><nextToken>t</nextToken></DescribeVpcsResponse>";
    let denied = b"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>x</Message></Error></Errors></Response>";
    let vpcs = call("ec2", "DescribeVpcs", Map::new());
    let server = Server::start();
    let pages = [
        Answer::new(200, &[XML], first),
        Answer::new(403, &[XML], denied),
    ];
    let caller = caller(&server.url).await;

    server.answer_with(pages.clone());
    let parts: Vec<_> = caller.pages(&vpcs).collect().await;
    assert_eq!(parts.len(), 2);
    assert_eq!(
        parts[0].as_ref().unwrap()["Vpcs"],
        json!([{"VpcId": "vpc-1"}])
    );
    assert_eq!(parts[1].as_ref().unwrap_err().kind, ErrorKind::Denied);

    server.answer_with(pages);
    assert!(caller.call(&vpcs).await.is_err(), "half an answer is none");

    server.answer_with([
        Answer::new(200, &[XML], first),
        Answer::new(200, &[XML], first),
    ]);
    let parts: Vec<_> = caller.pages(&vpcs).collect().await;
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[1].as_ref().unwrap_err().kind, ErrorKind::Malformed);
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let server = Server::start();
    server.answer_with(vec![
        Answer::new(200, &[XML], VPCS)
            .after(Duration::from_secs(20));
        9
    ]);
    let timeouts = TimeoutConfig::builder()
        .read_timeout(Duration::from_millis(200))
        .build();
    let config = config(&server.url)
        .into_builder()
        .timeout_config(timeouts)
        .build();
    let caller = LiveCaller::new(&config, ACCOUNT).await.unwrap();
    let error = caller
        .call(&call("ec2", "DescribeVpcs", Map::new()))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::Timeout, "Timeout")
    );
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_closed_port_is_a_failed_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = caller(&url)
        .await
        .call(&call("ec2", "DescribeVpcs", Map::new()))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::Other, "ConnectionFailed"),
        "{error}"
    );
}

#[tokio::test]
async fn a_name_that_does_not_resolve_means_what_the_region_lists() {
    let nowhere = "http://no-such-host.invalid";
    for (service, operation, kind) in [
        ("ec2", "DescribeVpcs", ErrorKind::Other),
        ("route53domains", "ListDomains", ErrorKind::NotOffered),
    ] {
        let error = caller(nowhere)
            .await
            .call(&call(service, operation, Map::new()))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_str()),
            (kind, "DnsFailure"),
            "{error}"
        );
    }
}

#[derive(Debug)]
struct NoCredentials;

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("no profile `shop`")))
    }
}

#[tokio::test]
async fn credentials_that_cannot_be_had_are_named() {
    let server = Server::start();
    let provider = SharedCredentialsProvider::new(NoCredentials);
    let config = config(&server.url)
        .into_builder()
        .credentials_provider(provider)
        .build();
    let caller = LiveCaller::new(&config, ACCOUNT).await.unwrap();
    let error = caller
        .call(&call("ec2", "DescribeVpcs", Map::new()))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::Credentials, "CredentialsUnavailable")
    );
    assert!(error.message.contains("no profile `shop`"), "{error}");

    let config = aws_config::SdkConfig::builder().build();
    let error = LiveCaller::new(&config, ACCOUNT).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("account 123456789012: no credentials"),
        "{error}"
    );
}

#[tokio::test]
async fn answers_cut_short_are_malformed() {
    let server = Server::start();
    server.answer_with(vec![
        Answer::with_length(
            200,
            &[XML],
            &VPCS[..60],
            VPCS.len()
        );
        9
    ]);
    let error = ask(&server, "ec2", "DescribeVpcs", json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Malformed, "{error}");

    // Without a length to compare with, the document itself tells.
    server.answer_with(vec![Answer::new(200, &[XML], &VPCS[..60]); 9]);
    let error = ask(&server, "ec2", "DescribeVpcs", json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Malformed, "{error}");
    assert!(error.message.starts_with("XML: "), "{error}");
}

#[tokio::test]
async fn what_is_not_an_answer_is_malformed() {
    let server = Server::start();
    let page = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>";
    let plain_page = b"<html><body>Sign in to the network</body></html>";
    for (service, operation, params, body) in [
        ("ec2", "DescribeVpcs", json!({}), &page[..]),
        ("ec2", "DescribeVpcs", json!({}), plain_page),
        ("iam", "ListUsers", json!({}), plain_page),
        ("iam", "ListUsers", json!({}), b"<ListUsersResponse/>"),
        ("route53", "ListHostedZones", json!({}), plain_page),
        ("kms", "ListKeys", json!({}), plain_page),
        ("kms", "ListKeys", json!({}), b"{\"Keys\": [{\"KeyId\""),
        ("kms", "ListKeys", json!({}), b"[]"),
        ("kms", "ListKeys", json!({}), b"{\"Keys\": {}}"),
        ("lambda", "ListFunctions", json!({}), b"{\"Functions\": [{\"CodeSize\": \"big\"}]}"),
        ("rds", "DescribeDBInstances", json!({}), b"<R><DescribeDBInstancesResult><DBInstances><DBInstance><AllocatedStorage>x</AllocatedStorage></DBInstance></DBInstances></DescribeDBInstancesResult></R>"),
    ] {
        server.answer_with(vec![Answer::new(200, &[], body); 9]);
        let error = ask(&server, service, operation, params).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Malformed, "{service}: {error}");
        assert_eq!(error.status, Some(200), "{service}");
    }
}
