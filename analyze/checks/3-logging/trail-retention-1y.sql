/*
title = "The trail's objects are kept for a year"
severity = "high"
tables = ["aws_s3_bucket", "aws_cloudtrail_trail"]
operations = ["GetBucketLifecycleConfiguration", "GetTrailStatus"]
remediation = "Let the lifecycle rule of the bucket expire objects after a year at the earliest, or move them to Glacier instead."
command = "aws s3api put-bucket-lifecycle-configuration --bucket {bucket} --lifecycle-configuration file://lifecycle.json"
*/
with rules as (
    select account_id, arn, unnest(as_objects(lifecycle_rules)) as rule
    from trail_buckets
),
expirations as (
    select account_id, arn, min(try_cast(rule ->> '$.Expiration.Days' as integer)) as days
    from rules
    where rule ->> '$.Status' = 'Enabled'
    group by account_id, arn
)
select
    b.account_id,
    b.region,
    b.arn as resource_arn,
    case when b.lifecycle_rules is not null then coalesce(e.days < setting('log_retention_days'), false) end as failed,
    case
        when b.lifecycle_rules is null then 'its lifecycle rules are not known'
        when e.days is null then 'its objects do not expire'
        else 'its objects expire after ' || e.days || ' days'
    end as reason,
    {'bucket': b.bucket_name, 'expiration_days': e.days} as evidence
from trail_buckets as b
left join expirations as e on e.account_id = b.account_id and e.arn = b.arn
