/*
title = "Nobody opens a security group to the internet"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Close the port again, or name the networks that need it, and ask who opened it."
command = "aws ec2 revoke-security-group-ingress --region {region} --group-id {group_id} --ip-permissions '<what was opened>'"
links = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html"]
*/
-- Requests come in two shapes: nested ipPermissions.items[].ipRanges.items[].cidrIp, and flat cidrIp with fromPort and toPort.
-- Web ports are there to be open; what else was opened and closed again within an hour was a test, and is told as such. The
-- request of a denied call may not be recorded; that somebody tried is known all the same.
with calls as (
    select *, request_parameters as asked, request_parameters ->> '$.groupId' as group_id
    from events
    where event_source = 'ec2.amazonaws.com' and event_name in (values ('AuthorizeSecurityGroupIngress'), ('RevokeSecurityGroupIngress')) and not by_service
),
nested as (
    select *, unnest(as_objects(asked -> '$.ipPermissions.items')) as permission
    from calls
),
ranges as (
    select
        * exclude (permission, asked),
        permission ->> '$.ipProtocol' as protocol,
        try_cast(permission ->> '$.fromPort' as integer) as from_port,
        try_cast(permission ->> '$.toPort' as integer) as to_port,
        unnest(list_concat(
            coalesce(permission ->> '$.ipRanges.items[*].cidrIp', []::varchar[]),
            coalesce(permission ->> '$.ipv6Ranges.items[*].cidrIpv6', []::varchar[])
        )) as cidr
    from nested
    union all by name
    select
        * exclude (asked),
        asked ->> '$.ipProtocol' as protocol,
        try_cast(asked ->> '$.fromPort' as integer) as from_port,
        try_cast(asked ->> '$.toPort' as integer) as to_port,
        coalesce(asked ->> '$.cidrIp', asked ->> '$.cidrIpv6') as cidr
    from calls
    where coalesce(asked ->> '$.cidrIp', asked ->> '$.cidrIpv6') is not null
),
world as (
    select
        *,
        case
            when protocol in ('-1', 'all') or from_port is null then 'all ports'
            when from_port = to_port then protocol || '/' || from_port
            else protocol || '/' || from_port || '-' || to_port
        end as ports
    from ranges
    where is_world(cidr)
),
opened as (
    select *
    from world
    where event_name = 'AuthorizeSecurityGroupIngress'
        and not (protocol in ('tcp', '6') and from_port is not distinct from to_port and from_port in (80, 443))
    union all by name
    select * exclude (asked)
    from calls
    where event_name = 'AuthorizeSecurityGroupIngress' and denied and request_parameters is null
),
closed as (
    select o.event_id, min(c.event_time) as closed_at
    from opened as o
    join world as c
        on c.event_name = 'RevokeSecurityGroupIngress' and c.succeeded and c.account_id = o.account_id and c.group_id = o.group_id
        and c.ports = o.ports and c.cidr = o.cidr and c.event_time between o.event_time and o.event_time + interval 1 hour
    group by o.event_id
),
marked as (
    select
        o.*, c.closed_at,
        case
            when o.ports is null then coalesce(nullif(regexp_extract(o.denied_resource, '^arn:[^:]*:ec2:.*:security-group/.+$'), ''), o.principal)
            else 'arn:' || arn_partition(o.principal) || ':ec2:' || o.region || ':' || o.account_id || ':security-group/' || o.group_id
        end as arn
    from opened as o
    left join closed as c on c.event_id = o.event_id
)
select
    account_id,
    region,
    arn as resource_arn,
    principal as discriminator,
    true as failed,
    case when bool_and(ports is null) then 'low' when bool_and(not succeeded) then 'medium' when bool_and(closed_at is not null or not succeeded) then 'low' end as severity,
    array_to_string(list_sort(list(distinct coalesce(ports || ' to ' || cidr, 'a port, which one is not recorded,'))), ', ')
        || case when bool_or(succeeded) then ' was opened ' else ' was to be opened ' end || traced(call)
        || case when bool_and(closed_at is not null or not succeeded) and bool_or(succeeded) then '; closed again by ' || strftime(max(closed_at), '%H:%M') else '' end as reason,
    {'trace': trace(call), 'group_id': any_value(group_id), 'ports': list_sort(list(distinct ports) filter (where ports is not null)), 'closed_at': max(closed_at)} as evidence
from marked
where arn is not null
group by account_id, region, arn, principal
having bool_or(judged)
