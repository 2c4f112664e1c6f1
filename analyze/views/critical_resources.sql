-- The resources that count as critical and for which there are dangerous actions, each with its class.
select c.account_id, c.region, c.arn, c.resource_type, c.name, c.owner, c.system, c.importance, c.data_store, r.resource_class
from resource_context as c
join resource_classes as r on r.account_id = c.account_id and r.resource_arn = c.arn and r.resource_type = c.resource_type
where c.importance_rank >= (select min(rank) from config_importance where critical)
