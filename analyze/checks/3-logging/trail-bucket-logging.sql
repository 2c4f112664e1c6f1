/*
title = "Reading the trail's bucket leaves a trace"
severity = "medium"
tables = ["aws_s3_bucket", "aws_cloudtrail_trail"]
operations = ["GetBucketLogging", "GetTrailStatus"]
frameworks = { "cis_v3.0" = ["3.4"], "cis_v5.0" = ["3.4"], fsbp = ["CloudTrail.7"] }
remediation = "Switch on access logs of the bucket, to another bucket."
command = "aws s3api put-bucket-logging --bucket {bucket} --bucket-logging-status file://logging.json"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not logging_enabled as failed,
    case when logging_enabled then 'access is logged' when not logging_enabled then 'access is not logged' end as reason,
    {'bucket': bucket_name, 'target': logging_target_bucket} as evidence
from trail_buckets
