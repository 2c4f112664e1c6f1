-- The partition stands in every ARN of an account, so one of them tells it.
insert into accounts
with told as (
    select k.account_id, coalesce(split_part(r.arn, ':', 2), 'aws') as partition
    from known_accounts as k
    left join (select account_id, min(arn) as arn from resources where starts_with(arn, 'arn:aws') group by account_id) as r
        on r.account_id = k.account_id
)
select distinct account_id, partition, 'arn:' || partition || ':iam::' || account_id || ':root' as arn
from told
order by account_id;

create or replace table gaps as
with errors as (
    select
        account_id,
        coalesce(region, 'global') as region,
        table_name,
        resource_arn,
        operation,
        coalesce(kind, 'other') as kind,
        coalesce(service || ':', '') || coalesce(operation, 'a call') || ' '
            || case coalesce(kind, 'other')
                when 'denied' then 'was denied'
                when 'throttled' then 'was throttled'
                when 'timeout' then 'timed out'
                when 'credentials' then 'had no valid credentials'
                when 'not_found' then 'found nothing'
                when 'malformed' then 'gave an answer that can''t be read'
                when 'not_recorded' then 'is not in the recording'
                else 'failed'
            end
            || coalesce(' (' || code || ')', '') as why
    from collect_errors
    where kind is distinct from 'not_offered'
)
-- An error that names no account concerns all of them.
select a.account_id, e.* exclude (account_id)
from errors as e
join accounts as a on e.account_id is null or e.account_id = a.account_id
union all by name
-- The record counts errors that collect_errors does not explain.
select
    o.account_id, o.region, o.table_name, null as resource_arn, null as operation, 'other' as kind, 'a call failed without a trace' as why
from collect_outcomes as o
anti join collect_errors as e on e.account_id = o.account_id and e.region = o.region and e.table_name = o.table_name
union all by name
select
    account_id,
    'global' as region,
    table_name,
    null as resource_arn,
    null as operation,
    'not_collected' as kind,
    coalesce(why, 'not collected') as why
from missing
union all by name
-- Objects of the trail, and files made of them, that could not be read; one that names no account concerns all of them. An account
-- without any event is a table not collected.
select
    coalesce(t.account_id, a.account_id) as account_id, t.region, 'cloudtrail_events' as table_name, null as resource_arn, null as operation,
    'malformed' as kind, t.why
from trail_problems as t
left join accounts as a on t.account_id is null
union all by name
select
    a.account_id, 'global' as region, 'cloudtrail_events' as table_name, null as resource_arn, null as operation, 'not_collected' as kind,
    'the lake has no CloudTrail events of the account' as why
from accounts as a
anti join event_coverage as c on c.account_id = a.account_id
where (select count(*) from event_coverage) > 0;
