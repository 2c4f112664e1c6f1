"""Which calls are recorded: a list of our own, and whatever the inventory tables of `collect` call.

A listing is made once per region (or once, when global); its details are made per row. Both come in the same form from
here and from collect/tables/*/*.toml, whose README describes it.
"""

import dataclasses
import tomllib


@dataclasses.dataclass(frozen=True)
class Detail:
    operation: str
    # Request parameter -> JMESPath over the row; the first one names the file.
    bind: dict
    params: dict = dataclasses.field(default_factory=dict)
    when: str | None = None
    into: str | None = None
    # Parameter that takes a list of values (one call for all rows), else None.
    batch: str | None = None
    batch_size: int = 20
    # Error codes that are an answer, and the answer they stand for.
    absent: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Listing:
    name: str
    service: str
    operation: str
    rows: str
    scope: str = "regional"
    params: dict = dataclasses.field(default_factory=dict)
    parent: str | None = None
    bind: dict = dataclasses.field(default_factory=dict)
    details: tuple = ()


def listing(service, operation, rows="@", *details, scope="regional", params=None):
    return Listing(f"{service}:{operation}", service, operation, rows, scope, params or {}, details=details)


def each(operation, parameter, expression, **params):
    return Detail(operation, {parameter: expression}, params)


def batch(operation, parameter, expression, size=20):
    return Detail(operation, {parameter: expression}, batch=parameter, batch_size=size)


def several(service, scope="regional", **operations):
    """Listings without details: operation=rows."""
    return [listing(service, operation, rows, scope=scope) for operation, rows in operations.items()]


BUCKET_CALLS = (
    "GetBucketLocation GetBucketTagging GetBucketVersioning GetBucketEncryption GetBucketPolicy GetBucketPolicyStatus "
    "GetBucketAcl GetPublicAccessBlock GetBucketLogging GetBucketLifecycleConfiguration GetBucketReplication "
    "GetObjectLockConfiguration GetBucketOwnershipControls GetBucketNotificationConfiguration GetBucketWebsite"
).split()

