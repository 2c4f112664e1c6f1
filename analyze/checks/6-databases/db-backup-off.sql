/*
title = "Databases have automated backups"
severity = "high"
tables = ["aws_rds_db_instance", "aws_rds_db_cluster", "aws_backup_recovery_point"]
frameworks = { fsbp = ["RDS.11"] }
remediation = "Set a retention of a week or more."
command = "aws rds modify-db-instance --region {region} --db-instance-identifier {identifier} --backup-retention-period 7 --apply-immediately"
*/
select
    account_id,
    region,
    arn as resource_arn,
    case when newest_recovery_point_at is not null then false else backup_retention_days = 0 end as failed,
    case
        when backup_retention_days > 0 then 'backups are kept for ' || backup_retention_days || ' days'
        when newest_recovery_point_at is not null then 'AWS Backup keeps recovery points'
        when backup_retention_days = 0 then 'backup retention is 0'
    end as reason,
    {'identifier': identifier, 'backup_retention_days': backup_retention_days} as evidence
from databases
where not is_replica
