-- One row per instance, repository and function that Inspector knows, and whether it looks for vulnerable packages there.
-- An administrator of Inspector sees the resources of other accounts; they are put to their own account if that is here.
with coverage as (
    select
        coalesce(o.account_id, c.account_id) as account_id, c.region,
        inspected_arn(c.resource_id, a.partition, c.region, coalesce(c.covered_account_id, c.account_id)) as arn,
        case when c.scan_type is not null then c.scan_status = 'ACTIVE' end as is_active, c.scan_status_reason, c.last_scanned_at
    from aws_inspector2_coverage as c
    join accounts as a on a.account_id = c.account_id
    left join accounts as o on o.account_id = c.covered_account_id
    -- The scan of the network is another one, and that of the code.
    where coalesce(c.scan_type, 'PACKAGE') = 'PACKAGE' and c.resource_id is not null
)
select
    account_id, region, arn,
    case when bool_or(coalesce(is_active, false)) then true when bool_or(is_active is null) then null else false end as is_scanned,
    string_agg(distinct scan_status_reason, ', ' order by scan_status_reason) filter (where not is_active) as inactive_reasons,
    count(*) filter (where is_active) as scans,
    count(*) filter (where is_active and last_scanned_at is null) as scans_without_time,
    min(last_scanned_at) filter (where is_active) as oldest_scan_at
from coverage
group by account_id, region, arn
