-- One row per protocol, ports and blocks of the internet that a network ACL lets through in a direction. Entries for
-- single networks neither open it to the internet nor close it; where entries overlap, the plane of ports and blocks is
-- cut into cells, and the lowest rule number over a cell decides.
with entries as (
    select
        region, network_acl_id, arn, egress, family, protocol, rule_number, allows, from_port, to_port,
        world_block(first_address, family) as first_block,
        world_block(last_address, family) as last_block
    from acl_entries
    where is_world(cidr)
),
ports as (
    select *, lead(from_port) over (partition by region, network_acl_id, egress, family, protocol order by from_port) - 1 as to_port
    from (
        select region, network_acl_id, egress, family, protocol, from_port from entries
        union
        select region, network_acl_id, egress, family, protocol, to_port + 1 from entries
    )
),
blocks as (
    select *, lead(first_block) over (partition by region, network_acl_id, egress, family, protocol order by first_block) - 1 as last_block
    from (
        select region, network_acl_id, egress, family, protocol, first_block from entries
        union
        select region, network_acl_id, egress, family, protocol, last_block + 1 from entries
    )
),
cells as (
    select p.region, p.network_acl_id, e.arn, p.egress, p.family, p.protocol, p.from_port, p.to_port, b.first_block, b.last_block
    from ports as p
    join blocks as b using (region, network_acl_id, egress, family, protocol)
    join entries as e using (region, network_acl_id, egress, family, protocol)
    where e.from_port <= p.from_port and e.to_port >= p.to_port and e.first_block <= b.first_block and e.last_block >= b.last_block
    group by all
    having arg_min(e.allows, e.rule_number)
),
islands as (
    select *, sum(case when from_port = previous + 1 then 0 else 1 end) over (
        partition by region, network_acl_id, egress, family, protocol, first_block, last_block order by from_port
    ) as island
    from (
        select *, lag(to_port) over (partition by region, network_acl_id, egress, family, protocol, first_block, last_block order by from_port) as previous
        from cells
    )
)
select region, network_acl_id, arn, egress, family, protocol, min(from_port) as from_port, max(to_port) as to_port, first_block, last_block
from islands
group by region, network_acl_id, arn, egress, family, protocol, first_block, last_block, island
