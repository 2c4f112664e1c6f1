/*
title = "Nobody makes a database public"
severity = "critical"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Take its public address away, close its security group, and look in its logs for who connected meanwhile."
command = "aws {service} {operation} --region {region} {name_option} {name} --no-publicly-accessible"
links = ["https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html"]
*/
-- Consoles send the setting along with every other change, so that what a call found is compared with what it asked for.
with calls as (
    select
        *,
        case
            when event_source = 'rds.amazonaws.com' and ends_with(event_name, 'Cluster') then 'cluster'
            when event_source = 'rds.amazonaws.com' then 'db'
            when event_source = 'redshift.amazonaws.com' then 'cluster'
            else 'workgroup'
        end as type,
        coalesce(
            request_parameters ->> '$.targetDBInstanceIdentifier', request_parameters ->> '$.targetDbInstanceIdentifier', request_parameters ->> '$.dBInstanceIdentifier', request_parameters ->> '$.dbInstanceIdentifier',
            request_parameters ->> '$.dBClusterIdentifier', request_parameters ->> '$.dbClusterIdentifier', request_parameters ->> '$.clusterIdentifier', request_parameters ->> '$.workgroupName'
        ) as name,
        try_cast(request_parameters ->> '$.publiclyAccessible' as boolean) as asked,
        try_cast(coalesce(response_elements ->> '$.pendingModifiedValues.publiclyAccessible', response_elements ->> '$.publiclyAccessible', response_elements ->> '$.workgroup.publiclyAccessible') as boolean) as answered
    from events
    where event_source in ('rds.amazonaws.com', 'redshift.amazonaws.com', 'redshift-serverless.amazonaws.com')
        and event_name in (values
            ('CreateDBInstance'), ('CreateDBInstanceReadReplica'), ('CreateDBCluster'), ('ModifyDBInstance'), ('ModifyDBCluster'), ('RestoreDBInstanceFromDBSnapshot'), ('RestoreDBInstanceFromS3'), ('RestoreDBInstanceToPointInTime'),
            ('CreateCluster'), ('ModifyCluster'), ('RestoreFromClusterSnapshot'), ('CreateWorkgroup'), ('UpdateWorkgroup')
        )
        and deliberate and (succeeded or denied)
),
states as (
    select
        *,
        -- What the setting was after the call before; nothing was before a creation.
        lag(case when succeeded then coalesce(asked, answered) end ignore nulls) over (partition by account_id, region, event_source, type, name order by event_time, event_id) as before
    from calls
),
opened as (
    select
        *,
        event_name like 'Create%' as is_new,
        'arn:' || arn_partition(principal) || ':' || split_part(event_source, '.', 1) || ':' || region || ':' || account_id || ':' || type || ':' || name as made_arn
    from states
    where case when event_name like 'Modify%' or event_name like 'Update%' then asked and before is distinct from true else coalesce(asked, answered) end
)
select
    account_id,
    region,
    case when type = 'workgroup' then coalesce(any_value(response_elements ->> '$.workgroup.workgroupArn'), any_value(principal)) else any_value(made_arn) end as resource_arn,
    principal || case when type = 'workgroup' then ' ' || name else '' end as discriminator,
    true as failed,
    case when bool_and(not succeeded) then 'medium' when bool_and(is_new or not succeeded) then 'high' end as severity,
    'the database ' || name || case when bool_or(succeeded and not is_new) then ' was made public ' when bool_or(succeeded) then ' was created public ' else ' was to be public ' end || traced(call) as reason,
    {
        'trace': trace(call), 'name': name, 'operations': list_sort(list(distinct event_name)), 'service': split_part(event_source, '.', 1),
        'operation': case type when 'workgroup' then 'update-workgroup' when 'db' then 'modify-db-instance' else case event_source when 'rds.amazonaws.com' then 'modify-db-cluster' else 'modify-cluster' end end,
        'name_option': case type when 'workgroup' then '--workgroup-name' when 'db' then '--db-instance-identifier' else case event_source when 'rds.amazonaws.com' then '--db-cluster-identifier' else '--cluster-identifier' end end
    } as evidence
from opened
where name is not null and principal is not null
group by account_id, region, event_source, type, name, principal
having bool_or(judged)
