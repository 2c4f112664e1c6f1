/*
title = "DocumentDB and Neptune keep a week of backups"
severity = "medium"
tables = ["aws_rds_db_cluster"]
frameworks = { fsbp = ["DocumentDB.2", "Neptune.5"] }
remediation = "Keep automated backups for a week or more."
command = "aws {engine} modify-db-cluster --region {region} --db-cluster-identifier {identifier} --backup-retention-period {wanted_days} --apply-immediately"
*/
select
    account_id,
    region,
    arn as resource_arn,
    backup_retention_days < setting('backup_retention_days') as failed,
    'keeps backups for ' || backup_retention_days || case when backup_retention_days = 1 then ' day' else ' days' end as reason,
    {'engine': engine, 'identifier': db_cluster_identifier, 'backup_retention_days': backup_retention_days, 'wanted_days': setting('backup_retention_days')} as evidence
from aws_rds_db_cluster
where engine in ('docdb', 'neptune')
