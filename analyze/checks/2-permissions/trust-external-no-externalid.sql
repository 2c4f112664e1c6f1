/*
title = "Other accounts assume roles with an external id or MFA only"
severity = "high"
tables = ["aws_iam_role"]
remediation = "Add a condition on sts:ExternalId with a value the other party keeps for you alone; for people, one on aws:MultiFactorAuthPresent."
command = "aws iam update-assume-role-policy --role-name {role_name} --policy-document file://trust.json"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"]
*/
with foreign_trust as (
    select
        t.account_id, t.arn, t.role_name, t.principal_account_id,
        list_has_any(
            list_transform(t.condition_keys, lambda path: split_part(path, '.', 2)),
            ['sts:externalid', 'aws:principalorgid', 'aws:principalorgpaths']
        ) or list_contains(t.condition_keys, 'bool.aws:multifactorauthpresent')
            and lower(t.condition ->> '$.Bool."aws:MultiFactorAuthPresent"') = 'true' as limited
    from trust_statements as t
    where t.principal_kind = 'AWS'
        and regexp_full_match(t.principal_account_id, '[0-9]{12}')
        and t.principal_account_id <> t.account_id
        and t.principal_account_id not in (select account_id from config_trusted_accounts)
),
by_role as (
    select
        account_id, arn,
        list(distinct principal_account_id order by principal_account_id) filter (where not coalesce(limited, false)) as accounts
    from foreign_trust
    group by account_id, arn
)
select
    r.account_id,
    r.region,
    r.arn as resource_arn,
    case when as_document(r.assume_role_policy) is null then null else coalesce(len(b.accounts) > 0, false) end as failed,
    case
        when as_document(r.assume_role_policy) is null then 'its trust policy is not known'
        when len(b.accounts) > 0 then 'account ' || array_to_string(b.accounts, ', ') || ' may assume it without an external id'
        else 'no other account may assume it without a condition'
    end as reason,
    {'role_name': r.role_name, 'accounts': b.accounts} as evidence
from aws_iam_role as r
left join by_role as b on b.account_id = r.account_id and b.arn = r.arn
