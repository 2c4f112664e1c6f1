/*
title = "Environments do not mix"
severity = "medium"
tables = ["resources", "relationships"]
remediation = "Correct the wrong tag, or move the resource to where its environment lives; let production need nothing of another environment."
command = "aws resourcegroupstaggingapi tag-resources --resource-arn-list {resource_arn} --tags {key}=..."
*/
with places as (
    select from_arn as arn, to_arn as other_arn, 'in' as relation
    from relationships
    where kind in ('in_vpc', 'in_subnet', 'member_of') and from_arn is not null and to_arn is not null
    union
    select from_arn, to_arn, 'needs'
    from dependencies
),
-- Values beside the vocabulary, such as `shared`, are no environment that could differ.
environments as (
    select distinct canonical, canonical in (select canonical from config_tag_values where concept = 'environment' and variant in ('prod', 'production', 'prd', 'live')) as is_production
    from config_tag_values
    where concept = 'environment'
),
compared as (
    select
        c.account_id, c.region, c.arn, c.environment,
        p.relation, coalesce(o.name, arn_tail(o.arn)) as other, o.environment as other_environment,
        case
            when r.tags is null then null
            when v.canonical is not null then o.environment <> c.environment
        end as differs,
        v.canonical is not null or r.tags is null as comparable
    from places as p
    join resource_context as c on c.arn = p.arn
    join environments as e on e.canonical = c.environment
    join resource_context as o on o.arn = p.other_arn
    join resources as r on r.account_id = o.account_id and r.arn = o.arn
    left join environments as v on v.canonical = o.environment
    where (p.relation = 'in' or e.is_production) and o.taggable
),
key as (
    select min(canonical) as key
    from config_tag_keys
    where concept = 'environment'
)
select
    account_id,
    region,
    arn as resource_arn,
    case when bool_or(coalesce(differs, false)) then true when bool_or(differs is null) then null else false end as failed,
    environment || coalesce(
        ', but ' || string_agg(distinct relation || ' ' || other || ' (' || other_environment || ')', ', ' order by relation || ' ' || other || ' (' || other_environment || ')') filter (where differs),
        case when bool_or(differs is null) then '; the tags of ' || min(other) filter (where differs is null) || ' could not be read' else ', as all around it' end
    ) as reason,
    {'environment': environment, 'key': any_value(k.key), 'others': list(distinct other order by other) filter (where differs)} as evidence
from compared
cross join key as k
where comparable
group by account_id, region, arn, environment
