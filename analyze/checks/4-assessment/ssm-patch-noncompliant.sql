/*
title = "Machines have their patches"
severity = "high"
tables = ["aws_ssm_resource_compliance", "aws_ec2_instance"]
remediation = "Install the missing patches, and give the machine a patch window."
command = "aws ssm send-command --region {region} --document-name AWS-RunPatchBaseline --instance-ids {instance_id} --parameters Operation=Install"
*/
with patches as (
    select account_id, region, resource_id, bool_or(status = 'NON_COMPLIANT') as missing, max(critical_non_compliant_count) as critical, max(non_compliant_count) as total
    from aws_ssm_resource_compliance
    where compliance_type = 'Patch'
    group by account_id, region, resource_id
)
select
    p.account_id,
    p.region,
    coalesce(i.arn, 'arn:' || a.partition || ':ssm:' || p.region || ':' || p.account_id || ':managed-instance/' || p.resource_id) as resource_arn,
    p.missing as failed,
    case when p.missing then coalesce(p.total, 0) || ' patches missing, ' || coalesce(p.critical, 0) || ' of them critical' when not p.missing then 'no patch missing' end as reason,
    {'instance_id': p.resource_id, 'missing': p.total, 'critical': p.critical} as evidence,
    case when p.critical > 0 then 'critical' end as severity
from patches as p
join accounts as a on a.account_id = p.account_id
left join aws_ec2_instance as i on i.account_id = p.account_id and i.region = p.region and i.instance_id = p.resource_id
