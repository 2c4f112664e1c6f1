/*
title = "Nobody takes alarms and rules away"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who removed it and whether what it watched for still is; create it again if so."
links = ["https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html"]
*/
-- Alarms, rules of EventBridge and AWS Config, and filters of log groups that feed them. What is there again within the hour
-- was replaced or silenced for a deployment; stacks and known automation come and go.
with calls as (
    select
        *,
        case event_source when 'monitoring.amazonaws.com' then 'alarm' when 'events.amazonaws.com' then 'rule' when 'config.amazonaws.com' then 'Config rule' else 'filter' end as kind,
        case
            when event_source = 'monitoring.amazonaws.com' then list_concat(request_parameters ->> '$.alarmNames[*]', case when request_parameters ->> '$.alarmName' is not null then [request_parameters ->> '$.alarmName'] end)
            when event_source = 'events.amazonaws.com' then
                [coalesce(nullif(nullif(arn_tail(request_parameters ->> '$.eventBusName'), 'default') || '/', ''), '') || coalesce(request_parameters ->> '$.name', request_parameters ->> '$.rule')]
            when event_source = 'config.amazonaws.com' then [coalesce(request_parameters ->> '$.configRuleName', request_parameters ->> '$.configRule.configRuleName')]
            else [(request_parameters ->> '$.logGroupName') || ':' || (request_parameters ->> '$.filterName')]
        end as asked_names,
        coalesce(nullif(regexp_extract(denied_resource, ':log-group:([^:]+)', 1), '') || ':', arn_tail(denied_resource), 'unknown') as denied_name
    from events
    where (
            event_source = 'monitoring.amazonaws.com' and event_name in ('DeleteAlarms', 'DisableAlarmActions', 'PutMetricAlarm', 'PutCompositeAlarm', 'EnableAlarmActions')
            or event_source = 'events.amazonaws.com' and event_name in ('DeleteRule', 'DisableRule', 'RemoveTargets', 'PutRule', 'EnableRule', 'PutTargets')
            or event_source = 'logs.amazonaws.com' and event_name in ('DeleteMetricFilter', 'DeleteSubscriptionFilter', 'PutMetricFilter', 'PutSubscriptionFilter')
            or event_source = 'config.amazonaws.com' and event_name in ('DeleteConfigRule', 'PutConfigRule')
        )
        and (succeeded or denied)
),
named as (
    select * exclude (asked_names), unnest(case when request_parameters is null then [denied_name] else asked_names end) as name
    from calls
),
marked as (
    select
        *,
        count(*) filter (where succeeded and (event_name like 'Put%' or event_name like 'Enable%')) over (
            partition by account_id, region, kind, name order by event_time range between current row and interval 1 hour following
        ) > 0 as back
    from named
    where name is not null
),
removed as (
    select
        *,
        'arn:' || arn_partition(principal) || case kind
            when 'alarm' then ':cloudwatch:' || region || ':' || account_id || ':alarm:' || name
            when 'rule' then ':events:' || region || ':' || account_id || ':rule/' || name
            when 'filter' then ':logs:' || region || ':' || account_id || ':log-group:' || regexp_replace(name, ':[^:]*$', '')
            else ':config:' || region || ':' || account_id || ':config-rule/' || name
        end as arn
    from marked
    where (event_name like 'D%' or event_name = 'RemoveTargets') and not by_service and not back and not is_automation(principal)
)
select
    account_id,
    region,
    arn as resource_arn,
    principal as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'low' else 'medium' end as severity,
    'the ' || kind || ' ' || array_to_string(list_sort(list(distinct name))[:3], ', ') || case when bool_or(succeeded) then ' was ' else ' was to be ' end
        || array_to_string(list_sort(list(distinct case when event_name like 'Delete%' then 'deleted' when event_name = 'RemoveTargets' then 'cut off from its targets' else 'silenced' end)), ', ')
        || ': ' || traced(call) as reason,
    {'trace': trace(call), 'names': list_sort(list(distinct name))} as evidence
from removed
group by account_id, region, kind, arn, principal
having bool_or(judged)
