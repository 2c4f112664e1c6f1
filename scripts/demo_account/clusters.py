"""Aurora, DocumentDB and Neptune clusters, the tickets of the back office, and the replica in the standby region.

The emulator knows too little of clusters: they and their members are written by hand.
"""

from . import databases
from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION, pairs, tags
from .vaults import PARCELS_SECRET

# name: (engine, version, group, key, port, importance, DR, retention, objectives, members by zone, options)
CLUSTERS = {
    "d61_parcels_shipping": (
        "aurora-postgresql",
        "16.8",
        "sg-db-shipping",
        "key-shipping",
        5432,
        "critical",
        "multi-az+backup+replication",
        14,
        {"RPO": "15m", "RTO": "1h"},
        "ab",
        {"DatabaseName": "parcels", "MasterUserSecret": True},
    ),
    "d71_messages_notifications": (
        "docdb",
        "5.0.0",
        "sg-docdb-notifications",
        "key-shop",
        27017,
        "medium",
        "backup",
        1,
        {},
        "a",
        {},
    ),
    "d81_related_catalog": (
        "neptune",
        "1.4.5.1",
        "sg-graph-catalog",
        "key-shop",
        8182,
        "medium",
        "backup",
        7,
        {},
        "b",
        {},
    ),
}
CREATED = "2024-06-05T09:00:00+00:00"
LATEST, EARLIEST = "2026-11-16T05:56:10+00:00", "2026-11-09T02:30:00+00:00"
GROUPS = {
    "aurora-postgresql": ("default.aurora-postgresql16", "aurora-postgresql16", "rds.force_ssl", "1"),
    "docdb": ("default.docdb5.0", "docdb5.0", "tls", "enabled"),
    "neptune": ("default.neptune1.4", "neptune1.4", None, None),
}
LOGS = {"aurora-postgresql": ["postgresql"], "docdb": ["audit"], "neptune": ["audit"]}


def build(shop):
    shop.at("2024-06-05T09:00:00Z")
    tickets(shop)
    shop.at("2025-03-12T09:00:00Z")
    replica(shop)
    for name, row in CLUSTERS.items():
        cluster(shop, name, *row)
    parameter_groups(shop)
    shop.correct("rds", "DescribeDBInstances", db_instances)
    plant(shop)


def arn(name, kind="cluster", region=MAIN_REGION):
    return f"arn:aws:rds:{region}:{ACCOUNT_ID}:{kind}:{name.replace('_', '-')}"


def tickets(shop):
    """Two terabytes in one zone, and a promise to be back within a quarter of an hour."""
    databases.instance(
        shop,
        "d41_tickets_backoffice",
        "postgres",
        "16.8",
        "sg-db-backoffice",
        "high",
        "backup",
        objectives={"RPO": "1h", "RTO": "15m"},
        MultiAZ=False,
        AvailabilityZone=f"{MAIN_REGION}a",
        AllocatedStorage=2000,
    )
    databases.instance(
        shop,
        "d52_tickets_backoffice",
        "postgres",
        "16.8",
        "sg-staging-tickets",
        "low",
        "backup",
        env="staging",
        MultiAZ=False,
        AvailabilityZone=f"{MAIN_REGION}a",
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage=50,
        BackupRetentionPeriod=7,
        AutoMinorVersionUpgrade=False,
    )
    shop.interfaces += [
        ("amazon-rds", "RDSNetworkInterface d41", "sg-db-backoffice", ["isolated-a"], False),
        ("amazon-rds", "RDSNetworkInterface d52", "sg-staging-tickets", ["staging-a"], False),
    ]


def replica(shop):
    rds = shop.client("rds", GLOBAL_REGION)
    rds.create_db_subnet_group(
        DBSubnetGroupName="shop-standby",
        DBSubnetGroupDescription="databases of the standby",
        SubnetIds=[shop.ids[f"dr-private-{zone}"] for zone in "ab"],
        Tags=pairs(tags("n65_standby-group_platform", importance="high", dr="none")),
    )
    scheme = tags("d13_products_catalog", importance="high", dr="backup", RPO="1h")
    rds.create_db_instance(
        DBInstanceIdentifier="d13-products-catalog",
        DBInstanceClass="db.r6g.large",
        Engine="postgres",
        EngineVersion="16.8",
        AllocatedStorage=200,
        StorageType="gp3",
        MasterUsername="shop_owner",
        MasterUserPassword="only-in-the-emulator",
        DBSubnetGroupName="shop-standby",
        VpcSecurityGroupIds=[shop.ids["sg-standby-db"]],
        MultiAZ=True,
        StorageEncrypted=True,
        KmsKeyId=shop.ids["key-standby"],
        BackupRetentionPeriod=7,
        PreferredBackupWindow="01:00-02:00",
        PubliclyAccessible=False,
        DeletionProtection=True,
        AutoMinorVersionUpgrade=True,
        CopyTagsToSnapshot=True,
        EnableCloudwatchLogsExports=["postgresql"],
        Tags=pairs(scheme),
    )
    standby = ["dr-private-a", "dr-private-b"]
    shop.interfaces.append(("amazon-rds", "RDSNetworkInterface d13", "sg-standby-db", standby, False))
    shop.ids["d13_products_catalog"] = arn("d13_products_catalog", "db", GLOBAL_REGION)


