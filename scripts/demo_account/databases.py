"""RDS: a ledger kept well, a catalog with a replica, and three databases in trouble."""

import hashlib

from .shop import ACCOUNT_ID, MAIN_REGION, REGIONS, pairs, tags

MANAGED_SECRET = (
    f"arn:aws:secretsmanager:{MAIN_REGION}:{ACCOUNT_ID}:secret:rds!db-3f0c6d1e-5a7b-4c19-9e82-6d1b0f4a7c35-Qm4TzK"
)
# What the emulator doesn't work out: identifier -> latest restorable time (None: no automated backup).
RESTORABLE = {
    "d01-orders-checkout": None,
    "d11-products-catalog": "2026-11-16T05:55:12+00:00",
    "d12-products-catalog": "2026-11-16T05:54:58+00:00",
    "d21-ledger-payments": "2026-11-16T05:56:40+00:00",
    "d31-events-analytics": "2026-11-15T22:10:03+00:00",
    "d51-orders-checkout": "2026-11-16T05:54:20+00:00",
    "d41-tickets-backoffice": "2026-11-16T05:55:40+00:00",
    "d52-tickets-backoffice": "2026-11-16T05:53:31+00:00",
    "d13-products-catalog": "2026-11-16T05:52:15+00:00",
}
LAST_NIGHT = {
    "d12-products-catalog": "01:16",
    "d11-products-catalog": "01:12",
    "d21-ledger-payments": "01:20",
    "d31-events-analytics": "01:31",
    "d51-orders-checkout": "01:44",
    "d41-tickets-backoffice": "01:22",
    "d52-tickets-backoffice": "01:37",
    "d13-products-catalog": "01:08",
}


def build(shop):
    rds = shop.client("rds")
    shop.at("2022-03-11T09:00:00Z")
    for name, zones, env in (("prod", "abc", "prod"), ("staging", "ab", "staging")):
        prefix = "isolated" if name == "prod" else "staging"
        scheme = tags(
            "n60_isolated-group_platform" if name == "prod" else "n80_public-group_platform",
            importance="high" if name == "prod" else "low",
            dr="none",
            env=env,
        )
        rds.create_db_subnet_group(
            DBSubnetGroupName=f"shop-{name}",
            DBSubnetGroupDescription=f"databases of {name}",
            SubnetIds=[shop.ids[f"{prefix}-{zone}"] for zone in zones],
            Tags=pairs(scheme),
        )
    instances(shop)
    snapshots(shop)
    shop.correct("rds", "DescribeDBInstances", db_instances)
    shop.correct("rds", "DescribeDBInstanceAutomatedBackups", automated_backups)
    parameters(shop)
    engine_versions(shop)
    shop.correct("rds", "DescribeDBSnapshots", db_snapshots)
    shop.correct("rds", "DescribeDBSnapshotAttributes", db_snapshot_attributes)
    plant(shop)


def instance(shop, name, engine, version, group, importance, dr, **settings):
    env = settings.pop("env", "prod")
    objectives = settings.pop("objectives", {})
    scheme = tags(name, importance=importance, dr=dr, env=env, **objectives)
    identifier = name.replace("_", "-")
    request = {
        "DBInstanceIdentifier": identifier,
        "DBInstanceClass": "db.r6g.large",
        "Engine": engine,
        "EngineVersion": version,
        "AllocatedStorage": 200,
        "StorageType": "gp3",
        "MasterUsername": "shop_owner",
        "MasterUserPassword": "only-in-the-emulator",
        "DBSubnetGroupName": f"shop-{env}",
        "VpcSecurityGroupIds": [shop.ids[group]],
        "MultiAZ": True,
        "StorageEncrypted": True,
        "KmsKeyId": shop.ids["key-shop"],
        "BackupRetentionPeriod": 7,
        "PreferredBackupWindow": "01:00-02:00",
        "PubliclyAccessible": False,
        "DeletionProtection": True,
        "AutoMinorVersionUpgrade": True,
        "CopyTagsToSnapshot": True,
        "EnableCloudwatchLogsExports": ["error"] if engine == "mysql" else ["postgresql"],
        "Tags": pairs(scheme),
        **settings,
    }
    if not request["StorageEncrypted"]:
        del request["KmsKeyId"]
    shop.client("rds").create_db_instance(**request)
    shop.ids[name] = f"arn:aws:rds:{MAIN_REGION}:{ACCOUNT_ID}:db:{identifier}"


