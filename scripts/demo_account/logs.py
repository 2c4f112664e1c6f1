"""What is logged, and what only looks as if: two trails, flow logs, alarms."""

from .shop import (
    ACCOUNT_ID,
    GLOBAL_REGION,
    MAIN_REGION,
    account_arn,
    ec2_arn,
    pairs,
    tags,
)


def build(shop):
    shop.at("2022-03-06T09:00:00Z")
    trail(shop, "shop-main", MAIN_REGION, tags("j01_main-trail_platform", importance="high", dr="none"))
    trail(shop, "shop-us", GLOBAL_REGION, tags("j02_us-trail_platform", importance="medium", dr="none"))
    flow_logs(shop)
    alarms(shop)
    shop.correct("cloudtrail", "GetTrailStatus", trail_status)
    shop.correct("cloudtrail", "GetEventSelectors", event_selectors)
    plant(shop)


def event_selectors(shop, region, parameter, answer):
    """Management events, as every new trail has it."""
    selector = {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [],
        "ExcludeManagementEventSources": [],
    }
    return {"TrailARN": answer["TrailARN"], "EventSelectors": [selector]}


def trail(shop, name, region, scheme):
    cloudtrail = shop.client("cloudtrail", region)
    shop.ids[name] = cloudtrail.create_trail(
        Name=name,
        S3BucketName="shop-prod-trail",
        IncludeGlobalServiceEvents=True,
        IsMultiRegionTrail=False,
        EnableLogFileValidation=False,
        TagsList=pairs(scheme),
    )["TrailARN"]
    cloudtrail.start_logging(Name=name)
    shop.sweep(shop.ids[name], scheme, region)


def trail_status(shop, region, parameter, answer):
    """Deliveries, which the emulator doesn't make, the day on which somebody stopped the second trail to save money, and the night of the incident."""
    started = "2022-03-06T09:00:00+00:00"
    if parameter == shop.ids["shop-main"]:
        return status(True, "2026-11-16T05:56:41+00:00", "2026-11-15T23:44:10+00:00", "2026-11-15T22:20:14+00:00")
    if parameter == shop.ids["shop-us"]:
        stopped = "2025-01-08T14:31:07+00:00"
        return status(False, "2025-01-08T14:26:12+00:00", started, stopped)
    return status(True, "2026-11-16T05:56:41+00:00", started, None)


def status(logging, delivered, started, stopped):
    answer = {
        "IsLogging": logging,
        "LatestDeliveryTime": delivered,
        "StartLoggingTime": started,
        "LatestDeliveryAttemptTime": delivered[:19] + "Z",
        "LatestNotificationAttemptTime": "",
        "LatestNotificationAttemptSucceeded": "",
        "LatestDeliveryAttemptSucceeded": delivered[:19] + "Z",
        "TimeLoggingStarted": started[:19] + "Z",
        "TimeLoggingStopped": stopped[:19] + "Z" if stopped else "",
    }
    return answer | ({"StopLoggingTime": stopped} if stopped else {})


def flow_logs(shop):
    shop.at("2022-03-08T12:00:00Z")
    logs = shop.client("logs")
    for name, scheme, days in (
        ("/vpc/prod", tags("g91_flow-logs_platform", importance="medium", dr="none"), 400),
        ("/aws/lambda/f01_invoice_payments", tags("g92_invoice-log_payments", importance="medium", dr="none"), 400),
        ("/aws/lambda/f02_thumbnail_catalog", {}, None),
    ):
        logs.create_log_group(logGroupName=name, tags=scheme)
        if days:
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    shop.client("ec2").create_flow_logs(
        ResourceIds=[shop.ids["vpc"]],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="cloud-watch-logs",
        LogGroupName="/vpc/prod",
        DeliverLogsPermissionArn=shop.ids["role-flow-logs"],
        TagSpecifications=[
            {
                "ResourceType": "vpc-flow-log",
                "Tags": pairs(tags("n61_flow-logs_platform", importance="medium", dr="none")),
            }
        ],
    )
    shop.fault("flow-logs", ec2_arn("vpc", shop.ids["staging-vpc"]), "the staging VPC has no flow logs")
    group = f"arn:aws:logs:{MAIN_REGION}:{ACCOUNT_ID}:log-group:/aws/lambda/f02_thumbnail_catalog"
    shop.fault("log-group-retention", group, "kept forever")


def alarms(shop):
    shop.at("2024-04-04T09:00:00Z")
    cloudwatch = shop.client("cloudwatch")
    balancer = shop.ids["alb-checkout"].split("loadbalancer/")[1]
    for name, namespace, metric, dimension, value, actions in (
        ("checkout-5xx", "AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "LoadBalancer", balancer, [shop.ids["topic"]]),
        (
            "ledger-storage",
            "AWS/RDS",
            "FreeStorageSpace",
            "DBInstanceIdentifier",
            "d21-ledger-payments",
            [shop.ids["topic"]],
        ),
        ("orders-cpu", "AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", "d01-orders-checkout", []),
    ):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": dimension, "Value": value}],
            Statistic="Average",
            Period=300,
            EvaluationPeriods=3,
            Threshold=80,
            ComparisonOperator="GreaterThanThreshold",
            ActionsEnabled=True,
            AlarmActions=actions,
        )
    shop.fault("alarm-no-action", f"arn:aws:cloudwatch:{MAIN_REGION}:{ACCOUNT_ID}:alarm:orders-cpu", "nobody is told")


def plant(shop):
    main, second = shop.ids["shop-main"], shop.ids["shop-us"]
    shop.fault("trail-multi-region", account_arn(), "no trail covers all regions")
    shop.fault("trail-stopped", second, "stopped in January 2025")
    for trail_arn in (main, second):
        shop.fault("trail-validation", trail_arn, "log file validation is off")
        shop.fault("trail-kms", trail_arn, "no key of our own")
        shop.fault("trail-cwl", trail_arn, "not sent to CloudWatch Logs")
