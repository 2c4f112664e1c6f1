/*
title = "Policies are changed by deployments"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Read what the policy allows now and ask who changed it. `iam:SetDefaultPolicyVersion` and boundaries that go away are common ways to more rights."
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html"]
*/
-- Inline policies, versions of managed ones, and boundaries. What takes rights away (a deleted policy, one that only denies)
-- is no concern, nor is what stacks and known automation do all day. Administrator rights are admin_policy_attached's.
with calls as (
    select
        account_id, target_arn, target_name, target_kind, principal, event_name, event_time, succeeded, judged, call,
        coalesce(request_parameters ->> '$.policyName', arn_tail(request_parameters ->> '$.policyArn'), arn_tail(request_parameters ->> '$.permissionsBoundary')) as policy_name,
        count(*) filter (where event_name in ('CreateUser', 'CreateRole', 'CreateGroup') and succeeded) over (
            partition by account_id, target_kind, target_name, principal order by event_time range between interval 1 hour preceding and current row
        ) > 0 as is_new,
        len(as_objects(document -> '$.Statement')) > 0
            and len(list_filter(as_objects(document -> '$.Statement'), lambda statement: statement ->> '$.Effect' is distinct from 'Deny')) = 0 as only_denies,
        event_name <> 'CreatePolicyVersion' or request_parameters is null or coalesce(lower(request_parameters ->> '$.setAsDefault') = 'true', false) as in_force,
        of_administrators and event_name not like '%Boundary' as of_administrators
    from iam_calls
    where event_source = 'iam.amazonaws.com' and not by_service and (succeeded or denied)
        and event_name in (values
            ('PutUserPolicy'), ('PutRolePolicy'), ('PutGroupPolicy'), ('CreatePolicyVersion'), ('SetDefaultPolicyVersion'), ('PutUserPermissionsBoundary'), ('PutRolePermissionsBoundary'),
            ('DeleteUserPermissionsBoundary'), ('DeleteRolePermissionsBoundary'), ('CreateUser'), ('CreateRole'), ('CreateGroup')
        )
),
changes as (
    select account_id, target_arn, principal, event_name, policy_name, is_new, succeeded, judged, call
    from calls
    where event_name not like 'Create%' and not only_denies is true and not of_administrators
        or event_name = 'CreatePolicyVersion' and in_force and not only_denies is true and not of_administrators
    union all by name
    select
        account_id,
        coalesce(request_parameters ->> '$.permissionSetArn', case when denied then coalesce(nullif(regexp_extract(denied_resource, '^arn:[^:]*:sso:::permissionSet/.+$'), ''), principal) end) as target_arn,
        principal, event_name, 'the permission set''s' as policy_name,
        false as is_new, succeeded, judged, call
    from events
    where event_source = 'sso.amazonaws.com' and not by_service and (succeeded or denied)
        and event_name in (values ('PutInlinePolicyToPermissionSet'), ('PutPermissionsBoundaryToPermissionSet'), ('DeletePermissionsBoundaryFromPermissionSet'))
)
select
    account_id,
    'global' as region,
    target_arn as resource_arn,
    principal as discriminator,
    true as failed,
    case when not bool_or(succeeded) or bool_and(is_new) then 'low' else 'medium' end as severity,
    array_to_string(list_sort(list(distinct case
        when event_name like 'Delete%Boundary%' then 'its permissions boundary was taken away'
        when event_name like 'Put%Boundary%' then 'its permissions boundary was set' || coalesce(' to ' || policy_name, '')
        when event_name = 'SetDefaultPolicyVersion' then 'another version of it was put in force'
        when event_name = 'CreatePolicyVersion' then 'a new version of it was put in force'
        else 'its inline policy ' || coalesce(policy_name, '') || ' was written'
    end)), ', ') || case when bool_or(succeeded) then ': ' else ', or was to be: ' end || traced(call) as reason,
    {'trace': trace(call), 'operations': list_sort(list(distinct event_name)), 'policies': list_sort(list(distinct policy_name))} as evidence
from changes
where target_arn is not null and not is_automation(principal)
group by account_id, target_arn, principal
having bool_or(judged)
