/*
title = "Critical resources are destroyed by nobody without MFA"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Let only a role of its own, which asks for MFA in its trust policy, do that to critical resources, and take the permission from everybody else."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html"]
*/
-- Who used a dangerous permission on what is critical, when, and whether with a second factor. A key that lives long has none; what
-- single sign-on asked for is not in the event; and a role of a machine has nobody to ask.
with calls as (
    select
        *,
        case
            when session_mfa_authenticated then 'with MFA'
            when contains(principal, ':role/aws-reserved/sso.amazonaws.com/') or identity_type in ('SAMLUser', 'WebIdentityUser', 'IdentityCenterUser') then 'by single sign-on, which does not tell of MFA'
            when session_mfa_authenticated = false then 'without MFA'
            when identity_type in ('IAMUser', 'Root') and (identity_access_key_id is null or starts_with(identity_access_key_id, 'AKIA')) then 'without MFA'
            else 'and whether with MFA is not known'
        end as factor
    from destructive_calls
    where critical and principal is not null
)
select
    account_id,
    any_value(region order by event_time, event_id) as region,
    resource_arn,
    principal as discriminator,
    true as failed,
    case
        when bool_and(not succeeded) then 'low'
        when bool_or(factor = 'without MFA' and succeeded) then null
        when bool_and(factor = 'with MFA' or not succeeded) then 'low'
        else 'medium'
    end as severity,
    array_to_string(list_sort(list(distinct event_name)), ', ') || ' on ' || resource_type || ' ' || coalesce(any_value(name), arn_tail(resource_arn)) || ' (' || any_value(importance) || '), '
        || array_to_string(list_sort(list(distinct factor)), ', ') || ': ' || traced(call) as reason,
    {
        'trace': trace(call), 'operations': list_sort(list(distinct event_name)), 'importance': any_value(importance), 'factors': list_sort(list(distinct factor)),
        'first_event_id': min(event_id order by event_time, event_id)
    } as evidence
from calls
group by account_id, resource_arn, resource_type, principal
having bool_or(judged)
