"""Reporting: warehouses, what fills them by night, and what reads the databases that customers wait for."""

from . import databases
from .shop import ACCOUNT_ID, MAIN_REGION, lower_pairs, pairs, tags

HERE = f"{MAIN_REGION}:{ACCOUNT_ID}"
HOST = f"c9akciq32rgw.{MAIN_REGION}.rds.amazonaws.com"
# name: (env, importance, DR, public, encrypted, snapshots, logged, nodes)
WAREHOUSES = {
    "rs11_warehouse_reporting": ("prod", "high", "backup", False, True, 14, True, 2),
    "rs81_sandbox_reporting": ("dev", "low", "none", True, False, 1, False, 1),
}
# name: (importance, the database it reads)
CONNECTIONS = {
    "gc11_products_reporting": ("medium", "d12-products-catalog"),
    # The replica was made for this; nobody moved the connection.
    "gc12_products-live_reporting": ("medium", "d11-products-catalog"),
}


def build(shop):
    for name, row in WAREHOUSES.items():
        warehouse(shop, name, *row)
    hosts = {row["DBInstanceIdentifier"]: row["Endpoint"]["Address"] for row in databases.described(shop, MAIN_REGION)}
    glue(shop, hosts)
    migration(shop, hosts)
    nightly(shop)
    clicks(shop)
    plant(shop)


def warehouse(shop, name, env, importance, dr, public, encrypted, days, logged, nodes):
    short, scheme = name.replace("_", "-"), tags(name, importance=importance, dr=dr, env=env)
    prod = env == "prod"
    group = shop.ids["sg-warehouse-reporting" if prod else "sg-dev-open"]
    row = {
        "ClusterIdentifier": short,
        "NodeType": "ra3.large",
        "ClusterStatus": "available",
        "ClusterAvailabilityStatus": "Available",
        "MasterUsername": "shop_owner",
        "DBName": "reports",
        "Endpoint": {"Address": f"{short}.cq7r2m4x.{MAIN_REGION}.redshift.amazonaws.com", "Port": 5439},
        "ClusterCreateTime": "2024-06-10T10:00:00+00:00",
        "AutomatedSnapshotRetentionPeriod": days,
        "ManualSnapshotRetentionPeriod": -1,
        "ClusterSecurityGroups": [],
        "VpcSecurityGroups": [{"VpcSecurityGroupId": group, "Status": "active"}],
        "ClusterParameterGroups": [{"ParameterGroupName": "default.redshift-1.0", "ParameterApplyStatus": "in-sync"}],
        "ClusterSubnetGroupName": "shop-prod" if prod else "shop-dev",
        "VpcId": shop.ids["vpc" if prod else "dev-vpc"],
        "AvailabilityZone": f"{MAIN_REGION}{'a' if prod else 'b'}",
        "PreferredMaintenanceWindow": "tue:03:00-tue:03:30",
        "PendingModifiedValues": {},
        "ClusterVersion": "1.0",
        "AllowVersionUpgrade": True,
        "NumberOfNodes": nodes,
        "PubliclyAccessible": public,
        "Encrypted": encrypted,
        "Tags": pairs(scheme),
        "EnhancedVpcRouting": prod,
        "IamRoles": [{"IamRoleArn": shop.ids["role-redshift-reporting"], "ApplyStatus": "in-sync"}] if prod else [],
        "MaintenanceTrackName": "current",
        "MultiAZ": "disabled",
    }
    if encrypted:
        row["KmsKeyId"] = shop.ids["key-shop"]
    shop.add("redshift", "DescribeClusters", "Clusters", row)
    logging = {"LoggingEnabled": logged}
    if logged:
        logging |= {"BucketName": "shop-prod-logs", "S3KeyPrefix": "redshift/", "LogDestinationType": "s3"}
    shop.answer("redshift", "DescribeLoggingStatus", logging, short)
    arn = f"arn:aws:redshift:{HERE}:cluster:{short}"
    snapshot = {
        "SnapshotIdentifier": f"rs:{short}-2026-11-16-02-10-00",
        "ClusterIdentifier": short,
        "SnapshotCreateTime": "2026-11-16T02:10:00+00:00",
        "Status": "available",
        "Port": 5439,
        "AvailabilityZone": row["AvailabilityZone"],
        "ClusterCreateTime": row["ClusterCreateTime"],
        "MasterUsername": "shop_owner",
        "ClusterVersion": "1.0",
        "SnapshotType": "automated",
        "NodeType": "ra3.large",
        "NumberOfNodes": nodes,
        "DBName": "reports",
        "VpcId": row["VpcId"],
        "Encrypted": encrypted,
        "Tags": pairs(scheme),
    }
    shop.add("redshift", "DescribeClusterSnapshots", "Snapshots", snapshot)
    shop.ids[name] = arn
    shop.sweep(arn, scheme)
    shop.sweep(f"arn:aws:redshift:{HERE}:snapshot:{short}/{snapshot['SnapshotIdentifier']}", scheme)
    subnet = "isolated-a" if prod else "dev-b"
    description = f"RedshiftNetworkInterface {short}"
    shop.interfaces.append(
        ("amazon-redshift", description, "sg-warehouse-reporting" if prod else "sg-dev-open", [subnet], public)
    )


