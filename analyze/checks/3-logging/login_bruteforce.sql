/*
title = "Nobody guesses a user's password"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask the user. If it was not them and a login followed, change the password, end the sessions and look at what was done; demand MFA in any case."
command = "aws iam get-login-profile --user-name {resource_id}"
links = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html"]
*/
-- A user's failed logins within the minutes of the configuration, from whatever addresses. Users that don't exist have no
-- name here, so that they are told apart by the address.
with logins as (
    select
        account_id, event_time, source_ip_address, user_name, principal, succeeded, judged, call,
        coalesce(user_name, principal, source_ip_address) as tried
    from console_logins
    where identity_type in ('IAMUser', 'Root')
),
windows as (
    select
        *,
        count(*) over (
            partition by account_id, tried order by event_time
            range between to_minutes(setting('login_minutes')) preceding and current row
        ) as in_window
    from logins
    where not succeeded and tried is not null
),
peaks as (
    select account_id, tried, event_time as peak_time
    from windows
    where in_window >= setting('login_failures')
),
-- What ended within the same minutes belongs to it: the failures before a peak, and a login after it.
bursts as (
    select l.*, strftime(min(p.peak_time), '%Y-%m-%d') as day, bool_or(l.event_time >= p.peak_time) as after_peak
    from logins as l
    join peaks as p
        on p.account_id = l.account_id and p.tried = l.tried
        and l.event_time between p.peak_time - to_minutes(setting('login_minutes')) and p.peak_time + to_minutes(setting('login_minutes'))
        and (l.succeeded or l.event_time <= p.peak_time)
    group by all
),
-- A login counts when it came from where the failures came from: the user's own, elsewhere, does not tell that the password was found.
sources as (
    select distinct account_id, tried, day, source_ip_address as source
    from bursts
    where not succeeded
),
marked as (
    select b.*, s.source is not null as from_source
    from bursts as b
    left join sources as s
        on s.account_id = b.account_id and s.tried = b.tried and s.day = b.day and s.source = b.source_ip_address
)
select
    account_id,
    'global' as region,
    coalesce(min(principal), 'arn:aws:iam::' || account_id || ':root') as resource_arn,
    case when bool_or(user_name is not null or principal is not null) then day else tried || ' ' || day end as discriminator,
    true as failed,
    case when bool_or(succeeded and after_peak) then 'high' else 'medium' end as severity,
    count(*) filter (where not succeeded) || ' logins failed'
        || case when bool_or(succeeded and after_peak) then ', then one succeeded' else '' end || ': ' || traced(call) as reason,
    {'trace': trace(call), 'tried': tried} as evidence
from marked
where not succeeded or after_peak and from_source
group by account_id, tried, day
having bool_or(judged)
