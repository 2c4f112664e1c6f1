/*
title = "The root user signs in with MFA"
severity = "critical"
tables = ["aws_iam_account_summary"]
frameworks = { "cis_v3.0" = ["1.5"], "cis_v5.0" = ["1.4"], fsbp = ["IAM.9"] }
remediation = "Sign in as root and register two MFA devices, kept in different places."
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/enable-mfa-for-root.html"]
*/
select
    s.account_id,
    s.region,
    a.arn as resource_arn,
    not s.root_mfa_enabled as failed,
    case when s.root_mfa_enabled then 'the root user has MFA' else 'the root user has no MFA' end as reason,
    {'root_mfa_enabled': s.root_mfa_enabled} as evidence
from aws_iam_account_summary as s
join accounts as a on a.account_id = s.account_id
