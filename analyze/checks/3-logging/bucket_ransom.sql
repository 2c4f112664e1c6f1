/*
title = "Nobody holds a bucket's objects to ransom"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Take the principal's credential out of use, switch versioning on again, and keep every old version: remove lifecycle rules that expire them. Deny s3:x-amz-server-side-encryption-customer-algorithm in the bucket's policy."
command = "aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled"
links = ["https://aws.amazon.com/blogs/security/preventing-unintended-encryption-of-amazon-s3-objects/"]
*/
-- The preparation: versioning suspended, everything to expire within days, new objects under a key of another account. The deed, where
-- the trail logs objects: a burst of objects written with a key that the customer keeps, or with another account's, by somebody who
-- did not write so before.
with prepared as (
    select
        account_id, region, principal, event_id, event_time, succeeded, judged, call,
        request_parameters ->> '$.bucketName' as bucket,
        event_name,
        case event_name
            when 'PutBucketVersioning' then case coalesce(request_parameters ->> '$.VersioningConfiguration.Status', request_parameters ->> '$.versioningConfiguration.status') when 'Suspended' then 'versioning was suspended' when 'Enabled' then 'on' end
            when 'PutBucketEncryption' then case when regexp_extract(
                    request_parameters ->> '$.ServerSideEncryptionConfiguration', '"KMSMasterKeyID"\s*:\s*"arn:[^:]*:kms:[^:]*:([0-9]{12}):', 1
                ) not in (select '' union all select account_id from accounts union all select account_id from config_trusted_accounts where account_id is not null) then 'new objects are encrypted with a key of another account' end
            else case when len(list_filter(as_objects(coalesce(request_parameters -> '$.LifecycleConfiguration.Rule', request_parameters -> '$.LifecycleConfiguration.Rules')), lambda rule:
                    rule ->> '$.Status' = 'Enabled'
                    -- For a part of the bucket, such as what is temporary, that is usual.
                    and coalesce(rule ->> '$.Prefix', rule ->> '$.Filter.Prefix', '') = '' and coalesce(rule ->> '$.Filter.Tag', rule ->> '$.Filter.And', '') = ''
                    and coalesce(try_cast(rule ->> '$.Expiration.Days' as integer), try_cast(rule ->> '$.NoncurrentVersionExpiration.NoncurrentDays' as integer)) <= 7
                )) > 0 then 'all objects or old versions are to expire within 7 days' end
        end as deed
    from events
    where event_source = 's3.amazonaws.com' and event_name in (values ('PutBucketVersioning'), ('PutBucketEncryption'), ('PutBucketLifecycle'), ('PutBucketLifecycleConfiguration'))
        and deliberate and (succeeded or denied) and principal is not null
),
written as (
    select
        account_id, region, principal, event_id, event_time, succeeded, judged, call,
        request_parameters ->> '$.bucketName' as bucket
    from events
    where event_source = 's3.amazonaws.com' and event_name in (values ('PutObject'), ('CopyObject'), ('CreateMultipartUpload'))
        -- Read before the rest: few objects are written so.
        and (
            contains(request_parameters::varchar, 'server-side-encryption-customer-algorithm')
            or contains(request_parameters::varchar, 'server-side-encryption-aws-kms-key-id')
                and regexp_extract(request_parameters ->> '$."x-amz-server-side-encryption-aws-kms-key-id"', '^arn:[^:]*:kms:[^:]*:([0-9]{12}):', 1)
                    not in (select '' union all select account_id from accounts union all select account_id from config_trusted_accounts where account_id is not null)
        )
        and not by_service and (succeeded or denied) and principal is not null
),
windows as (
    select
        *,
        min(event_time) over (partition by account_id, principal, bucket) as first_time,
        count(*) over (partition by account_id, principal, bucket order by event_time range between to_minutes(setting('deletion_minutes')) preceding and current row) as in_window
    from written
),
bursts as (
    select *, max(in_window) over (partition by account_id, principal, bucket order by event_time range between current row and to_minutes(setting('deletion_minutes')) following) as peak
    from windows
    -- Who has written so for a day is an application that does.
    where event_time < first_time + interval 1 day and not is_automation(principal)
),
undone as (
    select
        *,
        min(case when deed = 'on' and succeeded then event_time end) over (partition by account_id, bucket, event_name order by event_time range between current row and interval 1 hour following) as undone_at
    from prepared
),
told as (
    select account_id, region, principal, event_id, event_time, succeeded, judged, call, bucket, deed, undone_at, false as is_deed
    from undone
    where deed is not null and deed <> 'on'
    union all by name
    select account_id, region, principal, event_id, event_time, succeeded, judged, call, bucket, 'objects were written with a key that is not of the account' as deed, true as is_deed
    from bursts
    where peak >= setting('deletions')
)
select
    t.account_id,
    'global' as region,
    'arn:' || arn_partition(t.principal) || ':s3:::' || t.bucket as resource_arn,
    t.principal as discriminator,
    true as failed,
    case
        when bool_and(not t.succeeded) then 'medium'
        when bool_or(t.is_deed and t.succeeded) or count(distinct t.deed) filter (where t.succeeded) > 1 then 'critical'
        when bool_and(t.undone_at is not null or not t.succeeded) then 'low'
        when not bool_or(coalesce(k.critical, false)) then 'medium'
    end as severity,
    'of the bucket ' || t.bucket || ': ' || case when bool_or(t.succeeded) then '' else 'tried: ' end
        || coalesce(string_agg(distinct t.deed, '; ' order by t.deed) filter (where t.succeeded), string_agg(distinct t.deed, '; ' order by t.deed)) || ' ' || traced(call)
        || case when bool_or(t.succeeded) and bool_and(t.undone_at is not null or not t.succeeded) then '; undone by ' || strftime(max(t.undone_at), '%H:%M') else '' end as reason,
    {'trace': trace(call), 'bucket': t.bucket, 'objects': count(*) filter (where t.is_deed), 'undone_at': max(t.undone_at)} as evidence
from told as t
left join (select account_id, arn, bool_or(critical) as critical from known_resources group by account_id, arn) as k
    on k.account_id = t.account_id and k.arn = 'arn:' || arn_partition(t.principal) || ':s3:::' || t.bucket
where t.bucket is not null
group by t.account_id, t.bucket, t.principal, arn_partition(t.principal)
having bool_or(t.judged)
