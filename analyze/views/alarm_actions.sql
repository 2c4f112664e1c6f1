-- One row per alarm and action that follows when it goes off: its own, or one of an alarm that combines it.
with recursive alarms as (
    select account_id, region, arn, alarm_name, actions_enabled, alarm_actions
    from aws_cloudwatch_metric_alarm
    union all
    select account_id, region, arn, alarm_name, actions_enabled, alarm_actions
    from aws_cloudwatch_composite_alarm
),
rules as (
    -- An alarm that must not have gone off holds another one back, it does not set it off.
    select account_id, region, arn, regexp_replace(alarm_rule, '\bNOT\s*\(?\s*ALARM\s*\(', '(', 'g') as alarm_rule
    from aws_cloudwatch_composite_alarm
),
parts as (
    select distinct account_id, region, arn, regexp_replace(part, '^arn:[^"]*:alarm:', '') as part_name
    from (select account_id, region, arn, unnest(regexp_extract_all(alarm_rule, '\bALARM\s*\(\s*"?([^")]*[^")\s])"?\s*\)', 1)) as part from rules)
),
combined as (
    select account_id, region, arn, alarm_name, arn as acting_arn, alarm_name as acting_name
    from alarms
    union
    select c.account_id, c.region, c.arn, c.alarm_name, a.arn, a.alarm_name
    from combined as c
    join parts as p on p.account_id = c.account_id and p.region = c.region and p.part_name = c.acting_name
    join alarms as a on a.account_id = p.account_id and a.arn = p.arn
)
select c.account_id, c.region, c.arn, c.alarm_name, c.acting_arn, unnest(a.alarm_actions) as action
from combined as c
join alarms as a on a.account_id = c.account_id and a.arn = c.acting_arn
where a.actions_enabled
