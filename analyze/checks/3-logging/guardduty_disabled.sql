/*
title = "Nobody blinds GuardDuty"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Turn it on again (a deleted detector starts without its findings), remove filters and trusted lists that nobody knows, and ask who did it."
command = "aws guardduty list-detectors --region {region}"
links = ["https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_suspend-disable.html"]
*/
-- Off as a whole, off for members, or told to keep silent: filters that archive, lists of addresses to trust. The last
-- are what tuning looks like, too.
with calls as (
    select
        *,
        coalesce(request_parameters ->> '$.detectorId', nullif(regexp_extract(denied_resource, ':detector/([^/]+)', 1), '')) as detector_id,
        case
            when event_name = 'DeleteDetector' then 'the detector was deleted'
            when event_name = 'UpdateDetector' and lower(request_parameters ->> '$.enable') = 'false' then 'the detector was suspended'
            when event_name in ('UpdateDetector', 'UpdateMemberDetectors', 'UpdateOrganizationConfiguration') and (
                    list_contains(request_parameters ->> '$.features[*].status', 'DISABLED')
                    or regexp_matches((request_parameters -> '$.dataSources')::varchar, '"enable"\s*:\s*"?false')
                ) then 'sources it watches were turned off'
            when event_name = 'UpdateDetector' and request_parameters is null then 'the detector was changed'
            when event_name in ('StopMonitoringMembers', 'DisassociateMembers', 'DeleteMembers') then 'member accounts are no longer watched'
            when event_name in ('DisassociateFromMasterAccount', 'DisassociateFromAdministratorAccount', 'DisableOrganizationAdminAccount') then 'the account that watches was let go'
            when event_name = 'DeletePublishingDestination' then 'findings are no longer exported'
            when event_name in ('CreateFilter', 'UpdateFilter') and upper(request_parameters ->> '$.action') = 'ARCHIVE' then 'findings are archived as they come'
            when event_name in ('CreateIPSet', 'UpdateIPSet') and lower(request_parameters ->> '$.activate') = 'true' then 'a list of addresses is trusted'
        end as what
    from events
    where event_source = 'guardduty.amazonaws.com'
        and event_name in (values
            ('DeleteDetector'), ('UpdateDetector'), ('UpdateMemberDetectors'), ('UpdateOrganizationConfiguration'), ('StopMonitoringMembers'), ('DisassociateMembers'), ('DeleteMembers'),
            ('DisassociateFromMasterAccount'), ('DisassociateFromAdministratorAccount'), ('DisableOrganizationAdminAccount'), ('DeletePublishingDestination'),
            ('CreateFilter'), ('UpdateFilter'), ('CreateIPSet'), ('UpdateIPSet')
        )
        and deliberate and (succeeded or denied)
),
placed as (
    select
        *,
        coalesce('arn:' || arn_partition(principal) || ':guardduty:' || region || ':' || account_id || ':detector/' || detector_id, principal) as arn,
        what in ('sources it watches were turned off', 'findings are no longer exported', 'findings are archived as they come', 'a list of addresses is trusted') as partial
    from calls
    where what is not null
)
select
    account_id,
    region,
    arn as resource_arn,
    principal || case when arn = principal then ' ' || region else '' end as discriminator,
    true as failed,
    case when not bool_or(succeeded and not partial) then 'medium' else 'high' end as severity,
    'GuardDuty in ' || region || ': ' || array_to_string(list_sort(list(distinct what)), ', ')
        || case when bool_or(succeeded) then ' ' else ', or were to be ' end || traced(call) as reason,
    {'trace': trace(call), 'detector_id': min(detector_id), 'operations': list_sort(list(distinct event_name)), 'names': list_sort(list(distinct request_parameters ->> '$.name'))} as evidence
from placed
where arn is not null
group by account_id, region, arn, principal
having bool_or(judged)
