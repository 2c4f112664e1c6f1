/*
title = "Every trail records and delivers"
severity = "critical"
tables = ["aws_cloudtrail_trail"]
remediation = "Start the trail, find out who stopped it, and mend what keeps it from delivering."
command = "aws cloudtrail start-logging --region {region} --name {resource_arn}"
*/
select
    account_id,
    region,
    arn as resource_arn,
    not is_logging or coalesce(latest_delivery_error, '') <> '' as failed,
    case
        when not is_logging then 'stopped' || coalesce(' on ' || strftime(stop_logging_at, '%Y-%m-%d'), '')
        when coalesce(latest_delivery_error, '') <> '' then 'can not deliver: ' || latest_delivery_error
        when is_logging then 'records'
    end as reason,
    {'trail': trail_name, 'stopped_at': stop_logging_at, 'delivery_error': latest_delivery_error} as evidence
from aws_cloudtrail_trail
