/*
title = "Private subnets keep their way out when a zone is lost"
severity = "medium"
tables = ["aws_ec2_vpc", "aws_ec2_subnet", "aws_ec2_route_table", "aws_ec2_nat_gateway"]
remediation = "Make a NAT gateway in each zone and let the subnets of the zone route to it, or one regional NAT gateway."
command = "aws ec2 create-nat-gateway --region {region} --subnet-id ... --allocation-id ..."
*/
-- Judged are VPCs with subnets whose default route leads to a NAT gateway.
with effective as (
    select s.account_id, s.region, s.vpc_id, s.subnet_id, s.availability_zone, coalesce(own.routes, main.routes) as routes
    from aws_ec2_subnet as s
    left join (
        select account_id, region, unnest(subnet_ids) as subnet_id, routes from aws_ec2_route_table
    ) as own on own.account_id = s.account_id and own.region = s.region and own.subnet_id = s.subnet_id
    left join aws_ec2_route_table as main on main.account_id = s.account_id and main.region = s.region and main.vpc_id = s.vpc_id and main.is_main
),
ways as (
    select account_id, region, vpc_id, subnet_id, availability_zone, route ->> '$.NatGatewayId' as nat_gateway_id
    from (select * exclude (routes), unnest(as_objects(routes)) as route from effective)
    where route ->> '$.NatGatewayId' is not null
        and (route ->> '$.DestinationCidrBlock' = '0.0.0.0/0' or route ->> '$.DestinationIpv6CidrBlock' = '64:ff9b::/96')
        and route ->> '$.State' is distinct from 'blackhole'
),
gateways as (
    select n.account_id, n.region, n.nat_gateway_id, n.arn, coalesce(n.availability_mode = 'regional', false) as is_regional, z.availability_zone
    from aws_ec2_nat_gateway as n
    left join aws_ec2_subnet as z on z.account_id = n.account_id and z.region = n.region and z.subnet_id = n.subnet_id
),
-- A regional gateway spans zones: what routes to it is counted no further.
by_vpc as (
    select
        w.account_id, w.region, w.vpc_id,
        count(distinct w.subnet_id) filter (where not g.is_regional) as subnets,
        count(distinct w.availability_zone) filter (where not g.is_regional) as zones,
        count(distinct w.nat_gateway_id) filter (where not g.is_regional) as gateways,
        count(distinct g.availability_zone) filter (where not g.is_regional) as gateway_zones,
        min(g.availability_zone) as gateway_zone,
        min(w.nat_gateway_id) as nat_gateway_id,
        bool_and(g.is_regional) as is_regional,
        bool_or(g.nat_gateway_id is null) as is_unseen,
        bool_or(not g.is_regional and (g.availability_zone is null or w.availability_zone is null)) as is_zoneless
    from ways as w
    left join gateways as g on g.account_id = w.account_id and g.region = w.region and g.nat_gateway_id = w.nat_gateway_id
    group by w.account_id, w.region, w.vpc_id
)
select
    v.account_id,
    v.region,
    v.arn as resource_arn,
    case
        when b.is_regional or b.gateway_zones > 1 then false
        when b.gateways = 1 and b.zones > 1 and not b.is_unseen then true
        when b.is_unseen or b.is_zoneless then null
        -- Several gateways may still stand in one zone; subnets of that zone alone lose nothing that they had.
        else b.zones > 1
    end as failed,
    case
        when b.is_regional then 'its NAT gateway spans zones'
        when b.gateway_zones > 1 then 'NAT gateways in ' || b.gateway_zones || ' zones'
        when b.gateways = 1 and b.zones > 1 and not b.is_unseen then 'its ' || b.subnets || ' private subnets in ' || b.zones || ' zones all route to ' || b.nat_gateway_id || coalesce(' in ' || b.gateway_zone, '')
        when b.is_unseen or b.is_zoneless then 'in which zones its NAT gateways stand is not known'
        when b.zones > 1 then 'all of its ' || b.gateways || ' NAT gateways stand in ' || b.gateway_zone
        else 'its private subnets are in one zone'
    end as reason,
    {'vpc_id': b.vpc_id, 'nat_gateway_id': b.nat_gateway_id, 'gateways': b.gateways, 'zones': b.zones} as evidence
from by_vpc as b
join aws_ec2_vpc as v on v.account_id = b.account_id and v.region = b.region and v.vpc_id = b.vpc_id
