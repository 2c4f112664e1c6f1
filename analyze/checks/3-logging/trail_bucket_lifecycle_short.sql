/*
title = "Buckets of trails keep their logs"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events", "cloudtrail_ledger", "relationships"]
remediation = "Take the rule away or lengthen it before it runs (lifecycle rules run once a day), and restore what was deleted from versions or a copy. Object Lock keeps logs whatever somebody sets."
command = "aws s3api get-bucket-lifecycle-configuration --bucket {bucket}"
links = ["https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html"]
*/
-- Buckets of trails: those the lake is read from, those that trails name. How long a call lets logs live is the shortest
-- expiration of its rules that concerns them; one that lets them live longer than the call before is no harm.
with trail_names as (
    select request_parameters ->> '$.s3BucketName' as bucket, null as prefix
    from events
    where event_source = 'cloudtrail.amazonaws.com' and event_name in (values ('CreateTrail'), ('UpdateTrail')) and succeeded
    union
    select arn_tail(coalesce(to_arn, to_id)), null
    from relationships
    where kind = 'logs_to' and from_arn like 'arn:%:cloudtrail:%' and coalesce(to_arn, to_id) not like '%:log-group:%'
),
read_from as (
    select distinct regexp_extract(source_key, '^s3://([^/]+)/', 1) as bucket, regexp_extract(source_key, '^s3://[^/]+/(.*?AWSLogs/)', 1) as prefix
    from cloudtrail_ledger
    where source_key like 's3://%/AWSLogs/%'
),
-- Where the lake was read from the bucket, its prefix tells which rules concern the logs; else all may.
known_buckets as (
    select bucket, prefix from read_from
    union all
    select n.bucket, n.prefix from trail_names as n anti join read_from as r on r.bucket = n.bucket where n.bucket is not null
),
calls as (
    select *, request_parameters ->> '$.bucketName' as bucket
    from events
    where event_source = 's3.amazonaws.com' and event_name in (values ('PutBucketLifecycle'), ('PutBucketLifecycleConfiguration'), ('DeleteBucketLifecycle'))
        and deliberate and (succeeded or denied)
),
rules as (
    select event_id, trail_prefix, rule, coalesce(rule ->> '$.Prefix', rule ->> '$.Filter.Prefix', rule ->> '$.Filter.And.Prefix', '') as rule_prefix
    from (
        select c.event_id, k.prefix as trail_prefix, unnest(as_objects(c.request_parameters -> '$.LifecycleConfiguration.Rule')) as rule
        from calls as c
        join known_buckets as k on k.bucket = c.bucket
    )
    where rule ->> '$.Status' = 'Enabled'
),
lives as (
    select event_id, min(case when rule ->> '$.Expiration.Date' is not null then 0 else try_cast(rule ->> '$.Expiration.Days' as bigint) end) as days
    from rules
    where trail_prefix is null or rule_prefix in ('', '*') or starts_with(trail_prefix, rule_prefix) or starts_with(rule_prefix, trail_prefix)
    group by event_id
),
history as (
    select
        c.*, l.days,
        last_value(case when c.succeeded then coalesce(l.days, 1000000) end ignore nulls) over (
            partition by c.bucket order by c.event_time, c.event_id rows between unbounded preceding and 1 preceding
        ) as days_before
    from calls as c
    left join lives as l on l.event_id = c.event_id
    where c.bucket in (select bucket from known_buckets)
)
select
    account_id,
    region,
    'arn:' || arn_partition(principal) || ':s3:::' || bucket as resource_arn,
    principal as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'medium' else 'high' end as severity,
    'logs in ' || bucket || case when bool_or(succeeded) then ' are' else ' were to be' end || ' deleted '
        || case min(days) when 0 then 'on a date' when 1 then 'after a day' else 'after ' || min(days) || ' days' end
        || ', ' || setting('log_retention_days') || ' are asked for: ' || traced(call) as reason,
    {'trace': trace(call), 'bucket': bucket, 'days': min(days)} as evidence
from history
where days < setting('log_retention_days') and (days_before is null or days < days_before)
group by account_id, region, bucket, principal
having bool_or(judged)
