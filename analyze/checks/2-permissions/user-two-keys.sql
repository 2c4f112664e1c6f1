/*
title = "No user has two active access keys"
severity = "low"
tables = ["aws_iam_credential_report"]
frameworks = { "cis_v3.0" = ["1.13"], "cis_v5.0" = ["1.12"] }
remediation = "Finish the rotation: deactivate the older key, and delete it when nothing misses it."
*/
select
    account_id,
    region,
    arn as resource_arn,
    access_key_1_active and access_key_2_active as failed,
    case when access_key_1_active and access_key_2_active then 'two active access keys' else 'one active access key' end as reason,
    {'user_name': user_name} as evidence
from aws_iam_credential_report
where access_key_1_active is distinct from false or access_key_2_active is distinct from false
