/*
title = "Load balancers are protected from deletion"
severity = "medium"
tables = ["aws_elbv2_load_balancer"]
frameworks = { fsbp = ["ELB.6"] }
remediation = "Switch on deletion protection."
command = "aws elbv2 modify-load-balancer-attributes --region {region} --load-balancer-arn {resource_arn} --attributes Key=deletion_protection.enabled,Value=true"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not deletion_protection as failed,
    case when not deletion_protection then 'deletion protection is off' when not (not deletion_protection) then 'deletion protection is on' end as reason,
    {'load_balancer_name': load_balancer_name} as evidence
from aws_elbv2_load_balancer
