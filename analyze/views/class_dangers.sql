-- Who may do which dangerous action to the critical resources of a class: what `dangers` says of each resource, once for all that
-- no policy can tell apart. `actor_arn` comes in from where nobody of the run stands before it; `acting_arn` is whom that makes:
-- who comes by a service or an identity provider is somebody else by each role.
with granted as (
    select
        g.resource_class, g.resource_type, g.action, g.kind, g.principal_class, g.conditions, g.statements,
        case g.verdict when 'allowed' then 2 when 'conditional' then 1 else 0 end as certain,
        case g.mfa when 'required' then 2 when 'spared' then 1 else 0 end as guarded
    from critical_grants as g
    where g.resource_class in (select resource_class from critical_resources)
),
chains as (
    select
        *, case verdict when 'allowed' then 2 when 'conditional' then 1 else 0 end as certain,
        case mfa when 'required' then 2 when 'spared' then 1 else 0 end as guarded
    from access_paths
)
select
    g.resource_class, g.resource_type, g.action, g.kind, w.actor_arn, w.actor_kind,
    case when w.actor_kind in ('service', 'federated') then w.path[1] else w.actor_arn end as acting_arn,
    w.holder_arn, w.is_admin, w.path,
    case least(g.certain, w.certain) when 2 then 'allowed' when 1 then 'conditional' else 'unknown' end as verdict,
    case greatest(g.guarded, w.guarded) when 2 then 'required' when 1 then 'spared' else 'not_required' end as mfa,
    list_sort(list_distinct(list_concat(w.conditions, g.conditions))) as conditions,
    list_sort(list_distinct(list_concat(w.statements, g.statements))) as statements
from granted as g
join chains as w on w.principal_class = g.principal_class
