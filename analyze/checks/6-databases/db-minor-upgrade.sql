/*
title = "Databases take minor versions by themselves"
severity = "low"
tables = ["aws_rds_db_instance"]
frameworks = { "cis_v3.0" = ["2.3.2"], "cis_v5.0" = ["2.2.2"], fsbp = ["RDS.13"] }
remediation = "Switch on automatic minor upgrades."
command = "aws rds modify-db-instance --region {region} --db-instance-identifier {db_instance_identifier} --auto-minor-version-upgrade"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not auto_minor_version_upgrade as failed,
    case when not auto_minor_version_upgrade then 'minor versions are not taken' when not (not auto_minor_version_upgrade) then 'minor versions are taken' end as reason,
    {'db_instance_identifier': db_instance_identifier} as evidence
from aws_rds_db_instance
