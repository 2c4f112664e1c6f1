/*
title = "Users set their own passwords"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask both whether it was agreed. If not, remove the password: it is a way into the console under another name."
command = "aws iam delete-login-profile --user-name {user_name}"
links = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html"]
*/
-- A first password for a user that the same principal has just made, and one that must be changed at the first login, are
-- what administrators do; who wants to use it does not make the user change it.
with calls as (
    select
        *,
        count(*) filter (where event_name = 'CreateUser' and succeeded) over (
            partition by account_id, target_name, principal order by event_time range between interval 1 hour preceding and current row
        ) > 0 as new_user,
        coalesce(lower(request_parameters ->> '$.passwordResetRequired') = 'true', false) as must_change
    from iam_calls
    where event_source = 'iam.amazonaws.com' and event_name in (values ('CreateLoginProfile'), ('UpdateLoginProfile'), ('CreateUser')) and target_kind = 'user'
        and deliberate and (succeeded or denied)
)
select
    account_id,
    'global' as region,
    target_arn as resource_arn,
    principal as discriminator,
    true as failed,
    case when not bool_or(succeeded) or bool_and(new_user or must_change) then 'medium' else 'high' end as severity,
    principal_label(target_arn) || case when bool_and(new_user) then ', a new user,' else '' end
        || case when bool_or(succeeded) then ' was given ' else ' was to be given ' end
        || case when bool_or(event_name = 'CreateLoginProfile') then 'a password' else 'another password' end
        || case when bool_and(must_change) then ' to be changed at the next login' else '' end || ': ' || traced(call) as reason,
    {'trace': trace(call), 'user_name': target_name} as evidence
from calls
where event_name <> 'CreateUser' and not on_self
group by account_id, target_arn, target_name, principal
having bool_or(judged)