def glue(shop, hosts):
    for name, (importance, source) in CONNECTIONS.items():
        scheme = tags(name, importance=importance, dr="none")
        row = {
            "Name": name,
            "Description": f"products of {source}",
            "ConnectionType": "JDBC",
            "ConnectionProperties": {
                "JDBC_CONNECTION_URL": f"jdbc:postgresql://{hosts[source]}:5432/shop",
                "JDBC_ENFORCE_SSL": "true",
                "USERNAME": "reporting",
            },
            "PhysicalConnectionRequirements": {
                "SubnetId": shop.ids["private-a"],
                "SecurityGroupIdList": [shop.ids["sg-glue-reporting"]],
                "AvailabilityZone": f"{MAIN_REGION}a",
            },
            "CreationTime": "2024-06-11T09:00:00+00:00",
            "LastUpdatedTime": "2024-06-11T09:00:00+00:00",
            "Status": "READY",
        }
        shop.add("glue", "GetConnections", "ConnectionList", row)
        keep(shop, "glue", "GetTags", "Tags", f"arn:aws:glue:{HERE}:connection/{name}", name, scheme)
    crawler = {
        "Name": "gr11_products_reporting",
        "Role": "glue-reporting",
        "Targets": {
            "S3Targets": [],
            "JdbcTargets": [{"ConnectionName": "gc11_products_reporting", "Path": "shop/public/%", "Exclusions": []}],
            "DynamoDBTargets": [],
        },
        "DatabaseName": "reports",
        "State": "READY",
        "Schedule": {"ScheduleExpression": "cron(0 1 * * ? *)", "State": "SCHEDULED"},
        "CreationTime": "2024-06-11T09:30:00+00:00",
        "LastUpdated": "2024-06-11T09:30:00+00:00",
        "Version": 1,
    }
    shop.add("glue", "GetCrawlers", "Crawlers", crawler)
    job = {
        "Name": "gj11_orders_reporting",
        "Role": shop.ids["role-glue-reporting"],
        "CreatedOn": "2024-06-11T10:00:00+00:00",
        "LastModifiedOn": "2026-08-04T10:00:00+00:00",
        "ExecutionProperty": {"MaxConcurrentRuns": 1},
        "Command": {
            "Name": "glueetl",
            "ScriptLocation": "s3://shop-prod-reports/jobs/orders.py",
            "PythonVersion": "3",
        },
        "Connections": {"Connections": list(CONNECTIONS)},
        "MaxRetries": 1,
        "Timeout": 120,
        "WorkerType": "G.1X",
        "NumberOfWorkers": 4,
        "GlueVersion": "5.0",
    }
    shop.add("glue", "GetJobs", "Jobs", job)
    for kind, row in (("crawler", crawler), ("job", job)):
        scheme = tags(row["Name"], importance="medium", dr="none")
        keep(shop, "glue", "GetTags", "Tags", f"arn:aws:glue:{HERE}:{kind}/{row['Name']}", row["Name"], scheme)
    shop.interfaces.append(
        (ACCOUNT_ID, "Attached to Glue using role: glue-reporting", "sg-glue-reporting", ["private-a"], False)
    )


