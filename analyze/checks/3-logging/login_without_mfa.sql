/*
title = "Users log in with MFA"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask the user whether it was them, give them an MFA device, and demand MFA in a policy (`aws:MultiFactorAuthPresent`)."
command = "aws iam list-mfa-devices --user-name {resource_id}"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html"]
*/
-- A federated login has its second factor with the identity provider, and CloudTrail says No of it; root's is root_login's.
with logins as (
    select *
    from console_logins
    where identity_type = 'IAMUser' and succeeded and mfa_used = 'No' and principal is not null
)
select
    account_id,
    'global' as region,
    principal as resource_arn,
    true as failed,
    principal_label(principal) || ' logged in to the console without MFA: ' || traced(call) as reason,
    trace(call) as evidence
from logins
group by account_id, principal
having bool_or(judged)
