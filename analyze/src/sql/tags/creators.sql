-- Who created what, by the events of CloudTrail: the first successful call of a kind that makes such things and that
-- names the resource, by its ARN, id or name. `copies` name what they copy beside it, so only their answer counts.
create or replace table tag_trail_creators as
with calls as (
    from (values
        ('ec2', 'RunInstances', 'ec2:instance', false), ('ec2', 'CreateVolume', 'ec2:volume', false), ('ec2', 'CreateSnapshot', 'ec2:snapshot', false),
        ('ec2', 'CreateSnapshots', 'ec2:snapshot', false), ('ec2', 'CopySnapshot', 'ec2:snapshot', true), ('ec2', 'CreateImage', 'ec2:image', false),
        ('ec2', 'CopyImage', 'ec2:image', true), ('ec2', 'RegisterImage', 'ec2:image', false), ('ec2', 'CreateSecurityGroup', 'ec2:security-group', false),
        ('ec2', 'CreateVpc', 'ec2:vpc', false), ('ec2', 'CreateDefaultVpc', 'ec2:vpc', false), ('ec2', 'CreateSubnet', 'ec2:subnet', false),
        ('ec2', 'CreateInternetGateway', 'ec2:internet-gateway', false), ('ec2', 'CreateNatGateway', 'ec2:natgateway', false),
        ('ec2', 'CreateRouteTable', 'ec2:route-table', false), ('ec2', 'CreateNetworkAcl', 'ec2:network-acl', false),
        ('ec2', 'CreateNetworkInterface', 'ec2:network-interface', false), ('ec2', 'AllocateAddress', 'ec2:elastic-ip', false),
        ('ec2', 'CreateLaunchTemplate', 'ec2:launch-template', false), ('ec2', 'CreateVpcEndpoint', 'ec2:vpc-endpoint', false),
        ('ec2', 'CreateVpcPeeringConnection', 'ec2:vpc-peering-connection', false), ('ec2', 'CreateTransitGateway', 'ec2:transit-gateway', false),
        ('ec2', 'CreateFlowLogs', 'ec2:vpc-flow-log', false), ('ec2', 'CreateCustomerGateway', 'ec2:customer-gateway', false),
        ('ec2', 'CreateVpnGateway', 'ec2:vpn-gateway', false), ('ec2', 'CreateVpnConnection', 'ec2:vpn-connection', false),
        ('autoscaling', 'CreateAutoScalingGroup', 'autoscaling:autoScalingGroup', false),
        ('elasticloadbalancing', 'CreateLoadBalancer', 'elasticloadbalancing:loadbalancer', false),
        ('elasticloadbalancing', 'CreateTargetGroup', 'elasticloadbalancing:targetgroup', false),
        ('rds', 'CreateDBInstance', 'rds:db', false), ('rds', 'CreateDBInstanceReadReplica', 'rds:db', true), ('rds', 'CreateDBCluster', 'rds:cluster', false),
        ('rds', 'RestoreDBInstanceFromDBSnapshot', 'rds:db', false), ('rds', 'RestoreDBInstanceToPointInTime', 'rds:db', true),
        ('rds', 'CreateDBSnapshot', 'rds:snapshot', false), ('rds', 'CopyDBSnapshot', 'rds:snapshot', true),
        ('rds', 'CreateDBSubnetGroup', 'rds:subgrp', false), ('s3', 'CreateBucket', 's3:bucket', false),
        ('lambda', 'CreateFunction20150331', 'lambda:function', false), ('dynamodb', 'CreateTable', 'dynamodb:table', false),
        ('sqs', 'CreateQueue', 'sqs:queue', false), ('sns', 'CreateTopic', 'sns:topic', false), ('kms', 'CreateKey', 'kms:key', false),
        ('secretsmanager', 'CreateSecret', 'secretsmanager:secret', false), ('iam', 'CreateRole', 'iam:role', false), ('iam', 'CreateUser', 'iam:user', false),
        ('logs', 'CreateLogGroup', 'logs:log-group', false), ('ecs', 'CreateCluster', 'ecs:cluster', false), ('ecs', 'CreateService', 'ecs:service', false),
        ('eks', 'CreateCluster', 'eks:cluster', false), ('eks', 'CreateNodegroup', 'eks:nodegroup', false), ('ecr', 'CreateRepository', 'ecr:repository', false),
        ('elasticache', 'CreateCacheCluster', 'elasticache:cluster', false), ('elasticache', 'CreateReplicationGroup', 'elasticache:replicationgroup', false),
        ('elasticfilesystem', 'CreateFileSystem', 'elasticfilesystem:file-system', false), ('cloudformation', 'CreateStack', 'cloudformation:stack', false),
        ('cloudfront', 'CreateDistribution', 'cloudfront:distribution', false), ('cloudfront', 'CreateDistributionWithTags', 'cloudfront:distribution', false),
        ('route53', 'CreateHostedZone', 'route53:hostedzone', false), ('redshift', 'CreateCluster', 'redshift:cluster', false),
        ('states', 'CreateStateMachine', 'states:stateMachine', false), ('kinesis', 'CreateStream', 'kinesis:stream', false),
        ('backup', 'CreateBackupVault', 'backup:backup-vault', false), ('acm', 'RequestCertificate', 'acm:certificate', false)
    ) as call (service, event_name, resource_type, copies)
),
events as (
    select
        e.event_id, e.event_time, e.recipient_account_id as account_id, e.aws_region as region, e.principal, e.identity_arn, c.resource_type,
        case when c.copies then '' else coalesce(e.request_parameters::varchar, '') end || coalesce(e.response_elements::varchar, '') as text
    from cloudtrail_events as e
    join calls as c on e.event_source = c.service || '.amazonaws.com' and e.event_name = c.event_name
    where e.error_code is null and e.principal is not null and e.event_time <= as_of()
),
mentions as (
    select distinct event_id, event_time, account_id, region, principal, identity_arn, resource_type, mention
    from (select *, unnest(list_distinct(regexp_extract_all(text, '"((?:[^"\\]|\\.)*)"', 1))) as mention from events)
),
names as (
    select
        account_id, region, arn, resource_type, created_at,
        unnest(list_distinct([arn, case when resource_type = 'logs:log-group' then regexp_extract(arn, ':log-group:(.*)$', 1) else arn_tail(arn) end])) as mention
    from resources
)
select n.arn, m.principal, m.identity_arn
from mentions as m
join names as n
    on n.resource_type = m.resource_type and n.account_id = m.account_id and n.mention = m.mention
    and (n.region in ('global', m.region))
-- What is older than the call was not made by it; a second is lost in rounding somewhere, a clock may be off.
where n.created_at is null or n.created_at >= m.event_time - interval 1 hour
qualify row_number() over (partition by n.arn order by m.event_time, m.event_id, m.principal) = 1;
