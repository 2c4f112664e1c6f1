/*
title = "Nobody stops or deletes a trail"
severity = "critical"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Start the trail again, or create it anew, and find out what was done while nothing was recorded: AWS Config, VPC flow logs and access logs of S3 and load balancers may tell. Take the credential out of use."
command = "aws cloudtrail start-logging --region {region} --name {name}"
links = ["https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html"]
*/
-- Event data stores of CloudTrail Lake record too. A trail that was started again has a hole, and who wants one starts it again.
with calls as (
    select *, coalesce(request_parameters ->> '$.name', request_parameters ->> '$.eventDataStore', denied_resource, 'unknown') as given_name
    from events
    where event_source = 'cloudtrail.amazonaws.com'
        and event_name in (values ('StopLogging'), ('DeleteTrail'), ('StopEventDataStoreIngestion'), ('DeleteEventDataStore'), ('StartLogging'), ('CreateTrail'), ('StartEventDataStoreIngestion'), ('RestoreEventDataStore'))
),
stopped as (
    select
        *,
        case
            when given_name like 'arn:%' then given_name
            else 'arn:' || arn_partition(principal) || ':cloudtrail:' || region || ':' || account_id
                || case when event_name like '%EventDataStore%' then ':eventdatastore/' else ':trail/' end || given_name
        end as arn,
        min(event_time) filter (where event_name in ('StartLogging', 'CreateTrail', 'StartEventDataStoreIngestion', 'RestoreEventDataStore') and succeeded) over (
            partition by account_id, arn_tail(given_name) order by event_time range between current row and unbounded following
        ) as again_at
    from calls
)
select
    account_id,
    region,
    arn as resource_arn,
    principal as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'high' else 'critical' end as severity,
    case when bool_or(arn like '%:eventdatastore/%') then 'the event data store ' else 'the trail ' end || arn_tail(arn)
        || case when bool_or(succeeded) then ' was ' else ' was to be ' end
        || array_to_string(list_sort(list(distinct case when event_name like 'Delete%' then 'deleted' else 'stopped' end)), ', ') || ': ' || traced(call)
        || case when bool_or(succeeded) then coalesce('; on again at ' || strftime(max(again_at) filter (where succeeded), '%Y-%m-%d %H:%M'), '') else '' end as reason,
    {'trace': trace(call), 'name': arn_tail(arn), 'again_at': max(again_at) filter (where succeeded)} as evidence
from stopped
where event_name in ('StopLogging', 'DeleteTrail', 'StopEventDataStoreIngestion', 'DeleteEventDataStore') and deliberate and (succeeded or denied)
group by account_id, region, arn, principal
having bool_or(judged)
