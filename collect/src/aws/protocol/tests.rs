//! Answers of every protocol, from responses written by hand, and from the same responses damaged.

use serde_json::{Value, json};

use crate::aws::failure::{CallError, ErrorKind};
use crate::aws::model::model;
use crate::aws::protocol::serialize;
use crate::aws::read_response;

fn read(service: &str, operation: &str, body: &str) -> Result<Value, CallError> {
    read_response(service, operation, 200, &[], body.as_bytes())
}

/// Service, operation, body, what it means.
fn examples() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    vec![
        (
            "ec2",
            "DescribeVolumes",
            r#"<?xml version="1.0" encoding="UTF-8"?>
            <DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
              <requestId>r</requestId>
              <volumeSet><item>
                <volumeId>vol-1</volumeId><size>8</size><encrypted>false</encrypted>
                <createTime>2026-11-23T06:00:00.123Z</createTime>
                <status>newer-than-the-model</status>
                <attachmentSet/>
                <tagSet><item><key>Name</key><value>a &lt;b&gt; &amp; c</value></item><item><key>empty</key><value/></item></tagSet>
              </item></volumeSet>
            </DescribeVolumesResponse>"#,
            json!({"Volumes": [{
                "Attachments": [], "CreateTime": "2026-11-23T06:00:00.123000+00:00", "Encrypted": false, "Size": 8,
                "State": "newer-than-the-model", "VolumeId": "vol-1",
                "Tags": [{"Key": "Name", "Value": "a <b> & c"}, {"Key": "empty", "Value": ""}],
            }]}),
        ),
        (
            "iam",
            "GetAccountAuthorizationDetails",
            "<GetAccountAuthorizationDetailsResponse xmlns='https://iam.amazonaws.com/doc/2010-05-08/'>\
             <GetAccountAuthorizationDetailsResult><IsTruncated>false</IsTruncated><RoleDetailList><member>\
             <RoleName>app</RoleName><AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%7D</AssumeRolePolicyDocument>\
             <RolePolicyList><member><PolicyName>p</PolicyName><PolicyDocument>%7B%22a%22%3A%22%20%2B%22%7D</PolicyDocument></member></RolePolicyList>\
             </member></RoleDetailList><UserDetailList/></GetAccountAuthorizationDetailsResult>\
             <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetAccountAuthorizationDetailsResponse>",
            json!({"IsTruncated": false, "UserDetailList": [], "RoleDetailList": [{
                "RoleName": "app", "AssumeRolePolicyDocument": {"Version": "2012-10-17"},
                "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"a": " +"}}],
            }]}),
        ),
        (
            "iam",
            "GetAccountSummary",
            "<R><GetAccountSummaryResult><SummaryMap><entry><key>Users</key><value>3</value></entry>\
             <entry><key>AccountMFAEnabled</key><value>0</value></entry></SummaryMap></GetAccountSummaryResult></R>",
            json!({"SummaryMap": {"Users": 3, "AccountMFAEnabled": 0}}),
        ),
        (
            "s3",
            "GetBucketAcl",
            r#"<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>o</ID></Owner><AccessControlList>
             <Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>u</URI></Grantee>
             <Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"#,
            json!({"Owner": {"ID": "o"}, "Grants": [{"Grantee": {"Type": "Group", "URI": "u"}, "Permission": "READ"}]}),
        ),
        (
            "s3",
            "GetBucketLocation",
            "<LocationConstraint xmlns='x'>eu-west-1</LocationConstraint>",
            json!({"LocationConstraint": "eu-west-1"}),
        ),
        (
            "s3",
            "GetBucketLocation",
            "<LocationConstraint xmlns='x'/>",
            json!({"LocationConstraint": null}),
        ),
        (
            "s3",
            "GetBucketPolicy",
            r#"{"Statement":[]}"#,
            json!({"Policy": r#"{"Statement":[]}"#}),
        ),
        (
            "route53",
            "ListResourceRecordSets",
            "<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet><Name>a.</Name><Type>A</Type><TTL>86400</TTL>\
             <ResourceRecords><ResourceRecord><Value>10.0.0.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>\
             </ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems></ListResourceRecordSetsResponse>",
            json!({"IsTruncated": false, "MaxItems": "300", "ResourceRecordSets": [
                {"Name": "a.", "Type": "A", "TTL": 86400, "ResourceRecords": [{"Value": "10.0.0.1"}]},
            ]}),
        ),
        (
            "kms",
            "DescribeKey",
            r#"{"KeyMetadata":{"KeyId":"k","CreationDate":1795413600.5,"Enabled":true,"Newer":{"x":1},"Description":null}}"#,
            json!({"KeyMetadata": {"KeyId": "k", "CreationDate": "2026-11-23T06:00:00.500000+00:00", "Enabled": true}}),
        ),
        (
            "lambda",
            "ListFunctions",
            r#"{"Functions":[{"FunctionName":"f","CodeSize":12.0,"Timeout":"3","Environment":{"Variables":{"A":"b"}},"Layers":[]}],"NextMarker":null}"#,
            json!({"Functions": [{"FunctionName": "f", "CodeSize": 12, "Timeout": 3, "Environment": {"Variables": {"A": "b"}}, "Layers": []}]}),
        ),
        ("sqs", "ListQueues", "{}", json!({})),
        ("kms", "ListResourceTags", "", json!({})),
    ]
}

#[test]
fn answers_become_what_the_cli_prints() {
    for (service, operation, body, expected) in examples() {
        assert_eq!(
            read(service, operation, body).unwrap(),
            expected,
            "{service} {operation}"
        );
    }
}

#[test]
fn members_keep_the_order_of_the_model() {
    let body = r#"{"KeyMetadata":{"Enabled":true,"KeyId":"k","AWSAccountId":"a"}}"#;
    let text = read("kms", "DescribeKey", body).unwrap().to_string();
    assert_eq!(
        text,
        r#"{"KeyMetadata":{"AWSAccountId":"a","KeyId":"k","Enabled":true}}"#
    );
}

/// Cutting a document leaves no document; `GetBucketPolicy` alone takes any text.
#[test]
fn answers_cut_anywhere_are_malformed() {
    for (service, operation, body, _) in examples() {
        let last = body.trim_end().len();
        let cuts = (1..last).filter(|cut| body.is_char_boundary(*cut));
        for cut in cuts.filter(|_| operation != "GetBucketPolicy") {
            let error = read(service, operation, &body[..cut]).expect_err(operation);
            assert_eq!(
                error.kind,
                ErrorKind::Malformed,
                "{service} {operation} cut at {cut}"
            );
        }
    }
}

/// A generator with a fixed seed (Marsaglia's xorshift), so that a failure repeats.
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn damaged_answers_never_panic() {
    let pieces: &[&[u8]] = &[
        b"",
        b"<",
        b">",
        b"</",
        b"/>",
        b"&",
        b";",
        b"\"",
        b"'",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"null",
        b"1e999",
        b"-",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"<?",
        b"<!DOCTYPE a>",
        b"&#xFFFFFFFF;",
        b"\xff\xfe",
        b"\0",
        b"%",
        b"99999999999999999999",
    ];
    let mut draws = Draws(0x5eed);
    let mut read_anyway = 0;
    for (service, operation, body, _) in examples() {
        for _ in 0..2_000 {
            let mut damaged = body.as_bytes().to_vec();
            for _ in 0..=draws.below(3) {
                let start = draws.below(damaged.len() + 1);
                let end = (start + draws.below(12)).min(damaged.len());
                let piece = pieces[draws.below(pieces.len())];
                damaged.splice(start..end, piece.iter().copied());
            }
            let status = [200, 200, 200, 403, 503][draws.below(5)];
            read_anyway +=
                usize::from(read_response(service, operation, status, &[], &damaged).is_ok());
        }
    }
    // Some damage hits white space or text; if all or none were read, this would test nothing.
    assert!((100..12_000).contains(&read_anyway), "{read_anyway}");
}

#[test]
fn nesting_without_end_is_malformed() {
    let deep = "[".repeat(100_000);
    assert_eq!(
        read("kms", "ListKeys", &deep).unwrap_err().kind,
        ErrorKind::Malformed
    );
    let deep = format!("<DescribeVpcsResponse>{}", "<vpcSet>".repeat(100_000));
    assert_eq!(
        read("ec2", "DescribeVpcs", &deep).unwrap_err().kind,
        ErrorKind::Malformed
    );
}

#[test]
fn errors_name_the_place() {
    let body = r#"{"KeyMetadata":{"CreationDate":"yesterday"}}"#;
    let error = read("kms", "DescribeKey", body).unwrap_err();
    assert_eq!(
        error.message,
        r#"KeyMetadata: CreationDate: expected a timestamp, got "yesterday""#
    );
    let body = "<DescribeVolumesResponse><volumeSet><item><size>big</size></item></volumeSet></DescribeVolumesResponse>";
    let error = read("ec2", "DescribeVolumes", body).unwrap_err();
    assert_eq!(
        error.message,
        r#"Volumes: [0]: Size: expected an integer, got "big""#
    );
}

#[test]
fn headers_are_members_too() {
    let headers = [("etag".to_owned(), "E1".to_owned())];
    let body = b"<DistributionConfig><Comment>c</Comment></DistributionConfig>";
    let answer = read_response("cloudfront", "GetDistributionConfig", 200, &headers, body).unwrap();
    assert_eq!(
        answer,
        json!({"ETag": "E1", "DistributionConfig": {"Comment": "c"}})
    );
}

#[test]
fn unions_have_one_member_or_say_which_they_do_not_know() {
    let read = |configuration: &str| {
        let body = format!(r#"{{"analyzers":[{{"configuration":{configuration}}}]}}"#);
        read("accessanalyzer", "ListAnalyzers", &body)
    };
    let known = read(r#"{"unusedAccess":{"unusedAccessAge":90}}"#).unwrap();
    assert_eq!(
        known["analyzers"][0]["configuration"],
        json!({"unusedAccess": {"unusedAccessAge": 90}})
    );
    let newer = read(r#"{"brandNew":{}}"#).unwrap();
    assert_eq!(
        newer["analyzers"][0]["configuration"],
        json!({"SDK_UNKNOWN_MEMBER": {"name": "brandNew"}})
    );
    assert_eq!(read("{}").unwrap_err().kind, ErrorKind::Malformed);
}

fn request(service: &str, operation: &str, params: Value) -> String {
    let model = model(service).unwrap();
    let params = params.as_object().unwrap();
    let request = serialize(
        model,
        operation,
        model.operation(operation).unwrap(),
        params,
    )
    .unwrap();
    let body = String::from_utf8(request.body).unwrap();
    format!("{} {} {body}", request.method, request.path_and_query)
}

#[test]
fn requests_are_written_by_each_protocols_rules() {
    assert_eq!(
        request(
            "ec2",
            "DescribeVpcs",
            json!({"VpcIds": ["v1", "v2"], "Filters": [{"Name": "a b", "Values": ["c&d"]}], "DryRun": false})
        ),
        "POST / Action=DescribeVpcs&Version=2016-11-15&VpcId.1=v1&VpcId.2=v2&Filter.1.Name=a%20b&Filter.1.Value.1=c%26d&DryRun=false"
    );
    assert_eq!(
        request("elbv2", "DescribeTags", json!({"ResourceArns": ["a", "b"]})),
        "POST / Action=DescribeTags&Version=2015-12-01&ResourceArns.member.1=a&ResourceArns.member.2=b"
    );
    assert_eq!(
        request("kms", "ListKeys", json!({"Limit": 2})),
        r#"POST / {"Limit":2}"#
    );
    assert_eq!(
        request(
            "route53",
            "ListResourceRecordSets",
            json!({"HostedZoneId": "/hostedzone/Z1", "MaxItems": "2"})
        ),
        "GET /2013-04-01/hostedzone/Z1/rrset?maxitems=2 "
    );
    assert_eq!(
        request("s3", "GetBucketAcl", json!({"Bucket": "b/../c"})),
        "GET /b%2F..%2Fc?acl "
    );
    assert_eq!(
        request(
            "lambda",
            "ListTags",
            json!({"Resource": "arn:aws:lambda:x:1:function:f"})
        ),
        "GET /2017-03-31/tags/arn%3Aaws%3Alambda%3Ax%3A1%3Afunction%3Af "
    );
}
