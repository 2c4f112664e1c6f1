"""Who watches: the trails of data and of development, alarms of the account, and services that were switched on in one region."""

from .compute import INSTANCES
from .fleet import INSTANCES as LATER_INSTANCES
from .logs import event_selectors
from .messaging import FUNCTIONS as LATER_FUNCTIONS
from .serverless import FUNCTIONS
from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION, account_arn, ec2_arn, iam_arn, pairs, tags

HERE = f"{MAIN_REGION}:{ACCOUNT_ID}"
DETECTOR = "0ac7e4b19d2f4863a5b0c7d1e92f3846"
ANALYZER = f"arn:aws:access-analyzer:{HERE}:analyzer/ax11_outside_platform"
SCANNED = "2026-11-15T21:30:00+00:00"
# name: (tags, days; None: forever)
LOG_GROUPS = {
    "/cloudtrail/data": (tags("g93_data-trail_platform", importance="high", dr="none"), 400),
    "/ecs/shipping": (tags("g94_tasks_shipping", importance="medium", dr="none"), 400),
    "/apigateway/mobile": (tags("g95_api_mobile", importance="high", dr="none"), 400),
    "/states/reporting": (tags("g96_nightly_reporting", importance="low", dr="none"), 400),
    "/codebuild/shop": (tags("g97_build_platform", importance="low", dr="none"), 30),
    "aws-waf-logs-shop": (tags("g98_waf_platform", importance="high", dr="none"), 400),
    **{
        f"/aws/lambda/{name}": (
            tags(f"g{61 + number}_{name.split('_')[1]}-log_{name.split('_')[2]}", importance="low", dr="none"),
            400,
        )
        for number, name in enumerate(LATER_FUNCTIONS)
    },
}
# Two of the events that ought to ring, from the trail that is sent to CloudWatch.
FILTERS = {
    "root-used": '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }',
    "console-without-mfa": '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && '
    '($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }',
}
# alarm: (namespace, metric, dimension, value of the dimension, compared with)
ALARMS = {
    "parcels-cpu": ("AWS/RDS", "CPUUtilization", "DBClusterIdentifier", "d61-parcels-shipping"),
    "parcels-connections": ("AWS/RDS", "DatabaseConnections", "DBClusterIdentifier", "d61-parcels-shipping"),
    "parcels-storage": ("AWS/RDS", "FreeLocalStorage", "DBClusterIdentifier", "d61-parcels-shipping"),
    "ledger-cpu": ("AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", "d21-ledger-payments"),
    "ledger-connections": ("AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", "d21-ledger-payments"),
    "sessions-memory-1": ("AWS/ElastiCache", "FreeableMemory", "CacheClusterId", "c21-sessions-mobile-001"),
    "sessions-memory-2": ("AWS/ElastiCache", "FreeableMemory", "CacheClusterId", "c21-sessions-mobile-002"),
    "mobile-5xx": ("AWS/ApiGateway", "5XXError", "ApiName", "ag11_api_mobile"),
    "session-errors": ("AWS/Lambda", "Errors", "FunctionName", "f41_session_mobile"),
}
# Databases that no alarm with an action watches.
UNWATCHED = (
    "d01_orders_checkout d11_products_catalog d12_products_catalog d13_products_catalog d31_events_analytics d41_tickets_backoffice "
    "d51_orders_checkout d52_tickets_backoffice d71_messages_notifications d81_related_catalog"
).split()


def build(shop):
    trails(shop)
    logs(shop)
    alarms(shop)
    guard(shop)
    inspector(shop)
    others(shop)
    for name in ("shop-prod-media", "shop-dr-backups"):
        shop.fault("trail-data-events", f"arn:aws:s3:::{name}", "critical, and no trail records its objects")
    shop.fault("cis-alarms", account_arn(), "two of the events ring, the others don't")
    shop.fault(
        "assessment-record-stale", account_arn(), "of the critical systems, payments alone was assessed within a year"
    )
    shop.fault("critical-no-alarm", shop.ids["alb-identity"], "critical, and no alarm watches it")
    for name in UNWATCHED:
        shop.fault("db-no-alarm", shop.ids[name], "no alarm watches it")
    shop.fault("log-group-retention", f"arn:aws:logs:{HERE}:log-group:/codebuild/shop", "30 days")


