-- One row per rule of a security group that lets the whole internet in.
with rules as (
    select account_id, region, arn, group_id, group_name, is_default, unnest(as_objects(ip_permissions)) as rule
    from aws_ec2_security_group
),
sources as (
    select * exclude (rule), rule, unnest(list_concat(rule ->> '$.IpRanges[*].CidrIp', rule ->> '$.Ipv6Ranges[*].CidrIpv6')) as cidr
    from rules
)
select
    account_id, region, arn, group_id, group_name, is_default,
    case rule ->> '$.IpProtocol' when '6' then 'tcp' when '17' then 'udp' else rule ->> '$.IpProtocol' end as protocol,
    try_cast(rule ->> '$.FromPort' as integer) as from_port,
    try_cast(rule ->> '$.ToPort' as integer) as to_port,
    cidr,
    case
        when rule ->> '$.IpProtocol' = '-1' then 'all traffic'
        when rule ->> '$.FromPort' is null then rule ->> '$.IpProtocol'
        when rule ->> '$.FromPort' = rule ->> '$.ToPort' then concat(rule ->> '$.IpProtocol', '/', rule ->> '$.FromPort')
        else concat(rule ->> '$.IpProtocol', '/', rule ->> '$.FromPort', '-', rule ->> '$.ToPort')
    end as ports
from sources
where is_world(cidr)
