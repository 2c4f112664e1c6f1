/*
title = "Nobody opens a network ACL to the internet"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Delete the entry, or name the networks that need the port, and ask who opened it."
command = "aws ec2 delete-network-acl-entry --region {region} --network-acl-id {network_acl_id} --ingress --rule-number {rule_number}"
links = ["https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html"]
*/
-- A network ACL keeps no state: wide ranges of high ports let answers back in, and web ports are there to be open. A VPC
-- that is being set up needs its first entries, and is told as such.
with calls as (
    select
        *,
        request_parameters ->> '$.networkAclId' as network_acl_id,
        request_parameters ->> '$.ruleNumber' as rule_number,
        try_cast(request_parameters ->> '$.egress' as boolean) as egress,
        lower(request_parameters ->> '$.ruleAction') as action,
        coalesce(request_parameters ->> '$.cidrBlock', request_parameters ->> '$.ipv6CidrBlock') as cidr,
        lower(coalesce(request_parameters ->> '$.aclProtocol', request_parameters ->> '$.protocol')) as protocol,
        try_cast(request_parameters ->> '$.portRange.from' as integer) as from_port,
        try_cast(request_parameters ->> '$.portRange.to' as integer) as to_port
    from events
    where event_source = 'ec2.amazonaws.com' and event_name in (values ('CreateNetworkAclEntry'), ('ReplaceNetworkAclEntry'), ('DeleteNetworkAclEntry'), ('CreateVpc'))
        and not by_service and (succeeded or denied)
),
entries as (
    select
        * replace (case protocol when '6' then 'tcp' when '17' then 'udp' else protocol end as protocol),
        -- What closes an entry again: its deletion, or another in its place.
        min(case when succeeded and (event_name = 'DeleteNetworkAclEntry' or event_name = 'ReplaceNetworkAclEntry' and not (action = 'allow' and is_world(cidr))) then event_time end)
            over (partition by account_id, region, network_acl_id, rule_number, egress order by event_time range between current row and interval 1 hour following) as closed_at,
        max(case when event_name = 'CreateVpc' and succeeded then event_time end)
            over (partition by account_id, region, principal order by event_time range between interval 1 hour preceding and current row) as vpc_created_at
    from calls
),
opened as (
    select
        *,
        case when protocol in ('-1', 'all') then 'all ports' when from_port = to_port then protocol || '/' || from_port else protocol || coalesce('/' || from_port || '-' || to_port, '') end as ports,
        'arn:' || arn_partition(principal) || ':ec2:' || region || ':' || account_id || ':network-acl/' || network_acl_id as arn
    from entries
    where event_name in ('CreateNetworkAclEntry', 'ReplaceNetworkAclEntry') and action = 'allow' and egress is not true and is_world(cidr)
        and protocol not in ('1', 'icmp', '58', 'icmpv6')
        and not (coalesce(from_port, 0) = coalesce(to_port, 65535) and from_port in (80, 443))
        and not (coalesce(from_port, 0) >= 1024 and coalesce(to_port, 65535) - from_port > 10000 and protocol not in ('-1', 'all'))
    union all by name
    -- The request of a denied call may not be recorded; that somebody tried is known all the same.
    select *, coalesce(nullif(regexp_extract(denied_resource, '^arn:[^:]*:ec2:.*:network-acl/.+$'), ''), principal) as arn
    from entries
    where event_name in ('CreateNetworkAclEntry', 'ReplaceNetworkAclEntry') and denied and request_parameters is null
)
select
    account_id,
    region,
    arn as resource_arn,
    principal as discriminator,
    true as failed,
    case when bool_and(not succeeded or closed_at is not null or vpc_created_at is not null) then 'low' end as severity,
    array_to_string(list_sort(list(distinct coalesce(ports || ' to ' || cidr, 'a port, which one is not recorded,'))), ', ')
        || case when bool_or(succeeded) then ' was opened ' else ' was to be opened ' end || traced(call)
        || case
            when bool_and(not succeeded) then ''
            when bool_and(closed_at is not null or not succeeded) then '; closed again by ' || strftime(max(closed_at), '%H:%M')
            when bool_and(vpc_created_at is not null or not succeeded) then '; while a VPC was set up'
            else ''
        end as reason,
    {
        'trace': trace(call), 'network_acl_id': any_value(network_acl_id), 'ports': list_sort(list(distinct ports) filter (where ports is not null)), 'rule_number': any_value(rule_number order by event_time desc, event_id),
        'closed_at': max(closed_at)
    } as evidence
from opened
where arn is not null and principal is not null
group by account_id, region, arn, principal
having bool_or(judged)
