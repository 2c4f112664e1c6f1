/*
title = "Buckets log who reads and writes"
severity = "low"
tables = ["aws_s3_bucket"]
operations = ["GetBucketLogging"]
frameworks = { fsbp = ["S3.9"] }
remediation = "Switch on access logs to a bucket for logs, or data events of CloudTrail."
command = "aws s3api put-bucket-logging --bucket {bucket} --bucket-logging-status file://logging.json"
*/
with targets as (
    select distinct account_id, logging_target_bucket as bucket_name
    from aws_s3_bucket
    where logging_target_bucket is not null
)
select
    b.account_id,
    b.region,
    b.arn as resource_arn,
    not b.logging_enabled as failed,
    case when b.logging_enabled then 'access is logged' when not b.logging_enabled then 'access is not logged' end as reason,
    {'bucket': b.bucket_name, 'target': b.logging_target_bucket} as evidence,
    case when i.critical or c.exposed then 'medium' end as severity
from aws_s3_bucket as b
-- A bucket that receives access logs would log its own deliveries.
anti join targets as t on t.account_id = b.account_id and t.bucket_name = b.bucket_name
left join resource_context as c on c.account_id = b.account_id and c.arn = b.arn
left join config_importance as i on i.level = c.importance
