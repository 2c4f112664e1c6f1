-- One row per pair of subnets of two VPCs of a region that an active peering connection joins, routes there and back.
with routes as (
    select region, subnet_id, vpc_id, first_address, last_address, unnest(as_objects(routes)) as route
    from subnet_rules
),
through as (
    select
        region, subnet_id, vpc_id, first_address, last_address, route ->> '$.VpcPeeringConnectionId' as connection_id,
        coalesce(route ->> '$.DestinationCidrBlock', route ->> '$.DestinationIpv6CidrBlock') as destination
    from routes
    where route ->> '$.VpcPeeringConnectionId' is not null and route ->> '$.State' = 'active'
),
ranged as (
    select * exclude (destination), first_address(destination) as first_destination, last_address(destination) as last_destination
    from through
)
select distinct a.region, a.subnet_id as from_subnet_id, b.subnet_id as to_subnet_id, c.arn as connection_arn
from ranged as a
join ranged as b on b.region = a.region and b.connection_id = a.connection_id and b.vpc_id <> a.vpc_id
join (
    select region, vpc_peering_connection_id, min(arn) as arn
    from aws_ec2_vpc_peering_connection
    where status = 'active'
    group by region, vpc_peering_connection_id
) as c on c.region = a.region and c.vpc_peering_connection_id = a.connection_id
where a.first_destination <= b.first_address and a.last_destination >= b.last_address
    and b.first_destination <= a.first_address and b.last_destination >= a.last_address
