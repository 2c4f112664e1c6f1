/*
title = "Names and addresses of critical systems lead to more than one machine"
severity = "medium"
tables = ["aws_ec2_instance", "aws_ec2_eip", "aws_route53_record", "aws_route53_hosted_zone"]
remediation = "Put a load balancer before it, point the name there, and keep the address out of what others have built in."
command = "aws ec2 describe-addresses --region {region} --filters Name=instance-id,Values={instance_id}"
*/
with machines as (
    select i.account_id, i.region, i.arn, i.instance_id, i.vpc_id, i.public_ips, i.public_ip, i.public_dns_name, i.private_ip, i.private_dns_name, i.ipv6_addresses
    from aws_ec2_instance as i
    join resource_context as c on c.account_id = i.account_id and c.arn = i.arn
    join config_importance as l on l.level = c.importance and l.critical
    where i.state is distinct from 'terminated'
),
names as (
    select account_id, arn, true as is_public, null as vpc_id, lower(unnest(list_distinct(list_concat(coalesce(public_ips, []), coalesce(ipv6_addresses, []), [public_ip, public_dns_name])))) as name
    from machines
    union all
    -- Private names and addresses mean something within the VPC only.
    select account_id, arn, false, vpc_id, lower(unnest([private_ip, private_dns_name]))
    from machines
),
-- A name with one value: neither several addresses nor several records that share the name.
single as (
    select account_id, arn as zone_arn, record_name, record_type, min(target) as target, bool_or(is_private) as is_private
    from (
        select account_id, arn, record_name, record_type, zone_is_private as is_private, lower(rtrim(unnest(coalesce(record_values, [alias_target])), '.')) as target
        from aws_route53_record
        where record_type in ('A', 'AAAA', 'CNAME')
    )
    group by account_id, arn, record_name, record_type
    having count(distinct target) = 1
),
zone_vpcs as (
    select account_id, arn, unnest(vpc_ids) as vpc_id
    from aws_route53_hosted_zone
),
pointing as (
    select n.arn, s.record_name
    from single as s
    join names as n on n.name = s.target and n.is_public
    union
    select n.arn, s.record_name
    from single as s
    join zone_vpcs as z on z.account_id = s.account_id and z.arn = s.zone_arn
    join names as n on n.name = s.target and n.vpc_id = z.vpc_id and not n.is_public
    where s.is_private
),
by_name as (
    select arn, list(distinct rtrim(record_name, '.') order by rtrim(record_name, '.'))[:10] as records
    from pointing
    group by arn
),
by_address as (
    select account_id, region, instance_id, list(public_ip order by public_ip) as addresses
    from aws_ec2_eip
    where coalesce(instance_id, '') <> ''
    group by account_id, region, instance_id
),
-- A zone whose records are not in the run may point anywhere.
unread as (
    select z.account_id, min(z.zone_name) as zone_name
    from aws_route53_hosted_zone as z
    anti join aws_route53_record as r on r.account_id = z.account_id and r.arn = z.arn
    where z.record_count is null or z.record_count > 0
    group by z.account_id
)
select
    m.account_id,
    m.region,
    m.arn as resource_arn,
    case when n.arn is not null or a.instance_id is not null then true when u.zone_name is null then false end as failed,
    case
        when n.arn is not null
            then array_to_string(n.records, ', ') || case when len(n.records) = 1 then ' leads' else ' lead' end || ' to this one machine' || coalesce(', whose address ' || array_to_string(a.addresses, ', ') || ' is fixed', '')
        when a.instance_id is not null then 'the fixed address ' || array_to_string(a.addresses, ', ') || ' leads to this one machine'
        when u.zone_name is null then 'no name or fixed address leads to it alone'
        else 'the records of ' || u.zone_name || ' are not in the run'
    end as reason,
    {'instance_id': m.instance_id, 'records': n.records, 'addresses': a.addresses} as evidence
from machines as m
left join by_name as n on n.arn = m.arn
left join by_address as a on a.account_id = m.account_id and a.region = m.region and a.instance_id = m.instance_id
left join unread as u on u.account_id = m.account_id
