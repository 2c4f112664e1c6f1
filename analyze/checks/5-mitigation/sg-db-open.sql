/*
title = "Databases, caches and search engines are not open to the internet"
severity = "critical"
tables = ["aws_ec2_security_group"]
frameworks = { fsbp = ["EC2.19"] }
remediation = "Let in the security groups of the applications, and nobody else."
command = "aws ec2 revoke-security-group-ingress --region {region} --group-id {group_id} --protocol tcp --port {port} --cidr {cidr}"
*/
with ports as (
    select unnest([1433, 1521, 2049, 3306, 5432, 5439, 6379, 8182, 9042, 9200, 9300, 11211, 27017]) as port
),
reachable as (
    select w.account_id, w.arn, min(w.cidr) as cidr, min(p.port) as port, list(distinct p.port order by p.port) as ports
    from world_ingress as w
    join ports as p on covers_port(w.from_port, w.to_port, p.port)
    where w.protocol in ('tcp', '-1')
    group by w.account_id, w.arn
)
select
    g.account_id,
    g.region,
    g.arn as resource_arn,
    case when g.ip_permissions is not null then r.arn is not null end as failed,
    case when r.arn is not null then 'ports of databases open to ' || r.cidr || ': ' || array_to_string(r.ports, ', ') when g.ip_permissions is not null then 'no port of a database is open to the internet' end as reason,
    {'group_id': g.group_id, 'cidr': r.cidr, 'port': r.port, 'ports': r.ports} as evidence
from aws_ec2_security_group as g
left join reachable as r on r.account_id = g.account_id and r.arn = g.arn
