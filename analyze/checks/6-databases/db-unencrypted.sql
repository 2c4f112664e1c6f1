/*
title = "Databases are encrypted"
severity = "high"
tables = ["aws_rds_db_instance"]
frameworks = { "cis_v3.0" = ["2.3.1"], "cis_v5.0" = ["2.2.1"], fsbp = ["RDS.3"] }
remediation = "Restore an encrypted copy of a snapshot, and exchange the two."
command = "aws rds copy-db-snapshot --region {region} --source-db-snapshot-identifier ... --target-db-snapshot-identifier ... --kms-key-id ..."
*/
select
    account_id,
    region,
    arn as resource_arn,
    not storage_encrypted as failed,
    case when not storage_encrypted then 'its storage is not encrypted' when not (not storage_encrypted) then 'its storage is encrypted' end as reason,
    {'db_instance_identifier': db_instance_identifier} as evidence
from aws_rds_db_instance
