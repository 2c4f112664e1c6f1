/*
title = "The root user signs in with hardware MFA"
severity = "high"
tables = ["aws_iam_account_summary", "aws_iam_virtual_mfa_device"]
frameworks = { "cis_v3.0" = ["1.6"], "cis_v5.0" = ["1.5"], fsbp = ["IAM.6"] }
remediation = "Sign in as root, register two security keys kept in different places, and remove the virtual device."
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/enable-mfa-for-root.html"]
*/
with virtual as (
    select account_id, min(serial_number) as serial_number, bool_or(is_root) as is_root
    from aws_iam_virtual_mfa_device
    where is_root
    group by account_id
),
root as (
    select
        s.account_id, s.region, a.arn, s.root_mfa_enabled, v.serial_number, coalesce(v.is_root, false) as has_virtual,
        -- Accounts of an organization may have had the root user's credentials taken away.
        s.summary_map ->> '$.AccountPasswordPresent' = '0' and s.root_access_keys = 0 as without_credentials
    from aws_iam_account_summary as s
    join accounts as a on a.account_id = s.account_id
    left join virtual as v on v.account_id = s.account_id
    -- The root users of GovCloud can't sign in.
    where a.partition <> 'aws-us-gov'
)
select
    account_id,
    region,
    arn as resource_arn,
    case when without_credentials then false when has_virtual then true else not root_mfa_enabled end as failed,
    case
        when without_credentials then 'the root user has no credentials'
        when has_virtual then 'the MFA device of the root user is virtual'
        when root_mfa_enabled then 'the MFA device of the root user is hardware'
        when not root_mfa_enabled then 'the root user has no MFA'
    end as reason,
    {'root_mfa_enabled': root_mfa_enabled, 'virtual_device': serial_number} as evidence
from root