OWN = [
    *several(
        "iam",
        "global",
        GetCredentialReport="@",
        GetAccountSummary="@",
        GetAccountPasswordPolicy="@",
        GetAccountAuthorizationDetails="@",
        ListVirtualMFADevices="@",
        ListAccountAliases="@",
        ListServerCertificates="@",
        ListRoles="@",
        ListGroups="@",
        ListInstanceProfiles="@",
    ),
    listing(
        "iam",
        "ListUsers",
        "Users[]",
        each("ListMFADevices", "UserName", "UserName"),
        each("ListAccessKeys", "UserName", "UserName"),
        scope="global",
    ),
    listing(
        "iam",
        "ListOpenIDConnectProviders",
        "OpenIDConnectProviderList[]",
        each("GetOpenIDConnectProvider", "OpenIDConnectProviderArn", "Arn"),
        scope="global",
    ),
    *several(
        "ec2",
        DescribeRegions="@",
        DescribeVolumes="@",
        DescribeSecurityGroups="@",
        DescribeSecurityGroupRules="@",
        DescribeNetworkInterfaces="@",
        DescribeRouteTables="@",
        DescribeVpcs="@",
        DescribeSubnets="@",
        DescribeInternetGateways="@",
        DescribeNatGateways="@",
        DescribeNetworkAcls="@",
        DescribeAddresses="@",
        DescribeFlowLogs="@",
        DescribeVpcEndpoints="@",
        DescribeVpcPeeringConnections="@",
        GetEbsEncryptionByDefault="@",
    ),
    listing(
        "ec2",
        "DescribeInstances",
        "Reservations[].Instances[]",
        each("DescribeInstanceAttribute", "InstanceId", "InstanceId", Attribute="userData"),
    ),
    listing(
        "ec2",
        "DescribeSnapshots",
        "Snapshots[]",
        each("DescribeSnapshotAttribute", "SnapshotId", "SnapshotId", Attribute="createVolumePermission"),
        params={"OwnerIds": ["self"]},
    ),
    listing("ec2", "DescribeImages", params={"Owners": ["self"]}),
    listing(
        "ec2",
        "DescribeLaunchTemplates",
        "LaunchTemplates[]",
        Detail(
            "DescribeLaunchTemplateVersions",
            {"LaunchTemplateId": "LaunchTemplateId"},
            {"Versions": ["$Latest", "$Default"]},
        ),
    ),
    *several("autoscaling", DescribeAutoScalingGroups="@"),
    listing("s3", "ListBuckets", "Buckets[]", *(each(call, "Bucket", "Name") for call in BUCKET_CALLS), scope="global"),
    *several(
        "rds",
        DescribeDBInstances="@",
        DescribeDBClusters="@",
        DescribeDBClusterSnapshots="@",
        DescribeDBSubnetGroups="@",
        DescribeEventSubscriptions="@",
    ),
    listing(
        "rds",
        "DescribeDBSnapshots",
        "DBSnapshots[]",
        # Automated snapshots can't be shared, and the call refuses them.
        Detail(
            "DescribeDBSnapshotAttributes",
            {"DBSnapshotIdentifier": "DBSnapshotIdentifier"},
            when="SnapshotType == 'manual'",
        ),
    ),
    listing(
        "route53",
        "ListHostedZones",
        "HostedZones[]",
        each("ListResourceRecordSets", "HostedZoneId", "{Id|basename}"),
        Detail("ListTagsForResource", {"ResourceId": "{Id|basename}"}, {"ResourceType": "hostedzone"}),
        each("GetHostedZone", "Id", "{Id|basename}"),
        scope="global",
    ),
    *several("route53", "global", ListHealthChecks="@", ListQueryLoggingConfigs="@"),
    listing(
        "elbv2",
        "DescribeLoadBalancers",
        "LoadBalancers[]",
        each("DescribeLoadBalancerAttributes", "LoadBalancerArn", "LoadBalancerArn"),
        each("DescribeListeners", "LoadBalancerArn", "LoadBalancerArn"),
        batch("DescribeTags", "ResourceArns", "LoadBalancerArn"),
    ),
    listing(
        "elbv2",
        "DescribeTargetGroups",
        "TargetGroups[]",
        each("DescribeTargetHealth", "TargetGroupArn", "TargetGroupArn"),
        each("DescribeTargetGroupAttributes", "TargetGroupArn", "TargetGroupArn"),
        batch("DescribeTags", "ResourceArns", "TargetGroupArn"),
    ),
    listing(
        "lambda",
        "ListFunctions",
        "Functions[]",
        each("GetPolicy", "FunctionName", "FunctionName"),
        each("ListFunctionUrlConfigs", "FunctionName", "FunctionName"),
        each("ListTags", "Resource", "FunctionArn"),
    ),
    *several("lambda", ListEventSourceMappings="@"),
    listing(
        "kms",
        "ListKeys",
        "Keys[]",
        each("DescribeKey", "KeyId", "KeyId"),
        Detail("GetKeyPolicy", {"KeyId": "KeyId"}, {"PolicyName": "default"}),
        each("GetKeyRotationStatus", "KeyId", "KeyId"),
        each("ListResourceTags", "KeyId", "KeyId"),
    ),
    *several("kms", ListAliases="@"),
    listing(
        "cloudtrail",
        "DescribeTrails",
        "trailList[]",
        each("GetTrailStatus", "Name", "TrailARN"),
        each("GetEventSelectors", "TrailName", "TrailARN"),
        batch("ListTags", "ResourceIdList", "TrailARN"),
    ),
    listing(
        "elasticache",
        "DescribeCacheClusters",
        "CacheClusters[]",
        each("ListTagsForResource", "ResourceName", "ARN"),
        params={"ShowCacheNodeInfo": True},
    ),
    listing(
        "elasticache",
        "DescribeReplicationGroups",
        "ReplicationGroups[]",
        each("ListTagsForResource", "ResourceName", "ARN"),
    ),
    *several("elasticache", DescribeCacheSubnetGroups="@"),
    listing(
        "backup",
        "ListBackupVaults",
        "BackupVaultList[]",
        each("ListRecoveryPointsByBackupVault", "BackupVaultName", "BackupVaultName"),
        each("ListTags", "ResourceArn", "BackupVaultArn"),
    ),
    listing(
        "backup",
        "ListBackupPlans",
        "BackupPlansList[]",
        each("GetBackupPlan", "BackupPlanId", "BackupPlanId"),
        each("ListBackupSelections", "BackupPlanId", "BackupPlanId"),
        each("ListTags", "ResourceArn", "BackupPlanArn"),
    ),
    *several(
        "backup",
        ListProtectedResources="@",
        ListBackupJobs="@",
        ListCopyJobs="@",
        ListRestoreJobs="@",
        ListRestoreTestingPlans="@",
    ),
    *several("sts", "global", GetCallerIdentity="@"),
    *several("resourcegroupstaggingapi", GetResources="@"),
    listing(
        "sqs",
        "ListQueues",
        "QueueUrls[].{QueueUrl: @}",
        each("GetQueueAttributes", "QueueUrl", "QueueUrl", AttributeNames=["All"]),
        each("ListQueueTags", "QueueUrl", "QueueUrl"),
    ),
    listing(
        "sns",
        "ListTopics",
        "Topics[]",
        each("GetTopicAttributes", "TopicArn", "TopicArn"),
        each("ListTagsForResource", "ResourceArn", "TopicArn"),
    ),
    *several("sns", ListSubscriptions="@"),
    listing(
        "dynamodb",
        "ListTables",
        "TableNames[].{TableName: @}",
        each("DescribeTable", "TableName", "TableName"),
        each("DescribeContinuousBackups", "TableName", "TableName"),
    ),
    listing("secretsmanager", "ListSecrets", "SecretList[]", each("GetResourcePolicy", "SecretId", "ARN")),
    *several("cloudwatch", DescribeAlarms="@"),
    listing(
        "apigateway",
        "GetRestApis",
        "items[]",
        Detail("GetResources", {"restApiId": "id"}, {"embed": ["methods"]}),
    ),
    listing("apigatewayv2", "GetApis", "Items[]", each("GetIntegrations", "ApiId", "ApiId")),
    *several("logs", DescribeLogGroups="@", DescribeMetricFilters="@"),
    listing(
        "acm",
        "ListCertificates",
        "CertificateSummaryList[]",
        each("DescribeCertificate", "CertificateArn", "CertificateArn"),
        each("ListTagsForCertificate", "CertificateArn", "CertificateArn"),
    ),
]


def from_tables(folder):
    """The listings of collect's tables, parents before what hangs below them."""
    found = {}
    for path in sorted(folder.glob("*/*.toml")):
        table = tomllib.loads(path.read_text())
        wanted = table.get("list")
        if not wanted:
            continue
        details = tuple(table_detail(entry) for entry in table.get("detail", []))
        found[path.stem] = Listing(
            path.stem,
            table["service"],
            wanted["operation"],
            wanted.get("rows", "@"),
            table.get("scope", "regional"),
            wanted.get("params", {}),
            wanted.get("parent"),
            wanted.get("bind", {}),
            details,
        )
    ordered = []
    while found:
        ready = [name for name, entry in found.items() if entry.parent not in found]
        if not ready:
            raise ValueError(f"tables that are each other's parents: {', '.join(found)}")
        ordered += [found.pop(name) for name in ready]
    return ordered


def table_detail(entry):
    batched = entry.get("batch")
    return Detail(
        entry["operation"],
        entry.get("bind", {}),
        entry.get("params", {}),
        entry.get("when"),
        entry.get("into"),
        batched["param"] if batched else None,
        batched.get("size", 20) if batched else 20,
        entry.get("absent", {}),
    )
