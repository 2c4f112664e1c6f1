/*
title = "Running machines are managed by Systems Manager"
severity = "medium"
tables = ["aws_ec2_instance", "aws_ssm_instance_information"]
absence = true
frameworks = { fsbp = ["SSM.1"] }
remediation = "Install the agent and give the instance a role with AmazonSSMManagedInstanceCore."
*/
with managed as (
    select account_id, region, instance_id, max(ping_status) as ping_status
    from aws_ssm_instance_information
    group by account_id, region, instance_id
)
select
    i.account_id,
    i.region,
    i.arn as resource_arn,
    m.ping_status is distinct from 'Online' as failed,
    case when m.instance_id is null then 'not managed' when m.ping_status = 'Online' then 'managed' else 'managed, but ' || coalesce(lower(m.ping_status), 'silent') end as reason,
    {'instance_id': i.instance_id, 'ping_status': m.ping_status} as evidence
from aws_ec2_instance as i
left join managed as m on m.account_id = i.account_id and m.region = i.region and m.instance_id = i.instance_id
where i.state = 'running' or i.state is null
