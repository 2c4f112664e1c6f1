-- One row per security group and subnet that things of a subnet may connect to, by a rule that names their group
-- (`from_group_id`) or a range their subnet lies in (then it is empty): what rules, peering and network ACLs between the
-- subnets let in. Groups of things, not things: a rule between two groups of a thousand instances is one row per pair of
-- subnets.
with rules as (
    select region, group_id, arn, protocol, from_port, to_port, peer_kind, peer, first_address, last_address
    from group_rules
    where not egress and peer_kind in ('cidr', 'group')
),
subnets as (
    select
        region, subnet_id, vpc_id, network_acl_id, network_acl_arn, family, first_address, last_address
    from subnet_rules
),
places as (
    select distinct region, kind, subnet_id, unnest(security_group_ids) as group_id
    from network_places
),
sources as (
    select distinct p.region, p.group_id, p.subnet_id, s.vpc_id
    from places as p
    join subnets as s on s.region = p.region and s.subnet_id = p.subnet_id
    where p.kind in ('instance', 'interface', 'service', 'function', 'balancer')
),
targets as (
    select distinct r.*, s.subnet_id, s.vpc_id
    from rules as r
    join (select distinct region, group_id, subnet_id from places where kind <> 'function') as p on p.region = r.region and p.group_id = r.group_id
    join subnets as s on s.region = p.region and s.subnet_id = p.subnet_id
),
pairs as (
    select t.*, s.group_id as from_group_id, s.subnet_id as from_subnet_id, null as connection_arn
    from targets as t
    join sources as s on s.region = t.region and s.group_id = t.peer and s.vpc_id = t.vpc_id
    where t.peer_kind = 'group'
    union all by name
    select t.*, s.group_id as from_group_id, s.subnet_id as from_subnet_id, p.connection_arn
    from targets as t
    join sources as s on s.region = t.region and s.group_id = t.peer and s.vpc_id <> t.vpc_id
    join peered_subnets as p on p.region = t.region and p.from_subnet_id = s.subnet_id and p.to_subnet_id = t.subnet_id
    where t.peer_kind = 'group'
    union all by name
    select t.*, '' as from_group_id, s.subnet_id as from_subnet_id, null as connection_arn, s.first_address is null as unread_range
    from targets as t
    join subnets as s on s.region = t.region and s.vpc_id = t.vpc_id
        -- A subnet of unknown range may lie in the rule's.
        and (s.first_address is null or t.first_address <= s.first_address and t.last_address >= s.last_address and s.family = ip_family(t.peer))
    where t.peer_kind = 'cidr'
    union all by name
    select t.*, '' as from_group_id, s.subnet_id as from_subnet_id, p.connection_arn
    from targets as t
    join peered_subnets as p on p.region = t.region and p.to_subnet_id = t.subnet_id
    join subnets as s on s.region = t.region and s.subnet_id = p.from_subnet_id and t.first_address <= s.first_address and t.last_address >= s.last_address and s.family = ip_family(t.peer)
    where t.peer_kind = 'cidr'
),
-- A network ACL stands between subnets, in both directions, for the connection and for its answers, which go to a port
-- that every common system uses for them.
asked as (
    select distinct p.region, x.*
    from pairs as p,
        (select unnest([
            {'inside': p.from_subnet_id, 'egress': true, 'outside': p.subnet_id, 'protocol': p.protocol, 'from_port': p.from_port, 'to_port': p.to_port},
            {'inside': p.subnet_id, 'egress': false, 'outside': p.from_subnet_id, 'protocol': p.protocol, 'from_port': p.from_port, 'to_port': p.to_port},
            {'inside': p.subnet_id, 'egress': true, 'outside': p.from_subnet_id, 'protocol': p.protocol, 'from_port': 49152, 'to_port': 60999},
            {'inside': p.from_subnet_id, 'egress': false, 'outside': p.subnet_id, 'protocol': p.protocol, 'from_port': 49152, 'to_port': 60999}
        ], recursive := true)) as x
    where p.from_subnet_id <> p.subnet_id
),
answers as (
    select
        a.region, a.inside, a.egress, a.outside, a.protocol, a.from_port, a.to_port,
        case
            when i.network_acl_id is null or o.first_address is null then 'unread'
            -- The first entry that touches the traffic decides, if it covers all of it.
            else coalesce(arg_min(
                case
                    when e.from_port > a.from_port or e.to_port < a.to_port or e.first_address > o.first_address or e.last_address < o.last_address then 'partly'
                    when e.allows then 'allow'
                    else 'deny'
                end, e.rule_number), 'deny')
        end as answer
    from asked as a
    join subnets as i on i.region = a.region and i.subnet_id = a.inside
    join subnets as o on o.region = a.region and o.subnet_id = a.outside
    left join acl_entries as e
        on e.region = a.region and e.network_acl_id = i.network_acl_id and e.egress = a.egress and e.protocol = a.protocol and e.family = o.family
        and e.from_port <= a.to_port and e.to_port >= a.from_port and e.first_address <= o.last_address and e.last_address >= o.first_address
    group by a.region, a.inside, a.egress, a.outside, a.protocol, a.from_port, a.to_port, i.network_acl_id, o.first_address
),
judged as (
    select
        p.*,
        list_filter([w.answer, x.answer, y.answer, z.answer], lambda answer: answer is not null) as answers
    from pairs as p
    left join answers as w on w.region = p.region and w.inside = p.from_subnet_id and w.egress and w.outside = p.subnet_id and w.protocol = p.protocol and w.from_port = p.from_port and w.to_port = p.to_port
    left join answers as x on x.region = p.region and x.inside = p.subnet_id and not x.egress and x.outside = p.from_subnet_id and x.protocol = p.protocol and x.from_port = p.from_port and x.to_port = p.to_port
    left join answers as y on y.region = p.region and y.inside = p.subnet_id and y.egress and y.outside = p.from_subnet_id and y.protocol = p.protocol and y.from_port = 49152 and y.to_port = 60999
    left join answers as z on z.region = p.region and z.inside = p.from_subnet_id and not z.egress and z.outside = p.subnet_id and z.protocol = p.protocol and z.from_port = 49152 and z.to_port = 60999
)
select
    j.region, j.from_group_id, j.from_subnet_id, j.group_id, j.arn as group_arn, j.subnet_id, j.protocol, j.from_port, j.to_port,
    j.peer, j.connection_arn, s.family, s.first_address, s.last_address,
    case when j.from_subnet_id <> j.subnet_id then s.network_acl_arn end as network_acl_arn,
    case when not list_has_any(j.answers, ['unread', 'partly']) and j.unread_range is not true then true end as open,
    case
        when j.unread_range then 'the range of ' || j.from_subnet_id || ' is not in the run'
        when list_contains(j.answers, 'unread') then 'the network ACLs between ' || j.from_subnet_id || ' and ' || j.subnet_id || ' are not in the run'
        when list_contains(j.answers, 'partly') then 'the network ACLs between ' || j.from_subnet_id || ' and ' || j.subnet_id || ' let a part of it through'
    end as why
from judged as j
join subnets as s on s.region = j.region and s.subnet_id = j.subnet_id
where not list_contains(j.answers, 'deny')
