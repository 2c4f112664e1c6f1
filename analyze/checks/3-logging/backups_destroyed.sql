/*
title = "Nobody destroys backups"
severity = "critical"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Take the principal's credential out of use, make a new backup of what is left now, and look whether the data itself is next. Lock the vault, and let deletions of backups need a role of their own."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html"]
*/
-- Two kinds of calls: those that end backups as such (vaults, plans, locks, retention, point-in-time recovery), told one by one; and
-- single snapshots, images and recovery points, which are deleted in the course of things. Those are told by principal and day,
-- unless the principal does as much on other days, or made them itself the day before.
with deleted as materialized (
    select
        account_id, region, principal, event_source, event_name, event_id, event_time, succeeded, judged, call, resource_type, resource_arn, target, name, critical,
        part is null and resource_type in ('ec2:snapshot', 'ec2:image', 'rds:snapshot', 'rds:cluster-snapshot', 'redshift:snapshot', 'elasticache:snapshot', 'memorydb:snapshot', 'dynamodb:backup', 'fsx:backup', 'backup:recovery-point') as is_single,
        coalesce(part || ' of ', '') || resource_type || ' ' || coalesce(name, target, '(not known)') || ' was deleted' as deed
    from destructive_calls
    where kind = 'backup' and principal is not null
),
settings as (
    select
        *,
        coalesce(
            request_parameters ->> '$.dBInstanceIdentifier', request_parameters ->> '$.dbInstanceIdentifier', request_parameters ->> '$.dBClusterIdentifier', request_parameters ->> '$.dbClusterIdentifier',
            request_parameters ->> '$.tableName', request_parameters ->> '$.fileSystemId', request_parameters ->> '$.replicationGroupId', request_parameters ->> '$.cacheClusterId', request_parameters ->> '$.clusterIdentifier', request_parameters ->> '$.policyId'
        ) as target,
        -- 0 is off, whatever the service calls it.
        case
            when event_source = 'rds.amazonaws.com' then try_cast(request_parameters ->> '$.backupRetentionPeriod' as integer)
            when event_source = 'redshift.amazonaws.com' then try_cast(request_parameters ->> '$.automatedSnapshotRetentionPeriod' as integer)
            when event_source = 'elasticache.amazonaws.com' then try_cast(request_parameters ->> '$.snapshotRetentionLimit' as integer)
            when event_source = 'dynamodb.amazonaws.com' then try_cast(request_parameters ->> '$.pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled' as boolean)::integer
            when event_source = 'elasticfilesystem.amazonaws.com' then case request_parameters ->> '$.backupPolicy.status' when 'DISABLED' then 0 when 'ENABLED' then 1 end
            when event_source = 'dlm.amazonaws.com' then case request_parameters ->> '$.state' when 'DISABLED' then 0 when 'ENABLED' then 1 end
        end as asked,
        try_cast(coalesce(response_elements ->> '$.backupRetentionPeriod', response_elements ->> '$.automatedSnapshotRetentionPeriod') as integer) as answered
    from events
    where event_source in ('rds.amazonaws.com', 'redshift.amazonaws.com', 'elasticache.amazonaws.com', 'dynamodb.amazonaws.com', 'elasticfilesystem.amazonaws.com', 'dlm.amazonaws.com')
        and event_name in (values
            ('ModifyDBInstance'), ('ModifyDBCluster'), ('CreateDBInstance'), ('CreateDBCluster'), ('ModifyCluster'), ('ModifyReplicationGroup'), ('ModifyCacheCluster'),
            ('UpdateContinuousBackups'), ('PutBackupPolicy'), ('UpdateLifecyclePolicy')
        )
        and deliberate and (succeeded or denied) and principal is not null
),
states as (
    select
        *,
        lag(case when succeeded then coalesce(asked, answered) end ignore nulls) over (partition by account_id, region, event_source, event_name like '%Cluster', target order by event_time, event_id) as before
    from settings
    where target is not null
),
switched_off as (
    select
        account_id, region, principal, event_source, event_name, event_id, event_time, succeeded, judged, call,
        'arn:' || arn_partition(principal) || ':' || split_part(event_source, '.', 1) || ':' || region || ':' || account_id || ':'
            || case
                when event_source = 'rds.amazonaws.com' then case event_name when 'ModifyDBCluster' then 'cluster:' else 'db:' end
                when event_source = 'elasticache.amazonaws.com' then case event_name when 'ModifyReplicationGroup' then 'replicationgroup:' else 'cluster:' end
                when event_source = 'redshift.amazonaws.com' then 'cluster:'
                when event_source = 'dynamodb.amazonaws.com' then 'table/'
                when event_source = 'elasticfilesystem.amazonaws.com' then 'file-system/'
                else 'policy/'
            end || target as resource_arn,
        target,
        'backups of ' || target || ' were switched off' as deed
    from states
    where asked = 0 and before is distinct from 0 and event_name not like 'Create%'
),
-- What somebody makes and deletes within a day is a test of theirs.
made as (
    select account_id, principal, coalesce(response_elements ->> '$.snapshotId', response_elements ->> '$.imageId', request_parameters ->> '$.targetDBSnapshotIdentifier', request_parameters ->> '$.dBSnapshotIdentifier', request_parameters ->> '$.dBClusterSnapshotIdentifier', request_parameters ->> '$.snapshotName') as target, event_time
    from events
    where event_source in ('ec2.amazonaws.com', 'rds.amazonaws.com', 'elasticache.amazonaws.com') and event_name in (values ('CreateSnapshot'), ('CreateImage'), ('CopySnapshot'), ('CopyImage'), ('CreateDBSnapshot'), ('CopyDBSnapshot'), ('CreateDBClusterSnapshot'))
        and succeeded
),
singles as (
    select *, strftime(event_time, '%Y-%m-%d') as day
    from deleted as d
    anti join made as m on m.account_id = d.account_id and m.principal = d.principal and m.target = d.target and d.event_time between m.event_time and m.event_time + interval 1 day
    where d.is_single and not is_automation(d.principal)
),
days as (
    select
        account_id, principal, day, count(distinct target) as number,
        count(*) over earlier as days_before,
        max(count(distinct target)) over earlier as most_before
    from singles
    group by account_id, principal, day
    window earlier as (partition by account_id, principal order by day::date range between to_days(setting('baseline_days')) preceding and interval 1 day preceding)
),
told as (
    select
        s.account_id, s.region, s.principal, s.event_id, s.event_time, s.succeeded, s.judged, s.call, s.principal as resource_arn, s.day as discriminator,
        s.deed, s.critical, s.event_name, d.number >= setting('deletions') as is_heavy, d.number
    from singles as s
    join days as d on d.account_id = s.account_id and d.principal = s.principal and d.day = s.day
    where not (d.days_before >= 3 and d.number <= 2 * d.most_before)
    union all by name
    select
        account_id, region, principal, event_id, event_time, succeeded, judged, call, coalesce(resource_arn, principal) as resource_arn,
        principal || case when resource_arn is null then ' ' || event_name || ' ' || coalesce(target, '') else '' end as discriminator,
        deed, critical, event_name, true as is_heavy
    from deleted
    where not is_single
    union all by name
    select
        o.account_id, o.region, o.principal, o.event_id, o.event_time, o.succeeded, o.judged, o.call, o.resource_arn, o.principal as discriminator,
        o.deed, k.critical, o.event_name,
        -- Of what is known not to be critical, nobody is in a hurry to restore.
        k.arn is null or coalesce(k.critical, true) as is_heavy
    from switched_off as o
    left join (select account_id, arn, bool_or(critical) as critical from known_resources group by account_id, arn) as k on k.account_id = o.account_id and k.arn = o.resource_arn
)
select
    account_id,
    min(region order by event_time, event_id) as region,
    resource_arn,
    discriminator,
    true as failed,
    case
        when bool_and(not succeeded) then case when bool_or(is_heavy) then 'high' else 'low' end
        when bool_or(is_heavy or coalesce(critical, false)) then null
        else 'medium'
    end as severity,
    case
        when max(number) > 1 then max(number) || ' backups were ' || case when bool_and(not succeeded) then 'to be ' else '' end || 'deleted on ' || any_value(discriminator)
        else case when bool_and(not succeeded) then 'tried: ' else '' end || string_agg(distinct deed, ', ' order by deed)
    end || ' ' || traced(call) as reason,
    {'trace': trace(call), 'operations': list_sort(list(distinct event_name)), 'backups': list_sort(list(distinct deed))[:30], 'first_event_id': min(event_id order by event_time, event_id)} as evidence
from told
group by account_id, resource_arn, discriminator
having bool_or(judged)
