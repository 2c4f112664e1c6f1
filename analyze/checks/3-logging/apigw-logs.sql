/*
title = "API stages log their calls"
severity = "medium"
tables = ["aws_apigateway_stage", "aws_apigatewayv2_stage", "aws_apigatewayv2_api"]
frameworks = { fsbp = ["APIGateway.1", "APIGateway.9"] }
remediation = "Set the logging level of all methods to ERROR or INFO, and a log group for the access log."
links = ["https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html"]
*/
-- What is not set is off: the stage itself comes with its settings, so a member that is missing was not left out.
with rest as (
    select
        account_id, region, arn, api_id, stage_name, 'REST' as protocol, access_log_destination_arn,
        method_settings ->> '$."*/*".loggingLevel' as default_level,
        len(list_filter(coalesce(logging_levels, []), lambda level: level = 'OFF')) as silent
    from aws_apigateway_stage
),
http as (
    select
        s.account_id, s.region, s.arn, s.api_id, s.stage_name, p.protocol_type as protocol, s.access_log_destination_arn,
        s.logging_level as default_level,
        len(list_filter(coalesce(s.config ->> '$.RouteSettings.*.LoggingLevel', []), lambda level: level = 'OFF')) as silent
    from aws_apigatewayv2_stage as s
    left join aws_apigatewayv2_api as p on p.account_id = s.account_id and p.region = s.region and p.api_id = s.api_id
),
stages as (
    select *, access_log_destination_arn is not null as access_log, coalesce(default_level in ('ERROR', 'INFO') and silent = 0, false) as execution_log
    from (select * from rest union all by name select * from http)
)
select
    account_id,
    region,
    arn as resource_arn,
    -- HTTP APIs have no execution log, and REST APIs may do without an access log.
    case protocol
        when 'REST' then not execution_log
        when 'HTTP' then not access_log
        when 'WEBSOCKET' then not (execution_log and access_log)
        else case when not access_log then true end
    end as failed,
    case when access_log then 'access is logged' else 'access is not logged' end
        || case
            when protocol = 'HTTP' then ''
            when execution_log then ', execution is logged'
            when default_level in ('ERROR', 'INFO') then ', execution of ' || silent || ' of its methods is not logged'
            when protocol is null then ', whether execution must be logged is not known'
            else ', execution is not logged'
        end as reason,
    {'api_id': api_id, 'stage': stage_name, 'protocol': protocol, 'access_log': access_log_destination_arn, 'level': default_level} as evidence,
    case when protocol = 'REST' and access_log then 'low' end as severity
from stages
