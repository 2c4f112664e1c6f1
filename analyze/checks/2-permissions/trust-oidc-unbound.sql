/*
title = "Roles for tokens of an identity provider are bound to a subject"
severity = "critical"
tables = ["aws_iam_role"]
remediation = "Add a condition on the token's subject, for GitHub token.actions.githubusercontent.com:sub with your repository and branch."
command = "aws iam update-assume-role-policy --role-name {role_name} --policy-document file://trust.json"
*/
with tokens as (
    select
        account_id, arn, principal_name,
        -- A subject of wildcards binds nothing.
        len(list_filter(condition_keys, lambda path: ends_with(path, ':sub') and not starts_with(path, 'null.') and not contains(path, 'notequals') and not contains(path, 'notlike'))) > 0
            and not regexp_matches(condition::varchar, ':sub":\s*\[?\s*"(\*+|repo:\*.*)"', 'i') as bound
    from trust_statements
    where principal_kind = 'Federated' and contains(principal_name, ':oidc-provider/')
),
by_role as (
    select account_id, arn, bool_and(coalesce(bound, false)) as bound, string_agg(distinct principal_name, ', ' order by principal_name) as providers
    from tokens
    group by account_id, arn
)
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when as_document(r.assume_role_policy) is not null then not b.bound end as failed,
    case
        when as_document(r.assume_role_policy) is null then 'its trust policy is not known'
        when b.bound then 'tokens are bound to a subject'
        else 'any token of the provider opens it: no condition on its subject'
    end as reason,
    {'role_name': r.role_name, 'providers': b.providers} as evidence
from aws_iam_role as r
left join by_role as b on b.account_id = r.account_id and b.arn = r.arn
where b.arn is not null or as_document(r.assume_role_policy) is null
