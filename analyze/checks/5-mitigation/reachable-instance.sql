/*
title = "No instance answers the internet on a sensitive port"
severity = "critical"
tables = [
    "aws_ec2_instance", "aws_ec2_network_interface", "aws_ec2_subnet", "aws_ec2_vpc", "aws_ec2_route_table", "aws_ec2_internet_gateway",
    "aws_ec2_network_acl", "aws_ec2_security_group", "aws_ec2_managed_prefix_list",
]
remediation = "Take the public address away or close the port in its security group; administer through Session Manager, and put what must be public behind a load balancer."
command = "aws ec2 describe-security-group-rules --region {region} --filters Name=group-id,Values={group_id}"
links = ["https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager.html"]
*/
with sensitive as (
    select *
    from (values
        (22, 'SSH'), (23, 'Telnet'), (135, 'RPC'), (445, 'SMB'), (1433, 'SQL Server'), (1521, 'Oracle'), (2375, 'Docker'), (2379, 'etcd'), (3306, 'MySQL'), (3389, 'RDP'),
        (5432, 'PostgreSQL'), (5601, 'Kibana'), (5900, 'VNC'), (5985, 'WinRM'), (6379, 'Redis'), (6443, 'Kubernetes'), (9200, 'Elasticsearch'), (10250, 'kubelet'),
        (11211, 'memcached'), (27017, 'MongoDB')
    ) as v (port, name)
),
reached as (
    select
        r.to_arn as arn, r.path_id, r.open, r.why, r.ip_family, r.protocol, r.from_port, r.to_port, r.detail,
        list({'port': s.port, 'name': s.name}) as names, min(s.port) as port
    from reachability as r
    join sensitive as s on r.protocol is null or r.protocol = 'tcp' and s.port between r.from_port and r.to_port
    where r.from_arn = 'internet'
    group by all
),
of_instance as (
    select
        arn,
        bool_or(coalesce(open, false)) as is_open,
        list_transform(list_sort(list_distinct(flatten(list(names) filter (where open)))), lambda one: one.name) as names,
        string_agg(distinct detail, ', ' order by detail) filter (where open) as ways,
        string_agg(distinct why, '; ' order by why) as why,
        arg_min(path_id, [case when open then '0' else '1' end, lpad(port::varchar, 5, '0'), ip_family]) as path_id
    from reached
    group by arn
),
groups as (
    select path_id, min(arn_tail(to_arn)) as group_id
    from reachability_hops
    where kind = 'security-group'
    group by path_id
)
select
    i.account_id,
    i.region,
    i.arn as resource_arn,
    case when o.arn is null then false when o.is_open then true end as failed,
    case
        when o.is_open then
            'the internet reaches ' || case when len(o.names) > 3 then o.names[1] || ', ' || o.names[2] || ' and ' || (len(o.names) - 2) || ' more' else array_to_string(o.names, ', ') end
            || ' on it (' || o.ways || ')'
            || case when i.iam_instance_profile_arn is not null then ', and who gets in has its role ' || arn_tail(i.iam_instance_profile_arn) else '' end
        when o.arn is not null then 'not known: ' || o.why
        else 'the internet reaches no sensitive port on it'
    end as reason,
    {
        'ports': o.names, 'ways': o.ways, 'instance_profile': i.iam_instance_profile_arn, 'public_ip': coalesce(i.public_ip, i.public_ips[1], i.ipv6_addresses[1]),
        'group_id': g.group_id
    } as evidence
from aws_ec2_instance as i
left join of_instance as o on o.arn = i.arn
left join groups as g on g.path_id = o.path_id
