/*
title = "Nobody deletes a kind of thing for the first time unnoticed"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask whether the principal was meant to do that. If it never needs to, take the permission away: `analyze` lists what is granted and not used."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"]
*/
-- Nothing is new in the first days of an account's history. What goes with a stack is the deletion of the stack.
with calls as materialized (
    select account_id, region, principal, resource_type, resource_arn, target, name, critical, kind, succeeded, event_id, event_time, event_name, judged, call
    from destructive_calls
    where principal is not null and not by_service
),
firsts as (
    select c.account_id, c.principal, c.resource_type, strftime(min(c.event_time), '%Y-%m-%d') as day
    from calls as c
    join event_coverage as v on v.account_id = c.account_id
    group by c.account_id, c.principal, c.resource_type, v.first_time
    having min(c.event_time) >= v.first_time + to_days(setting('baseline_days'))
)
select
    c.account_id,
    min(c.region order by c.event_time, c.event_id) as region,
    c.principal as resource_arn,
    c.day as discriminator,
    true as failed,
    case
        when bool_and(not c.succeeded) then 'low'
        when not bool_or(coalesce(c.critical, false) or c.kind = 'backup'
            or c.resource_type in ('rds:db', 'rds:cluster', 'dynamodb:table', 's3:bucket', 'ec2:volume', 'elasticfilesystem:file-system', 'redshift:cluster', 'es:domain', 'kms:key', 'route53:hostedzone', 'secretsmanager:secret')) then 'low'
    end as severity,
    'for the first time ' || array_to_string(list_sort(list(distinct c.resource_type))[:5], ', ') || case when bool_and(not c.succeeded) then ' was to be deleted ' else ' was deleted ' end || traced(call) as reason,
    {
        'trace': trace(call), 'resource_types': list_sort(list(distinct c.resource_type)), 'operations': list_sort(list(distinct c.event_name)),
        'resources': list_sort(list(distinct coalesce(c.resource_arn, c.target)))[:20], 'first_event_id': min(c.event_id order by c.event_time, c.event_id)
    } as evidence
from (
    select c.*, f.day
    from calls as c
    join firsts as f on f.account_id = c.account_id and f.principal = c.principal and f.resource_type = c.resource_type and f.day = strftime(c.event_time, '%Y-%m-%d')
) as c
where not is_automation(c.principal)
group by c.account_id, c.principal, c.day
having bool_or(c.judged)
