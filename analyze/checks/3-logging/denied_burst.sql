/*
title = "Nobody runs into a burst of denials"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Find out whether the principal is an application whose permissions are missing, or somebody who tries what a stolen credential can do; in doubt take the credential out of use."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"]
*/
-- A window is as long as the configuration says, slides with each denied call, and counts different operations: one
-- application that repeats one forbidden call is a misconfiguration, not a search.
with denials as (
    select *, event_source || ':' || event_name as operation
    from events
    where denied and not by_service and principal is not null
),
windows as (
    select
        *,
        count(*) over w as in_window,
        count(distinct operation) over w as operations
    from denials
    window w as (
        partition by account_id, principal order by event_time
        range between to_minutes(setting('denied_minutes')) preceding and current row
    )
),
peaks as (
    select account_id, principal, event_time as peak_time
    from windows
    where in_window >= setting('denied_calls') and operations >= setting('denied_operations')
),
-- Windows that overlap are one burst; a burst is named by its day.
bursts as (
    select d.*, strftime(d.event_time, '%Y-%m-%d') as day
    from denials as d
    semi join peaks as p
        on p.account_id = d.account_id and p.principal = d.principal
        and d.event_time between p.peak_time - to_minutes(setting('denied_minutes')) and p.peak_time
)
select
    account_id,
    first(region order by event_time, event_id) as region,
    principal as resource_arn,
    day as discriminator,
    true as failed,
    count(*) || ' calls of ' || count(distinct operation) || ' operations were denied on ' || day || ': ' || traced(call) as reason,
    {'trace': trace(call), 'operations': list_sort(list(distinct operation))[:30], 'first_event_id': first(event_id order by event_time, event_id)} as evidence
from bursts
where not is_automation(principal)
group by account_id, principal, day
having bool_or(judged)
