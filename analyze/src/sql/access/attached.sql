-- The policies of users and roles; the documents of managed ones are read once for all who have them. Of the others, a null document
-- could not be read. Where it is not known which are attached, one of them stands for all.
select
    account_id, principal_arn,
    coalesce(policy_arn, case when group_name is null then principal_arn else split_part(principal_arn, ':user', 1) || ':group/' || group_name end || '/' || policy_name) as policy,
    policy_arn is not null as is_managed, document::varchar as document
from attachments
where principal_kind in ('user', 'role')
union all
select account_id, arn, arn || '/*', false, null
from (
    select account_id, arn, attached_policy_arns, inline_policies, group_names from aws_iam_user
    union all by name
    select account_id, arn, attached_policy_arns, inline_policies, [] as group_names from aws_iam_role
)
where arn is not null and (attached_policy_arns is null or inline_policies is null or group_names is null)
order by account_id, principal_arn, policy
