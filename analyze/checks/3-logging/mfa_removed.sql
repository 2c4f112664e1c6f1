/*
title = "Nobody removes an MFA device"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Ask the user whether the device was lost or replaced. If not, take the user's sessions, keys and password out of use, and give it a device again."
command = "aws iam list-mfa-devices --user-name {user_name}"
links = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeactivateMFADevice.html"]
*/
-- A device is deactivated before it is deleted, so that the deletion tells nothing new. Who replaces the own device, or
-- removes it because the user goes, does what is expected.
with calls as (
    select
        *,
        count(*) filter (where event_name = 'EnableMFADevice' and succeeded) over around > 0 as replaced,
        count(*) filter (where event_name = 'DeleteUser' and succeeded) over afterwards > 0 as user_deleted
    from iam_calls
    where event_source = 'iam.amazonaws.com' and event_name in (values ('DeactivateMFADevice'), ('EnableMFADevice'), ('DeleteUser'))
    window
        around as (partition by account_id, target_arn order by event_time range between interval 1 hour preceding and interval 1 hour following),
        afterwards as (partition by account_id, target_arn order by event_time range between current row and interval 1 hour following)
),
removed as (
    select account_id, target_arn, target_name as user_name, principal, on_self, replaced, false as untold, succeeded, judged, call
    from calls
    where event_name = 'DeactivateMFADevice' and not user_deleted and deliberate and (succeeded or denied)
    union all by name
    -- Users of Identity Center have devices of their own.
    select
        account_id, coalesce('arn:' || arn_partition(principal) || ':identitystore:::user/' || (request_parameters ->> '$.userId'), case when denied then principal end) as target_arn,
        null as user_name, principal, false as on_self, false as replaced, request_parameters ->> '$.userId' is null as untold, succeeded, judged, call
    from events
    where event_source = 'sso-directory.amazonaws.com' and event_name = 'DeleteMfaDeviceForUser' and deliberate and (succeeded or denied)
)
select
    account_id,
    'global' as region,
    target_arn as resource_arn,
    principal || case when untold then ' Identity Center' else '' end as discriminator,
    true as failed,
    case
        when not bool_or(succeeded) then 'medium'
        when bool_and(replaced and on_self) then 'low'
        when ends_with(target_arn, ':root') then 'critical'
        else 'high'
    end as severity,
    'the MFA device of ' || case when bool_or(untold) then 'somebody' else principal_label(target_arn) end || ' was ' || case when bool_or(succeeded) then '' else 'to be ' end
        || case when bool_and(replaced) then 'replaced: ' else 'removed: ' end || traced(call) as reason,
    {'trace': trace(call), 'user_name': min(user_name)} as evidence
from removed
where target_arn is not null
group by account_id, target_arn, principal, untold
having bool_or(judged)
