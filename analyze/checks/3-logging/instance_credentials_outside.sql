/*
title = "The credentials of an instance stay on the instance"
severity = "critical"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Take the instance for taken over: revoke the sessions of its role, isolate the instance and look at what was called from there. Demand IMDSv2, through which a web application does not give the credentials away."
command = "aws ec2 describe-instances --region {region} --instance-ids {instance_id}"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html"]
*/
-- The session of an instance has the instance's id as its name. It was called from one place, then comes from another that no
-- instance of the account had: certain when the first place is in use after that too, or when the operator is not Amazon, or
-- when it is a VPC endpoint of somebody else's. An instance that moves has a reason: it was started again, got an address, or
-- the account allocated the address. IPv4 and IPv6 are two ways out of one instance.
with sessions as (
    select
        account_id, principal, regexp_extract(identity_arn, '/(i-[0-9a-f]{8,17})$', 1) as instance_id,
        source_ip_address as address, vpc_endpoint_account_id,
        min(event_time) as first_time, max(event_time) as last_time
    from events
    where identity_type = 'AssumedRole' and contains(identity_arn, '/i-') and not by_service
    group by all
),
allocated as (
    select distinct account_id, response_elements ->> '$.publicIp' as address
    from events
    where event_source = 'ec2.amazonaws.com' and event_name = 'AllocateAddress' and succeeded
),
placed as (
    select
        s.account_id, s.principal, s.instance_id, s.address, s.first_time, s.last_time,
        contains(s.address, ':') as of_ipv6,
        a.trusted or o.address is not null as is_own,
        -- Amazon's numbers, those of its partners in China among them.
        a.asn not in (16509, 14618, 8987, 7224, 17493, 38895, 39111, 55960, 135629) and not coalesce(contains(lower(a.as_name), 'amazon'), false) as is_outside,
        false as of_foreign_endpoint,
        coalesce('AS' || a.asn || ' ', '') || a.network as place
    from sessions as s
    join addresses as a on a.address = s.address and a.is_public
    left join allocated as o on o.account_id = s.account_id and o.address = s.address
    where s.instance_id <> '' and s.vpc_endpoint_account_id is null
    union all
    select
        s.account_id, s.principal, s.instance_id, s.address, s.first_time, s.last_time, contains(s.address, ':'), false, false, true,
        'a VPC endpoint of the account ' || s.vpc_endpoint_account_id
    from sessions as s
    where s.instance_id <> '' and s.vpc_endpoint_account_id <> s.account_id
        and s.vpc_endpoint_account_id not in (select account_id from event_coverage)
        and s.vpc_endpoint_account_id not in (select account_id from config_trusted_accounts)
),
-- Where each instance called from, one line a place; of a foreign endpoint no other place is needed.
stays as (
    select
        account_id, principal, instance_id, place, of_ipv6,
        min(first_time) as first_time, max(last_time) as last_time,
        bool_or(is_own) as is_own, bool_or(is_outside) as is_outside, bool_or(of_foreign_endpoint) as of_foreign_endpoint
    from placed
    group by all
),
firsts as (
    select *, min(first_time) over (partition by account_id, place) as first_of_any
    from stays
),
moves as (
    select account_id, event_time, unnest(request_parameters ->> '$.instancesSet.items[*].instanceId') as instance_id
    from events
    where event_source = 'ec2.amazonaws.com' and event_name = 'StartInstances' and succeeded
    union all
    select account_id, event_time, request_parameters ->> '$.instanceId'
    from events
    where event_source = 'ec2.amazonaws.com' and event_name = 'AssociateAddress' and succeeded
),
arrivals as (
    select
        n.account_id, n.principal, n.instance_id, n.place, n.first_time, n.of_foreign_endpoint,
        coalesce(n.is_outside, false) as is_outside,
        max(o.last_time) as last_elsewhere,
        coalesce(max(o.last_time) > n.first_time, false) as in_both
    from firsts as n
    join histories as h on h.account_id = n.account_id
    left join stays as o
        on o.account_id = n.account_id and o.principal = n.principal and o.instance_id = n.instance_id
        and o.place <> n.place and o.first_time < n.first_time and (o.of_ipv6 = n.of_ipv6 or n.of_foreign_endpoint)
    where n.first_time = n.first_of_any and n.is_own is not true
    group by n.account_id, n.principal, n.instance_id, n.place, n.first_time, n.of_foreign_endpoint, n.is_outside, h.first_time
    having n.of_foreign_endpoint or max(o.last_time) is not null
        or coalesce(n.is_outside, false) and n.first_time >= h.first_time + to_days(setting('baseline_days'))
),
unexplained as (
    select a.*
    from arrivals as a
    anti join moves as m
        on m.account_id = a.account_id and m.instance_id = a.instance_id
        and m.event_time between a.first_time - interval 7 day and a.first_time
        and not a.in_both and not a.is_outside and not a.of_foreign_endpoint
),
calls as (
    select u.instance_id, u.place, u.in_both, u.is_outside, u.of_foreign_endpoint, e.*
    from unexplained as u
    semi join placed as p on p.account_id = u.account_id and p.place = u.place and p.instance_id = u.instance_id
    join events as e
        on e.account_id = u.account_id and e.principal = u.principal and ends_with(e.identity_arn, '/' || u.instance_id)
        and e.event_time >= u.first_time and e.event_time < u.first_time + interval 1 day
    join placed as q
        on q.account_id = u.account_id and q.instance_id = u.instance_id and q.place = u.place and q.address = e.source_ip_address
    where not e.by_service
)
select
    account_id,
    first(region order by event_time, event_id) as region,
    'arn:' || arn_partition(min(principal)) || ':ec2:' || first(region order by event_time, event_id) || ':' || account_id || ':instance/' || instance_id as resource_arn,
    place as discriminator,
    true as failed,
    case when bool_or(in_both or is_outside or of_foreign_endpoint) then 'critical' else 'high' end as severity,
    'credentials of ' || instance_id || ' were used from ' || place
        || case
            when bool_or(in_both) then ' while the instance went on elsewhere'
            when bool_or(is_outside) then ', which is not Amazon''s network'
            when bool_or(of_foreign_endpoint) then ''
            else ', where no instance of the account was before'
        end
        || ': ' || array_to_string(list_sort(list(distinct event_name))[:5], ', ') || ' ' || traced(call) as reason,
    {
        'trace': trace(call),
        'instance_id': instance_id,
        'place': place,
        'operations': list_sort(list(distinct event_source || ':' || event_name))[:30]
    } as evidence
from calls
group by account_id, instance_id, place
having bool_or(judged)
