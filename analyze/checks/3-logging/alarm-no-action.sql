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
-- An alarm without actions may still be a part of one that has some.
composed as (
    select account_id, region, string_agg(alarm_rule, ' ') as rules
    from aws_cloudwatch_composite_alarm
    where actions_enabled and len(alarm_actions) > 0
    group by account_id, region
)
select
    a.account_id,
    a.region,
    a.arn as resource_arn,
    (not a.actions_enabled or coalesce(len(a.alarm_actions), 0) = 0) and not coalesce(contains(c.rules, a.alarm_name), false) as failed,
    case
        when a.actions_enabled and len(a.alarm_actions) > 0 then 'has an action'
        when contains(c.rules, a.alarm_name) then 'is a part of an alarm that has an action'
        when not a.actions_enabled then 'its actions are disabled'
        else 'has no action'
    end as reason,
    {'alarm_name': a.alarm_name, 'actions': a.alarm_actions} as evidence
from alarms as a
left join composed as c on c.account_id = a.account_id and c.region = a.region
