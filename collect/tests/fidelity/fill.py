"""Fill a moto server with resources of every service that collect lists.

    fill.py ENDPOINT OUT

OUT gets the names that record.py asks for, as JSON. Tags hold characters that are hard to write and to read.
"""

import io
import json
import pathlib
import sys
import zipfile

import boto3

ACCOUNT = "123456789012"
REGION = "eu-west-1"
HARD = "a<b>&\"c\" 'd' \u00e9\U0001f600 %41+~"
TAGS = [{"Key": "Name", "Value": HARD}, {"Key": "Owner", "Value": "team a"}]
LOWER_TAGS = [{"key": "Name", "value": "x+y"}]
TAG_MAP = {"Name": "x+y", "Owner": "team a"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
POLICY = {"Version": "2012-10-17", "Statement": [{"Sid": "S1", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}


def main(endpoint, out):
    aws = Clients(endpoint)
    names = {}
    for part in (identity, network, compute, storage, databases, names_and_doors, functions, keys_and_logs, watching, builds):
        names.update(part(aws, names))
    pathlib.Path(out).write_text(json.dumps(names))


class Clients:
    def __init__(self, endpoint):
        self.endpoint = endpoint

    def __getattr__(self, service):
        name = {"awslambda": "lambda"}.get(service, service)
        keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret"}
        client = boto3.client(name, region_name=REGION, endpoint_url=self.endpoint, **keys)
        # Found without this method from now on.
        self.__dict__[service] = client
        return client


def identity(aws, _):
    iam = aws.iam
    for n in range(3):
        iam.create_user(UserName=f"user{n}", Tags=[{"Key": "Owner", "Value": f"team {n}"}])
        key = iam.create_access_key(UserName=f"user{n}")["AccessKey"]["AccessKeyId"]
    iam.create_login_profile(UserName="user0", Password="Secret-Pass-1234")
    iam.put_user_policy(UserName="user0", PolicyName="inline", PolicyDocument=json.dumps(POLICY))
    iam.create_group(GroupName="admins")
    iam.add_user_to_group(GroupName="admins", UserName="user1")
    iam.put_group_policy(GroupName="admins", PolicyName="of group", PolicyDocument=json.dumps(POLICY))
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "a", "Value": "b"}])
    policy = iam.create_policy(PolicyName="reader", PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="app", PolicyArn=policy)
    iam.create_instance_profile(InstanceProfileName="app")
    iam.add_role_to_instance_profile(InstanceProfileName="app", RoleName="app")
    iam.update_account_password_policy(MinimumPasswordLength=14, RequireSymbols=True)
    iam.create_account_alias(AccountAlias="shop")
    iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")
    provider = iam.create_open_id_connect_provider(Url="https://oidc.example.com", ThumbprintList=["a" * 40], ClientIDList=["x"])
    iam.create_saml_provider(Name="corp", SAMLMetadataDocument="x" * 1024)
    iam.generate_credential_report()
    aws.organizations.create_organization(FeatureSet="ALL")
    aws.organizations.create_account(AccountName="second", Email="second@example.com")
    content = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    scp = aws.organizations.create_policy(
        Name="scp", Description="d", Type="SERVICE_CONTROL_POLICY", Content=json.dumps(content)
    )["Policy"]["PolicySummary"]["Id"]
    return {"access_key": key, "role": role["Role"]["Arn"], "oidc": provider["OpenIDConnectProviderArn"], "scp": scp}


def network(aws, _):
    ec2 = aws.ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = []
    for n, zone in enumerate("ab"):
        subnets.append(ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=REGION + zone)["Subnet"]["SubnetId"])
    ec2.create_tags(Resources=[vpc, *subnets], Tags=TAGS)
    group = ec2.create_security_group(GroupName="web", Description=HARD[:20].encode("ascii", "ignore").decode(), VpcId=vpc)["GroupId"]
    world = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[world])
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[0])
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address)
    peer = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=peer)
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[table])
    customer = ec2.create_customer_gateway(Type="ipsec.1", PublicIp="205.251.242.54", BgpAsn=65534)
    private = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    ec2.create_vpn_connection(
        Type="ipsec.1", VpnGatewayId=private, CustomerGatewayId=customer["CustomerGateway"]["CustomerGatewayId"]
    )
    aws.logs.create_log_group(logGroupName="flow")
    ec2.create_flow_logs(
        ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL", LogGroupName="flow",
        DeliverLogsPermissionArn=f"arn:aws:iam::{ACCOUNT}:role/app",
    )
    return {"vpc": vpc, "subnets": subnets, "group": group}


