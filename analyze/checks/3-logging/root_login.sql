/*
title = "Nobody logs in as root"
severity = "critical"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who holds root's password. If nobody of yours logged in, change the password and the MFA device, check the account's e-mail address, and look at what root did since."
command = "aws cloudtrail lookup-events --region us-east-1 --lookup-attributes AttributeKey=Username,AttributeValue=root"
links = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html"]
*/
with logins as (
    select *, strftime(event_time, '%Y-%m-%d') as day
    from console_logins
    where identity_type = 'Root'
)
select
    account_id,
    'global' as region,
    principal as resource_arn,
    day as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'high' else 'critical' end as severity,
    case
        when bool_or(succeeded and mfa_used = 'No') then 'root logged in without MFA: '
        when bool_or(succeeded) then 'root logged in: '
        else 'somebody tried to log in as root: '
    end || traced(call) as reason,
    {'trace': trace(call), 'without_mfa': count(*) filter (where succeeded and mfa_used = 'No')} as evidence
from logins
where principal is not null
group by account_id, principal, day
having bool_or(judged)
