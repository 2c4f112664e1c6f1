"""OpenSearch, file systems and their members in the network: search and shipping keep theirs well, staging and the archive don't."""

from . import databases, interfaces
from .shop import ACCOUNT_ID, MAIN_REGION, pairs, tags

HERE = f"{MAIN_REGION}:{ACCOUNT_ID}"
OPEN = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"es:*","Resource":"*"}]}'
)
# name: (env, importance, DR, nodes, subnets, options)
DOMAINS = {
    "es11_products_search": ("prod", "high", "multi-az+backup", 3, ("isolated-a", "isolated-b", "isolated-c")),
    "es12_logs_platform": ("prod", "medium", "backup", 1, ("isolated-b",)),
    # Opened for an evaluation of another search plugin, from a home office.
    "es51_products_search": ("staging", "low", "none", 1, ()),
}
# name: (id, importance, DR, encrypted, backup)
FILES = {
    "fs11_labels_shipping": ("fs-0a3d91c7e52b8f640", "high", "backup", True, True),
    # Until then the tax office may ask for a label.
    "fs12_archive_shipping": ("fs-0c81e6b35f9d2a047", "medium", "backup", False, False),
}


def build(shop):
    for name, row in DOMAINS.items():
        domain(shop, name, *row)
    for name, row in FILES.items():
        files(shop, name, *row)
    plant(shop)


def domain(shop, name, env, importance, dr, nodes, subnets):
    short = name.replace("_", "-")
    arn = f"arn:aws:es:{HERE}:domain/{short}"
    scheme = tags(name, importance=importance, dr=dr, env=env)
    digest = databases.resource_id(short)[3:].lower()
    endpoint = f"{'vpc' if subnets else 'search'}-{short}-{digest}.{MAIN_REGION}.es.amazonaws.com"
    status = {
        "DomainId": f"{ACCOUNT_ID}/{short}",
        "DomainName": short,
        "ARN": arn,
        "Created": True,
        "Deleted": False,
        "Processing": False,
        "UpgradeProcessing": False,
        "EngineVersion": "OpenSearch_2.19",
        "ClusterConfig": {
            "InstanceType": "r6g.large.search",
            "InstanceCount": nodes,
            "DedicatedMasterEnabled": False,
            "ZoneAwarenessEnabled": nodes > 1,
            "WarmEnabled": False,
        },
        "EBSOptions": {"EBSEnabled": True, "VolumeType": "gp3", "VolumeSize": 100},
        "AccessPolicies": OPEN
        if not subnets
        else OPEN.replace('{"AWS":"*"}', f'{{"AWS":"arn:aws:iam::{ACCOUNT_ID}:root"}}').replace(
            '"Resource":"*"', f'"Resource":"{arn}/*"'
        ),
        "SnapshotOptions": {"AutomatedSnapshotStartHour": 2},
        "EncryptionAtRestOptions": {"Enabled": True, "KmsKeyId": shop.ids["key-shop"]},
        "NodeToNodeEncryptionOptions": {"Enabled": True},
        "AdvancedOptions": {"rest.action.multi.allow_explicit_index": "true"},
        "ServiceSoftwareOptions": {"UpdateAvailable": False, "AutomatedUpdateDate": "1970-01-01T00:00:00+00:00"},
        "DomainEndpointOptions": {"EnforceHTTPS": True, "TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10"},
        "AdvancedSecurityOptions": {"Enabled": False, "InternalUserDatabaseEnabled": False},
    }
    if nodes > 1:
        status["ClusterConfig"]["ZoneAwarenessConfig"] = {"AvailabilityZoneCount": nodes}
    if subnets:
        group = "sg-domain-search"
        status["Endpoints"] = {"vpc": endpoint}
        status["VPCOptions"] = {
            "VPCId": shop.ids["vpc"],
            "SubnetIds": [shop.ids[subnet] for subnet in subnets],
            "AvailabilityZones": [MAIN_REGION + subnet[-1] for subnet in subnets],
            "SecurityGroupIds": [shop.ids[group]],
        }
        shop.interfaces.append(("amazon-elasticsearch", f"ES {short}", group, list(subnets), False))
    else:
        status["Endpoint"] = endpoint
    shop.add("opensearch", "ListDomainNames", "DomainNames", {"DomainName": short, "EngineType": "OpenSearch"})
    shop.add("opensearch", "DescribeDomains", "DomainStatusList", status)
    shop.answer("opensearch", "ListTags", {"TagList": pairs(scheme)}, arn)
    shop.ids[name] = arn
    shop.sweep(arn, scheme)


