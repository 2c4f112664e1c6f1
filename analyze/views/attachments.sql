-- One row per identity and policy that grants to it: its own inline and managed policies, and for users those of their
-- groups. The documents of managed policies are in `aws_iam_policy`; the others stand here.
with groups as (
    select account_id, arn, group_name, attached_policy_arns, inline_policies
    from aws_iam_group
),
identities as (
    select account_id, 'user' as kind, arn, user_name as name, null as group_name, attached_policy_arns, inline_policies
    from aws_iam_user
    union all by name
    select account_id, 'role' as kind, arn, role_name as name, null as group_name, attached_policy_arns, inline_policies
    from aws_iam_role
    union all by name
    select u.account_id, 'user' as kind, u.arn, u.user_name as name, g.group_name, g.attached_policy_arns, g.inline_policies
    from (select account_id, arn, user_name, unnest(group_names) as group_name from aws_iam_user) as u
    join groups as g on g.account_id = u.account_id and g.group_name = u.group_name
    union all by name
    select account_id, 'group' as kind, arn, group_name as name, group_name, attached_policy_arns, inline_policies
    from groups
)
select account_id, kind as principal_kind, arn as principal_arn, name as principal_name, group_name, unnest(policy, recursive := true)
from (
    select
        * exclude (attached_policy_arns, inline_policies),
        unnest(list_concat(
            list_transform(attached_policy_arns, lambda policy_arn: {'policy_arn': policy_arn, 'policy_name': arn_tail(policy_arn), 'document': null::json}),
            list_transform(
                as_objects(inline_policies),
                lambda policy: {'policy_arn': null::varchar, 'policy_name': policy ->> '$.PolicyName', 'document': as_document(policy -> '$.PolicyDocument')}
            )
        )) as policy
    from identities
)
