/*
title = "No role trusts everyone"
severity = "critical"
tables = ["aws_iam_role"]
remediation = "Name the accounts, users or roles that may assume it."
command = "aws iam update-assume-role-policy --role-name {role_name} --policy-document file://trust.json"
*/
with everyone as (
    select
        account_id, arn,
        -- What only the own organization, accounts, networks or principals can satisfy.
        list_has_any(list_transform(condition_keys, lambda path: split_part(path, '.', 2)), [
            'aws:principalorgid', 'aws:principalorgpaths', 'aws:principalaccount', 'aws:principalarn', 'aws:sourceaccount', 'aws:sourcearn',
            'aws:sourcevpc', 'aws:sourcevpce', 'sts:externalid'
        ]) as limited
    from trust_statements
    where principal_kind = 'AWS' and principal_account_id = '*'
),
by_role as (
    select account_id, arn, bool_or(not limited) as is_open
    from everyone
    group by account_id, arn
)
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when as_document(r.assume_role_policy) is null then null else coalesce(b.is_open, false) end as failed,
    case
        when as_document(r.assume_role_policy) is null then 'its trust policy is not known'
        when b.is_open then 'anybody with an AWS account may assume it'
        else 'it does not trust everyone'
    end as reason,
    {'role_name': r.role_name} as evidence
from aws_iam_role as r
left join by_role as b on b.account_id = r.account_id and b.arn = r.arn
