/*
title = "Nobody deletes a critical resource"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who deleted it whether it was meant. If not, restore it from its newest backup, take the credential out of use, and let only a role of its own with MFA delete what is critical."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_planning_for_recovery_disaster_recovery.html"]
*/
-- Backups have a detection of their own.
select
    account_id,
    any_value(region order by event_time, event_id) as region,
    resource_arn,
    principal as discriminator,
    true as failed,
    case when bool_and(not succeeded) then 'medium' end as severity,
    resource_type || ' ' || coalesce(any_value(name), arn_tail(resource_arn)) || ' (' || any_value(importance) || ')'
        || case
            when bool_or(succeeded and part is null) then ' was deleted '
            when bool_or(succeeded) then ' lost its ' || string_agg(distinct part, ', ' order by part) filter (where succeeded) || ' '
            when bool_or(part is null) then ' was to be deleted '
            else ' was to lose its ' || string_agg(distinct part, ', ' order by part) || ' '
        end
        || traced(call) as reason,
    {
        'trace': trace(call), 'resource_type': resource_type, 'importance': any_value(importance), 'owner': any_value(owner),
        'operations': list_sort(list(distinct event_name)), 'by_cloudformation': bool_or(by_service), 'first_event_id': min(event_id order by event_time, event_id)
    } as evidence
from destructive_calls
where critical and kind = 'resource' and principal is not null
group by account_id, resource_arn, resource_type, principal
having bool_or(judged)
