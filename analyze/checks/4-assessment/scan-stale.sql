/*
title = "Scans are recent"
severity = "medium"
tables = ["aws_inspector2_coverage"]
remediation = "Find out why Inspector no longer reaches the resource: the agent of an instance, its way to Systems Manager, the scan duration of a registry."
links = ["https://docs.aws.amazon.com/inspector/latest/user/assessing-coverage.html"]
*/
select
    account_id,
    region,
    arn as resource_arn,
    case when days_since(oldest_scan_at) > setting('scan_age_days') then true when scans_without_time = 0 then false end as failed,
    case
        when days_since(oldest_scan_at) > setting('scan_age_days') then 'last scanned ' || days_since(oldest_scan_at) || ' days ago' || if(scans > 1, ', the oldest of ' || scans || ' scans', '')
        when scans_without_time > 0 then 'when it was last scanned is not known'
        else 'last scanned ' || days_since(oldest_scan_at) || ' days ago'
    end as reason,
    {'scans': scans, 'oldest_scan_at': oldest_scan_at} as evidence
from inspected_resources
-- What Inspector does not scan at all is the finding of other checks.
where is_scanned
