-- One row per entry of a network ACL and protocol it speaks of, TCP or UDP. The lowest number that matches decides.
with acls as (
    select region, network_acl_id, arn, entries
    from aws_ec2_network_acl
    -- A network ACL of a shared VPC is seen by several accounts.
    qualify row_number() over (partition by region, network_acl_id order by account_id) = 1
),
listed as (
    select region, network_acl_id, arn, unnest(as_objects(entries)) as entry
    from acls
),
spoken as (
    select
        region, network_acl_id, arn, entry,
        coalesce(entry ->> '$.CidrBlock', entry ->> '$.Ipv6CidrBlock') as cidr,
        unnest(case entry ->> '$.Protocol' when '-1' then ['tcp', 'udp'] when '6' then ['tcp'] when '17' then ['udp'] else []::varchar[] end) as protocol
    from listed
)
select
    region, network_acl_id, arn,
    try_cast(entry ->> '$.Egress' as boolean) as egress,
    try_cast(entry ->> '$.RuleNumber' as integer) as rule_number,
    lower(entry ->> '$.RuleAction') = 'allow' as allows,
    ip_family(cidr) as family, protocol, cidr,
    case when entry ->> '$.Protocol' = '-1' then 0 else coalesce(try_cast(entry ->> '$.PortRange.From' as integer), 0) end as from_port,
    case when entry ->> '$.Protocol' = '-1' then 65535 else coalesce(try_cast(entry ->> '$.PortRange.To' as integer), 65535) end as to_port,
    first_address(cidr) as first_address,
    last_address(cidr) as last_address
from spoken
where cidr is not null