def compute(aws, names):
    ec2, scaling, balancing = aws.ec2, aws.autoscaling, aws.elbv2
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    specification = [{"ResourceType": "instance", "Tags": TAGS}]
    run = {"ImageId": image, "SubnetId": names["subnets"][0], "MinCount": 1, "MaxCount": 1, "TagSpecifications": specification}
    instances = [ec2.run_instances(**run, UserData="#!/bin/sh\necho \u00e9")["Instances"][0]["InstanceId"] for _ in range(7)]
    own = ec2.create_image(InstanceId=instances[0], Name="own")["ImageId"]
    volume = ec2.create_volume(AvailabilityZone=REGION + "a", Size=8, Encrypted=True)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume, Description="d")["SnapshotId"]
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, OperationType="add", GroupNames=["all"], Attribute="createVolumePermission")
    template = ec2.create_launch_template(LaunchTemplateName="t", LaunchTemplateData={"ImageId": image})
    group = balancing.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=names["vpc"])["TargetGroups"][0]["TargetGroupArn"]
    balancing.register_targets(TargetGroupArn=group, Targets=[{"Id": instances[0]}])
    balancer = balancing.create_load_balancer(Name="web", Subnets=names["subnets"], Tags=TAGS)["LoadBalancers"][0]["LoadBalancerArn"]
    action = [{"Type": "forward", "TargetGroupArn": group}]
    listener = balancing.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=action)
    aws.elb.create_load_balancer(
        LoadBalancerName="classic", AvailabilityZones=[REGION + "a"], Tags=TAGS,
        Listeners=[{"Protocol": "http", "LoadBalancerPort": 80, "InstancePort": 80}],
    )
    scaling.create_launch_configuration(LaunchConfigurationName="lc", ImageId=image, InstanceType="t3.micro")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="asg", LaunchConfigurationName="lc", MinSize=0, MaxSize=1, AvailabilityZones=[REGION + "a"],
        Tags=[{"Key": "Name", "Value": HARD, "PropagateAtLaunch": True, "ResourceId": "asg", "ResourceType": "auto-scaling-group"}],
    )
    scaling.put_scaling_policy(AutoScalingGroupName="asg", PolicyName="up", AdjustmentType="ChangeInCapacity", ScalingAdjustment=1)
    return {
        "instance": instances[0], "image": own, "snapshot": snapshot, "balancer": balancer, "target_group": group,
        "listener": listener["Listeners"][0]["ListenerArn"], "template": template["LaunchTemplate"]["LaunchTemplateId"],
    }


def storage(aws, _):
    s3 = aws.s3
    place = {"LocationConstraint": REGION}
    for bucket in ("shop-logs", "a.dotted.bucket", "locked-bucket"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place, ObjectLockEnabledForBucket=bucket == "locked-bucket")
    bucket = "shop-logs"
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": TAGS})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**POLICY, "Id": HARD}))
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True, "BlockPublicPolicy": False})
    s3.put_bucket_acl(Bucket="locked-bucket", ACL="public-read")
    rules = [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 400}},
             {"ID": "on a day", "Status": "Enabled", "Filter": {"Prefix": ""}, "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]}]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    queue = aws.sqs.create_queue(QueueName="jobs", tags=TAG_MAP)["QueueUrl"]
    target = {"QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs", "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [target]})
    topic = aws.sns.create_topic(Name="alarms", Tags=TAGS)["TopicArn"]
    aws.sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    system = aws.efs.create_file_system(CreationToken="x", Tags=TAGS)["FileSystemId"]
    aws.ecr.create_repository(repositoryName="app", tags=TAGS)
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": "x", "Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]}
    aws.ecr.set_repository_policy(repositoryName="app", policyText=json.dumps(policy))
    secret = aws.secretsmanager.create_secret(Name="db", SecretString="s", Tags=TAGS)["ARN"]
    aws.secretsmanager.put_resource_policy(SecretId=secret, ResourcePolicy=json.dumps(POLICY))
    return {"bucket": bucket, "queue": queue, "topic": topic, "file_system": system, "secret": secret}


