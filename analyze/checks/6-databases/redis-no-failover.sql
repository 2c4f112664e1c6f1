/*
title = "Caches survive the loss of a node"
severity = "medium"
tables = ["aws_elasticache_cluster", "aws_elasticache_replication_group"]
frameworks = { fsbp = ["ElastiCache.3"] }
remediation = "Use a replication group with a replica in another zone and automatic failover."
*/
with caches as (
    select account_id, region, arn, automatic_failover not in ('enabled', 'enabling') as failed, 'automatic failover ' || automatic_failover as fact, replication_group_id as id
    from aws_elasticache_replication_group
    union all
    select account_id, region, arn, true, 'a single node', cache_cluster_id
    from aws_elasticache_cluster
    where replication_group_id is null and engine is distinct from 'memcached'
)
select
    account_id,
    region,
    arn as resource_arn,
    failed,
    fact as reason,
    {'id': id} as evidence
from caches
