-- One row per protocol, ports and blocks of the internet that a security group lets in; `unread` where a prefix list
-- keeps its ranges to itself. Ranges that are no world each, but cover half of IPv4 together, are one as well.
with rules as (
    select *
    from group_rules
    where not egress
),
ranges as (
    select
        region, group_id, arn, protocol, from_port, to_port, first_address, last_address,
        max(last_address) over (
            partition by region, group_id, protocol, from_port, to_port
            order by first_address, last_address rows between unbounded preceding and 1 preceding
        ) as covered
    from rules
    where peer_kind = 'cidr' and not is_world(peer) and ip_family(peer) = 'ipv4'
),
together as (
    select region, group_id, arn, protocol, from_port, to_port, count(*) as ranges
    from ranges
    group by region, group_id, arn, protocol, from_port, to_port
    having sum(case when covered >= last_address then 0 else last_address + 1 - greatest(first_address, coalesce(covered + 1, 0)) end) >= 2147483648
)
select
    region, group_id, arn, ip_family(peer) as family, protocol, from_port, to_port,
    world_block(first_address, ip_family(peer)) as first_block,
    world_block(last_address, ip_family(peer)) as last_block,
    peer as source, false as unread
from rules
where peer_kind = 'cidr' and is_world(peer)
union all by name
select region, group_id, arn, 'ipv4' as family, protocol, from_port, to_port, 0 as first_block, 127 as last_block, ranges || ' ranges' as source, false as unread
from together
union all by name
select
    region, group_id, arn, unnest(['ipv4', 'ipv6']) as family, protocol, from_port, to_port,
    0 as first_block, 65535 as last_block, peer as source, true as unread
from rules
where peer_kind = 'unread'
