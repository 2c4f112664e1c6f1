-- Every path from one thing to the next. Fleets stand for their members: where things with the same security groups can
-- connect to a target, one path leads there, from the first of those that are reached.
with things as (
    select arn, min(step) as step, min(aside) as aside, bool_or(open) as open
    from reached
    group by arn
),
served as (
    select distinct
        w.account_id, w.region, r.step + 1 as step, b.load_balancer_arn as from_arn, r.open as from_open, b.target_arn as to_arn,
        case b.target_type when 'lambda' then 'function' when 'alb' then 'balancer' else 'instance' end as kind,
        case when b.target_type <> 'lambda' then b.protocol end as protocol, b.target_port, w.open, w.why, b.listener_arn, b.target_group_arn, w.group_arn, w.network_acl_arn
    from reached as r
    join balancer_targets as b on b.load_balancer_arn = r.arn and (b.port = r.port or r.port is null or b.port is null)
    join served_ways as w on w.load_balancer_arn = b.load_balancer_arn and w.target_arn = b.target_arn and w.protocol = b.protocol and w.target_port is not distinct from b.target_port
),
-- What is reached in a subnet with a group, and the first of it.
sources as (
    select
        f.region, f.subnet_id, f.group_id, f.fleet, min(t.step) as step, bool_or(t.open) as open,
        arg_min(f.arn, [case when t.open then '0' else '1' end, t.step::varchar, f.arn]) as arn, count(distinct f.arn) as members
    from fleets as f
    join things as t on t.arn = f.arn
    where t.aside < 2 and f.kind in ('instance', 'interface', 'service', 'function')
    group by f.region, f.subnet_id, f.group_id, f.fleet
),
-- What a rule lets in, from the first of what it names.
let_in as (
    select
        w.region, w.group_id, w.subnet_id, w.protocol, w.from_port, w.to_port, w.peer, min(s.step) as step, bool_or(s.open) as from_open,
        arg_min(s.arn, [case when s.open and w.open then '0' else '1' end, s.step::varchar, s.arn]) as from_arn, sum(s.members) as sources,
        min(w.family) as ip_family, bool_or(coalesce(w.open, false)) as open, min(w.why) as why,
        arg_min(
            {'connection': w.connection_arn, 'acl': w.network_acl_arn, 'group_arn': w.group_arn},
            [case when w.open then '0' else '1' end, s.step::varchar, s.arn, coalesce(w.network_acl_arn, ''), coalesce(w.connection_arn, '')]
        ) as best
    from sources as s
    join ways as w on w.region = s.region and w.from_subnet_id = s.subnet_id and w.from_group_id = s.group_id and w.fleet = s.fleet
    group by w.region, w.group_id, w.subnet_id, w.protocol, w.from_port, w.to_port, w.peer
),
crossed as (
    select
        t.account_id, t.region, min(l.step) + 1 as step, bool_or(l.from_open) as from_open, max(l.sources) as sources,
        arg_min(l.from_arn, [case when l.open then '0' else '1' end, l.step::varchar, l.from_arn]) as from_arn, t.arn as to_arn, t.kind, min(l.ip_family) as ip_family,
        case when t.any_port or t.port is not null then l.protocol end as protocol,
        case when t.any_port then l.from_port else t.port end as from_port,
        case when t.any_port then l.to_port else t.port end as to_port,
        count(distinct t.subnet_id) filter (where l.open and (t.any_port or t.port is not null)) >= max(t.subnets) as all_open,
        bool_or(l.open and (t.any_port or t.port is not null)) as any_open,
        min(l.why) as why, min(t.words) as words, l.peer,
        arg_min(l.best, [case when l.open then '0' else '1' end, l.best.group_arn, l.subnet_id]) as best
    from let_in as l
    join targets as t on t.region = l.region and t.group_id = l.group_id and t.subnet_id = l.subnet_id
    left join things as r on r.arn = t.arn
    where (t.any_port or t.port is null or t.protocol = l.protocol and t.port between l.from_port and l.to_port)
        and t.arn <> l.from_arn and (r.arn is null or r.step > l.step)
    group by t.account_id, t.region, t.arn, t.kind, l.peer, 10, 11, 12
),
running as (
    select
        r.account_id, 'global' as region, t.step + 1 as step, r.arn as from_arn, t.open as from_open, r.role_arn as to_arn, 'role' as kind, r.open,
        case when r.open is null then 'the role of its instance profile is not in the run' end as why, r.detail
    from roles_of as r
    join things as t on t.arn = r.arn
),
roles as (
    select arn, min(step) as step, bool_or(open) as open
    from (
        select to_arn as arn, step, coalesce(open and from_open, false) as open from running
        union all
        select arn, step, open from things where arn like 'arn:%:role/%'
    )
    group by arn
),
reading as (
    select
        r.account_id, split_part(r.to_arn, ':', 4) as at_region, t.step + 1 as step, r.from_arn, t.open as from_open, r.to_arn, 'data' as kind, r.open, r.why, r.detail
    from role_reads as r
    join roles as t on t.arn = r.from_arn
),
every as (
    select * from entered
    union all by name
    select
        account_id, region, step, from_arn, from_open, to_arn, kind, protocol, target_port as from_port, target_port as to_port, open, why,
        case when protocol is null then 'target of a load balancer' else coalesce(port_words(protocol, target_port, target_port), 'unknown port') end as detail,
        list_filter([
            {'kind': 'listener', 'via': listener_arn, 'open': true, 'detail': null},
            {'kind': 'target', 'via': nullif(target_group_arn, to_arn), 'open': true, 'detail': null},
            {'kind': 'nacl', 'via': network_acl_arn, 'open': open, 'detail': port_words(protocol, target_port, target_port)},
            {'kind': 'security-group', 'via': group_arn, 'open': open, 'detail': port_words(protocol, target_port, target_port)},
            {'kind': case kind when 'instance' then 'address' else 'target' end, 'via': to_arn, 'open': open, 'detail': port_words(protocol, target_port, target_port)}
        ], lambda hop: hop.via is not null) as hops
    from served
    union all by name
    select
        account_id, region, step, from_arn, from_open, sources, to_arn, kind, ip_family, protocol, from_port, to_port,
        case when any_open and all_open then true end as open,
        coalesce(why, case when from_port is null then 'its port is not known' when not (any_open and all_open) then 'it may lie in a subnet that is out of reach' end) as why,
        coalesce(port_words(protocol, from_port, to_port), 'unknown port') || ' from ' || peer as detail,
        list_filter([
            {'kind': 'route', 'via': best.connection, 'open': true, 'detail': 'peering'},
            {'kind': 'nacl', 'via': best.acl, 'open': case when any_open and all_open then true end, 'detail': port_words(protocol, from_port, to_port)},
            {'kind': 'security-group', 'via': best.group_arn, 'open': true, 'detail': coalesce(port_words(protocol, from_port, to_port), 'unknown port') || ' from ' || peer},
            {'kind': case when kind in ('database', 'cache') then 'data' when kind = 'balancer' then 'listener' else 'address' end, 'via': to_arn, 'open': case when any_open and all_open then true end, 'detail': words}
        ], lambda hop: hop.via is not null) as hops
    from crossed
    union all by name
    select *, [{'kind': 'role', 'via': to_arn, 'open': open, 'detail': detail}] as hops
    from running
    union all by name
    select
        * exclude (at_region), case when at_region = '' then 'global' else at_region end as region,
        [{'kind': 'policy', 'via': to_arn, 'open': open, 'detail': detail}] as hops
    from reading
)
select
    sha256(concat_ws('|',
        account_id, from_arn, to_arn, coalesce(ip_family, ''), coalesce(protocol, ''), coalesce(from_port::varchar, ''), coalesce(to_port::varchar, ''),
        -- Policies have no ports to tell them apart.
        case when protocol is null then coalesce(detail, '') else '' end
    ))[:16] as path_id,
    account_id, region, step, from_arn, coalesce(sources, 1) as sources, to_arn, ip_family, protocol, from_port, to_port,
    case
        when step = 1 then 'internet'
        when from_arn like 'arn:%:role/%' then 'compute'
        when step = 2 or from_arn like 'arn:%:elasticloadbalancing:%' and from_arn in (select to_arn from entered where step <= 2) then 'entry'
        else 'compute'
    end as from_lane,
    case
        when kind = 'role' then 'compute'
        when step = 1 or step = 2 and kind in ('balancer', 'api') and from_arn like 'arn:%:cloudfront:%' then 'entry'
        when kind in ('database', 'cache', 'bucket', 'data') then 'data'
        else 'compute'
    end as lane,
    open and coalesce(from_open, step = 1) or null as open,
    case
        when open is null then why
        when not coalesce(from_open, step = 1) then 'whether the internet reaches ' || arn_tail(from_arn) || ' is not known'
    end as why,
    detail, hops
from every
qualify row_number() over (partition by path_id order by open nulls last, step, why, hops[1].via, hops[len(hops) - 1].via) = 1
