/*
title = "Who may pass roles may pass some roles to some services"
severity = "high"
tables = ["aws_iam_policy"]
remediation = "Name the roles in the statement, and add a condition on iam:PassedToService."
*/
with passing as (
    select account_id, arn, bool_or(not coalesce(contains(lower(condition::varchar), 'iam:passedtoservice'), false)) as unlimited
    from customer_policy_statements
    where effect = 'Allow' and list_contains(resources, '*')
        and len(list_filter(actions, lambda action: pattern_covers(action, 'iam:PassRole'))) > 0
    group by account_id, arn
)
select
    p.account_id,
    p.region,
    p.arn as resource_arn,
    case when as_document(p.document) is not null then coalesce(s.unlimited, false) end as failed,
    case when s.unlimited then 'iam:PassRole on * to any service' when as_document(p.document) is not null then 'does not let every role be passed' end as reason,
    {'policy_name': p.policy_name} as evidence
from aws_iam_policy as p
left join passing as s on s.account_id = p.account_id and s.arn = p.arn
where p.is_aws_managed is distinct from true
