/*
title = "Names follow the pattern uid_function_system"
severity = "low"
tables = ["resources"]
remediation = "Rename the resource so that its name tells which one it is, what it does and to which system it belongs."
command = "aws resourcegroupstaggingapi tag-resources --resource-arn-list {resource_arn} --tags Name=..."
*/
with names as (
    select account_id, region, arn, value as name
    from tag_entries
    where concept = 'name'
    qualify row_number() over (partition by account_id, arn order by key = canonical_key desc, key) = 1
),
judged as (
    select r.account_id, r.region, r.arn, n.name, r.tags is not null as readable
    from resources as r
    left join names as n on n.account_id = r.account_id and n.arn = r.arn
    where r.tags is null or n.name is not null
)
select
    j.account_id,
    j.region,
    j.arn as resource_arn,
    case when j.readable then not name_fits(j.name) end as failed,
    case
        when not j.readable then 'its tags could not be read'
        when name_fits(j.name) then 'its name follows the pattern'
        else 'its name does not follow the pattern'
    end as reason,
    {'name': j.name} as evidence
from judged as j
join resource_context as c on c.account_id = j.account_id and c.arn = j.arn
where c.taggable
