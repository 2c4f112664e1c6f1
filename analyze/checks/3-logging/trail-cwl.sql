/*
title = "Trails are sent to CloudWatch Logs"
severity = "low"
tables = ["aws_cloudtrail_trail"]
frameworks = { fsbp = ["CloudTrail.5"] }
remediation = "Send the trail to a log group, so that alarms can see it within minutes."
command = "aws cloudtrail update-trail --region {region} --name {resource_arn} --cloud-watch-logs-log-group-arn ... --cloud-watch-logs-role-arn ..."
*/
select
    account_id,
    region,
    arn as resource_arn,
    cloudwatch_logs_group_arn is null as failed,
    case when cloudwatch_logs_group_arn is null then 'not sent to CloudWatch Logs' else 'sent to CloudWatch Logs' end as reason,
    {'trail': trail_name, 'log_group': cloudwatch_logs_group_arn} as evidence
from aws_cloudtrail_trail
