/*
title = "Caches ask for a password and speak TLS"
severity = "high"
tables = ["aws_elasticache_cluster"]
frameworks = { fsbp = ["ElastiCache.5", "ElastiCache.6"] }
remediation = "Move the data to a replication group with encryption in transit and AUTH or users."
*/
select
    account_id,
    region,
    arn as resource_arn,
    not (transit_encryption_enabled and auth_token_enabled) as failed,
    case when not (transit_encryption_enabled and auth_token_enabled) then 'TLS ' || case when transit_encryption_enabled then 'on' else 'off' end || ', AUTH ' || case when auth_token_enabled then 'on' else 'off' end when not (not (transit_encryption_enabled and auth_token_enabled)) then 'TLS and AUTH are on' end as reason,
    {'cache_cluster_id': cache_cluster_id} as evidence
from aws_elasticache_cluster
where replication_group_id is null and engine is distinct from 'memcached'
