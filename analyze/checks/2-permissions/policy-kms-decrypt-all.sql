/*
title = "Policies let decrypt with named keys only"
severity = "medium"
tables = ["aws_iam_policy"]
frameworks = { fsbp = ["KMS.1"] }
remediation = "Name the keys in the statement."
*/
with decrypting as (
    select distinct account_id, arn
    from customer_policy_statements
    where effect = 'Allow'
        and len(list_filter(resources, lambda resource: resource = '*' or regexp_full_match(resource, 'arn:[^:]*:kms:[^:]*:[^:]*:(key/)?\*'))) > 0
        and len(list_filter(actions, lambda action: pattern_covers(action, 'kms:Decrypt') or pattern_covers(action, 'kms:ReEncryptFrom'))) > 0
)
select
    p.account_id,
    p.region,
    p.arn as resource_arn,
    case when as_document(p.document) is not null then d.arn is not null end as failed,
    case when d.arn is not null then 'kms:Decrypt on all keys' when as_document(p.document) is not null then 'does not decrypt with all keys' end as reason,
    {'policy_name': p.policy_name} as evidence
from aws_iam_policy as p
left join decrypting as d on d.account_id = p.account_id and d.arn = p.arn
where p.is_aws_managed is distinct from true
