-- The policies of users and roles: a null document could not be read.
select
    account_id, principal_arn,
    coalesce(policy_arn, case when group_name is null then principal_arn else split_part(principal_arn, ':user', 1) || ':group/' || group_name end || '/' || policy_name) as policy,
    document::varchar as document
from attached_policies
where principal_kind in ('user', 'role')
order by account_id, principal_arn, policy
