/*
title = "Nobody changes the start script of an instance"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Compare the user data with what built the instance; if the change is not yours, replace the instance rather than start it, and take the credential out of use."
command = "aws ec2 describe-instance-attribute --region {region} --instance-id {instance_id} --attribute userData"
links = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html"]
*/
-- User data runs as root when the instance starts. Requests name it as a member of its own or as the value of an attribute,
-- and CloudTrail hides what it says. What CloudFormation does is a deployment.
with changes as (
    select *, request_parameters ->> '$.instanceId' as instance_id
    from events
    where event_source = 'ec2.amazonaws.com' and event_name = 'ModifyInstanceAttribute' and not by_service
        and (
            request_parameters ->> '$.attribute' = 'userData'
            or coalesce(json_type(request_parameters -> '$.userData'), 'NULL') <> 'NULL'
        )
),
starts as (
    select account_id, event_time, unnest(request_parameters ->> '$.instancesSet.items[*].instanceId') as instance_id
    from events
    where event_source = 'ec2.amazonaws.com' and event_name = 'StartInstances' and succeeded
),
started as (
    select c.event_id, min(s.event_time) as started_at
    from changes as c
    join starts as s
        on s.account_id = c.account_id and s.instance_id = c.instance_id
        and s.event_time between c.event_time and c.event_time + interval 1 day
    where c.succeeded
    group by c.event_id
),
marked as (
    select
        c.*, s.started_at,
        'arn:' || arn_partition(c.principal) || ':ec2:' || c.region || ':' || c.account_id || ':instance/' || c.instance_id as arn
    from changes as c
    left join started as s on s.event_id = c.event_id
)
select
    account_id,
    region,
    arn as resource_arn,
    principal as discriminator,
    true as failed,
    case when is_automation(principal) then 'low' when not bool_or(succeeded) then 'medium' end as severity,
    'user data of ' || instance_id || case when bool_or(succeeded) then ' was changed ' else ' was to be changed ' end || traced(call)
        || coalesce('; the instance was started at ' || strftime(min(started_at), '%H:%M') || ' after that', '') as reason,
    {'trace': trace(call), 'instance_id': instance_id, 'started_at': min(started_at)} as evidence
from marked
where arn is not null
group by account_id, region, arn, instance_id, principal
having bool_or(judged)
