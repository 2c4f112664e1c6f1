/*
title = "Security groups do not open file sharing (CIFS) to the internet"
severity = "high"
tables = ["aws_ec2_security_group"]
frameworks = { "cis_v5.0" = ["5.1.2"], fsbp = ["EC2.19"] }
remediation = "Close port 445, or name the networks that need it; file shares belong behind a VPN."
command = "aws ec2 revoke-security-group-ingress --region {region} --group-id {group_id} --ip-permissions {permission}"
*/
with open_rules as (
    select account_id, arn, cidr, ports, from_port, to_port, protocol
    from world_ingress
    where protocol in ('tcp', '-1') and covers_port(from_port, to_port, 445)
),
by_group as (
    select
        account_id, arn,
        string_agg(distinct ports || ' from ' || cidr, ', ' order by ports || ' from ' || cidr) as rules,
        -- The rule as the API names it, to take away one of them: IPv4 and IPv6 have members of their own.
        min(json_object(
            'IpProtocol', protocol, 'FromPort', coalesce(from_port, -1), 'ToPort', coalesce(to_port, -1),
            case when contains(cidr, ':') then 'Ipv6Ranges' else 'IpRanges' end,
            json_array(json_object(case when contains(cidr, ':') then 'CidrIpv6' else 'CidrIp' end, cidr))
        )::varchar) as permission
    from open_rules
    group by account_id, arn
)
select
    g.account_id,
    g.region,
    g.arn as resource_arn,
    case when g.ip_permissions is not null then o.arn is not null end as failed,
    case when o.arn is not null then 'lets in ' || o.rules when g.ip_permissions is not null then 'port 445 is not open to the internet' end as reason,
    {'group_id': g.group_id, 'rules': o.rules, 'permission': '[' || o.permission || ']'} as evidence
from aws_ec2_security_group as g
left join by_group as o on o.account_id = g.account_id and o.arn = g.arn
