/*
title = "Inspector scans what is critical"
severity = "high"
tables = ["aws_ec2_instance", "aws_ecr_repository", "aws_lambda_function", "aws_inspector2_coverage"]
operations = ["DescribeInstances", "DescribeRepositories", "ListFunctions", "ListCoverage"]
absence = true
remediation = "Switch on Inspector for the resource's type in its region; an instance also needs the agent of Systems Manager, or scanning without agents."
command = "aws inspector2 enable --region {region} --resource-types {type}"
links = ["https://docs.aws.amazon.com/inspector/latest/user/scanning-resources.html"]
*/
with scannable as (
    select account_id, region, arn, tags, 'EC2' as type
    from aws_ec2_instance
    where state = 'running' or state is null
    union all
    select account_id, region, arn, tags, 'ECR'
    from aws_ecr_repository
    union all
    select account_id, region, arn, tags, 'LAMBDA'
    from aws_lambda_function
)
select
    s.account_id,
    s.region,
    s.arn as resource_arn,
    case when i.is_scanned then false when s.tags is null then null when i.arn is null then true else not i.is_scanned end as failed,
    case
        when i.is_scanned then 'Inspector scans it'
        when s.tags is null then 'its tags could not be read: whether it is critical is not known'
        when i.arn is null then 'Inspector does not know it'
        when not i.is_scanned then 'Inspector does not scan it' || coalesce(': ' || lower(replace(i.inactive_reasons, '_', ' ')), '')
    end as reason,
    {'type': s.type, 'reasons': i.inactive_reasons} as evidence
from scannable as s
left join resource_context as c on c.account_id = s.account_id and c.arn = s.arn
left join config_importance as l on l.level = c.importance
left join inspected_resources as i on i.account_id = s.account_id and i.arn = s.arn
where l.critical or s.tags is null
