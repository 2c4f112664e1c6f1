-- The grants on critical resources, on what these would be restored from, and on trails: a few of all grants, which every check of
-- dangerous permissions reads.
with classes as (
    select resource_class, resource_type from critical_resources
    union
    select b.resource_class, b.resource_type
    from relationships as r
    join critical_resources as c on c.account_id = r.account_id and c.arn = r.to_arn
    join resource_classes as b on b.account_id = r.account_id and b.resource_arn = r.from_arn
    where r.kind = 'backup_of'
    union
    select resource_class, resource_type from resource_classes where resource_type = 'cloudtrail:trail'
)
select c.resource_class, c.resource_type, g.principal_class, d.action, d.kind, g.verdict, g.mfa, g.conditions, g.statements
from classes as c
join dangerous_actions as d on d.resource_type = c.resource_type
join grants as g on g.resource_class = c.resource_class and g.action = d.action
order by c.resource_class, g.principal_class, d.action, d.kind
