/*
title = "Everything the internet reaches is scanned from outside"
severity = "info"
tables = ["aws_ec2_network_interface", "aws_ec2_security_group", "aws_elbv2_load_balancer", "aws_elbv2_listener", "aws_elb_load_balancer", "aws_rds_db_instance", "aws_redshift_cluster", "aws_cloudfront_distribution", "aws_apigateway_rest_api", "aws_apigatewayv2_api", "aws_lambda_function", "aws_opensearch_domain", "aws_eks_cluster"]
operations = ["DescribeNetworkInterfaces", "DescribeSecurityGroups", "DescribeLoadBalancers", "DescribeListeners", "DescribeDBInstances", "DescribeClusters", "ListDistributions", "GetRestApis", "GetApis", "ListFunctions", "ListFunctionUrlConfigs", "ListDomainNames", "DescribeDomains", "ListClusters", "DescribeCluster"]
remediation = "Put the endpoint into the scope of the external scan and of the next penetration test, or close it."
links = ["https://docs.aws.amazon.com/whitepapers/latest/aws-vulnerability-scanning/aws-vulnerability-scanning.html"]
*/
-- Endpoints by name or address. The scope leans to more: routes, network ACLs, policies of APIs and logins are what a scan is to
-- find out about, not what takes an endpoint out of it.
with world as (
    select account_id, region, group_id, protocol, from_port, to_port, ports, contains(cidr, ':') as is_ipv6
    from world_ingress
),
-- Addresses of interfaces; those of load balancers and databases stand under their names below, NAT gateways let nothing in.
addresses as (
    select
        n.account_id, n.region, n.security_group_ids,
        case when n.instance_id is not null then concat('arn:', split_part(n.arn, ':', 2), ':ec2:', n.region, ':', n.account_id, ':instance/', n.instance_id) else n.arn end as arn,
        unnest(list_distinct(list_filter(list_concat([n.public_ip], coalesce(n.public_ips, []), coalesce(n.ipv6_addresses, [])), lambda ip: ip is not null))) as host
    from aws_ec2_network_interface as n
    where coalesce(n.interface_type, 'interface') in ('interface', 'efa', 'branch', 'trunk')
        and not coalesce(starts_with(n.description, 'ELB ') or n.description in ('RDSNetworkInterface', 'RedshiftNetworkInterface'), false)
),
guarded as (
    select a.account_id, a.region, a.arn, a.host, null::varchar as protocol, null::integer as port, unnest(a.security_group_ids) as group_id
    from addresses as a
    union all
    select d.account_id, d.region, d.arn, d.endpoint_address, 'tcp', d.endpoint_port, unnest(d.security_group_ids)
    from aws_rds_db_instance as d
    where d.publicly_accessible
    union all
    select c.account_id, c.region, c.arn, c.endpoint_address, 'tcp', c.endpoint_port, unnest(c.security_group_ids)
    from aws_redshift_cluster as c
    where c.publicly_accessible
    union all
    select b.account_id, b.region, b.arn, b.dns_name, case when l.protocol in ('UDP', 'QUIC') then 'udp' when l.protocol in ('TCP_UDP', 'TCP_QUIC') then null else 'tcp' end, l.port, unnest(b.security_group_ids)
    from aws_elbv2_load_balancer as b
    join aws_elbv2_listener as l on l.account_id = b.account_id and l.load_balancer_arn = b.arn
    where b.scheme = 'internet-facing'
    union all
    select b.account_id, b.region, b.arn, b.dns_name, 'tcp', try_cast(listener ->> '$.Listener.LoadBalancerPort' as integer), unnest(b.security_group_ids)
    from (select *, unnest(as_objects(listeners)) as listener from aws_elb_load_balancer where scheme = 'internet-facing') as b
),
admitted as (
    select g.account_id, g.region, g.arn, g.host, case when g.port is null then w.ports else coalesce(g.protocol || '/', '') || g.port end as ports
    from guarded as g
    join world as w on w.account_id = g.account_id and w.region = g.region and w.group_id = g.group_id
    where case when g.port is null then w.is_ipv6 = contains(g.host, ':') else covers_port(w.from_port, w.to_port, g.port) end
        and (g.protocol is null or w.protocol in (g.protocol, '-1'))
),
-- What stands open without a security group.
open as (
    select b.account_id, b.region, b.arn, b.dns_name as host, case when l.protocol in ('UDP', 'QUIC') then 'udp/' when l.protocol in ('TCP_UDP', 'TCP_QUIC') then '' else 'tcp/' end || l.port as ports
    from aws_elbv2_load_balancer as b
    join aws_elbv2_listener as l on l.account_id = b.account_id and l.load_balancer_arn = b.arn
    where b.scheme = 'internet-facing' and coalesce(len(b.security_group_ids), 0) = 0
    union all
    select account_id, region, arn, unnest(list_prepend(domain_name, coalesce(aliases, []))), 'tcp/80, tcp/443'
    from aws_cloudfront_distribution
    where enabled
    union all
    select account_id, region, arn, concat(api_id, '.execute-api.', region, '.', if(arn like 'arn:aws-cn:%', 'amazonaws.com.cn', 'amazonaws.com')), 'tcp/443'
    from aws_apigateway_rest_api
    where not list_contains(endpoint_types, 'PRIVATE') and not coalesce(execute_api_endpoint_disabled, false)
    union all
    select account_id, region, arn, regexp_extract(endpoint, '^[a-z]+://([^/]+)', 1), 'tcp/443'
    from aws_apigatewayv2_api
    where not coalesce(execute_api_endpoint_disabled, false)
    union all
    select account_id, region, arn, regexp_extract(url, '^[a-z]+://([^/]+)', 1), 'tcp/443'
    from (select account_id, region, arn, unnest(urls) as url from aws_lambda_function where list_contains(url_auth_types, 'NONE'))
    union all
    select account_id, region, arn, endpoint, 'tcp/443'
    from aws_opensearch_domain
    where not in_vpc
    union all
    select account_id, region, arn, regexp_extract(endpoint, '^[a-z]+://([^/]+)', 1), 'tcp/443'
    from aws_eks_cluster
    where endpoint_public_access and len(list_filter(public_access_cidrs, lambda cidr: is_world(cidr))) > 0
),
endpoints as (
    select distinct account_id, region, arn, host, ports from admitted
    union
    select account_id, region, arn, host, ports from open
),
closed as (
    select distinct g.account_id, g.region, g.arn
    from guarded as g
    anti join endpoints as e on e.account_id = g.account_id and e.arn = g.arn
)
select
    e.account_id,
    e.region,
    e.arn as resource_arn,
    e.host || ' ' || e.ports as discriminator,
    true as failed,
    e.ports || ' of ' || e.host || ' can be reached from the internet'
        || case when c.system is null and c.owner is null then ', and nobody owns it' else '' end as reason,
    {'host': e.host, 'ports': e.ports, 'system': c.system, 'owner': c.owner} as evidence
from endpoints as e
left join resource_context as c on c.account_id = e.account_id and c.arn = e.arn
where e.host <> ''
union all by name
select
    account_id,
    region,
    arn as resource_arn,
    false as failed,
    'has a public address, where nothing is open to the internet' as reason
from closed
