/*
title = "Commands are sent to instances by those who always do"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who sent it; CloudTrail hides the command, Systems Manager keeps it for 30 days. If nobody did, take the credential out of use and treat the instances as taken over."
command = "aws ssm list-commands --region {region} --filters key=InvokedAfter,value={since}"
links = ["https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html"]
*/
-- Documents of AWS that run no text of the caller's, such as patching, don't count. A principal who sent commands on three
-- days before is somebody who does that; from a place that its commands never came from, it may be somebody else, unless it
-- is an application whose places always change.
with commands as (
    select
        e.*,
        strftime(e.event_time, '%Y-%m-%d') as day,
        coalesce('AS' || a.asn, a.network, e.source_ip_address) as place,
        arn_tail(coalesce(e.request_parameters ->> '$.documentName', e.request_parameters ->> '$.name')) as document,
        coalesce(
            json_array_length(e.request_parameters -> '$.instanceIds'),
            try_cast(e.response_elements ->> '$.command.targetCount' as bigint)
        ) as instances
    from events as e
    left join addresses as a on a.address = e.source_ip_address
    where e.event_source = 'ssm.amazonaws.com' and e.event_name in (values ('SendCommand'), ('CreateAssociation'), ('UpdateAssociation'))
        and not e.by_service and e.principal is not null
),
scripts as (
    select *
    from commands
    where document is null or not regexp_matches(document, '^(AWS|Amazon)')
        or document in (
            'AWS-RunShellScript', 'AWS-RunPowerShellScript', 'AWS-RunRemoteScript', 'AWS-RunDocument', 'AWS-RunAnsiblePlaybook',
            'AWS-ApplyAnsiblePlaybooks', 'AWS-ApplyChefRecipes', 'AWS-RunSaltState', 'AWS-ApplyDSCMofs',
            'AWS-InstallApplication', 'AWS-InstallPowerShellModule'
        )
),
days as (
    select account_id, principal, day, place, bool_or(succeeded) as succeeded
    from scripts
    group by all
),
habits as (
    select
        d.account_id, d.principal, d.day, d.place,
        count(distinct b.day) as days,
        count(distinct b.place) as places,
        count(b.day) filter (where b.place is not distinct from d.place) as from_there
    from days as d
    left join days as b on b.account_id = d.account_id and b.principal = d.principal and b.day < d.day and b.succeeded
    group by all
)
select
    s.account_id,
    first(s.region order by s.event_time, s.event_id) as region,
    s.principal as resource_arn,
    s.day as discriminator,
    true as failed,
    case when not bool_or(s.succeeded) then 'low' end as severity,
    array_to_string(list_sort(list(distinct coalesce(s.document, 'a command')))[:5], ', ')
        || case when bool_or(s.succeeded) then ' was sent' else ' was to be sent' end
        || coalesce(' to ' || max(s.instances) || case when max(s.instances) = 1 then ' instance ' else ' instances ' end, ' ')
        || traced(s.call) as reason,
    {'trace': trace(s.call), 'documents': list_sort(list(distinct s.document))[:30], 'since': strftime(min(s.event_time), '%Y-%m-%dT%H:%M:%SZ')} as evidence
from scripts as s
join habits as h
    on h.account_id = s.account_id and h.principal = s.principal and h.day = s.day and h.place is not distinct from s.place
where not is_automation(s.principal)
    and not (h.days >= 3 and (h.from_there > 0 or h.places > 3))
group by s.account_id, s.principal, s.day
having bool_or(s.judged)
