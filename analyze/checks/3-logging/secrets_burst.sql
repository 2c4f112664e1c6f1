/*
title = "Nobody reads many secrets at once that they never read before"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who read them. If nobody did, take the credential out of use, then rotate every secret that was read."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html"]
*/
-- A secret counts on the first day that a principal reads it: who reads its twenty secrets each day reads nothing new. At the
-- beginning of an account's history nothing has a day before; there a secret that comes back on three other days is known too.
-- A batch has an entry for each of its secrets, for which Secrets Manager may be named as the caller. Requests that were
-- denied can lack their parameters; the message names the secret then.
with reads as not materialized (
    select
        account_id, principal, region, event_time, event_id, succeeded, judged, call,
        unnest(
            case event_name
                when 'GetSecretValue' then [coalesce(request_parameters ->> '$.secretId', denied_resource)]
                else list_distinct(list_concat(as_list(request_parameters -> '$.secretIdList'), [coalesce(request_parameters ->> '$.secretId', denied_resource)]))
            end
        ) as asked
    from events
    where event_source = 'secretsmanager.amazonaws.com' and event_name in (values ('GetSecretValue'), ('BatchGetSecretValue'))
        and (not by_service or identity_invoked_by is not distinct from 'secretsmanager.amazonaws.com')
        and (succeeded or denied) and principal is not null
),
asked_on as (
    select account_id, principal, region, asked, event_time::date as day, min(event_time) as first_time
    from reads
    where asked is not null and asked <> '*'
    group by all
),
read_on as (
    select account_id, principal, region, secret_name(asked) as secret, day, min(first_time) as first_time
    from asked_on
    group by all
),
known as (
    select account_id, principal, region, secret, min(first_time) as first_time, count(*) as days
    from read_on
    group by account_id, principal, region, secret
    -- Whoever never read so many does not read them at once.
    qualify count(*) over (partition by account_id, principal) >= setting('secrets_read')
),
fresh as (
    select n.* exclude (asked), k.secret
    from reads as n
    join known as k
        on k.account_id = n.account_id and k.principal = n.principal and k.region = n.region and k.secret = secret_name(n.asked)
        and n.event_time < k.first_time + interval 1 day
    join histories as h on h.account_id = n.account_id
    where n.principal in (select principal from known)
        and not (k.days > 3 and n.event_time < h.first_time + to_days(setting('baseline_days')))
),
windows as (
    select
        *,
        count(distinct region || ' ' || secret) over (
            partition by account_id, principal order by event_time
            range between to_minutes(setting('secrets_minutes')) preceding and current row
        ) as in_window
    from fresh
),
peaks as (
    select account_id, principal, event_time as peak_time
    from windows
    where in_window >= setting('secrets_read')
),
bursts as (
    select f.*, strftime(f.event_time, '%Y-%m-%d') as day
    from fresh as f
    semi join peaks as p
        on p.account_id = f.account_id and p.principal = f.principal
        and f.event_time between p.peak_time - to_minutes(setting('secrets_minutes')) and p.peak_time
)
select
    account_id,
    first(region order by event_time, event_id) as region,
    principal as resource_arn,
    day as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'medium' end as severity,
    count(distinct region || ' ' || secret) || ' secrets were '
        || case when bool_or(succeeded) then 'read' else 'asked for' end || ' that the principal had not read before, ' || traced(call) as reason,
    {'trace': trace(call), 'secrets': list_sort(list(distinct secret))[:50], 'first_event_id': first(event_id order by event_time, event_id)} as evidence
from bursts
where not is_automation(principal)
group by account_id, principal, day
having bool_or(judged)
