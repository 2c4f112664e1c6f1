/*
title = "No access key of an application is used by somebody else"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Take the key for stolen: make a new one for the application, make this one inactive and look at everything it called since. A key that ships with an application belongs to everybody who has it; applications take roles."
command = "aws iam update-access-key --user-name {resource_id} --access-key-id {key_id} --status Inactive"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"]
*/
-- The habit of an application: heard for baseline_days on ten days or more, two products and five services at most. Then, on
-- one day, calls come from a place, with a product and of a service that are all new to the key. One of them alone is a new
-- version, a new machine, a new function. While the old product goes on, two are using the key; when it does not, the
-- application may have moved. Where the application runs in the hands of customers, each place is new and tells nothing, but
-- product and services are still its own.
with uses as materialized (
    select
        u.account_id, u.key_id, u.day, u.source_ip_address, u.user_agent, u.event_source, u.first_time,
        coalesce(g.product, 'a nameless tool') as product,
        coalesce('AS' || a.asn, a.network, u.source_ip_address) as place,
        coalesce(a.trusted, false) as trusted
    from key_uses as u
    left join addresses as a on a.address = u.source_ip_address
    left join user_agents as g on g.user_agent = u.user_agent
    where u.source_ip_address is not null
),
keys as (
    select account_id, key_id, min(day) as known_since from uses group by all
),
-- Few keys ever have a product of which they were not known from the beginning.
fresh as (
    select p.account_id, p.key_id, p.day
    from (select account_id, key_id, product, min(day) as day from uses group by all) as p
    join keys as k on k.account_id = p.account_id and k.key_id = p.key_id
    where p.day >= k.known_since + setting('baseline_days')::integer
),
firsts as (
    select
        *,
        min(day) over (partition by account_id, key_id, product) as product_since,
        min(day) over (partition by account_id, key_id, place) as place_since,
        min(day) over (partition by account_id, key_id, event_source) as service_since
    from uses as u
    semi join fresh as f on f.account_id = u.account_id and f.key_id = u.key_id
),
strange as (
    select
        account_id, key_id, day, min(first_time) as first_time, bool_and(trusted) as trusted,
        list(distinct product) as products, list(distinct place) as places, list(distinct event_source) as services,
        count(distinct event_source) filter (where service_since = day) as new_services
    from firsts as u
    semi join fresh as f on f.account_id = u.account_id and f.key_id = u.key_id and f.day = u.day
    where product_since = day and (place_since = day or trusted)
    group by all
    having new_services > 0
),
habits as (
    select
        s.account_id, s.key_id, s.day,
        count(distinct f.day) as days,
        count(distinct f.place) as places,
        list_sort(list(distinct f.product)) as products,
        list_sort(list(distinct f.event_source)) as services
    from strange as s
    join firsts as f on f.account_id = s.account_id and f.key_id = s.key_id and f.day < s.day
    group by all
    having count(distinct f.day) >= 10 and len(products) <= 2 and len(services) <= 5
),
going_on as (
    select distinct h.account_id, h.key_id, h.day
    from habits as h
    join firsts as f on f.account_id = h.account_id and f.key_id = h.key_id and f.day >= h.day and list_contains(h.products, f.product)
),
sought as materialized (
    select
        s.key_id, s.day, s.trusted, h.days, h.places as places_before, h.products as products_before, h.services as services_before,
        s.products, o.key_id is not null as goes_on, s.first_time as began, d.* exclude (key_id, day, trusted, first_time)
    from strange as s
    join habits as h on h.account_id = s.account_id and h.key_id = s.key_id and h.day = s.day
    left join going_on as o on o.account_id = s.account_id and o.key_id = s.key_id and o.day = s.day
    join firsts as d
        on d.account_id = s.account_id and d.key_id = s.key_id and d.day = s.day
        and list_contains(s.products, d.product) and list_contains(s.places, d.place)
),
calls as (
    select
        s.key_id, s.day, s.trusted, s.days, s.places_before, s.products_before, s.services_before, s.products, s.goes_on,
        e.*
    from (select unnest(list(sought), max_depth := 2) from sought) as s
    join events as e
        on e.account_id = s.account_id and e.identity_access_key_id = s.key_id and e.event_time::date = s.day
        and e.source_ip_address = s.source_ip_address and e.user_agent is not distinct from s.user_agent and e.event_source = s.event_source
        and e.event_time >= s.began and e.event_time < s.began + interval 1 day
    where starts_with(e.identity_access_key_id, 'AKIA') and not e.by_service
)
select
    account_id,
    first(region order by event_time, event_id) as region,
    min(principal) as resource_arn,
    key_id || ' ' || strftime(day, '%Y-%m-%d') as discriminator,
    true as failed,
    case when bool_or(goes_on) and not bool_or(trusted) then 'high' else 'medium' end as severity,
    'the access key ' || key_id || ' had called ' || array_to_string(list_transform(any_value(services_before), lambda s: split_part(s, '.', 1)), ', ')
        || ' with ' || array_to_string(any_value(products_before), ', ')
        || case any_value(places_before) when 1 then ' from one network' else ' from ' || any_value(places_before) || ' networks' end
        || case when bool_or(goes_on) then ', and still does' else '' end || '; '
        || array_to_string(list_sort(any_value(products)), ', ') || ' called '
        || array_to_string(list_sort(list(distinct split_part(event_source, '.', 1)))[:6], ', ')
        || ' ' || traced(call) as reason,
    {
        'trace': trace(call),
        'key_id': key_id,
        'operations': list_sort(list(distinct event_source || ':' || event_name))[:30],
        'before': {'days': any_value(days), 'networks': any_value(places_before), 'products': any_value(products_before), 'services': any_value(services_before)}
    } as evidence
from calls
group by account_id, key_id, day
having bool_or(judged)
union all by name
select * from short_histories
