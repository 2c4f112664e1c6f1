-- One row per call that destroys something, or tries to, and thing that it names: a call may name several. What a service
-- does by itself is left out, what CloudFormation does for somebody is not; so are calls about what was gone already.
-- kind is `backup` for what others are restored from, else `resource`; `part` is what of the resource is destroyed, null
-- for all of it. What is known of the resource comes from this run and earlier ones.
with operations (event_source, event_name, resource_type, arn, parameters, member, kind, part) as (
    values
        ('acm', 'DeleteCertificate', 'acm:certificate', null, ['certificateArn'], null, 'resource', null),
        ('apigateway', 'DeleteApi', 'apigateway:apis', 'apigateway:{region}::/apis/{id}', ['apiId'], null, 'resource', null),
        ('apigateway', 'DeleteRestApi', 'apigateway:restapis', 'apigateway:{region}::/restapis/{id}', ['restApiId'], null, 'resource', null),
        ('autoscaling', 'DeleteAutoScalingGroup', 'autoscaling:autoScalingGroup', null, ['autoScalingGroupName'], null, 'resource', null),
        ('backup', 'DeleteBackupPlan', 'backup:backup-plan', 'backup:{region}:{account}:backup-plan:{id}', ['backupPlanId'], null, 'backup', null),
        ('backup', 'DeleteBackupSelection', 'backup:backup-plan', 'backup:{region}:{account}:backup-plan:{id}', ['backupPlanId'], null, 'backup', 'selection of resources'),
        ('backup', 'DeleteBackupVault', 'backup:backup-vault', 'backup:{region}:{account}:backup-vault:{id}', ['backupVaultName'], null, 'backup', null),
        ('backup', 'DeleteBackupVaultAccessPolicy', 'backup:backup-vault', 'backup:{region}:{account}:backup-vault:{id}', ['backupVaultName'], null, 'backup', 'access policy'),
        ('backup', 'DeleteBackupVaultLockConfiguration', 'backup:backup-vault', 'backup:{region}:{account}:backup-vault:{id}', ['backupVaultName'], null, 'backup', 'lock'),
        ('backup', 'DeleteRecoveryPoint', 'backup:recovery-point', null, ['recoveryPointArn'], null, 'backup', null),
        ('cloudformation', 'DeleteStack', 'cloudformation:stack', null, ['stackName'], null, 'resource', null),
        ('cloudfront', 'DeleteDistribution', 'cloudfront:distribution', 'cloudfront::{account}:distribution/{id}', ['id'], null, 'resource', null),
        ('cloudtrail', 'DeleteTrail', 'cloudtrail:trail', 'cloudtrail:{region}:{account}:trail/{id}', ['name'], null, 'resource', null),
        ('codecommit', 'DeleteRepository', 'codecommit:repository', 'codecommit:{region}:{account}:{id}', ['repositoryName'], null, 'resource', null),
        ('cognito-idp', 'DeleteUserPool', 'cognito-idp:userpool', 'cognito-idp:{region}:{account}:userpool/{id}', ['userPoolId'], null, 'resource', null),
        ('directconnect', 'DeleteConnection', 'directconnect:dxcon', 'directconnect:{region}:{account}:dxcon/{id}', ['connectionId'], null, 'resource', null),
        ('directconnect', 'DeleteDirectConnectGateway', 'directconnect:dx-gateway', 'directconnect::{account}:dx-gateway/{id}', ['directConnectGatewayId'], null, 'resource', null),
        ('directconnect', 'DeleteVirtualInterface', 'directconnect:dxvif', 'directconnect:{region}:{account}:dxvif/{id}', ['virtualInterfaceId'], null, 'resource', null),
        ('dlm', 'DeleteLifecyclePolicy', 'dlm:policy', 'dlm:{region}:{account}:policy/{id}', ['policyId'], null, 'backup', null),
        ('dms', 'DeleteReplicationInstance', 'dms:rep', null, ['replicationInstanceArn'], null, 'resource', null),
        ('dynamodb', 'DeleteBackup', 'dynamodb:backup', null, ['backupArn'], null, 'backup', null),
        ('dynamodb', 'DeleteTable', 'dynamodb:table', 'dynamodb:{region}:{account}:table/{id}', ['tableName'], null, 'resource', null),
        ('ec2', 'DeleteCustomerGateway', 'ec2:customer-gateway', 'ec2:{region}:{account}:customer-gateway/{id}', ['customerGatewayId'], null, 'resource', null),
        ('ec2', 'DeleteInternetGateway', 'ec2:internet-gateway', 'ec2:{region}:{account}:internet-gateway/{id}', ['internetGatewayId'], null, 'resource', null),
        ('ec2', 'DeleteLaunchTemplate', 'ec2:launch-template', 'ec2:{region}:{account}:launch-template/{id}', ['launchTemplateId', 'DeleteLaunchTemplateRequest.LaunchTemplateId'], null, 'resource', null),
        ('ec2', 'DeleteNatGateway', 'ec2:natgateway', 'ec2:{region}:{account}:natgateway/{id}', ['natGatewayId', 'DeleteNatGatewayRequest.NatGatewayId'], null, 'resource', null),
        ('ec2', 'DeleteNetworkAcl', 'ec2:network-acl', 'ec2:{region}:{account}:network-acl/{id}', ['networkAclId'], null, 'resource', null),
        ('ec2', 'DeleteRoute', 'ec2:route-table', 'ec2:{region}:{account}:route-table/{id}', ['routeTableId'], null, 'resource', 'route'),
        ('ec2', 'DeleteRouteTable', 'ec2:route-table', 'ec2:{region}:{account}:route-table/{id}', ['routeTableId'], null, 'resource', null),
        ('ec2', 'DeleteSecurityGroup', 'ec2:security-group', 'ec2:{region}:{account}:security-group/{id}', ['groupId'], null, 'resource', null),
        ('ec2', 'DeleteSnapshot', 'ec2:snapshot', 'ec2:{region}::snapshot/{id}', ['snapshotId'], null, 'backup', null),
        ('ec2', 'DeleteSubnet', 'ec2:subnet', 'ec2:{region}:{account}:subnet/{id}', ['subnetId'], null, 'resource', null),
        ('ec2', 'DeleteTransitGateway', 'ec2:transit-gateway', 'ec2:{region}:{account}:transit-gateway/{id}', ['transitGatewayId', 'DeleteTransitGatewayRequest.TransitGatewayId'], null, 'resource', null),
        ('ec2', 'DeleteTransitGatewayVpcAttachment', 'ec2:transit-gateway-attachment', 'ec2:{region}:{account}:transit-gateway-attachment/{id}', ['transitGatewayAttachmentId', 'DeleteTransitGatewayVpcAttachmentRequest.TransitGatewayAttachmentId'], null, 'resource', null),
        ('ec2', 'DeleteVolume', 'ec2:volume', 'ec2:{region}:{account}:volume/{id}', ['volumeId'], null, 'resource', null),
        ('ec2', 'DeleteVpc', 'ec2:vpc', 'ec2:{region}:{account}:vpc/{id}', ['vpcId'], null, 'resource', null),
        ('ec2', 'DeleteVpcEndpoints', 'ec2:vpc-endpoint', 'ec2:{region}:{account}:vpc-endpoint/{id}', ['DeleteVpcEndpointsRequest.VpcEndpointId', 'vpcEndpointIdSet.items'], 'content', 'resource', null),
        ('ec2', 'DeleteVpcPeeringConnection', 'ec2:vpc-peering-connection', 'ec2:{region}:{account}:vpc-peering-connection/{id}', ['vpcPeeringConnectionId'], null, 'resource', null),
        ('ec2', 'DeleteVpnConnection', 'ec2:vpn-connection', 'ec2:{region}:{account}:vpn-connection/{id}', ['vpnConnectionId'], null, 'resource', null),
        ('ec2', 'DeleteVpnConnectionRoute', 'ec2:vpn-connection', 'ec2:{region}:{account}:vpn-connection/{id}', ['vpnConnectionId'], null, 'resource', 'route'),
        ('ec2', 'DeleteVpnGateway', 'ec2:vpn-gateway', 'ec2:{region}:{account}:vpn-gateway/{id}', ['vpnGatewayId'], null, 'resource', null),
        ('ec2', 'DeregisterImage', 'ec2:image', 'ec2:{region}::image/{id}', ['imageId'], null, 'backup', null),
        ('ec2', 'DetachInternetGateway', 'ec2:internet-gateway', 'ec2:{region}:{account}:internet-gateway/{id}', ['internetGatewayId'], null, 'resource', 'attachment'),
        ('ec2', 'DetachVpnGateway', 'ec2:vpn-gateway', 'ec2:{region}:{account}:vpn-gateway/{id}', ['vpnGatewayId'], null, 'resource', 'attachment'),
        ('ec2', 'ReleaseAddress', 'ec2:elastic-ip', 'ec2:{region}:{account}:elastic-ip/{id}', ['allocationId'], null, 'resource', null),
        ('ec2', 'TerminateInstances', 'ec2:instance', 'ec2:{region}:{account}:instance/{id}', ['instancesSet.items'], 'instanceId', 'resource', null),
        ('ecr', 'DeleteRepository', 'ecr:repository', 'ecr:{region}:{account}:repository/{id}', ['repositoryName'], null, 'resource', null),
        ('ecs', 'DeleteCluster', 'ecs:cluster', 'ecs:{region}:{account}:cluster/{id}', ['cluster'], null, 'resource', null),
        ('ecs', 'DeleteService', 'ecs:service', 'ecs:{region}:{account}:service/{parent}/{id}', ['service', 'cluster'], null, 'resource', null),
        ('eks', 'DeleteCluster', 'eks:cluster', 'eks:{region}:{account}:cluster/{id}', ['name'], null, 'resource', null),
        ('elasticache', 'DeleteCacheCluster', 'elasticache:cluster', 'elasticache:{region}:{account}:cluster:{id}', ['cacheClusterId'], null, 'resource', null),
        ('elasticache', 'DeleteReplicationGroup', 'elasticache:replicationgroup', 'elasticache:{region}:{account}:replicationgroup:{id}', ['replicationGroupId'], null, 'resource', null),
        ('elasticache', 'DeleteServerlessCache', 'elasticache:serverlesscache', 'elasticache:{region}:{account}:serverlesscache:{id}', ['serverlessCacheName'], null, 'resource', null),
        ('elasticache', 'DeleteSnapshot', 'elasticache:snapshot', 'elasticache:{region}:{account}:snapshot:{id}', ['snapshotName'], null, 'backup', null),
        ('elasticbeanstalk', 'TerminateEnvironment', 'elasticbeanstalk:environment', null, ['environmentName', 'environmentId'], null, 'resource', null),
        ('elasticfilesystem', 'DeleteFileSystem', 'elasticfilesystem:file-system', 'elasticfilesystem:{region}:{account}:file-system/{id}', ['fileSystemId'], null, 'resource', null),
        ('elasticloadbalancing', 'DeleteListener', 'elasticloadbalancing:listener', null, ['listenerArn'], null, 'resource', null),
        ('elasticloadbalancing', 'DeleteLoadBalancer', 'elasticloadbalancing:loadbalancer', 'elasticloadbalancing:{region}:{account}:loadbalancer/{id}', ['loadBalancerArn', 'loadBalancerName'], null, 'resource', null),
        ('elasticloadbalancing', 'DeleteTargetGroup', 'elasticloadbalancing:targetgroup', null, ['targetGroupArn'], null, 'resource', null),
        ('es', 'DeleteDomain', 'es:domain', 'es:{region}:{account}:domain/{id}', ['domainName'], null, 'resource', null),
        ('es', 'DeleteElasticsearchDomain', 'es:domain', 'es:{region}:{account}:domain/{id}', ['domainName'], null, 'resource', null),
        ('firehose', 'DeleteDeliveryStream', 'firehose:deliverystream', 'firehose:{region}:{account}:deliverystream/{id}', ['deliveryStreamName'], null, 'resource', null),
        ('fsx', 'DeleteBackup', 'fsx:backup', 'fsx:{region}:{account}:backup/{id}', ['backupId'], null, 'backup', null),
        ('fsx', 'DeleteFileSystem', 'fsx:file-system', 'fsx:{region}:{account}:file-system/{id}', ['fileSystemId'], null, 'resource', null),
        ('glacier', 'DeleteArchive', 'glacier:vaults', 'glacier:{region}:{account}:vaults/{id}', ['vaultName'], null, 'backup', 'archive'),
        ('glacier', 'DeleteVault', 'glacier:vaults', 'glacier:{region}:{account}:vaults/{id}', ['vaultName'], null, 'backup', null),
        ('glue', 'DeleteDatabase', 'glue:database', 'glue:{region}:{account}:database/{id}', ['name'], null, 'resource', null),
        ('iam', 'DeleteGroup', 'iam:group', 'iam::{account}:group/{id}', ['groupName'], null, 'resource', null),
        ('iam', 'DeleteOpenIDConnectProvider', 'iam:oidc-provider', null, ['openIDConnectProviderArn'], null, 'resource', null),
        ('iam', 'DeletePolicy', 'iam:policy', null, ['policyArn'], null, 'resource', null),
        ('iam', 'DeleteRole', 'iam:role', 'iam::{account}:role/{id}', ['roleName'], null, 'resource', null),
        ('iam', 'DeleteSAMLProvider', 'iam:saml-provider', null, ['sAMLProviderArn', 'samlProviderArn'], null, 'resource', null),
        ('iam', 'DeleteUser', 'iam:user', 'iam::{account}:user/{id}', ['userName'], null, 'resource', null),
        ('kafka', 'DeleteCluster', 'kafka:cluster', null, ['clusterArn'], null, 'resource', null),
        ('kinesis', 'DeleteStream', 'kinesis:stream', 'kinesis:{region}:{account}:stream/{id}', ['streamName', 'streamARN'], null, 'resource', null),
        ('kms', 'DeleteImportedKeyMaterial', 'kms:key', 'kms:{region}:{account}:key/{id}', ['keyId'], null, 'resource', 'key material'),
        ('kms', 'ScheduleKeyDeletion', 'kms:key', 'kms:{region}:{account}:key/{id}', ['keyId'], null, 'resource', null),
        ('lambda', 'DeleteFunction', 'lambda:function', 'lambda:{region}:{account}:function:{id}', ['functionName'], null, 'resource', null),
        ('lambda', 'DeleteFunction20150331', 'lambda:function', 'lambda:{region}:{account}:function:{id}', ['functionName'], null, 'resource', null),
        ('logs', 'DeleteLogGroup', 'logs:log-group', 'logs:{region}:{account}:log-group:{id}', ['logGroupName'], null, 'resource', null),
        ('memorydb', 'DeleteCluster', 'memorydb:cluster', 'memorydb:{region}:{account}:cluster/{id}', ['clusterName'], null, 'resource', null),
        ('memorydb', 'DeleteSnapshot', 'memorydb:snapshot', 'memorydb:{region}:{account}:snapshot/{id}', ['snapshotName'], null, 'backup', null),
        ('organizations', 'CloseAccount', 'organizations:account', null, ['accountId'], null, 'resource', null),
        ('rbin', 'DeleteRule', 'rbin:rule', 'rbin:{region}:{account}:rule/{id}', ['identifier'], null, 'backup', null),
        ('rds', 'DeleteDBCluster', 'rds:cluster', 'rds:{region}:{account}:cluster:{id}', ['dBClusterIdentifier', 'dbClusterIdentifier'], null, 'resource', null),
        ('rds', 'DeleteDBClusterAutomatedBackup', 'rds:cluster-auto-backup', null, ['dbClusterResourceId', 'dBClusterResourceId'], null, 'backup', null),
        ('rds', 'DeleteDBClusterSnapshot', 'rds:cluster-snapshot', 'rds:{region}:{account}:cluster-snapshot:{id}', ['dBClusterSnapshotIdentifier', 'dbClusterSnapshotIdentifier'], null, 'backup', null),
        ('rds', 'DeleteDBInstance', 'rds:db', 'rds:{region}:{account}:db:{id}', ['dBInstanceIdentifier', 'dbInstanceIdentifier'], null, 'resource', null),
        ('rds', 'DeleteDBInstanceAutomatedBackup', 'rds:auto-backup', null, ['dBInstanceAutomatedBackupsArn', 'dbInstanceAutomatedBackupsArn', 'dbiResourceId'], null, 'backup', null),
        ('rds', 'DeleteDBSnapshot', 'rds:snapshot', 'rds:{region}:{account}:snapshot:{id}', ['dBSnapshotIdentifier', 'dbSnapshotIdentifier'], null, 'backup', null),
        ('rds', 'DeleteGlobalCluster', 'rds:global-cluster', 'rds::{account}:global-cluster:{id}', ['globalClusterIdentifier'], null, 'resource', null),
        ('redshift', 'BatchDeleteClusterSnapshots', 'redshift:snapshot', 'redshift:{region}:{account}:snapshot:{parent}/{id}', ['identifiers'], 'snapshotIdentifier', 'backup', null),
        ('redshift', 'DeleteCluster', 'redshift:cluster', 'redshift:{region}:{account}:cluster:{id}', ['clusterIdentifier'], null, 'resource', null),
        ('redshift', 'DeleteClusterSnapshot', 'redshift:snapshot', 'redshift:{region}:{account}:snapshot:{parent}/{id}', ['snapshotIdentifier', 'snapshotClusterIdentifier'], null, 'backup', null),
        ('route53', 'DeleteHealthCheck', 'route53:healthcheck', 'route53:::healthcheck/{tail}', ['healthCheckId'], null, 'resource', null),
        ('route53', 'DeleteHostedZone', 'route53:hostedzone', 'route53:::hostedzone/{tail}', ['id'], null, 'resource', null),
        ('route53domains', 'DeleteDomain', 'route53domains:domain', 'route53domains:::domain/{id}', ['domainName'], null, 'resource', null),
        ('s3', 'DeleteBucket', 's3:bucket', 's3:::{id}', ['bucketName'], null, 'resource', null),
        ('s3', 'DeleteBucketReplication', 's3:bucket', 's3:::{id}', ['bucketName'], null, 'backup', 'replication'),
        ('secretsmanager', 'DeleteSecret', 'secretsmanager:secret', null, ['secretId'], null, 'resource', null),
        ('ses', 'DeleteEmailIdentity', 'ses:identity', 'ses:{region}:{account}:identity/{id}', ['emailIdentity'], null, 'resource', null),
        ('ses', 'DeleteIdentity', 'ses:identity', 'ses:{region}:{account}:identity/{id}', ['identity'], null, 'resource', null),
        ('sns', 'DeleteTopic', 'sns:topic', null, ['topicArn'], null, 'resource', null),
        ('sqs', 'DeleteQueue', 'sqs:queue', 'sqs:{region}:{account}:{tail}', ['queueUrl'], null, 'resource', null),
        ('sqs', 'PurgeQueue', 'sqs:queue', 'sqs:{region}:{account}:{tail}', ['queueUrl'], null, 'resource', 'content'),
        ('ssm', 'DeleteParameter', 'ssm:parameter', 'ssm:{region}:{account}:parameter/{id}', ['name'], null, 'resource', null),
        ('ssm', 'DeleteParameters', 'ssm:parameter', 'ssm:{region}:{account}:parameter/{id}', ['names'], null, 'resource', null),
        ('states', 'DeleteStateMachine', 'states:stateMachine', null, ['stateMachineArn'], null, 'resource', null)
),
calls as (
    select e.*, o.resource_type, o.arn as pattern, o.parameters, o.member, o.kind, o.part
    from events as e
    join operations as o on o.event_source || '.amazonaws.com' = e.event_source and o.event_name = e.event_name
    -- Said of the names alone, which is decided while reading.
    where e.event_name in (select event_name from operations)
        and e.event_category is distinct from 'Data'
        and e.deliberate
        and not coalesce(regexp_matches(e.error_code, 'NotFound|NoSuch|NotExist|DryRun|Throttl|LimitExceeded'), false)
        -- One version of a function is none of it.
        and not (e.event_source = 'lambda.amazonaws.com' and coalesce(e.request_parameters ->> '$.qualifier', '') <> '')
),
-- A parameter is a text, or a list of texts or objects, or one object.
named as (
    select
        * exclude (named),
        unnest(case when len(named) > 0 then named else [null::json] end) as one
    from (
        select
            *,
            case json_type(given) when 'ARRAY' then given -> '$[*]' when 'OBJECT' then [given] when 'VARCHAR' then [given] else []::json[] end as named
        from (
            select
                *,
                coalesce(
                    -- These say in full what they meant by a name or an alias.
                    case event_source when 'kms.amazonaws.com' then resources -> '$[0].ARN' when 'secretsmanager.amazonaws.com' then coalesce(response_elements -> '$.aRN', response_elements -> '$.arn') end,
                    request_parameters -> ('$.' || parameters[1]), case when not contains(coalesce(pattern, ''), '{parent}') then request_parameters -> ('$.' || parameters[2]) end, request_parameters -> ('$.' || parameters[3]),
                    -- The request of a denied call is often not recorded.
                    case when denied and request_parameters is null then to_json(regexp_replace(denied_resource, '^(user|role|group|policy) ', '')) end
                ) as given
            from calls
        )
    )
),
targets as (
    select
        * exclude (given, one),
        nullif(regexp_extract(coalesce(one ->> ('$.' || member), one ->> '$'), '^[!-~]{1,512}$'), '') as target,
        coalesce(one ->> '$.snapshotClusterIdentifier', request_parameters ->> ('$.' || parameters[2])) as parent
    from named
),
arns as (
    select
        * exclude (pattern, parameters, member, parent),
        case
            when starts_with(target, 'arn:') then regexp_replace(target, '^(arn:[^:]*:lambda:[^:]*:[^:]*:function:[^:]*):.*$', '\1')
            else 'arn:' || arn_partition(principal) || ':' || replace(replace(replace(replace(replace(replace(
                pattern, '{region}', region), '{account}', account_id), '{parent}', case when contains(pattern, '{parent}') then arn_tail(parent) else '' end), '{tail}', arn_tail(target)), '{id}', target), 'parameter//', 'parameter/')
        end as arn
    from targets
),
known as (
    select account_id, arn, min(resource_type) as resource_type, min(region) as region, min(tail) as tail, min(name) as name, min(owner) as owner, min(importance) as importance, min(environment) as environment, bool_or(critical) as critical
    from known_resources
    group by account_id, arn
),
-- Where the name alone is known: paths and random suffixes are a part of some ARNs.
known_names as (
    select account_id, region, resource_type, tail, min(arn) as arn
    from known
    group by account_id, region, resource_type, tail
    having count(*) = 1
)
select
    a.account_id, a.region, a.event_time, a.event_id, a.event_source, a.event_name, a.principal, a.identity_type, a.identity_access_key_id,
    a.session_mfa_authenticated, a.by_service, a.succeeded, a.denied, a.judged, a.call,
    a.resource_type, a.kind, a.part, a.target, coalesce(b.arn, n.arn, a.arn) as resource_arn,
    k.name, k.owner, k.importance, k.environment, k.critical
from arns as a
left join known as b on b.account_id = a.account_id and b.arn = a.arn
left join known_names as n on b.arn is null and n.account_id = a.account_id and n.region in (a.region, 'global') and n.resource_type = a.resource_type and n.tail = a.target
left join known as k on k.account_id = a.account_id and k.arn = coalesce(b.arn, n.arn)
