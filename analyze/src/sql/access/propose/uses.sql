-- What each principal did, and to what as far as the event names it: ARNs, and parameters whose names end like that of an
-- identifier. Of the objects of a bucket the first and the last stand for all: nothing but their bucket is made of them.
with calls as (
    select
        account_id, region, principal, event_source, event_name, coalesce(management_event, true) as managed,
        json_extract_string(resources, '$[*].ARN') as arns,
        list_sort(list_filter(
            list_transform(
                list_filter(
                    json_keys(request_parameters),
                    lambda key: regexp_full_match(key, '(?i)[a-z0-9_-]*(name|id|identifier|arn|arns|url|set|cluster|service|services)') and not regexp_matches(key, '(?i)token|caller|session|reference|request|logstream')
                ),
                lambda key: key || '=' || coalesce(json_extract_string(request_parameters, '$."' || key || '"'), '')
            ),
            lambda pair: len(pair) <= 2000
        )) as names
    from events
    where principal is not null and account_id is not null and event_source is not null and event_name is not null and not denied
)
select account_id, region, principal, event_source, event_name, to_json(arns)::varchar as arns, to_json(names)::varchar as names, count(*) as calls
from calls
where managed
group by all
union all
select account_id, region, principal, event_source, event_name, to_json([min(arn), max(arn)])::varchar as arns, null as names, count(*) as calls
from (
    select account_id, region, principal, event_source, event_name, unnest(case when len(arns) > 0 then arns else [null] end) as arn
    from calls
    where not managed
)
group by account_id, region, principal, event_source, event_name, split_part(arn, '/', 1)
order by all
