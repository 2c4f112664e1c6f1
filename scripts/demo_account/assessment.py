"""Security services where they were never switched on, and what Systems Manager knows of the instances."""

from . import ec2_answers
from .compute import INSTANCES
from .fleet import INSTANCES as LATER_INSTANCES
from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION, REGIONS, account_arn, ec2_arn

CHECKED = "2026-11-16T04:10:00+00:00"


def build(shop):
    shop.nothing |= {
        ("accessanalyzer", "ListAnalyzers"): {"analyzers": []},
        ("inspector2", "ListCoverage"): {"coveredResources": []},
        ("elasticache", "DescribeGlobalReplicationGroups"): {"GlobalReplicationGroups": []},
        ("backup", "ListCopyJobs"): {"CopyJobs": []},
        ("securityhub", "GetEnabledStandards"): error(
            "InvalidAccessException", f"Account {ACCOUNT_ID} is not subscribed to AWS Security Hub"
        ),
        ("account", "ListRegions"): {
            "Regions": [
                {"RegionName": name, "RegionOptStatus": "ENABLED_BY_DEFAULT"} for name in ec2_answers.ALWAYS_ENABLED
            ]
        },
    }
    for region in REGIONS:
        shop.answer("macie2", "GetMacieSession", error("AccessDeniedException", "Macie is not enabled"), region=region)
        shop.answer(
            "inspector2",
            "BatchGetAccountStatus",
            {"accounts": [inspector(region == MAIN_REGION)], "failedAccounts": []},
            region=region,
        )
    managed = [(name, shop.ids[name]) for name, _, _, profile, *_ in [*INSTANCES, *LATER_INSTANCES] if profile]
    shop.answer(
        "ssm", "DescribeInstanceInformation", {"InstanceInformationList": [information(*row) for row in managed]}
    )
    shop.answer("ssm", "DescribeInstanceInformation", {"InstanceInformationList": []}, region=GLOBAL_REGION)
    shop.answer(
        "ssm",
        "ListResourceComplianceSummaries",
        {"ResourceComplianceSummaryItems": [compliance(*row) for row in managed]},
    )
    shop.answer("ssm", "ListResourceComplianceSummaries", {"ResourceComplianceSummaryItems": []}, region=GLOBAL_REGION)
    shop.fault("ssm-unmanaged", ec2_arn("instance", shop.ids["untagged-instance"]), "no agent, no role")
    shop.fault(
        "ssm-patch-noncompliant", ec2_arn("instance", shop.ids["e01_etl_analytics"]), "three critical patches missing"
    )
    shop.fault("s3-account-bpa", account_arn(), "the account doesn't block public access")
    for check in ("access-analyzer-off", "config-off", "guardduty-off", "securityhub-off", "inspector-off"):
        shop.fault(check, account_arn(), "never switched on in us-east-1")
    shop.fault("macie-off", account_arn(), "never switched on, in no region")
    for key in ("checkout", "identity"):
        shop.fault("waf-missing", shop.ids[f"alb-{key}"], "faces the internet without a web ACL")


def error(code, message):
    return {"Error": {"Code": code, "Message": message}}


def inspector(enabled):
    state = {"status": "ENABLED" if enabled else "DISABLED"}
    return {
        "accountId": ACCOUNT_ID,
        "state": state,
        "resourceState": {kind: state for kind in ("ec2", "ecr", "lambda", "lambdaCode", "codeRepository")},
    }


def information(name, instance):
    return {
        "InstanceId": instance,
        "PingStatus": "Online",
        "LastPingDateTime": "2026-11-16T05:58:30+00:00",
        "AgentVersion": "3.3.2299.0",
        "IsLatestVersion": True,
        "PlatformType": "Linux",
        "PlatformName": "Amazon Linux",
        "PlatformVersion": "2023",
        "ResourceType": "EC2Instance",
        "ComputerName": f"{instance}.{MAIN_REGION}.compute.internal",
        "SourceType": "AWS::EC2::Instance",
        "SourceId": instance,
    }


def compliance(name, instance):
    missing = 3 if name == "e01_etl_analytics" else 0
    levels = {
        "CriticalCount": 0,
        "HighCount": 0,
        "MediumCount": 0,
        "LowCount": 0,
        "InformationalCount": 0,
        "UnspecifiedCount": 0,
    }
    return {
        "ComplianceType": "Patch",
        "ResourceType": "ManagedInstance",
        "ResourceId": instance,
        "Status": "NON_COMPLIANT" if missing else "COMPLIANT",
        "OverallSeverity": "CRITICAL" if missing else "UNSPECIFIED",
        "ExecutionSummary": {"ExecutionTime": CHECKED, "ExecutionType": "Command"},
        "CompliantSummary": {"CompliantCount": 312, "SeveritySummary": levels | {"UnspecifiedCount": 312}},
        "NonCompliantSummary": {"NonCompliantCount": missing, "SeveritySummary": levels | {"CriticalCount": missing}},
    }
