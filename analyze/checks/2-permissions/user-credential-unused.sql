/*
title = "Passwords and keys nobody uses are gone"
severity = "medium"
tables = ["aws_iam_credential_report"]
frameworks = { "cis_v3.0" = ["1.12"], "cis_v5.0" = ["1.11"], fsbp = ["IAM.8"] }
remediation = "Deactivate the unused credential, and delete the user when nobody misses it."
command = "aws iam delete-login-profile --user-name {user_name}"
*/
with credentials as (
    select account_id, region, arn, user_name, 'password' as credential, password_enabled as active,
        coalesce(password_last_used_at, password_last_changed_at, user_created_at) as last_at
    from aws_iam_credential_report
    where not is_root
    union all
    select account_id, region, arn, user_name, 'access key 1', access_key_1_active, coalesce(access_key_1_last_used_at, access_key_1_last_rotated_at)
    from aws_iam_credential_report
    where not is_root
    union all
    select account_id, region, arn, user_name, 'access key 2', access_key_2_active, coalesce(access_key_2_last_used_at, access_key_2_last_rotated_at)
    from aws_iam_credential_report
    where not is_root
),
active as (
    select *, days_since(last_at) as idle_days
    from credentials
    where active
)
select
    account_id,
    region,
    arn as resource_arn,
    case when bool_or(idle_days >= setting('credential_unused_days')) then true when bool_or(idle_days is null) then null else false end as failed,
    coalesce(
        string_agg(credential || ' unused for ' || idle_days || ' days', ', ' order by credential) filter (where idle_days >= setting('credential_unused_days')),
        case when bool_or(idle_days is null) then 'it is not known when they were last used' else 'its credentials are in use' end
    ) as reason,
    {'user_name': user_name, 'credentials': list({'credential': credential, 'idle_days': idle_days} order by credential)} as evidence
from active
group by account_id, region, arn, user_name
