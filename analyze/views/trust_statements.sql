-- One row per role, Allow statement of its trust policy, and principal in it.
with statements as (
    select account_id, arn, role_name, is_service_linked, unnest(as_objects(as_document(assume_role_policy) -> '$.Statement')) as statement
    from aws_iam_role
),
allowed as (
    select * exclude (statement), statement, statement -> '$.Principal' as principal, statement -> '$.Condition' as condition
    from statements
    where statement ->> '$.Effect' = 'Allow'
),
named as (
    select *, 'AWS' as principal_kind, unnest(as_list(principal -> '$.AWS')) as principal_name from allowed where json_type(principal) = 'OBJECT'
    union all
    select *, 'Federated', unnest(as_list(principal -> '$.Federated')) from allowed where json_type(principal) = 'OBJECT'
    union all
    select *, 'Service', unnest(as_list(principal -> '$.Service')) from allowed where json_type(principal) = 'OBJECT'
    union all
    select *, 'AWS', '*' from allowed where json_type(principal) = 'VARCHAR'
)
select
    account_id, arn, role_name, is_service_linked, statement, condition, principal_kind, principal_name,
    case
        when principal_kind <> 'AWS' then null
        when principal_name = '*' then '*'
        when regexp_full_match(principal_name, '[0-9]{12}') then principal_name
        else nullif(split_part(principal_name, ':', 5), '')
    end as principal_account_id,
    -- The condition keys, `operator.key` in lower case.
    coalesce(list_transform(
        flatten(list_transform(coalesce(json_keys(condition), []::varchar[]),
            lambda operator: list_transform(json_keys(condition, '$."' || operator || '"'), lambda key: operator || '.' || key))),
        lambda path: lower(path)), []::varchar[]) as condition_keys
from named
