/*
title = "Critical backups also lie in another region or account"
severity = "high"
tables = [
    "aws_backup_recovery_point", "aws_backup_plan", "aws_rds_db_instance", "aws_rds_db_cluster", "aws_rds_db_instance_automated_backup",
    "aws_rds_db_snapshot", "aws_rds_db_cluster_snapshot",
]
absence = true
remediation = "Let the backup plan copy recovery points into a vault of another account, or at least of another region."
command = "aws backup start-copy-job --region {region} --recovery-point-arn {recovery_point_arn} --source-backup-vault-name {backup_vault_name} --destination-backup-vault-arn ... --iam-role-arn ..."
*/
-- Judged are critical resources with recovery points of AWS Backup and critical databases with backups of RDS. Where
-- a backup lies is where it was collected; copies in accounts outside the run can't be seen.
with points as (
    select account_id, region, arn, resource_arn, backup_vault_name, backup_plan_id, coalesce(completed_at, created_at) as made_at
    from aws_backup_recovery_point
    where status = 'COMPLETED' and resource_arn is not null
),
databases_backed_up as (
    select account_id, region, arn
    from databases
    where backup_retention_days > 0 and not is_replica
),
critical as (
    select c.account_id, c.region, c.arn
    from resource_context as c
    join config_importance as i on i.level = c.importance and i.critical
    where c.arn in (select resource_arn from points) or c.arn in (select arn from databases_backed_up)
),
-- Backups by source, with where and when they are.
backups as (
    select resource_arn, account_id, region, made_at, 'a recovery point' as kind from points
    union all
    select b.db_instance_arn, b.account_id, b.region, b.latest_restorable_at, 'an automated backup'
    from aws_rds_db_instance_automated_backup as b
    where b.db_instance_arn is not null and b.status in ('active', 'replicating')
    union all
    select d.arn, s.account_id, s.region, s.created_at, 'a snapshot'
    from aws_rds_db_snapshot as s
    join aws_rds_db_instance as d on d.account_id = s.account_id and d.region = s.source_region and d.db_instance_identifier = s.db_instance_identifier
    where s.status = 'available' and s.region <> s.source_region
    union all
    select d.arn, s.account_id, s.region, s.created_at, 'a snapshot'
    from aws_rds_db_cluster_snapshot as s
    join aws_rds_db_cluster as d on d.account_id = s.account_id and d.db_cluster_identifier = s.db_cluster_identifier
        and d.region = split_part(s.source_snapshot_arn, ':', 4)
    where s.status = 'available' and s.region <> split_part(s.source_snapshot_arn, ':', 4)
),
-- A bucket stands under no region; its recovery points are first made where it lies.
homes as (
    select c.account_id, c.region, c.arn, case when c.region <> 'global' then c.region else b.first_region end as home
    from critical as c
    left join (
        select resource_arn, account_id, arg_min(region, made_at) as first_region
        from backups
        group by resource_arn, account_id
    ) as b on b.resource_arn = c.arn and b.account_id = c.account_id
),
elsewhere as (
    select
        h.account_id, h.arn, max(b.made_at) as newest, count(*) as copies,
        arg_max(b.kind || ' in ' || b.region || case when b.account_id <> h.account_id then ' of ' || b.account_id else '' end, b.made_at) as example
    from homes as h
    join backups as b on b.resource_arn = h.arn
    where b.region <> h.home or b.account_id <> h.account_id
    group by h.account_id, h.arn
),
-- Copies lie in other regions than what is judged: a region that could not be asked leaves it open everywhere.
unread as (
    select account_id, min(why || ' in ' || region) as why
    from gaps
    where table_name in ('aws_backup_recovery_point', 'aws_rds_db_instance_automated_backup', 'aws_rds_db_snapshot', 'aws_rds_db_cluster_snapshot')
    group by account_id
),
-- Plans that order copies to vaults the run does not see.
unseen as (
    select p.account_id, p.backup_plan_id, min(p.destination) as destination
    from (select account_id, region, backup_plan_id, unnest(copy_destination_arns) as destination from aws_backup_plan) as p
    anti join collected as c on c.account_id = split_part(p.destination, ':', 5) and c.region = split_part(p.destination, ':', 4) and c.table_name = 'aws_backup_recovery_point'
    group by p.account_id, p.backup_plan_id
),
newest as (
    select p.account_id, p.resource_arn, arg_max(p.arn, p.made_at) as recovery_point_arn, arg_max(p.backup_vault_name, p.made_at) as backup_vault_name, min(u.destination) as ordered
    from points as p
    left join unseen as u on u.account_id = p.account_id and u.backup_plan_id = p.backup_plan_id
    group by p.account_id, p.resource_arn
),
judged as (
    select
        h.account_id, h.region, h.arn, h.home, e.newest, e.example, e.arn is not null as has_copy,
        -- A copy of last year would bring back last year.
        days_since(e.newest) > 31 as is_stale,
        n.recovery_point_arn, n.backup_vault_name, n.ordered, u.why as unread
    from homes as h
    left join elsewhere as e on e.account_id = h.account_id and e.arn = h.arn
    left join newest as n on n.account_id = h.account_id and n.resource_arn = h.arn
    left join unread as u on u.account_id = h.account_id
)
select
    account_id,
    region,
    arn as resource_arn,
    case
        when has_copy and not is_stale then false
        when has_copy and is_stale is null then null
        when ordered is null and unread is null then true
    end as failed,
    case
        when has_copy and not is_stale then example
        when has_copy and is_stale is null then example || ' of unknown age'
        when ordered is not null then 'its plan copies to ' || ordered || ', which is not in the run'
        when unread is not null then 'no copy elsewhere is known: ' || unread
        when has_copy then 'the newest copy elsewhere, ' || example || ', is ' || days_since(newest) || ' days old'
        else 'all backups lie in ' || home || ', in the account of the data: who can delete one can delete the other'
    end as reason,
    {'home': home, 'newest_copy_at': newest, 'recovery_point_arn': recovery_point_arn, 'backup_vault_name': backup_vault_name} as evidence
from judged