def keep(shop, service, operation, member, arn, key, scheme, form=dict):
    shop.answer(service, operation, {member: form(scheme)}, arn)
    shop.ids[key] = arn
    shop.sweep(arn, scheme)


def migration(shop, hosts):
    """Database Migration Service copies orders into the warehouse, from the one machine that takes them."""
    instance_arn = f"arn:aws:dms:{HERE}:rep:H3Q7N5V2XK4LJ6T8"
    scheme = tags("dm11_copy_reporting", importance="medium", dr="none")
    row = {
        "ReplicationInstanceIdentifier": "dm11-copy-reporting",
        "ReplicationInstanceClass": "dms.t3.medium",
        "ReplicationInstanceStatus": "available",
        "AllocatedStorage": 50,
        "InstanceCreateTime": "2024-06-12T09:00:00+00:00",
        "VpcSecurityGroups": [{"VpcSecurityGroupId": shop.ids["sg-glue-reporting"], "Status": "active"}],
        "AvailabilityZone": f"{MAIN_REGION}a",
        "MultiAZ": False,
        "EngineVersion": "3.6.1",
        "AutoMinorVersionUpgrade": True,
        "KmsKeyId": shop.ids["key-shop"],
        "ReplicationInstanceArn": instance_arn,
        "PubliclyAccessible": False,
    }
    shop.add("dms", "DescribeReplicationInstances", "ReplicationInstances", row)
    keep(shop, "dms", "ListTagsForResource", "TagList", instance_arn, "dm11_copy_reporting", scheme, pairs)
    endpoints = {}
    for name, kind, engine, server, port, arn_id in (
        ("dm21_orders_reporting", "SOURCE", "mysql", hosts["d01-orders-checkout"], 3306, "B5V8K2X7QJ4N6T3H"),
        (
            "dm22_warehouse_reporting",
            "TARGET",
            "redshift",
            f"rs11-warehouse-reporting.cq7r2m4x.{MAIN_REGION}.redshift.amazonaws.com",
            5439,
            "N7T4H6X2VK5QJ3B8",
        ),
    ):
        arn = f"arn:aws:dms:{HERE}:endpoint:{arn_id}"
        endpoints[kind] = arn
        row = {
            "EndpointIdentifier": name.replace("_", "-"),
            "EndpointType": kind,
            "EngineName": engine,
            "EngineDisplayName": "MySQL" if engine == "mysql" else "Amazon Redshift",
            "Username": "reporting",
            "ServerName": server,
            "Port": port,
            "DatabaseName": "shop" if kind == "SOURCE" else "reports",
            "Status": "active",
            "KmsKeyId": shop.ids["key-shop"],
            "EndpointArn": arn,
            "SslMode": "verify-full" if kind == "SOURCE" else "none",
        }
        shop.add("dms", "DescribeEndpoints", "Endpoints", row)
        endpoint_tags = tags(name, importance="medium", dr="none")
        keep(shop, "dms", "ListTagsForResource", "TagList", arn, name, endpoint_tags, pairs)
    task_arn = f"arn:aws:dms:{HERE}:task:X2K6T8Q4NV7B3JH5"
    task = {
        "ReplicationTaskIdentifier": "dm31-orders-reporting",
        "SourceEndpointArn": endpoints["SOURCE"],
        "TargetEndpointArn": endpoints["TARGET"],
        "ReplicationInstanceArn": instance_arn,
        "MigrationType": "full-load-and-cdc",
        "Status": "running",
        "ReplicationTaskCreationDate": "2024-06-12T10:00:00+00:00",
        "ReplicationTaskStartDate": "2026-09-01T04:30:00+00:00",
        "ReplicationTaskArn": task_arn,
    }
    shop.add("dms", "DescribeReplicationTasks", "ReplicationTasks", task)
    scheme = tags("dm31_orders_reporting", importance="medium", dr="none")
    keep(shop, "dms", "ListTagsForResource", "TagList", task_arn, "dm31_orders_reporting", scheme, pairs)


