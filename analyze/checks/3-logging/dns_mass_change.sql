/*
title = "Nobody empties a hosted zone, or leads its domain elsewhere"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Compare the zone with an earlier run (`analyze zones --export` writes it as a change batch) and restore what is missing or leads to strangers."
command = "aws route53 list-resource-record-sets --hosted-zone-id {zone_id}"
links = ["https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html"]
*/
-- Two things: many records deleted within minutes, and records that carry the whole domain (A, AAAA, MX, NS of its name, name
-- servers of a part of it). A deletion and a creation of the same name and type in one batch is a change. A zone in its first day
-- is being set up; a record that is written again as it was stays as it was.
with calls as (
    select *, arn_tail(request_parameters ->> '$.hostedZoneId') as zone_id
    from events
    where event_source = 'route53.amazonaws.com' and event_name in (values ('ChangeResourceRecordSets'), ('CreateHostedZone'))
        and deliberate and (succeeded or denied)
),
created as (
    select account_id, arn_tail(response_elements ->> '$.hostedZone.id') as zone_id, response_elements ->> '$.hostedZone.name' as name, event_time as created_at
    from calls
    where event_name = 'CreateHostedZone' and succeeded and response_elements ->> '$.hostedZone.id' is not null
),
zones as (
    select account_id, zone_id, lower(rtrim(min(name), '.')) as name
    from (
        select account_id, zone_id, name from zone_backups
        union all select account_id, zone_id, name from previous_zone_backups
        union all select account_id, zone_id, name from created
    )
    group by account_id, zone_id
),
changes as (
    select
        event_id, event_time, account_id, zone_id, succeeded,
        upper(change ->> '$.action') as action,
        lower(rtrim(change ->> '$.resourceRecordSet.name', '.')) as name,
        upper(change ->> '$.resourceRecordSet.type') as type,
        coalesce(change ->> '$.resourceRecordSet.setIdentifier', '') as set_identifier,
        change ->> '$.resourceRecordSet' as content
    from (
        select *, unnest(as_objects(request_parameters -> '$.changeBatch.changes')) as change
        from calls as c
        where event_name = 'ChangeResourceRecordSets' and zone_id is not null
    )
    where not exists (from created as z where z.account_id = account_id and z.zone_id = zone_id and z.created_at between event_time - interval 1 day and event_time)
),
records as (
    select
        *,
        count(*) filter (where action <> 'DELETE') over (partition by event_id, account_id, name, type) > 0 as is_written,
        lag(case when succeeded and action <> 'DELETE' then content end ignore nulls) over (partition by account_id, zone_id, name, type, set_identifier order by event_time, event_id, action <> 'DELETE') as before
    from changes
),
weighed as (
    select
        r.event_id, r.account_id,
        count(*) filter (where r.action = 'DELETE' and not r.is_written and not starts_with(r.name, '_acme-challenge.')) as deletions,
        list(distinct r.type || ' of ' || r.name order by r.type || ' of ' || r.name) filter (
            where (r.name = z.name and r.type in ('A', 'AAAA', 'MX', 'NS', 'SOA') or r.type = 'NS' and r.action <> 'CREATE')
                and (r.action <> 'DELETE' or not r.is_written) and (r.action = 'DELETE' or r.content is distinct from r.before)
        ) as carrying
    from records as r
    left join zones as z on z.account_id = r.account_id and z.zone_id = r.zone_id
    group by r.event_id, r.account_id
),
counted as (
    select
        c.*, w.deletions, coalesce(w.carrying, []) as carrying,
        sum(w.deletions) over (partition by c.account_id, c.principal, c.zone_id order by c.event_time range between to_minutes(setting('deletion_minutes')) preceding and current row) as in_window
    from calls as c
    join weighed as w on w.event_id = c.event_id and w.account_id = c.account_id
),
-- A call belongs to a burst when a window that ends with it or soon after holds enough.
peaks as (
    select *, max(in_window) over (partition by account_id, principal, zone_id order by event_time range between current row and to_minutes(setting('deletion_minutes')) following) as peak
    from counted
),
alarming as (
    select *, strftime(event_time, '%Y-%m-%d') as day, deletions > 0 and peak >= setting('dns_deletions') and not is_automation(principal) as is_mass
    from peaks
    where len(carrying) > 0 or deletions > 0 and peak >= setting('dns_deletions')
)
select
    a.account_id,
    'global' as region,
    'arn:' || arn_partition(a.principal) || ':route53:::hostedzone/' || a.zone_id as resource_arn,
    a.principal || ' ' || a.day as discriminator,
    true as failed,
    case when bool_and(not a.succeeded) then 'medium' end as severity,
    'in the zone ' || coalesce(any_value(z.name), a.zone_id)
        || case when bool_or(a.is_mass) then ', ' || coalesce(sum(a.deletions) filter (where a.is_mass), 0) || ' record sets were ' || case when bool_or(a.is_mass and a.succeeded) then '' else 'to be ' end || 'deleted' else '' end
        || case when len(flatten(list(a.carrying))) > 0 then ', ' || array_to_string(list_sort(list_distinct(flatten(list(a.carrying))))[:4], ', ') || case when bool_or(len(a.carrying) > 0 and a.succeeded) then ' changed' else ' was to change' end else '' end
        || ' on ' || a.day || ': ' || traced(call) as reason,
    {'trace': trace(call), 'zone_id': a.zone_id, 'zone': any_value(z.name), 'deletions': sum(a.deletions)::bigint, 'records': list_sort(list_distinct(flatten(list(a.carrying))))[:20]} as evidence
from alarming as a
left join zones as z on z.account_id = a.account_id and z.zone_id = a.zone_id
where a.principal is not null and (a.is_mass or len(a.carrying) > 0)
group by a.account_id, a.zone_id, a.principal, a.day, arn_partition(a.principal)
having bool_or(a.judged)
