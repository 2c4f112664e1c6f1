-- Database instances that stand for themselves, and clusters, with what they can be restored from.
with points as (
    select account_id, resource_arn, max(coalesce(completed_at, created_at)) as newest
    from aws_backup_recovery_point
    where status = 'COMPLETED'
    group by account_id, resource_arn
)
select
    d.account_id, d.region, d.arn, d.db_instance_identifier as identifier, 'rds:db' as resource_type,
    d.backup_retention_days, d.latest_restorable_at, p.newest as newest_recovery_point_at,
    d.multi_az or len(d.read_replica_identifiers) > 0 as replicated,
    d.read_replica_source is not null or d.read_replica_source_cluster is not null as is_replica
from aws_rds_db_instance as d
left join points as p on p.account_id = d.account_id and p.resource_arn = d.arn
where d.db_cluster_identifier is null
union all by name
select
    c.account_id, c.region, c.arn, c.db_cluster_identifier as identifier, 'rds:cluster' as resource_type,
    c.backup_retention_days, c.latest_restorable_at, p.newest as newest_recovery_point_at,
    c.multi_az or len(c.member_identifiers) > 1 as replicated,
    coalesce(c.replication_source, '') <> '' as is_replica
from aws_rds_db_cluster as c
left join points as p on p.account_id = c.account_id and p.resource_arn = c.arn
