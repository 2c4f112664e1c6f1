/*
title = "Inspector scans machines, images and functions in every region"
severity = "medium"
tables = ["aws_inspector2_account_status"]
absence = true
frameworks = { fsbp = ["Inspector.1", "Inspector.2", "Inspector.3"] }
remediation = "Switch on Inspector for EC2, ECR and Lambda in the regions you use."
command = "aws inspector2 enable --region {region} --resource-types EC2 ECR LAMBDA"
*/
with status as (
    select
        account_id, region,
        list_filter(['ec2', 'ecr', 'lambda'], lambda kind: case kind when 'ec2' then ec2_status when 'ecr' then ecr_status else lambda_status end <> 'ENABLED') as off,
        ec2_status is null or ecr_status is null or lambda_status is null as unread
    from aws_inspector2_account_status
    qualify row_number() over (partition by account_id, region order by ec2_status, ecr_status, lambda_status) = 1
)
select
    c.account_id,
    c.region,
    a.arn as resource_arn,
    c.region as discriminator,
    case when s.account_id is null then true when len(s.off) > 0 then true when s.unread then null else false end as failed,
    case
        when s.account_id is null then 'off in ' || c.region
        when len(s.off) > 0 then 'does not scan ' || array_to_string(s.off, ', ') || ' in ' || c.region
        when not s.unread then 'scans in ' || c.region
    end as reason,
    {'region': c.region, 'off': s.off} as evidence
from collected as c
join accounts as a on a.account_id = c.account_id
left join status as s on s.account_id = c.account_id and s.region = c.region
where c.table_name = 'aws_inspector2_account_status'
