-- One row per subnet and IP family that the internet may come into, through which gateway: `open` is null where that
-- is not known, and `why` tells. Subnets that are not public have no row.
with routes as (
    select region, subnet_id, vpc_id, block_public_access, route_table_arn, unnest(as_objects(routes)) as route
    from subnet_rules
),
lists as (
    select region, prefix_list_id, cidrs
    from aws_ec2_managed_prefix_list
    qualify row_number() over (partition by region, prefix_list_id order by account_id) = 1
),
destinations as (
    select
        r.* exclude (route),
        coalesce(route ->> '$.GatewayId', route ->> '$.VpcEndpointId') as gateway_id,
        route ->> '$.State' as state,
        route ->> '$.DestinationPrefixListId' as prefix_list_id,
        unnest(coalesce(l.cidrs, [coalesce(route ->> '$.DestinationCidrBlock', route ->> '$.DestinationIpv6CidrBlock')])) as cidr
    from routes as r
    left join lists as l on l.region = r.region and l.prefix_list_id = route ->> '$.DestinationPrefixListId'
),
gateways as (
    select region, internet_gateway_id, min(arn) as arn, flatten(list(coalesce(vpc_ids, []))) as vpc_ids
    from aws_ec2_internet_gateway
    group by region, internet_gateway_id
),
ways as (
    select
        d.region, d.subnet_id, d.route_table_arn, d.gateway_id, g.arn as gateway_arn,
        unnest(case when d.cidr is null then ['ipv4', 'ipv6'] else [ip_family(d.cidr)] end) as family,
        coalesce(d.cidr, d.prefix_list_id) as destination,
        case
            when d.block_public_access in ('block-ingress', 'block-bidirectional') or d.state = 'blackhole' then false
            when g.internet_gateway_id is not null and not list_contains(g.vpc_ids, d.vpc_id) then false
            -- A firewall may stand in the way, and what it lets through is its own matter.
            when d.gateway_id like 'vpce-%' then null
            when d.cidr is null then null
            when d.block_public_access is null then null
            when d.state = 'active' or g.internet_gateway_id is not null then true
        end as open,
        case
            when d.gateway_id like 'vpce-%' then 'its traffic passes the endpoint ' || d.gateway_id || ', which decides'
            when d.cidr is null then 'the ranges of the prefix list ' || d.prefix_list_id || ' are not in the run'
            when d.block_public_access is null then 'whether its VPC blocks public access is not in the run'
            else 'whether the gateway ' || d.gateway_id || ' is attached is not in the run'
        end as why
    from destinations as d
    left join gateways as g on g.region = d.region and g.internet_gateway_id = d.gateway_id
    where (d.gateway_id like 'igw-%' or d.gateway_id like 'vpce-%' and is_world(d.cidr)) and (d.cidr is null or is_world(d.cidr))
)
select region, subnet_id, family, route_table_arn, gateway_arn, gateway_id, destination, open, case when open is null then why end as why
from ways
where open is distinct from false
qualify row_number() over (partition by region, subnet_id, family order by open nulls last, gateway_id, destination) = 1
union all by name
select region, subnet_id, unnest(['ipv4', 'ipv6']) as family, route_table_arn, null as open, 'the route table of ' || subnet_id || ' is not in the run' as why
from subnet_rules
where routes is null and block_public_access is distinct from 'block-ingress' and block_public_access is distinct from 'block-bidirectional'
