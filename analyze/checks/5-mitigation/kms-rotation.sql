/*
title = "Keys rotate"
severity = "medium"
tables = ["aws_kms_key"]
frameworks = { "cis_v3.0" = ["3.6"], "cis_v5.0" = ["3.6"], fsbp = ["KMS.4"] }
remediation = "Switch on rotation; data stays readable."
command = "aws kms enable-key-rotation --region {region} --key-id {key_id}"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not rotation_enabled as failed,
    case when rotation_enabled then 'rotates' when not rotation_enabled then 'does not rotate' end as reason,
    {'key_id': key_id, 'description': description} as evidence
from aws_kms_key
where key_manager is distinct from 'AWS'
    and coalesce(key_spec, 'SYMMETRIC_DEFAULT') = 'SYMMETRIC_DEFAULT'
    and coalesce(origin, 'AWS_KMS') = 'AWS_KMS'
    and coalesce(key_state, 'Enabled') in ('Enabled', 'Disabled')
