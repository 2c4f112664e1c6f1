/*
title = "Nobody turns credentials into a console session"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask whose session it is: with stolen credentials of an application somebody works at the console. Users come through Identity Center or log in with MFA."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventName,AttributeValue=GetSigninToken"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html"]
*/
-- Identity Center opens the console in this way for everybody who comes through it.
with tokens as (
    select *
    from events
    where event_source = 'signin.amazonaws.com' and event_name = 'GetSigninToken' and not by_service and principal is not null
        and not contains(principal, ':role/aws-reserved/sso.amazonaws.com/')
)
select
    account_id,
    min(region order by event_time, event_id) as region,
    principal as resource_arn,
    true as failed,
    case when not bool_or(succeeded) then 'low' else 'medium' end as severity,
    'its credentials were ' || case when bool_or(succeeded) then '' else 'to be ' end || 'turned into a console session: ' || traced(call) as reason,
    trace(call) as evidence
from tokens
where not is_automation(principal)
group by account_id, principal
having bool_or(judged)
