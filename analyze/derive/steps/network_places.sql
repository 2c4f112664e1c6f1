-- One row per thing with network interfaces and subnet in which it has, or may have, one. `public_ipv4` and
-- `public_ipv6`: the address it has from the internet, or a word for it. `answers`: false for what is stopped, null
-- where that is not known. `subnets`: above 1 where it lies in one of several, and which one is not known.
-- `is_guarded`: whether security groups apply. `any_port`: whether it may listen on whatever port.
with instances as (
    select
        account_id, region, arn, instance_id, subnet_id, vpc_id, security_group_ids, public_ip, public_ips, ipv6_addresses, private_ip,
        case when state = 'running' then true when state is not null then false end as answers
    from aws_ec2_instance
),
interfaces as (
    select
        e.account_id, e.region, e.subnet_id, e.vpc_id, e.security_group_ids, e.network_interface_id, e.arn, e.instance_id,
        coalesce(e.public_ip, e.public_ips[1]) as public_ip, e.ipv6_addresses[1] as ipv6_address, e.private_ip
    from aws_ec2_network_interface as e
    where coalesce(e.interface_type, 'interface') in ('interface', 'efa', 'branch', 'trunk')
        and e.status is distinct from 'available'
        -- What these services made is one of their own rows below.
        and coalesce(e.attachment_owner_id, '') not in ('amazon-elb', 'amazon-rds', 'amazon-redshift', 'amazon-elasticache')
        and coalesce(e.description, '') not like 'arn:aws%:ecs:%:attachment/%'
),
of_instances as (
    select
        e.account_id, e.region,
        coalesce(i.arn, replace(e.arn, 'network-interface/' || e.network_interface_id, 'instance/' || e.instance_id)) as arn,
        'instance' as kind, e.subnet_id, e.vpc_id, e.security_group_ids, e.public_ip, e.ipv6_address, e.private_ip, i.answers
    from interfaces as e
    left join instances as i on i.account_id = e.account_id and i.region = e.region and i.instance_id = e.instance_id
    where e.instance_id is not null
    union all by name
    -- Interfaces may have been denied; the instance tells of its first one.
    select
        account_id, region, arn, 'instance' as kind, subnet_id, vpc_id, security_group_ids,
        coalesce(public_ip, public_ips[1]) as public_ip, ipv6_addresses[1] as ipv6_address, private_ip, answers
    from instances as i
    where not exists (select 1 from interfaces as e where e.account_id = i.account_id and e.region = i.region and e.instance_id = i.instance_id)
),
addressed as (
    select account_id, region, arn, kind, subnet_id, vpc_id, security_group_ids, public_ip as public_ipv4, ipv6_address as public_ipv6, private_ip, answers
    from of_instances
    union all by name
    select account_id, region, arn, 'interface' as kind, subnet_id, vpc_id, security_group_ids, public_ip as public_ipv4, ipv6_address as public_ipv6, private_ip, true as answers
    from interfaces
    where instance_id is null
),
balancers as (
    select
        account_id, region, arn, unnest(subnet_ids) as subnet_id, vpc_id, security_group_ids, scheme,
        coalesce(state, 'active') in ('active', 'active_impaired') as answers,
        type is distinct from 'network' or len(security_group_ids) > 0 as is_guarded,
        case when ip_address_type like 'dualstack%' then dns_name end as dns_name_ipv6,
        case when ip_address_type is distinct from 'dualstack-without-public-ipv4' then dns_name end as dns_name
    from aws_elbv2_load_balancer
    where type is distinct from 'gateway'
    union all by name
    select account_id, region, arn, unnest(subnet_ids) as subnet_id, vpc_id, security_group_ids, scheme, true as answers, true as is_guarded, dns_name, null as dns_name_ipv6
    from aws_elb_load_balancer
),
services as (
    select
        account_id, region, arn, unnest(subnet_ids) as subnet_id, security_group_ids,
        case when assign_public_ip = 'ENABLED' then 'public address of its tasks' end as public_ipv4,
        case when running_count > 0 then true when running_count = 0 then false end as answers
    from aws_ecs_service
    where network_mode = 'awsvpc' or len(subnet_ids) > 0
),
stores as (
    select
        d.account_id, d.region, d.arn, 'database' as kind, d.vpc_id, d.security_group_ids, unnest(d.subnet_ids) as subnet_id,
        case when d.publicly_accessible is distinct from false then coalesce(d.endpoint_address, 'public address') end as public_ipv4,
        case when d.publicly_accessible is not null then true end as answers, d.availability_zone
    from aws_rds_db_instance as d
    union all by name
    select
        c.account_id, c.region, c.arn, 'database' as kind, c.vpc_id, c.security_group_ids, s.subnet_id,
        case when c.publicly_accessible is distinct from false then coalesce(c.endpoint_address, 'public address') end as public_ipv4,
        case when c.publicly_accessible is not null then true end as answers, c.availability_zone
    from aws_redshift_cluster as c
    left join (select distinct region, vpc_id, subnet_id from aws_ec2_subnet) as s on s.region = c.region and s.vpc_id = c.vpc_id
    union all by name
    select c.account_id, c.region, c.arn, 'cache' as kind, g.vpc_id, c.security_group_ids, unnest(g.subnet_ids) as subnet_id, true as answers, c.availability_zone
    from aws_elasticache_cluster as c
    join aws_elasticache_subnet_group as g on g.account_id = c.account_id and g.region = c.region and g.cache_subnet_group_name = c.cache_subnet_group_name
    union all by name
    select account_id, region, arn, 'database' as kind, vpc_id, security_group_ids, unnest(subnet_ids) as subnet_id, true as answers, null as availability_zone
    from aws_opensearch_domain
    where in_vpc
),
zones as (
    select region, subnet_id, max(availability_zone) as availability_zone
    from aws_ec2_subnet
    group by region, subnet_id
),
-- A database lies in the subnet of its zone.
placed as (
    select s.* exclude (availability_zone), count(*) over (partition by s.account_id, s.region, s.arn) as subnets
    from stores as s
    left join zones as z on z.region = s.region and z.subnet_id = s.subnet_id
    where s.availability_zone is null or z.availability_zone is null or z.availability_zone = s.availability_zone
)
select
    account_id, region, arn, kind, subnet_id, vpc_id, security_group_ids, public_ipv4, public_ipv6, private_ip, answers,
    1 as subnets, true as is_guarded, true as any_port
from addressed
union all by name
select
    account_id, region, arn, 'balancer' as kind, subnet_id, vpc_id, security_group_ids,
    case when scheme is distinct from 'internal' then coalesce(dns_name, 'public address') end as public_ipv4,
    case when scheme is distinct from 'internal' then dns_name_ipv6 end as public_ipv6,
    case when scheme is not null then answers end as answers, 1 as subnets, is_guarded, false as any_port
from balancers
union all by name
select account_id, region, arn, 'service' as kind, subnet_id, security_group_ids, public_ipv4, answers, 1 as subnets, true as is_guarded, true as any_port
from services
union all by name
select account_id, region, arn, 'function' as kind, unnest(subnet_ids) as subnet_id, vpc_id, security_group_ids, false as answers, 1 as subnets, true as is_guarded, false as any_port
from aws_lambda_function
union all by name
select account_id, region, arn, kind, subnet_id, vpc_id, security_group_ids, public_ipv4, answers, subnets, true as is_guarded, false as any_port
from placed
