/*
title = "Stacks are protected from deletion"
severity = "medium"
tables = ["aws_cloudformation_stack"]
remediation = "Switch on termination protection."
command = "aws cloudformation update-termination-protection --region {region} --stack-name {stack_name} --enable-termination-protection"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not termination_protection as failed,
    case when not termination_protection then 'termination protection is off' when not (not termination_protection) then 'termination protection is on' end as reason,
    {'stack_name': stack_name} as evidence
from aws_cloudformation_stack
where parent_arn is null and stack_status is distinct from 'DELETE_COMPLETE'
