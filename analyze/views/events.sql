-- One row per event of the CloudTrail lake, whatever number of trails delivered it, with what detections ask of each.
select
    *,
    -- Somebody wanted it: CloudFormation acts on the order of whoever changes the stack.
    not by_service or identity_invoked_by is not distinct from 'cloudformation.amazonaws.com' as deliberate,
    -- Denied calls of many services have no request; the message names what they were about: an ARN, or `user bob`.
    nullif(regexp_extract(error_message, ' on resource: "?((?:user |role |group |policy )?[^ ",]+)', 1), '') as denied_resource,
    {'event_id': event_id, 'event_time': event_time, 'principal': principal, 'source_ip_address': source_ip_address, 'user_agent': user_agent, 'succeeded': succeeded, 'denied': denied} as call
from (
    select
        e.*,
        coalesce(e.recipient_account_id, e.identity_account_id) as account_id,
        coalesce(e.aws_region, 'global') as region,
        e.error_code is null as succeeded,
        e.error_code is not null and regexp_matches(e.error_code, 'AccessDenied|Unauthorized|NotAuthorized|Forbidden|AuthFailure|AccountProblem') as denied,
        -- AWS itself acts: a service for somebody, or a role that only a service can assume.
        e.identity_type is not distinct from 'AWSService'
            or e.event_type is not distinct from 'AwsServiceEvent'
            or e.identity_invoked_by is not null
            or coalesce(ends_with(e.source_ip_address, '.amazonaws.com') or e.source_ip_address = 'AWS Internal', false)
            or coalesce(contains(e.principal, ':role/aws-service-role/'), false) as by_service,
        -- New since the time that --since names; what is older is the baseline.
        (select count(*) from judged_from) = 0
            or e.event_time >= (select max(moment) from judged_from)
            or e.ingested_at >= (select max(moment) from judged_from) as judged
    from cloudtrail_events as e
    anti join (select source_key, unnest(source_records) as source_record from repeated_rows) as r on r.source_key = e.source_key and r.source_record = e.source_record
)
