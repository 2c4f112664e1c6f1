/*
title = "Nobody deletes more at once than is usual"
severity = "critical"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Take the principal's credential out of use first and ask then. Restore from backups in the order of importance; name deployment and clean-up roles under cloudtrail.automation."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/whitepapers/latest/aws-security-incident-response-guide/aws-security-incident-response-guide.html"]
*/
-- Things deleted, not calls: one call can name twenty, and a call that is repeated deletes nothing more. What goes with a stack is
-- the one deletion of the stack. Usual is twice the worst window of a day in the days before.
with things as (
    select *, strftime(event_time, '%Y-%m-%d') as day
    from destructive_calls
    where principal is not null and not by_service
    qualify row_number() over (partition by account_id, principal, event_name, part, coalesce(resource_arn, target, event_id), strftime(event_time, '%Y-%m-%d') order by succeeded desc, event_time, event_id) = 1
),
windows as (
    select *, count(*) over (partition by account_id, principal order by event_time range between to_minutes(setting('deletion_minutes')) preceding and current row) as in_window
    from things
),
-- A deletion belongs to a burst when a window that ends with it or soon after holds enough.
bursts as (
    select *, max(in_window) over (partition by account_id, principal order by event_time range between current row and to_minutes(setting('deletion_minutes')) following) as peak
    from windows
),
days as (
    select
        account_id, principal, day, peak,
        max(peak) over (partition by account_id, principal order by day::date range between to_days(setting('baseline_days')) preceding and interval 1 day preceding) as usual
    from (select account_id, principal, day, max(in_window) as peak from windows group by account_id, principal, day)
)
select
    b.account_id,
    min(b.region order by b.event_time, b.event_id) as region,
    b.principal as resource_arn,
    b.day as discriminator,
    true as failed,
    case
        when bool_and(not b.succeeded) then 'high'
        -- All of it is known, and nothing of it critical or a backup.
        when bool_and(coalesce(b.critical is false and b.kind = 'resource', false)) then 'high'
    end as severity,
    count(*) || ' things were ' || case when bool_and(not b.succeeded) then 'to be ' else '' end || 'deleted on ' || b.day || ' ('
        || array_to_string(list_sort(list(distinct b.resource_type))[:4], ', ') || case when count(distinct b.resource_type) > 4 then ' and others' else '' end || '), '
        || case when any_value(d.usual) is null then 'none' else 'at most ' || any_value(d.usual) end || ' within ' || setting('deletion_minutes') || ' minutes in the '
        || setting('baseline_days') || ' days before: ' || traced(call) as reason,
    {
        'trace': trace(call), 'resource_types': list_sort(list(distinct b.resource_type)), 'resources': list_sort(list(distinct b.resource_arn))[:50],
        'critical': list_sort(list(distinct b.resource_arn) filter (where b.critical))[:20], 'peak': any_value(d.peak), 'usual': any_value(d.usual),
        'first_event_id': min(b.event_id order by b.event_time, b.event_id)
    } as evidence
from bursts as b
join days as d on d.account_id = b.account_id and d.principal = b.principal and d.day = b.day
where b.peak >= setting('deletions') and d.peak > 2 * coalesce(d.usual, 0) and not is_automation(b.principal)
group by b.account_id, b.principal, b.day
having bool_or(b.judged)