def instances(shop):
    rds = shop.client("rds")
    shop.at("2022-03-14T09:00:00Z")
    # Backups were switched off for a migration and never on again; the standby was taken for a backup.
    instance(
        shop,
        "d01_orders_checkout",
        "mysql",
        "8.0.40",
        "sg-db-checkout",
        "critical",
        "multi-az+backup",
        BackupRetentionPeriod=0,
        AllocatedStorage=400,
        objectives={"RPO": "15m", "RTO": "1h"},
    )
    shop.at("2022-03-15T09:00:00Z")
    instance(
        shop,
        "d11_products_catalog",
        "postgres",
        "16.8",
        "sg-db-catalog",
        "high",
        "multi-az+backup+replication",
        objectives={"RPO": "1h", "RTO": "4h"},
    )
    shop.at("2023-10-10T09:00:00Z")
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier="d12-products-catalog",
        SourceDBInstanceIdentifier="d11-products-catalog",
        DBInstanceClass="db.r6g.large",
        AvailabilityZone=f"{MAIN_REGION}c",
        PubliclyAccessible=False,
        Tags=pairs(tags("d12_products_catalog", importance="medium", dr="none")),
    )
    shop.ids["d12_products_catalog"] = f"arn:aws:rds:{MAIN_REGION}:{ACCOUNT_ID}:db:d12-products-catalog"
    shop.at("2022-06-20T09:00:00Z")
    instance(
        shop,
        "d21_ledger_payments",
        "postgres",
        "16.8",
        "sg-db-payments",
        "critical",
        "multi-az+backup",
        BackupRetentionPeriod=35,
        KmsKeyId=shop.ids["key-payments"],
        objectives={"RPO": "15m", "RTO": "1h"},
    )
    shop.at("2024-05-15T09:00:00Z")
    instance(
        shop,
        "d31_events_analytics",
        "postgres",
        "16.8",
        "sg-db-analytics",
        "medium",
        "backup",
        BackupRetentionPeriod=1,
        MultiAZ=False,
        AvailabilityZone=f"{MAIN_REGION}a",
        objectives={"RPO": "15m"},
    )
    shop.at("2023-06-02T09:00:00Z")
    instance(
        shop,
        "d51_orders_checkout",
        "mysql",
        "8.0.40",
        "sg-staging-db",
        "low",
        "backup",
        env="staging",
        BackupRetentionPeriod=1,
        MultiAZ=False,
        AvailabilityZone=f"{MAIN_REGION}a",
        PubliclyAccessible=True,
        StorageEncrypted=False,
        DeletionProtection=False,
        CopyTagsToSnapshot=False,
        MasterUsername="admin",
        EnableCloudwatchLogsExports=[],
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage=50,
    )


def snapshots(shop):
    rds = shop.client("rds")
    shop.at("2026-11-01T04:00:00Z")
    scheme = tags("p21_ledger_payments", importance="critical", dr="none")
    rds.create_db_snapshot(
        DBInstanceIdentifier="d21-ledger-payments", DBSnapshotIdentifier="d21-ledger-before-upgrade", Tags=pairs(scheme)
    )
    shop.at("2025-05-06T15:00:00Z")
    rds.create_db_snapshot(DBInstanceIdentifier="d51-orders-checkout", DBSnapshotIdentifier="d51-orders-for-contractor")
    arn = f"arn:aws:rds:{MAIN_REGION}:{ACCOUNT_ID}:snapshot:d51-orders-for-contractor"
    shop.fault("db-snapshot-public", arn, "shared with all AWS accounts")
    shop.fault("tag-required-missing", arn, "no tags")


def db_instances(shop, region, parameter, answer):
    """Times of backups, log exports and the zone of the standby, which the emulator leaves out or invents."""
    for instance in answer["DBInstances"]:
        identifier = instance["DBInstanceIdentifier"]
        instance |= {
            "DbiResourceId": resource_id(identifier),
            "CACertificateIdentifier": "rds-ca-rsa2048-g1",
            "CertificateDetails": {"CAIdentifier": "rds-ca-rsa2048-g1", "ValidTill": "2027-03-14T09:00:00+00:00"},
            "BackupTarget": "region",
            "PerformanceInsightsEnabled": identifier in ("d01-orders-checkout", "d21-ledger-payments"),
            "EngineLifecycleSupport": "open-source-rds-extended-support",
            "DbInstancePort": 0,
        }
        instance.pop("LatestRestorableTime", None)
        if RESTORABLE[identifier]:
            instance["LatestRestorableTime"] = RESTORABLE[identifier]
        if instance["MultiAZ"]:
            instance["AvailabilityZone"], instance["SecondaryAvailabilityZone"] = f"{region}a", f"{region}b"
        if identifier == "d12-products-catalog":
            # A replica takes storage and placement from its source, and its backups are its own.
            source = next(row for row in answer["DBInstances"] if row["DBInstanceIdentifier"] == "d11-products-catalog")
            for member in (
                "KmsKeyId",
                "StorageEncrypted",
                "DBSubnetGroup",
                "VpcSecurityGroups",
                "DeletionProtection",
                "CopyTagsToSnapshot",
            ):
                instance[member] = source[member]
            instance |= {
                "BackupRetentionPeriod": 7,
                "MultiAZ": True,
                "AvailabilityZone": f"{MAIN_REGION}c",
                "SecondaryAvailabilityZone": f"{MAIN_REGION}a",
                "DBInstanceStatus": "available",
            }
            instance["EnabledCloudwatchLogsExports"] = ["postgresql"]
            instance["StatusInfos"] = [{"StatusType": "read replication", "Normal": True, "Status": "replicating"}]
        if identifier == "d21-ledger-payments":
            instance["MasterUserSecret"] = {
                "SecretArn": MANAGED_SECRET,
                "SecretStatus": "active",
                "KmsKeyId": shop.ids["key-payments"],
            }
    return answer


