/*
title = "Databases are protected from deletion"
severity = "medium"
tables = ["aws_rds_db_instance"]
frameworks = { fsbp = ["RDS.8"] }
remediation = "Switch on deletion protection."
command = "aws rds modify-db-instance --region {region} --db-instance-identifier {db_instance_identifier} --deletion-protection"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not deletion_protection as failed,
    case when not deletion_protection then 'deletion protection is off' when not (not deletion_protection) then 'deletion protection is on' end as reason,
    {'db_instance_identifier': db_instance_identifier} as evidence
from aws_rds_db_instance
where db_cluster_identifier is null
