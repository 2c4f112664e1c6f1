/*
title = "Warehouses keep a week of snapshots"
severity = "high"
tables = ["aws_redshift_cluster"]
frameworks = { fsbp = ["Redshift.3"] }
remediation = "Keep automated snapshots for at least a week."
command = "aws redshift modify-cluster --region {region} --cluster-identifier {cluster_identifier} --automated-snapshot-retention-period 7"
*/
select
    account_id,
    region,
    arn as resource_arn,
    automated_snapshot_retention_days < setting('backup_retention_days') as failed,
    case when automated_snapshot_retention_days < setting('backup_retention_days') then 'keeps automated snapshots for ' || automated_snapshot_retention_days || ' days' when not (automated_snapshot_retention_days < setting('backup_retention_days')) then 'keeps automated snapshots for ' || automated_snapshot_retention_days || ' days' end as reason,
    {'cluster_identifier': cluster_identifier, 'retention_days': automated_snapshot_retention_days} as evidence
from aws_redshift_cluster
