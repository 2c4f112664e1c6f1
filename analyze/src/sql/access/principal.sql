-- The dangerous actions of a principal, its own and those of the roles it may become, up to four one after the other. What an
-- administrator may do is one row.
with recursive ways using key (holder, guarded) as (
    select value as holder, 0 as guarded, 2 as certain, []::varchar[] as roles
    from access_principal
    union
    select n.*
    from (
        select
            e.to_arn as holder,
            greatest(w.guarded, case e.mfa when 'required' then 2 when 'spared' then 1 else 0 end) as guarded,
            least(w.certain, case e.verdict when 'allowed' then 2 when 'conditional' then 1 else 0 end) as certain,
            list_append(w.roles, e.to_arn) as roles
        from ways as w
        join assume_edges as e on e.from_arn = w.holder
        where len(w.roles) < 4 and not list_contains(w.roles, e.to_arn) and e.to_arn not in (select value from access_principal)
    ) as n
    left join recurring.ways as k on k.holder = n.holder and k.guarded = n.guarded
    where k.certain is null or k.certain < n.certain
    qualify row_number() over (partition by n.holder, n.guarded order by n.certain desc, n.roles) = 1
),
-- A way that takes more of a second factor counts only where it is more certain.
best as (
    select *
    from ways
    qualify certain > coalesce(max(certain) over (partition by holder order by guarded rows between unbounded preceding and 1 preceding), -1)
),
rights as (
    select
        array_to_string(s.roles, ' -> ') as through,
        if(p.is_admin, 'administrator', d.kind) as kind, if(p.is_admin, null, r.resource_type) as resource_type,
        if(p.is_admin, '*', g.action) as action, r.resource_arn,
        c.importance_rank >= (select min(rank) from config_importance where critical) as is_critical,
        least(s.certain, case g.verdict when 'allowed' then 2 when 'conditional' then 1 else 0 end) as certain,
        greatest(s.guarded, case g.mfa when 'required' then 2 when 'spared' then 1 else 0 end) as guarded,
        u.last_used
    from best as s
    join principal_classes as p on p.principal_arn = s.holder
    join grants as g on g.principal_class = p.principal_class
    join resource_classes as r on r.resource_class = g.resource_class
    join dangerous_actions as d on d.action = g.action and d.resource_type = r.resource_type
    left join resource_context as c on c.account_id = r.account_id and c.arn = r.resource_arn
    left join (select principal_arn, action, max(last_used) as last_used from usage where action is not null group by all) as u
        on u.principal_arn = s.holder and u.action = g.action
)
select
    through, kind, resource_type,
    count(distinct resource_arn) as resources,
    count(distinct resource_arn) filter (where is_critical) as critical,
    case certain when 2 then 'allowed' when 1 then 'conditional' else 'unknown' end as verdict,
    case guarded when 2 then 'required' when 1 then 'spared' else 'not_required' end as mfa,
    max(last_used) as last_used,
    list_sort(list(distinct action)) as actions
from rights
group by through, kind, resource_type, certain, guarded
order by through, rights.certain desc, guarded, kind, resource_type
