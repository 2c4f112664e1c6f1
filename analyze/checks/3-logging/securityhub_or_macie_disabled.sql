/*
title = "Nobody turns Security Hub, Macie and other assessments off"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Turn it on again, and ask who turned it off and what was to stay unseen."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventName,AttributeValue={operation}"
links = ["https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-disable.html"]
*/
with calls as (
    select
        *,
        case event_source
            when 'securityhub.amazonaws.com' then 'Security Hub' when 'macie2.amazonaws.com' then 'Macie' when 'inspector2.amazonaws.com' then 'Inspector'
            when 'access-analyzer.amazonaws.com' then 'Access Analyzer' else 'Detective'
        end as service,
        -- A standard is left for its next version, a product's findings for another's.
        event_name in ('BatchDisableStandards', 'DisableImportFindingsForProduct') as partial,
        denied_resource as denied_name
    from events
    where (
            event_source = 'securityhub.amazonaws.com' and event_name in (
                'DisableSecurityHub', 'DisableSecurityHubV2', 'BatchDisableStandards', 'DisableImportFindingsForProduct', 'DisassociateFromAdministratorAccount',
                'DisassociateFromMasterAccount', 'DisableOrganizationAdminAccount', 'DisassociateMembers', 'DeleteMembers'
            )
            or event_source = 'macie2.amazonaws.com' and (
                event_name in ('DisableMacie', 'DisassociateFromAdministratorAccount', 'DisassociateFromMasterAccount', 'DisableOrganizationAdminAccount', 'DisassociateMember')
                or event_name = 'UpdateMacieSession' and request_parameters ->> '$.status' = 'PAUSED'
            )
            or event_source = 'inspector2.amazonaws.com' and event_name in ('Disable', 'DisableDelegatedAdminAccount')
            or event_source = 'access-analyzer.amazonaws.com' and event_name = 'DeleteAnalyzer'
            or event_source = 'detective.amazonaws.com' and event_name = 'DeleteGraph'
        )
        and deliberate and (succeeded or denied)
),
placed as (
    select
        *,
        case event_source
            when 'securityhub.amazonaws.com' then 'arn:' || arn_partition(principal) || ':securityhub:' || region || ':' || account_id || ':hub/default'
            when 'access-analyzer.amazonaws.com' then 'arn:' || arn_partition(principal) || ':access-analyzer:' || region || ':' || account_id || ':analyzer/' || coalesce(request_parameters ->> '$.analyzerName', arn_tail(denied_name), 'unknown')
            else 'arn:' || arn_partition(principal) || ':iam::' || account_id || ':root'
        end as arn
    from calls
)
select
    account_id,
    region,
    arn as resource_arn,
    service || ' ' || region || coalesce(' ' || principal, '') as discriminator,
    true as failed,
    case when not bool_or(succeeded and not partial) then 'medium' else 'high' end as severity,
    service || ' in ' || region || case when bool_or(succeeded) then ' was' else ' was to be' end
        || case when bool_and(partial) then ' turned off in part (' else ' turned off (' end || array_to_string(list_sort(list(distinct event_name)), ', ') || '): ' || traced(call) as reason,
    {'trace': trace(call), 'operation': min(event_name), 'operations': list_sort(list(distinct event_name))} as evidence
from placed
where arn is not null
group by account_id, region, arn, service, principal
having bool_or(judged)
