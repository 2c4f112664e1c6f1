/*
title = "Logs are kept for a year, and not forever"
severity = "medium"
tables = ["aws_logs_log_group"]
remediation = "Set how long the group keeps its events: as long as the rules you follow ask for, and no longer."
command = "aws logs put-retention-policy --region {region} --log-group-name {log_group_name} --retention-in-days 365"
*/
select
    account_id,
    region,
    arn as resource_arn,
    retention_days is null or retention_days < setting('log_retention_days') as failed,
    case when retention_days is null then 'kept forever' else 'kept for ' || retention_days || ' days' end as reason,
    {'log_group_name': log_group_name, 'retention_days': retention_days, 'stored_bytes': stored_bytes} as evidence
from aws_logs_log_group
