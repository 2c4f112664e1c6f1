/*
title = "Policies allow actions, not whole services"
severity = "medium"
tables = ["aws_iam_policy"]
frameworks = { fsbp = ["IAM.21"] }
remediation = "Name the actions that are needed, and the resources."
*/
with wide as (
    select account_id, arn, list_sort(list_distinct(flatten(list(list_filter(actions, lambda action: regexp_full_match(action, '[A-Za-z0-9-]+:\*')))))) as actions
    from customer_policy_statements
    where effect = 'Allow' and list_contains(resources, '*')
    group by account_id, arn
)
select
    p.account_id,
    p.region,
    p.arn as resource_arn,
    case when as_document(p.document) is not null then coalesce(len(w.actions) > 0, false) end as failed,
    case when len(w.actions) > 0 then array_to_string(w.actions, ', ') || ' on *' when as_document(p.document) is not null then 'allows no whole service on everything' end as reason,
    {'policy_name': p.policy_name, 'actions': w.actions} as evidence
from aws_iam_policy as p
left join wide as w on w.account_id = p.account_id and w.arn = p.arn
where p.is_aws_managed is distinct from true