def trails(shop):
    """One for what happens inside buckets, signed, encrypted and sent to CloudWatch; one of development."""
    shop.at("2026-07-06T11:00:00Z")
    for name, bucket, region, scheme, kept in (
        (
            "shop-data",
            "shop-data-trail",
            MAIN_REGION,
            tags("j03_data-trail_platform", importance="high", dr="none"),
            True,
        ),
        (
            "shop-dev",
            "shop-dev-trail",
            GLOBAL_REGION,
            tags("j04_trail_platform", importance="low", dr="none", env="dev"),
            False,
        ),
    ):
        wanted = {}
        if kept:
            group = f"arn:aws:logs:{HERE}:log-group:/cloudtrail/data:*"
            wanted = {
                "KmsKeyId": shop.ids["key-shop"],
                "CloudWatchLogsLogGroupArn": group,
                "CloudWatchLogsRoleArn": shop.ids["role-trail-logs"],
            }
            shop.client("logs").create_log_group(
                logGroupName="/cloudtrail/data", tags=LOG_GROUPS["/cloudtrail/data"][0]
            )
        cloudtrail = shop.client("cloudtrail", region)
        shop.ids[name] = cloudtrail.create_trail(
            Name=name,
            S3BucketName=bucket,
            IncludeGlobalServiceEvents=True,
            IsMultiRegionTrail=False,
            EnableLogFileValidation=kept,
            TagsList=pairs(scheme),
            **wanted,
        )["TrailARN"]
        cloudtrail.start_logging(Name=name)
        shop.sweep(shop.ids[name], scheme, region)
    selector = {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [
            {
                "Type": "AWS::S3::Object",
                "Values": ["arn:aws:s3:::shop-prod-backups/", "arn:aws:s3:::shop-prod-reports/"],
            }
        ],
        "ExcludeManagementEventSources": [],
    }
    answer = {"TrailARN": shop.ids["shop-data"], "EventSelectors": [selector]}
    shop.correct(
        "cloudtrail",
        "GetEventSelectors",
        lambda shop, region, parameter, given: (
            answer if parameter == shop.ids["shop-data"] else event_selectors(shop, region, parameter, given)
        ),
    )
    dev = shop.ids["shop-dev"]
    for check, why in (
        ("trail-validation", "log file validation is off"),
        ("trail-kms", "no key of our own"),
        ("trail-cwl", "not sent to CloudWatch Logs"),
    ):
        shop.fault(check, dev, why)


def logs(shop):
    client = shop.client("logs")
    for name, (scheme, days) in LOG_GROUPS.items():
        if name != "/cloudtrail/data":
            client.create_log_group(logGroupName=name, tags=scheme)
        client.put_retention_policy(logGroupName=name, retentionInDays=days)
    us = shop.client("logs", GLOBAL_REGION)
    for name in ("/aws/route53/example.org", "aws-waf-logs-films"):
        us.create_log_group(logGroupName=name, tags=tags("g99_edge-logs_media", importance="medium", dr="none"))
        us.put_retention_policy(logGroupName=name, retentionInDays=400)
    shop.client("ec2", GLOBAL_REGION).create_flow_logs(
        ResourceIds=[shop.ids["dr-vpc"]],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::shop-prod-logs",
        TagSpecifications=[
            {
                "ResourceType": "vpc-flow-log",
                "Tags": pairs(tags("n66_standby-flow-logs_platform", importance="medium", dr="none")),
            }
        ],
    )


