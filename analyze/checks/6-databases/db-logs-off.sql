/*
title = "Databases send their logs to CloudWatch"
severity = "medium"
tables = ["aws_rds_db_instance"]
frameworks = { fsbp = ["RDS.9"] }
remediation = "Export the error, slow query and audit logs."
command = "aws rds modify-db-instance --region {region} --db-instance-identifier {db_instance_identifier} --cloudwatch-logs-export-configuration ..."
*/
select
    account_id,
    region,
    arn as resource_arn,
    coalesce(len(enabled_cloudwatch_logs_exports), 0) = 0 as failed,
    case when coalesce(len(enabled_cloudwatch_logs_exports), 0) = 0 then 'no log is exported' when not (coalesce(len(enabled_cloudwatch_logs_exports), 0) = 0) then 'exports ' || array_to_string(enabled_cloudwatch_logs_exports, ', ') end as reason,
    {'db_instance_identifier': db_instance_identifier} as evidence
from aws_rds_db_instance
where db_cluster_identifier is null
