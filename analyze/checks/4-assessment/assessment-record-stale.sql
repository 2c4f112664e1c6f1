/*
title = "Critical systems were assessed within a year"
severity = "low"
tables = ["resources"]
remediation = "Have the system assessed by somebody who did not build it, and write the day into a tag of one of its resources."
*/
-- Critical systems, and the newest day that a tag of one of their resources, in whatever account, names.
with systems as (
    select c.account_id, c.system, count(*) as resources
    from resource_context as c
    join config_importance as i on i.level = c.importance
    where i.critical and c.system is not null
    group by c.account_id, c.system
),
records as (
    select
        c.system, e.key, e.value,
        coalesce(
            try_strptime(regexp_extract(e.value, '^\s*([0-9]{4}-[0-9]{2}-[0-9]{2})', 1), '%Y-%m-%d'),
            try_strptime(regexp_extract(e.value, '^\s*([0-9]{4}/[0-9]{2}/[0-9]{2})', 1), '%Y/%m/%d'),
            try_strptime(regexp_extract(e.value, '^\s*([0-9]{8})\s*$', 1), '%Y%m%d'),
            -- A month began on its first day.
            try_strptime(regexp_extract(e.value, '^\s*([0-9]{4}-[0-9]{2})\s*$', 1), '%Y-%m')
        ) as assessed_at
    from tag_entries as e
    join resource_context as c on c.account_id = e.account_id and c.arn = e.arn
    where e.concept = 'assessed' and trim(e.value) <> '' and c.system is not null
),
newest as (
    select
        system,
        max(assessed_at) filter (where assessed_at <= as_of()) as assessed_at,
        min(value) filter (where assessed_at is null) as unread,
        min(assessed_at) filter (where assessed_at > as_of()) as planned_at
    from records
    group by system
),
key as (
    select min(canonical) as key
    from config_tag_keys
    where concept = 'assessed'
)
select
    s.account_id,
    'global' as region,
    a.arn as resource_arn,
    s.system as discriminator,
    case
        when days_since(n.assessed_at) <= setting('assessment_age_days') then false
        when n.unread is not null then null
        else true
    end as failed,
    s.system || case
        when days_since(n.assessed_at) <= setting('assessment_age_days') then ' was assessed on ' || strftime(n.assessed_at, '%Y-%m-%d')
        when n.unread is not null then ' has an assessment whose day can''t be read: ' || n.unread
        when n.assessed_at is not null then ' was last assessed on ' || strftime(n.assessed_at, '%Y-%m-%d')
        when n.planned_at is not null then ' is to be assessed on ' || strftime(n.planned_at, '%Y-%m-%d') || ', and has no earlier record'
        else ' has no record of an assessment'
    end as reason,
    {'system': s.system, 'critical_resources': s.resources, 'assessed_at': n.assessed_at, 'tag': k.key} as evidence
from systems as s
join accounts as a on a.account_id = s.account_id
cross join key as k
left join newest as n on n.system = s.system
