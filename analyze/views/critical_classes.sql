-- Classes of resources in danger: critical ones, what these would be restored from, and trails.
select resource_class, resource_type from critical_resources
union
select b.resource_class, b.resource_type
from relationships as r
join critical_resources as c on c.account_id = r.account_id and c.arn = r.to_arn
join resource_classes as b on b.account_id = r.account_id and b.resource_arn = r.from_arn
where r.kind = 'backup_of'
union
select resource_class, resource_type from resource_classes where resource_type = 'cloudtrail:trail'