def alarms(shop):
    cloudwatch = shop.client("cloudwatch")
    for name, pattern in FILTERS.items():
        shop.client("logs").put_metric_filter(
            logGroupName="/cloudtrail/data",
            filterName=name,
            filterPattern=pattern,
            metricTransformations=[{"metricName": name, "metricNamespace": "shop/account", "metricValue": "1"}],
        )
        put_alarm(shop, cloudwatch, name, "shop/account", name, [], "Sum", 1)
    for name, (namespace, metric, dimension, value) in ALARMS.items():
        put_alarm(shop, cloudwatch, name, namespace, metric, [{"Name": dimension, "Value": value}], "Average", 80)


def put_alarm(shop, cloudwatch, name, namespace, metric, dimensions, statistic, threshold):
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        MetricName=metric,
        Dimensions=dimensions,
        Statistic=statistic,
        Period=300,
        EvaluationPeriods=1,
        Threshold=threshold,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        ActionsEnabled=True,
        AlarmActions=[shop.ids["topic"]],
    )


def guard(shop):
    """GuardDuty saw the stolen key at work; its finding waited for Monday, as nobody had been told where to look."""
    shop.answer("guardduty", "ListDetectors", {"DetectorIds": [DETECTOR]})
    scheme = tags("gd11_detector_platform", importance="high", dr="none")
    arn = f"arn:aws:guardduty:{HERE}:detector/{DETECTOR}"
    detector = {
        "CreatedAt": "2026-09-07T09:00:00.000Z",
        "FindingPublishingFrequency": "SIX_HOURS",
        "ServiceRole": f"arn:aws:iam::{ACCOUNT_ID}:role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty",
        "Status": "ENABLED",
        "UpdatedAt": "2026-09-07T09:00:00.000Z",
        "Tags": scheme,
        "Features": [
            {"Name": name, "Status": "ENABLED"} for name in ("CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS", "S3_DATA_EVENTS")
        ],
    }
    shop.answer("guardduty", "GetDetector", detector, DETECTOR)
    shop.sweep(arn, scheme)
    iam = shop.client("iam")
    key = iam.list_access_keys(UserName="deploy-mobile")["AccessKeyMetadata"][0]["AccessKeyId"]
    user = {
        "AccessKeyId": key,
        "PrincipalId": iam.get_user(UserName="deploy-mobile")["User"]["UserId"],
        "UserName": "deploy-mobile",
        "UserType": "IAMUser",
    }
    rows = (
        finding(
            "7ec1f08a36d94b52",
            "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom",
            8.0,
            "API DeleteHostedZone was invoked from an address on a custom threat list.",
            {"ResourceType": "AccessKey", "AccessKeyDetails": user},
            "2026-11-15T22:51:00.000Z",
        ),
        finding(
            "b25d47c1e09f4a38",
            "Recon:EC2/PortProbeUnprotectedPort",
            5.0,
            "An unprotected port of an instance is being probed.",
            {"ResourceType": "Instance", "InstanceDetails": {"InstanceId": shop.ids["b01_bastion_platform"]}},
            "2026-11-14T03:12:00.000Z",
        ),
    )
    shop.answer("guardduty", "ListFindings", {"FindingIds": [row["Id"] for row in rows]}, DETECTOR)
    shop.answer("guardduty", "GetFindings", {"Findings": list(rows)})
    shop.fault("guardduty-high-open", iam_arn("user", "deploy-mobile"), "the stolen key, seen on Sunday evening")


def finding(identifier, kind, severity, title, resource, seen):
    return {
        "AccountId": ACCOUNT_ID,
        "Arn": f"arn:aws:guardduty:{HERE}:detector/{DETECTOR}/finding/{identifier}",
        "CreatedAt": seen,
        "Description": title,
        "Id": identifier,
        "Partition": "aws",
        "Region": MAIN_REGION,
        "Resource": resource,
        "SchemaVersion": "2.0",
        "Service": {
            "Archived": False,
            "Count": 3,
            "DetectorId": DETECTOR,
            "EventFirstSeen": seen,
            "EventLastSeen": seen,
            "ResourceRole": "TARGET",
            "ServiceName": "guardduty",
        },
        "Severity": severity,
        "Title": title,
        "Type": kind,
        "UpdatedAt": seen,
    }


