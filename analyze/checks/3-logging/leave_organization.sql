/*
title = "No account leaves the organization"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Deny organizations:LeaveOrganization by a service control policy, and find out who tried: outside the organization nothing limits or records what an account does."
command = "aws organizations describe-organization"
links = ["https://docs.aws.amazon.com/organizations/latest/APIReference/API_LeaveOrganization.html"]
*/
-- Whatever came of it: nobody tries this by accident.
with calls as (
    select
        *,
        'arn:' || arn_partition(principal) || ':iam::' || coalesce(case when event_name = 'RemoveAccountFromOrganization' then request_parameters ->> '$.accountId' end, account_id) || ':root' as arn
    from events
    where event_source = 'organizations.amazonaws.com' and event_name in (values ('LeaveOrganization'), ('RemoveAccountFromOrganization'), ('DeleteOrganization')) and deliberate
)
select
    account_id,
    'global' as region,
    arn as resource_arn,
    event_name || coalesce(' ' || principal, '') as discriminator,
    true as failed,
    case event_name
        when 'DeleteOrganization' then 'the organization was ' || case when bool_or(succeeded) then '' else 'to be ' end || 'deleted'
        when 'LeaveOrganization' then case when bool_or(succeeded) then 'the account left its organization' else 'the account was to leave its organization' end
        else 'the account was ' || case when bool_or(succeeded) then '' else 'to be ' end || 'removed from its organization'
    end || ': ' || traced(call) as reason,
    trace(call) as evidence
from calls
group by account_id, arn, event_name, principal
having bool_or(judged)
