"""Containers: shipping on ECS, the back office on Kubernetes, and the repositories of both. Written by hand throughout."""

import json

from . import databases, gateways
from .shop import ACCOUNT_ID, MAIN_REGION, lower_pairs, pairs, tags

HERE = f"{MAIN_REGION}:{ACCOUNT_ID}"
CLUSTER = f"arn:aws:ecs:{HERE}:cluster/k11_cluster_shipping"
REGISTRY = f"{ACCOUNT_ID}.dkr.ecr.{MAIN_REGION}.amazonaws.com"
# name: (importance, scanned on push, tags fixed, open to everybody)
REPOSITORIES = {
    "rp11_labels_shipping": ("high", True, True, False),
    "rp12_tracking_shipping": ("medium", False, False, False),
    # Partners were to build on it without an account.
    "rp13_base_platform": ("medium", True, False, True),
}
# name: (importance, DR, image, tasks, environment, privileged, group of targets)
SERVICES = {
    "sv11_labels_shipping": (
        "high",
        "multi-az",
        "rp11_labels_shipping",
        2,
        {"BUCKET": "shop-prod-uploads"},
        False,
        True,
    ),
    "sv12_tracking_shipping": (
        "medium",
        "none",
        "rp12_tracking_shipping",
        1,
        {"CARRIER_API_KEY": "not-a-real-api-key-2222"},
        True,
        False,
    ),
}
# name: (env, importance, version, public, logs, created)
KUBERNETES = {
    "ek11_cluster_backoffice": ("prod", "high", "1.34", False, True, "2025-12-08T09:00:00+00:00"),
    "ek51_cluster_backoffice": ("staging", "low", "1.30", True, False, "2024-06-11T09:00:00+00:00"),
}


def build(shop):
    for name, row in REPOSITORIES.items():
        repository(shop, name, *row)
    cluster(shop)
    for name, row in SERVICES.items():
        service(shop, name, *row)
    for name, row in KUBERNETES.items():
        kubernetes(shop, name, *row)
    plant(shop)


def repository(shop, name, importance, scanned, fixed, everybody):
    arn, scheme = f"arn:aws:ecr:{HERE}:repository/{name}", tags(name, importance=importance, dr="none")
    row = {
        "repositoryArn": arn,
        "registryId": ACCOUNT_ID,
        "repositoryName": name,
        "repositoryUri": f"{REGISTRY}/{name}",
        "createdAt": "2024-06-03T12:00:00+00:00",
        "imageTagMutability": "IMMUTABLE" if fixed else "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": scanned},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }
    shop.add("ecr", "DescribeRepositories", "repositories", row)
    if everybody:
        pull = {
            "Sid": "Partners",
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        }
        text = json.dumps({"Version": "2012-10-17", "Statement": [pull]})
        answer = {"registryId": ACCOUNT_ID, "repositoryName": name, "policyText": text}
    else:
        message = f"Repository policy does not exist for the repository with name '{name}'"
        answer = {"Error": {"Code": "RepositoryPolicyNotFoundException", "Message": message}}
    shop.answer("ecr", "GetRepositoryPolicy", answer, name)
    shop.answer("ecr", "ListTagsForResource", {"tags": pairs(scheme)}, arn)
    shop.ids[name] = arn
    shop.sweep(arn, scheme)


def cluster(shop):
    scheme = tags("k11_cluster_shipping", importance="high", dr="none")
    shop.answer("ecs", "ListClusters", {"clusterArns": [CLUSTER]})
    row = {
        "clusterArn": CLUSTER,
        "clusterName": "k11_cluster_shipping",
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": 3,
        "pendingTasksCount": 0,
        "activeServicesCount": len(SERVICES),
        "statistics": [],
        "tags": lower_pairs(scheme),
        "settings": [{"name": "containerInsights", "value": "enabled"}],
        "capacityProviders": ["FARGATE"],
        "defaultCapacityProviderStrategy": [],
    }
    shop.answer("ecs", "DescribeClusters", {"clusters": [row], "failures": []})
    shop.ids["ecs-cluster"] = CLUSTER
    shop.sweep(CLUSTER, scheme)


