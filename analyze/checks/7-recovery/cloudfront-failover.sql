/*
title = "Distributions have a second origin to fail over to"
severity = "low"
tables = ["aws_cloudfront_distribution"]
operations = ["ListDistributions"]
frameworks = { fsbp = ["CloudFront.4"] }
remediation = "Make an origin group of two origins, the second in another region, and let the behaviours use it."
command = "aws cloudfront get-distribution-config --id {distribution_id}"
*/
with distributions as (
    select
        account_id, region, arn, distribution_id, origin_group_count,
        list_distinct(config ->> '$.OriginGroups.Items[*].Id') as group_ids,
        list_distinct(list_concat(
            [default_cache_behavior ->> '$.TargetOriginId'],
            list_transform(as_objects(cache_behaviors), lambda behavior: behavior ->> '$.TargetOriginId')
        )) as used_ids
    from aws_cloudfront_distribution
    -- What is switched off serves nobody.
    where enabled is distinct from false
),
usage as (
    select *, len(list_intersect(group_ids, used_ids)) as groups_used
    from distributions
)
select
    account_id,
    region,
    arn as resource_arn,
    case when origin_group_count = 0 then true when origin_group_count > 0 then groups_used = 0 end as failed,
    case
        when origin_group_count = 0 then 'it has no origin group: when its origin fails, it fails'
        when groups_used = 0 then 'no behaviour uses its ' || origin_group_count || ' origin groups'
        when groups_used > 0 then 'fails over within ' || groups_used || ' origin groups'
    end as reason,
    {'distribution_id': distribution_id, 'origin_groups': group_ids} as evidence
from usage
