-- Who may endanger the critical resources of a class, by kind of danger and without the actions: what checks count, where
-- `class_dangers` has every action. `guarded` is 0 without MFA, 1 where only access keys slip through, 2 with MFA.
with granted as (
    select
        g.resource_class, g.kind, g.principal_class,
        max(case g.verdict when 'unknown' then 0 else 1 end) as certain,
        case g.mfa when 'required' then 2 when 'spared' then 1 else 0 end as guarded
    from critical_grants as g
    where g.resource_class in (select resource_class from critical_resources)
    group by g.resource_class, g.kind, g.principal_class, g.mfa
)
select
    g.resource_class, g.kind, g.principal_class, w.actor_arn, w.actor_kind,
    case when w.actor_kind in ('service', 'federated') then w.path[1] else w.actor_arn end as acting_arn,
    w.holder_arn, w.is_admin,
    g.certain = 1 and w.verdict <> 'unknown' as is_certain,
    greatest(g.guarded, case w.mfa when 'required' then 2 when 'spared' then 1 else 0 end) as guarded
from granted as g
join access_paths as w on w.principal_class = g.principal_class
