/*
title = "Security groups do not open SSH and RDP to the internet"
severity = "high"
tables = ["aws_ec2_security_group"]
frameworks = { "cis_v3.0" = ["5.2", "5.3"], "cis_v5.0" = ["5.3", "5.4"], fsbp = ["EC2.13", "EC2.14"] }
remediation = "Close the port; use Session Manager, or name the networks that need it."
command = "aws ec2 revoke-security-group-ingress --region {region} --group-id {group_id} --protocol tcp --port {port} --cidr {cidr}"
links = ["https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager.html"]
*/
with open_rules as (
    select account_id, arn, cidr, ports, case when covers_port(from_port, to_port, 22) then 22 else 3389 end as port
    from world_ingress
    where protocol in ('tcp', '-1') and (covers_port(from_port, to_port, 22) or covers_port(from_port, to_port, 3389))
),
by_group as (
    select account_id, arn, string_agg(distinct ports || ' from ' || cidr, ', ' order by ports || ' from ' || cidr) as rules, min(cidr) as cidr, min(port) as port
    from open_rules
    group by account_id, arn
)
select
    g.account_id,
    g.region,
    g.arn as resource_arn,
    case when g.ip_permissions is not null then o.arn is not null end as failed,
    case when o.arn is not null then 'lets in ' || o.rules when g.ip_permissions is not null then 'neither SSH nor RDP is open to the internet' end as reason,
    {'group_id': g.group_id, 'rules': o.rules, 'cidr': o.cidr, 'port': o.port} as evidence
from aws_ec2_security_group as g
left join by_group as o on o.account_id = g.account_id and o.arn = g.arn
