//! How AWS says no, in every protocol, and what is refused before it is asked.

use collect::aws::{Caller as _, ErrorKind};
use serde_json::{Map, json};

use crate::server::{Answer, Server, XML};
use crate::{ask, call, caller};

#[tokio::test]
async fn denials_in_every_protocol() {
    let server = Server::start();
    for (service, operation, params, status, body, code) in [
        (
            "ec2",
            "DescribeVpcs",
            json!({}),
            403,
            "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors><RequestID>r</RequestID></Response>",
            "UnauthorizedOperation",
        ),
        (
            "iam",
            "ListUsers",
            json!({}),
            403,
            "<ErrorResponse xmlns='urn:x'><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>",
            "AccessDenied",
        ),
        (
            "s3",
            "GetBucketAcl",
            json!({"Bucket": "b-b"}),
            403,
            "<Error><Code>AccessDenied</Code><Message>no</Message></Error>",
            "AccessDenied",
        ),
        (
            "route53",
            "ListHostedZones",
            json!({}),
            403,
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
            "AccessDenied",
        ),
        (
            "kms",
            "ListKeys",
            json!({}),
            400,
            r#"{"__type":"AccessDeniedException","Message":"no"}"#,
            "AccessDeniedException",
        ),
        (
            "dynamodb",
            "ListTables",
            json!({}),
            400,
            r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}"#,
            "AccessDeniedException",
        ),
        (
            "lambda",
            "ListFunctions",
            json!({}),
            403,
            r#"{"Code":"AccessDeniedException","Message":"no"}"#,
            "AccessDeniedException",
        ),
    ] {
        server.answer_with([Answer::new(status, &[], body.as_bytes())]);
        let error = ask(&server, service, operation, params).await.unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_str()),
            (ErrorKind::Denied, code),
            "{service}"
        );
        assert_eq!(
            (error.message.as_str(), error.status),
            ("no", Some(status)),
            "{service}"
        );
        assert_eq!(server.seen().len(), 1, "{service}: a denial is final");
    }
    let header = (
        "x-amzn-ErrorType",
        "AccessDeniedException:http://internal.amazon.com/coral/",
    );
    server.answer_with([Answer::new(403, &[header], br#"{"message":"no"}"#)]);
    let error = ask(&server, "eks", "ListClusters", json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::Denied, "AccessDeniedException")
    );
}

#[tokio::test]
async fn credentials_that_do_not_work() {
    let server = Server::start();
    for (service, operation, status, body) in [
        (
            "sts",
            "GetCallerIdentity",
            403,
            "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>expired</Message></Error></ErrorResponse>",
        ),
        (
            "ec2",
            "DescribeVpcs",
            401,
            "<Response><Errors><Error><Code>AuthFailure</Code><Message>m</Message></Error></Errors></Response>",
        ),
        (
            "kms",
            "ListKeys",
            400,
            r#"{"__type":"ExpiredTokenException","message":"expired"}"#,
        ),
        (
            "s3",
            "ListBuckets",
            403,
            "<Error><Code>InvalidAccessKeyId</Code><Message>m</Message></Error>",
        ),
    ] {
        server.answer_with([Answer::new(status, &[], body.as_bytes())]);
        let error = ask(&server, service, operation, json!({}))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Credentials, "{service}: {error}");
    }
}

#[tokio::test]
async fn codes_of_the_time_before_json() {
    let server = Server::start();
    let header = (
        "x-amzn-query-error",
        "AWS.SimpleQueueService.NonExistentQueue;Sender",
    );
    let body = br#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"gone"}"#;
    server.answer_with([Answer::new(400, &[header], body)]);
    let params = json!({"QueueUrl": "http://q", "AttributeNames": ["All"]});
    let error = ask(&server, "sqs", "GetQueueAttributes", params)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str()),
        (
            ErrorKind::NotFound,
            "AWS.SimpleQueueService.NonExistentQueue"
        )
    );
}

#[tokio::test]
async fn s3_errors_behind_a_status_of_200_are_errors() {
    let server = Server::start();
    let error = b"<Error><Code>InternalError</Code><Message>We encountered an internal error</Message></Error>";
    server.answer_with(vec![Answer::new(200, &[XML], error); 9]);
    let error = ask(&server, "s3", "ListBuckets", json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.status),
        ("InternalError", Some(200))
    );
    assert_eq!(server.seen().len(), 4, "retried like a server error");
}

#[tokio::test]
async fn a_later_page_that_fails_fails_the_call() {
    let server = Server::start();
    let page = |token: &str| {
        let body = format!(
            "<DescribeVpcsResponse><vpcSet><item><vpcId>v</vpcId></item></vpcSet><nextToken>{token}</nextToken></DescribeVpcsResponse>"
        );
        Answer::new(200, &[XML], body.as_bytes())
    };
    let denied = b"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>";
    server.answer_with([page("a"), Answer::new(403, &[XML], denied)]);
    assert_eq!(
        ask(&server, "ec2", "DescribeVpcs", json!({}))
            .await
            .unwrap_err()
            .kind,
        ErrorKind::Denied
    );

    server.answer_with([page("a"), page("b"), page("a"), page("b")]);
    let error = ask(&server, "ec2", "DescribeVpcs", json!({}))
        .await
        .unwrap_err();
    assert_eq!((error.kind, server.seen().len()), (ErrorKind::Malformed, 3));
    assert!(error.message.contains("repeated"), "{error}");
}

#[tokio::test]
async fn calls_that_make_no_sense_are_refused_before_they_are_sent() {
    let server = Server::start();
    for (service, operation, params, words) in [
        ("nosuch", "X", json!({}), "unknown service `nosuch`"),
        (
            "ec2",
            "RunInstances",
            json!({}),
            "unknown operation `RunInstances`",
        ),
        (
            "ec2",
            "DescribeVpcs",
            json!({"Nope": 1}),
            "unknown parameter `Nope`",
        ),
        (
            "s3",
            "GetBucketAcl",
            json!({}),
            "missing parameter `Bucket`",
        ),
        (
            "ec2",
            "DescribeVpcs",
            json!({"VpcIds": "vpc-1"}),
            "expected a list",
        ),
    ] {
        let error = ask(&server, service, operation, params).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Other);
        assert!(error.message.contains(words), "{error}");
    }
    assert!(server.seen().is_empty());
    let mut other = call("ec2", "DescribeVpcs", Map::new());
    other.account_id = "999999999999".to_owned();
    assert_eq!(
        caller(&server.url)
            .await
            .call(&other)
            .await
            .unwrap_err()
            .kind,
        ErrorKind::Credentials
    );
}
