-- One row per resource and kind of recovery that its configuration could provide: backup, multi-az, replication,
-- autoscaling. Null: an answer is missing. Types that are not here can't be judged.
with unreadable as (
    select distinct account_id, table_name
    from gaps
    where resource_arn is null and (table_name in ('aws_backup_recovery_point', 'aws_ec2_snapshot') or table_name is null)
),
points as (
    select distinct account_id, resource_arn
    from aws_backup_recovery_point
    where status = 'COMPLETED'
),
snapshots as (
    select distinct account_id, volume_id
    from aws_ec2_snapshot
    where state = 'completed'
),
volumes as (
    select v.account_id, v.arn, v.volume_id, v.instance_ids, s.volume_id is not null as has_snapshot
    from aws_ec2_volume as v
    left join snapshots as s on s.account_id = v.account_id and s.volume_id = v.volume_id
),
instance_volumes as (
    select i.account_id, i.arn, bool_and(v.has_snapshot) as all_have
    from (select account_id, arn, unnest(volume_ids) as volume_id from aws_ec2_instance) as i
    join volumes as v on v.account_id = i.account_id and v.volume_id = i.volume_id
    group by i.account_id, i.arn
),
groups as (
    select account_id, region, auto_scaling_group_name, len(availability_zones) > 1 as spread
    from aws_autoscaling_group
),
facts as (
    select d.account_id, d.arn, {
        'backup': coalesce(c.backup_retention_days, d.backup_retention_days) > 0,
        'multi-az': d.multi_az or coalesce(c.multi_az, false),
        'replication': len(d.read_replica_identifiers) > 0 or coalesce(len(c.member_identifiers) > 1, false),
        'autoscaling': coalesce(d.max_allocated_storage_gib > d.allocated_storage_gib, false)
    } as f
    from aws_rds_db_instance as d
    left join aws_rds_db_cluster as c on c.account_id = d.account_id and c.region = d.region and c.db_cluster_identifier = d.db_cluster_identifier
    union all
    select account_id, arn, {'backup': backup_retention_days > 0, 'multi-az': multi_az or len(availability_zones) > 1 and len(member_identifiers) > 1, 'replication': len(member_identifiers) > 1, 'autoscaling': engine_mode = 'serverless'}
    from aws_rds_db_cluster
    union all
    select account_id, arn, {'backup': point_in_time_recovery_status = 'ENABLED', 'multi-az': true, 'replication': coalesce(len(replica_regions) > 0, false), 'autoscaling': coalesce(billing_mode = 'PAY_PER_REQUEST', false)}
    from aws_dynamodb_table
    union all
    select account_id, arn, {'backup': versioning_status = 'Enabled', 'multi-az': true, 'replication': replication_enabled, 'autoscaling': true}
    from aws_s3_bucket
    union all
    select account_id, arn, {'backup': has_snapshot, 'multi-az': false, 'replication': false, 'autoscaling': false}
    from volumes
    union all
    select i.account_id, i.arn, {'backup': coalesce(v.all_have, false), 'multi-az': coalesce(g.spread, false), 'replication': false, 'autoscaling': i.auto_scaling_group_name is not null}
    from aws_ec2_instance as i
    left join instance_volumes as v on v.account_id = i.account_id and v.arn = i.arn
    left join groups as g on g.account_id = i.account_id and g.region = i.region and g.auto_scaling_group_name = i.auto_scaling_group_name
    where i.state is distinct from 'terminated'
    union all
    select account_id, arn, {'backup': false, 'multi-az': len(availability_zones) > 1, 'replication': desired_capacity > 1, 'autoscaling': max_size > min_size}
    from aws_autoscaling_group
    union all
    select account_id, arn, {'backup': false, 'multi-az': len(availability_zones) > 1, 'replication': len(availability_zones) > 1, 'autoscaling': true}
    from aws_elbv2_load_balancer
    union all
    select k.account_id, k.arn, {
        'backup': case when g.arn is not null then g.snapshot_retention_days > 0 else k.snapshot_retention_days > 0 end,
        'multi-az': case when g.arn is not null then g.multi_az = 'enabled' else coalesce(len(list_distinct(k.node_availability_zones)) > 1, false) end,
        'replication': k.replication_group_id is not null,
        'autoscaling': false
    }
    from aws_elasticache_cluster as k
    left join aws_elasticache_replication_group as g on g.account_id = k.account_id and g.region = k.region and g.replication_group_id = k.replication_group_id
    union all
    select account_id, arn, {'backup': snapshot_retention_days > 0, 'multi-az': multi_az = 'enabled', 'replication': member_count > 1, 'autoscaling': false}
    from aws_elasticache_replication_group
    union all
    select account_id, arn, {'backup': backup_policy_status = 'ENABLED', 'multi-az': availability_zone is null, 'replication': coalesce(len(replication_destinations) > 0, false), 'autoscaling': true}
    from aws_efs_file_system
    union all
    select account_id, arn, {'backup': automated_snapshot_retention_days > 0, 'multi-az': lower(multi_az) = 'enabled', 'replication': snapshot_copy_region is not null, 'autoscaling': false}
    from aws_redshift_cluster
    union all
    select account_id, arn, {'backup': true, 'multi-az': zone_awareness_enabled, 'replication': instance_count > 1, 'autoscaling': false}
    from aws_opensearch_domain
),
facts_long as (
    select account_id, arn, fact.demand as demand, fact.met as met
    from (select account_id, arn, unnest([
        {'demand': 'backup', 'met': f.backup},
        {'demand': 'multi-az', 'met': f['multi-az']},
        {'demand': 'replication', 'met': f.replication},
        {'demand': 'autoscaling', 'met': f.autoscaling}
    ]) as fact from facts)
)
select
    l.account_id, l.arn, l.demand,
    case
        when l.met then true
        when l.demand = 'backup' and p.resource_arn is not null then true
        when l.demand = 'backup' and exists (select 1 from unreadable as u where u.account_id = l.account_id) then null
        else l.met
    end as met
from facts_long as l
left join points as p on p.account_id = l.account_id and p.resource_arn = l.arn
