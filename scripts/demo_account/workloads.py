"""What the later systems run as: one role each, trusted by one service, allowed what that one needs."""

from . import identity
from .policies import allow, document, trust_service
from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION, tags

HERE = f"{MAIN_REGION}:{ACCOUNT_ID}"
MANAGED = "arn:aws:iam::aws:policy"
USED = "2026-11-16T05:20:00Z"


def queue(*actions, name):
    return document(allow([f"sqs:{action}" for action in actions], f"arn:aws:sqs:{HERE}:{name}"))


def table(name):
    return document(
        allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], f"arn:aws:dynamodb:{HERE}:table/{name}")
    )


def bucket(name, *actions):
    return document(allow([f"s3:{action}" for action in actions], f"arn:aws:s3:::{name}/*"))


def secret(name):
    return document(allow("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:{name}-*"))


# name: (service, attached, inline, name tag, importance, instance profile)
SERVICES = {
    "backoffice": (
        "ec2",
        [identity.SSM_CORE, f"{MANAGED}/AmazonEKSWorkerNodePolicy", f"{MANAGED}/AmazonEC2ContainerRegistryReadOnly"],
        {},
        "r41_nodes_backoffice",
        "high",
        True,
    ),
    "carrier": ("ec2", [identity.SSM_CORE], {}, "r42_carrier_shipping", "high", True),
    "eks-backoffice": ("eks", [f"{MANAGED}/AmazonEKSClusterPolicy"], {}, "r43_cluster_backoffice", "high", False),
    "eks-staging": ("eks", [f"{MANAGED}/AmazonEKSClusterPolicy"], {}, "r73_cluster_backoffice", "low", False),
    "nodes-staging": (
        "ec2",
        [identity.SSM_CORE, f"{MANAGED}/AmazonEKSWorkerNodePolicy", f"{MANAGED}/AmazonEC2ContainerRegistryReadOnly"],
        {},
        "r71_nodes_backoffice",
        "low",
        True,
    ),
    "dev-web": ("ec2", [identity.SSM_CORE], {}, "r81_web_checkout", "low", True),
    "dev-sandbox": ("ec2", [identity.SSM_CORE], {}, "r82_sandbox_analytics", "low", True),
    "task-shipping": (
        "ecs-tasks",
        [],
        {"secret": secret("x31_carrier-key_shipping")},
        "r44_tasks_shipping",
        "high",
        False,
    ),
    "task-start": (
        "ecs-tasks",
        [f"{MANAGED}/service-role/AmazonECSTaskExecutionRolePolicy"],
        {},
        "r45_task-start_shipping",
        "high",
        False,
    ),
    "lambda-search": (
        "lambda",
        [f"{MANAGED}/service-role/AWSLambdaVPCAccessExecutionRole"],
        {
            "queue": queue("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", name="q11_index_search"),
            "domain": document(allow("es:ESHttpPut", f"arn:aws:es:{HERE}:domain/es11-products-search/*")),
        },
        "r46_indexer_search",
        "high",
        False,
    ),
    "lambda-notifications": (
        "lambda",
        [identity.LAMBDA_BASIC],
        {
            "queue": queue("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", name="q21_mail_notifications"),
            "mail": document(allow("ses:SendEmail", f"arn:aws:ses:{HERE}:identity/shop.example.com")),
            "subscriptions": table("h11_subscriptions_notifications"),
        },
        "r47_sender_notifications",
        "medium",
        False,
    ),
    "lambda-media": (
        "lambda",
        [f"{MANAGED}/service-role/AWSLambdaVPCAccessExecutionRole"],
        {"media": bucket("shop-prod-media", "GetObject", "PutObject"), "copy": bucket("shop-dr-media", "PutObject")},
        "r48_transcode_media",
        "medium",
        False,
    ),
    "lambda-mobile": (
        "lambda",
        [f"{MANAGED}/service-role/AWSLambdaVPCAccessExecutionRole"],
        {"devices": table("h21_devices_mobile")},
        "r49_session_mobile",
        "high",
        False,
    ),
    "glue-reporting": (
        "glue",
        [f"{MANAGED}/service-role/AWSGlueServiceRole"],
        {"reports": bucket("shop-prod-reports", "GetObject", "PutObject")},
        "r50_etl_reporting",
        "high",
        False,
    ),
    "redshift-reporting": (
        "redshift",
        [],
        {"reports": bucket("shop-prod-reports", "GetObject")},
        "r51_warehouse_reporting",
        "high",
        False,
    ),
    "nightly-reporting": (
        "states",
        [],
        {"job": document(allow("glue:StartJobRun", f"arn:aws:glue:{HERE}:job/gj11_orders_reporting"))},
        "r52_nightly_reporting",
        "medium",
        False,
    ),
    "schedule-reporting": (
        "events",
        [],
        {
            "start": document(
                allow("states:StartExecution", f"arn:aws:states:{HERE}:stateMachine:sf11_nightly_reporting")
            )
        },
        "r53_schedule_reporting",
        "medium",
        False,
    ),
    "clicks-analytics": (
        "firehose",
        [],
        {"lake": bucket("shop-prod-lake", "PutObject")},
        "r54_clicks_analytics",
        "medium",
        False,
    ),
    "build-platform": (
        "codebuild",
        [],
        {
            "images": document(
                allow("ecr:GetAuthorizationToken", "*"),
                allow(
                    ["ecr:BatchCheckLayerAvailability", "ecr:PutImage", "ecr:UploadLayerPart"],
                    f"arn:aws:ecr:{HERE}:repository/*",
                ),
            )
        },
        "r55_build_platform",
        "medium",
        False,
    ),
    "trail-logs": (
        "cloudtrail",
        [],
        {
            "logs": document(
                allow(
                    ["logs:CreateLogStream", "logs:PutLogEvents"], f"arn:aws:logs:{HERE}:log-group:/cloudtrail/data:*"
                )
            )
        },
        "r56_trail-logs_platform",
        "high",
        False,
    ),
}
# Those that are not of production.
ENVIRONMENTS = {"eks-staging": "staging", "nodes-staging": "staging", "dev-web": "dev", "dev-sandbox": "dev"}
ROLES = {
    name: (
        "2024-06-03T08:30:00Z",
        # Amazon's own role for instances has no source to check; the others can be told on whose behalf they act.
        trust_service(f"{service}.amazonaws.com", source_account=service != "ec2"),
        attached,
        inline,
        tags(name_tag, importance=importance, dr="none", env=ENVIRONMENTS.get(name, "prod")),
        USED,
        profile,
    )
    for name, (service, attached, inline, name_tag, importance, profile) in SERVICES.items()
}
OF_SERVICES = {
    "config": "AWSServiceRoleForConfig",
    "autoscaling": "AWSServiceRoleForAutoScaling",
    "guardduty": "AWSServiceRoleForAmazonGuardDuty",
}


def build(shop):
    identity.roles(shop, ROLES)
    shop.at("2025-03-10T10:00:00Z")
    # Roles of AWS's services for themselves come with the service and can't be changed.
    iam = shop.client("iam", GLOBAL_REGION)
    for service, name in OF_SERVICES.items():
        role = iam.create_service_linked_role(AWSServiceName=f"{service}.amazonaws.com")["Role"]
        shop.ids[f"role-{service}"] = role["Arn"]
        if role["RoleName"] != name:
            shop.replacements.append((role["RoleName"], name))
