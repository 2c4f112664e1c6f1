-- One row per resource whose own policy was asked for, and whether that policy lets in everyone who calls; null where it
-- could not be read, or where it hangs on a condition that is not judged here. `by_url` is about function URLs.
with policies as (
    select account_id, region, arn, policy, incomplete from aws_sqs_queue
    union all
    select account_id, region, arn, policy, incomplete from aws_sns_topic
    union all
    select account_id, region, arn, policy, incomplete from aws_kms_key where key_manager is distinct from 'AWS'
    union all
    select account_id, region, arn, policy, incomplete from aws_ecr_repository
    union all
    select account_id, region, arn, policy, incomplete from aws_secretsmanager_secret
    union all
    select account_id, region, arn, policy, incomplete from aws_dynamodb_table
    union all
    select account_id, region, arn, policy, incomplete from aws_lambda_function
    union all
    select account_id, region, arn, access_policy, incomplete from aws_backup_vault
    union all
    select account_id, region, arn, access_policies, incomplete from aws_opensearch_domain
    union all
    select account_id, region, arn, policy, incomplete from aws_apigateway_rest_api
),
read as (
    select
        account_id, region, arn, as_document(policy) as document,
        case
            when policy is not null and json_type(policy) <> 'NULL' then json_type(as_document(policy)) is distinct from 'OBJECT'
            -- One of the calls that failed may have been the one for it.
            else coalesce(len(list_filter(incomplete, lambda operation: not contains(operation, 'Tag'))) > 0, false)
        end as unread
    from policies
),
statements as (
    select account_id, region, arn, unnest(as_objects(document -> '$.Statement')) as statement
    from read
),
of_everyone as (
    select
        account_id, region, arn,
        lower(statement ->> '$.Effect') = 'allow' as allows,
        as_list(statement -> '$.Action') as actions,
        coalesce(map_entries(json_transform(statement -> '$.Condition', '"MAP(VARCHAR, MAP(VARCHAR, JSON))"')), []) as operators
    from statements
    where coalesce(statement ->> '$.Principal' = '*', false) or list_contains(as_list(statement -> '$.Principal.AWS'), '*')
        or json_type(statement -> '$.NotPrincipal') is not null
        -- Whoever it denies may be whoever calls.
        or lower(statement ->> '$.Effect') = 'deny'
),
conditions as (
    select
        *,
        flatten(list_transform(operators, lambda operator: list_transform(map_entries(operator.value), lambda part: {
            'operator': lower(operator.key), 'key': lower(part.key), 'values': as_list(part.value)
        }))) as parts
    from of_everyone
),
weighed as (
    select
        account_id, region, arn, allows, actions,
        len(list_filter(parts, lambda part: part.key = 'lambda:functionurlauthtype' or part.key = 'lambda:invokedviafunctionurl')) > 0 as by_url,
        -- What limits it to callers that are known: an account, an organization, a network.
        len(list_filter(parts, lambda part:
            part.operator in ('stringequals', 'stringequalsignorecase', 'stringlike', 'arnequals', 'arnlike')
                and part.key in ('aws:sourceaccount', 'aws:sourceowner', 'aws:sourcearn', 'aws:sourceorgid', 'aws:sourceorgpaths', 'aws:principalorgid', 'aws:principalorgpaths',
                    'aws:principalaccount', 'aws:principalarn', 'aws:userid', 'aws:sourcevpc', 'aws:sourcevpce', 'kms:calleraccount')
                and not list_contains(part.values, '*')
            or part.operator = 'ipaddress' and part.key = 'aws:sourceip' and len(list_filter(part.values, lambda cidr: is_world(cidr))) = 0
        )) > 0 as limited,
        len(list_filter(parts, lambda part:
            part.key not in ('aws:securetransport', 'lambda:functionurlauthtype', 'lambda:invokedviafunctionurl')
            and not (part.operator = 'ipaddress' and part.key = 'aws:sourceip')
        )) > 0 as conditional,
        len(list_filter(parts, lambda part: part.key = 'aws:securetransport')) > 0 as about_tls
    from conditions
),
allowed as (
    select
        account_id, region, arn, by_url or list_bool_or(list_transform(actions, lambda action: lower(action) = 'lambda:invokefunctionurl')) as by_url,
        bool_or(not conditional) as unconditional,
        string_agg(distinct array_to_string(actions, ', '), ', ' order by array_to_string(actions, ', ')) as actions
    from weighed
    where allows and not limited
    group by all
),
denied as (
    select distinct account_id, region, arn
    from weighed
    where not allows and not about_tls
)
select
    r.account_id, r.region, r.arn, coalesce(a.by_url, false) as by_url, r.document is not null as has_policy,
    case when r.unread then null when a.arn is null then false when a.unconditional and d.arn is null then true end as open,
    case
        when r.unread then 'its policy is not in the run'
        when a.unconditional and d.arn is not null then 'a Deny in its policy may stand before it'
        when a.arn is not null and not a.unconditional then 'its policy lets everyone in under a condition'
    end as why,
    a.actions
from read as r
left join allowed as a on a.account_id = r.account_id and a.region = r.region and a.arn = r.arn
left join denied as d on d.account_id = r.account_id and d.region = r.region and d.arn = r.arn
