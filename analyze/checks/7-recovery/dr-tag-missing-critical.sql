/*
title = "Critical resources say how they are recovered"
severity = "medium"
tables = ["resources"]
remediation = "Agree with the owner how the resource is recovered, and write it into the DR tag."
command = "aws resourcegroupstaggingapi tag-resources --resource-arn-list {resource_arn} --tags DR=..."
*/
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when r.tags is not null then c.dr is null end as failed,
    case when r.tags is null then 'its tags could not be read' when c.dr is null then 'critical, without a DR tag' else 'its DR tag says ' || array_to_string(c.dr, '+') end as reason,
    {'importance': c.importance, 'dr': c.dr} as evidence
from resources as r
join resource_context as c on c.account_id = r.account_id and c.arn = r.arn
left join config_importance as i on i.level = c.importance
where i.critical or r.tags is null and c.taggable
