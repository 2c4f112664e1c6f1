/*
title = "Auto Scaling groups span two zones or more"
severity = "medium"
tables = ["aws_autoscaling_group"]
frameworks = { fsbp = ["AutoScaling.2"] }
remediation = "Add a subnet in another zone."
command = "aws autoscaling update-auto-scaling-group --region {region} --auto-scaling-group-name {auto_scaling_group_name} --vpc-zone-identifier ..."
*/
select
    account_id,
    region,
    arn as resource_arn,
    len(availability_zones) < 2 as failed,
    case when len(availability_zones) < 2 then 'spans one zone only' when not (len(availability_zones) < 2) then 'spans ' || len(availability_zones) || ' zones' end as reason,
    {'zones': availability_zones, 'auto_scaling_group_name': auto_scaling_group_name} as evidence
from aws_autoscaling_group
