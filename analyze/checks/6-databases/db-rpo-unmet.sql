/*
title = "Databases lose no more than their recovery point objective allows"
severity = "high"
tables = ["aws_rds_db_instance", "aws_rds_db_cluster", "aws_dynamodb_table", "aws_backup_recovery_point"]
remediation = "Back up as often as the objective asks for: automated backups restore to within five minutes."
*/
with points as (
    select account_id, resource_arn, max(coalesce(completed_at, created_at)) as newest
    from aws_backup_recovery_point
    where status = 'COMPLETED'
    group by account_id, resource_arn
),
stores as (
    select account_id, region, arn, backup_retention_days > 0 as continuous, latest_restorable_at, newest_recovery_point_at
    from databases
    where not is_replica
    union all
    select t.account_id, t.region, t.arn, t.point_in_time_recovery_status = 'ENABLED', t.latest_restorable_at, p.newest
    from aws_dynamodb_table as t
    left join points as p on p.account_id = t.account_id and p.resource_arn = t.arn
),
wanted as (
    select
        s.*, c.rpo_seconds,
        greatest(s.latest_restorable_at, s.newest_recovery_point_at) as restorable_at
    from stores as s
    join resource_context as c on c.account_id = s.account_id and c.arn = s.arn
    where c.rpo_seconds is not null
),
measured as (
    -- greatest() skips nulls, which would turn "nothing to restore from" into "zero seconds behind".
    select *, case when restorable_at is not null then greatest(date_diff('second', restorable_at, as_of()), 0) end as behind_seconds
    from wanted
)
select
    account_id,
    region,
    arn as resource_arn,
    case
        when behind_seconds is not null then behind_seconds > rpo_seconds
        when not continuous then true
    end as failed,
    case
        when behind_seconds is not null then 'can be restored to ' || behind_seconds // 60 || ' minutes ago, ' || rpo_seconds // 60 || ' are allowed'
        when not continuous then 'there is nothing to restore from, ' || rpo_seconds // 60 || ' minutes may be lost'
        else 'to which moment it can be restored is not known'
    end as reason,
    {'rpo_seconds': rpo_seconds, 'behind_seconds': behind_seconds, 'restorable_at': restorable_at} as evidence
from measured
