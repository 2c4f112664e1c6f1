/*
title = "Recovery points are encrypted"
severity = "medium"
tables = ["aws_backup_recovery_point"]
frameworks = { fsbp = ["Backup.1"] }
remediation = "Encrypt what is backed up, or copy the recovery points into a vault with a key of yours, and delete those that are not encrypted."
command = "aws backup start-copy-job --region {region} --recovery-point-arn {recovery_point_arn} --source-backup-vault-name {backup_vault_name} --destination-backup-vault-arn ... --iam-role-arn ..."
*/
-- One verdict per vault and resource: its recovery points are many, and what is wrong with them is the same.
with points as (
    select account_id, region, arn, coalesce(resource_arn, arn) as resource_arn, backup_vault_name, is_encrypted, created_at
    from aws_backup_recovery_point
    where status is null or status not in ('DELETING', 'CREATING')
),
by_resource as (
    select
        account_id, region, resource_arn, backup_vault_name,
        count(*) as points,
        count(*) filter (where not is_encrypted) as in_clear,
        count(*) filter (where is_encrypted is null) as undecided,
        arg_max(arn, created_at) filter (where not is_encrypted) as recovery_point_arn
    from points
    group by account_id, region, resource_arn, backup_vault_name
)
select
    account_id,
    region,
    resource_arn,
    case when in_clear > 0 then true when undecided = 0 then false end as failed,
    case
        when in_clear > 0 then in_clear || ' of its ' || points || ' recovery points in ' || coalesce(backup_vault_name, 'a vault') || ' are not encrypted'
        when undecided = 0 then 'all of its ' || points || ' recovery points in ' || coalesce(backup_vault_name, 'a vault') || ' are encrypted'
        else 'whether ' || undecided || ' of its recovery points are encrypted is not known'
    end as reason,
    {'backup_vault_name': backup_vault_name, 'recovery_point_arn': recovery_point_arn, 'points': points, 'in_clear': in_clear} as evidence,
    backup_vault_name as discriminator
from by_resource
