/*
title = "Users make their own access keys"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask both what the key is for. If nobody knows, deactivate it: a key for another user is a way to stay after one's own is gone."
command = "aws iam update-access-key --user-name {user_name} --access-key-id {access_key_id} --status Inactive"
links = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html"]
*/
-- A key for a user that the same principal has just made is how users for applications come into being; a rotation
-- by known automation is routine. Both are told with less weight.
with calls as (
    select
        *,
        count(*) filter (where event_name = 'CreateUser' and succeeded) over (
            partition by account_id, target_name, principal order by event_time range between interval 1 hour preceding and current row
        ) > 0 as new_user
    from iam_calls
    where event_source = 'iam.amazonaws.com' and event_name in (values ('CreateAccessKey'), ('CreateUser')) and target_kind = 'user' and deliberate and (succeeded or denied)
)
select
    account_id,
    'global' as region,
    target_arn as resource_arn,
    principal as discriminator,
    true as failed,
    case
        when is_automation(principal) then 'low'
        when not bool_or(succeeded) or bool_and(new_user) then 'medium'
        else 'high'
    end as severity,
    'an access key of ' || principal_label(target_arn) || case when bool_and(new_user) then ', a new user,' else '' end
        || ' was ' || case when bool_or(succeeded) then 'created: ' else 'to be created: ' end || traced(call) as reason,
    {
        'trace': trace(call), 'user_name': target_name,
        'access_key_id': max(response_elements ->> '$.accessKey.accessKeyId'),
        'access_key_ids': list_sort(list(distinct response_elements ->> '$.accessKey.accessKeyId'))
    } as evidence
from calls
where event_name = 'CreateAccessKey' and not on_self
group by account_id, target_arn, target_name, principal
having bool_or(judged)
