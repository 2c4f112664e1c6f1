/*
title = "Trails sign their log files"
severity = "medium"
tables = ["aws_cloudtrail_trail"]
frameworks = { "cis_v3.0" = ["3.2"], "cis_v5.0" = ["3.2"], fsbp = ["CloudTrail.4"] }
remediation = "Switch on log file validation, so that a changed or deleted log file can be told."
command = "aws cloudtrail update-trail --region {region} --name {resource_arn} --enable-log-file-validation"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not log_file_validation_enabled as failed,
    case when log_file_validation_enabled then 'log files are signed' else 'log file validation is off' end as reason,
    {'trail': trail_name} as evidence
from aws_cloudtrail_trail
