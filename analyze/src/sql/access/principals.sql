-- Users and roles, each with what tells it from others. An attached policy without a document, and a group that is not in the
-- run, are listed as unread.
with identities as (
    select
        account_id, arn, 'user' as kind, user_name as name, user_id as unique_id, tags, permissions_boundary_arn,
        null::json as trust, false as service_linked, group_names, attached_policy_arns
    from aws_iam_user
    union all by name
    select
        account_id, arn, 'role' as kind, role_name as name, role_id as unique_id, tags, permissions_boundary_arn,
        assume_role_policy as trust, is_service_linked as service_linked, null as group_names, attached_policy_arns
    from aws_iam_role
),
absent as (
    select m.account_id, m.arn, list_sort(list(m.group_name)) as group_names
    from (select account_id, arn, unnest(group_names) as group_name from identities) as m
    anti join aws_iam_group as g on g.account_id = m.account_id and g.group_name = m.group_name
    group by m.account_id, m.arn
)
select
    i.account_id, i.arn, i.kind, i.name, i.unique_id, to_json(i.tags)::varchar as tags,
    i.permissions_boundary_arn, as_document(b.document)::varchar as boundary,
    case when $1 then as_document(i.trust)::varchar end as trust, i.service_linked, to_json(a.group_names)::varchar as absent_groups,
    i.kind = 'role' and coalesce((select bool_or(i.name glob s.pattern) from config_special_roles as s), false) as special
from identities as i
left join aws_iam_policy as b on b.account_id = i.account_id and b.arn = i.permissions_boundary_arn
left join absent as a on a.account_id = i.account_id and a.arn = i.arn
where i.arn is not null
order by i.account_id, i.arn
