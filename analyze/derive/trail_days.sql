-- On which days which region recorded anything, over all events of the lake.
select
    account_id,
    region,
    date_trunc('day', event_time)::timestamp as day,
    count(*) as events,
    count(*) filter (where not read_only) as changes
from events
where account_id is not null
group by account_id, region, date_trunc('day', event_time)::timestamp
order by account_id, region, day
