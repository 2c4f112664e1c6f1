/*
title = "Nobody acts as root of another account"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who unlocked what. If it was nobody of yours, take the credential out of use and look at what the root session did in the member account within its 15 minutes."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventName,AttributeValue=AssumeRoot"
links = ["https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html"]
*/
-- The task policy says what for. The one to audit root's credentials only reads.
with calls as (
    select
        *,
        arn_tail(coalesce(request_parameters ->> '$.taskPolicyArn.arn', request_parameters ->> '$.taskPolicyArn')) as task,
        coalesce(regexp_extract(coalesce(request_parameters ->> '$.targetPrincipal', denied_resource), '[0-9]{12}'), '') as target_account
    from events
    where event_source = 'sts.amazonaws.com' and event_name = 'AssumeRoot' and not by_service and (succeeded or denied)
)
select
    account_id,
    min(region order by event_time, event_id) as region,
    'arn:' || arn_partition(principal) || ':iam::' || case when target_account = '' then account_id else target_account end || ':root' as resource_arn,
    coalesce(task || ' ', '') || coalesce(principal, '') as discriminator,
    true as failed,
    case
        when task is not distinct from 'IAMAuditRootUserCredentials' then 'low'
        when not bool_or(succeeded) then 'medium'
        else 'high'
    end as severity,
    'root of ' || case when target_account = '' then 'an account' else 'account ' || target_account end
        || case when bool_or(succeeded) then ' was ' else ' was to be ' end || 'assumed' || coalesce(' for ' || task, '') || ': ' || traced(call) as reason,
    {'trace': trace(call), 'task': task} as evidence
from calls
group by account_id, arn_partition(principal), target_account, task, principal
having bool_or(judged)
