/*
title = "Root gets no access key"
severity = "critical"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Delete the key or certificate as root, and look at what it was used for since. No permission limits a key of root."
command = "aws iam list-access-keys"
links = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user_manage_delete-key.html"]
*/
-- A request without a user name is about root itself. A key that is activated again is as good as a new one.
with keys as (
    select *, coalesce(response_elements ->> '$.accessKey.accessKeyId', request_parameters ->> '$.accessKeyId') as key_id
    from iam_calls
    where event_source = 'iam.amazonaws.com' and event_name in (values ('CreateAccessKey'), ('UpdateAccessKey'), ('UploadSigningCertificate'))
        and identity_type = 'Root' and target_name is null and not by_service
        and (event_name <> 'UpdateAccessKey' or request_parameters ->> '$.status' = 'Active')
)
select
    account_id,
    'global' as region,
    principal as resource_arn,
    event_name || ' ' || strftime(event_time, '%Y-%m-%d') as discriminator,
    true as failed,
    case when not bool_or(succeeded) then 'high' else 'critical' end as severity,
    case event_name when 'CreateAccessKey' then 'an access key' when 'UpdateAccessKey' then 'an inactive access key' else 'a signing certificate' end
        || ' of root was ' || case when not bool_or(succeeded) then 'to be ' else '' end
        || case event_name when 'CreateAccessKey' then 'created ' when 'UpdateAccessKey' then 'activated ' else 'uploaded ' end || traced(call) as reason,
    {'trace': trace(call), 'key_ids': list_sort(list(distinct key_id))} as evidence
from keys
where principal is not null
group by account_id, principal, event_name, strftime(event_time, '%Y-%m-%d')
having bool_or(judged)
