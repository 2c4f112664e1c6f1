/*
title = "Routes to peered VPCs lead to the part that is needed"
severity = "low"
tables = ["aws_ec2_route_table", "aws_ec2_vpc_peering_connection", "aws_ec2_managed_prefix_list"]
operations = ["GetManagedPrefixListEntries"]
frameworks = { "cis_v3.0" = ["5.5"], "cis_v5.0" = ["5.6"] }
remediation = "Route the peer's subnets or hosts that are needed instead of its whole range, in both directions."
command = "aws ec2 delete-route --region {region} --route-table-id {route_table_id} {destination_option} {destination}"
links = ["https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html"]
*/
with routes as (
    select account_id, region, arn, vpc_id, unnest(as_objects(routes)) as route
    from aws_ec2_route_table
),
-- A route whose connection is gone is a black hole.
peering_routes as (
    select
        account_id, region, arn, vpc_id,
        route ->> '$.VpcPeeringConnectionId' as connection_id,
        coalesce(route ->> '$.DestinationCidrBlock', route ->> '$.DestinationIpv6CidrBlock') as cidr,
        route ->> '$.DestinationPrefixListId' as prefix_list_id
    from routes
    where route ->> '$.VpcPeeringConnectionId' is not null and coalesce(route ->> '$.State', 'active') <> 'blackhole'
),
lists as (
    select account_id, region, prefix_list_id, any_value(cidrs) as cidrs
    from aws_ec2_managed_prefix_list
    group by account_id, region, prefix_list_id
),
-- A list whose entries are not known is one unknown destination.
destinations as (
    select account_id, region, arn, vpc_id, connection_id, cidr as destination, cidr
    from peering_routes
    where prefix_list_id is null
    union all
    select r.account_id, r.region, r.arn, r.vpc_id, r.connection_id, r.prefix_list_id, unnest(case when l.cidrs is null then [null::varchar] else l.cidrs end)
    from peering_routes as r
    left join lists as l on l.account_id = r.account_id and l.region = r.region and l.prefix_list_id = r.prefix_list_id
    where r.prefix_list_id is not null
),
-- The ranges of each VPC of a connection; the peer may have several, and IPv6 ones.
connections as (
    select
        account_id, region, vpc_peering_connection_id, requester_vpc_id, accepter_vpc_id,
        list_concat(requester_cidr_blocks, coalesce(config ->> '$.RequesterVpcInfo.Ipv6CidrBlockSet[*].Ipv6CidrBlock', [])) as requester_cidrs,
        list_concat(accepter_cidr_blocks, coalesce(config ->> '$.AccepterVpcInfo.Ipv6CidrBlockSet[*].Ipv6CidrBlock', [])) as accepter_cidrs
    from aws_ec2_vpc_peering_connection
),
peers as (
    select account_id, region, vpc_peering_connection_id as connection_id, requester_vpc_id as vpc_id, accepter_vpc_id as peer_vpc_id, accepter_cidrs as cidrs
    from connections
    union all
    select account_id, region, vpc_peering_connection_id, accepter_vpc_id, requester_vpc_id, requester_cidrs
    from connections
),
pairs as (
    select
        d.account_id, d.arn, d.connection_id, d.destination, d.cidr, p.peer_vpc_id,
        unnest(case when len(p.cidrs) > 0 then p.cidrs else [null::varchar] end) as block
    from destinations as d
    left join peers as p on p.account_id = d.account_id and p.region = d.region and p.connection_id = d.connection_id and p.vpc_id = d.vpc_id
),
parsed as (
    select
        *, contains(cidr, ':') as is_ipv6, contains(block, ':') as block_is_ipv6,
        try_cast(split_part(cidr, '/', 2) as integer) as prefix_length,
        try_cast(split_part(block, '/', 2) as integer) as block_prefix_length,
        list_reduce(list_transform(string_split(split_part(cidr, '/', 1), '.'), lambda part: try_cast(part as bigint)), lambda high, low: high * 256 + low) as address,
        list_reduce(list_transform(string_split(split_part(block, '/', 1), '.'), lambda part: try_cast(part as bigint)), lambda high, low: high * 256 + low) as block_address
    from pairs
),
-- Narrow: a part of one of the peer's ranges. Of an IPv6 range the length tells: VPCs have whole ranges of Amazon's.
by_destination as (
    select
        account_id, arn, connection_id, peer_vpc_id, destination, cidr,
        case
            when cidr is null or bool_or(block is null) then null
            else bool_or(
                is_ipv6 = block_is_ipv6 and prefix_length > block_prefix_length
                and (is_ipv6 or address >> (32 - block_prefix_length) = block_address >> (32 - block_prefix_length))
            )
        end as narrow
    from parsed
    group by account_id, arn, connection_id, peer_vpc_id, destination, cidr
),
by_table as (
    select
        account_id, arn,
        list({'destination': destination, 'cidr': cidr, 'connection_id': connection_id, 'peer_vpc_id': peer_vpc_id} order by connection_id, destination, cidr) filter (where not narrow) as wide,
        string_agg(distinct destination || ' over ' || connection_id, ', ' order by destination || ' over ' || connection_id) filter (where narrow is null) as unclear,
        count(*) as destinations
    from by_destination
    group by account_id, arn
)
select
    t.account_id,
    t.region,
    t.arn as resource_arn,
    case when len(b.wide) > 0 then true when t.routes is null or b.unclear is not null then null else false end as failed,
    case
        when len(b.wide) > 0 then 'not limited to a part of ' || coalesce(b.wide[1].peer_vpc_id, 'the peer') || ': '
            || array_to_string(list_transform(b.wide[:5], lambda w: coalesce(w.cidr, w.destination) || ' over ' || w.connection_id), ', ')
        when t.routes is null then 'its routes are not known'
        when b.unclear is not null then 'what the peer''s ranges are is not known: ' || b.unclear
        else 'leads to parts of peered VPCs only'
    end as reason,
    {
        'route_table_id': t.route_table_id, 'vpc_id': t.vpc_id, 'routes': b.wide, 'destination': b.wide[1].destination,
        'destination_option': case when starts_with(b.wide[1].destination, 'pl-') then '--destination-prefix-list-id' when contains(b.wide[1].destination, ':') then '--destination-ipv6-cidr-block' else '--destination-cidr-block' end
    } as evidence
from aws_ec2_route_table as t
left join by_table as b on b.account_id = t.account_id and b.arn = t.arn
where t.routes is null or b.arn is not null
