/*
title = "Nobody leads a subnet's traffic another way"
severity = "low"
kind = "detection"
tables = ["cloudtrail_events"]
remediation = "Compare the route table with what it should be, and put the route back if nobody planned the change."
command = "aws ec2 describe-route-tables --region {region} --route-table-ids {route_table_id}"
links = ["https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html"]
*/
-- A route to an internet gateway makes a subnet public, one to an instance or interface lets it read along, and a replaced one
-- leads elsewhere than before. What is set up anew (route table, gateway, VPC within the hour) needs its first routes.
with calls as (
    select
        *,
        coalesce(request_parameters ->> '$.routeTableId', response_elements ->> '$.routeTable.routeTableId') as route_table_id,
        coalesce(request_parameters ->> '$.destinationCidrBlock', request_parameters ->> '$.destinationIpv6CidrBlock', request_parameters ->> '$.destinationPrefixListId') as destination,
        coalesce(
            request_parameters ->> '$.gatewayId', request_parameters ->> '$.networkInterfaceId', request_parameters ->> '$.instanceId', request_parameters ->> '$.natGatewayId',
            request_parameters ->> '$.vpcPeeringConnectionId', request_parameters ->> '$.transitGatewayId', request_parameters ->> '$.vpcEndpointId',
            request_parameters ->> '$.egressOnlyInternetGatewayId', request_parameters ->> '$.localGatewayId', request_parameters ->> '$.carrierGatewayId'
        ) as target,
        case event_name
            when 'CreateRouteTable' then response_elements ->> '$.routeTable.routeTableId'
            when 'CreateInternetGateway' then response_elements ->> '$.internetGateway.internetGatewayId'
            when 'CreateNatGateway' then coalesce(response_elements ->> '$.CreateNatGatewayResponse.natGateway.natGatewayId', response_elements ->> '$.natGateway.natGatewayId')
        end as created
    from events
    where event_source = 'ec2.amazonaws.com' and event_name in (values ('CreateRoute'), ('ReplaceRoute'), ('CreateRouteTable'), ('CreateInternetGateway'), ('CreateNatGateway'), ('CreateVpc'))
        and not by_service and (succeeded or denied)
),
routes as (
    select
        *,
        max(case when event_name = 'CreateVpc' and succeeded then event_time end)
            over (partition by account_id, region, principal order by event_time range between interval 1 hour preceding and current row) as vpc_created_at
    from calls
    where event_name <> 'CreateRouteTable' or created is not null
),
created as (
    select account_id, region, created as id, event_time as created_at
    from calls
    where created is not null and succeeded
),
changed as (
    select
        r.*,
        'arn:' || arn_partition(r.principal) || ':ec2:' || r.region || ':' || r.account_id || ':route-table/' || r.route_table_id as arn
    from routes as r
    anti join created as c
        on c.account_id = r.account_id and c.region = r.region and c.id in (r.route_table_id, r.target)
        and c.created_at between r.event_time - interval 1 hour and r.event_time
    where r.vpc_created_at is null and r.target is not null
        and (
            r.event_name = 'ReplaceRoute'
            or r.event_name = 'CreateRoute' and (starts_with(r.target, 'igw-') or is_world(r.destination) and regexp_matches(r.target, '^(eni|i)-'))
        )
    union all by name
    -- The request of a denied call may not be recorded; that somebody tried is known all the same.
    select *, coalesce(nullif(regexp_extract(denied_resource, '^arn:[^:]*:ec2:.*:route-table/.+$'), ''), principal) as arn
    from routes
    where event_name in ('CreateRoute', 'ReplaceRoute') and denied and request_parameters is null
)
select
    account_id,
    region,
    arn as resource_arn,
    principal as discriminator,
    true as failed,
    case when bool_and(target is null) then 'low' end as severity,
    array_to_string(list_sort(list(distinct coalesce(destination, 'a destination') || case when succeeded then '' else ' (in vain)' end || coalesce(' to ' || target, '')))[:5], ', ')
        || case when bool_or(succeeded) then ' was routed ' else ' was to be routed ' end || traced(call) as reason,
    {'trace': trace(call), 'route_table_id': any_value(route_table_id), 'routes': list_sort(list(distinct destination || ' to ' || target) filter (where target is not null))} as evidence
from changed
where arn is not null and principal is not null
group by account_id, region, arn, principal
having bool_or(judged)
