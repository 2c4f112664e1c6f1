/*
title = "Nobody collects the passwords or start scripts of instances"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who read them. If nobody did, take the credential out of use and change the secrets that stand in the user data; secrets belong into Secrets Manager."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetPasswordData.html"]
*/
-- Inventories and infrastructure as code read user data all the time: half as many instances within an hour of a day before
-- are a habit. At the beginning of an account's history nothing has a day before; there three other days are.
with reads as (
    select *, strftime(event_time, '%Y-%m-%d') as day, coalesce(request_parameters ->> '$.instanceId', nullif(regexp_extract(denied_resource, ':instance/(i-[0-9a-f]+)$', 1), '')) as instance_id
    from events
    where event_source = 'ec2.amazonaws.com' and event_name in (values ('GetPasswordData'), ('DescribeInstanceAttribute'), (''))
        and (event_name = 'GetPasswordData' or request_parameters ->> '$.attribute' = 'userData')
        and not by_service and (succeeded or denied) and principal is not null
),
windows as (
    select
        *,
        -- The request of a denied call may not be recorded: each is one instance then.
        count(distinct coalesce(instance_id, event_id)) over (
            partition by account_id, principal order by event_time range between interval 1 hour preceding and current row
        ) as in_window
    from reads
),
days as (
    select account_id, principal, day, max(in_window) as peak
    from windows
    group by all
),
habits as (
    select
        *,
        max(peak) over (partition by account_id, principal order by day rows between unbounded preceding and 1 preceding) as before,
        count(*) filter (where peak * 2 >= setting('instance_reads')) over (partition by account_id, principal) as days
    from days
),
bursts as (
    select r.*, b.peak
    from habits as b
    join histories as h on h.account_id = b.account_id
    join reads as r on r.account_id = b.account_id and r.principal = b.principal and r.day = b.day
    where b.peak >= setting('instance_reads') and (b.before is null or b.before * 2 < b.peak)
        and not (b.days > 3 and b.day < strftime(h.first_time + to_days(setting('baseline_days')), '%Y-%m-%d'))
)
select
    account_id,
    first(region order by event_time, event_id) as region,
    principal as resource_arn,
    day as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'low' end as severity,
    case
        when bool_and(event_name = 'GetPasswordData') then 'passwords'
        when bool_or(event_name = 'GetPasswordData') then 'passwords and user data'
        else 'user data'
    end || ' of ' || any_value(peak) || ' instances within an hour were '
        || case when bool_or(succeeded) then 'read ' else 'asked for ' end || traced(call) as reason,
    {'trace': trace(call), 'instance_ids': list_sort(list(distinct instance_id) filter (where instance_id is not null))[:50], 'first_event_id': first(event_id order by event_time, event_id)} as evidence
from bursts
where not is_automation(principal)
group by account_id, principal, day
having bool_or(judged)
