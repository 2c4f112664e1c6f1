/*
title = "Default security groups let nothing through"
severity = "high"
tables = ["aws_ec2_security_group"]
frameworks = { "cis_v3.0" = ["5.4"], "cis_v5.0" = ["5.5"], fsbp = ["EC2.2"] }
remediation = "Give what uses the default group a group of its own, then remove the default group's rules."
command = "aws ec2 describe-security-group-rules --region {region} --filters Name=group-id,Values={group_id}"
*/
select
    account_id,
    region,
    arn as resource_arn,
    len(as_objects(ip_permissions)) > 0 or len(as_objects(ip_permissions_egress)) > 0 as failed,
    case
        when len(as_objects(ip_permissions)) > 0 or len(as_objects(ip_permissions_egress)) > 0 then 'the default group of ' || coalesce(vpc_id, 'its VPC') || ' has rules'
        when ip_permissions is not null and ip_permissions_egress is not null then 'has no rules'
    end as reason,
    {'group_id': group_id, 'vpc_id': vpc_id} as evidence
from (
    select * replace (case when ip_permissions is not null then ip_permissions end as ip_permissions)
    from aws_ec2_security_group
    where is_default and ip_permissions is not null and ip_permissions_egress is not null
)
union all by name
select account_id, region, arn as resource_arn, null::boolean as failed, 'its rules are not known' as reason, {'group_id': group_id, 'vpc_id': vpc_id} as evidence
from aws_ec2_security_group
where is_default is distinct from false and (is_default is null or ip_permissions is null or ip_permissions_egress is null)
