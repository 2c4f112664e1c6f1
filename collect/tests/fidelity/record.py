"""Call every operation of operations.txt at a moto server with boto3 and write down what comes back.

    record.py ENDPOINT OPERATIONS MODELS NAMES OUT

NAMES is what fill.py wrote. OUT gets, per operation: the parameters and boto3's result or the code of its error.
Small page sizes make most lists come in several pages.
"""

import json
import pathlib
import sys

import botocore.exceptions
import botocore.parsers
from synthetic import Values, client_of, plain, required

ACCOUNT = "123456789012"
REGION = "eu-west-1"


def parameters(n):
    """Parameters by service and operation; an operation that is not here is called without any."""
    acl = {"Name": "acl", "Scope": "REGIONAL", "Id": n["acl"]["Id"]}
    bucket = {"Bucket": n["bucket"]}
    zone = {"ResourceType": "hostedzone", "ResourceId": n["zone"]}
    return {
        "iam": {
            "ListUsers": {"MaxItems": 2}, "ListMFADevices": {"UserName": "user0"}, "ListAccessKeys": {"UserName": "user0"},
            "GetAccessKeyLastUsed": {"AccessKeyId": n["access_key"]}, "ListUserTags": {"UserName": "user1"},
            "GetOpenIDConnectProvider": {"OpenIDConnectProviderArn": n["oidc"]}, "ListRoleTags": {"RoleName": "app"},
            "GetLoginProfile": {"UserName": "user0"},
        },
        "ec2": {
            "DescribeInstances": {"MaxResults": 5}, "DescribeSnapshots": {"OwnerIds": ["self"]},
            "DescribeImages": {"Owners": ["self"]}, "DescribeVpcs": {"Filters": [{"Name": "cidr", "Values": ["10.0.0.0/16"]}]},
            "DescribeLaunchTemplateVersions": {"LaunchTemplateId": n["template"]},
            "DescribeInstanceAttribute": {"InstanceId": n["instance"], "Attribute": "userData"},
            "DescribeSnapshotAttribute": {"SnapshotId": n["snapshot"], "Attribute": "createVolumePermission"},
            "DescribeImageAttribute": {"ImageId": n["image"], "Attribute": "launchPermission"},
        },
        "s3": {"ListBuckets": {}, "GetBucketAcl": {"Bucket": "locked-bucket"}, "GetBucketReplication": bucket,
               "GetObjectLockConfiguration": {"Bucket": "locked-bucket"}, "GetBucketLocation": {"Bucket": "a.dotted.bucket"}, "*": bucket},
        "s3control": {"*": {"AccountId": ACCOUNT}},
        "rds": {
            "DescribeDBInstances": {"MaxRecords": 20}, "DescribeDBSnapshotAttributes": {"DBSnapshotIdentifier": "snap"},
            "DescribeDBClusterSnapshotAttributes": {"DBClusterSnapshotIdentifier": "csnap"},
            "DescribeDBParameters": {"DBParameterGroupName": "default.postgres13"},
        },
        "route53": {
            "ListHostedZones": {"MaxItems": "2"}, "ListResourceRecordSets": {"HostedZoneId": n["zone"], "MaxItems": "2"},
            "ListTagsForResource": zone, "GetHostedZone": {"Id": n["zone"]},
        },
        "elbv2": {
            "DescribeLoadBalancerAttributes": {"LoadBalancerArn": n["balancer"]}, "DescribeListeners": {"LoadBalancerArn": n["balancer"]},
            "DescribeTargetHealth": {"TargetGroupArn": n["target_group"]}, "DescribeTags": {"ResourceArns": [n["balancer"]]},
            "DescribeRules": {"ListenerArn": n["listener"]},
        },
        "elb": {"DescribeLoadBalancerAttributes": {"LoadBalancerName": "classic"}, "DescribeTags": {"LoadBalancerNames": ["classic"]}},
        "lambda": {
            "GetPolicy": {"FunctionName": "f0"}, "ListFunctionUrlConfigs": {"FunctionName": "f0"},
            "ListTags": {"Resource": n["function"]}, "GetFunctionConcurrency": {"FunctionName": "f0"},
        },
        "kms": {
            "ListKeys": {"Limit": 2}, "ListAliases": {}, "GetKeyPolicy": {"KeyId": n["key"], "PolicyName": "default"}, "*": {"KeyId": n["key"]},
        },
        "cloudtrail": {"GetTrailStatus": {"Name": "trail"}, "GetEventSelectors": {"TrailName": "trail"}, "ListTags": {"ResourceIdList": [n["trail"]]}},
        "elasticache": {"ListTagsForResource": {"ResourceName": f"arn:aws:elasticache:{REGION}:{ACCOUNT}:cluster:cache"}},
        "backup": {
            "GetBackupPlan": {"BackupPlanId": n["plan"]}, "ListBackupSelections": {"BackupPlanId": n["plan"]},
            "GetBackupSelection": {"BackupPlanId": n["plan"], "SelectionId": "s"}, "ListTags": {"ResourceArn": n["vault"]},
            "ListRecoveryPointsByBackupVault": {"BackupVaultName": "vault"}, "ListRecoveryPointsByResource": {"ResourceArn": n["vault"]},
        },
        "dynamodb": {
            "ListTables": {"Limit": 2}, "ListBackups": {}, "*": {"TableName": "table0"},
            "ListTagsOfResource": {"ResourceArn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/table0"},
        },
        "redshift": {"DescribeLoggingStatus": {"ClusterIdentifier": "rs"}, "DescribeClusterParameters": {"ParameterGroupName": "default.redshift-1.0"}},
        "opensearch": {"DescribeDomains": {"DomainNames": ["search"]}, "ListTags": {"ARN": f"arn:aws:es:{REGION}:{ACCOUNT}:domain/search"}},
        "efs": {"DescribeFileSystems": {}, "DescribeReplicationConfigurations": {}, "*": {"FileSystemId": n["file_system"]}},
        "secretsmanager": {"ListSecrets": {}, "*": {"SecretId": n["secret"]}},
        "sns": {"GetTopicAttributes": {"TopicArn": n["topic"]}, "ListTagsForResource": {"ResourceArn": n["topic"]}},
        "sqs": {"GetQueueAttributes": {"QueueUrl": n["queue"], "AttributeNames": ["All"]}, "ListQueueTags": {"QueueUrl": n["queue"]}},
        "cloudfront": {"GetDistributionConfig": {"Id": n["site"]}, "ListTagsForResource": {"Resource": n["site_arn"]}},
        "wafv2": {
            "ListWebACLs": {"Scope": "REGIONAL"}, "GetWebACL": acl, "ListResourcesForWebACL": {"WebACLArn": n["acl"]["ARN"]},
            "GetLoggingConfiguration": {"ResourceArn": n["acl"]["ARN"]}, "ListTagsForResource": {"ResourceARN": n["acl"]["ARN"]},
        },
        "acm": {"ListCertificates": {}, "*": {"CertificateArn": n["certificate"]}},
        "logs": {"ListTagsForResource": {"resourceArn": n["log_group"]}},
        "cloudwatch": {"DescribeAlarms": {"MaxRecords": 2}, "ListTagsForResource": {"ResourceARN": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:alarm0"}},
        "guardduty": {
            "GetDetector": {"DetectorId": n["detector"]}, "ListFindings": {"DetectorId": n["detector"]},
            "GetFindings": {"DetectorId": n["detector"], "FindingIds": ["f"]},
        },
        "inspector2": {"BatchGetAccountStatus": {"accountIds": [ACCOUNT]}},
        "ssm": {
            "DescribeInstancePatchStates": {"InstanceIds": [n["instance"]]}, "DescribeParameters": {"MaxResults": 2},
            "ListTagsForResource": {"ResourceType": "Parameter", "ResourceId": "/p/0"},
        },
        "accessanalyzer": {"ListAnalyzers": {}, "*": {"analyzerArn": f"arn:aws:access-analyzer:{REGION}:{ACCOUNT}:analyzer/a"}},
        "cloudformation": {"DescribeStackResources": {"StackName": "stack"}, "ListStackResources": {"StackName": "stack"}},
        "organizations": {
            "ListPolicies": {"Filter": "SERVICE_CONTROL_POLICY"}, "DescribePolicy": {"PolicyId": n["scp"]},
            "ListTargetsForPolicy": {"PolicyId": n["scp"]}, "ListTagsForResource": {"ResourceId": ACCOUNT},
        },
        "ecs": {
            "DescribeClusters": {"clusters": ["c"], "include": ["TAGS"]}, "ListServices": {"cluster": "c"},
            "DescribeServices": {"cluster": "c", "services": ["web"]}, "DescribeTaskDefinition": {"taskDefinition": "app"},
            "ListTagsForResource": {"resourceArn": n["cluster"]},
        },
        "eks": {"DescribeCluster": {"name": "k"}, "ListNodegroups": {"clusterName": "k"}, "DescribeNodegroup": {"clusterName": "k", "nodegroupName": "n"}},
        "ecr": {
            "GetRepositoryPolicy": {"repositoryName": "app"}, "DescribeImages": {"repositoryName": "app"},
            "ListTagsForResource": {"resourceArn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app"},
        },
        "codebuild": {"BatchGetProjects": {"names": ["build"]}},
        "apigateway": {"GetStages": {"restApiId": n["rest"]}, "GetResources": {"restApiId": n["rest"], "embed": ["methods"]}},
        "apigatewayv2": {"GetStages": {"ApiId": n["web"]}, "GetIntegrations": {"ApiId": n["web"]}},
        "route53domains": {"GetDomainDetail": {"DomainName": "example.com"}, "ListTagsForDomain": {"DomainName": "example.com"}},
        "dms": {"ListTagsForResource": {"ResourceArn": f"arn:aws:dms:{REGION}:{ACCOUNT}:endpoint:source"}},
        "glue": {},
        "ses": {"GetIdentityVerificationAttributes": {"Identities": ["a@example.com"]}, "GetIdentityDkimAttributes": {"Identities": ["a@example.com"]}},
        "account": {"GetAlternateContact": {"AlternateContactType": "SECURITY"}},
        "events": {"ListTargetsByRule": {"Rule": "rule"}},
        "stepfunctions": {"DescribeStateMachine": {"stateMachineArn": n["machine"]}},
        "kinesis": {"DescribeStreamSummary": {"StreamName": "stream"}},
        "firehose": {"DescribeDeliveryStream": {"DeliveryStreamName": "hose"}},
    }


def main(endpoint, operations, models, names, out):
    table = parameters(json.loads(pathlib.Path(names).read_text()))
    cases = []
    for line in pathlib.Path(operations).read_text().splitlines():
        if line and not line.startswith("#"):
            service, operation = line.split()
            protocol = json.loads((pathlib.Path(models) / f"{service}.json").read_text())["protocol"]
            client = client_of(service, protocol, endpoint)
            known = table.get(service, {})
            params = known.get(operation) or invented(client, operation, known.get("*", {}))
            case = {"service": service, "operation": operation, "params": params}
            cases.append({**case, **call(client, operation, params)})
    pathlib.Path(out).write_text(json.dumps(cases))


def invented(client, operation, common):
    """Parameters for an operation that has none in the table: the service's common ones, else names of nothing."""
    model = client.meta.service_model.operation_model(operation)
    return {**required(model, Values("full").params(model, None)), **required(model, common)}


def call(client, operation, params):
    method = next(name for name, known in client._PY_TO_OP_NAME.items() if known == operation)
    try:
        if client.can_paginate(method):
            result = client.get_paginator(method).paginate(**params).build_full_result()
        else:
            result = getattr(client, method)(**params)
    except botocore.exceptions.ClientError as problem:
        error = problem.response
        return {"error": error["Error"].get("Code"), "status": error["ResponseMetadata"]["HTTPStatusCode"]}
    except (botocore.parsers.ResponseParserError, botocore.exceptions.EndpointConnectionError) as problem:
        # boto3 puts the account in front of the host for s3control, which an address cannot take.
        return {"error": str(problem)[:200], "status": 0}
    result.pop("ResponseMetadata", None)
    return {"result": plain(result)}


if __name__ == "__main__":
    main(*sys.argv[1:])