def databases(aws, names):
    rds = aws.rds
    rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="d", SubnetIds=names["subnets"])
    instance = {"Engine": "postgres", "DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20, "MasterUsername": "u", "MasterUserPassword": "password1"}
    for n in range(3):
        rds.create_db_instance(DBInstanceIdentifier=f"db{n}", DBSubnetGroupName="g", Tags=TAGS, **instance)
    rds.create_db_snapshot(DBInstanceIdentifier="db0", DBSnapshotIdentifier="snap")
    rds.create_db_cluster(DBClusterIdentifier="cluster", Engine="aurora-postgresql", MasterUsername="u", MasterUserPassword="password1")
    rds.create_db_cluster_snapshot(DBClusterIdentifier="cluster", DBClusterSnapshotIdentifier="csnap")
    cache = {"CacheNodeType": "cache.t3.micro", "NumCacheNodes": 1}
    aws.elasticache.create_cache_cluster(CacheClusterId="cache", Engine="redis", **cache)
    aws.elasticache.create_replication_group(ReplicationGroupId="rg", ReplicationGroupDescription="d", Engine="redis", CacheNodeType="cache.t3.micro")
    for n in range(3):
        aws.dynamodb.create_table(
            TableName=f"table{n}", BillingMode="PAY_PER_REQUEST", Tags=TAGS,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
    aws.dynamodb.create_backup(TableName="table0", BackupName="backup")
    aws.redshift.create_cluster(ClusterIdentifier="rs", NodeType="ra3.large", MasterUsername="u", MasterUserPassword="Password1", Tags=TAGS)
    aws.opensearch.create_domain(DomainName="search", TagList=TAGS)
    aws.backup.create_backup_vault(BackupVaultName="vault", BackupVaultTags=TAG_MAP)
    rule = {"RuleName": "daily", "TargetBackupVaultName": "vault", "ScheduleExpression": "cron(0 5 * * ? *)"}
    plan = aws.backup.create_backup_plan(BackupPlan={"BackupPlanName": "plan", "Rules": [rule]})["BackupPlanId"]
    aws.dms.create_endpoint(EndpointIdentifier="source", EndpointType="source", EngineName="postgres")
    aws.glue.create_database(DatabaseInput={"Name": "lake"})
    aws.glue.create_connection(ConnectionInput={"Name": "c", "ConnectionType": "JDBC", "ConnectionProperties": {"JDBC_CONNECTION_URL": "jdbc:x"}})
    return {"plan": plan, "vault": f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:vault"}


def names_and_doors(aws, _):
    dns = aws.route53
    zones = [dns.create_hosted_zone(Name=f"zone{n}.example.com", CallerReference=str(n))["HostedZone"]["Id"] for n in range(3)]
    for n in range(4):
        record = {"Name": f"h{n}.zone0.example.com", "Type": "A", "TTL": 86400, "ResourceRecords": [{"Value": "10.0.0.1"}]}
        dns.change_resource_record_sets(HostedZoneId=zones[0], ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]})
    dns.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zones[0].split("/")[-1], AddTags=TAGS)
    dns.create_health_check(CallerReference="h", HealthCheckConfig={"Type": "HTTP", "IPAddress": "10.0.0.25", "Port": 80})
    origin = {"Id": "o", "DomainName": "shop-logs.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    behaviour = {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all", "MinTTL": 10, "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}}
    site = {"CallerReference": "r", "Comment": HARD, "Enabled": True, "Origins": {"Quantity": 1, "Items": [origin]}, "DefaultCacheBehavior": behaviour}
    site = aws.cloudfront.create_distribution(DistributionConfig=site)["Distribution"]
    shows = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
    acl = aws.wafv2.create_web_acl(Name="acl", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=shows, Tags=TAGS)["Summary"]
    certificate = aws.acm.request_certificate(DomainName="example.com", Tags=TAGS)["CertificateArn"]
    rest = aws.apigateway.create_rest_api(name="rest", tags=TAG_MAP)["id"]
    web = aws.apigatewayv2.create_api(Name="web", ProtocolType="HTTP")["ApiId"]
    aws.apigatewayv2.create_stage(ApiId=web, StageName="live")
    aws.ses.verify_email_identity(EmailAddress="a@example.com")
    return {"zone": zones[0], "site": site["Id"], "site_arn": site["ARN"], "acl": acl, "certificate": certificate, "rest": rest, "web": web}


def functions(aws, names):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("f.py", "def handler(event, context): pass")
    function = {"Runtime": "python3.12", "Role": names["role"], "Handler": "f.handler", "Code": {"ZipFile": archive.getvalue()}}
    for n in range(3):
        arn = aws.awslambda.create_function(FunctionName=f"f{n}", Tags=TAG_MAP, Environment={"Variables": {"A": HARD}}, **function)["FunctionArn"]
    aws.awslambda.add_permission(FunctionName="f0", StatementId="s", Action="lambda:InvokeFunction", Principal="*")
    aws.awslambda.create_function_url_config(FunctionName="f0", AuthType="NONE")
    aws.awslambda.put_function_concurrency(FunctionName="f0", ReservedConcurrentExecutions=5)
    cluster = aws.ecs.create_cluster(clusterName="c", tags=LOWER_TAGS)["cluster"]["clusterArn"]
    container = {"name": "app", "image": "app:1", "memory": 128, "privileged": True, "environment": [{"name": "A", "value": HARD}]}
    task = aws.ecs.register_task_definition(family="app", containerDefinitions=[container])["taskDefinition"]["taskDefinitionArn"]
    service = aws.ecs.create_service(cluster="c", serviceName="web", taskDefinition="app", desiredCount=0)["service"]["serviceArn"]
    network = {"subnetIds": names["subnets"]}
    aws.eks.create_cluster(name="k", roleArn=names["role"], resourcesVpcConfig=network, tags=TAG_MAP)
    aws.eks.create_nodegroup(clusterName="k", nodegroupName="n", subnets=names["subnets"], nodeRole=names["role"])
    machine = aws.stepfunctions.create_state_machine(
        name="m", roleArn=names["role"], definition=json.dumps({"StartAt": "a", "States": {"a": {"Type": "Pass", "End": True}}})
    )["stateMachineArn"]
    return {"function": arn, "cluster": cluster, "task": task, "service": service, "machine": machine}


def keys_and_logs(aws, names):
    key = aws.kms.create_key(Tags=[{"TagKey": "Name", "TagValue": HARD}])["KeyMetadata"]["KeyId"]
    aws.kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    for n in range(2):
        aws.kms.create_key()
    trail = aws.cloudtrail.create_trail(Name="trail", S3BucketName=names["bucket"], TagsList=TAGS)["TrailARN"]
    aws.cloudtrail.start_logging(Name="trail")
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:app"
    aws.logs.create_log_group(logGroupName="app", tags=TAG_MAP)
    metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    aws.logs.put_metric_filter(logGroupName="app", filterName="f", filterPattern="{ $.x = 1 }", metricTransformations=[metric])
    alarm = {"MetricName": "m", "Namespace": "n", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.5, "Statistic": "Sum"}
    for n in range(3):
        aws.cloudwatch.put_metric_alarm(AlarmName=f"alarm{n}", ComparisonOperator="GreaterThanThreshold", AlarmActions=[names["topic"]], **alarm)
    rule = aws.events.put_rule(Name="rule", ScheduleExpression="rate(1 hour)")["RuleArn"]
    aws.events.put_targets(Rule="rule", Targets=[{"Id": "t", "Arn": names["function"]}])
    aws.kinesis.create_stream(StreamName="stream", ShardCount=1)
    sink = {"RoleARN": names["role"], "BucketARN": f"arn:aws:s3:::{names['bucket']}"}
    aws.firehose.create_delivery_stream(DeliveryStreamName="hose", S3DestinationConfiguration=sink)
    return {"key": key, "trail": trail, "log_group": group, "rule": rule}


def watching(aws, names):
    recorder = {"name": "default", "roleARN": names["role"], "recordingGroup": {"allSupported": True}}
    aws.config.put_configuration_recorder(ConfigurationRecorder=recorder)
    aws.config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": names["bucket"]})
    detector = aws.guardduty.create_detector(Enable=True, Tags=TAG_MAP)["DetectorId"]
    aws.securityhub.enable_security_hub()
    aws.macie2.enable_macie()
    for n in range(3):
        aws.ssm.put_parameter(Name=f"/p/{n}", Value="v", Type="String")
    return {"detector": detector}


def builds(aws, names):
    aws.codebuild.create_project(
        name="build", source={"type": "S3", "location": "b/s.zip"}, artifacts={"type": "NO_ARTIFACTS"}, serviceRole=names["role"],
        environment={"type": "LINUX_CONTAINER", "image": "x", "computeType": "BUILD_GENERAL1_SMALL"},
    )
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}
    aws.cloudformation.create_stack(StackName="stack", TemplateBody=json.dumps(template), Tags=TAGS)
    return {}


if __name__ == "__main__":
    main(*sys.argv[1:])
