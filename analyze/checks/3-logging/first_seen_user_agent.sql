/*
title = "No application's credential is used with a tool for people, and no tool is new"
severity = "low"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask the owner of the application whether somebody works with its credential. If nobody does, take the credential out of use; if somebody does, give them a role of their own."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"]
*/
-- Products, not versions. People try tools, so that one new to a person says nothing; it counts when it is new to the whole
-- account, or when a principal that was steady (ten days or more, two products at most, no browser) takes to one that people
-- drive by hand. What a steady principal calls with another library is a new version of the application.
with products as (
    select u.account_id, u.principal, g.product, min(u.first_time) as first_time
    from callers as u
    join user_agents as g on g.user_agent = u.user_agent
    where g.product is not null
    group by all
),
-- What each principal had been like before a product was new to it.
before as (
    select
        p.account_id, p.principal, p.product, p.first_time,
        min(p.first_time) over (partition by p.account_id, p.product) as first_in_account,
        min(p.first_time) over (partition by p.account_id, p.principal) as known_since,
        count(*) over w as products_before,
        coalesce(bool_or(p.product = 'browser') over w, false) as browsed_before
    from products as p
    window w as (
        partition by p.account_id, p.principal order by p.first_time range between unbounded preceding and interval 1 microsecond preceding
    )
),
driven as (
    select b.*
    from before as b
    where b.product in ('aws-cli', 'browser', 'awspowershell', 's3 browser', 'cyberduck', 'penetration testing system')
        and b.products_before between 1 and 2 and not b.browsed_before
        and b.known_since <= b.first_time - to_days(setting('baseline_days'))
),
steady as (
    select d.account_id, d.principal, d.product
    from (select unnest(list(driven), max_depth := 2) from driven) as d
    join events as e on e.account_id = d.account_id and e.principal = d.principal and e.event_time < d.first_time::date
    where not e.by_service and e.user_agent is not null
    group by all
    having count(distinct e.event_time::date) >= 10
),
fresh as (
    select b.account_id, b.principal, b.product, b.first_time, s.product is not null as by_hand, b.first_time = b.first_in_account as in_account
    from before as b
    join histories as h on h.account_id = b.account_id
    left join steady as s on s.account_id = b.account_id and s.principal = b.principal and s.product = b.product
    where (s.product is not null or b.first_time = b.first_in_account)
        and b.first_time >= h.first_time + to_days(setting('baseline_days'))
),
calls as (
    select f.product, f.by_hand, f.in_account, e.*
    from fresh as f
    join user_agents as g on g.product = f.product
    join events as e
        on e.account_id = f.account_id and e.principal = f.principal and e.user_agent = g.user_agent
        and e.event_time >= f.first_time and e.event_time < f.first_time + interval 1 day
    where not e.by_service
)
select
    account_id,
    first(region order by event_time, event_id) as region,
    principal as resource_arn,
    product as discriminator,
    true as failed,
    case when by_hand or product = 'penetration testing system' then 'medium' else 'low' end as severity,
    case when by_hand then principal_label(principal) || ' never used ' else 'nobody in the account used ' end || product || ' before: '
        || array_to_string(list_sort(list(distinct event_name))[:5], ', ') || ' ' || traced(call) as reason,
    {
        'trace': trace(call),
        'operations': list_sort(list(distinct event_source || ':' || event_name))[:30],
        'first_event_id': first(event_id order by event_time, event_id)
    } as evidence
from calls
group by account_id, principal, product, by_hand, in_account
having bool_or(judged)
union all by name
select * from short_histories
