/*
title = "Trails encrypt with a key of the account"
severity = "medium"
tables = ["aws_cloudtrail_trail"]
frameworks = { "cis_v3.0" = ["3.5"], "cis_v5.0" = ["3.5"], fsbp = ["CloudTrail.2"] }
remediation = "Give the trail a KMS key whose policy lets few read."
command = "aws cloudtrail update-trail --region {region} --name {resource_arn} --kms-key-id ..."
*/
select
    account_id,
    region,
    arn as resource_arn,
    kms_key_id is null as failed,
    case when kms_key_id is null then 'no key of the account' else 'encrypted with a key of the account' end as reason,
    {'trail': trail_name, 'kms_key_id': kms_key_id} as evidence
from aws_cloudtrail_trail
