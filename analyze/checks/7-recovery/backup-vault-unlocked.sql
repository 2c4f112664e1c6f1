/*
title = "Backup vaults are locked"
severity = "medium"
tables = ["aws_backup_vault"]
remediation = "Lock the vault with a shortest retention, in compliance mode once the retention is right."
command = "aws backup put-backup-vault-lock-configuration --region {region} --backup-vault-name {backup_vault_name} --min-retention-days 7"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not locked as failed,
    case when not locked then 'no vault lock: who may delete recovery points can delete them all' when not (not locked) then 'locked' end as reason,
    {'backup_vault_name': backup_vault_name, 'recovery_points': recovery_point_count} as evidence
from aws_backup_vault
where coalesce(recovery_point_count, 1) > 0
