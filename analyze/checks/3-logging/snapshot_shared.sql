/*
title = "Nobody shares a volume's snapshot with others"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Take the permission back and treat what is on the volume as copied, secrets first. Name accounts of yours under accounts.trusted, and block public sharing in the region."
command = "aws ec2 modify-snapshot-attribute --region {region} --snapshot-id {snapshot_id} --attribute createVolumePermission --operation-type remove {option} {grantee}"
links = ["https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html"]
*/
-- A minute is enough to copy a snapshot: that it was taken back changes nothing.
with added as (
    select
        *,
        request_parameters ->> '$.snapshotId' as snapshot_id,
        -- The request of a denied call may not be recorded; the attribute is there to share.
        denied and request_parameters is null as untold,
        unnest(case when untold then [null::json] else as_objects(request_parameters -> '$.createVolumePermission.add.items') end) as item
    from events
    where event_source = 'ec2.amazonaws.com' and event_name = 'ModifySnapshotAttribute'
        and deliberate and (succeeded or denied)
),
shared as (
    select
        *,
        case
            when untold then coalesce(nullif(regexp_extract(denied_resource, '^arn:[^:]*:ec2:.*:snapshot/.+$'), ''), principal)
            else 'arn:' || arn_partition(principal) || ':ec2:' || region || '::snapshot/' || snapshot_id
        end as arn
    from (select * exclude (item), coalesce(item ->> '$.group', item ->> '$.userId') as grantee from added)
    where untold
        or grantee <> account_id and grantee not in (select account_id from accounts union all select account_id from config_trusted_accounts where account_id is not null)
)
select
    account_id,
    region,
    arn as resource_arn,
    principal as discriminator,
    true as failed,
    case when bool_and(untold) then 'low' when bool_and(not succeeded) then 'medium' when bool_or(grantee = 'all' and succeeded) then 'critical' end as severity,
    case when bool_or(succeeded) then 'shared with ' else 'was to be shared with ' end
        || array_to_string(list_sort(list(distinct case when untold then 'somebody' when grantee = 'all' then 'everyone' else 'account ' || grantee end))[:5], ', ') || ' ' || traced(call) as reason,
    {'trace': trace(call), 'snapshot_id': any_value(snapshot_id), 'grantee': min(grantee), 'option': case when min(grantee) = 'all' then '--group-names' else '--user-ids' end, 'grantees': list_sort(list(distinct grantee) filter (where not untold))} as evidence
from shared
where arn is not null and principal is not null
group by account_id, region, arn, principal
having bool_or(judged)
