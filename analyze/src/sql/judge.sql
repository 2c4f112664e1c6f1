-- The verdicts of the checks together with what could not be collected. A pass needs everything it rests on; a failure
-- stands on what was seen, unless the check fails because something is absent.

create or replace table not_collected as
select
    r.check_id,
    g.account_id,
    string_agg(distinct g.table_name || case when g.why = 'not collected' then '' else ' (' || g.why || ')' end, ', ' order by g.table_name || case when g.why = 'not collected' then '' else ' (' || g.why || ')' end) as why
from check_reads as r
join gaps as g on g.table_name = r.table_name
where g.kind = 'not_collected'
group by all;

create or replace table touched as
with named as (
    select r.check_id, g.*
    from check_reads as r
    join gaps as g on g.table_name = r.table_name
    where r.table_name <> 'resources'
),
unnamed as (
    select distinct r.check_id, g.*
    from check_reads as r
    join gaps as g on g.table_name is null
)
select distinct t.check_id, t.account_id, t.region, t.resource_arn, t.why, f.absence = 'true' as absence
from (select * from named union all select * from unnamed) as t
join check_facts as f on f.check_id = t.check_id
where t.kind <> 'not_collected'
    and (
        t.resource_arn is null
        or f.narrowed = 'false'
        or exists (select 1 from check_operations as o where o.check_id = t.check_id and o.operation = t.operation)
    );

create or replace table judged as
with hits as (
    select v.id, t.why
    from verdicts as v
    join touched as t on t.check_id = v.check_id and t.account_id = v.account_id
    where t.resource_arn is null
        and (t.region = v.region or t.region = 'global' or v.region = 'global')
        and (v.failed is not true or t.absence)
    union
    select v.id, t.why
    from verdicts as v
    join touched as t on t.check_id = v.check_id and t.account_id = v.account_id and t.resource_arn = v.resource_arn
    where v.failed is not true or t.absence
),
hit as (
    select id, string_agg(why, '; ' order by why) as why
    from hits
    group by id
),
own as (
    select
        v.check_id, v.account_id, v.region, v.resource_arn, v.discriminator, v.severity, v.evidence, v.command,
        case when h.id is not null or v.failed is null then 'unknown' when v.failed then 'fail' else 'pass' end as status,
        case
            when h.id is not null then 'not known: ' || h.why
            when v.failed is null then coalesce(v.reason, 'not known: the facts it needs are not in the run')
            else v.reason
        end as reason
    from verdicts as v
    left join hit as h on h.id = v.id
    anti join not_collected as n on n.check_id = v.check_id and n.account_id = v.account_id
    anti join check_facts as f on f.check_id = v.check_id and f.error is not null
),
of_accounts as (
    select check_id, account_id, 'global' as region, null as discriminator, 'not collected: ' || why as reason
    from not_collected
    where check_id not in (select check_id from check_facts where error is not null)
    union all
    select f.check_id, a.account_id, 'global', null, 'the check could not be run: ' || f.error
    from check_facts as f
    cross join accounts as a
    where f.error is not null
    union all
    select t.check_id, t.account_id, t.region, nullif(t.region, 'global'), 'not known: ' || string_agg(distinct t.why, '; ' order by t.why)
    from touched as t
    where t.resource_arn is null
    group by t.check_id, t.account_id, t.region
    union all
    -- Checks that judge all resources: what may be missing among them.
    select r.check_id, g.account_id, g.region, nullif(g.region, 'global'),
        'resources may be missing: ' || array_to_string(list_sort(list(distinct g.table_name || ' (' || g.why || ')'))[:5], ', ')
            || case when count(distinct g.table_name) > 5 then ' and others' else '' end
    from check_reads as r
    join gaps as g on g.resource_arn is null and g.table_name in (from resource_tables)
    where r.table_name = 'resources'
    group by r.check_id, g.account_id, g.region
),
of_resources as (
    select t.check_id, t.account_id, t.region, t.resource_arn, 'not known: ' || string_agg(distinct t.why, '; ' order by t.why) as reason
    from touched as t
    where t.resource_arn is not null
    group by t.check_id, t.account_id, t.region, t.resource_arn
    union all
    -- Checks that judge all resources, or those of a table by their tags: one without its tags may be just what they are about.
    select w.check_id, g.account_id, g.region, g.resource_arn, 'its tags are not known: ' || string_agg(distinct g.why, '; ' order by g.why)
    from gaps as g
    join resources as u on u.account_id = g.account_id and u.arn = g.resource_arn and u.tags is null
    join (
        select check_id, case when table_name <> 'resources' then table_name end as table_name
        from check_reads
        where table_name = 'resources' or check_id in (select check_id from check_reads where table_name = 'resource_context')
    ) as w on w.table_name is null or w.table_name = g.table_name
    where g.operation like '%Tag%'
    group by w.check_id, g.account_id, g.region, g.resource_arn
),
every as (
    select * from own
    union all by name
    select o.check_id, o.account_id, o.region, a.arn as resource_arn, o.discriminator, 'unknown' as status, o.reason
    from of_accounts as o
    join accounts as a on a.account_id = o.account_id
    union all by name
    select r.check_id, r.account_id, r.region, r.resource_arn, 'unknown' as status, r.reason
    from of_resources as r
    anti join own as o on o.check_id = r.check_id and o.account_id = r.account_id and o.resource_arn = r.resource_arn
    anti join not_collected as n on n.check_id = r.check_id and n.account_id = r.account_id
    anti join check_facts as f on f.check_id = r.check_id and f.error is not null
)
-- One verdict per check, resource and discriminator: the worst.
select *
from every
qualify row_number() over (
    partition by check_id, account_id, resource_arn, discriminator
    order by case status when 'fail' then 0 when 'unknown' then 1 else 2 end, region, reason, evidence::varchar
) = 1;
