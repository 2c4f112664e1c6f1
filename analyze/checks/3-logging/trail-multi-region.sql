/*
title = "A trail records management events of all regions"
severity = "high"
tables = ["aws_cloudtrail_trail_by_region"]
absence = true
frameworks = { "cis_v3.0" = ["3.1"], "cis_v5.0" = ["3.1"], fsbp = ["CloudTrail.1"] }
remediation = "Make one trail for all regions with management events, reading and writing, and start it."
command = "aws cloudtrail create-trail --name main --is-multi-region-trail --enable-log-file-validation --s3-bucket-name ..."
*/
with selectors as (
    -- A trail of another region or of the organization records this account as well as one of its own.
    select
        account_id, arn, trail_name, is_multi_region_trail, is_logging,
        records_management_events(event_selectors, advanced_event_selectors, has_custom_event_selectors) as management_events
    from aws_cloudtrail_trail_by_region
),
by_account as (
    select
        account_id,
        bool_or(coalesce(is_multi_region_trail and is_logging and management_events, false)) as covered,
        bool_or((is_multi_region_trail and is_logging and management_events) is null) as unread,
        string_agg(distinct trail_name, ', ' order by trail_name) as trails
    from selectors
    group by account_id
)
select
    a.account_id,
    'global' as region,
    a.arn as resource_arn,
    case when b.covered then false when b.unread then null else true end as failed,
    case
        when b.covered then 'a trail records all regions'
        when b.unread then 'whether its trails record is not known'
        when b.trails is not null then 'no trail covers all regions: ' || b.trails
        else 'there is no trail'
    end as reason,
    {'trails': b.trails} as evidence
from accounts as a
left join by_account as b on b.account_id = a.account_id
