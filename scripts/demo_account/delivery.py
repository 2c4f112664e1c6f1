"""What builds and describes the account: CodeBuild, the few CloudFormation stacks there are, and the registered domains."""

from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION, lower_pairs, pairs, tags

HERE = f"{MAIN_REGION}:{ACCOUNT_ID}"
# name: (importance, environment variables: (name, kind, value))
PROJECTS = {
    "cb11_build_platform": (
        "medium",
        (("REGISTRY", "PLAINTEXT", "rp11_labels_shipping"), ("NPM_LOGIN", "SECRETS_MANAGER", "x34_npm_platform")),
    ),
    "cb12_release_platform": ("high", (("DEPLOY_PASSWORD", "PLAINTEXT", "not-a-real-password-3333"),)),
}
# name: (id, region, importance, env, status, checked for drift, protected, key of system)
STACKS = {
    "st11_network_platform": (
        "6f2a1c90-2b7e-11f0-9d54-0a1b2c3d4e5f",
        GLOBAL_REGION,
        "high",
        "prod",
        ("IN_SYNC", "2026-11-09T04:00:00+00:00"),
        True,
    ),
    "st12_parcels_shipping": (
        "0d8b7e52-3c14-11f0-8a67-02c4d6e8f0a1",
        MAIN_REGION,
        "high",
        "prod",
        ("IN_SYNC", "2026-11-09T04:10:00+00:00"),
        True,
    ),
    # Somebody opened a port by hand, and the next release closed it again.
    "st13_nodes_backoffice": (
        "c45e9a03-4d21-11f0-b7f8-04e6f80a1c3e",
        MAIN_REGION,
        "medium",
        "prod",
        ("DRIFTED", "2026-11-09T04:20:00+00:00"),
        False,
    ),
    "st14_films_media": (
        "97b3d1e8-5e32-11f0-a2c9-06081a2c3e50",
        MAIN_REGION,
        "medium",
        "prod",
        ("NOT_CHECKED", None),
        True,
    ),
}
# domain: (locked and renewed, expires)
DOMAINS = {"example.com": (True, "2027-03-01T12:00:00+00:00"), "example.net": (False, "2027-01-20T12:00:00+00:00")}


def build(shop):
    for name, row in PROJECTS.items():
        project(shop, name, *row)
    for name, row in STACKS.items():
        stack(shop, name, *row)
        for resource in members(shop)[name]:
            member(shop, name, *resource)
    for name, row in DOMAINS.items():
        domain(shop, name, *row)
    plant(shop)


def project(shop, name, importance, variables):
    arn, scheme = f"arn:aws:codebuild:{HERE}:project/{name}", tags(name, importance=importance, dr="none")
    row = {
        "name": name,
        "arn": arn,
        "source": {
            "type": "GITHUB",
            "location": "https://github.com/shop-example/shop.git",
            "gitCloneDepth": 1,
            "buildspec": "buildspec.yml",
            "insecureSsl": False,
        },
        "artifacts": {"type": "NO_ARTIFACTS"},
        "cache": {"type": "NO_CACHE"},
        "environment": {
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": [
                {"name": variable, "value": value, "type": kind} for variable, kind, value in variables
            ],
            "privilegedMode": True,
            "imagePullCredentialsType": "CODEBUILD",
        },
        "serviceRole": shop.ids["role-build-platform"],
        "timeoutInMinutes": 60,
        "queuedTimeoutInMinutes": 480,
        "encryptionKey": shop.ids["key-shop"],
        "tags": lower_pairs(scheme),
        "created": "2024-06-14T09:00:00+00:00",
        "lastModified": "2025-02-03T09:00:00+00:00",
        "badge": {"badgeEnabled": False},
        "logsConfig": {
            "cloudWatchLogs": {"status": "ENABLED", "groupName": "/codebuild/shop"},
            "s3Logs": {"status": "DISABLED", "encryptionDisabled": False},
        },
        "projectVisibility": "PRIVATE",
    }
    shop.add("codebuild", "ListProjects", "projects", name)
    shop.add("codebuild", "BatchGetProjects", "projects", row)
    shop.ids[name] = arn
    shop.sweep(arn, scheme)


def stack_arn(name):
    identifier, region = STACKS[name][:2]
    return f"arn:aws:cloudformation:{region}:{ACCOUNT_ID}:stack/{name.replace('_', '-')}/{identifier}"


def stack(shop, name, identifier, region, importance, env, drift, protected):
    status, checked = drift
    scheme = tags(name, importance=importance, dr="none", env=env)
    row = {
        "StackId": stack_arn(name),
        "StackName": name.replace("_", "-"),
        "Description": name.split("_")[1],
        "CreationTime": "2025-03-10T08:00:00+00:00",
        "LastUpdatedTime": "2026-08-04T08:00:00+00:00",
        "RollbackConfiguration": {},
        "StackStatus": "UPDATE_COMPLETE",
        "DisableRollback": False,
        "NotificationARNs": [],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Tags": pairs(scheme),
        "EnableTerminationProtection": protected,
        "DriftInformation": {"StackDriftStatus": status} | ({"LastCheckTimestamp": checked} if checked else {}),
    }
    shop.add("cloudformation", "DescribeStacks", "Stacks", row, region=region)
    shop.ids[name] = row["StackId"]
    shop.sweep(row["StackId"], scheme, region)


