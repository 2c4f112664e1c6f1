/*
title = "Warehouses keep an audit log"
severity = "medium"
tables = ["aws_redshift_cluster"]
frameworks = { fsbp = ["Redshift.4"] }
remediation = "Switch on audit logging, and enable_user_activity_logging in its parameter group for the queries themselves."
command = "aws redshift enable-logging --region {region} --cluster-identifier {cluster_identifier} --log-destination-type cloudwatch --log-exports connectionlog userlog useractivitylog"
*/
with logging as (
    select
        account_id, region, arn, cluster_identifier, logging_enabled, logging_bucket,
        coalesce(logging_bucket, config ->> '$.Logging.LogDestinationType') as destination,
        try_cast(config ->> '$.Logging.LastFailureTime' as timestamp) as failed_at,
        try_cast(config ->> '$.Logging.LastSuccessfulDeliveryTime' as timestamp) as delivered_at
    from aws_redshift_cluster
),
judged as (
    select *, failed_at is not null and (delivered_at is null or failed_at > delivered_at) as is_failing
    from logging
)
select
    account_id,
    region,
    arn as resource_arn,
    case when logging_enabled then is_failing else not logging_enabled end as failed,
    case
        when not logging_enabled then 'no audit log'
        when logging_enabled and is_failing then 'the audit log has not been delivered since ' || coalesce(strftime(delivered_at, '%Y-%m-%d'), 'it was switched on')
        when logging_enabled then 'keeps an audit log' || coalesce(' in ' || destination, '')
        else 'whether it keeps an audit log could not be asked'
    end as reason,
    {'cluster_identifier': cluster_identifier, 'bucket': logging_bucket, 'failed_at': failed_at, 'delivered_at': delivered_at} as evidence
from judged
