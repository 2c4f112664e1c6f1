/*
title = "Nobody deletes DNS query logs or log groups"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who deleted it. Query logs can be configured again; a log group is gone with its logs, unless they were exported."
links = ["https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html"]
*/
-- Log groups come and go with what writes them: those of stacks, of known automation, and of a function that the same
-- principal deletes within the hour are cleaned up.
with calls as (
    select
        *,
        coalesce(request_parameters ->> '$.logGroupName', arn_tail(request_parameters ->> '$.logGroupIdentifier'), nullif(regexp_extract(denied_resource, ':log-group:([^:]+)', 1), ''), 'unknown') as log_group,
        coalesce(request_parameters ->> '$.resolverQueryLogConfigId', request_parameters ->> '$.id', arn_tail(denied_resource), 'unknown') as config_id
    from events
    where (
            event_source = 'logs.amazonaws.com' and event_name in ('DeleteLogGroup', 'DeleteLogStream')
            or event_source = 'route53resolver.amazonaws.com' and event_name in ('DeleteResolverQueryLogConfig', 'DisassociateResolverQueryLogConfig')
            or event_source = 'route53.amazonaws.com' and event_name = 'DeleteQueryLoggingConfig'
            or event_source = 'lambda.amazonaws.com' and event_name in ('DeleteFunction20150331', 'DeleteFunction')
        )
        and (succeeded or denied)
),
functions as (
    select distinct account_id, region, principal, arn_tail(request_parameters ->> '$.functionName') as name, event_time as deleted_at
    from calls
    where event_source = 'lambda.amazonaws.com' and succeeded
),
deleted as (
    select
        *,
        case event_source
            when 'logs.amazonaws.com' then 'arn:' || arn_partition(principal) || ':logs:' || region || ':' || account_id || ':log-group:' || log_group
            when 'route53.amazonaws.com' then 'arn:' || arn_partition(principal) || ':route53:::queryloggingconfig/' || config_id
            else 'arn:' || arn_partition(principal) || ':route53resolver:' || region || ':' || account_id || ':resolver-query-log-config/' || config_id
        end as arn,
        case
            when event_name = 'DeleteLogGroup' then 'the log group ' || log_group || ' was deleted'
            when event_name = 'DeleteLogStream' then 'streams of the log group ' || log_group || ' were deleted'
            when event_name = 'DisassociateResolverQueryLogConfig' then 'DNS queries of ' || coalesce(request_parameters ->> '$.resourceId', 'a VPC') || ' are no longer logged'
            else 'the configuration ' || config_id || ' of DNS query logs was deleted'
        end as what
    from calls as c
    where event_source <> 'lambda.amazonaws.com'
        and (event_source <> 'logs.amazonaws.com' or not by_service)
        and deliberate and not is_automation(principal)
),
kept as (
    select *
    from deleted as d
    where not exists (
        select 1
        from functions as f
        where f.account_id = d.account_id and f.region = d.region and f.principal = d.principal and '/aws/lambda/' || f.name = d.log_group
            and f.deleted_at between d.event_time - interval 1 hour and d.event_time + interval 1 hour
    )
)
select
    account_id,
    region,
    arn as resource_arn,
    principal as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'low' else 'medium' end as severity,
    array_to_string(list_sort(list(distinct what))[:3], ', ') || case when bool_or(succeeded) then ': ' else ', or was to be: ' end || traced(call) as reason,
    {'trace': trace(call), 'operations': list_sort(list(distinct event_name))} as evidence
from kept
where arn is not null
group by account_id, region, arn, principal
having bool_or(judged)
