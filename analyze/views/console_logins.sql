-- One row per login to the console. One that failed has no error code, its response tells; its user has no ARN, and no
-- name either where there is no such user.
with logins as (
    select
        account_id, region, event_time, event_id, source_ip_address, user_agent, identity_type, error_message, denied, judged,
        principal as signed_in,
        nullif(identity_user_name, 'HIDDEN_DUE_TO_SECURITY_REASONS') as user_name,
        coalesce(response_elements ->> '$.ConsoleLogin' = 'Success', error_code is null and error_message is null) as succeeded,
        additional_event_data ->> '$.MFAUsed' as mfa_used,
        'arn:' || case when region like 'cn-%' then 'aws-cn' when region like 'us-gov-%' then 'aws-us-gov' else 'aws' end || ':iam::' || account_id || ':' as prefix
    from events
    where event_source = 'signin.amazonaws.com' and event_name = 'ConsoleLogin'
),
users as (
    select account_id, tail as name, min(arn) as arn
    from known_resources
    where resource_type = 'iam:user'
    group by all
),
named as (
    select
        l.* exclude (signed_in, prefix),
        coalesce(l.signed_in, u.arn, l.prefix || case when l.identity_type = 'Root' then 'root' else 'user/' || l.user_name end) as principal
    from logins as l
    left join users as u on u.account_id = l.account_id and u.name = l.user_name
)
select
    *,
    {'event_id': event_id, 'event_time': event_time, 'principal': principal, 'source_ip_address': source_ip_address, 'user_agent': user_agent, 'succeeded': succeeded, 'denied': denied} as call
from named
