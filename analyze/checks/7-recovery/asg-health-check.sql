/*
title = "Groups behind a load balancer replace what the load balancer finds ill"
severity = "low"
tables = ["aws_autoscaling_group"]
frameworks = { fsbp = ["AutoScaling.1"] }
remediation = "Use the health check of the load balancer, with a grace period as long as a machine needs to start."
command = "aws autoscaling update-auto-scaling-group --region {region} --auto-scaling-group-name {auto_scaling_group_name} --health-check-type ELB --health-check-grace-period {grace_period_seconds}"
*/
with groups as (
    select
        *,
        len(target_group_arns) > 0 or len(load_balancer_names) > 0 as behind_load_balancer,
        list_contains(list_transform(string_split(health_check_type, ','), lambda kind: upper(trim(kind))), 'ELB') as asks_load_balancer,
        list_filter(suspended_processes, lambda process: process in ('HealthCheck', 'ReplaceUnhealthy')) as stopped
    from aws_autoscaling_group
)
select
    account_id,
    region,
    arn as resource_arn,
    case when behind_load_balancer then not asks_load_balancer or coalesce(len(stopped), 0) > 0 end as failed,
    case
        when behind_load_balancer is null then 'whether it stands behind a load balancer is not known'
        when not asks_load_balancer then 'a machine that runs but does not answer is kept: health check ' || health_check_type
        when len(stopped) > 0 then 'suspended: ' || array_to_string(stopped, ', ')
        when asks_load_balancer then 'the load balancer decides which machines are well'
    end as reason,
    {'auto_scaling_group_name': auto_scaling_group_name, 'health_check_type': health_check_type, 'grace_period_seconds': health_check_grace_period_seconds, 'suspended': stopped} as evidence
from groups
-- A group without a load balancer has nobody else to ask.
where coalesce(behind_load_balancer, true)
