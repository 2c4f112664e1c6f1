/*
title = "Nobody calls who was never heard of"
severity = "low"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Find out who uses it and since when it exists; delete the user or role if nobody needs it. An account that is yours or a partner's belongs under accounts.trusted."
command = "aws iam generate-service-last-accessed-details --arn {resource_arn}"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html"]
*/
-- A principal without a call in all of the account's history, which must be long enough to tell. Somebody new is no surprise
-- when the user or role was made in that history by somebody who was known by then; a long-lived key must have made some
-- before, since that is what a stolen one does. Of another account the account counts, whose roles come and go.
with seen as (
    select account_id, principal, min(first_seen) as first_time
    from activity
    where calls > by_service
    group by all
),
-- Which accounts call which is found in two columns, when they first did in the events of those few.
strange_accounts as materialized (
    select distinct identity_account_id as foreign_account
    from cloudtrail_events
    where identity_account_id <> recipient_account_id
        and identity_account_id not in (select account_id from config_trusted_accounts)
        and identity_account_id not in (select account_id from event_coverage)
),
foreigners as (
    select account_id, identity_account_id as foreign_account, min(event_time) as first_time
    from events
    where identity_account_id in (from strange_accounts union all select '') and identity_account_id <> account_id and regexp_full_match(identity_account_id, '[0-9]{12}')
        and not by_service and event_category is distinct from 'Data'
    group by all
),
made as (
    select
        account_id, event_time, principal as maker, by_service, identity_access_key_id,
        case when event_name = 'CreateUser' then 'user' else 'role' end as kind,
        coalesce(request_parameters ->> '$.userName', request_parameters ->> '$.roleName') as name
    from events
    where event_source = 'iam.amazonaws.com' and event_name in (values ('CreateUser'), ('CreateRole')) and succeeded
),
makers as (
    select account_id, maker, min(event_time) as first_made
    from made
    group by all
),
expected as (
    select distinct m.account_id, m.kind, m.name
    from made as m
    left join makers as r on r.account_id = m.account_id and r.maker = m.maker
    left join seen as s on s.account_id = m.account_id and s.principal = m.maker
    where m.by_service or is_automation(m.maker)
        or s.first_time <= m.event_time - to_days(setting('baseline_days'))
            and (
                not coalesce(starts_with(m.identity_access_key_id, 'AKIA'), false)
                or r.first_made <= m.event_time - to_days(setting('baseline_days'))
            )
),
strangers as (
    select s.account_id, s.principal, null::varchar as foreign_account, s.principal as arn, s.first_time
    from seen as s
    anti join expected as x
        on x.account_id = s.account_id and x.name = arn_tail(s.principal) and contains(s.principal, ':' || x.kind || '/')
    where split_part(s.principal, ':', 5) = s.account_id and not ends_with(s.principal, ':root')
    union all
    select f.account_id, null, f.foreign_account, 'arn:aws:iam::' || f.foreign_account || ':root', f.first_time
    from foreigners as f
),
fresh as (
    select s.*
    from strangers as s
    join histories as h on h.account_id = s.account_id
    where s.first_time >= h.first_time + to_days(setting('baseline_days')) and not is_automation(s.arn)
),
calls as (
    select f.arn, f.foreign_account, e.*
    from fresh as f
    join events as e on e.account_id = f.account_id and e.principal = f.principal
        and e.event_time >= f.first_time and e.event_time < f.first_time + interval 1 day
    where e.principal in (select principal from fresh union all select '') and not e.by_service
    union all by name
    select f.arn, f.foreign_account, e.*
    from fresh as f
    join events as e on e.account_id = f.account_id and e.identity_account_id = f.foreign_account
        and e.event_time >= f.first_time and e.event_time < f.first_time + interval 1 day
    where e.identity_account_id in (select foreign_account from fresh union all select '') and not e.by_service and e.event_category is distinct from 'Data'
)
select
    account_id,
    first(region order by event_time, event_id) as region,
    arn as resource_arn,
    true as failed,
    case when foreign_account is not null or bool_or(coalesce(starts_with(identity_access_key_id, 'AKIA'), false)) then 'medium' else 'low' end as severity,
    coalesce('the account ' || foreign_account, principal_label(arn)) || ' was never seen before: '
        || array_to_string(list_sort(list(distinct event_name))[:5], ', ') || ' ' || traced(call) as reason,
    {'trace': trace(call), 'operations': list_sort(list(distinct event_source || ':' || event_name))[:30]} as evidence
from calls
group by account_id, arn, foreign_account
having bool_or(judged)
union all by name
select * from short_histories