def members(shop):
    """What each stack made: (logical id, type, physical id)."""
    ids = shop.ids
    return {
        "st11_network_platform": [
            ("Vpc", "AWS::EC2::VPC", ids["dr-vpc"]),
            ("PrivateA", "AWS::EC2::Subnet", ids["dr-private-a"]),
            ("PrivateB", "AWS::EC2::Subnet", ids["dr-private-b"]),
            ("PublicA", "AWS::EC2::Subnet", ids["dr-public-a"]),
            ("PublicB", "AWS::EC2::Subnet", ids["dr-public-b"]),
            ("Gateway", "AWS::EC2::InternetGateway", ids["dr-igw"]),
            ("NatA", "AWS::EC2::NatGateway", ids["dr-nat-a"]),
            ("NatB", "AWS::EC2::NatGateway", ids["dr-nat-b"]),
            ("Database", "AWS::RDS::DBInstance", "d13-products-catalog"),
        ],
        "st12_parcels_shipping": [
            ("Cluster", "AWS::ECS::Cluster", "k11_cluster_shipping"),
            ("Labels", "AWS::ECS::Service", ids["sv11_labels_shipping"]),
            ("Parcels", "AWS::RDS::DBCluster", "d61-parcels-shipping"),
            ("Balancer", "AWS::ElasticLoadBalancingV2::LoadBalancer", ids["alb-shipping"]),
            ("Files", "AWS::EFS::FileSystem", "fs-0a3d91c7e52b8f640"),
            ("Writer", "AWS::RDS::DBInstance", "d61-parcels-shipping-1"),
            ("Reader", "AWS::RDS::DBInstance", "d61-parcels-shipping-2"),
            ("Tracking", "AWS::ECS::Service", ids["sv12_tracking_shipping"]),
            ("Targets", "AWS::ElasticLoadBalancingV2::TargetGroup", ids["targets-shipping"]),
            ("BalancerGroup", "AWS::EC2::SecurityGroup", ids["sg-alb-shipping"]),
            ("TasksGroup", "AWS::EC2::SecurityGroup", ids["sg-tasks-shipping"]),
            ("ParcelsGroup", "AWS::EC2::SecurityGroup", ids["sg-db-shipping"]),
            ("TasksRole", "AWS::IAM::Role", "task-shipping"),
            ("StartRole", "AWS::IAM::Role", "task-start"),
            ("Key", "AWS::KMS::Key", ids["key-shipping"].rsplit("/", 1)[1]),
            ("CarrierKey", "AWS::SecretsManager::Secret", ids["x31_carrier-key_shipping"]),
            ("Images", "AWS::ECR::Repository", "rp11_labels_shipping"),
        ],
        "st13_nodes_backoffice": [
            ("Cluster", "AWS::EKS::Cluster", "ek11_cluster_backoffice"),
            ("Nodes", "AWS::EC2::SecurityGroup", ids["sg-nodes-backoffice"]),
            ("Balancer", "AWS::ElasticLoadBalancingV2::LoadBalancer", ids["alb-backoffice"]),
        ],
        "st14_films_media": [
            ("Films", "AWS::S3::Bucket", "shop-prod-media"),
            ("Transcode", "AWS::Lambda::Function", "f31_transcode_media"),
        ],
    }


def member(shop, name, logical, kind, physical):
    drifted = name == "st13_nodes_backoffice" and logical == "Nodes"
    checked = STACKS[name][4][1]
    drift = {"StackResourceDriftStatus": "MODIFIED" if drifted else "IN_SYNC" if checked else "NOT_CHECKED"}
    row = {
        "LogicalResourceId": logical,
        "PhysicalResourceId": physical,
        "ResourceType": kind,
        "LastUpdatedTimestamp": "2026-08-04T08:05:00+00:00",
        "ResourceStatus": "UPDATE_COMPLETE",
        "DriftInformation": drift | ({"LastCheckTimestamp": checked} if checked else {}),
    }
    shop.add("cloudformation", "ListStackResources", "StackResourceSummaries", row, stack_arn(name), STACKS[name][1])


def domain(shop, name, kept, expiry):
    scheme = tags(
        f"dn{list(DOMAINS).index(name) + 1}1_domain_platform", importance="critical" if kept else "low", dr="none"
    )
    row = {"DomainName": name, "AutoRenew": kept, "TransferLock": kept, "Expiry": expiry}
    shop.add("route53domains", "ListDomains", "Domains", row, region=GLOBAL_REGION)
    details = {
        "DomainName": name,
        "Nameservers": [{"Name": f"ns-{number}.awsdns-{number}.net"} for number in (11, 12)],
        "AutoRenew": kept,
        "AdminPrivacy": True,
        "RegistrantPrivacy": True,
        "TechPrivacy": True,
        "RegistrarName": "Amazon Registrar, Inc.",
        "WhoIsServer": "whois.registrar.amazon",
        "CreationDate": "2021-03-01T12:00:00+00:00",
        "ExpirationDate": expiry,
        "StatusList": ["clientTransferProhibited"] if kept else ["ok"],
        "DnssecKeys": [],
    }
    shop.answer("route53domains", "GetDomainDetail", details, name, GLOBAL_REGION)
    shop.answer("route53domains", "ListTagsForDomain", {"TagList": pairs(scheme)}, name, GLOBAL_REGION)
    shop.ids[name] = f"arn:aws:route53domains:::domain/{name}"


def plant(shop):
    drifted, unchecked = shop.ids["st13_nodes_backoffice"], shop.ids["st14_films_media"]
    shop.fault("iac-drift", drifted, "drifted: a rule of a security group")
    shop.fault("iac-drift", unchecked, "never checked")
    shop.fault("stack-termination", drifted, "off")
    shop.fault("iac-uncovered", shop.ids["d01_orders_checkout"], "in no stack")
    shop.fault("env-secrets", shop.ids["cb12_release_platform"], "DEPLOY_PASSWORD in the environment")
    shop.fault("domain-lock", shop.ids["example.net"], "neither locked nor renewed")
