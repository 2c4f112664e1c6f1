-- One row per identity and policy document that grants to it: its own inline and managed policies, and for users those
-- of their groups. A managed policy whose document is not in the run has a null document.
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
),
managed as (
    select account_id, kind, arn, name, group_name, unnest(attached_policy_arns) as policy_arn
    from identities
),
inline as (
    select account_id, kind, arn, name, group_name, unnest(as_objects(inline_policies)) as policy
    from identities
)
select
    m.account_id, m.kind as principal_kind, m.arn as principal_arn, m.name as principal_name, m.group_name,
    m.policy_arn, arn_tail(m.policy_arn) as policy_name, p.document
from managed as m
left join (select account_id, arn, as_document(document) as document from aws_iam_policy) as p on p.account_id = m.account_id and p.arn = m.policy_arn
union all by name
select
    i.account_id, i.kind as principal_kind, i.arn as principal_arn, i.name as principal_name, i.group_name,
    null as policy_arn, i.policy ->> '$.PolicyName' as policy_name, as_document(i.policy -> '$.PolicyDocument') as document
from inline as i
