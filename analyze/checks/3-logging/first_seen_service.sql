/*
title = "No service is used that was never used before"
severity = "low"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who needs the service. What nobody needs can be denied to the whole account by a service control policy."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples.html"]
*/
-- New to the account, not to one of its principals: new versions of applications use other services all the time. Reading is
-- no use, since pages of the console ask services that nobody has heard of; running, sending and starting is, even where
-- CloudTrail calls it reading. Reading and writing data, which a trail may record from some day on, says nothing.
with uses as (
    select account_id, event_source, principal, event_name, first_seen, calls > by_service as by_somebody
    from activity
    where (not read_only or regexp_matches(event_name, '^(Invoke|Converse|Start|Run|Send|Execute)'))
        and event_source <> 'signin.amazonaws.com'
),
services as (
    select account_id, event_source, min(first_seen) as first_time, first(principal order by first_seen, principal) as principal
    from uses
    group by all
    having min(first_seen) filter (where by_somebody) = min(first_seen)
),
fresh as (
    select s.*
    from services as s
    join histories as h on h.account_id = s.account_id
    where s.first_time >= h.first_time + to_days(setting('baseline_days')) and not is_automation(s.principal)
)
select
    e.account_id,
    first(e.region order by e.event_time, e.event_id) as region,
    f.principal as resource_arn,
    f.event_source as discriminator,
    true as failed,
    case when bool_or(coalesce(starts_with(e.identity_access_key_id, 'AKIA'), false)) then 'medium' else 'low' end as severity,
    'nobody had used ' || split_part(f.event_source, '.', 1) || ' before ' || array_to_string(list_sort(list(distinct e.event_name))[:5], ', ')
        || ' ' || traced(e.call) as reason,
    {
        'trace': trace(e.call),
        'operations': list_sort(list(distinct e.event_name))[:30],
        'first_event_id': first(e.event_id order by e.event_time, e.event_id)
    } as evidence
from fresh as f
join events as e
    on e.account_id = f.account_id and e.event_source = f.event_source
    and e.event_time >= f.first_time and e.event_time < f.first_time + interval 1 day
semi join uses as u on u.account_id = e.account_id and u.event_source = e.event_source and u.event_name = e.event_name
where e.event_name in (select event_name from uses) and not e.by_service and e.event_category is distinct from 'Data'
group by e.account_id, f.principal, f.event_source
having bool_or(e.judged)
union all by name
select * from short_histories
