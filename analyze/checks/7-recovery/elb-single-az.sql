/*
title = "Load balancers stand in two zones or more"
severity = "medium"
tables = ["aws_elbv2_load_balancer"]
frameworks = { fsbp = ["ELB.13"] }
remediation = "Add a subnet in another zone."
command = "aws elbv2 set-subnets --region {region} --load-balancer-arn {resource_arn} --subnets ..."
*/
select
    account_id,
    region,
    arn as resource_arn,
    len(availability_zones) < 2 as failed,
    case when len(availability_zones) < 2 then 'stands in one zone only' when not (len(availability_zones) < 2) then 'stands in ' || len(availability_zones) || ' zones' end as reason,
    {'zones': availability_zones} as evidence
from aws_elbv2_load_balancer
