-- `inner_openings` for things whose groups let everything out (`fleet` is empty), and for each other fleet as far as
-- what its groups let out allows.
with restricted as (
    select distinct region, fleet, subnet_id, group_id
    from fleets
    where fleet <> '' and kind in ('instance', 'interface', 'service', 'function', 'balancer')
),
asked as (
    select r.fleet, o.*
    from inner_openings as o
    join restricted as r on r.region = o.region and r.subnet_id = o.from_subnet_id and r.group_id = o.from_group_id
),
egress as (
    select region, group_id, protocol, from_port, to_port, peer_kind, peer, first_address, last_address
    from group_rules
    where egress
),
unread as (
    select distinct r.fleet
    from restricted as r
    left join (
        select region, group_id, bool_and(coalesce(json_type(ip_permissions_egress) = 'ARRAY', false)) as is_read
        from aws_ec2_security_group
        group by region, group_id
    ) as s on s.region = r.region and s.group_id = r.group_id
    where r.group_id <> '' and s.is_read is distinct from true
),
let_out as (
    select
        a.fleet, a.protocol, a.from_port, a.to_port, a.group_id, a.subnet_id,
        max(case
            when e.peer_kind = 'group' and e.peer = a.group_id or e.peer_kind = 'cidr' and e.first_address <= a.first_address and e.last_address >= a.last_address then 2
            when e.peer_kind = 'unread' or e.peer_kind = 'cidr' and (a.first_address is null or e.first_address <= a.last_address and e.last_address >= a.first_address) then 1
            when u.fleet is not null then 1
            else 0
        end) as certainty
    from (select distinct fleet, region, protocol, from_port, to_port, group_id, subnet_id, first_address, last_address from asked) as a
    join restricted as r on r.fleet = a.fleet
    left join unread as u on u.fleet = a.fleet
    left join egress as e on e.region = r.region and e.group_id = r.group_id and e.protocol = a.protocol and e.from_port <= a.to_port and e.to_port >= a.from_port
    group by a.fleet, a.protocol, a.from_port, a.to_port, a.group_id, a.subnet_id
)
select '' as fleet, * exclude (first_address, last_address)
from inner_openings
union all by name
select
    a.* exclude (first_address, last_address, open, why),
    case when o.certainty = 2 then a.open end as open,
    coalesce(a.why, case when o.certainty = 1 then 'what its outbound rules let out is not known' end) as why
from asked as a
join let_out as o
    on o.fleet = a.fleet and o.protocol = a.protocol and o.from_port = a.from_port and o.to_port = a.to_port and o.group_id = a.group_id and o.subnet_id = a.subnet_id
where o.certainty > 0
