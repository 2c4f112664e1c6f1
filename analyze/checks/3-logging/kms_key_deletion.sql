/*
title = "Nobody deletes or disables an encryption key"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Cancel the deletion and enable the key, unless nothing that it encrypted is needed any more, backups included: without the key all of it is lost."
command = "aws kms {operation} --region {region} --key-id {key_id}"
links = ["https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html"]
*/
-- Events of KMS name the key in full among their resources, whatever alias or id the call used.
with calls as (
    select
        *,
        coalesce(
            resources ->> '$[0].ARN', resources ->> '$[0].arn',
            case when starts_with(request_parameters ->> '$.keyId', 'arn:') then request_parameters ->> '$.keyId' end,
            case when starts_with(response_elements ->> '$.keyId', 'arn:') then response_elements ->> '$.keyId' end,
            'arn:' || arn_partition(principal) || ':kms:' || region || ':' || account_id || ':' || case when starts_with(request_parameters ->> '$.keyId', 'alias/') then '' else 'key/' end || (request_parameters ->> '$.keyId'),
            case when starts_with(denied_resource, 'arn:') then denied_resource end,
            -- A key store has no ARN of its own.
            principal
        ) as arn,
        coalesce(request_parameters ->> '$.customKeyStoreId', '') as key_store
    from events
    where event_source = 'kms.amazonaws.com'
        and event_name in (values ('ScheduleKeyDeletion'), ('DisableKey'), ('DeleteImportedKeyMaterial'), ('DeleteCustomKeyStore'), ('DisconnectCustomKeyStore'), ('CancelKeyDeletion'), ('EnableKey'), ('ImportKeyMaterial'))
        and deliberate and (succeeded or denied)
),
lost as (
    select
        *,
        case event_name
            when 'ScheduleKeyDeletion' then 'scheduled for deletion in ' || coalesce(nullif(request_parameters ->> '$.pendingWindowInDays', ''), '30') || ' days'
            when 'DisableKey' then 'disabled'
            when 'DeleteImportedKeyMaterial' then 'emptied of its imported material'
            else 'in a key store that was disconnected or deleted (' || key_store || ')'
        end as deed,
        min(case when event_name in ('CancelKeyDeletion', 'EnableKey', 'ImportKeyMaterial') and succeeded then event_time end)
            over (partition by account_id, arn order by event_time range between current row and interval 1 day following) as undone_at
    from calls
)
select
    account_id,
    any_value(region order by event_time, event_id) as region,
    arn as resource_arn,
    principal || case when key_store = '' then '' else ' ' || key_store end as discriminator,
    true as failed,
    case
        when bool_and(not succeeded) then 'medium'
        when bool_and(undone_at is not null or not succeeded) then 'low'
        when bool_and(event_name = 'DisableKey' or not succeeded) then 'medium'
    end as severity,
    case when key_store = '' then 'the key ' || arn_tail(arn) else 'a key' end || case when bool_or(succeeded) then ' is ' else ' was to be ' end
        || coalesce(string_agg(distinct deed, ', ' order by deed) filter (where succeeded), string_agg(distinct deed, ', ' order by deed)) || ', ' || traced(call)
        || case when bool_or(succeeded) and bool_and(undone_at is not null or not succeeded) then '; undone on ' || strftime(max(undone_at), '%Y-%m-%d %H:%M') else '' end as reason,
    {
        'trace': trace(call), 'key_id': arn_tail(arn), 'operations': list_sort(list(distinct event_name)), 'undone_at': max(undone_at),
        'operation': case when bool_or(event_name = 'ScheduleKeyDeletion') then 'cancel-key-deletion' when bool_or(event_name = 'DisableKey') then 'enable-key' else 'describe-key' end
    } as evidence
from lost
where event_name in ('ScheduleKeyDeletion', 'DisableKey', 'DeleteImportedKeyMaterial', 'DeleteCustomKeyStore', 'DisconnectCustomKeyStore') and principal is not null
group by account_id, arn, principal, key_store
having bool_or(judged)
