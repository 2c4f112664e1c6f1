-- One row per pair of fleets, protocol and ports of which the first may connect to the second: what lets it in, as in
-- `inner_openings`, and what lets it out.
with fleet as (
    select
        region, fleet, kind, subnet_id, min(group_ids) as group_ids,
        fleet in (select fleet from candidates) as goes_on,
        bool_or(arn in (select target_arn from balancer_targets)) as registered
    from fleets
    group by region, fleet, kind, subnet_id
),
grouped as (
    select * exclude (group_ids), unnest(group_ids) as group_id
    from fleet
),
pairs as (
    select s.fleet as from_fleet, t.fleet as to_fleet, t.kind as to_kind, o.*
    from inner_openings as o
    join grouped as s on s.region = o.region and s.group_id = o.from_group_id and s.subnet_id = o.from_subnet_id
    join grouped as t on t.region = o.region and t.group_id = o.group_id and t.subnet_id = o.subnet_id
    where s.goes_on and (s.kind <> 'balancer' or t.registered)
    union all by name
    select s.fleet as from_fleet, t.fleet as to_fleet, t.kind as to_kind, o.*
    from inner_openings as o
    join fleet as s on s.region = o.region and s.subnet_id = o.from_subnet_id
    join grouped as t on t.region = o.region and t.group_id = o.group_id and t.subnet_id = o.subnet_id
    where o.from_group_id is null and s.goes_on and (s.kind <> 'balancer' or t.registered)
),
egress as (
    select region, group_id, protocol, from_port, to_port, peer_kind, peer, first_address, last_address
    from group_rules
    where egress
),
-- Most groups let everything out; only the others are asked in detail.
free as (
    select distinct g.fleet, e.protocol, ip_family(e.peer) as family
    from grouped as g
    join egress as e on e.region = g.region and e.group_id = g.group_id
    where e.peer in ('0.0.0.0/0', '::/0') and e.from_port = 0 and e.to_port = 65535
),
unread as (
    select distinct g.fleet
    from grouped as g
    left join (
        select region, group_id, bool_and(coalesce(json_type(ip_permissions_egress) = 'ARRAY', false)) as is_read
        from aws_ec2_security_group
        group by region, group_id
    ) as s on s.region = g.region and s.group_id = g.group_id
    where s.is_read is distinct from true
),
asked as (
    select distinct p.from_fleet, p.region, p.protocol, p.from_port, p.to_port, p.group_id, p.first_address, p.last_address
    from pairs as p
    join fleet as f on f.fleet = p.from_fleet
    anti join free as e on e.fleet = p.from_fleet and e.protocol = p.protocol and e.family = p.family
    where len(f.group_ids) > 0
),
let_out as (
    select
        a.from_fleet, a.protocol, a.from_port, a.to_port, a.group_id, a.first_address,
        max(case
            when e.peer_kind = 'group' and e.peer = a.group_id or e.peer_kind = 'cidr' and e.first_address <= a.first_address and e.last_address >= a.last_address then 2
            when e.peer_kind = 'unread' or e.peer_kind = 'cidr' and e.first_address <= a.last_address and e.last_address >= a.first_address then 1
            when u.fleet is not null then 1
            else 0
        end) as rank
    from asked as a
    left join unread as u on u.fleet = a.from_fleet
    left join grouped as g on g.fleet = a.from_fleet
    left join egress as e on e.region = g.region and e.group_id = g.group_id and e.protocol = a.protocol and e.from_port <= a.to_port and e.to_port >= a.from_port
    group by a.from_fleet, a.protocol, a.from_port, a.to_port, a.group_id, a.first_address
)
select
    p.from_fleet, p.to_fleet, p.to_kind, p.protocol, p.from_port, p.to_port, p.family, p.peer, p.from_subnet_id, p.group_arn, p.network_acl_arn, p.connection_arn,
    case when p.open and coalesce(o.rank, 2) = 2 then true end as open,
    coalesce(p.why, case when o.rank = 1 then 'what its outbound rules let out is not known' end) as why
from pairs as p
left join let_out as o
    on o.from_fleet = p.from_fleet and o.protocol = p.protocol and o.from_port = p.from_port and o.to_port = p.to_port and o.group_id = p.group_id and o.first_address = p.first_address
where o.rank is null or o.rank > 0
