/*
title = "Tables can be restored to any moment"
severity = "medium"
tables = ["aws_dynamodb_table"]
frameworks = { fsbp = ["DynamoDB.2"] }
remediation = "Switch on point-in-time recovery."
command = "aws dynamodb update-continuous-backups --region {region} --table-name {table_name} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
*/
select
    account_id,
    region,
    arn as resource_arn,
    point_in_time_recovery_status <> 'ENABLED' as failed,
    case when point_in_time_recovery_status <> 'ENABLED' then 'point-in-time recovery is off' when not (point_in_time_recovery_status <> 'ENABLED') then 'point-in-time recovery is on' end as reason,
    {'table_name': table_name} as evidence
from aws_dynamodb_table
