/*
title = "Nobody redirects a trail"
severity = "medium"
kind = "detection"
tables = ["cloudtrail_events", "cloudtrail_ledger"]
remediation = "Compare the trail with what it was, set it back, and ask who changed it: a bucket or key of somebody else, or fewer regions, hide what follows."
command = "aws cloudtrail get-trail --region {region} --name {trail_name}"
links = ["https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html"]
*/
-- What a trail is, aspect by aspect, as the calls that made and changed it tell: a request that repeats what was is no change.
-- Of a trail whose past is not in the lake, the buckets that the lake itself is read from are known.
with calls as (
    select
        *,
        arn_tail(coalesce(request_parameters ->> '$.name', denied_resource, 'unknown')) as trail_name,
        [
            {'aspect': 'bucket', 'asked': request_parameters ->> '$.s3BucketName', 'became': response_elements ->> '$.s3BucketName'},
            {'aspect': 'key', 'asked': request_parameters ->> '$.kmsKeyId', 'became': response_elements ->> '$.kmsKeyId'},
            {'aspect': 'log group', 'asked': request_parameters ->> '$.cloudWatchLogsLogGroupArn', 'became': response_elements ->> '$.cloudWatchLogsLogGroupArn'},
            {'aspect': 'all regions', 'asked': lower(request_parameters ->> '$.isMultiRegionTrail'), 'became': lower(response_elements ->> '$.isMultiRegionTrail')},
            {'aspect': 'global services', 'asked': lower(request_parameters ->> '$.includeGlobalServiceEvents'), 'became': lower(response_elements ->> '$.includeGlobalServiceEvents')},
            {'aspect': 'the organization', 'asked': lower(request_parameters ->> '$.isOrganizationTrail'), 'became': lower(response_elements ->> '$.isOrganizationTrail')},
            {'aspect': 'validation', 'asked': lower(request_parameters ->> '$.enableLogFileValidation'), 'became': lower(response_elements ->> '$.logFileValidationEnabled')}
        ] as aspects
    from events
    where event_source = 'cloudtrail.amazonaws.com' and event_name in (values ('UpdateTrail'), ('CreateTrail')) and deliberate and (succeeded or denied)
),
settings as (
    select * exclude (aspects, one), one.aspect as aspect, one.asked as asked, coalesce(one.became, one.asked) as became
    from (select *, unnest(aspects) as one from calls)
),
history as (
    select
        *,
        last_value(case when succeeded then became end ignore nulls) over (
            partition by account_id, region, trail_name, aspect order by event_time, event_id rows between unbounded preceding and 1 preceding
        ) as was
    from settings
),
buckets as (
    select distinct regexp_extract(source_key, '^s3://([^/]+)/', 1) as bucket
    from cloudtrail_ledger
    where source_key like 's3://%'
),
changes as (
    select
        h.*,
        case
            when h.request_parameters is null then 'the denial does not tell what'
            when h.aspect = 'bucket' and h.asked <> '' and (h.was <> h.asked or h.was is null and b.bucket is null) then 'it delivers to the bucket ' || h.asked
            when h.aspect = 'key' and h.asked = '' and h.was is distinct from '' then 'it no longer encrypts with a key'
            when h.aspect = 'key' and regexp_matches(h.asked, '^arn:[^:]*:kms:') and split_part(h.asked, ':', 5) <> h.account_id and arn_tail(h.was) is distinct from arn_tail(h.asked)
                then 'it encrypts with a key of account ' || split_part(h.asked, ':', 5)
            when h.aspect = 'key' and h.asked <> '' and h.was <> '' and arn_tail(h.was) <> arn_tail(h.became) then 'it encrypts with another key'
            when h.aspect = 'log group' and h.asked = '' and h.was is distinct from '' then 'it no longer delivers to CloudWatch Logs'
            when h.aspect in ('all regions', 'global services', 'the organization') and h.asked = 'false' and h.was is distinct from 'false' then 'it no longer records ' || h.aspect
            when h.aspect = 'validation' and h.asked = 'false' and h.was is distinct from 'false' then 'its files can no longer be validated'
        end as change
    from history as h
    left join buckets as b on h.aspect = 'bucket' and b.bucket = h.asked
    where h.event_name = 'UpdateTrail'
),
-- One row per call, so that calls are counted and not what they change.
by_call as (
    select
        account_id, region, trail_name, principal, event_id, bool_or(succeeded) as succeeded, bool_or(judged) as judged,
        any_value(call) as call, list(change) as found
    from changes
    where change is not null
    group by account_id, region, trail_name, principal, event_id
)
select
    account_id,
    region,
    'arn:' || arn_partition(principal) || ':cloudtrail:' || region || ':' || account_id || ':trail/' || trail_name as resource_arn,
    principal as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'low' else 'medium' end as severity,
    'the trail ' || trail_name || case when bool_or(succeeded) then ' was changed (' else ' was to be changed (' end
        || array_to_string(list_sort(list_distinct(flatten(list(found)))), ', ') || '): ' || traced(call) as reason,
    {'trace': trace(call), 'trail_name': trail_name, 'changes': list_sort(list_distinct(flatten(list(found))))} as evidence
from by_call
group by account_id, region, trail_name, principal
having bool_or(judged)
