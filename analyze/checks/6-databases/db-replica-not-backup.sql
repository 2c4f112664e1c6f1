/*
title = "Replicated databases have backups too"
severity = "high"
tables = ["aws_rds_db_instance", "aws_rds_db_cluster", "aws_backup_recovery_point"]
remediation = "Keep backups beside the replicas: a wrong DELETE is replicated within a second."
command = "aws rds modify-db-instance --region {region} --db-instance-identifier {identifier} --backup-retention-period 7 --apply-immediately"
*/
select
    account_id,
    region,
    arn as resource_arn,
    case when newest_recovery_point_at is not null then false else backup_retention_days = 0 end as failed,
    case
        when backup_retention_days > 0 or newest_recovery_point_at is not null then 'replicated, and backed up'
        when backup_retention_days = 0 then 'replicated, but without a backup: mistakes are replicated too'
    end as reason,
    {'identifier': identifier, 'backup_retention_days': backup_retention_days} as evidence
from databases
where replicated and not is_replica
