/*
title = "No administrator has an access key"
severity = "critical"
tables = ["aws_iam_user", "aws_iam_group", "aws_iam_role", "aws_iam_policy"]
remediation = "Deactivate the key now and look in CloudTrail for what it did; let people and machines take a role instead."
command = "aws iam update-access-key --user-name {user_name} --status Inactive --access-key-id {access_key_id}"
*/
with users as (
    select account_id, region, arn, user_name, active_access_key_ids
    from aws_iam_user
),
admin as (
    select
        account_id, principal_arn,
        case when bool_or(coalesce(is_admin, false)) then true when bool_or(is_admin is null) then null else false end as is_admin
    from administrators
    where principal_kind = 'user'
    group by account_id, principal_arn
),
judged as (
    select
        u.*, len(u.active_access_key_ids) as keys,
        case
            when len(u.active_access_key_ids) = 0 then false
            when a.principal_arn is null then false
            else a.is_admin and (u.active_access_key_ids is not null or null)
        end as failed
    from users as u
    left join admin as a on a.account_id = u.account_id and a.principal_arn = u.arn
)
select
    account_id,
    region,
    arn as resource_arn,
    failed,
    case
        when failed then 'an administrator with ' || keys || ' active access key' || case when keys > 1 then 's' else '' end
        when not failed then 'no administrator with an active key'
        else 'its policies or its keys are not known'
    end as reason,
    {'user_name': user_name, 'access_key_id': active_access_key_ids[1], 'active_keys': keys} as evidence
from judged
