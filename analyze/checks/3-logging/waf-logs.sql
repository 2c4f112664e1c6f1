/*
title = "Web ACLs log requests"
severity = "medium"
tables = ["aws_wafv2_web_acl", "aws_wafv2_cloudfront_web_acl"]
operations = ["ListWebACLs", "GetLoggingConfiguration"]
remediation = "Log the web ACL's requests to a log group, bucket or stream whose name starts with aws-waf-logs-; keep at least what was blocked."
command = "aws wafv2 put-logging-configuration --region {call_region} --logging-configuration ResourceArn={resource_arn},LogDestinationConfigs=..."
links = ["https://docs.aws.amazon.com/waf/latest/developerguide/logging.html"]
*/
with acls as (
    -- Web ACLs of CloudFront are asked for in the region their ARN names.
    select account_id, region, arn, web_acl_name, logging_enabled, log_destination_arns, config
    from aws_wafv2_web_acl
    union all
    select account_id, region, arn, web_acl_name, logging_enabled, log_destination_arns, config
    from aws_wafv2_cloudfront_web_acl
),
filtered as (
    select
        *,
        -- A filter that drops whatever it names and the rest leaves a log without lines.
        coalesce(
            config ->> '$.Logging.LoggingConfiguration.LoggingFilter.DefaultBehavior' = 'DROP'
            and not list_contains(config ->> '$.Logging.LoggingConfiguration.LoggingFilter.Filters[*].Behavior', 'KEEP'),
            false
        ) as drops_all
    from acls
)
select
    account_id,
    region,
    arn as resource_arn,
    not logging_enabled or drops_all as failed,
    case
        when drops_all then 'its filter drops every line'
        when logging_enabled then 'requests are logged'
        when not logging_enabled then 'requests are not logged'
    end as reason,
    {'web_acl': web_acl_name, 'call_region': split_part(arn, ':', 4), 'destinations': log_destination_arns} as evidence
from filtered
