/*
title = "Nobody hands out administrator rights"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask who needs it and for what. If nobody does, detach the policy, and look at what was done with it."
command = "aws iam list-attached-{kind}-policies --{kind}-name {name}"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_job-functions.html"]
*/
-- AdministratorAccess and IAMFullAccess, inline policies and versions that allow everything, own policies that were created
-- so, and membership in groups that were given one.
with calls as (
    select
        account_id, event_name, event_time, target_kind, target_name, target_arn, principal, of_administrators, succeeded, denied, judged, call,
        policy_arn,
        -- A denial does not tell which policy was to be attached.
        event_name like 'Attach%' and denied and request_parameters is null as untold,
        coalesce(request_parameters ->> '$.policyName', arn_tail(request_parameters ->> '$.policyArn')) as policy_name,
        request_parameters ->> '$.groupName' as group_name,
        coalesce(lower(request_parameters ->> '$.setAsDefault') = 'true', false) as is_default,
        response_elements ->> '$.policy.arn' as created_arn
    from iam_calls
    where event_source = 'iam.amazonaws.com'
        and event_name in (values ('AttachUserPolicy'), ('AttachRolePolicy'), ('AttachGroupPolicy'), ('PutUserPolicy'), ('PutRolePolicy'), ('PutGroupPolicy'), ('CreatePolicy'), ('CreatePolicyVersion'), ('AddUserToGroup'))
        and deliberate
),
own_policies as (
    select distinct account_id, coalesce(created_arn, policy_arn) as policy_arn
    from calls
    where event_name in ('CreatePolicy', 'CreatePolicyVersion') and of_administrators and succeeded
),
marked as (
    select c.*, c.of_administrators or o.policy_arn is not null or c.untold as grants
    from calls as c
    left join own_policies as o
        on o.account_id = c.account_id and o.policy_arn = c.policy_arn and c.event_name in ('AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy')
),
groups as (
    select distinct account_id, target_name as group_name
    from marked
    where grants and target_kind = 'group' and succeeded
),
granted as (
    select m.* exclude (policy_name), case when m.event_name = 'AddUserToGroup' then 'of the group ' || m.group_name when m.untold then 'or others, the denial does not tell' else m.policy_name end as policy_name
    from marked as m
    left join groups as g on g.account_id = m.account_id and g.group_name = m.group_name and m.event_name = 'AddUserToGroup'
    where (m.succeeded or m.denied)
        and case m.event_name when 'AddUserToGroup' then g.group_name is not null when 'CreatePolicy' then false when 'CreatePolicyVersion' then m.grants and m.is_default else m.grants end
    union all by name
    -- Permission sets of Identity Center become roles in every account they are assigned to.
    select
        account_id, event_name, 'permission set' as target_kind, arn_tail(request_parameters ->> '$.permissionSetArn') as target_name,
        coalesce(request_parameters ->> '$.permissionSetArn', case when denied then coalesce(nullif(regexp_extract(denied_resource, '^arn:[^:]*:sso:::permissionSet/.+$'), ''), principal) end) as target_arn,
        principal, succeeded, judged, call,
        coalesce(arn_tail(request_parameters ->> '$.managedPolicyArn'), 'or others, the denial does not tell') as policy_name
    from events
    where event_source = 'sso.amazonaws.com' and event_name = 'AttachManagedPolicyToPermissionSet' and deliberate and (succeeded or denied)
        and (regexp_matches(request_parameters ->> '$.managedPolicyArn', ':iam::aws:policy/(AdministratorAccess|IAMFullAccess)$') or denied and request_parameters is null)
)
select
    account_id,
    'global' as region,
    target_arn as resource_arn,
    principal as discriminator,
    true as failed,
    case when not bool_or(succeeded) or is_automation(principal) then 'medium' else 'high' end as severity,
    case when target_arn = principal and bool_or(target_kind = 'permission set') then 'a permission set' else principal_label(target_arn) end || case when bool_or(succeeded) then ' was given ' else ' was to be given ' end
        || 'administrator rights (' || array_to_string(list_sort(list(distinct policy_name)), ', ') || '): ' || traced(call) as reason,
    {'trace': trace(call), 'kind': min(target_kind), 'name': min(target_name), 'policies': list_sort(list(distinct policy_name))} as evidence
from granted
where target_arn is not null
group by account_id, target_arn, principal
having bool_or(judged)
