/*
title = "Trails keep recording who changes what"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Let the trail record management events again, reads and writes, and find out what was done meanwhile."
command = "aws cloudtrail get-event-selectors --region {region} --trail-name {trail_name}"
links = ["https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html"]
*/
-- A trail records all management events until it is told otherwise. One that is made for data events alone is told so right
-- after it is made, and stays as it was when it is told so again. The request's own defaults are true and All.
with calls as (
    select
        *,
        arn_tail(coalesce(request_parameters ->> '$.trailName', request_parameters ->> '$.name', denied_resource, 'unknown')) as trail_name,
        as_objects(request_parameters -> '$.advancedEventSelectors') as advanced,
        as_objects(request_parameters -> '$.eventSelectors') as basic
    from events
    where event_source = 'cloudtrail.amazonaws.com' and event_name in (values ('PutEventSelectors'), ('CreateTrail')) and deliberate and (succeeded or denied)
),
fields as (
    select event_id, number, unnest(as_objects(selector -> '$.fieldSelectors')) as field
    from (select event_id, unnest(advanced) as selector, generate_subscripts(advanced, 1) as number from calls)
),
-- A selector that leaves out more than reads and what is noisy leaves out who did what.
advanced_selectors as (
    select
        event_id, number,
        bool_or(field ->> '$.field' = 'eventCategory' and list_contains(as_list(field -> '$.equals'), 'Management'))
            and bool_and(
                field ->> '$.field' = 'eventCategory'
                or field ->> '$.field' = 'readOnly' and list_contains(as_list(field -> '$.equals'), 'false')
                or field ->> '$.field' = 'eventSource' and len(as_list(field -> '$.notEquals')) > 0
                    and list_has_all(['kms.amazonaws.com', 'rdsdata.amazonaws.com'], as_list(field -> '$.notEquals'))
            ) as records_writes
    from fields
    group by event_id, number
),
basic_selectors as (
    select
        event_id,
        lower(coalesce(selector ->> '$.includeManagementEvents', 'true')) = 'true' and coalesce(selector ->> '$.readWriteType', 'All') in ('All', 'WriteOnly') as records_writes
    from (select event_id, unnest(basic) as selector from calls)
),
judged_calls as (
    select c.*, s.records_writes
    from calls as c
    left join (
        select event_id, bool_or(records_writes) as records_writes
        from (select event_id, records_writes from advanced_selectors union all select event_id, records_writes from basic_selectors)
        group by event_id
    ) as s on s.event_id = c.event_id
),
history as (
    select
        *,
        last_value(case when succeeded and event_name = 'PutEventSelectors' then records_writes end ignore nulls) over (
            partition by account_id, region, trail_name order by event_time, event_id rows between unbounded preceding and 1 preceding
        ) as recorded_before,
        count(*) filter (where event_name = 'CreateTrail' and succeeded) over (
            partition by account_id, region, trail_name, principal order by event_time range between interval 1 hour preceding and current row
        ) > 0 as new_trail
    from judged_calls
)
select
    account_id,
    region,
    'arn:' || arn_partition(principal) || ':cloudtrail:' || region || ':' || account_id || ':trail/' || trail_name as resource_arn,
    principal as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'medium' else 'high' end as severity,
    'the trail ' || trail_name || case
        when bool_and(request_parameters is null) then ' was to record other events, the denial does not tell which: '
        when bool_or(succeeded) then ' no longer records who changes what: '
        else ' was to no longer record who changes what: '
    end || traced(call) as reason,
    {'trace': trace(call), 'trail_name': trail_name} as evidence
from history
where event_name = 'PutEventSelectors' and records_writes is not true and recorded_before is distinct from false and not new_trail
group by account_id, region, trail_name, principal
having bool_or(judged)
