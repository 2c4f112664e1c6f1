/*
title = "Restores of what is backed up were tried"
severity = "high"
tables = ["aws_backup_recovery_point", "aws_backup_restore_job", "aws_backup_restore_testing_plan"]
absence = true
remediation = "Restore it into a network of its own, look whether the data is there, and let a restore testing plan do that regularly."
command = "aws backup start-restore-job --region {region} --recovery-point-arn {recovery_point_arn} --iam-role-arn ... --metadata ..."
*/
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
