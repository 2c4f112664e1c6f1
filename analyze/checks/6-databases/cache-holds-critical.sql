/*
title = "No critical data lives on one cache node"
severity = "high"
tables = ["aws_elasticache_cluster"]
remediation = "Keep the data in a database and let the cache be a copy, or use a replication group with failover and snapshots."
*/
select
    x.account_id,
    x.region,
    x.arn as resource_arn,
    x.replication_group_id is null and (x.num_cache_nodes = 1 or x.engine = 'memcached') as failed,
    case when x.replication_group_id is null then 'critical, on ' || coalesce(x.num_cache_nodes::varchar, 'an unknown number of') || ' ' || coalesce(x.engine, 'cache') || ' node(s) without a replica' else 'has replicas' end as reason,
    {'cache_cluster_id': x.cache_cluster_id, 'engine': x.engine, 'nodes': x.num_cache_nodes} as evidence
from aws_elasticache_cluster as x
join resource_context as c on c.account_id = x.account_id and c.arn = x.arn
join config_importance as i on i.level = c.importance and i.critical
