/*
title = "No security group opens everything to the internet"
severity = "critical"
tables = ["aws_ec2_security_group"]
frameworks = { fsbp = ["EC2.18"] }
remediation = "Replace the rule by rules for the ports that must be reachable."
command = "aws ec2 revoke-security-group-ingress --region {region} --group-id {group_id} --protocol {protocol} --cidr {cidr}"
*/
with everything as (
    select account_id, arn, min(cidr) as cidr, min(protocol) as protocol, string_agg(distinct ports || ' from ' || cidr, ', ' order by ports || ' from ' || cidr) as rules
    from world_ingress
    where protocol = '-1' or protocol in ('tcp', 'udp') and coalesce(from_port, 0) <= 1 and coalesce(to_port, 65535) >= 65535
    group by account_id, arn
)
select
    g.account_id,
    g.region,
    g.arn as resource_arn,
    case when g.ip_permissions is not null then e.arn is not null end as failed,
    case when e.arn is not null then 'lets in ' || e.rules when g.ip_permissions is not null then 'does not open everything' end as reason,
    {'group_id': g.group_id, 'protocol': e.protocol, 'cidr': e.cidr} as evidence
from aws_ec2_security_group as g
left join everything as e on e.account_id = g.account_id and e.arn = g.arn