def resource_id(identifier):
    """The emulator gives the same id to all."""
    return "db-" + hashlib.sha256(identifier.encode()).hexdigest()[:26].upper().replace("0", "Q").replace(
        "1", "R"
    ).replace("8", "S").replace("9", "T")


def described(shop, region):
    answer = shop.client("rds", region).describe_db_instances()
    return db_instances(shop, region, None, answer)["DBInstances"]


def automated_backups(shop, region, parameter, answer):
    rows = []
    for instance in described(shop, region):
        identifier = instance["DBInstanceIdentifier"]
        latest = RESTORABLE[identifier]
        if not latest:
            continue
        row = {member: instance[member] for member in COPIED_MEMBERS if member in instance}
        if instance["StorageEncrypted"]:
            row["KmsKeyId"] = instance["KmsKeyId"]
        days = instance["BackupRetentionPeriod"]
        earliest = f"2026-{(10, 11)[days < 15]}-{(16 - days) if days < 15 else 12:02}T{LAST_NIGHT[identifier]}:00+00:00"
        rows.append(
            row
            | {
                "DbiResourceId": resource_id(identifier),
                "Region": region,
                "RestoreWindow": {"EarliestTime": earliest, "LatestTime": latest},
                "Status": "active",
                "Port": instance["Endpoint"]["Port"],
                "Encrypted": instance["StorageEncrypted"],
                "VpcId": instance["DBSubnetGroup"]["VpcId"],
                "BackupTarget": "region",
                "DBInstanceAutomatedBackupsArn": f"arn:aws:rds:{region}:{ACCOUNT_ID}:auto-backup:ab-{resource_id(identifier)[3:].lower()}",
                "DBInstanceAutomatedBackupsReplications": [],
            }
        )
    return {"DBInstanceAutomatedBackups": rows}


COPIED_MEMBERS = (
    "DBInstanceArn DBInstanceIdentifier AllocatedStorage AvailabilityZone InstanceCreateTime MasterUsername Engine EngineVersion "
    "LicenseModel StorageType IAMDatabaseAuthenticationEnabled BackupRetentionPeriod"
).split()


# (engine, major version, start of standard support, its end, end of extended support), as AWS publishes them.
LIFECYCLES = (
    ("mysql", "8.0", "2018-10-23", "2026-07-31", "2029-07-31"),
    ("mysql", "8.4", "2024-11-21", "2029-07-31", "2032-07-31"),
    ("postgres", "16", "2024-02-26", "2029-02-28", "2032-02-29"),
    ("postgres", "17", "2024-11-21", "2030-02-28", "2033-02-28"),
    ("aurora-postgresql", "16", "2024-01-31", "2029-02-28", "2032-02-29"),
)


def engine_versions(shop):
    rows = []
    for engine, version, start, standard, extended in LIFECYCLES:
        phases = (("standard", start, standard), ("extended", standard, extended))
        rows.append(
            {
                "Engine": engine,
                "MajorEngineVersion": version,
                "SupportedEngineLifecycles": [
                    {
                        "LifecycleSupportName": f"open-source-rds-{name}-support",
                        "LifecycleSupportStartDate": f"{begin}T00:00:00+00:00",
                        "LifecycleSupportEndDate": f"{end}T23:59:59.999000+00:00",
                    }
                    for name, begin, end in phases
                ],
            }
        )
    for region in REGIONS:
        shop.answer("rds", "DescribeDBMajorEngineVersions", {"DBMajorEngineVersions": rows}, region=region)


def parameters(shop):
    """The two default parameter groups: PostgreSQL refuses connections without TLS, MySQL doesn't."""
    for group, name, value, allowed in (
        ("default.mysql8.0", "require_secure_transport", "OFF", "ON,OFF"),
        ("default.postgres16", "rds.force_ssl", "1", "0,1"),
    ):
        parameter = {
            "ParameterName": name,
            "ParameterValue": value,
            "Description": "Whether connections must use TLS",
            "Source": "system",
            "ApplyType": "dynamic",
            "DataType": "boolean",
            "AllowedValues": allowed,
            "IsModifiable": True,
            "ApplyMethod": "immediate",
        }
        shop.answer("rds", "DescribeDBParameters", {"Parameters": [parameter]}, group)


