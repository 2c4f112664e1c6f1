/*
title = "No policy allows everything but"
severity = "medium"
tables = ["aws_iam_policy"]
remediation = "List what is allowed instead of what is not: an Allow with NotAction or NotResource grows with every new service."
*/
with inverted as (
    select account_id, arn, bool_or(len(not_actions) > 0) as by_action, bool_or(len(not_resources) > 0) as by_resource
    from customer_policy_statements
    where effect = 'Allow'
    group by account_id, arn
)
select
    p.account_id,
    p.region,
    p.arn as resource_arn,
    case when as_document(p.document) is not null then coalesce(i.by_action or i.by_resource, false) end as failed,
    case when i.by_action then 'Allow with NotAction' when i.by_resource then 'Allow with NotResource' when as_document(p.document) is not null then 'lists what it allows' end as reason,
    {'policy_name': p.policy_name} as evidence
from aws_iam_policy as p
left join inverted as i on i.account_id = p.account_id and i.arn = p.arn
where p.is_aws_managed is distinct from true
