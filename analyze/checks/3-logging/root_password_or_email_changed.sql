/*
title = "Root's password and e-mail address stay as they are"
severity = "critical"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who holds root. If it was nobody of yours, have the account's e-mail address and root's password set back at once (by the organization's management account or AWS Support): whoever has both owns the account."
command = "aws account get-primary-email --account-id {account_id}"
links = ["https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-root-user.html"]
*/
-- Root changes them at the login page; the management account changes a member's address by API, and lets its password be
-- made again with a session of root (CreateLoginProfile without a user name).
with changes as (
    select
        *,
        case
            when event_name in ('EmailUpdated', 'AcceptPrimaryEmailUpdate') then 'root''s e-mail address was changed'
            when event_name = 'StartPrimaryEmailUpdate' then 'a change of root''s e-mail address was begun'
            when event_name = 'PasswordRecoveryRequested' then 'a new password for root was asked for'
            when event_name = 'CreateLoginProfile' then 'root may be given a new password'
            else 'root''s password was changed'
        end as what,
        event_name in ('StartPrimaryEmailUpdate', 'PasswordRecoveryRequested') as begun
    from events
    where event_source in (values ('signin.amazonaws.com'), ('account.amazonaws.com'), ('iam.amazonaws.com'))
        and event_name in (values ('PasswordUpdated'), ('PasswordRecoveryRequested'), ('PasswordRecoveryCompleted'), ('EmailUpdated'), ('StartPrimaryEmailUpdate'), ('AcceptPrimaryEmailUpdate'), ('ChangePassword'), ('CreateLoginProfile'), ('UpdateLoginProfile'))
        and (
            event_source = 'account.amazonaws.com'
            or identity_type = 'Root' and request_parameters ->> '$.userName' is null
        )
        and not by_service
),
placed as (
    select
        *,
        'arn:' || arn_partition(principal) || ':iam::' || coalesce(request_parameters ->> '$.accountId', account_id) || ':root' as root_arn,
        coalesce(succeeded and response_elements ->> ('$.' || event_name) is distinct from 'Failure', false) as done
    from changes
)
select
    account_id,
    'global' as region,
    root_arn as resource_arn,
    what || ' ' || strftime(event_time, '%Y-%m-%d') as discriminator,
    true as failed,
    case when begun or not bool_or(done) then 'high' else 'critical' end as severity,
    what || case when bool_or(done) then ': ' else ', or tried to be: ' end || traced(call) as reason,
    trace(call) as evidence
from placed
group by account_id, root_arn, what, begun, strftime(event_time, '%Y-%m-%d')
having bool_or(judged)
