/*
title = "Nobody stops AWS Config"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Start the recorder again, and ask who stopped it. What was changed meanwhile shows in its next records, not who did it."
command = "aws configservice start-configuration-recorder --region {region} --configuration-recorder-name {name}"
links = ["https://docs.aws.amazon.com/config/latest/APIReference/API_StopConfigurationRecorder.html"]
*/
-- A recorder that runs again within the hour was set up anew.
with calls as (
    select
        *,
        coalesce(request_parameters ->> '$.configurationRecorderName', request_parameters ->> '$.deliveryChannelName', 'default') as name,
        min(event_time) filter (where event_name = 'StartConfigurationRecorder' and succeeded) over (
            partition by account_id, region order by event_time range between current row and interval 1 hour following
        ) as again_at
    from events
    where event_source = 'config.amazonaws.com'
        and event_name in (values ('StopConfigurationRecorder'), ('DeleteConfigurationRecorder'), ('DeleteDeliveryChannel'), ('StartConfigurationRecorder'))
)
select
    account_id,
    region,
    'arn:' || arn_partition(principal) || ':config:' || region || ':' || account_id || ':configuration-recorder/' || name as resource_arn,
    principal as discriminator,
    true as failed,
    case when not bool_or(succeeded) or bool_and(again_at is not null or not succeeded) then 'medium' else 'high' end as severity,
    'AWS Config in ' || region || ': ' || array_to_string(list_sort(list(distinct case event_name
        when 'StopConfigurationRecorder' then 'its recorder was stopped' when 'DeleteConfigurationRecorder' then 'its recorder was deleted' else 'its delivery channel was deleted'
    end)), ', ') || case when bool_or(succeeded) then ' ' else ', or was to be ' end || traced(call)
        || case when bool_or(succeeded) and max(again_at) is not null then '; on again at ' || strftime(max(again_at), '%H:%M') else '' end as reason,
    {'trace': trace(call), 'name': name, 'again_at': max(again_at)} as evidence
from calls
where event_name <> 'StartConfigurationRecorder' and deliberate and (succeeded or denied)
group by account_id, region, name, principal, arn_partition(principal)
having bool_or(judged)
