/*
title = "Nobody shares a database's snapshot with others"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Take the permission back and treat the data as copied: tell those who answer for it. Name accounts of yours under accounts.trusted."
command = "aws {service} {operation} --region {region} {name_option} {snapshot} {other_option} {remove_option} {grantee}"
links = ["https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html"]
*/
with calls as (
    select
        *,
        coalesce(
            request_parameters ->> '$.dBSnapshotIdentifier', request_parameters ->> '$.dBClusterSnapshotIdentifier', request_parameters ->> '$.dbSnapshotIdentifier',
            request_parameters ->> '$.dbClusterSnapshotIdentifier', request_parameters ->> '$.snapshotIdentifier'
        ) as snapshot,
        coalesce(request_parameters ->> '$.snapshotClusterIdentifier', response_elements ->> '$.clusterIdentifier') as cluster,
        -- The request of a denied call may not be recorded; the attribute is there to share.
        denied and request_parameters is null as untold,
        case
            when untold then [null]
            when event_source = 'redshift.amazonaws.com' then as_list(request_parameters -> '$.accountWithRestoreAccess')
            when request_parameters ->> '$.attributeName' = 'restore' then as_list(request_parameters -> '$.valuesToAdd')
        end as grantees
    from events
    where event_source in ('rds.amazonaws.com', 'redshift.amazonaws.com') and event_name in (values ('ModifyDBSnapshotAttribute'), ('ModifyDBClusterSnapshotAttribute'), ('AuthorizeSnapshotAccess'))
        and deliberate and (succeeded or denied)
),
shared as (
    select
        *,
        case
            when untold then nullif(regexp_extract(denied_resource, '^arn:[^:]*:(rds|redshift):.*snapshot:.+$'), '')
            when starts_with(snapshot, 'arn:') then snapshot
            when event_source = 'redshift.amazonaws.com' then 'arn:' || arn_partition(principal) || ':redshift:' || region || ':' || account_id || ':snapshot:' || cluster || '/' || snapshot
            else 'arn:' || arn_partition(principal) || ':rds:' || region || ':' || account_id || case event_name when 'ModifyDBClusterSnapshotAttribute' then ':cluster-snapshot:' else ':snapshot:' end || snapshot
        end as arn
    from (select *, unnest(grantees) as grantee from calls)
    where untold
        or grantee <> account_id and grantee not in (select account_id from accounts union all select account_id from config_trusted_accounts where account_id is not null)
)
select
    account_id,
    region,
    coalesce(arn, principal) as resource_arn,
    principal || case when arn is null then ' ' || coalesce(snapshot, '') else '' end as discriminator,
    true as failed,
    case when bool_and(untold) then 'low' when bool_and(not succeeded) then 'medium' when bool_or(grantee = 'all' and succeeded) then 'critical' end as severity,
    'the snapshot ' || coalesce(snapshot, arn_tail(arn), '(no name)') || case when bool_or(succeeded) then ' was shared with ' else ' was to be shared with ' end
        || array_to_string(list_sort(list(distinct case when untold then 'somebody' when grantee = 'all' then 'everyone' else 'account ' || grantee end))[:5], ', ') || ' ' || traced(call) as reason,
    {
        'trace': trace(call), 'snapshot': snapshot, 'grantees': list_sort(list(distinct grantee) filter (where not untold)),
        'service': split_part(event_source, '.', 1),
        'operation': case event_name when 'AuthorizeSnapshotAccess' then 'revoke-snapshot-access' when 'ModifyDBClusterSnapshotAttribute' then 'modify-db-cluster-snapshot-attribute' else 'modify-db-snapshot-attribute' end,
        'grantee': min(grantee),
        'name_option': case event_name when 'AuthorizeSnapshotAccess' then '--snapshot-identifier' when 'ModifyDBClusterSnapshotAttribute' then '--db-cluster-snapshot-identifier' else '--db-snapshot-identifier' end,
        'other_option': case event_name when 'AuthorizeSnapshotAccess' then '--snapshot-cluster-identifier=' || any_value(cluster) else '--attribute-name=restore' end,
        'remove_option': case event_name when 'AuthorizeSnapshotAccess' then '--account-with-restore-access' else '--values-to-remove' end
    } as evidence
from shared
where principal is not null
group by account_id, region, arn, principal, snapshot, event_source, event_name
having bool_or(judged)
