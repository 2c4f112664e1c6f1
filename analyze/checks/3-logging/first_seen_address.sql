/*
title = "No application calls from a network that nobody called from before"
severity = "low"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "If the network is yours, name it under cloudtrail.networks. If not, take the credential out of use and look at what was called from there."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"]
*/
-- A place is the operator's network where GeoIP files tell it, else the block of addresses. It counts when it is new to the
-- whole account and somebody comes from it who was known for baseline_days and had three places at most: functions and mobile
-- phones are somewhere else each day. People travel; of them (a second factor, a login to the console, single sign-on) only a
-- country counts that nobody had called from. An address that the account allocated is its own.
with uses as (
    select
        account_id, principal, source_ip_address as address, min(first_time) as first_time,
        bool_or(in_person) as in_person, bool_or(by_key) as by_key
    from callers
    where source_ip_address is not null
    group by all
),
allocated as (
    select distinct account_id, response_elements ->> '$.publicIp' as address
    from events
    where event_source = 'ec2.amazonaws.com' and event_name = 'AllocateAddress' and succeeded
),
placed as (
    select
        u.*, a.country, a.as_name, a.trusted,
        coalesce('AS' || a.asn, a.network) as place
    from uses as u
    join addresses as a on a.address = u.address and a.is_public
    anti join allocated as o on o.account_id = u.account_id and o.address = u.address
),
places as (
    select account_id, place, min(first_time) as first_time, bool_or(trusted) as trusted
    from placed
    group by all
),
countries as (
    select account_id, country, min(first_time) as first_time
    from placed
    where country is not null
    group by all
),
principals as (
    select
        account_id, principal, min(first_time) as known_since,
        bool_or(in_person or contains(principal, ':role/aws-reserved/sso.amazonaws.com/')) as in_person
    from uses
    group by all
),
fresh as (
    select p.account_id, p.place, p.first_time
    from places as p
    join histories as h on h.account_id = p.account_id
    where not p.trusted and p.first_time >= h.first_time + to_days(setting('baseline_days'))
),
visits as (
    select
        account_id, principal, place, min(first_time) as first_time, bool_or(by_key) as by_key,
        min(as_name) as as_name, min(country) as country,
        count(*) over (
            partition by account_id, principal order by min(first_time)
            range between unbounded preceding and interval 1 microsecond preceding
        ) as places_before
    from placed
    group by account_id, principal, place
),
comers as (
    select f.account_id, f.place, f.first_time, v.principal, v.by_key, v.as_name, v.country, w.in_person
    from fresh as f
    join visits as v on v.account_id = f.account_id and v.place = f.place and v.first_time < f.first_time + interval 1 day
    join principals as w on w.account_id = v.account_id and w.principal = v.principal
    left join countries as c on c.account_id = v.account_id and c.country = v.country
    where w.known_since <= f.first_time - to_days(setting('baseline_days'))
        and case
            when w.in_person then c.first_time >= f.first_time and c.country not in (select country from config_countries)
            else v.places_before <= 3
        end
),
sought as materialized (
    select c.*, p.address
    from comers as c
    join placed as p on p.account_id = c.account_id and p.place = c.place and p.principal = c.principal
),
calls as (
    select s.place, s.as_name, s.country, s.in_person, s.by_key, e.*
    from (select unnest(list(sought), max_depth := 2) from sought) as s
    join events as e
        on e.account_id = s.account_id and e.principal = s.principal and e.source_ip_address = s.address
        and e.event_time >= s.first_time and e.event_time < s.first_time + interval 1 day
    where not e.by_service
)
select
    account_id,
    first(region order by event_time, event_id) as region,
    first(principal order by event_time, event_id) as resource_arn,
    place as discriminator,
    true as failed,
    case when bool_or(by_key or in_person) then 'medium' else 'low' end as severity,
    'nobody had called from ' || place
        || coalesce(' (' || nullif(concat_ws(', ', left(any_value(as_name), 60), any_value(country)), '') || ')', '')
        || ' before: ' || array_to_string(list_sort(list(distinct event_name))[:5], ', ') || ' ' || traced(call) as reason,
    {
        'trace': trace(call),
        'place': place,
        'country': any_value(country),
        'operations': list_sort(list(distinct event_source || ':' || event_name))[:30],
        'first_event_id': first(event_id order by event_time, event_id)
    } as evidence
from calls
group by account_id, place
having bool_or(judged)
union all by name
select * from short_histories