def service(shop, name, importance, dr, repository, count, environment, privileged, behind):
    scheme = tags(name, importance=importance, dr=dr)
    definition = f"arn:aws:ecs:{HERE}:task-definition/{name}:7"
    container = {
        "name": name.split("_")[1],
        "image": f"{REGISTRY}/{repository}:2026-10-28",
        "cpu": 0,
        "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
        "essential": True,
        "environment": [{"name": key, "value": value} for key, value in environment.items()],
        "mountPoints": [],
        "volumesFrom": [],
        "privileged": privileged,
        "readonlyRootFilesystem": not privileged,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "/ecs/shipping",
                "awslogs-region": MAIN_REGION,
                "awslogs-stream-prefix": name,
            },
        },
    }
    if not privileged:
        container["secrets"] = [{"name": "CARRIER_KEY", "valueFrom": shop.ids["x31_carrier-key_shipping"]}]
    described = {
        "taskDefinitionArn": definition,
        "containerDefinitions": [container],
        "family": name,
        "taskRoleArn": shop.ids["role-task-shipping"],
        "executionRoleArn": shop.ids["role-task-start"],
        # Fargate runs nothing privileged: the tracker needs a machine of its own.
        "networkMode": "awsvpc",
        "revision": 7,
        "volumes": [
            {
                "name": "labels",
                "efsVolumeConfiguration": {"fileSystemId": "fs-0a3d91c7e52b8f640", "rootDirectory": "/"},
            }
        ]
        if behind
        else [],
        "status": "ACTIVE",
        "requiresCompatibilities": ["EC2" if privileged else "FARGATE"],
        "cpu": "512",
        "memory": "1024",
        "registeredAt": "2026-10-28T09:15:00+00:00",
    }
    answer = {"taskDefinition": described, "tags": lower_pairs(scheme)}
    shop.add("ecs", "ListTaskDefinitions", "taskDefinitionArns", definition)
    shop.answer("ecs", "DescribeTaskDefinition", answer, definition)
    arn = f"arn:aws:ecs:{HERE}:service/k11_cluster_shipping/{name}"
    network = {
        "subnets": [shop.ids["private-a"], shop.ids["private-b"]],
        "securityGroups": [shop.ids["sg-tasks-shipping"]],
        "assignPublicIp": "DISABLED",
    }
    balancers = [
        {"targetGroupArn": shop.ids["targets-shipping"], "containerName": container["name"], "containerPort": 8080}
    ]
    row = {
        "serviceArn": arn,
        "serviceName": name,
        "clusterArn": CLUSTER,
        "loadBalancers": balancers if behind else [],
        "serviceRegistries": [],
        "status": "ACTIVE",
        "desiredCount": count,
        "runningCount": count,
        "pendingCount": 0,
        "launchType": "EC2" if privileged else "FARGATE",
        "taskDefinition": definition,
        "createdAt": "2024-06-06T09:00:00+00:00",
        "networkConfiguration": {"awsvpcConfiguration": network},
        "schedulingStrategy": "REPLICA",
        "tags": lower_pairs(scheme),
        "enableECSManagedTags": True,
        "propagateTags": "SERVICE",
        "enableExecuteCommand": False,
    }
    if not privileged:
        row |= {"platformVersion": "1.4.0", "platformFamily": "Linux"}
    shop.add("ecs", "ListServices", "serviceArns", arn, CLUSTER)
    shop.answer("ecs", "DescribeServices", {"services": [row], "failures": []}, arn)
    subnets = ["private-a", "private-b"][:count]
    task = f"arn:aws:ecs:{HERE}:attachment/{name}"
    shop.interfaces.append((ACCOUNT_ID, task, "sg-tasks-shipping", subnets, False))
    if behind:
        shop.addresses |= {(task, subnet): address for subnet, address in zip(subnets, gateways.TASKS, strict=True)}
    for key, value in ((name, arn), (f"{name}-definition", definition)):
        shop.ids[key] = value
        shop.sweep(value, scheme)


