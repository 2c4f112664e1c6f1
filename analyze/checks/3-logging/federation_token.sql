/*
title = "Nobody turns a key into a federated session"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask whose session it is. It lives on for up to 36 hours after the key is deactivated: deny the user everything until it has ended. Applications take a role (`sts:AssumeRole`)."
command = "aws iam put-user-policy --user-name {resource_id} --policy-name DenyAll --policy-document file://deny-all.json"
links = ["https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html"]
*/
with tokens as (
    select *, request_parameters ->> '$.name' as session_name
    from events
    where event_source = 'sts.amazonaws.com' and event_name = 'GetFederationToken' and not by_service and (succeeded or denied) and principal is not null
)
select
    account_id,
    'global' as region,
    principal as resource_arn,
    true as failed,
    case when not bool_or(succeeded) then 'low' else 'medium' end as severity,
    case when bool_or(succeeded) then 'it got ' else 'it asked for ' end || 'a federated session named '
        || array_to_string(list_sort(list(distinct coalesce(session_name, '?')))[:3], ', ') || ': ' || traced(call) as reason,
    {'trace': trace(call), 'session_names': list_sort(list(distinct session_name))[:20]} as evidence
from tokens
where not is_automation(principal)
group by account_id, principal
having bool_or(judged)
