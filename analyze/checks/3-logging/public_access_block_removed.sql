/*
title = "Nobody takes a block of public access away"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Set the block again, and look what became public meanwhile: policies and access control lists of buckets, shares of snapshots and images."
command = "aws {service} {operation} {name_option} {name} {block_option} {block}"
links = ["https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html", "https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html"]
*/
-- Blocks of a bucket, of all buckets of an account, and of snapshots and images in a region.
with calls as (
    select
        *,
        case when event_source = 'ec2.amazonaws.com' then regexp_extract(event_name, '(Snapshot|Image)') when contains(event_name, 'Bucket') then 'Bucket' else 'Account' end as what,
        case when contains(event_name, 'Bucket') then coalesce(request_parameters ->> '$.bucketName', nullif(regexp_extract(denied_resource, '^arn:[^:]*:s3:::([^/]+)$', 1), '')) end as bucket,
        request_parameters -> '$.PublicAccessBlockConfiguration' as block
    from events
    where event_source in ('s3.amazonaws.com', 'ec2.amazonaws.com')
        and event_name in (values
            ('PutBucketPublicAccessBlock'), ('DeleteBucketPublicAccessBlock'), ('PutAccountPublicAccessBlock'), ('DeleteAccountPublicAccessBlock'), ('DeleteBucket'),
            ('DisableSnapshotBlockPublicAccess'), ('EnableSnapshotBlockPublicAccess'), ('DisableImageBlockPublicAccess'), ('EnableImageBlockPublicAccess')
        )
        and deliberate and (succeeded or denied)
),
-- How many of the four parts a call leaves in place; what a request does not name is off.
states as (
    select
        *,
        case
            when event_name = 'DeleteBucket' then null
            when event_name like 'Enable%' then 4
            when event_name like 'D%' then 0
            when block is null then null
            else list_count([
                nullif(try_cast(block ->> '$.BlockPublicAcls' as boolean), false), nullif(try_cast(block ->> '$.IgnorePublicAcls' as boolean), false),
                nullif(try_cast(block ->> '$.BlockPublicPolicy' as boolean), false), nullif(try_cast(block ->> '$.RestrictPublicBuckets' as boolean), false)
            ])
        end as parts
    from calls
    -- The request of a denied call may not be recorded, nor the denial tell the bucket.
    where what <> 'Bucket' or bucket is not null or event_name = 'DeleteBucketPublicAccessBlock' and denied
),
changes as (
    select
        *,
        lag(case when succeeded then parts end ignore nulls) over places as before,
        -- Whoever deletes a bucket often takes its block away first.
        max(case when event_name = 'DeleteBucket' and succeeded then event_time end) over (partition by account_id, what, bucket order by event_time range between current row and interval 1 hour following) as deleted_at,
        min(case when succeeded and parts = 4 then event_time end) over (partition by account_id, what, bucket, case when event_source = 'ec2.amazonaws.com' then region end order by event_time range between current row and interval 1 hour following) as set_again_at
    from states
    window places as (partition by account_id, what, bucket, case when event_source = 'ec2.amazonaws.com' then region end order by event_time, event_id)
),
removed as (
    select
        *,
        case
            when what = 'Bucket' then coalesce('arn:' || arn_partition(principal) || ':s3:::' || bucket, principal)
            else 'arn:' || arn_partition(principal) || ':iam::' || account_id || ':root'
        end as arn,
        case when event_source = 'ec2.amazonaws.com' then region else 'global' end as place
    from changes
    where parts < 4 and parts < coalesce(before, 4) and deleted_at is null
)
select
    account_id,
    place as region,
    arn as resource_arn,
    what || case when place <> 'global' then ' ' || place else '' end || ' ' || principal as discriminator,
    true as failed,
    case when bool_and(not succeeded) then 'medium' when bool_and(set_again_at is not null or not succeeded) then 'low' end as severity,
    'the block of public access ' || case what when 'Bucket' then coalesce('of the bucket ' || any_value(bucket), 'of a bucket') when 'Account' then 'of all buckets' when 'Snapshot' then 'of snapshots in ' || place else 'of images in ' || place end
        || case when not bool_or(succeeded) then ' was to be ' else ' was ' end || case when min(parts) = 0 then 'removed ' else 'opened in ' || (4 - min(parts)) || ' of 4 parts ' end || traced(call)
        || case when bool_or(succeeded) and bool_and(set_again_at is not null or not succeeded) then '; set again by ' || strftime(max(set_again_at), '%H:%M') else '' end as reason,
    {
        'trace': trace(call), 'bucket': any_value(bucket), 'parts_left': min(parts), 'set_again_at': max(set_again_at),
        'service': case what when 'Bucket' then 's3api' when 'Account' then 's3control' else 'ec2' end,
        'operation': case what when 'Snapshot' then 'enable-snapshot-block-public-access' when 'Image' then 'enable-image-block-public-access' else 'put-public-access-block' end,
        'name_option': case what when 'Bucket' then '--bucket' when 'Account' then '--account-id' else '--region' end,
        'name': case what when 'Bucket' then any_value(bucket) when 'Account' then account_id else place end,
        'block_option': case what when 'Snapshot' then '--state' when 'Image' then '--image-block-public-access-state' else '--public-access-block-configuration' end,
        'block': case what when 'Snapshot' then 'block-all-sharing' when 'Image' then 'block-new-sharing' else 'BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true' end
    } as evidence
from removed
where principal is not null
group by account_id, what, bucket, arn, principal, place
having bool_or(judged)
