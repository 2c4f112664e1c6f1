/*
title = "Restores of what is backed up were tried"
severity = "high"
tables = ["aws_backup_recovery_point", "aws_backup_restore_job", "aws_backup_restore_testing_plan", "cloudtrail_events"]
absence = true
remediation = "Restore it into a network of its own, look whether the data is there, and let a restore testing plan do that regularly."
command = "aws backup start-restore-job --region {region} --recovery-point-arn {recovery_point_arn} --iam-role-arn ... --metadata ..."
*/
-- A restore is a job of AWS Backup, or a call of the service itself in the CloudTrail lake: services keep jobs for weeks only, and know
-- nothing of restores that went past AWS Backup.
with points as (
    select account_id, region, resource_arn, max_by(arn, created_at) as recovery_point_arn, max(created_at) as newest
    from aws_backup_recovery_point
    where status = 'COMPLETED' and resource_arn is not null
    group by account_id, region, resource_arn
),
newest as (
    select *
    from points
    qualify row_number() over (partition by account_id, resource_arn order by newest desc, region) = 1
),
-- What each call restored from: a recovery point, a snapshot that is one, or the resource itself to a point in time.
calls as (
    select
        account_id, event_time,
        'arn:' || arn_partition(principal) || ':' as prefix, ':' || region || ':' || account_id || ':' as place, region, event_name,
        request_parameters as asked,
        coalesce(response_elements ->> '$.restoreJobId', '') as job_id
    from events
    where event_source in ('backup.amazonaws.com', 'rds.amazonaws.com', 'ec2.amazonaws.com', 'dynamodb.amazonaws.com', 'redshift.amazonaws.com')
        and event_name in (values
            ('StartRestoreJob'), ('RestoreDBInstanceFromDBSnapshot'), ('RestoreDBInstanceToPointInTime'), ('RestoreDBClusterFromSnapshot'), ('RestoreDBClusterToPointInTime'),
            ('CreateVolume'), ('RestoreTableFromBackup'), ('RestoreTableToPointInTime'), ('RestoreFromClusterSnapshot')
        )
        and succeeded
),
called as (
    select
        account_id, event_time, job_id,
        case event_name
            when 'StartRestoreJob' then asked ->> '$.recoveryPointArn'
            when 'RestoreTableFromBackup' then asked ->> '$.backupArn'
            when 'CreateVolume' then prefix || 'ec2:' || region || '::snapshot/' || (asked ->> '$.snapshotId')
            when 'RestoreDBInstanceFromDBSnapshot' then prefix || 'rds' || place || 'snapshot:' || coalesce(asked ->> '$.dBSnapshotIdentifier', asked ->> '$.dbSnapshotIdentifier')
            when 'RestoreDBClusterFromSnapshot' then case when starts_with(asked ->> '$.snapshotIdentifier', 'arn:') then asked ->> '$.snapshotIdentifier' else prefix || 'rds' || place || 'cluster-snapshot:' || (asked ->> '$.snapshotIdentifier') end
            when 'RestoreFromClusterSnapshot' then prefix || 'redshift' || place || 'snapshot:' || (asked ->> '$.snapshotClusterIdentifier') || '/' || (asked ->> '$.snapshotIdentifier')
        end as restored_from,
        case event_name
            -- The daily snapshots of RDS carry the name of their instance.
            when 'RestoreDBInstanceFromDBSnapshot' then prefix || 'rds' || place || 'db:' || nullif(regexp_extract(asked ->> '$.dBSnapshotIdentifier', '^rds:(.+)-[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{2}-[0-9]{2}$', 1), '')
            when 'RestoreDBInstanceToPointInTime' then prefix || 'rds' || place || 'db:' || coalesce(asked ->> '$.sourceDBInstanceIdentifier', asked ->> '$.sourceDbInstanceIdentifier')
            when 'RestoreDBClusterToPointInTime' then prefix || 'rds' || place || 'cluster:' || coalesce(asked ->> '$.sourceDBClusterIdentifier', asked ->> '$.sourceDbClusterIdentifier')
            when 'RestoreTableToPointInTime' then coalesce(asked ->> '$.sourceTableArn', prefix || 'dynamodb' || place || 'table/' || (asked ->> '$.sourceTableName'))
            when 'RestoreTableFromBackup' then regexp_extract(asked ->> '$.backupArn', '^(arn:[^:]*:dynamodb:[^:]*:[^:]*:table/[^/]+)/backup/', 1)
            when 'RestoreFromClusterSnapshot' then prefix || 'redshift' || place || 'cluster:' || (asked ->> '$.snapshotClusterIdentifier')
        end as source
    from calls
),
restores as (
    select p.account_id, p.resource_arn, max(j.completed_at) as restored_at
    from aws_backup_restore_job as j
    join aws_backup_recovery_point as p on p.account_id = j.account_id and p.arn = j.recovery_point_arn
    where j.status = 'COMPLETED'
    group by p.account_id, p.resource_arn
    union all
    select account_id, source_resource_arn, max(completed_at)
    from aws_backup_restore_job
    where status = 'COMPLETED' and source_resource_arn is not null
    group by account_id, source_resource_arn
    union all
    select c.account_id, coalesce(nullif(c.source, ''), p.resource_arn), max(c.event_time)
    from called as c
    left join aws_backup_recovery_point as p on p.account_id = c.account_id and p.arn = c.restored_from
    -- What AWS Backup says of a job counts more than that it was begun.
    anti join aws_backup_restore_job as j on j.account_id = c.account_id and j.restore_job_id = c.job_id and j.status <> 'COMPLETED'
    where coalesce(nullif(c.source, ''), p.resource_arn) is not null
    group by all
),
latest as (
    select account_id, resource_arn, max(restored_at) as restored_at
    from restores
    group by account_id, resource_arn
),
plans as (
    select account_id, count(*) as plans
    from aws_backup_restore_testing_plan
    group by account_id
)
select
    n.account_id,
    n.region,
    n.resource_arn,
    case when l.restored_at is null then true else days_since(l.restored_at) > setting('restore_test_days') end as failed,
    case
        when l.restored_at is not null then 'last restored ' || days_since(l.restored_at) || ' days ago'
        else 'never restored' || case when coalesce(p.plans, 0) = 0 then ', and there is no restore testing plan' else '' end
    end as reason,
    {'recovery_point_arn': n.recovery_point_arn, 'restored_at': l.restored_at} as evidence
from newest as n
left join latest as l on l.account_id = n.account_id and l.resource_arn = n.resource_arn
left join plans as p on p.account_id = n.account_id
