/*
title = "Public zones log their queries"
severity = "medium"
tables = ["aws_route53_hosted_zone"]
operations = ["ListQueryLoggingConfigs"]
frameworks = { fsbp = ["Route53.2"] }
remediation = "Switch on query logging to a log group in us-east-1."
command = "aws route53 create-query-logging-config --hosted-zone-id {zone_id} --cloud-watch-logs-log-group-arn ..."
*/
select
    account_id,
    region,
    arn as resource_arn,
    not query_logging_enabled as failed,
    case when query_logging_enabled then 'queries are logged' when not query_logging_enabled then 'queries are not logged' end as reason,
    {'zone_id': arn_tail(zone_id), 'zone': zone_name} as evidence
from aws_route53_hosted_zone
where is_private is distinct from true
