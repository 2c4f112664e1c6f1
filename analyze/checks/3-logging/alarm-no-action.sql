/*
title = "Alarms reach somebody"
severity = "high"
tables = ["aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"]
remediation = "Give the alarm an action that somebody reads, and enable its actions."
command = "aws cloudwatch enable-alarm-actions --region {region} --alarm-names {alarm_name}"
*/
with alarms as (
    select account_id, region, arn, alarm_name, actions_enabled, alarm_actions
    from aws_cloudwatch_metric_alarm
    union all
    select account_id, region, arn, alarm_name, actions_enabled, alarm_actions
    from aws_cloudwatch_composite_alarm
),
acting as (
    select account_id, arn, bool_or(acting_arn <> arn) as by_another
    from alarm_actions
    group by account_id, arn
)
select
    a.account_id,
    a.region,
    a.arn as resource_arn,
    case when c.arn is not null then false else not a.actions_enabled or coalesce(len(a.alarm_actions), 0) = 0 end as failed,
    case
        when a.actions_enabled and len(a.alarm_actions) > 0 then 'has an action'
        -- An alarm without actions may still be a part of one that has some.
        when c.by_another then 'is a part of an alarm that has an action'
        when not a.actions_enabled then 'its actions are disabled'
        else 'has no action'
    end as reason,
    {'alarm_name': a.alarm_name, 'actions': a.alarm_actions} as evidence
from alarms as a
left join acting as c on c.account_id = a.account_id and c.arn = a.arn
