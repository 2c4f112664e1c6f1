/*
title = "Distributions log requests"
severity = "medium"
tables = ["aws_cloudfront_distribution"]
operations = ["ListDistributions", "GetDistributionConfig"]
frameworks = { fsbp = ["CloudFront.5"] }
remediation = "Switch on standard logging of the distribution to a bucket."
command = "aws cloudfront get-distribution-config --id {distribution_id}"
links = ["https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html"]
*/
with behaviors as (
    select *, list_concat([default_cache_behavior], as_objects(cache_behaviors)) as behaviors
    from aws_cloudfront_distribution
    -- A distribution that is switched off serves nobody.
    where enabled is distinct from false
),
distributions as (
    select *, len(list_filter(behaviors, lambda b: coalesce(b ->> '$.RealtimeLogConfigArn', '') = '')) = 0 as realtime
    from behaviors
)
select
    account_id,
    region,
    arn as resource_arn,
    not logging_enabled as failed,
    case
        when logging_enabled then 'requests are logged to ' || logging_bucket
        when not logging_enabled and realtime then 'standard logging is off; real-time logs, which may be a sample, cover all behaviours'
        -- The deliveries of CloudWatch Logs, the newer way, are no part of the inventory.
        when not logging_enabled then 'standard logging is off; a delivery by CloudWatch Logs would not be seen'
    end as reason,
    {'distribution_id': distribution_id, 'bucket': logging_bucket, 'real_time': realtime} as evidence,
    case when realtime then 'low' end as severity
from distributions