def inspector(shop):
    """Covers what it can; one critical machine has no agent that answers, another was last scanned in August."""
    for name, *_ in [*INSTANCES, *LATER_INSTANCES]:
        if name and name != "a11_api_identity":
            stale, broken = name == "e01_etl_analytics", name == "a12_api_identity"
            moment = "2026-08-20T21:30:00+00:00" if stale else SCANNED
            cover(shop, shop.ids[name], "AWS_EC2_INSTANCE", "PACKAGE", moment, "NO_INVENTORY" if broken else None)
    for name in (*FUNCTIONS, *LATER_FUNCTIONS):
        cover(shop, f"{shop.ids[name]}:$LATEST", "AWS_LAMBDA_FUNCTION", "PACKAGE", SCANNED, None)
    for name in ("rp11_labels_shipping", "rp13_base_platform"):
        cover(shop, shop.ids[name], "AWS_ECR_REPOSITORY", "PACKAGE", SCANNED, None)
    image = f"{shop.ids['rp12_tracking_shipping']}/sha256:" + "7c" * 32
    for number, (resource, kind, package, exploit) in enumerate(
        (
            (shop.ids["e01_etl_analytics"], "AWS_EC2_INSTANCE", "log4j-core", "YES"),
            (image, "AWS_ECR_CONTAINER_IMAGE", "openssl", "NO"),
        )
    ):
        vulnerability(shop, number, resource, kind, package, exploit)


def cover(shop, resource, kind, scan, moment, problem):
    status = {"statusCode": "INACTIVE" if problem else "ACTIVE", "reason": problem or "SUCCESSFUL"}
    row = {
        "resourceType": kind,
        "resourceId": resource,
        "accountId": ACCOUNT_ID,
        "scanType": scan,
        "scanStatus": status,
        "scanMode": "EC2_SSM_AGENT_BASED",
    }
    if kind != "AWS_EC2_INSTANCE":
        del row["scanMode"]
    if not problem:
        row["lastScannedAt"] = moment
    shop.add("inspector2", "ListCoverage", "coveredResources", row)


def vulnerability(shop, number, resource, kind, package, exploit):
    critical = exploit == "YES"
    identifier = "CVE-2021-44228" if critical else "CVE-2022-3602"
    arn = f"arn:aws:inspector2:{HERE}:finding/{str(number) * 8}4b7d2e91a0c35f68{str(number) * 8}"
    row = {
        "findingArn": arn,
        "awsAccountId": ACCOUNT_ID,
        "type": "PACKAGE_VULNERABILITY",
        "description": f"{identifier} in {package}",
        "title": f"{identifier} - {package}",
        "remediation": {"recommendation": {"text": "None Provided"}},
        "severity": "CRITICAL" if critical else "HIGH",
        "firstObservedAt": "2026-09-08T10:00:00+00:00",
        "lastObservedAt": SCANNED,
        "updatedAt": SCANNED,
        "status": "ACTIVE",
        "resources": [{"type": kind, "id": resource, "partition": "aws", "region": MAIN_REGION}],
        "inspectorScore": 10.0 if critical else 7.5,
        "packageVulnerabilityDetails": {
            "vulnerabilityId": identifier,
            "vulnerablePackages": [{"name": package, "version": "2.14.1" if critical else "3.0.5"}],
            "source": "NVD",
        },
        "fixAvailable": "YES",
        "exploitAvailable": exploit,
        "epss": {"score": 0.94358 if critical else 0.86},
    }
    shop.add("inspector2", "ListFindings", "findings", row)
    if critical:
        shop.fault(
            "inspector-critical-open",
            ec2_arn("instance", resource),
            "Log4Shell, with a known exploit, open since September",
        )


