/*
title = "Caches that hold data have snapshots"
severity = "medium"
tables = ["aws_elasticache_cluster"]
frameworks = { fsbp = ["ElastiCache.1"] }
remediation = "Keep snapshots for a day or more."
command = "aws elasticache modify-cache-cluster --region {region} --cache-cluster-id {cache_cluster_id} --snapshot-retention-limit 1"
*/
select
    account_id,
    region,
    arn as resource_arn,
    snapshot_retention_days = 0 as failed,
    case when snapshot_retention_days = 0 then 'snapshot retention is 0' when not (snapshot_retention_days = 0) then 'keeps snapshots for ' || snapshot_retention_days || ' days' end as reason,
    {'cache_cluster_id': cache_cluster_id} as evidence
from aws_elasticache_cluster
where engine is distinct from 'memcached'
