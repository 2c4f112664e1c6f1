/*
title = "Nobody makes an administrator in a hurry"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "If nobody of yours made this user, deactivate its keys and password, look at what it did, and take the credential that made it out of use."
command = "aws iam list-access-keys --user-name {user_name}"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"]
*/
-- A user, the rights of an administrator and a credential within an hour: what whoever has stolen a credential does first.
with steps as (
    select
        account_id, target_arn, target_name, principal, event_time, event_id, succeeded, judged, call,
        case
            when event_name = 'CreateUser' then 'user'
            when event_name in ('CreateAccessKey', 'CreateLoginProfile') then 'credential'
            when event_name = 'AddUserToGroup' and regexp_matches(lower(request_parameters ->> '$.groupName'), 'admin') then 'rights'
            when event_name in ('AttachUserPolicy', 'PutUserPolicy') and (of_administrators or denied and request_parameters is null) then 'rights'
        end as step
    from iam_calls
    where event_source = 'iam.amazonaws.com' and event_name in (values ('CreateUser'), ('AttachUserPolicy'), ('PutUserPolicy'), ('AddUserToGroup'), ('CreateAccessKey'), ('CreateLoginProfile'))
        and target_kind = 'user' and deliberate and (succeeded or denied)
),
-- CloudTrail tells seconds, so that steps of one second stand in any order.
chains as (
    select
        *,
        max(event_time) filter (where step = 'user') over before as user_at
    from steps
    where step is not null
    window before as (partition by account_id, target_name order by event_time range between interval 1 hour preceding and current row)
)
select
    account_id,
    'global' as region,
    -- The path is known from the call that made the user.
    max(target_arn order by length(target_arn)) as resource_arn,
    strftime(user_at, '%Y-%m-%d') as discriminator,
    true as failed,
    case
        when count(distinct step) filter (where succeeded) < 3 then 'medium'
        when bool_and(is_automation(principal)) then 'medium'
        else 'high'
    end as severity,
    'the user ' || target_name || ', ' || case when count(distinct step) filter (where succeeded) = 3 then 'made an administrator with a credential' else 'meant to be an administrator with a credential' end
        || ' within ' || case when date_diff('minute', min(event_time), max(event_time)) < 2 then 'a minute' else date_diff('minute', min(event_time), max(event_time)) || ' minutes' end || ': ' || traced(call) as reason,
    {'trace': trace(call), 'user_name': target_name} as evidence
from chains
where user_at is not null
group by account_id, target_name, user_at
having count(distinct step) = 3 and bool_or(judged)
