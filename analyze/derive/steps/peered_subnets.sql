-- One row per pair of subnets of two VPCs of a region that an active peering connection joins, routes there and back.
with routes as (
    select region, subnet_id, vpc_id, cidr_block, unnest(as_objects(routes)) as route
    from subnet_rules
),
through as (
    select
        region, subnet_id, vpc_id, cidr_block,
        route ->> '$.VpcPeeringConnectionId' as connection_id,
        first_address(route ->> '$.DestinationCidrBlock') as first_address,
        last_address(route ->> '$.DestinationCidrBlock') as last_address
    from routes
    where route ->> '$.VpcPeeringConnectionId' is not null and route ->> '$.State' = 'active' and route ->> '$.DestinationCidrBlock' is not null
)
select distinct a.region, a.subnet_id as from_subnet_id, b.subnet_id as to_subnet_id, c.arn as connection_arn
from through as a
join through as b on b.region = a.region and b.connection_id = a.connection_id and b.vpc_id <> a.vpc_id
join (
    select region, vpc_peering_connection_id, min(arn) as arn
    from aws_ec2_vpc_peering_connection
    where status = 'active'
    group by region, vpc_peering_connection_id
) as c on c.region = a.region and c.vpc_peering_connection_id = a.connection_id
where a.first_address <= first_address(b.cidr_block) and a.last_address >= last_address(b.cidr_block)
    and b.first_address <= first_address(a.cidr_block) and b.last_address >= last_address(a.cidr_block)
