-- Every path that starts on the internet or in another account, and what distributions and APIs send on to from there.
with first as (
    select account_id, region, 1 as step, from_arn, null::boolean as from_open, to_arn, kind, ip_family, protocol, from_port, to_port, open, why, detail, hops
    from internet_paths
    union all by name
    select account_id, region, 1 as step, from_arn, null as from_open, to_arn, kind, open, why, detail, hops
    from policy_paths
),
opened as (
    select to_arn as arn, bool_or(coalesce(open, false)) as open
    from first
    group by to_arn
)
select *
from first
union all by name
select
    o.account_id, o.region, 2 as step, o.from_arn, e.open as from_open, o.to_arn, o.kind, o.protocol, o.port as from_port, o.port as to_port, o.open,
    case when o.open is null then o.why end as why, o.detail,
    list_filter([
        {'kind': 'security-group', 'via': o.group_arn, 'open': o.open, 'detail': port_words(o.protocol, o.port, o.port)},
        {'kind': case o.kind when 'balancer' then 'listener' when 'bucket' then 'data' else 'target' end, 'via': o.to_arn, 'open': o.open, 'detail': o.detail}
    ], lambda hop: hop.via is not null) as hops
from origin_paths as o
join opened as e on e.arn = o.from_arn
where o.open is distinct from false
