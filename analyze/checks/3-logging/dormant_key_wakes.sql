/*
title = "No access key wakes up after months"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask the user. Unless they know of it, make the key inactive and look at what it called; a key that sleeps for months should not exist."
command = "aws iam update-access-key --user-name {resource_id} --access-key-id {key_id} --status Inactive"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"]
*/
-- Silent for dormant_days, or never heard in as many days of history and not made since. The account must have been heard on
-- at least half of the days between, else the trail slept, not the key. A yearly job comes from where it always came.
with days as (
    select account_id, key_id, day, min(principal) as principal, min(first_time) as first_time
    from key_uses
    group by all
),
gaps_between as (
    select *, lag(day) over (partition by account_id, key_id order by day) as day_before
    from days
),
made as (
    select account_id, response_elements ->> '$.accessKey.accessKeyId' as key_id, event_time::date as day
    from events
    where event_source = 'iam.amazonaws.com' and event_name = 'CreateAccessKey' and succeeded
),
wakes as (
    select
        g.account_id, g.key_id, g.principal, g.day, g.first_time,
        g.day_before is null as never_used,
        coalesce(g.day_before, m.day, h.first_time::date) as silent_from
    from gaps_between as g
    join histories as h on h.account_id = g.account_id
    left join made as m on m.account_id = g.account_id and m.key_id = g.key_id
    where g.day - coalesce(g.day_before, m.day, h.first_time::date) >= setting('dormant_days')
),
heard as (
    select w.account_id, w.key_id, w.day
    from wakes as w
    join (select distinct account_id, day::date as day from trail_days) as d
        on d.account_id = w.account_id and d.day > w.silent_from and d.day < w.day
    group by all
    having count(*) * 2 >= any_value(w.day - w.silent_from)
),
-- From where and with what the keys that woke were used.
uses as (
    select u.account_id, u.key_id, coalesce('AS' || a.asn, a.network, u.source_ip_address) as place, g.product, min(u.day) as first_day, list(distinct u.day) as days
    from key_uses as u
    semi join wakes as w on w.account_id = u.account_id and w.key_id = u.key_id
    left join addresses as a on a.address = u.source_ip_address
    left join user_agents as g on g.user_agent = u.user_agent
    group by all
),
habits as (
    select w.account_id, w.key_id, w.day, bool_or(u.first_day = w.day) as changed
    from wakes as w
    join uses as u on u.account_id = w.account_id and u.key_id = w.key_id and list_contains(u.days, w.day)
    group by all
),
sought as materialized (
    select w.*, t.changed
    from wakes as w
    semi join heard as d on d.account_id = w.account_id and d.key_id = w.key_id and d.day = w.day
    join habits as t on t.account_id = w.account_id and t.key_id = w.key_id and t.day = w.day
),
calls as (
    select s.key_id, s.day, s.never_used, s.silent_from, s.changed, e.*
    from (select unnest(list(sought), max_depth := 2) from sought) as s
    join events as e
        on e.account_id = s.account_id and e.identity_access_key_id = s.key_id
        and e.event_time >= s.first_time and e.event_time < s.first_time + interval 1 day
    where starts_with(e.identity_access_key_id, 'AKIA') and not e.by_service
)
select
    account_id,
    first(region order by event_time, event_id) as region,
    min(principal) as resource_arn,
    key_id || ' ' || strftime(day, '%Y-%m-%d') as discriminator,
    true as failed,
    case when bool_or(changed) then 'high' else 'low' end as severity,
    'the access key ' || key_id
        || case when bool_or(never_used) then ', not used since ' else ', silent since ' end || strftime(any_value(silent_from), '%Y-%m-%d')
        || ' and longer, ' || case when bool_or(changed) then '' else 'as before ' end || 'called '
        || array_to_string(list_sort(list(distinct event_name))[:5], ', ') || ' ' || traced(call) as reason,
    {
        'trace': trace(call),
        'key_id': key_id,
        'silent_from': any_value(silent_from),
        'operations': list_sort(list(distinct event_source || ':' || event_name))[:30]
    } as evidence
from calls
group by account_id, key_id, day
having bool_or(judged)
union all by name
select
    account_id, 'global' as region, root_arn as resource_arn, null::boolean as failed,
    'not known yet: the events of the account go back ' || date_diff('hour', first_time, last_time) // 24
        || ' days, and which key sleeps shows after ' || setting('dormant_days') as reason
from histories
where span < to_days(setting('dormant_days'))
