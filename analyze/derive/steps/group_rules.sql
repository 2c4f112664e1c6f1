-- One row per rule of a security group, protocol and what the rule names: the source, or where `egress` the
-- destination. TCP and UDP only: nothing else carries a service.
-- peer_kind: cidr, group, service (a prefix list of AWS, which names its own services), unread (a prefix list
-- whose ranges are not known).
with groups as (
    select region, group_id, arn, ip_permissions, ip_permissions_egress
    from aws_ec2_security_group
    -- A group of a shared VPC is seen by several accounts.
    qualify row_number() over (partition by region, group_id order by account_id) = 1
),
rules as (
    select region, group_id, arn, false as egress, unnest(as_objects(ip_permissions)) as rule
    from groups
    union all
    select region, group_id, arn, true as egress, unnest(as_objects(ip_permissions_egress)) as rule
    from groups
),
spoken as (
    select
        region, group_id, arn, egress, rule,
        unnest(case rule ->> '$.IpProtocol' when '-1' then ['tcp', 'udp'] when '6' then ['tcp'] when '17' then ['udp'] else [rule ->> '$.IpProtocol'] end) as protocol,
        case when rule ->> '$.IpProtocol' <> '-1' then nullif(try_cast(rule ->> '$.FromPort' as integer), -1) end as from_port,
        case when rule ->> '$.IpProtocol' <> '-1' then nullif(try_cast(rule ->> '$.ToPort' as integer), -1) end as to_port
    from rules
),
named as (
    select * exclude (rule), unnest(list_concat(
        list_transform(list_concat(rule ->> '$.IpRanges[*].CidrIp', rule ->> '$.Ipv6Ranges[*].CidrIpv6'), lambda cidr: {'kind': 'cidr', 'peer': cidr}),
        list_transform(rule ->> '$.UserIdGroupPairs[*].GroupId', lambda id: {'kind': 'group', 'peer': id}),
        list_transform(rule ->> '$.PrefixListIds[*].PrefixListId', lambda id: {'kind': 'list', 'peer': id})
    ), recursive := true)
    from spoken
    where protocol in ('tcp', 'udp')
),
lists as (
    select region, prefix_list_id, prefix_list_name, owner_id, cidrs
    from aws_ec2_managed_prefix_list
    qualify row_number() over (partition by region, prefix_list_id order by account_id) = 1
),
resolved as (
    select s.* exclude (kind, peer), s.kind as peer_kind, s.peer
    from named as s
    where s.kind <> 'list'
    union all by name
    select
        s.* exclude (kind, peer),
        case when l.owner_id = 'AWS' then 'service' when l.cidrs is null then 'unread' else 'cidr' end as peer_kind,
        unnest(case when l.owner_id = 'AWS' then [l.prefix_list_name] when l.cidrs is null then [s.peer] else l.cidrs end) as peer
    from named as s
    left join lists as l on l.region = s.region and l.prefix_list_id = s.peer
    where s.kind = 'list'
)
select
    region, group_id, arn, egress, protocol,
    coalesce(from_port, 0) as from_port,
    coalesce(to_port, 65535) as to_port,
    peer_kind, peer,
    case when peer_kind = 'cidr' then first_address(peer) end as first_address,
    case when peer_kind = 'cidr' then last_address(peer) end as last_address
from resolved
