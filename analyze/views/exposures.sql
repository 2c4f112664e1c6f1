-- One row per resource that has a way to the internet, or may have one: `exposed` is null where that could not be decided.
with unreadable as (
    select distinct account_id, region, table_name
    from gaps
    where resource_arn is null
),
public_subnets as (
    select s.account_id, s.region, s.subnet_id
    from aws_ec2_subnet as s
    left join aws_ec2_route_table as own on own.account_id = s.account_id and own.region = s.region and list_contains(own.subnet_ids, s.subnet_id)
    left join aws_ec2_route_table as main on main.account_id = s.account_id and main.region = s.region and main.vpc_id = s.vpc_id and main.is_main
    where exists (
        select 1
        from (select unnest(as_objects(coalesce(own.routes, main.routes))) as route)
        where route ->> '$.GatewayId' like 'igw-%'
            and (is_world(route ->> '$.DestinationCidrBlock') or is_world(route ->> '$.DestinationIpv6CidrBlock'))
    )
),
open_groups as (
    select account_id, region, group_id, string_agg(distinct ports || ' from ' || cidr, ', ' order by ports || ' from ' || cidr) as ports
    from world_ingress
    group by account_id, region, group_id
),
with_groups as (
    select i.account_id, i.region, i.arn, unnest(i.security_group_ids) as group_id, i.subnet_id
    from aws_ec2_instance as i
    where i.state is distinct from 'terminated' and (len(i.public_ips) > 0 or i.public_ip is not null or len(i.ipv6_addresses) > 0)
),
instances as (
    select
        w.account_id, w.region, w.arn,
        bool_or(g.group_id is not null and p.subnet_id is not null) as is_open,
        string_agg(distinct g.ports, ', ' order by g.ports) as ports,
        ['aws_ec2_security_group', 'aws_ec2_route_table', 'aws_ec2_subnet'] as tables
    from with_groups as w
    left join open_groups as g on g.account_id = w.account_id and g.region = w.region and g.group_id = w.group_id
    left join public_subnets as p on p.account_id = w.account_id and p.region = w.region and p.subnet_id = w.subnet_id
    group by w.account_id, w.region, w.arn
),
databases as (
    select d.account_id, d.region, d.arn, bool_or(g.group_id is not null) as is_open, string_agg(distinct g.ports, ', ' order by g.ports) as ports, ['aws_ec2_security_group'] as tables
    from (
        select account_id, region, arn, unnest(security_group_ids) as group_id from aws_rds_db_instance where publicly_accessible
        union all
        select account_id, region, arn, unnest(security_group_ids) from aws_redshift_cluster where publicly_accessible
    ) as d
    left join open_groups as g on g.account_id = d.account_id and g.region = d.region and g.group_id = d.group_id
    group by d.account_id, d.region, d.arn
),
guarded as (
    select * from instances
    union all
    select * from databases
),
others as (
    select account_id, region, arn, scheme = 'internet-facing' as exposed, 'faces the internet' as exposure from aws_elbv2_load_balancer
    union all
    select account_id, region, arn, scheme = 'internet-facing', 'faces the internet' from aws_elb_load_balancer
    union all
    select account_id, region, arn, public_by_policy or public_by_acl, case when public_by_policy then 'bucket policy lets everyone in' else 'access control list lets everyone in' end from bucket_access
    union all
    select account_id, region, arn, list_contains(url_auth_types, 'NONE'), 'function URL without authentication' from aws_lambda_function
    union all
    select account_id, region, arn, enabled, 'serves the internet' from aws_cloudfront_distribution
    union all
    select account_id, region, arn, not in_vpc, 'public endpoint' from aws_opensearch_domain
    union all
    select account_id, region, arn, endpoint_public_access and list_has_any(public_access_cidrs, ['0.0.0.0/0', '::/0']), 'public cluster endpoint' from aws_eks_cluster
)
select
    g.account_id, g.region, g.arn,
    case
        when g.is_open then true
        when exists (
            select 1
            from unreadable as u
            where u.account_id = g.account_id and (u.region = g.region or u.region = 'global') and (u.table_name is null or list_contains(g.tables, u.table_name))
        ) then null
        else false
    end as exposed,
    case when g.is_open then g.ports end as exposure
from guarded as g
union all by name
select account_id, region, arn, exposed, case when exposed then exposure end as exposure
from others
