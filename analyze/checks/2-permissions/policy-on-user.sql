/*
title = "Policies hang on groups and roles, not on users"
severity = "low"
tables = ["aws_iam_user"]
frameworks = { "cis_v3.0" = ["1.15"], "cis_v5.0" = ["1.14"], fsbp = ["IAM.2"] }
remediation = "Move the policy to a group or, better, to a role, and detach it from the user."
*/
select
    account_id,
    region,
    arn as resource_arn,
    len(attached_policy_arns) > 0 or len(inline_policy_names) > 0 as failed,
    case
        when len(attached_policy_arns) > 0 or len(inline_policy_names) > 0 then 'has policies of its own'
        when attached_policy_arns is not null and inline_policy_names is not null then 'has no policy of its own'
    end as reason,
    {'user_name': user_name, 'attached': attached_policy_arns, 'inline': inline_policy_names} as evidence
from aws_iam_user
