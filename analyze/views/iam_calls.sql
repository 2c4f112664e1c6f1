-- One row per call that changes IAM, with the user, role, group or policy it is about. Requests and denials name users, roles
-- and groups without their paths; known_resources has their ARNs. A call that names nobody is about the caller.
with named as (
    select
        *,
        case
            when request_parameters ->> '$.userName' is not null then 'user'
            when request_parameters ->> '$.roleName' is not null then 'role'
            when request_parameters ->> '$.groupName' is not null then 'group'
            when request_parameters is null then nullif(regexp_extract(denied_resource, '^(?:arn:[^:]*:iam::[0-9]*:)?(user|role|group)[ /]', 1), '')
        end as target_kind,
        coalesce(
            request_parameters ->> '$.userName', request_parameters ->> '$.roleName', request_parameters ->> '$.groupName',
            case when request_parameters is null then nullif(regexp_extract(denied_resource, '^(?:arn:[^:]*:iam::[0-9]*:)?(?:user|role|group)[ /](?:.*/)?([^/ ]+)$', 1), '') end
        ) as target_name,
        coalesce(
            request_parameters ->> '$.policyArn',
            case when request_parameters is null then nullif(regexp_extract(denied_resource, '^(?:policy )?(arn:[^:]*:iam::[0-9]*:policy/.+)$', 1), '') end
        ) as policy_arn
    from events
    where event_source = 'iam.amazonaws.com' and read_only is distinct from true
),
calls as (
    select *, as_document(coalesce(request_parameters -> '$.policyDocument', request_parameters -> '$.assumeRolePolicyDocument')) as document
    from named
),
known as (
    select account_id, split_part(resource_type, ':', 2) as kind, tail as name, min(arn) as arn
    from known_resources
    where resource_type in ('iam:user', 'iam:role', 'iam:group')
    group by all
)
select
    c.*,
    case
        when c.target_name is null then coalesce(c.policy_arn, c.principal)
        else coalesce(
            k.arn, c.response_elements ->> '$.user.arn', c.response_elements ->> '$.role.arn',
            'arn:' || arn_partition(c.principal) || ':iam::' || c.account_id || ':' || c.target_kind || '/' || c.target_name
        )
    end as target_arn,
    c.target_name is null
        or coalesce(c.target_kind = 'user' and contains(c.principal, ':user/') and arn_tail(c.principal) = c.target_name, false) as on_self,
    -- Whether its policy lets do everything, or everything with IAM, which comes to the same.
    len(list_filter(as_objects(c.document -> '$.Statement'), lambda statement:
        statement ->> '$.Effect' = 'Allow'
        and list_has_any(as_list(statement -> '$.Action'), ['*', '*:*', 'iam:*'])
        and list_contains(as_list(statement -> '$.Resource'), '*')
        and coalesce(json_type(statement -> '$.Condition'), 'NULL') = 'NULL')) > 0
        or coalesce(regexp_matches(c.policy_arn, ':iam::aws:policy/(AdministratorAccess|IAMFullAccess)$'), false) as of_administrators
from calls as c
left join known as k on k.account_id = c.account_id and k.kind = c.target_kind and k.name = c.target_name
