/*
title = "Nobody switches deletion protection off"
severity = "high"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Switch it on again and ask what was to be deleted: the deletion is often the next call."
command = "aws cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=EventId,AttributeValue={first_event_id}"
links = ["https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html", "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingDisableAPITermination.html"]
*/
-- Consoles send the setting along with every other change, so that what a call found is compared with what it asked for.
with calls as (
    select
        *,
        case event_source
            when 'rds.amazonaws.com' then case when event_name like '%GlobalCluster' then 'global-cluster' when event_name like '%Cluster' then 'cluster' else 'db' end
            when 'dynamodb.amazonaws.com' then 'table'
            when 'ec2.amazonaws.com' then 'instance'
            when 'elasticloadbalancing.amazonaws.com' then 'loadbalancer'
            when 'cloudformation.amazonaws.com' then 'stack'
            when 'cognito-idp.amazonaws.com' then 'userpool'
            when 'eks.amazonaws.com' then 'cluster'
            when 'network-firewall.amazonaws.com' then 'firewall'
        end as type,
        case event_source
            when 'rds.amazonaws.com' then coalesce(
                request_parameters ->> '$.dBInstanceIdentifier', request_parameters ->> '$.dbInstanceIdentifier', request_parameters ->> '$.dBClusterIdentifier', request_parameters ->> '$.dbClusterIdentifier', request_parameters ->> '$.globalClusterIdentifier'
            )
            when 'dynamodb.amazonaws.com' then request_parameters ->> '$.tableName'
            when 'ec2.amazonaws.com' then request_parameters ->> '$.instanceId'
            when 'elasticloadbalancing.amazonaws.com' then request_parameters ->> '$.loadBalancerArn'
            when 'cloudformation.amazonaws.com' then request_parameters ->> '$.stackName'
            when 'cognito-idp.amazonaws.com' then request_parameters ->> '$.userPoolId'
            when 'eks.amazonaws.com' then request_parameters ->> '$.name'
            when 'network-firewall.amazonaws.com' then coalesce(request_parameters ->> '$.firewallArn', request_parameters ->> '$.firewallName')
        end as target,
        case event_source
            when 'dynamodb.amazonaws.com' then try_cast(request_parameters ->> '$.deletionProtectionEnabled' as boolean)
            -- Nested for one instance, flat for several.
            when 'ec2.amazonaws.com' then coalesce(
                try_cast(request_parameters ->> '$.disableApiTermination.value' as boolean), try_cast(request_parameters ->> '$.disableApiTermination' as boolean),
                case when request_parameters ->> '$.attribute' = 'disableApiTermination' then try_cast(request_parameters ->> '$.value' as boolean) end
            )
            when 'elasticloadbalancing.amazonaws.com' then try_cast(list_filter(as_objects(request_parameters -> '$.attributes'), lambda attribute: attribute ->> '$.key' = 'deletion_protection.enabled')[1] ->> '$.value' as boolean)
            when 'cloudformation.amazonaws.com' then try_cast(request_parameters ->> '$.enableTerminationProtection' as boolean)
            when 'cognito-idp.amazonaws.com' then case request_parameters ->> '$.deletionProtection' when 'ACTIVE' then true when 'INACTIVE' then false end
            when 'network-firewall.amazonaws.com' then try_cast(request_parameters ->> '$.deleteProtection' as boolean)
            else try_cast(request_parameters ->> '$.deletionProtection' as boolean)
        end as asked,
        try_cast(coalesce(response_elements ->> '$.deletionProtection', response_elements ->> '$.tableDescription.deletionProtectionEnabled') as boolean) as answered
    from events
    where event_source in (
            'rds.amazonaws.com', 'dynamodb.amazonaws.com', 'ec2.amazonaws.com', 'elasticloadbalancing.amazonaws.com', 'cloudformation.amazonaws.com', 'cognito-idp.amazonaws.com', 'eks.amazonaws.com',
            'network-firewall.amazonaws.com'
        )
        and event_name in (values
            ('ModifyDBInstance'), ('ModifyDBCluster'), ('ModifyGlobalCluster'), ('CreateDBInstance'), ('CreateDBCluster'), ('UpdateTable'), ('CreateTable'), ('ModifyInstanceAttribute'),
            ('ModifyLoadBalancerAttributes'), ('UpdateTerminationProtection'), ('UpdateUserPool'), ('CreateUserPool'), ('UpdateClusterConfig'), ('UpdateFirewallDeleteProtection')
        )
        and deliberate and (succeeded or denied)
),
states as (
    select
        *,
        lag(case when succeeded then coalesce(asked, answered) end ignore nulls) over (partition by account_id, region, event_source, type, target order by event_time, event_id) as before,
        min(case when asked and succeeded then event_time end) over (partition by account_id, region, event_source, type, target order by event_time range between current row and interval 1 hour following) as set_again_at
    from calls
    where target is not null
),
switched_off as (
    select
        *,
        case
            when starts_with(target, 'arn:') then target
            when type in ('stack', 'firewall') then principal
            else 'arn:' || arn_partition(principal) || ':' || split_part(event_source, '.', 1) || ':' || case type when 'global-cluster' then '' else region end || ':' || account_id || ':'
                || type || case when event_source = 'rds.amazonaws.com' then ':' else '/' end || target
        end as arn
    from states
    where not asked and before is distinct from false and event_name not like 'Create%'
)
select
    account_id,
    any_value(region order by event_time, event_id) as region,
    arn as resource_arn,
    principal || case when arn = principal then ' ' || target else '' end as discriminator,
    true as failed,
    case when bool_and(not succeeded) then 'medium' when bool_and(set_again_at is not null or not succeeded) then 'low' end as severity,
    'the deletion protection of ' || type || ' ' || arn_tail(target) || case when bool_or(succeeded) then ' was switched off ' else ' was to be switched off ' end || traced(call)
        || case when bool_or(succeeded) and bool_and(set_again_at is not null or not succeeded) then '; on again by ' || strftime(max(set_again_at), '%H:%M') else '' end as reason,
    {'trace': trace(call), 'target': target, 'operation': min(event_name), 'set_again_at': max(set_again_at), 'first_event_id': min(event_id order by event_time, event_id)} as evidence
from switched_off
where principal is not null
group by account_id, arn, principal, type, target
having bool_or(judged)
