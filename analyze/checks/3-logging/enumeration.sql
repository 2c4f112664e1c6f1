/*
title = "Nobody looks around in the account who never did"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask whether it was an inventory, an audit or a new tool, and name it under cloudtrail.automation if it comes back. If it was nobody, find out what the credential can do and take it out of use."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html"]
*/
-- Different read operations within an hour, which begins at each half hour. Pages of the console call dozens by themselves and
-- don't count. Half as many on a day before are a habit: infrastructure as code, audits. At the beginning of an account's
-- history nothing has a day before; there three other days are. Most principals never call so many, as `activity` knows.
with curious as (
    select account_id, principal
    from activity
    where read_only
    group by all
    having count(distinct event_source || ':' || event_name) >= setting('enumeration_operations')
),
halves as (
    select e.account_id, e.principal, time_bucket(interval 30 minutes, e.event_time) as half, list(hash(e.event_source, e.event_name)) as operations
    from events as e
    semi join curious as c on c.account_id = e.account_id and c.principal = e.principal
    anti join (select user_agent from user_agents where product = 'browser') as b on b.user_agent = e.user_agent
    where e.read_only and not e.by_service and e.session_credential_from_console is distinct from true
    group by all
),
hours as (
    select account_id, principal, began, len(list_distinct(flatten(list(operations)))) as operations
    from (select *, unnest([half, half - interval 30 minutes]) as began from halves)
    group by all
),
days as (
    select
        account_id, principal, strftime(began, '%Y-%m-%d') as day,
        max(operations) as peak, first(began order by operations desc, began) as began
    from hours
    group by all
),
habits as (
    select
        *,
        max(peak) over (partition by account_id, principal order by day rows between unbounded preceding and 1 preceding) as before,
        count(*) filter (where peak * 2 >= setting('enumeration_operations')) over (partition by account_id, principal) as days
    from days
),
unusual as (
    select b.*
    from habits as b
    join histories as h on h.account_id = b.account_id
    where b.peak >= setting('enumeration_operations') and (b.before is null or b.before * 2 < b.peak)
        and not (b.days > 3 and b.day < strftime(h.first_time + to_days(setting('baseline_days')), '%Y-%m-%d'))
        and not is_automation(b.principal)
)
select
    e.account_id,
    first(e.region order by e.event_time, e.event_id) as region,
    e.principal as resource_arn,
    u.day as discriminator,
    true as failed,
    u.peak || ' different read operations of ' || count(distinct e.event_source) || ' services within an hour, ' || traced(e.call) as reason,
    {
        'trace': trace(e.call),
        'operations': list_sort(list(distinct e.event_source || ':' || e.event_name))[:50],
        'most_before': u.before,
        'first_event_id': first(e.event_id order by e.event_time, e.event_id)
    } as evidence
from unusual as u
join events as e
    on e.account_id = u.account_id and e.principal = u.principal
    and e.event_time >= u.began and e.event_time < u.began + interval 1 hour
where e.read_only and not e.by_service
group by e.account_id, e.principal, u.day, u.peak, u.before
having bool_or(e.judged)
