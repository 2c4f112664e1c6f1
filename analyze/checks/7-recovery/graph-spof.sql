/*
title = "Nothing critical depends on a single node"
severity = "high"
tables = [
    "aws_ec2_instance", "aws_rds_db_instance", "aws_elasticache_cluster", "aws_elasticache_replication_group", "aws_opensearch_domain",
    "aws_redshift_cluster", "aws_ec2_nat_gateway", "aws_ec2_security_group", "aws_ec2_route_table", "aws_ec2_subnet",
    "aws_elbv2_target_group", "aws_elbv2_load_balancer", "aws_lambda_function", "aws_ecs_service", "relationships",
]
remediation = "Give it a second one in another zone: an Auto Scaling group, a standby, a replication group, a NAT gateway per zone."
*/
-- Judged are nodes that nothing takes over from: machines outside Auto Scaling groups, databases, caches, search domains and
-- warehouses of one node, and a VPC's only zonal NAT gateway. One fails when a critical resource can't do without it:
--   a load balancer needs each of its target groups, a target group its only target;
--   what a security group of its own system lets in needs each data store behind that group, and its only machine;
--   what runs in a subnet needs the NAT gateway its route table leads to;
--   a target group all of whose targets need something needs it too.
-- Names that lead to one machine are the matter of dns-to-instance.
with recursive facts as (
    select account_id, region, arn, 'a machine outside an Auto Scaling group' as what, auto_scaling_group_name is null as alone
    from aws_ec2_instance
    where state = 'running'
    union all
    select account_id, region, arn, 'a database without a standby', not multi_az and coalesce(len(read_replica_identifiers), 0) = 0
    from aws_rds_db_instance
    where db_cluster_identifier is null and read_replica_source is null and read_replica_source_cluster is null
    union all
    select k.account_id, k.region, k.arn, 'a cache of one node', case when k.replication_group_id is null then k.num_cache_nodes = 1 else g.member_count = 1 end
    from aws_elasticache_cluster as k
    left join aws_elasticache_replication_group as g on g.account_id = k.account_id and g.region = k.region and g.replication_group_id = k.replication_group_id
    union all
    select account_id, region, arn, 'a search domain of one node', instance_count = 1
    from aws_opensearch_domain
    where not coalesce(deleted, false)
    union all
    select account_id, region, arn, 'a warehouse of one node', number_of_nodes = 1 and lower(coalesce(multi_az, 'disabled')) <> 'enabled'
    from aws_redshift_cluster
    union all
    select account_id, region, arn, 'the only NAT gateway of its VPC', count(*) over (partition by account_id, region, vpc_id) = 1 and coalesce(availability_mode, 'zonal') = 'zonal'
    from aws_ec2_nat_gateway
    where state = 'available'
),
lone as (
    select * from facts where alone is distinct from false
),
nodes as (
    select c.account_id, c.arn, c.name, c.system, c.resource_type, coalesce(i.critical, false) as is_critical
    from resource_context as c
    left join config_importance as i on i.level = c.importance
    where c.resource_type in (
        'ec2:instance', 'rds:db', 'elasticache:cluster', 'es:domain', 'redshift:cluster', 'lambda:function', 'ecs:service',
        'elasticloadbalancing:loadbalancer', 'elasticloadbalancing:targetgroup'
    )
),
-- What carries a security group, by system: such a set needs and is needed as one.
members as (
    select distinct n.account_id, r.to_arn as group_arn, n.system, r.to_arn || ' ' || n.system as set_key, n.arn, n.resource_type, n.is_critical
    from relationships as r
    join nodes as n on n.account_id = r.account_id and n.arn = r.from_arn
    where r.kind = 'has_security_group' and r.to_arn is not null and n.system is not null
),
servers as (
    select account_id, group_arn, system, arn, resource_type
    from members
    where resource_type in ('ec2:instance', 'rds:db', 'elasticache:cluster', 'es:domain', 'redshift:cluster')
    -- Machines of one group stand in for each other, data stores hold each its own.
    qualify resource_type <> 'ec2:instance' or count(*) filter (where resource_type = 'ec2:instance') over (partition by account_id, group_arn, system) = 1
),
lets_in as (
    select distinct account_id, from_arn, to_arn, detail
    from relationships
    where kind = 'allows' and from_arn is not null and from_arn <> to_arn
        -- Whoever logs in does not depend on what it administers.
        and coalesce(detail, '-1') not in ('tcp/22', 'tcp/3389', 'tcp/5985', 'tcp/5986') and coalesce(detail, '-1') not like 'icmp%'
),
targets as (
    select distinct r.account_id, r.from_arn, r.to_arn, r.from_arn like '%:targetgroup/%' as of_group
    from relationships as r
    where r.kind = 'targets' and (r.from_arn like '%:targetgroup/%' or r.from_arn like '%:loadbalancer/%')
),
only_targets as (
    select account_id, from_arn, min(to_arn) as to_arn
    from targets
    where of_group
    group by account_id, from_arn
    having count(*) = 1
),
covered_groups as (
    select t.account_id, t.from_arn, m.set_key
    from (select *, count(*) over (partition by account_id, from_arn) as targets from targets where of_group and to_arn not like '%:autoScalingGroup:%') as t
    join members as m on m.account_id = t.account_id and m.arn = t.to_arn
    group by t.account_id, t.from_arn, m.set_key, t.targets
    having count(distinct t.to_arn) = t.targets
),
way_out as (
    select distinct s.account_id, s.to_arn as subnet_arn, n.to_arn as nat_arn
    from relationships as n
    join relationships as s on s.account_id = n.account_id and s.from_arn = n.from_arn and s.kind = 'associated_with'
    where n.kind = 'routes_to' and n.detail = '0.0.0.0/0' and n.to_arn like '%:natgateway/%'
),
-- What fails (consumer) without what (provider).
needs as (
    select account_id, from_arn as consumer, to_arn as provider from only_targets
    union
    select account_id, from_arn, to_arn from targets where not of_group and to_arn is not null
    union
    select account_id, from_arn, set_key from covered_groups
    union
    select m.account_id, m.arn, m.set_key from members as m where m.is_critical
    union
    select l.account_id, l.from_arn || ' ' || s.system, s.arn
    from lets_in as l
    join servers as s on s.account_id = l.account_id and s.group_arn = l.to_arn
    union
    select r.account_id, r.from_arn, w.nat_arn
    from way_out as w
    join relationships as r on r.account_id = w.account_id and r.to_arn = w.subnet_arn and r.kind = 'in_subnet'
    join nodes as n on n.account_id = r.account_id and n.arn = r.from_arn and n.is_critical and n.resource_type in ('ec2:instance', 'lambda:function', 'ecs:service')
),
-- Pairs, each once: cycles end by themselves.
reach as (
    select account_id, arn as node, arn as reached from lone
    union
    select r.account_id, r.node, n.consumer
    from reach as r
    join needs as n on n.account_id = r.account_id and n.provider = r.reached
),
dependents as (
    select r.account_id, r.node, count(*) as dependents, list(n.arn order by n.arn)[:10] as arns, min(coalesce(n.name, arn_tail(n.arn))) as example
    from reach as r
    join nodes as n on n.account_id = r.account_id and n.arn = r.reached and n.is_critical and n.arn <> r.node
    group by r.account_id, r.node
)
select
    l.account_id,
    l.region,
    l.arn as resource_arn,
    case when d.node is null then false when l.alone then true end as failed,
    case
        when d.node is null then 'nothing critical is known to depend on it alone'
        when l.alone then l.what || ', without which '
            || case when d.dependents = 1 then d.example else d.example || ' and ' || d.dependents - 1 || ' more critical resources' end
            || case when l.arn like '%:natgateway/%' then ' would have no way out' when d.dependents = 1 then ' fails' else ' fail' end
        else 'whether something takes over from it is not known'
    end as reason,
    {'dependents': d.arns, 'count': d.dependents} as evidence
from lone as l
left join dependents as d on d.account_id = l.account_id and d.node = l.arn
