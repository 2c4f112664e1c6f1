/*
title = "No key is known to the world"
severity = "critical"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "AWS found an access key of this user in public. Make a new one, deactivate the old one, and look at what it was used for since it got out; only then detach the quarantine."
command = "aws iam list-access-keys --user-name {user_name}"
links = ["https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html"]
*/
-- Whoever attaches it: AWS does, in whatever name. An attempt that failed tells as much.
with calls as (
    select
        *,
        coalesce(request_parameters ->> '$.policyName', arn_tail(request_parameters ->> '$.policyArn')) as policy_name
    from iam_calls
    where event_source = 'iam.amazonaws.com' and event_name in (values ('AttachUserPolicy'), ('PutUserPolicy'), ('DetachUserPolicy'), ('DeleteUserPolicy')) and target_kind = 'user'
),
quarantine as (
    select
        *,
        min(event_time) filter (where event_name in ('DetachUserPolicy', 'DeleteUserPolicy') and succeeded) over (
            partition by account_id, target_arn order by event_time range between current row and unbounded following
        ) as released_at
    from calls
    where policy_name like 'AWSCompromisedKeyQuarantine%' or policy_name = 'AWSExposedCredentialPolicy_DO_NOT_REMOVE'
)
select
    account_id,
    'global' as region,
    target_arn as resource_arn,
    strftime(event_time, '%Y-%m-%d') as discriminator,
    true as failed,
    'AWS''s quarantine for keys found in public (' || array_to_string(list_sort(list(distinct policy_name)), ', ') || ') was attached'
        || case when max(released_at) is not null then ' and taken off at ' || strftime(max(released_at), '%Y-%m-%d %H:%M') else '' end || ': ' || traced(call) as reason,
    {'trace': trace(call), 'user_name': min(target_name), 'released_at': max(released_at)} as evidence
from quarantine
where event_name in ('AttachUserPolicy', 'PutUserPolicy')
group by account_id, target_arn, strftime(event_time, '%Y-%m-%d')
having bool_or(judged)
