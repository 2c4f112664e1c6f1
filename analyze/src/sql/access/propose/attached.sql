-- The policies that are attached to each of them directly, named as the members of a group have them.
select
    account_id, principal_arn,
    coalesce(policy_arn, case principal_kind when 'group' then split_part(principal_arn, ':group/', 1) || ':group/' || principal_name else principal_arn end || '/' || policy_name) as policy,
    policy_name, policy_arn, document::varchar as document
from attached_policies
where (principal_kind = 'group' or group_name is null) and coalesce(policy_arn, policy_name) is not null
order by account_id, principal_arn, policy
