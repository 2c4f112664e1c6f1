/*
title = "Nobody works as the root user"
severity = "high"
tables = ["aws_iam_credential_report"]
frameworks = { "cis_v3.0" = ["1.7"], "cis_v5.0" = ["1.6"] }
remediation = "Find out who signed in as root and what for, and give them a role that may do it; keep root for what only root can do."
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-tasks.html"]
*/
with uses as (
    select account_id, region, unnest([
        {'credential': 'password', 'used_at': password_last_used_at, 'text': password_last_used_text},
        {'credential': 'access key 1', 'used_at': access_key_1_last_used_at, 'text': access_key_1_last_used_text},
        {'credential': 'access key 2', 'used_at': access_key_2_last_used_at, 'text': access_key_2_last_used_text}
    ]) as use
    from aws_iam_credential_report
    where is_root
),
last_use as (
    select
        account_id,
        max(use.used_at) as used_at,
        max_by(use.credential, use.used_at) as credential,
        -- The report says in words that a credential was never used; anything else without a time is not known.
        bool_or(use.used_at is null and coalesce(use.text not in ('N/A', 'no_information', 'not_supported'), true)) as unread
    from uses
    group by account_id
)
select
    a.account_id,
    'global' as region,
    a.arn as resource_arn,
    case when days_since(u.used_at) < setting('root_unused_days') then true when u.unread then null when u.account_id is not null then false end as failed,
    case
        when u.account_id is null then 'the credential report has no line for the root user'
        when days_since(u.used_at) < setting('root_unused_days') then 'the root user''s ' || u.credential || ' was used ' || days_since(u.used_at) || ' days ago'
        when u.unread then 'the credential report does not tell when the root user was last used'
        when u.used_at is not null then 'the root user was last used ' || days_since(u.used_at) || ' days ago'
        else 'the root user was never seen used'
    end as reason,
    {'used_at': u.used_at, 'credential': u.credential} as evidence
from accounts as a
left join last_use as u on u.account_id = a.account_id