def host(name, kind=""):
    return f"{name}.cluster-{kind}c9akciq32rgw.{MAIN_REGION}.rds.amazonaws.com"


def cluster(shop, name, engine, version, group, key, port, importance, dr, days, objectives, zones, options):
    identifier, scheme = name.replace("_", "-"), tags(name, importance=importance, dr=dr, **objectives)
    members = [
        {
            "DBInstanceIdentifier": f"{identifier}-{number}",
            "IsClusterWriter": number == 1,
            "DBClusterParameterGroupStatus": "in-sync",
            "PromotionTier": 1,
        }
        for number, _ in enumerate(zones, start=1)
    ]
    row = {
        "AllocatedStorage": 1,
        "AvailabilityZones": [f"{MAIN_REGION}{zone}" for zone in "abc"],
        "BackupRetentionPeriod": days,
        "DBClusterIdentifier": identifier,
        "DBClusterParameterGroup": GROUPS[engine][0],
        "DBSubnetGroup": "shop-prod",
        "Status": "available",
        "EarliestRestorableTime": EARLIEST if days > 1 else "2026-11-15T02:30:00+00:00",
        "Endpoint": host(identifier),
        "ReaderEndpoint": host(identifier, "ro-"),
        "MultiAZ": len(zones) > 1,
        "Engine": engine,
        "EngineVersion": version,
        "LatestRestorableTime": LATEST,
        "Port": port,
        "MasterUsername": "shop_owner",
        "PreferredBackupWindow": "02:00-03:00",
        "PreferredMaintenanceWindow": "tue:03:00-tue:04:00",
        "ReadReplicaIdentifiers": [],
        "DBClusterMembers": members,
        "VpcSecurityGroups": [{"VpcSecurityGroupId": shop.ids[group], "Status": "active"}],
        "HostedZoneId": "Z29XKXDKYMONMX",
        "StorageEncrypted": True,
        "KmsKeyId": shop.ids[key],
        "DbClusterResourceId": "cluster-" + databases.resource_id(identifier)[3:],
        "DBClusterArn": arn(name),
        "AssociatedRoles": [],
        "IAMDatabaseAuthenticationEnabled": False,
        "ClusterCreateTime": CREATED,
        "EnabledCloudwatchLogsExports": LOGS[engine],
        "EngineMode": "provisioned",
        "DeletionProtection": True,
        "HttpEndpointEnabled": False,
        "CopyTagsToSnapshot": True,
        "CrossAccountClone": False,
        "TagList": pairs(scheme),
        "AutoMinorVersionUpgrade": True,
    }
    if options.get("DatabaseName"):
        row["DatabaseName"] = options["DatabaseName"]
    if options.get("MasterUserSecret"):
        row["MasterUserSecret"] = {
            "SecretArn": PARCELS_SECRET,
            "SecretStatus": "active",
            "KmsKeyId": shop.ids[key],
        }
    shop.add("rds", "DescribeDBClusters", "DBClusters", row)
    shop.ids[name] = row["DBClusterArn"]
    shop.sweep(row["DBClusterArn"], scheme)
    for number, zone in enumerate(zones, start=1):
        shop.ids[f"{name}-{number}"] = arn(f"{identifier}-{number}", "db")
        shop.sweep(arn(f"{identifier}-{number}", "db"), scheme)
        shop.interfaces.append(
            ("amazon-rds", f"RDSNetworkInterface {identifier}-{number}", group, [f"isolated-{zone}"], False)
        )


