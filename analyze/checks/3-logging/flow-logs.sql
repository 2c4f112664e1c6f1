/*
title = "Every VPC has flow logs"
severity = "medium"
tables = ["aws_ec2_vpc", "aws_ec2_flow_log"]
absence = true
frameworks = { "cis_v3.0" = ["3.7"], "cis_v5.0" = ["3.7"], fsbp = ["EC2.6"] }
remediation = "Switch on flow logs of the VPC, at least of rejected traffic."
command = "aws ec2 create-flow-logs --region {region} --resource-type VPC --resource-ids {vpc_id} --traffic-type ALL --log-destination-type s3 --log-destination ..."
*/
with logs as (
    select account_id, region, resource_id, list(flow_log_id order by flow_log_id) as flow_logs
    from aws_ec2_flow_log
    where flow_log_status is distinct from 'INACTIVE' and deliver_logs_status is distinct from 'FAILED'
    group by account_id, region, resource_id
)
select
    v.account_id,
    v.region,
    v.arn as resource_arn,
    l.resource_id is null as failed,
    case when l.resource_id is null then 'no flow logs that are delivered' else 'has flow logs' end as reason,
    {'vpc_id': v.vpc_id, 'flow_logs': l.flow_logs} as evidence
from aws_ec2_vpc as v
left join logs as l on l.account_id = v.account_id and l.region = v.region and l.resource_id = v.vpc_id
