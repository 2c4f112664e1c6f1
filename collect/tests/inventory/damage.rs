//! What accounts hold that is not as one expects: regions that are off, calls that a policy of the organization
//! denies, resources that go away meanwhile, odd tags, other partitions.

use std::collections::BTreeMap;
use std::path::Path;

use fixtures::Moto;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::tool::{Ran, collect, record, rows, run, write};
use fixtures::gate::{Gate, Refusal};

fn inventory(moto: &Moto, endpoint: &str, lake: &Path, arguments: &[&str]) -> Ran {
    let mut command = collect();
    command.arg("inventory").args(arguments);
    command.arg("--lake").arg(lake);
    command
        .envs(moto.environment())
        .env("AWS_ENDPOINT_URL", endpoint);
    run(&mut command)
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn a_region_that_is_not_enabled_is_left_out_unless_it_is_asked_for() {
    let moto = Moto::start();
    let lake = TempDir::new().unwrap();
    // moto has never opted in to Hong Kong.
    let asked = ["--table", "aws_ec2_vpc", "--region", "ap-east-1"];
    let ran = inventory(&moto, &moto.url(), lake.path(), &asked);
    assert_eq!(ran.code, 2, "{}", ran.err);
    let lines: Vec<&str> = ran.err.lines().collect();
    assert_eq!(
        lines[0],
        "error: \"ap-east-1\" is not an enabled region of account 111122223333"
    );
    assert!(
        lines[1].starts_with("hint: enable it first") && !lines[1].contains("ap-east-1"),
        "{}",
        ran.err
    );
    assert_eq!(lines.len(), 2, "{}", ran.err);

    let ran = inventory(&moto, &moto.url(), lake.path(), &["--table", "aws_ec2_vpc"]);
    let vpcs = rows(&ran, lake.path(), "aws_ec2_vpc", &["region"]);
    assert!(vpcs.contains(&vec![some("eu-west-1")]), "{vpcs:?}");
    assert!(!vpcs.contains(&vec![some("ap-east-1")]), "{vpcs:?}");
    let places = record(&ran)["tables"].clone();
    let asked = |region: &str| {
        let mut places = places.as_array().unwrap().iter();
        places.any(|place| place["region"] == region)
    };
    assert!(asked("eu-west-1") && !asked("ap-east-1"), "{places}");
}

#[test]
fn a_service_control_policy_that_denies_one_call_costs_one_table() {
    let moto = Moto::start();
    let lake = TempDir::new().unwrap();
    let message = "You are not authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/inventory/collect \
        is not authorized to perform: ec2:DescribeVolumes with an explicit deny in a service control policy";
    let refusal = Refusal {
        of: vec!["Action=DescribeVolumes&".to_owned()],
        status: "403 Forbidden",
        body: format!(
            "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>{message}</Message></Error></Errors></Response>"
        ),
    };
    let url = Gate::refusing(&moto, refusal).url();
    let asked = [
        "--region",
        "eu-west-1",
        "--table",
        "aws_ec2_volume",
        "--table",
        "aws_ec2_vpc",
    ];
    let ran = inventory(&moto, &url, lake.path(), &asked);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let columns = [
        "table_name",
        "region",
        "operation",
        "kind",
        "code",
        "message",
    ];
    assert_eq!(
        rows(&ran, lake.path(), "collect_errors", &columns),
        [[
            "aws_ec2_volume",
            "eu-west-1",
            "DescribeVolumes",
            "denied",
            "UnauthorizedOperation",
            message
        ]
        .map(some)]
    );
    assert_eq!(rows(&ran, lake.path(), "aws_ec2_vpc", &["arn"]).len(), 1);
    assert!(
        ran.err.contains(
            "warning: aws_ec2_volume: ec2:DescribeVolumes denied in 111122223333/eu-west-1"
        ),
        "{}",
        ran.err
    );
}

#[test]
fn regions_that_may_not_be_listed_are_taken_as_asked() {
    let moto = Moto::start();
    let lake = TempDir::new().unwrap();
    let refusal = Refusal {
        of: vec!["Action=DescribeRegions&".to_owned()],
        status: "403 Forbidden",
        body: "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>denied</Message></Error></Errors></Response>".to_owned(),
    };
    let url = Gate::refusing(&moto, refusal).url();
    let vpcs = |regions: &[&str]| {
        let asked = [&["--table", "aws_ec2_vpc"], regions].concat();
        inventory(&moto, &url, lake.path(), &asked)
    };
    let ran = vpcs(&["--region", "eu-west-1"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(rows(&ran, lake.path(), "aws_ec2_vpc", &["arn"]).len(), 1);
    for regions in [&[][..], &["--region", "eu-nowhere-1"]] {
        let ran = vpcs(regions);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(
            ran.err.contains("ec2:DescribeRegions failed"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn what_goes_away_between_listing_and_detail_keeps_its_row_and_fails_nothing() {
    let moto = Moto::start();
    moto.python(
        "import boto3\nsqs = boto3.client('sqs')\nfor name in ('gone', 'there'): sqs.create_queue(QueueName=name, tags={'Owner': 'o'})\n",
    );
    let lake = TempDir::new().unwrap();
    let refusal = Refusal {
        of: vec!["/gone\"".to_owned()],
        status: "400 Bad Request",
        body: r#"{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "The specified queue does not exist."}"#.to_owned(),
    };
    let url = Gate::refusing(&moto, refusal).url();
    let asked = ["--region", "eu-west-1", "--table", "aws_sqs_queue"];
    let ran = inventory(&moto, &url, lake.path(), &asked);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err
            .contains("note: aws_sqs_queue: sqs:GetQueueAttributes of ")
            && ran.err.contains("found nothing any more"),
        "{}",
        ran.err
    );
    assert_eq!(record(&ran)["status"], "complete");
    let mut found = BTreeMap::new();
    let columns = ["name", "visibility_timeout_seconds", "tags", "incomplete"];
    for file in record(&ran)["files"].as_array().unwrap() {
        if file["table"] == "aws_sqs_queue" {
            let path = lake.path().join(file["path"].as_str().unwrap());
            let rows = handoff::table::read("aws_sqs_queue", &path, &columns).unwrap();
            rows.for_each(|row| {
                let told = (
                    row.int(columns[1]),
                    row.map("tags").is_some(),
                    row.list("incomplete"),
                );
                found.insert(row.string("name"), told);
                Ok::<_, handoff::table::TableError>(())
            })
            .unwrap();
        }
    }
    let missing = ["GetQueueAttributes", "ListQueueTags"].map(str::to_owned);
    // Its tags are known from the sweep over the tags of all services.
    assert_eq!(found["gone"], (None, true, Some(missing.to_vec())));
    assert_eq!(found["there"], (Some(30), true, Some(vec![])));
    let errors = rows(
        &ran,
        lake.path(),
        "collect_errors",
        &["kind", "resource_arn"],
    );
    let gone = ["not_found", "arn:aws:sqs:eu-west-1:111122223333:gone"].map(some);
    assert_eq!(errors, [gone.clone(), gone]);
}

/// A recording of one account in one partition.
fn recorded(regions: &[&str], files: &[(&str, Value)]) -> TempDir {
    let header = json!({"recorded_at": "2026-11-16T06:00:00Z", "accounts": [{"account_id": "111122223333", "regions": regions}]});
    let folder = TempDir::new().unwrap();
    let texts: Vec<(&str, String)> = files
        .iter()
        .map(|(path, answer)| (*path, answer.to_string()))
        .collect();
    let mut written: Vec<(&str, &str)> = texts
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let header = header.to_string();
    written.push(("recording.json", &header));
    write(folder.path(), &written);
    folder
}

fn replay(recording: &TempDir, lake: &TempDir, tables: &[&str]) -> Ran {
    let mut command = collect();
    command.args(["inventory", "--from"]).arg(recording.path());
    command.arg("--lake").arg(lake.path());
    for table in tables {
        command.args(["--table", table]);
    }
    run(&mut command)
}

#[test]
fn a_zone_that_went_away_takes_its_records_with_it_and_nothing_else() {
    let zones = json!({"HostedZones": [{"Id": "/hostedzone/Z1", "Name": "a."}, {"Id": "/hostedzone/Z2", "Name": "b."}]});
    let records = json!({"ResourceRecordSets": [{"Name": "a.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}]});
    let gone = json!({"Error": {"Code": "NoSuchHostedZone", "Message": "No hosted zone found with ID: Z2"}});
    let recording = recorded(
        &["us-east-1"],
        &[
            (
                "us-east-1/resourcegroupstaggingapi-get-resources.json",
                json!({"ResourceTagMappingList": []}),
            ),
            ("us-east-1/route53-list-hosted-zones.json", zones),
            (
                "us-east-1/route53-list-resource-record-sets/Z1.json",
                records,
            ),
            ("us-east-1/route53-list-resource-record-sets/Z2.json", gone),
        ],
    );
    let lake = TempDir::new().unwrap();
    let ran = replay(&recording, &lake, &["aws_route53_record"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        rows(&ran, lake.path(), "aws_route53_record", &["name"]),
        [[some("a.")]]
    );
    assert_eq!(
        rows(
            &ran,
            lake.path(),
            "collect_errors",
            &["kind", "resource_arn", "resource_id"]
        ),
        [["not_found", "arn:aws:route53:::hostedzone/Z2", "Z2"].map(some)]
    );
}

#[test]
fn a_trail_is_a_row_where_it_was_made_and_seen_wherever_it_records() {
    let trail = |account: &str, home: &str, name: &str| {
        json!({"Name": name, "TrailARN": format!("arn:aws:cloudtrail:{home}:{account}:trail/{name}"), "HomeRegion": home,
            "IsMultiRegionTrail": true, "IsOrganizationTrail": name == "org"})
    };
    // A member account sees the trail of its organization, which the management account has made.
    let own = trail("111122223333", "eu-west-1", "own");
    let answer = json!({"trailList": [own, trail("444455556666", "us-east-1", "org")]});
    let status = |logging: bool| json!({"IsLogging": logging});
    let org = "cloudtrail-get-trail-status/arn%3Aaws%3Acloudtrail%3Aus-east-1%3A444455556666%3Atrail%2Forg.json";
    let recording = recorded(
        &["eu-west-1", "us-east-1"],
        &[
            ("eu-west-1/cloudtrail-describe-trails.json", answer.clone()),
            ("us-east-1/cloudtrail-describe-trails.json", answer),
            (&format!("us-east-1/{org}"), status(true)),
        ],
    );
    let lake = TempDir::new().unwrap();
    let ran = replay(&recording, &lake, &["aws_cloudtrail_*"]);
    let trails = rows(
        &ran,
        lake.path(),
        "aws_cloudtrail_trail",
        &["region", "trail_name"],
    );
    assert_eq!(trails, [["eu-west-1", "own"].map(some)]);
    let resources = rows(&ran, lake.path(), "resources", &["arn"]);
    assert_eq!(
        resources,
        [[some("arn:aws:cloudtrail:eu-west-1:111122223333:trail/own")]]
    );
    let seen = rows(
        &ran,
        lake.path(),
        "aws_cloudtrail_trail_by_region",
        &["region", "trail_name"],
    );
    let mut expected = Vec::new();
    for region in ["eu-west-1", "us-east-1"] {
        expected.extend([[region, "own"].map(some), [region, "org"].map(some)]);
    }
    assert_eq!(seen, expected);
}

#[test]
fn tags_that_differ_in_case_only_are_two_tags() {
    let tags = json!([{"Key": "owner", "Value": "a"}, {"Key": "Owner", "Value": "b"}, {"Key": "OWNER", "Value": ""}]);
    let vpcs = json!({"Vpcs": [{"VpcId": "vpc-1", "Tags": tags}]});
    let recording = recorded(
        &["eu-west-1"],
        &[("eu-west-1/ec2-describe-vpcs.json", vpcs)],
    );
    let lake = TempDir::new().unwrap();
    let ran = replay(&recording, &lake, &["aws_ec2_vpc"]);
    for table in ["aws_ec2_vpc", "resources"] {
        let record = record(&ran);
        let mut files = record["files"].as_array().unwrap().iter();
        let file = files.find(|file| file["table"] == table).unwrap();
        let path = lake.path().join(file["path"].as_str().unwrap());
        let rows = handoff::table::read(table, &path, &["tags"]).unwrap();
        rows.for_each(|row| {
            let tags = row.map("tags").unwrap();
            let tags: Vec<(&str, &str)> =
                tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            assert_eq!(
                tags,
                [("OWNER", ""), ("Owner", "b"), ("owner", "a")],
                "{table}"
            );
            Ok::<_, handoff::table::TableError>(())
        })
        .unwrap();
    }
}

#[test]
fn arns_are_of_the_partition_that_the_account_is_in() {
    for (partition, region, main, suffix) in [
        ("aws-cn", "cn-north-1", "cn-northwest-1", "amazonaws.com.cn"),
        (
            "aws-us-gov",
            "us-gov-east-1",
            "us-gov-west-1",
            "amazonaws.com",
        ),
    ] {
        let role = format!("arn:{partition}:iam::111122223333:role/app");
        let key = format!("arn:{partition}:kms:{region}:111122223333:key/k");
        let function = format!("arn:{partition}:lambda:{region}:111122223333:function:f");
        let files = [
            (
                format!("{region}/ec2-describe-volumes.json"),
                json!({"Volumes": [{"VolumeId": "vol-1", "KmsKeyId": key}]}),
            ),
            (
                format!("{region}/kms-list-keys.json"),
                json!({"Keys": [{"KeyId": "k", "KeyArn": key}]}),
            ),
            (
                format!("{region}/lambda-list-functions.json"),
                json!({"Functions": [{"FunctionName": "f", "FunctionArn": function, "Role": role}]}),
            ),
            (
                format!("{main}/iam-get-account-authorization-details.json"),
                json!({"RoleDetailList": [{"RoleName": "app", "Arn": role}]}),
            ),
            (
                format!("{main}/s3-list-buckets.json"),
                json!({"Buckets": [{"Name": "site"}]}),
            ),
            (
                format!("{main}/s3-get-bucket-location/site.json"),
                json!({"LocationConstraint": region}),
            ),
            (
                format!("{main}/route53-list-hosted-zones.json"),
                json!({"HostedZones": [{"Id": "/hostedzone/Z1", "Name": "a."}]}),
            ),
            (
                format!("{main}/route53-list-resource-record-sets/Z1.json"),
                json!({"ResourceRecordSets": [
                {"Name": "www.a.", "Type": "CNAME", "ResourceRecords": [{"Value": format!("site.s3.{region}.{suffix}")}]}]}),
            ),
        ];
        let files: Vec<(&str, Value)> = files
            .iter()
            .map(|(path, answer)| (path.as_str(), answer.clone()))
            .collect();
        let recording = recorded(&[region, main], &files);
        let lake = TempDir::new().unwrap();
        let ran = replay(&recording, &lake, &[]);
        let arns = rows(&ran, lake.path(), "resources", &["arn"]);
        assert_eq!(arns.len(), 6, "{arns:?}");
        let prefix = format!("arn:{partition}:");
        assert!(
            arns.iter()
                .all(|arn| arn[0].as_ref().unwrap().starts_with(&prefix)),
            "{arns:?}"
        );
        let found = rows(
            &ran,
            lake.path(),
            "relationships",
            &["kind", "from_arn", "to_arn"],
        );
        let volume = format!("{prefix}ec2:{region}:111122223333:volume/vol-1");
        for (kind, from, to) in [
            (
                "alias_of",
                format!("{prefix}route53:::hostedzone/Z1"),
                format!("{prefix}s3:::site"),
            ),
            ("encrypted_with", volume, key),
            ("runs_as", function, role),
        ] {
            assert!(
                found.contains(&vec![some(kind), Some(from), Some(to)]),
                "{kind} of {partition}: {found:?}"
            );
        }
    }
}
