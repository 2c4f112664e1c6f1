/*
title = "Load balancers have two healthy targets"
severity = "high"
tables = ["aws_elbv2_target_group"]
remediation = "Mend the targets that fail, and register enough of them in two zones."
command = "aws elbv2 describe-target-health --region {region} --target-group-arn {resource_arn}"
*/
select
    account_id,
    region,
    arn as resource_arn,
    healthy_target_count < 2 as failed,
    healthy_target_count || ' of ' || target_count || ' targets are healthy' as reason,
    {'targets': target_count, 'healthy': healthy_target_count} as evidence
from aws_elbv2_target_group
-- A function is one target and scales by itself; a group without a load balancer serves nobody.
where target_type is distinct from 'lambda' and (load_balancer_arns is null or len(load_balancer_arns) > 0)