def files(shop, name, identifier, importance, dr, encrypted, backup):
    arn = f"arn:aws:elasticfilesystem:{HERE}:file-system/{identifier}"
    note = {} if encrypted else {"Note": "KEEP_UNTIL_2032-12-31"}
    scheme = tags(name, importance=importance, dr=dr, **note)
    created = "2024-06-05T10:00:00+00:00" if encrypted else "2022-09-12T10:00:00+00:00"
    zones = "ab"
    row = {
        "OwnerId": ACCOUNT_ID,
        "CreationToken": name,
        "FileSystemId": identifier,
        "FileSystemArn": arn,
        "CreationTime": created,
        "LifeCycleState": "available",
        "Name": name,
        "NumberOfMountTargets": len(zones),
        "SizeInBytes": {"Value": 48318382080, "ValueInIA": 0, "ValueInStandard": 48318382080},
        "PerformanceMode": "generalPurpose",
        "Encrypted": encrypted,
        "ThroughputMode": "elastic",
        "Tags": pairs(scheme),
        "FileSystemProtection": {"ReplicationOverwriteProtection": "ENABLED"},
    }
    if encrypted:
        row["KmsKeyId"] = shop.ids["key-shipping"]
    shop.add("efs", "DescribeFileSystems", "FileSystems", row)
    policy = {"BackupPolicy": {"Status": "ENABLED" if backup else "DISABLED"}}
    shop.answer("efs", "DescribeBackupPolicy", policy, identifier)
    for operation, code in (
        ("DescribeFileSystemPolicy", "PolicyNotFound"),
        ("DescribeReplicationConfigurations", "ReplicationNotFound"),
    ):
        missing = {"Error": {"Code": code, "Message": f"{operation.removeprefix('Describe')} of {identifier}: none"}}
        shop.answer("efs", operation, missing, identifier)
    description = f"EFS mount target for {identifier}"
    for number, zone in enumerate(zones):
        subnet, address = f"isolated-{zone}", f"10.20.{20 + number}.{60 if encrypted else 61}"
        shop.addresses[(description, subnet)] = address
        target = {
            "OwnerId": ACCOUNT_ID,
            "MountTargetId": f"fsmt-{identifier[3:-1]}{number}",
            "FileSystemId": identifier,
            "SubnetId": shop.ids[subnet],
            "LifeCycleState": "available",
            "IpAddress": address,
            "NetworkInterfaceId": f"eni-{interfaces.interface_digest(description, subnet)[:17]}",
            "AvailabilityZoneName": f"{MAIN_REGION}{zone}",
            "VpcId": shop.ids["vpc"],
        }
        shop.add("efs", "DescribeMountTargets", "MountTargets", target, identifier)
    subnets = [f"isolated-{zone}" for zone in zones]
    shop.interfaces.append(("amazon-efs", description, "sg-files-shipping", subnets, False))
    shop.ids[name] = arn
    shop.sweep(arn, scheme)


def plant(shop):
    staging, archive = shop.ids["es51_products_search"], shop.ids["fs12_archive_shipping"]
    shop.fault("search-public", staging, "on the internet, and its policy lets everybody in")
    shop.fault("resource-policy-public", staging, "its policy lets everybody in")
    shop.fault("search-single-node", staging, "one node")
    shop.fault("search-single-node", shop.ids["es12_logs_platform"], "one node")
    shop.fault("efs-unencrypted", archive, "not encrypted")
    shop.fault("efs-backup", archive, "in no backup")
    shop.fault("dr-tag-unmet", archive, "DR says backup, there is none")
