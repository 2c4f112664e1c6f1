-- The dangerous actions of a principal, its own and those of the roles it may become, up to four one after the other.
with recursive ways as (
    select value as holder, []::varchar[] as roles, 2 as certain, 0 as guarded
    from access_principal
    union all
    select
        e.to_arn, list_append(w.roles, e.to_arn),
        least(w.certain, case e.verdict when 'allowed' then 2 when 'conditional' then 1 else 0 end),
        greatest(w.guarded, case e.mfa when 'required' then 2 when 'spared' then 1 else 0 end)
    from ways as w
    join assume_edges as e on e.from_arn = w.holder
    where len(w.roles) < 4 and not list_contains(w.roles, e.to_arn) and e.to_arn not in (select value from access_principal)
),
shortest as (
    select * from ways qualify row_number() over (partition by holder order by certain desc, guarded, len(roles), roles) = 1
)
select
    array_to_string(s.roles, ' -> ') as through, d.kind, g.action, r.resource_type,
    count(*) as resources,
    count(*) filter (where c.importance_rank >= (select min(rank) from config_importance where critical)) as critical,
    case min(least(s.certain, case g.verdict when 'allowed' then 2 when 'conditional' then 1 else 0 end)) when 2 then 'allowed' when 1 then 'conditional' else 'unknown' end as verdict,
    case min(greatest(s.guarded, case g.mfa when 'required' then 2 when 'spared' then 1 else 0 end)) when 2 then 'required' when 1 then 'spared' else 'not_required' end as mfa,
    any_value(u.last_used) as last_used
from shortest as s
join principal_classes as p on p.principal_arn = s.holder
join grants as g on g.principal_class = p.principal_class
join resource_classes as r on r.resource_class = g.resource_class
join dangerous_actions as d on d.action = g.action and d.resource_type = r.resource_type
left join resource_context as c on c.account_id = r.account_id and c.arn = r.resource_arn
left join (select principal_arn, action, max(last_used) as last_used from usage where action is not null group by all) as u
    on u.principal_arn = s.holder and u.action = g.action
group by all
order by through, d.kind, g.action, r.resource_type