def others(shop):
    """Config, Security Hub and Access Analyzer record and look in one of the two regions."""
    recorder = {
        "arn": f"arn:aws:config:{HERE}:configuration-recorder/default/k4v8q2x6n0b1d3f5",
        "name": "default",
        "roleARN": shop.ids["role-config"],
        "recordingGroup": {
            "allSupported": True,
            "includeGlobalResourceTypes": True,
            "resourceTypes": [],
            "exclusionByResourceTypes": {"resourceTypes": []},
            "recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"},
        },
        "recordingMode": {"recordingFrequency": "CONTINUOUS"},
        "recordingScope": "PAID",
    }
    status = {
        "arn": recorder["arn"],
        "name": "default",
        "lastStartTime": "2025-03-10T10:05:00+00:00",
        "recording": True,
        "lastStatus": "SUCCESS",
        "lastStatusChangeTime": "2026-11-16T05:50:00+00:00",
    }
    channel = {"name": "default", "s3BucketName": "shop-prod-logs", "s3KeyPrefix": "config"}
    shop.answer("config", "DescribeConfigurationRecorders", {"ConfigurationRecorders": [recorder]})
    shop.answer("config", "DescribeConfigurationRecorderStatus", {"ConfigurationRecordersStatus": [status]})
    shop.answer("config", "DescribeDeliveryChannels", {"DeliveryChannels": [channel]})
    hub = {
        "HubArn": f"arn:aws:securityhub:{HERE}:hub/default",
        "SubscribedAt": "2026-09-07T09:30:00.000Z",
        "AutoEnableControls": True,
        "ControlFindingGenerator": "SECURITY_CONTROL",
    }
    shop.answer("securityhub", "DescribeHub", hub)
    standard = "aws-foundational-security-best-practices/v/1.0.0"
    subscription = {
        "StandardsSubscriptionArn": f"arn:aws:securityhub:{HERE}:subscription/{standard}",
        "StandardsArn": f"arn:aws:securityhub:{MAIN_REGION}::standards/{standard}",
        "StandardsInput": {},
        "StandardsStatus": "READY",
    }
    shop.answer("securityhub", "GetEnabledStandards", {"StandardsSubscriptions": [subscription]})
    scheme = tags("ax11_outside_platform", importance="medium", dr="none")
    analyzer = {
        "arn": ANALYZER,
        "name": "ax11_outside_platform",
        "type": "ACCOUNT",
        "createdAt": "2026-09-07T10:00:00+00:00",
        "lastResourceAnalyzed": shop.ids["role-partner-audit"],
        "lastResourceAnalyzedAt": "2026-11-16T04:00:00+00:00",
        "tags": scheme,
        "status": "ACTIVE",
    }
    shop.answer("accessanalyzer", "ListAnalyzers", {"analyzers": [analyzer]})
    shop.sweep(ANALYZER, scheme)
    for number, (resource, kind) in enumerate(
        (
            ("arn:aws:s3:::shop-prod-assets", "AWS::S3::Bucket"),
            (shop.ids["q22_push_notifications"], "AWS::SQS::Queue"),
            (shop.ids["role-partner-audit"], "AWS::IAM::Role"),
        )
    ):
        row = {
            "analyzedAt": "2026-11-16T04:00:00+00:00",
            "createdAt": "2026-09-07T10:10:00+00:00",
            "id": f"{number}d7c1b52-4a90-4e36-8f2b-6c0e9a31d574",
            "resource": resource,
            "resourceType": kind,
            "resourceOwnerAccount": ACCOUNT_ID,
            "status": "ACTIVE",
            "updatedAt": "2026-09-07T10:10:00+00:00",
            "findingType": "ExternalAccess",
        }
        shop.add("accessanalyzer", "ListFindingsV2", "findings", row, ANALYZER)
    critical, stale = (ec2_arn("instance", shop.ids[name]) for name in ("a11_api_identity", "e01_etl_analytics"))
    shop.fault("scan-coverage-critical", critical, "critical, and not covered")
    shop.fault("scan-coverage-critical", ec2_arn("instance", shop.ids["a12_api_identity"]), "critical, no inventory")
    shop.fault("scan-stale", stale, "last scanned in August")
