-- Whose permissions somebody can use: their own, or those of roles assumed one after the other, four at most. Of each actor and
-- holder there is one path per degree of MFA, the most certain and then the shortest. Roles that only a service of AWS may use as it likes are left
-- out, and so are the roles of an administrator's own account: what they may do, the administrator may.
with recursive edges as (
    select
        e.from_arn, e.from_kind, e.to_arn,
        case e.verdict when 'allowed' then 2 when 'conditional' then 1 else 0 end as certain,
        case e.mfa when 'required' then 2 when 'spared' then 1 else 0 end as guarded,
        e.conditions, e.statements
    from assume_edges as e
    left join principal_classes as f on f.principal_arn = e.from_arn
    where not coalesce(f.is_admin and f.account_id = e.account_id or f.service_linked, false)
),
-- Only who may do something dangerous is worth becoming.
holders as (
    select account_id, principal_arn, kind, principal_class, is_admin
    from principal_classes
    where not coalesce(service_linked, false)
        and (is_admin is distinct from false or principal_class in (select principal_class from grants))
),
-- Found backwards, from the holder.
-- What comes in by a service or an identity provider is somebody else by each role.
chains using key (actor_arn, actor_kind, entry, holder_arn, guarded) as (
    select
        principal_arn as actor_arn, kind as actor_kind, '' as entry, principal_arn as holder_arn, 0 as guarded, 2 as certain,
        []::varchar[] as path, []::varchar[] as conditions, []::varchar[] as statements
    from holders
    union
    select n.*
    from (
        select
            e.from_arn as actor_arn, e.from_kind as actor_kind, case when e.from_kind in ('service', 'federated') then e.to_arn else '' end as entry, w.holder_arn,
            greatest(w.guarded, e.guarded) as guarded, least(w.certain, e.certain) as certain,
            list_prepend(e.to_arn, w.path) as path, list_concat(w.conditions, e.conditions) as conditions, list_concat(w.statements, e.statements) as statements
        from chains as w
        join edges as e on e.to_arn = w.actor_arn
        where w.actor_kind = 'role' and len(w.path) < 4 and e.from_arn <> w.holder_arn and not list_contains(w.path, e.from_arn)
    ) as n
    left join recurring.chains as k
        on k.actor_arn = n.actor_arn and k.actor_kind = n.actor_kind and k.entry = n.entry and k.holder_arn = n.holder_arn and k.guarded = n.guarded
    where k.certain is null or k.certain < n.certain
    qualify row_number() over (partition by n.actor_arn, n.actor_kind, n.entry, n.holder_arn, n.guarded order by n.certain desc, n.path) = 1
),
-- A role is somebody of its own when nobody can be named who may assume it.
assumed as (
    select distinct to_arn from assume_edges
),
acting as (
    select w.*
    from chains as w
    left join assumed as a on a.to_arn = w.actor_arn
    where w.actor_kind <> 'role' or a.to_arn is null
),
acted_as as (
    select distinct holder_arn from acting
    union
    select e.to_arn from assume_edges as e join principal_classes as p on p.principal_arn = e.from_arn where p.is_admin
),
-- Roles that only assume each other, and those at the end of a longer path.
every as (
    select * from acting
    union all
    select w.* from chains as w anti join acted_as as r on r.holder_arn = w.holder_arn where w.actor_arn = w.holder_arn
)
select
    h.account_id, e.actor_arn, e.actor_kind, e.holder_arn, h.principal_class, h.is_admin, e.path,
    case e.certain when 2 then 'allowed' when 1 then 'conditional' else 'unknown' end as verdict,
    case e.guarded when 2 then 'required' when 1 then 'spared' else 'not_required' end as mfa,
    list_sort(list_distinct(e.conditions)) as conditions,
    list_sort(list_distinct(e.statements)) as statements
from every as e
join holders as h on h.principal_arn = e.holder_arn
order by e.holder_arn, e.actor_arn, e.actor_kind, e.entry, e.guarded