def parameter_groups(shop):
    for name, family, parameter, value in GROUPS.values():
        group_arn = arn(name, "cluster-pg")
        row = {
            "DBClusterParameterGroupName": name,
            "DBParameterGroupFamily": family,
            "Description": f"Default cluster parameter group for {family}",
            "DBClusterParameterGroupArn": group_arn,
        }
        shop.add("rds", "DescribeDBClusterParameterGroups", "DBClusterParameterGroups", row)
        settings = [{"ParameterName": parameter, "ParameterValue": value, "Source": "system"}] if parameter else []
        shop.answer("rds", "DescribeDBClusterParameters", {"Parameters": settings}, name)
        shop.answer("rds", "ListTagsForResource", {"TagList": []}, group_arn)


def db_instances(shop, region, parameter, answer):
    answer = databases.db_instances(shop, region, parameter, answer)
    # The emulator doesn't copy across regions; there each side names the other by its ARN.
    source, copy = shop.ids["d11_products_catalog"], shop.ids["d13_products_catalog"]
    for row in answer["DBInstances"]:
        if row["DBInstanceArn"] == source:
            row["ReadReplicaDBInstanceIdentifiers"] = [*row["ReadReplicaDBInstanceIdentifiers"], copy]
        if row["DBInstanceArn"] == copy:
            row["ReadReplicaSourceDBInstanceIdentifier"] = source
    if region == MAIN_REGION:
        pattern = next(row for row in answer["DBInstances"] if row["DBInstanceIdentifier"] == "d11-products-catalog")
        for name in CLUSTERS:
            answer["DBInstances"] += members(shop, name, pattern)
    return answer


def members(shop, name, pattern):
    """The instances of a cluster: what another database of the same subnets has, and what is the cluster's."""
    rows = shop.answers[(MAIN_REGION, "rds", "DescribeDBClusters", None)]["DBClusters"]
    owner = next(row for row in rows if row["DBClusterArn"] == shop.ids[name])
    zones = CLUSTERS[name][9]
    for number, zone in enumerate(zones, start=1):
        identifier = f"{owner['DBClusterIdentifier']}-{number}"
        shared = {
            member: owner[member]
            for member in (
                "BackupRetentionPeriod",
                "DBClusterIdentifier",
                "Engine",
                "EngineVersion",
                "KmsKeyId",
                "MasterUsername",
                "TagList",
                "VpcSecurityGroups",
                "EnabledCloudwatchLogsExports",
            )
        }
        left_out = ("ReadReplicaDBInstanceIdentifiers", "LatestRestorableTime", "SecondaryAvailabilityZone", "DBName")
        yield {
            **{member: value for member, value in pattern.items() if member not in left_out},
            **shared,
            "DBInstanceIdentifier": identifier,
            "DBInstanceArn": shop.ids[f"{name}-{number}"],
            "DbiResourceId": databases.resource_id(identifier),
            "Endpoint": {
                "Address": f"{identifier}.c9akciq32rgw.{MAIN_REGION}.rds.amazonaws.com",
                "Port": owner["Port"],
                "HostedZoneId": "Z29XKXDKYMONMX",
            },
            "AvailabilityZone": f"{MAIN_REGION}{zone}",
            "MultiAZ": False,
            "StorageType": "aurora",
            "AllocatedStorage": 1,
            # Switched off during a release of the second one, and forgotten.
            "AutoMinorVersionUpgrade": identifier != "d61-parcels-shipping-2",
            "InstanceCreateTime": CREATED,
            "PromotionTier": 1,
            "DBParameterGroups": [
                {"DBParameterGroupName": GROUPS[owner["Engine"]][0], "ParameterApplyStatus": "in-sync"}
            ],
            "PerformanceInsightsEnabled": False,
            "DeletionProtection": False,
            "ReadReplicaDBInstanceIdentifiers": [],
        }


def plant(shop):
    tickets_arn, staging = shop.ids["d41_tickets_backoffice"], shop.ids["d52_tickets_backoffice"]
    shop.fault("db-rto-unmet", tickets_arn, "RTO 15m, one zone, two terabytes to restore")
    shop.fault("db-single-az", tickets_arn, "single zone")
    shop.fault("db-single-az", staging, "single zone")
    shop.fault("db-minor-upgrade", staging, "off")
    shop.fault("db-minor-upgrade", shop.ids["d61_parcels_shipping-2"], "off")
    shop.fault("docdb-neptune-backup", shop.ids["d71_messages_notifications"], "retention of one day")
    for name in ("d41_tickets_backoffice", "d52_tickets_backoffice", "d71_messages_notifications"):
        shop.fault("db-secret-unmanaged", shop.ids[name], "master password not kept by Secrets Manager")
