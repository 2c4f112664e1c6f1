/*
title = "Access keys are young"
severity = "medium"
tables = ["aws_iam_credential_report"]
frameworks = { "cis_v3.0" = ["1.14"], "cis_v5.0" = ["1.13"], fsbp = ["IAM.3"] }
remediation = "Replace the key by a role; where that can't be, rotate it: create a second key, move its users, deactivate the first, delete it."
command = "aws iam create-access-key --user-name {user_name}"
*/
with keys as (
    select account_id, region, arn, user_name, access_key_1_last_rotated_at as rotated_at, access_key_1_active as active
    from aws_iam_credential_report
    union all
    select account_id, region, arn, user_name, access_key_2_last_rotated_at, access_key_2_active
    from aws_iam_credential_report
),
ages as (
    select account_id, region, arn, user_name, max(days_since(rotated_at)) as oldest_days, bool_or(rotated_at is null) as undated
    from keys
    where active
    group by account_id, region, arn, user_name
)
select
    account_id,
    region,
    arn as resource_arn,
    case when oldest_days > setting('key_age_days') then true when undated then null else false end as failed,
    coalesce('its oldest active key is ' || oldest_days || ' days old', 'the age of its key is not known') as reason,
    {'user_name': user_name, 'oldest_days': oldest_days} as evidence
from ages
