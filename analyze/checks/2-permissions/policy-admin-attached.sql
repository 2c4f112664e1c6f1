/*
title = "Nobody holds a policy that allows everything"
severity = "critical"
tables = ["aws_iam_user", "aws_iam_group", "aws_iam_role", "aws_iam_policy"]
frameworks = { "cis_v3.0" = ["1.16"], "cis_v5.0" = ["1.15"], fsbp = ["IAM.1"] }
remediation = "Replace the policy by what is needed; keep one role for emergencies, which only MFA opens."
command = "aws iam detach-{principal_kind}-policy --{principal_kind}-name {principal_name} --policy-arn {policy_arn}"
*/
with own as (
    -- What a user has from a group is the group's finding.
    select *
    from administrators
    where principal_kind <> 'user' or group_name is null
),
by_principal as (
    select
        account_id, principal_kind, principal_arn, principal_name,
        case when bool_or(coalesce(is_admin, false)) then true when bool_or(is_admin is null) then null else false end as is_admin,
        string_agg(policy_name, ', ' order by policy_name) filter (where is_admin) as policies,
        string_agg(policy_name, ', ' order by policy_name) filter (where is_admin is null) as unread,
        min(policy_arn) filter (where is_admin) as policy_arn
    from own
    group by account_id, principal_kind, principal_arn, principal_name
)
select
    account_id,
    'global' as region,
    principal_arn as resource_arn,
    is_admin as failed,
    case
        when is_admin then 'may do everything through ' || policies
        when is_admin is null then 'the text of ' || unread || ' is not in the run'
        else 'none of its policies allows everything'
    end as reason,
    {'principal_kind': principal_kind, 'principal_name': principal_name, 'policy_arn': policy_arn, 'policies': policies} as evidence
from by_principal
