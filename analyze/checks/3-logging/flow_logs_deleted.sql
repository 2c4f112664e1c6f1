/*
title = "Nobody deletes flow logs"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Create the flow log again, and ask who deleted it: it told who talked with whom, also after an attack."
command = "aws ec2 describe-flow-logs --region {region}"
links = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteFlowLogs.html"]
*/
-- A request names one flow log or many, each in an object with `content`. One that goes with its VPC is cleaned up.
with calls as (
    select
        *,
        count(*) filter (where event_name = 'DeleteVpc' and succeeded) over (
            partition by account_id, region, principal order by event_time range between interval 1 hour preceding and interval 1 hour following
        ) > 0 as with_vpc,
        denied_resource as denied_name
    from events
    where event_source = 'ec2.amazonaws.com' and event_name in (values ('DeleteFlowLogs'), ('DeleteVpc'), ('')) and deliberate and (succeeded or denied)
),
named as (
    select *, unnest(coalesce(nullif(list_distinct(regexp_extract_all(coalesce(request_parameters::varchar, denied_name), 'fl-[0-9a-zA-Z]+')), []::varchar[]), ['unknown'])) as flow_log_id
    from calls
    where event_name = 'DeleteFlowLogs'
)
select
    account_id,
    region,
    'arn:' || arn_partition(principal) || ':ec2:' || region || ':' || account_id || ':vpc-flow-log/' || flow_log_id as resource_arn,
    principal as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'medium' when bool_and(with_vpc) then 'low' else 'high' end as severity,
    'the flow log ' || flow_log_id || case when bool_or(succeeded) then ' was deleted' else ' was to be deleted' end
        || case when bool_and(with_vpc) then ', as was a VPC' else '' end || ': ' || traced(call) as reason,
    {'trace': trace(call), 'flow_log_id': flow_log_id} as evidence
from named
group by account_id, region, flow_log_id, principal, arn_partition(principal)
having bool_or(judged)
