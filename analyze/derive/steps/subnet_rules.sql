-- One row per subnet with the route table and the network ACL that serve it. Null: not in the run; `routes` is null as
-- well when a table of its own may have been missed and only the VPC's main one is known.
with subnets as (
    select
        region, subnet_id,
        max(vpc_id) as vpc_id,
        coalesce(max(cidr_block), max(ipv6_cidr_blocks[1])) as cidr,
        max(block_public_access) as block_public_access,
        list(distinct account_id) as account_ids
    from (
        select account_id, region, subnet_id, vpc_id, cidr_block, ipv6_cidr_blocks, config ->> '$.BlockPublicAccessStates.InternetGatewayBlockMode' as block_public_access
        from aws_ec2_subnet
        union all by name
        select account_id, region, subnet_id, vpc_id from aws_ec2_network_interface
        union all by name
        select account_id, region, subnet_id, vpc_id from aws_ec2_instance
        union all by name
        select account_id, region, unnest(subnet_ids) as subnet_id, vpc_id from aws_elbv2_load_balancer
        union all by name
        select account_id, region, unnest(subnet_ids) as subnet_id, vpc_id from aws_elb_load_balancer
        union all by name
        select account_id, region, unnest(subnet_ids) as subnet_id, vpc_id from aws_rds_db_instance
        union all by name
        select account_id, region, unnest(subnet_ids) as subnet_id from aws_ecs_service
    )
    where subnet_id is not null
    group by region, subnet_id
),
route_tables as (
    select account_id, region, vpc_id, arn, is_main, subnet_ids, case json_type(routes) when 'ARRAY' then routes end as routes
    from aws_ec2_route_table
    qualify row_number() over (partition by region, route_table_id order by account_id) = 1
),
own as (
    select region, unnest(subnet_ids) as subnet_id, arn, routes
    from route_tables
),
acls as (
    select region, network_acl_id, arn, subnet_ids, json_type(entries) = 'ARRAY' as is_read
    from aws_ec2_network_acl
    qualify row_number() over (partition by region, network_acl_id order by account_id) = 1
),
guarded as (
    select * exclude (subnet_ids), unnest(subnet_ids) as subnet_id
    from acls
),
unread as (
    select distinct account_id, region
    from gaps
    where resource_arn is null and (table_name = 'aws_ec2_route_table' or table_name is null)
),
vpcs as (
    select region, vpc_id, max(coalesce(block_public_access, 'off')) as block_public_access
    from aws_ec2_vpc
    group by region, vpc_id
)
select
    s.region, s.subnet_id, s.vpc_id, ip_family(s.cidr) as family, first_address(s.cidr) as first_address, last_address(s.cidr) as last_address,
    coalesce(s.block_public_access, v.block_public_access) as block_public_access,
    coalesce(o.arn, m.arn) as route_table_arn,
    case
        when o.arn is not null then o.routes
        when not exists (select 1 from unread as u where list_contains(s.account_ids, u.account_id) and u.region in (s.region, 'global')) then m.routes
    end as routes,
    case when a.is_read then a.network_acl_id end as network_acl_id,
    a.arn as network_acl_arn
from subnets as s
left join own as o on o.region = s.region and o.subnet_id = s.subnet_id
left join route_tables as m on m.region = s.region and m.vpc_id = s.vpc_id and m.is_main
left join guarded as a on a.region = s.region and a.subnet_id = s.subnet_id
left join vpcs as v on v.region = s.region and v.vpc_id = s.vpc_id
