-- One row per port on which a load balancer, a database or a cache listens; a null port is not known.
with unread as (
    select distinct account_id, region, resource_arn
    from gaps
    where table_name = 'aws_elbv2_listener' or table_name is null
)
select
    account_id, region, load_balancer_arn as arn, arn as listener_arn, port,
    unnest(case when protocol in ('TCP_UDP', 'TCP_QUIC') then ['tcp', 'udp'] when protocol in ('UDP', 'QUIC') then ['udp'] else ['tcp'] end) as protocol,
    concat(protocol, ' ', port) as words
from aws_elbv2_listener
where protocol is distinct from 'GENEVE'
union all by name
select b.account_id, b.region, b.arn, null as port, null as protocol, 'listeners' as words
from aws_elbv2_load_balancer as b
where exists (
    select 1
    from unread as u
    where u.account_id = b.account_id and u.region in (b.region, 'global') and (u.resource_arn is null or u.resource_arn = b.arn)
)
union all by name
select
    account_id, region, arn, try_cast(listener ->> '$.Listener.LoadBalancerPort' as integer) as port, 'tcp' as protocol,
    concat(listener ->> '$.Listener.Protocol', ' ', listener ->> '$.Listener.LoadBalancerPort') as words
from (select account_id, region, arn, unnest(as_objects(listeners)) as listener from aws_elb_load_balancer)
union all by name
select account_id, region, arn, endpoint_port as port, 'tcp' as protocol, concat(engine, ' ', endpoint_port) as words
from aws_rds_db_instance
union all by name
select account_id, region, arn, endpoint_port as port, 'tcp' as protocol, concat('redshift ', endpoint_port) as words
from aws_redshift_cluster
union all by name
select
    account_id, region, arn,
    coalesce(try_cast(config ->> '$.ConfigurationEndpoint.Port' as integer), try_cast(config ->> '$.CacheNodes[0].Endpoint.Port' as integer)) as port,
    'tcp' as protocol, engine as words
from aws_elasticache_cluster
union all by name
select account_id, region, arn, 443 as port, 'tcp' as protocol, 'HTTPS' as words
from aws_opensearch_domain
where in_vpc
