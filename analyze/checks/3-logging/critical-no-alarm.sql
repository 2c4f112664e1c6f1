/*
title = "Critical resources are watched by an alarm that tells somebody"
severity = "medium"
tables = ["aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm", "resources", "relationships"]
operations = ["DescribeAlarms"]
absence = true
remediation = "Agree with the owner which metric shows first that the resource fails, and set an alarm on it with an action that somebody reads."
links = ["https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Best_Practice_Recommended_Alarms_AWS_Services.html"]
*/
-- The dimension by which the metrics of a type name the resource; `namespaces` where others use the dimension too. Types
-- that are not here have no metrics by which one sees them fail.
with dimensions as (
    from (values
        ('apigateway:restapis', 'ApiName', null),
        ('apigateway:apis', 'ApiId', null),
        ('autoscaling:autoScalingGroup', 'AutoScalingGroupName', null),
        ('cloudfront:distribution', 'DistributionId', null),
        ('dynamodb:table', 'TableName', null),
        ('ec2:instance', 'InstanceId', null),
        ('ec2:natgateway', 'NatGatewayId', null),
        ('ecs:service', 'ServiceName', null),
        ('eks:cluster', 'ClusterName', ['ContainerInsights', 'AWS/EKS']),
        ('elasticache:cluster', 'CacheClusterId', null),
        ('elasticache:replicationgroup', 'ReplicationGroupId', null),
        ('elasticfilesystem:file-system', 'FileSystemId', null),
        ('elasticloadbalancing:loadbalancer', 'LoadBalancer', null),
        ('elasticloadbalancing:loadbalancer', 'LoadBalancerName', null),
        ('es:domain', 'DomainName', null),
        ('firehose:deliverystream', 'DeliveryStreamName', null),
        ('kinesis:stream', 'StreamName', null),
        ('lambda:function', 'FunctionName', null),
        ('rds:cluster', 'DBClusterIdentifier', null),
        ('rds:db', 'DBInstanceIdentifier', null),
        ('redshift:cluster', 'ClusterIdentifier', null),
        ('sqs:queue', 'QueueName', null),
        ('states:stateMachine', 'StateMachineArn', null)
    ) as t(resource_type, dimension, namespaces)
),
-- The instances of a group come and go; the group is judged.
grouped as (
    select distinct account_id, from_arn as arn
    from relationships
    where kind = 'member_of' and to_arn like '%:autoScalingGroup:%'
),
critical as (
    select r.account_id, r.region, r.arn, r.name, r.resource_type, r.tags is null as untold
    from resources as r
    join resource_context as c on c.account_id = r.account_id and c.arn = r.arn
    left join config_importance as i on i.level = c.importance
    anti join grouped as g on g.account_id = r.account_id and g.arn = r.arn
    where (i.critical or r.tags is null and c.taggable)
        and r.resource_type in (select resource_type from dimensions)
        -- What does not run has no metrics: the state stands behind the type of an instance.
        and not (r.resource_type = 'ec2:instance' and coalesce(split_part(r.summary, ' · ', 2) in ('stopping', 'stopped', 'shutting-down', 'terminated'), false))
),
-- A database is watched with its cluster, and a cluster by its members.
related as (
    select account_id, arn, arn as watched_arn
    from critical
    union
    select c.account_id, c.arn, m.to_arn
    from critical as c
    join relationships as m on m.account_id = c.account_id and m.from_arn = c.arn
    where m.kind = 'member_of' and m.to_arn is not null
    union
    select c.account_id, c.arn, m.from_arn
    from critical as c
    join relationships as m on m.account_id = c.account_id and m.to_arn = c.arn
    where m.kind = 'member_of' and m.from_arn is not null and c.resource_type in ('rds:cluster', 'elasticache:replicationgroup')
),
named as (
    select
        x.account_id, x.arn, r.region, d.dimension, d.namespaces,
        case
            when d.dimension = 'ApiName' then r.name
            when d.dimension = 'StateMachineArn' then r.arn
            when d.dimension = 'LoadBalancer' then regexp_extract(r.arn, ':loadbalancer/(.*/.*)$', 1)
            else arn_tail(r.arn)
        end as value,
        -- Services of two clusters may have the same name.
        case when r.resource_type = 'ecs:service' then split_part(r.arn, '/', 2) end as cluster_name
    from related as x
    join resources as r on r.account_id = x.account_id and r.arn = x.watched_arn
    join dimensions as d on d.resource_type = r.resource_type
),
metrics as (
    select account_id, account_id as metric_account_id, region, arn, alarm_name, namespace, dimensions
    from aws_cloudwatch_metric_alarm
    union all
    select account_id, coalesce(metric ->> '$.AccountId', account_id), region, arn, alarm_name, metric ->> '$.MetricStat.Metric.Namespace', metric -> '$.MetricStat.Metric.Dimensions'
    from (select account_id, region, arn, alarm_name, unnest(as_objects(metrics)) as metric from aws_cloudwatch_metric_alarm)
),
pairs as (
    select
        account_id, metric_account_id, region, arn, alarm_name, namespace,
        pair ->> '$.Name' as dimension, pair ->> '$.Value' as value,
        list_filter(pairs, lambda p: p ->> '$.Name' = 'ClusterName')[1] ->> '$.Value' as cluster_name
    from (select * exclude (dimensions), as_objects(dimensions) as pairs, unnest(as_objects(dimensions)) as pair from metrics)
),
acting as (
    select distinct account_id, arn
    from alarm_actions
),
alarmed as (
    select
        n.account_id, n.arn,
        bool_or(a.arn is not null) as told,
        string_agg(distinct p.alarm_name, ', ' order by p.alarm_name) filter (where a.arn is not null) as telling,
        string_agg(distinct p.alarm_name, ', ' order by p.alarm_name) as alarms
    from named as n
    join pairs as p on p.metric_account_id = n.account_id and p.dimension = n.dimension and p.value = n.value and (p.region = n.region or n.region = 'global')
    left join acting as a on a.account_id = p.account_id and a.arn = p.arn
    where (n.namespaces is null or list_contains(n.namespaces, p.namespace))
        and (n.cluster_name is null or p.cluster_name = n.cluster_name)
    group by n.account_id, n.arn
),
-- An alarm on a query may watch whatever has the dimension.
queries as (
    select account_id, region, string_agg(metric ->> '$.Expression', ' ') as text
    from (select account_id, region, unnest(as_objects(metrics)) as metric from aws_cloudwatch_metric_alarm)
    where regexp_matches(metric ->> '$.Expression', '^\s*SELECT\s', 'i')
    group by account_id, region
),
queried as (
    select distinct n.account_id, n.arn
    from named as n
    join queries as q on q.account_id = n.account_id and (q.region = n.region or n.region = 'global')
    where contains(q.text, n.dimension)
)
select
    c.account_id,
    c.region,
    c.arn as resource_arn,
    case when a.told then false when c.untold or q.arn is not null then null else true end as failed,
    case
        when a.told then 'watched by ' || a.telling
        when c.untold then 'its tags could not be read: whether it is critical is not known'
        when q.arn is not null then 'whether the query of an alarm watches it is not known'
        when a.alarms is not null then 'its alarms tell nobody: ' || a.alarms
        else 'no alarm watches it'
    end as reason,
    {'type': c.resource_type, 'alarms': a.alarms} as evidence
from critical as c
left join alarmed as a on a.account_id = c.account_id and a.arn = c.arn
left join queried as q on q.account_id = c.account_id and q.arn = c.arn
