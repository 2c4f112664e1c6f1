/*
title = "Somebody is told when a database is in trouble"
severity = "medium"
tables = ["aws_rds_db_instance", "aws_rds_db_cluster", "aws_rds_event_subscription", "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"]
absence = true
frameworks = { fsbp = ["RDS.19", "RDS.20"] }
remediation = "Set alarms with an action on processor, storage and connections, and subscribe to the failures that RDS tells of."
command = "aws rds create-event-subscription --region {region} --subscription-name database-failures --source-type {source_type} --event-categories failure --sns-topic-arn ... --enabled"
links = ["https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html"]
*/
with fleet as (
    select account_id, region, arn, db_instance_identifier as identifier, 'db-instance' as source_type, [db_instance_identifier] as instances, null as cluster
    from aws_rds_db_instance
    where db_cluster_identifier is null
    union all
    -- The alarms of its members watch a cluster too.
    select account_id, region, arn, db_cluster_identifier, 'db-cluster', coalesce(member_identifiers, []), db_cluster_identifier
    from aws_rds_db_cluster
),
names as (
    select account_id, region, arn, 'DBInstanceIdentifier' as dimension, lower(unnest(instances)) as identifier
    from fleet
    union all
    select account_id, region, arn, 'DBClusterIdentifier', lower(cluster)
    from fleet
    where cluster is not null
),
-- An alarm without an action counts when an alarm that has one is made of it.
composed as (
    select account_id, region, unnest(list_concat(regexp_extract_all(alarm_rule, '"([^"]+)"', 1), regexp_extract_all(alarm_rule, '\(\s*([^()"]+?)\s*\)', 1))) as alarm
    from aws_cloudwatch_composite_alarm
    where actions_enabled and len(alarm_actions) > 0
),
alarms as (
    select a.*
    from aws_cloudwatch_metric_alarm as a
    where a.actions_enabled and len(a.alarm_actions) > 0
    union
    select a.*
    from aws_cloudwatch_metric_alarm as a
    join composed as c on c.account_id = a.account_id and c.region = a.region and c.alarm in (a.alarm_name, a.arn)
),
-- What an alarm looks at: one metric, or those of its expressions.
metrics as (
    select account_id, region, alarm_name, namespace, metric_name, dimensions
    from alarms
    where metric_name is not null
    union all
    select account_id, region, alarm_name, metric ->> '$.MetricStat.Metric.Namespace', metric ->> '$.MetricStat.Metric.MetricName', metric -> '$.MetricStat.Metric.Dimensions'
    from (select account_id, region, alarm_name, unnest(as_objects(metrics)) as metric from alarms)
),
health as (
    select account_id, region, alarm_name, metric_name, as_objects(dimensions) as dimensions
    from metrics
    where namespace in ('AWS/RDS', 'AWS/DocDB', 'AWS/Neptune')
        and regexp_matches(metric_name, '^(CPU|DBLoad|Free|DatabaseConnections|AuroraVolumeBytesLeft|BurstBalance|EBSByteBalance|EBSIOBalance|DiskQueueDepth|MaximumUsedTransactionIDs)')
),
watched as (
    select n.account_id, n.arn, h.alarm_name, h.metric_name
    from (
        select account_id, region, alarm_name, metric_name, unnest(dimensions) as dimension
        from health
    ) as h
    join names as n on n.account_id = h.account_id and n.region = h.region and n.dimension = h.dimension ->> '$.Name' and n.identifier = lower(h.dimension ->> '$.Value')
    union all
    -- A metric without dimensions is that of all databases of the region.
    select f.account_id, f.arn, h.alarm_name, h.metric_name
    from health as h
    join fleet as f on f.account_id = h.account_id and f.region = h.region
    where len(h.dimensions) = 0
),
by_alarm as (
    select account_id, arn, min(alarm_name || ' on ' || metric_name) as example, list(distinct alarm_name order by alarm_name)[:10] as alarms
    from watched
    group by account_id, arn
),
subscriptions as (
    select account_id, region, subscription_name, source_type, source_ids
    from aws_rds_event_subscription
    where enabled and status = 'active'
        and (source_type is null or source_type in ('db-instance', 'db-cluster'))
        and (coalesce(len(event_categories), 0) = 0 or list_contains(event_categories, 'failure'))
),
subscribed as (
    select f.account_id, f.arn, s.subscription_name
    from subscriptions as s
    join fleet as f on f.account_id = s.account_id and f.region = s.region and coalesce(s.source_type, f.source_type) = f.source_type
    where coalesce(len(s.source_ids), 0) = 0
    union all
    select n.account_id, n.arn, s.subscription_name
    from (select account_id, region, subscription_name, source_type, lower(unnest(source_ids)) as source_id from subscriptions) as s
    join names as n on n.account_id = s.account_id and n.region = s.region and n.identifier = s.source_id
        and n.dimension = case s.source_type when 'db-instance' then 'DBInstanceIdentifier' else 'DBClusterIdentifier' end
),
by_subscription as (
    select account_id, arn, list(distinct subscription_name order by subscription_name)[:10] as subscriptions
    from subscribed
    group by account_id, arn
)
select
    f.account_id,
    f.region,
    f.arn as resource_arn,
    a.arn is null and s.arn is null as failed,
    case
        when a.arn is not null then 'watched by the alarm ' || a.example
        when s.arn is not null then 'its failures are sent to the subscription ' || s.subscriptions[1]
        else 'no alarm with an action watches it, and nobody is subscribed to its failures'
    end as reason,
    {'identifier': f.identifier, 'source_type': f.source_type, 'alarms': a.alarms, 'subscriptions': s.subscriptions} as evidence
from fleet as f
left join by_alarm as a on a.account_id = f.account_id and a.arn = f.arn
left join by_subscription as s on s.account_id = f.account_id and s.arn = f.arn
