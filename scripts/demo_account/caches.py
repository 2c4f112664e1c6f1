"""ElastiCache: the pages of the catalog on two nodes, the sessions of checkout on one."""

from .shop import ACCOUNT_ID, MAIN_REGION, pairs, tags

GROUP_TAGS = tags("c11_pages_catalog", importance="medium", dr="multi-az+backup")
GROUP = "c11-pages-catalog"


def build(shop):
    caches(shop)
    shop.correct("elasticache", "DescribeReplicationGroups", replication_groups)
    shop.correct("elasticache", "DescribeCacheClusters", cache_clusters)
    plant(shop)


def caches(shop):
    elasticache = shop.client("elasticache")
    shop.at("2022-03-16T09:00:00Z")
    elasticache.create_cache_subnet_group(
        CacheSubnetGroupName="shop-prod",
        CacheSubnetGroupDescription="caches of production",
        Tags=pairs(tags("n62_cache-subnets_platform", importance="high", dr="none")),
        SubnetIds=[shop.ids[f"isolated-{zone}"] for zone in "abc"],
    )
    scheme = tags("c01_sessions_checkout", importance="critical", dr="none")
    elasticache.create_cache_cluster(
        CacheClusterId="c01-sessions-checkout",
        Engine="redis",
        EngineVersion="7.1",
        CacheNodeType="cache.r6g.large",
        NumCacheNodes=1,
        CacheSubnetGroupName="shop-prod",
        SecurityGroupIds=[shop.ids["sg-redis-checkout"]],
        PreferredAvailabilityZone=f"{MAIN_REGION}a",
        SnapshotRetentionLimit=0,
        Tags=pairs(scheme),
    )
    shop.ids["c01_sessions_checkout"] = f"arn:aws:elasticache:{MAIN_REGION}:{ACCOUNT_ID}:cluster:c01-sessions-checkout"
    shop.at("2024-03-04T09:00:00Z")
    elasticache.create_replication_group(
        ReplicationGroupId=GROUP,
        ReplicationGroupDescription="rendered pages of the catalog",
        Engine="redis",
        EngineVersion="7.1",
        CacheNodeType="cache.t4g.medium",
        NumNodeGroups=1,
        ReplicasPerNodeGroup=1,
        AutomaticFailoverEnabled=True,
        MultiAZEnabled=True,
        AtRestEncryptionEnabled=True,
        TransitEncryptionEnabled=True,
        AuthToken="only-in-the-emulator-0",
        SnapshotRetentionLimit=7,
        CacheSubnetGroupName="shop-prod",
        SecurityGroupIds=[shop.ids["sg-redis-catalog"]],
        Tags=pairs(GROUP_TAGS),
    )
    # The members carry the group's tags.
    for number in (1, 2):
        arn = cluster_arn(f"{GROUP}-00{number}")
        shop.answer("elasticache", "ListTagsForResource", {"TagList": pairs(GROUP_TAGS)}, arn)
        shop.sweep(arn, GROUP_TAGS)


def replication_groups(shop, region, parameter, answer):
    """Zones and end points of this region; the emulator's are elsewhere."""
    for group in answer["ReplicationGroups"]:
        group |= {
            "SnapshotWindow": "05:00-06:00",
            "KmsKeyId": shop.ids["key-shop"],
            "TransitEncryptionMode": "required",
            "AutoMinorVersionUpgrade": True,
        }
        for shard in group["NodeGroups"]:
            shard["PrimaryEndpoint"]["Address"] = f"master.{GROUP}.a1b2c3.euw1.cache.amazonaws.com"
            for member, zone in zip(shard["NodeGroupMembers"], "ab", strict=True):
                member["PreferredAvailabilityZone"] = f"{MAIN_REGION}{zone}"
                member["ReadEndpoint"]["Address"] = (
                    f"{member['CacheClusterId']}.{GROUP}.a1b2c3.euw1.cache.amazonaws.com"
                )
    return answer


def cache_clusters(shop, region, parameter, answer):
    """Adds what the emulator leaves out, and the members of the replication group."""
    if region != MAIN_REGION:
        return answer
    single = answer["CacheClusters"][0]
    single |= cluster_settings(shop, "c01-sessions-checkout", "sg-redis-checkout", "a", encrypted=False)
    single.pop("AuthTokenLastModifiedDate", None)
    for number, zone in enumerate("ab", start=1):
        identifier = f"{GROUP}-00{number}"
        settings = cluster_settings(shop, identifier, "sg-redis-catalog", zone, encrypted=True)
        member = {
            "CacheClusterId": identifier,
            "CacheNodeType": "cache.t4g.medium",
            "PreferredAvailabilityZone": f"{MAIN_REGION}{zone}",
            "CacheClusterCreateTime": "2024-03-04T09:00:00+00:00",
            "ReplicationGroupId": GROUP,
            "SnapshotRetentionLimit": 7,
            "SnapshotWindow": "05:00-06:00",
            "AuthTokenEnabled": True,
            "AuthTokenLastModifiedDate": "2024-03-04T09:00:00+00:00",
            "ARN": cluster_arn(identifier),
            "LogDeliveryConfigurations": [],
        }
        answer["CacheClusters"].append({**single, **settings, **member})
    return answer


def cluster_arn(identifier):
    return f"arn:aws:elasticache:{MAIN_REGION}:{ACCOUNT_ID}:cluster:{identifier}"


def cluster_settings(shop, identifier, group, zone, encrypted):
    node = {
        "CacheNodeId": "0001",
        "CacheNodeStatus": "available",
        "CacheNodeCreateTime": "2022-03-16T09:00:00+00:00"
        if identifier.startswith("c01")
        else "2024-03-04T09:00:00+00:00",
        "Endpoint": {"Address": f"{identifier}.a1b2c3.0001.euw1.cache.amazonaws.com", "Port": 6379},
        "ParameterGroupStatus": "in-sync",
        "CustomerAvailabilityZone": f"{MAIN_REGION}{zone}",
    }
    return {
        "CacheNodes": [node],
        "SecurityGroups": [{"SecurityGroupId": shop.ids[group], "Status": "active"}],
        "PreferredMaintenanceWindow": "tue:03:00-tue:04:00",
        "CacheParameterGroup": {
            "CacheParameterGroupName": "default.redis7",
            "ParameterApplyStatus": "in-sync",
            "CacheNodeIdsToReboot": [],
        },
        "CacheSecurityGroups": [],
        "AutoMinorVersionUpgrade": True,
        "TransitEncryptionEnabled": encrypted,
        "AtRestEncryptionEnabled": encrypted,
        "ReplicationGroupLogDeliveryEnabled": False,
        "NetworkType": "ipv4",
        "IpDiscovery": "ipv4",
    }


def plant(shop):
    sessions = shop.ids["c01_sessions_checkout"]
    shop.fault("cache-holds-critical", sessions, "the sessions of checkout live on one Redis node")
    shop.fault("graph-spof", sessions, "one node, which every page of checkout needs")
    shop.fault("redis-no-failover", sessions, "single node")
    shop.fault("redis-backup-off", sessions, "snapshot retention 0")
    shop.fault("redis-no-tls-auth", sessions, "neither TLS nor AUTH")