def kubernetes(shop, name, env, importance, version, public, logged, created):
    arn, scheme = f"arn:aws:eks:{HERE}:cluster/{name}", tags(name, importance=importance, dr="none", env=env)
    prod = env == "prod"
    subnets = [shop.ids[key] for key in (("private-a", "private-b") if prod else ("staging-a", "staging-b"))]
    group = shop.ids["sg-nodes-backoffice" if prod else "sg-staging-nodes"]
    digest = databases.resource_id(name)[3:].upper()
    kinds = ["api", "audit", "authenticator"]
    logging = [{"types": kinds, "enabled": True}] if logged else [{"types": kinds, "enabled": False}]
    described = {
        "name": name,
        "arn": arn,
        "createdAt": created,
        "version": version,
        "endpoint": f"https://{digest}.gr7.{MAIN_REGION}.eks.amazonaws.com",
        "roleArn": shop.ids["role-eks-backoffice" if prod else "role-eks-staging"],
        "resourcesVpcConfig": {
            "subnetIds": subnets,
            "securityGroupIds": [group],
            "clusterSecurityGroupId": group,
            "vpcId": shop.ids["vpc" if prod else "staging-vpc"],
            "endpointPublicAccess": public,
            "endpointPrivateAccess": not public,
            "publicAccessCidrs": ["0.0.0.0/0"] if public else [],
        },
        "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16", "ipFamily": "ipv4"},
        "logging": {"clusterLogging": logging},
        "identity": {"oidc": {"issuer": f"https://oidc.eks.{MAIN_REGION}.amazonaws.com/id/{digest}"}},
        "status": "ACTIVE",
        "platformVersion": "eks.9",
        "tags": scheme,
        "accessConfig": {"authenticationMode": "API"},
        "upgradePolicy": {"supportType": "STANDARD" if prod else "EXTENDED"},
        "deletionProtection": prod,
    }
    if prod:
        key = {"provider": {"keyArn": shop.ids["key-shop"]}, "resources": ["secrets"]}
        described["encryptionConfig"] = [key]
    shop.add("eks", "ListClusters", "clusters", name)
    shop.answer("eks", "DescribeCluster", {"cluster": described}, name)
    node_group(shop, name, env, version, subnets, scheme)
    shop.interfaces.append(
        (
            "amazon-eks",
            f"Amazon EKS {name}",
            "sg-nodes-backoffice" if prod else "sg-staging-nodes",
            ["private-a", "private-b"] if prod else ["staging-a", "staging-b"],
            False,
        )
    )
    shop.ids[name] = arn
    shop.sweep(arn, scheme)


def node_group(shop, cluster, env, version, subnets, scheme):
    name = cluster.replace("cluster", "nodes")
    arn = f"arn:aws:eks:{HERE}:nodegroup/{cluster}/{name}/5cc8d2f0-7a31-4be6-9d50-83fe1b6a04c7"
    group = "g91_nodes_backoffice" if env == "prod" else "g92_nodes_backoffice"
    size = 2 if env == "prod" else 1
    own = {**scheme, "Name": name}
    described = {
        "nodegroupName": name,
        "nodegroupArn": arn,
        "clusterName": cluster,
        "version": version,
        "releaseVersion": f"{version}.0-20261020",
        "createdAt": "2025-12-08T10:00:00+00:00",
        "modifiedAt": "2026-10-21T10:00:00+00:00",
        "status": "ACTIVE",
        "capacityType": "ON_DEMAND",
        "scalingConfig": {"minSize": size, "maxSize": 4, "desiredSize": size},
        "instanceTypes": ["m6i.large" if env == "prod" else "t3.medium"],
        "subnets": subnets,
        "amiType": "CUSTOM",
        "nodeRole": shop.ids["role-backoffice" if env == "prod" else "role-nodes-staging"],
        "resources": {"autoScalingGroups": [{"name": group}]},
        "health": {"issues": []},
        "updateConfig": {"maxUnavailable": 1},
        "tags": own,
    }
    shop.add("eks", "ListNodegroups", "nodegroups", name, cluster)
    shop.answer("eks", "DescribeNodegroup", {"nodegroup": described}, name)
    shop.sweep(arn, own)


def plant(shop):
    tracking, staging = shop.ids["sv12_tracking_shipping-definition"], shop.ids["ek51_cluster_backoffice"]
    shop.fault("ecs-privileged", tracking, "its container is privileged")
    shop.fault("env-secrets", tracking, "CARRIER_API_KEY in the environment")
    shop.fault("ecr-scan-on-push", shop.ids["rp12_tracking_shipping"], "off")
    shop.fault("resource-policy-public", shop.ids["rp13_base_platform"], "everybody may pull from it")
    shop.fault("eks-public", staging, "its API is open to 0.0.0.0/0")
    shop.fault("eks-eol", staging, "Kubernetes 1.30: extended support ended in July 2026")
    shop.fault("eks-audit-logs", staging, "off")
