-- Identities and whether a policy allows them everything: `*` on `*` without a condition. Null: a document is not known.
with statements as (
    select
        account_id, principal_kind, principal_arn, principal_name, group_name, policy_arn, policy_name, document is null as unread,
        unnest(case when document is null then [null::json] else list_concat(as_objects(document -> '$.Statement'), [null::json]) end) as statement
    from attached_policies
),
judged as (
    select
        account_id, principal_kind, principal_arn, principal_name, group_name, policy_arn, policy_name,
        case
            when policy_name = 'AdministratorAccess' and policy_arn like 'arn:%:iam::aws:policy/AdministratorAccess' then true
            when unread then null
            when statement is null then false
            else statement ->> '$.Effect' = 'Allow'
                and (list_contains(as_list(statement -> '$.Action'), '*') or list_contains(as_list(statement -> '$.Action'), '*:*'))
                and list_contains(as_list(statement -> '$.Resource'), '*')
                and coalesce(json_type(statement -> '$.Condition'), 'NULL') = 'NULL'
        end as is_admin
    from statements
)
select
    account_id, principal_kind, principal_arn, principal_name, group_name, policy_arn, policy_name,
    case when bool_or(coalesce(is_admin, false)) then true when bool_or(is_admin is null) then null else false end as is_admin
from judged
group by all
