/*
title = "Roles for tokens of an identity provider are bound to a subject"
severity = "critical"
tables = ["aws_iam_role"]
remediation = "Add a condition on the token's subject, for GitHub token.actions.githubusercontent.com:sub with your repository and branch."
command = "aws iam update-assume-role-policy --role-name {role_name} --policy-document file://trust.json"
*/
with by_role as (
    select account_id, arn, bool_and(bound) as bound, string_agg(distinct principal_name, ', ' order by principal_name) as providers
    from token_trust
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
