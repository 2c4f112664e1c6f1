/*
title = "No name or tag says until a day that is over"
severity = "medium"
tables = ["resources"]
remediation = "Decide what the note postponed: delete the resource, or drop the note and give it an owner."
*/
with notes as (
    select account_id, region, arn, created_at, key, value
    from tag_entries
    where regexp_matches(key || ' ' || value, '(until|expir|delete|remove|temporar|valid.?to|obsolete)', 'i')
),
parsed as (
    select
        *,
        try_strptime(regexp_extract(value, '((19|20)[0-9]{2})[-/.]?([01][0-9])[-/.]?([0-3][0-9])', 1)
            || regexp_extract(value, '((19|20)[0-9]{2})[-/.]?([01][0-9])[-/.]?([0-3][0-9])', 3)
            || regexp_extract(value, '((19|20)[0-9]{2})[-/.]?([01][0-9])[-/.]?([0-3][0-9])', 4), '%Y%m%d') as full_date,
        try_cast(nullif(regexp_extract(value, '(^|[^0-9])([0-9]{1,2})[/.]([0-9]{1,2})([^0-9]|$)', 2), '') as integer) as first,
        try_cast(nullif(regexp_extract(value, '(^|[^0-9])([0-9]{1,2})[/.]([0-9]{1,2})([^0-9]|$)', 3), '') as integer) as second
    from notes
),
readings as (
    -- A day without a year is the first one after the resource was made; 12/02 is read both ways.
    select *, list_filter([
        try_cast(format('{:04d}-{:02d}-{:02d}', year(created_at) + step, first, second) as date) for step in [0, 1]
    ], lambda day: day >= created_at::date)[1] as month_first,
    list_filter([
        try_cast(format('{:04d}-{:02d}-{:02d}', year(created_at) + step, second, first) as date) for step in [0, 1]
    ], lambda day: day >= created_at::date)[1] as day_first
    from parsed
),
judged as (
    select
        account_id, region, arn, key, value, created_at,
        coalesce(full_date::date, greatest(month_first, day_first)) as until,
        full_date is not null or first is not null as has_date
    from readings
)
select
    account_id,
    region,
    arn as resource_arn,
    key as discriminator,
    until < as_of()::date as failed,
    case
        when until is null then key || ' names a day, but not its year'
        when until < as_of()::date then key || ' says until ' || strftime(until, '%Y-%m-%d')
        else key || ' names a day to come'
    end as reason,
    {'key': key, 'value': value, 'until': until} as evidence
from judged
where has_date
