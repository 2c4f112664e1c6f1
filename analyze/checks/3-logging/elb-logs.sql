/*
title = "Load balancers log requests"
severity = "medium"
tables = ["aws_elbv2_load_balancer", "aws_elb_load_balancer"]
frameworks = { fsbp = ["ELB.5"] }
remediation = "Switch on access logs to a bucket."
command = "aws elbv2 modify-load-balancer-attributes --region {region} --load-balancer-arn {resource_arn} --attributes Key=access_logs.s3.enabled,Value=true Key=access_logs.s3.bucket,Value=..."
*/
with balancers as (
    select account_id, region, arn, access_logs_enabled, access_logs_bucket
    from aws_elbv2_load_balancer
    where type is distinct from 'gateway'
    union all
    select account_id, region, arn, access_logs_enabled, access_logs_bucket
    from aws_elb_load_balancer
)
select
    account_id,
    region,
    arn as resource_arn,
    not access_logs_enabled as failed,
    case when access_logs_enabled then 'access logs are on' when not access_logs_enabled then 'access logs are off' end as reason,
    {'bucket': access_logs_bucket} as evidence
from balancers
