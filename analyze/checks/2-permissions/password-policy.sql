/*
title = "Passwords are long and do not come back"
severity = "medium"
tables = ["aws_iam_account_summary"]
frameworks = { "cis_v3.0" = ["1.8", "1.9"], "cis_v5.0" = ["1.7", "1.8"], fsbp = ["IAM.7"] }
remediation = "Ask for at least 14 characters and remember the last 24 passwords; better, let people sign in through an identity provider."
command = "aws iam update-account-password-policy --minimum-password-length 14 --password-reuse-prevention 24"
*/
with policy as (
    select
        s.account_id, s.region, a.arn, s.password_policy_set, s.minimum_password_length, s.password_reuse_prevention,
        -- Without a policy of one's own, AWS asks for 8 characters and remembers nothing.
        case when s.password_policy_set then s.minimum_password_length when not s.password_policy_set then 8 end as length,
        case when s.password_policy_set is not null then coalesce(s.password_reuse_prevention, 0) end as remembered
    from aws_iam_account_summary as s
    join accounts as a on a.account_id = s.account_id
)
select
    account_id,
    region,
    arn as resource_arn,
    length < setting('password_length') or remembered < setting('password_reuse') as failed,
    'minimum length ' || length || ', last ' || remembered || ' passwords remembered' as reason,
    {'password_policy_set': password_policy_set, 'minimum_password_length': minimum_password_length, 'password_reuse_prevention': password_reuse_prevention} as evidence
from policy
