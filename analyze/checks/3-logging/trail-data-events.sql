/*
title = "Reading and writing critical buckets leaves a trace"
severity = "low"
tables = ["aws_s3_bucket", "aws_cloudtrail_trail_by_region"]
operations = ["ListBuckets", "GetBucketLocation", "DescribeTrails"]
absence = true
frameworks = { "cis_v3.0" = ["3.8", "3.9"], "cis_v5.0" = ["3.8", "3.9"] }
remediation = "Let a trail of the bucket's region record data events of its objects, reading and writing."
command = "aws cloudtrail put-event-selectors --trail-name ... --event-selectors file://selectors.json"
links = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html"]
*/
with buckets as (
    select b.account_id, b.region, b.arn, b.bucket_name, b.bucket_region, b.arn || '/' as objects, b.tags is null as untold
    from aws_s3_bucket as b
    left join resource_context as c on c.account_id = b.account_id and c.arn = b.arn
    left join config_importance as i on i.level = c.importance
    -- Whether a bucket whose tags could not be read is critical is not known.
    where i.critical or b.tags is null
),
-- Each region shows the trails of the others too, and those of the organization.
trails as (
    select distinct
        account_id, arn, home_region, is_multi_region_trail, is_logging, event_selectors, advanced_event_selectors,
        event_selectors is null and advanced_event_selectors is null as unread
    from aws_cloudtrail_trail_by_region
    where is_logging is distinct from false
),
basic as (
    select
        account_id, arn,
        coalesce(selector ->> '$.ReadWriteType', 'All') as kind,
        flatten(list_transform(
            list_filter(as_objects(selector -> '$.DataResources'), lambda r: r ->> '$.Type' = 'AWS::S3::Object'),
            lambda r: as_list(r -> '$.Values')
        )) as covered
    from (select account_id, arn, unnest(as_objects(event_selectors)) as selector from trails)
),
advanced as (
    select account_id, arn, as_objects(selector -> '$.FieldSelectors') as fields
    from (select account_id, arn, unnest(as_objects(advanced_event_selectors)) as selector from trails)
),
-- A selector that chooses by anything but bucket and reading or writing, such as the name of the event, records a part.
whole as (
    select
        account_id, arn,
        case list_filter(fields, lambda f: f ->> '$.Field' = 'readOnly')[1] ->> '$.Equals[0]' when 'true' then 'ReadOnly' when 'false' then 'WriteOnly' else 'All' end as kind,
        list_filter(fields, lambda f: f ->> '$.Field' = 'resources.ARN') as names
    from advanced
    where len(list_filter(fields, lambda f: f ->> '$.Field' = 'eventCategory' and list_contains(as_list(f -> '$.Equals'), 'Data'))) > 0
        and len(list_filter(fields, lambda f: f ->> '$.Field' = 'resources.type' and list_contains(as_list(f -> '$.Equals'), 'AWS::S3::Object'))) > 0
        and len(list_filter(fields, lambda f: f ->> '$.Field' not in ('eventCategory', 'resources.type', 'readOnly', 'resources.ARN'))) = 0
        and len(list_filter(fields, lambda f: f ->> '$.Field' = 'readOnly' and list_sort(json_keys(f)) <> ['Equals', 'Field'])) = 0
),
selectors as (
    select account_id, arn, kind, covered, []::json[] as names, len(list_filter(covered, lambda v: regexp_full_match(v, 'arn:[^:]+:s3(:::)?'))) > 0 as all_buckets
    from basic
    where len(covered) > 0
    union all
    select account_id, arn, kind, null, names, len(names) = 0
    from whole
),
-- Per bucket and selector of a trail that sees its region, whether all its objects are meant.
matched as (
    select
        b.account_id, b.arn, s.kind, t.is_logging,
        case
            when s.all_buckets then true
            when s.covered is not null then list_contains(s.covered, b.objects)
            -- A choice by names means all of this bucket when it starts with less, or leaves out nothing of it.
            else len(list_filter(s.names, lambda f: not case list_sort(json_keys(f))
                when ['Field', 'StartsWith'] then len(list_filter(as_list(f -> '$.StartsWith'), lambda v: starts_with(b.objects, v))) > 0
                when ['Field', 'NotStartsWith'] then len(list_filter(as_list(f -> '$.NotStartsWith'), lambda v: starts_with(b.objects, v) or starts_with(v, b.objects))) = 0
                else false
            end)) = 0
        end as whole_bucket
    from buckets as b
    join trails as t on t.account_id = b.account_id and (t.is_multi_region_trail or t.home_region = b.bucket_region)
    join selectors as s on s.account_id = t.account_id and s.arn = t.arn
),
recorded as (
    select
        account_id, arn,
        bool_or(kind <> 'WriteOnly' and is_logging) as reads,
        bool_or(kind <> 'ReadOnly' and is_logging) as writes
    from matched
    where whole_bucket
    group by account_id, arn
),
unread as (
    select account_id, bool_or(unread or is_logging is null) as unread
    from trails
    group by account_id
),
judged as (
    select b.*, coalesce(r.reads, false) as reads, coalesce(r.writes, false) as writes, coalesce(u.unread, false) as unread
    from buckets as b
    left join recorded as r on r.account_id = b.account_id and r.arn = b.arn
    left join unread as u on u.account_id = b.account_id
)
select
    account_id,
    region,
    arn as resource_arn,
    case when reads and writes then false when unread or untold then null else true end as failed,
    case
        when reads and writes then 'reading and writing its objects is recorded'
        when untold then 'its tags could not be read: whether it is critical is not known'
        when unread then 'what the trails record is not known'
        when reads then 'writing its objects is not recorded'
        when writes then 'reading its objects is not recorded'
        else 'no trail records reading and writing its objects'
    end as reason,
    {'bucket': bucket_name, 'reads': reads, 'writes': writes} as evidence
from judged
