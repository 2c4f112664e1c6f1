/*
title = "The root user has no access keys"
severity = "critical"
tables = ["aws_iam_account_summary"]
frameworks = { "cis_v3.0" = ["1.4"], "cis_v5.0" = ["1.3"], fsbp = ["IAM.4"] }
remediation = "Sign in as root, delete its access keys, and use a role for whatever used them."
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user_manage_delete-key.html"]
*/
select
    s.account_id,
    s.region,
    a.arn as resource_arn,
    s.root_access_keys > 0 as failed,
    case when s.root_access_keys > 0 then 'the root user has an access key' else 'the root user has no access key' end as reason,
    {'root_access_keys': s.root_access_keys} as evidence
from aws_iam_account_summary as s
join accounts as a on a.account_id = s.account_id