def db_snapshots(shop, region, parameter, answer):
    """Last night's automated snapshots, which the emulator doesn't make."""
    sources = {row["DBInstanceIdentifier"]: row for row in described(shop, region)}
    automated = []
    for row in answer["DBSnapshots"]:
        row["DbiResourceId"] = resource_id(row["DBInstanceIdentifier"])
    # The emulator makes one automated snapshot when an instance is created, whatever its retention.
    answer["DBSnapshots"] = [row for row in answer["DBSnapshots"] if not row["DBSnapshotIdentifier"].startswith("rds:")]
    for identifier, moment in LAST_NIGHT.items():
        if identifier not in sources:
            continue
        source = sources[identifier]
        created = f"2026-11-16T{moment}:00+00:00"
        name = f"rds:{identifier}-2026-11-16-{moment.replace(':', '-')}"
        row = {
            "DBSnapshotIdentifier": name,
            "DBInstanceIdentifier": identifier,
            "SnapshotCreateTime": created,
            "OriginalSnapshotCreateTime": created,
            "Engine": source["Engine"],
            "EngineVersion": source["EngineVersion"],
            "AllocatedStorage": source["AllocatedStorage"],
            "Status": "available",
            "Port": source["Endpoint"]["Port"],
            "AvailabilityZone": f"{region}a",
            "VpcId": source["DBSubnetGroup"]["VpcId"],
            "InstanceCreateTime": source["InstanceCreateTime"],
            "MasterUsername": source["MasterUsername"],
            "SnapshotType": "automated",
            "PercentProgress": 100,
            "StorageType": source["StorageType"],
            "Encrypted": source["StorageEncrypted"],
            "DBSnapshotArn": f"arn:aws:rds:{region}:{ACCOUNT_ID}:snapshot:{name}",
            "IAMDatabaseAuthenticationEnabled": False,
            "DbiResourceId": resource_id(identifier),
            "TagList": source["TagList"] if source["CopyTagsToSnapshot"] else [],
        }
        if source["StorageEncrypted"]:
            row["KmsKeyId"] = source["KmsKeyId"]
        automated.append(row)
    answer["DBSnapshots"] += automated
    return answer


def db_snapshot_attributes(shop, region, parameter, answer):
    shared = ["all"] if parameter == "d51-orders-for-contractor" else []
    answer["DBSnapshotAttributesResult"]["DBSnapshotIdentifier"] = parameter
    answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"] = [
        {"AttributeName": "restore", "AttributeValues": shared}
    ]
    return answer


def plant(shop):
    orders, events, staging = (
        shop.ids[name] for name in ("d01_orders_checkout", "d31_events_analytics", "d51_orders_checkout")
    )
    shop.fault("db-backup-off", orders, "backup retention 0")
    shop.fault("db-replica-not-backup", orders, "a Multi-AZ standby and no backup: a wrong DELETE is replicated too")
    shop.fault("db-rpo-unmet", orders, "RPO 15m, nothing to restore from")
    shop.fault("dr-tag-unmet", orders, "DR says multi-az+backup, retention is 0")
    shop.fault("db-rpo-unmet", events, "RPO 15m, restorable until almost eight hours ago")
    shop.fault("db-single-az", events, "single zone")
    shop.fault("db-public", staging, "publicly accessible, and its group lets the world in")
    shop.fault("db-unencrypted", staging, "not encrypted")
    shop.fault("db-deletion-protection", staging, "off")
    shop.fault("db-default-admin", staging, "master user admin")
    shop.fault("db-logs-off", staging, "no log exports")
    shop.fault("db-single-az", staging, "single zone")
    shop.fault("tag-copy-to-snapshot", staging, "tags are not copied to snapshots")
    last_night = f"rds:d51-orders-checkout-2026-11-16-{LAST_NIGHT['d51-orders-checkout'].replace(':', '-')}"
    shop.fault("tag-required-missing", staging.replace(":db:d51-orders-checkout", f":snapshot:{last_night}"), "no tags")
    for name in ("d01_orders_checkout", "d51_orders_checkout"):
        shop.fault("db-no-tls", shop.ids[name], "require_secure_transport is off in default.mysql8.0")
        shop.fault("db-engine-eol", shop.ids[name], "MySQL 8.0: standard support ended in July 2026")
    for name in ("d01_orders_checkout", "d11_products_catalog", "d31_events_analytics", "d51_orders_checkout"):
        shop.fault("db-secret-unmanaged", shop.ids[name], "master password not kept by Secrets Manager")