def nightly(shop):
    name, rule = "sf11_nightly_reporting", "ev11_nightly_reporting"
    machine = f"arn:aws:states:{HERE}:stateMachine:{name}"
    created = "2024-06-13T09:00:00+00:00"
    row = {"stateMachineArn": machine, "name": name, "type": "STANDARD", "creationDate": created}
    shop.add("stepfunctions", "ListStateMachines", "stateMachines", row)
    log = {"cloudWatchLogsLogGroup": {"logGroupArn": f"arn:aws:logs:{HERE}:log-group:/states/reporting:*"}}
    described = row | {
        "status": "ACTIVE",
        "definition": '{"StartAt":"Orders","States":{"Orders":{"Type":"Task","Resource":"arn:aws:states:::glue:startJobRun.sync",'
        '"Parameters":{"JobName":"gj11_orders_reporting"},"End":true}}}',
        "roleArn": shop.ids["role-nightly-reporting"],
        "loggingConfiguration": {"level": "ERROR", "includeExecutionData": False, "destinations": [log]},
        "tracingConfiguration": {"enabled": True},
    }
    shop.answer("stepfunctions", "DescribeStateMachine", described, machine)
    scheme = tags(name, importance="medium", dr="none")
    keep(shop, "stepfunctions", "ListTagsForResource", "tags", machine, name, scheme, lower_pairs)
    arn = f"arn:aws:events:{HERE}:rule/{rule}"
    shop.add(
        "events",
        "ListRules",
        "Rules",
        {
            "Name": rule,
            "Arn": arn,
            "State": "ENABLED",
            "Description": "reports of the day before",
            "ScheduleExpression": "cron(30 2 * * ? *)",
            "EventBusName": "default",
        },
    )
    target = {"Id": "nightly", "Arn": machine, "RoleArn": shop.ids["role-schedule-reporting"]}
    shop.answer("events", "ListTargetsByRule", {"Targets": [target]}, rule)
    scheme = tags(rule, importance="medium", dr="none")
    keep(shop, "events", "ListTagsForResource", "Tags", arn, rule, scheme, pairs)


def clicks(shop):
    """Clicks of the shop, delivered to the lake."""
    name = "fh11_clicks_analytics"
    arn = f"arn:aws:firehose:{HERE}:deliverystream/{name}"
    bucket = {
        "RoleARN": shop.ids["role-clicks-analytics"],
        "BucketARN": "arn:aws:s3:::shop-prod-lake",
        "Prefix": "clicks/",
        "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 300},
        "CompressionFormat": "GZIP",
        "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
        "CloudWatchLoggingOptions": {"Enabled": False},
    }
    stream = {
        "DeliveryStreamName": name,
        "DeliveryStreamARN": arn,
        "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamEncryptionConfiguration": {
            "Status": "ENABLED",
            "KeyARN": shop.ids["key-shop"],
            "KeyType": "CUSTOMER_MANAGED_CMK",
        },
        "DeliveryStreamType": "DirectPut",
        "VersionId": "1",
        "CreateTimestamp": "2024-06-13T10:00:00+00:00",
        "Destinations": [{"DestinationId": "destinationId-000000000001", "ExtendedS3DestinationDescription": bucket}],
        "HasMoreDestinations": False,
    }
    scheme = tags(name, importance="medium", dr="none")
    names = {"DeliveryStreamNames": [name], "HasMoreDeliveryStreams": False}
    shop.answer("firehose", "ListDeliveryStreams", names)
    shop.answer("firehose", "DescribeDeliveryStream", {"DeliveryStreamDescription": stream}, name)
    answer = {"Tags": pairs(scheme), "HasMoreTags": False}
    shop.answer("firehose", "ListTagsForDeliveryStream", answer, name)
    shop.sweep(arn, scheme)


def plant(shop):
    sandbox = shop.ids["rs81_sandbox_reporting"]
    shop.fault("redshift-public", sandbox, "has a public address, and its group lets the world in")
    shop.fault("redshift-snapshots", sandbox, "snapshots of one day")
    shop.fault("redshift-audit", sandbox, "off")
    shop.fault("etl-on-primary", shop.ids["dm21_orders_reporting"], "reads the machine that takes the orders")
    shop.fault("etl-on-primary", shop.ids["gc12_products-live_reporting"], "reads the primary beside its replica")
