-- Who may do which dangerous action to which critical resource, and by which roles: one row per resource, action, actor, holder of
-- the permission and degree of MFA. Administrators hold everything (`is_admin`); checks speak of them once, not per resource.
select
    r.account_id, r.region, r.arn as resource_arn, r.resource_type, r.name, r.owner, r.importance, d.action, d.kind,
    d.actor_arn, d.actor_kind, d.acting_arn, d.holder_arn, d.is_admin, d.path, d.verdict, d.mfa, d.conditions, d.statements
from critical_resources as r
join class_dangers as d on d.resource_class = r.resource_class
