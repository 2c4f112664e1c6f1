"""The sessions of the mobile app in Redis, as those of checkout should be: two nodes in two zones, TLS, AUTH, snapshots."""

from . import caches
from .shop import ACCOUNT_ID, MAIN_REGION, pairs, tags

GROUP = "c21-sessions-mobile"
TAGS = tags("c21_sessions_mobile", importance="critical", dr="multi-az+backup")
CREATED = "2024-06-05T11:00:00+00:00"


def build(shop):
    shop.correct("elasticache", "DescribeReplicationGroups", replication_groups)
    shop.correct("elasticache", "DescribeCacheClusters", cache_clusters)
    group = f"arn:aws:elasticache:{MAIN_REGION}:{ACCOUNT_ID}:replicationgroup:{GROUP}"
    for arn in (group, *(caches.cluster_arn(f"{GROUP}-00{number}") for number in (1, 2))):
        shop.answer("elasticache", "ListTagsForResource", {"TagList": pairs(TAGS)}, arn)
        shop.sweep(arn, TAGS)
    shop.interfaces.append(
        ("amazon-elasticache", f"ElastiCache {GROUP}", "sg-redis-mobile", ["isolated-a", "isolated-b"], False)
    )


def replication_groups(shop, region, parameter, answer):
    answer = caches.replication_groups(shop, region, parameter, answer)
    if region == MAIN_REGION:
        own = {
            "Description": "sessions of the mobile app",
            "AuthTokenLastModifiedDate": CREATED,
            "ReplicationGroupCreateTime": CREATED,
        }
        answer["ReplicationGroups"].append(renamed(answer["ReplicationGroups"][0]) | own)
    return answer


def cache_clusters(shop, region, parameter, answer):
    answer = caches.cache_clusters(shop, region, parameter, answer)
    if region == MAIN_REGION:
        own = {
            "CacheClusterCreateTime": CREATED,
            "AuthTokenLastModifiedDate": CREATED,
            "SecurityGroups": [{"SecurityGroupId": shop.ids["sg-redis-mobile"], "Status": "active"}],
        }
        members = [row for row in answer["CacheClusters"] if row.get("ReplicationGroupId") == caches.GROUP]
        answer["CacheClusters"] += [renamed(row) | own for row in members]
    return answer


def renamed(value):
    """A copy of what is said of the other group, of this one."""
    if isinstance(value, dict):
        return {member: renamed(content) for member, content in value.items()}
    if isinstance(value, list):
        return [renamed(content) for content in value]
    return value.replace(caches.GROUP, GROUP) if isinstance(value, str) else value
