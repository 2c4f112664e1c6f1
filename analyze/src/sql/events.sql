-- What the view `events` and the detections read beside the events.

-- Two trails deliver the same event twice; one row of it counts. Few events are repeated, so that ids are compared by
-- their hash first. One row for each object: whoever plans a query takes this for the small side of a join, which it is.
insert into repeated_rows
with suspects as (
    select hash(event_id, recipient_account_id) as h
    from cloudtrail_events
    group by h
    having count(*) > 1
),
numbered as (
    select
        source_key, source_record,
        row_number() over (partition by event_id, recipient_account_id order by source_key, source_record, source_etag) as number
    from cloudtrail_events
    where hash(event_id, recipient_account_id) in (select h from suspects)
)
select source_key, list(source_record)
from numbered
where number > 1
group by source_key;

-- Counted as delivered: the exact number of distinct events is not worth a second reading.
insert into event_coverage
select
    coalesce(recipient_account_id, identity_account_id) as account_id,
    count(*) as events,
    min(event_time) as first_time,
    max(event_time) as last_time
from cloudtrail_events
where coalesce(recipient_account_id, identity_account_id) is not null
group by 1;

-- The product of each user agent, found once: there are few of them, and events in millions.
insert into user_agents
select user_agent, user_agent_product(user_agent) as product
from (select distinct user_agent from cloudtrail_events where user_agent is not null);

-- An object that could not be read may hold any event of its account; its path tells account and region.
insert into trail_problems
with latest as (
    select source_key, status, error
    from cloudtrail_ledger
    qualify row_number() over (partition by source_key order by ingested_at desc, batch desc) = 1
),
unread as (
    select
        nullif(regexp_extract(source_key, '(?:^|/)AWSLogs/(?:o-[a-z0-9]+/)?([0-9]{12})/', 1), '') as account_id,
        count(*) as objects,
        min(source_key) as example
    from latest
    where status <> 'ok'
    group by 1
)
select
    a.account_id,
    'global' as region,
    u.objects || ' objects of the trail could not be read, such as ' || u.example as why
from unread as u
join (select account_id from known_accounts union select account_id from event_coverage) as a
    on u.account_id is null or u.account_id = a.account_id;

-- The ledger tells how many rows each object brought. An early part of the history may be removed on purpose; what lacks after its
-- first day may be anything.
insert into trail_problems
select null as account_id, 'global' as region, (told.rows - there.rows) || ' events that were collected are not in the lake any more' as why
from (
    select sum(rows) as rows
    from cloudtrail_ledger
    where first_event_time >= (select date_trunc('day', min(first_time)) from event_coverage)
) as told
cross join (select count(*) as rows from cloudtrail_events) as there
where told.rows > there.rows;
