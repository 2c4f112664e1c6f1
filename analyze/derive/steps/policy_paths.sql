-- One row per thing that everyone on the internet, or another account, may call through an endpoint of AWS, because a
-- policy or a setting says so. `open` is null where that is not known; what is closed has no row.
with buckets as (
    select
        account_id, region, arn as to_arn, 'bucket' as kind, public_by_policy or public_by_acl as open,
        'whether its policy or access control list lets everyone in is not in the run' as why,
        case when public_by_policy then 'bucket policy lets everyone in' when public_by_acl then 'access control list lets everyone in' else 'bucket policy' end as detail
    from bucket_access
),
functions as (
    select
        f.account_id, f.region, f.arn as to_arn, 'function' as kind,
        case when not list_contains(f.url_auth_types, 'NONE') then false when f.url_auth_types is not null then p.open end as open,
        case when f.url_auth_types is null then 'whether it has a URL is not in the run' else p.why end as why,
        'function URL without authentication' as detail
    from aws_lambda_function as f
    join public_policies as p on p.account_id = f.account_id and p.region = f.region and p.arn = f.arn
    where p.by_url
    union all by name
    select account_id, region, arn as to_arn, 'function' as kind, open, why, 'its policy lets everyone call it' as detail
    from public_policies
    where not by_url and open is distinct from false and arn like 'arn:%:lambda:%'
),
apis as (
    select a.account_id, a.region, a.arn, a.api_id, a.execute_api_endpoint_disabled, a.endpoint_types is null as untyped, p.has_policy, p.open, p.why
    from aws_apigateway_rest_api as a
    join public_policies as p on p.account_id = a.account_id and p.region = a.region and p.arn = a.arn
    where list_contains(a.endpoint_types, 'PRIVATE') is distinct from true
    union all by name
    select account_id, region, arn, api_id, execute_api_endpoint_disabled, false as untyped, false as has_policy
    from aws_apigatewayv2_api
),
stages as (
    select account_id, region, api_id from aws_apigateway_stage
    union
    select account_id, region, api_id from aws_apigatewayv2_stage
),
stages_unread as (
    select distinct account_id, region, resource_arn
    from gaps
    where table_name in ('aws_apigateway_stage', 'aws_apigatewayv2_stage') or table_name is null
),
gateways as (
    select
        a.account_id, a.region, a.arn as to_arn, 'api' as kind,
        case
            when a.has_policy and a.open is false then false
            when s.api_id is null and u.account_id is null then false
            when s.api_id is null or a.untyped or a.execute_api_endpoint_disabled is distinct from false then null
            when a.has_policy or a.why is not null then a.open
            else true
        end as open,
        coalesce(a.why, case
            when a.untyped then 'the type of its endpoint is not in the run'
            when a.execute_api_endpoint_disabled is null then 'whether its endpoint is off is not in the run'
            when a.execute_api_endpoint_disabled then 'only names of one''s own lead to it, and they are not in the run'
            else 'whether it has a stage is not in the run'
        end) as why,
        'public endpoint' as detail
    from apis as a
    left join (select distinct * from stages) as s on s.account_id = a.account_id and s.region = a.region and s.api_id = a.api_id
    left join (select distinct account_id, region from stages_unread) as u on u.account_id = a.account_id and u.region in (a.region, 'global')
),
others as (
    select
        account_id, region, arn as to_arn, 'resource' as kind, open, why,
        case when open is null and actions is null then 'its policy' else 'its policy lets everyone call ' || coalesce(nullif(actions, ''), 'it') end as detail
    from public_policies
    where regexp_matches(arn, '^arn:[^:]*:(sqs|sns|kms|ecr|secretsmanager|dynamodb|backup):')
    union all by name
    select
        d.account_id, d.region, d.arn as to_arn, 'database' as kind, p.open and not d.in_vpc as open,
        coalesce(p.why, 'whether it lies in a VPC is not in the run') as why, 'public endpoint, and its policy lets everyone in' as detail
    from aws_opensearch_domain as d
    join public_policies as p on p.account_id = d.account_id and p.region = d.region and p.arn = d.arn
    union all by name
    select
        account_id, region, arn as to_arn, 'cluster' as kind,
        endpoint_public_access and (len(list_filter(public_access_cidrs, lambda cidr: is_world(cidr))) > 0) as open,
        'whether its endpoint is public is not in the run' as why, 'public cluster endpoint' as detail
    from aws_eks_cluster
    union all by name
    select account_id, region, arn as to_arn, 'distribution' as kind, enabled as open, 'whether it is enabled is not in the run' as why, 'serves the internet' as detail
    from aws_cloudfront_distribution
),
-- Roles that those who are not of this run may assume.
trusted as (
    select
        t.account_id, 'global' as region, t.arn as to_arn, 'role' as kind,
        case when t.principal_name = '*' then 'internet' else 'arn:' || split_part(t.arn, ':', 2) || ':iam::' || t.principal_account_id || ':root' end as from_arn,
        case
            when len(t.condition_keys) = 0 then true
            when t.principal_name <> '*' and len(list_filter(t.condition_keys, lambda path: split_part(path, '.', 2) not in ('sts:externalid', 'aws:multifactorauthpresent'))) = 0 then true
        end as open,
        'its trust policy has conditions: ' || array_to_string(t.condition_keys, ', ') as why,
        'its trust policy names ' || case when t.principal_name = '*' then 'everyone' else 'account ' || t.principal_account_id end
            || case when list_contains(list_transform(t.condition_keys, lambda path: split_part(path, '.', 2)), 'sts:externalid') then ' with an external id' else '' end as detail
    from trust_statements as t
    where t.principal_kind = 'AWS'
        and (t.principal_name = '*' or regexp_full_match(t.principal_account_id, '[0-9]{12}'))
        and t.principal_account_id not in (select account_id from accounts)
        and t.principal_account_id not in (select account_id from config_trusted_accounts)
        and not list_has_any(t.condition_keys, ['stringequals.aws:principalorgid', 'stringequals.aws:principalaccount', 'stringequals.aws:principalarn', 'arnequals.aws:principalarn', 'arnlike.aws:principalarn'])
    union all by name
    select
        account_id, 'global' as region, arn as to_arn, 'role' as kind, principal_name as from_arn, true as open, null as why,
        'its trust policy takes any token of ' || arn_tail(principal_name) as detail
    from token_trust
    where not bound
    union all by name
    select
        account_id, 'global' as region, arn as to_arn, 'role' as kind, 'internet' as from_arn, null as open, 'its trust policy is not in the run' as why,
        'trust policy' as detail
    from aws_iam_role
    where as_document(assume_role_policy) is null
),
every as (
    from buckets
    union all by name
    from functions
    union all by name
    from gateways
    union all by name
    from others
    union all by name
    from trusted
)
select
    account_id, region, coalesce(from_arn, 'internet') as from_arn, to_arn, kind, open,
    case when open is null then coalesce(why, 'what it takes is not in the run') end as why,
    detail,
    [{'kind': case kind when 'role' then 'role' else 'policy' end, 'via': to_arn, 'open': open, 'detail': detail}] as hops
from every
where open is distinct from false
qualify row_number() over (partition by account_id, coalesce(from_arn, 'internet'), to_arn order by open nulls last, detail, why) = 1
