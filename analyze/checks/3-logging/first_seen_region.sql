/*
title = "No region is used that was never used before"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who needs the region, and look at what was made there; regions that nobody needs can be switched off or denied by a service control policy."
command = "aws resourcegroupstaggingapi get-resources --region {region}"
links = ["https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html"]
*/
-- Nothing but reading was ever done there by anybody: inventories and the console read everywhere. Services without a region
-- have their events in one that says nothing of where the work is.
with placeless (event_source) as (
    values
        ('signin.amazonaws.com'), ('iam.amazonaws.com'), ('sts.amazonaws.com'), ('organizations.amazonaws.com'), ('account.amazonaws.com'),
        ('route53.amazonaws.com'), ('route53domains.amazonaws.com'), ('cloudfront.amazonaws.com'), ('waf.amazonaws.com'),
        ('shield.amazonaws.com'), ('globalaccelerator.amazonaws.com'), ('networkmanager.amazonaws.com'), ('support.amazonaws.com'),
        ('trustedadvisor.amazonaws.com'), ('health.amazonaws.com'), ('budgets.amazonaws.com'), ('billing.amazonaws.com'),
        ('billingconsole.amazonaws.com'), ('ce.amazonaws.com'), ('cur.amazonaws.com'), ('tax.amazonaws.com'), ('payments.amazonaws.com'),
        ('invoicing.amazonaws.com'), ('aws-marketplace.amazonaws.com'), ('sso.amazonaws.com'), ('sso-directory.amazonaws.com'),
        ('identitystore.amazonaws.com'), ('chatbot.amazonaws.com'), ('artifact.amazonaws.com'), ('cloudshell.amazonaws.com'),
        ('notifications.amazonaws.com'), ('uxc.amazonaws.com'), ('resource-explorer-2.amazonaws.com')
),
regions as (
    select account_id, region, min(event_time) as first_time, min(event_time) filter (where not by_service) as first_by_somebody
    from events
    where not read_only and event_category is distinct from 'Data'
        and event_source not in (from placeless)
    group by all
),
fresh as (
    select r.account_id, r.region, r.first_time
    from regions as r
    join histories as h on h.account_id = r.account_id
    where r.first_time >= h.first_time + to_days(setting('baseline_days')) and r.first_by_somebody = r.first_time
),
calls as (
    select e.*, strftime(f.first_time, '%Y-%m-%d') as day
    from fresh as f
    join events as e
        on e.account_id = f.account_id and e.region = f.region
        and e.event_time >= f.first_time and e.event_time < f.first_time + interval 1 day
    where not e.read_only and not e.by_service and e.event_category is distinct from 'Data' and e.event_source not in (from placeless)
        and e.principal is not null
)
-- Who does the same in several regions on a day, such as switching something on everywhere, did one thing.
select
    account_id,
    min(region) as region,
    principal as resource_arn,
    day as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'low' end as severity,
    array_to_string(list_sort(list(distinct region))[:5], ', ')
        || case when count(distinct region) > 5 then ' and ' || count(distinct region) - 5 || ' other regions were' else ' was' end
        || ' never used before: ' || array_to_string(list_sort(list(distinct event_name))[:5], ', ') || ' ' || traced(call) as reason,
    {
        'trace': trace(call),
        'regions': list_sort(list(distinct region)),
        'operations': list_sort(list(distinct event_source || ':' || event_name))[:30]
    } as evidence
from calls
where not is_automation(principal)
group by account_id, principal, day
having bool_or(judged)
union all by name
select * from short_histories
