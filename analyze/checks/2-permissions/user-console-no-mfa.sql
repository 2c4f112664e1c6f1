/*
title = "Users with a password sign in with MFA"
severity = "high"
tables = ["aws_iam_credential_report"]
frameworks = { "cis_v3.0" = ["1.10"], "cis_v5.0" = ["1.9"], fsbp = ["IAM.5"] }
remediation = "Have the user register an MFA device, or take the password away until they have."
command = "aws iam delete-login-profile --user-name {user_name}"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not mfa_active as failed,
    case when mfa_active then 'signs in with MFA' else 'a password alone opens the console' end as reason,
    {'user_name': user_name, 'password_last_used_at': password_last_used_at} as evidence
from aws_iam_credential_report
where not is_root and password_enabled is distinct from false
