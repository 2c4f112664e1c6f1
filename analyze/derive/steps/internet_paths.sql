-- One row per thing, IP family, protocol and ports that the internet reaches over the network: a public address, a
-- route to an internet gateway, and a network ACL and a security group that let it in. `open` is null where a link is
-- not known, `why` tells which; what a known link closes has no row. `hops` are the links in order.
with public as (
    select *
    from (
        select *, unnest([{'family': 'ipv4', 'address': public_ipv4}, {'family': 'ipv6', 'address': public_ipv6}], recursive := true)
        from network_places
        where answers is distinct from false
    )
    where address is not null
),
routed as (
    select
        p.*, s.network_acl_id, s.network_acl_arn, r.route_table_arn, coalesce(r.gateway_arn, r.gateway_id) as gateway, r.destination,
        s.subnet_id is not null and r.open as route_open,
        case when s.subnet_id is null then coalesce('the subnet ' || p.subnet_id || ' is not in the run', 'its subnet is not in the run') else r.why end as route_why
    from public as p
    left join subnet_rules as s on s.region = p.region and s.subnet_id = p.subnet_id
    left join internet_routes as r on r.region = p.region and r.subnet_id = p.subnet_id and r.family = p.family
    where s.subnet_id is null or r.subnet_id is not null
),
groups as (
    select region, group_id, min(arn) as arn, bool_and(coalesce(json_type(ip_permissions) = 'ARRAY', false)) as is_read
    from aws_ec2_security_group
    group by region, group_id
),
member_of as (
    select *, unnest(case when not is_guarded then [null] when security_group_ids is null then ['?'] else security_group_ids end) as group_id
    from routed
),
everything as (
    select unnest(['tcp', 'udp']) as protocol, 0 as from_port, 65535 as to_port, 0 as first_block, 65535 as last_block
),
-- What the security group lets in; rules that are not known might let in everything.
let_in as (
    select
        m.*, o.arn as group_arn, o.protocol, o.from_port, o.to_port, o.first_block, o.last_block, o.source,
        case when o.unread then 'the ranges of the prefix list ' || o.source || ' are not in the run' end as group_why, false as whole
    from member_of as m
    join world_openings as o on o.region = m.region and o.group_id = m.group_id and o.family = m.family
    union all by name
    select
        m.*, g.arn as group_arn, e.*,
        case when m.group_id is not null then coalesce('the rules of ' || nullif(m.group_id, '?') || ' are not in the run', 'its security groups are not in the run') end as group_why,
        m.group_id is not null as whole
    from member_of as m
    cross join everything as e
    left join groups as g on g.region = m.region and g.group_id = m.group_id
    where m.group_id is null or g.is_read is distinct from true
),
-- What the network ACL lets in and out again. Who calls chooses the port that is answered to, so any port out will do.
both_ways as (
    select i.region, i.network_acl_id, i.family, i.protocol, i.from_port, i.to_port, greatest(i.first_block, o.first_block) as first_block, least(i.last_block, o.last_block) as last_block
    from acl_openings as i
    join (select distinct region, network_acl_id, family, protocol, first_block, last_block from acl_openings where egress) as o
        on o.region = i.region and o.network_acl_id = i.network_acl_id and o.family = i.family and o.protocol = i.protocol
        and o.first_block <= i.last_block and o.last_block >= i.first_block
    where not i.egress
),
through_acl as (
    select
        l.* exclude (from_port, to_port, first_block, last_block),
        greatest(l.from_port, a.from_port) as from_port,
        least(l.to_port, a.to_port) as to_port,
        null as acl_why
    from let_in as l
    join both_ways as a
        on a.region = l.region and a.network_acl_id = l.network_acl_id and a.family = l.family and a.protocol = l.protocol
        and a.from_port <= l.to_port and a.to_port >= l.from_port and a.first_block <= l.last_block and a.last_block >= l.first_block
    union all by name
    select * exclude (first_block, last_block), 'the network ACL of ' || coalesce(subnet_id, 'its subnet') || ' is not in the run' as acl_why
    from let_in
    where network_acl_id is null
),
-- What listens there.
answered as (
    select * exclude (protocol, from_port, to_port, source), null as port_why, null as listener_arn, 'answers at ' || address as words,
        case when not whole then protocol end as protocol, case when not whole then from_port end as from_port, case when not whole then to_port end as to_port, source
    from through_acl
    where any_port
    union all by name
    select
        t.* exclude (protocol, from_port, to_port, source), l.listener_arn, l.words, t.source,
        case when l.port is null then 'its port is not known' end as port_why,
        case when l.port is not null then t.protocol end as protocol, l.port as from_port, l.port as to_port
    from through_acl as t
    join listening_ports as l on l.account_id = t.account_id and l.region = t.region and l.arn = t.arn
    where not t.any_port and (l.port is null or l.protocol = t.protocol and l.port between t.from_port and t.to_port)
),
judged as (
    select
        *,
        list_filter([
            case when answers is null then 'whether it answers the internet is not in the run' end,
            case when route_open is null then route_why end, acl_why, group_why, port_why
        ], lambda reason: reason is not null) as reasons
    from answered
),
merged as (
    select
        account_id, region, arn, kind, family, protocol, from_port, to_port,
        bool_or(len(reasons) = 0) as any_open,
        count(distinct subnet_id) filter (where len(reasons) = 0) >= max(subnets) or max(subnets) = 1 as all_open,
        string_agg(distinct source, ', ' order by source) filter (where len(reasons) = 0) as sources,
        arg_min(
            {'address': address, 'gateway': gateway, 'route_table': route_table_arn, 'destination': destination, 'acl': network_acl_arn, 'group_arn': group_arn,
                'source': source, 'words': words, 'reasons': reasons, 'route_open': route_open, 'acl_open': acl_why is null, 'group_open': group_why is null},
            [len(reasons)::varchar, subnet_id, coalesce(group_arn, group_id), source, address, words, array_to_string(reasons, ' ')]
        ) as best
    from judged
    group by account_id, region, arn, kind, family, protocol, from_port, to_port
)
select
    account_id, region, 'internet' as from_arn, arn as to_arn, kind, family as ip_family, protocol, from_port, to_port,
    case when any_open and all_open then true end as open,
    case when any_open and not all_open then 'it may lie in a subnet that the internet does not reach' when not any_open then array_to_string(best.reasons, '; ') end as why,
    coalesce(port_words(protocol, from_port, to_port), 'unknown ports') || coalesce(' from ' || coalesce(sources, best.source), '') as detail,
    list_filter([
        {'kind': 'gateway', 'via': best.gateway, 'open': best.route_open, 'detail': best.address},
        {'kind': 'route', 'via': best.route_table, 'open': best.route_open, 'detail': best.destination},
        {'kind': 'nacl', 'via': best.acl, 'open': case when best.acl_open then true end, 'detail': port_words(protocol, from_port, to_port)},
        {'kind': 'security-group', 'via': best.group_arn, 'open': case when best.group_open then true end, 'detail': port_words(protocol, from_port, to_port) || coalesce(' from ' || coalesce(sources, best.source), '')},
        {'kind': case kind when 'balancer' then 'listener' when 'database' then 'data' else 'address' end, 'via': arn, 'open': case when any_open and all_open then true end, 'detail': best.words}
    ], lambda hop: hop.via is not null) as hops
from merged
