/*
title = "What a trail wrote can't be changed"
severity = "medium"
tables = ["aws_s3_bucket", "aws_cloudtrail_trail"]
operations = ["GetBucketVersioning", "GetObjectLockConfiguration", "GetTrailStatus"]
remediation = "Switch on versioning with MFA delete, or object lock for as long as logs must be kept."
command = "aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled"
*/
select
    account_id,
    region,
    arn as resource_arn,
    versioning_status <> 'Enabled' or not (mfa_delete or object_lock_enabled) as failed,
    'versioning ' || lower(versioning_status) || ', MFA delete ' || case when mfa_delete then 'on' else 'off' end
        || ', object lock ' || case when object_lock_enabled then 'on' else 'off' end as reason,
    {'bucket': bucket_name, 'versioning': versioning_status, 'mfa_delete': mfa_delete, 'object_lock': object_lock_enabled} as evidence
from trail_buckets
