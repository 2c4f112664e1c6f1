/*
title = "File systems are backed up"
severity = "medium"
tables = ["aws_efs_file_system", "aws_backup_protected_resource"]
absence = true
operations = ["DescribeBackupPolicy"]
frameworks = { fsbp = ["EFS.2"] }
remediation = "Switch on automatic backups, or select the file system in a backup plan, and see that the jobs succeed."
command = "aws efs put-backup-policy --region {region} --file-system-id {file_system_id} --backup-policy Status=ENABLED"
*/
with backups as (
    select account_id, resource_arn, max(last_backup_at) as last_backup_at
    from aws_backup_protected_resource
    group by account_id, resource_arn
),
facts as (
    select
        f.account_id, f.region, f.arn, f.file_system_id, f.backup_policy_status,
        f.backup_policy_status in ('ENABLED', 'ENABLING') as automatic,
        b.resource_arn is not null as ever_backed_up,
        b.last_backup_at, days_since(b.last_backup_at) as age_days,
        -- A new file system waits for its first night.
        days_since(f.created_at) < 2 as is_new
    from aws_efs_file_system as f
    left join backups as b on b.account_id = f.account_id and b.resource_arn = f.arn
    where f.life_cycle_state is null or f.life_cycle_state not in ('deleting', 'deleted')
)
select
    account_id,
    region,
    arn as resource_arn,
    -- It stays listed as long as a recovery point of it is kept: what was last backed up long ago is backed up no more.
    case
        when age_days is not null then age_days > 31
        when ever_backed_up then null
        when automatic and is_new then false
        when automatic then true
        else not automatic
    end as failed,
    case
        when age_days is not null then 'last backed up ' || age_days || ' days ago'
        when ever_backed_up then 'when it was last backed up is not known'
        when automatic and is_new then 'automatic backups are on, the first one is to come'
        when automatic then 'automatic backups are on, but none was made'
        when not automatic then 'neither automatic backups nor a backup plan'
        else 'whether it is backed up by itself could not be asked'
    end as reason,
    {'file_system_id': file_system_id, 'backup_policy_status': backup_policy_status, 'last_backup_at': last_backup_at} as evidence
from facts
