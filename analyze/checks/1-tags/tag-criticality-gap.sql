/*
title = "What critical resources need is as important as they are"
severity = "high"
tables = ["resources", "relationships"]
remediation = "Give the resource the importance of what depends on it, or make the critical resource independent of it."
command = "aws resourcegroupstaggingapi tag-resources --resource-arn-list {resource_arn} --tags {key}={importance}"
*/
with needed as (
    select
        d.to_arn as arn,
        max(c.importance_rank) as importance_rank,
        max_by(c.importance, c.importance_rank) as importance,
        count(distinct d.from_arn) as dependents,
        list(distinct coalesce(c.name, arn_tail(c.arn)) order by coalesce(c.name, arn_tail(c.arn)))[:5] as names
    from dependencies as d
    join resource_context as c on c.arn = d.from_arn
    join config_importance as i on i.level = c.importance
    where i.critical
    group by d.to_arn
),
key as (
    select min(canonical) as key
    from config_tag_keys
    where concept = 'importance'
)
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when r.tags is not null then coalesce(c.importance_rank < n.importance_rank, true) end as failed,
    case
        when r.tags is null then 'its tags could not be read'
        when c.importance_rank >= n.importance_rank then 'as important as what needs it'
        when c.importance_rank is not null then c.importance || ', but ' || array_to_string(n.names, ', ') || if(n.dependents > 5, ' and others', '') || ' (' || n.importance || ') needs it'
        else 'of no known importance, but ' || array_to_string(n.names, ', ') || if(n.dependents > 5, ' and others', '') || ' (' || n.importance || ') needs it'
    end as reason,
    {'importance': n.importance, 'own': c.importance, 'dependents': n.dependents, 'names': n.names, 'key': k.key} as evidence
from needed as n
join resources as r on r.arn = n.arn
join resource_context as c on c.account_id = r.account_id and c.arn = r.arn
cross join key as k
where c.taggable
