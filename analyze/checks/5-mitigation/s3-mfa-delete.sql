/*
title = "Versions in critical buckets are deleted with MFA only"
severity = "medium"
tables = ["aws_s3_bucket"]
operations = ["GetBucketVersioning"]
frameworks = { "cis_v3.0" = ["2.1.2"], "cis_v5.0" = ["2.1.2"] }
remediation = "Switch on MFA delete as root, or object lock, which does not need root."
*/
select
    x.account_id,
    x.region,
    x.arn as resource_arn,
    not x.mfa_delete as failed,
    case when not x.mfa_delete then 'MFA delete is off' when not (not x.mfa_delete) then 'MFA delete is on' end as reason,
    {'bucket': x.bucket_name} as evidence
from aws_s3_bucket as x
join resource_context as c on c.account_id = x.account_id and c.arn = x.arn
join config_importance as i on i.level = c.importance and i.critical
