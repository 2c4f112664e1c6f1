/*
title = "Nobody tries passwords on many users"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Look at whether a login from this address succeeded, now or later, and change the passwords of those users; demand MFA of everybody who has one."
command = "aws iam generate-credential-report"
links = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html"]
*/
-- Different users from one address within the minutes of the configuration, in whatever accounts: who knows one account of
-- an organization tries the others. Users that don't exist have no name here and count as one.
with failures as (
    select
        account_id, event_time, source_ip_address, principal, judged, call,
        account_id || '/' || coalesce(user_name, case when identity_type = 'Root' then 'root' end, '?') as tried
    from console_logins
    where identity_type in ('IAMUser', 'Root') and not succeeded and source_ip_address is not null
),
windows as (
    select
        *,
        list(tried) over (
            partition by source_ip_address order by event_time
            range between to_minutes(setting('login_minutes')) preceding and current row
        ) as users
    from failures
),
peaks as (
    select source_ip_address as address, event_time as peak_time
    from windows
    where len(list_distinct(users)) >= setting('login_users')
),
sprayed as (
    select f.*, strftime(min(p.peak_time), '%Y-%m-%d') as day
    from failures as f
    join peaks as p
        on p.address = f.source_ip_address and f.event_time between p.peak_time - to_minutes(setting('login_minutes')) and p.peak_time
    group by all
),
-- A login from the address on the same day found a password.
found as (
    select s.account_id, s.source_ip_address as address, s.day, string_agg(distinct l.user_name, ', ' order by l.user_name) as users
    from (select account_id, source_ip_address, day, min(event_time) as began from sprayed group by all) as s
    join console_logins as l
        on l.account_id = s.account_id and l.source_ip_address = s.source_ip_address and l.succeeded
        and l.identity_type = 'IAMUser' and l.event_time between s.began and s.began + interval 1 day
    group by all
)
select
    s.account_id,
    'global' as region,
    'arn:' || arn_partition(min(s.principal)) || ':iam::' || s.account_id || ':root' as resource_arn,
    s.source_ip_address || ' ' || s.day as discriminator,
    true as failed,
    case when any_value(f.users) is not null then 'high' else 'medium' end as severity,
    'passwords of ' || count(distinct s.tried) || case when count(distinct s.tried) = 1 then ' user' else ' users' end || ' were tried'
        || coalesce(', then ' || any_value(f.users) || ' logged in from there', '') || ': ' || traced(call) as reason,
    {'trace': trace(call), 'logged_in': any_value(f.users)} as evidence
from sprayed as s
left join found as f on f.account_id = s.account_id and f.address = s.source_ip_address and f.day = s.day
group by s.account_id, s.source_ip_address, s.day
having bool_or(s.judged)
