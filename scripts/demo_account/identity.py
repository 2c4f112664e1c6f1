"""IAM: people in groups who assume roles with MFA, as it should be, and the exceptions that made the incident possible."""

import json

from . import policies
from .shop import ACCOUNT_ID, account_arn, iam_arn, pairs, tags

# name: (created, groups, tags); the credentials are in CREDENTIALS below.
USERS = {
    "anna": (
        "2022-03-07T08:00:00Z",
        ["administrators", "platform"],
        tags("u01_anna_platform", importance="high", dr="none"),
    ),
    "ben": ("2022-03-07T08:10:00Z", ["developers"], tags("u02_ben_checkout", importance="medium", dr="none")),
    "chen": (
        "2022-06-20T09:00:00Z",
        ["developers", "payments"],
        tags("u03_chen_payments", importance="high", dr="none"),
    ),
    "dana": ("2023-01-09T09:00:00Z", ["data"], tags("u04_dana_analytics", importance="medium", dr="none")),
    "olga": ("2023-02-13T09:00:00Z", ["developers"], tags("u05_olga_catalog", importance="medium", dr="none")),
    "marco": ("2022-04-04T09:00:00Z", ["developers"], {}),
    "deploy-mobile": ("2023-10-30T16:42:00Z", [], {}),
    "eva": ("2024-01-15T09:00:00Z", ["developers"], tags("u06_eva_identity", importance="medium", dr="none")),
}

# What only the credential report tells. password_last_used None: no console password.
# keys: (active, created, last used, region, service); at most two.
CREDENTIALS = {
    "anna": ("2026-11-15T08:12:40Z", "2026-10-02T07:55:00Z", True, []),
    "ben": (
        "2026-11-13T09:20:11Z",
        "2026-09-21T08:02:00Z",
        True,
        [(True, "2026-10-05T08:30:00Z", "2026-11-13T16:44:00Z", "eu-west-1", "ec2")],
    ),
    "chen": ("2026-11-12T10:01:54Z", "2026-09-28T09:14:00Z", True, []),
    "dana": (
        "2026-11-14T07:45:30Z",
        "2026-10-12T08:00:00Z",
        True,
        [
            (True, "2026-09-01T09:00:00Z", "2026-11-14T04:00:00Z", "eu-west-1", "s3"),
            (True, "2026-10-20T09:00:00Z", "2026-11-15T04:00:00Z", "eu-west-1", "s3"),
        ],
    ),
    "olga": ("2026-11-13T11:30:02Z", "2026-08-30T10:00:00Z", False, []),
    "marco": ("2025-03-18T14:05:00Z", "2024-12-02T09:00:00Z", True, []),
    "deploy-mobile": (
        None,
        None,
        False,
        [(True, "2023-10-30T16:43:00Z", "2026-11-15T22:51:00Z", "us-east-1", "route53")],
    ),
    "eva": ("2026-11-10T13:15:27Z", "2026-10-19T12:00:00Z", True, []),
}

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
SSM_CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
LAMBDA_BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"

# name: (attached policies, inline policies); a policy without an ARN is one of ours.
GROUPS = {
    "administrators": (["assume-admin"], {}),
    "platform": (["dns-edit", READ_ONLY], {}),
    "developers": (["developers", READ_ONLY], {}),
    "payments": (["payments-operations"], {}),
    "data": (["analytics-lake"], {"notebooks": policies.NOTEBOOKS}),
}

# name: (created, trust, attached, inline, tags, last used, instance profile)
EC2 = "ec2.amazonaws.com"
ROLES = {
    "admin": (
        "2022-03-07T07:00:00Z",
        policies.trust_account(mfa=True),
        [ADMINISTRATOR],
        {},
        tags("r01_admin_platform", importance="critical", dr="none"),
        "2026-11-15T20:02:00Z",
        False,
    ),
    "break-glass-dns": (
        "2024-02-05T10:00:00Z",
        policies.trust_account(mfa=True),
        [],
        {"dns": policies.DNS_ADMIN},
        tags("r02_break-glass-dns_platform", importance="critical", dr="none"),
        "2026-10-07T06:50:00Z",
        False,
    ),
    "web-checkout": (
        "2022-03-08T10:00:00Z",
        policies.trust_service(EC2),
        [SSM_CORE],
        {"queue": policies.QUEUE_SEND},
        tags("r03_web_checkout", importance="critical", dr="none"),
        "2026-11-16T05:40:00Z",
        True,
    ),
    "web-catalog": (
        "2022-03-08T10:10:00Z",
        policies.trust_service(EC2),
        [SSM_CORE],
        {"uploads": policies.UPLOADS},
        tags("r04_web_catalog", importance="high", dr="none"),
        "2026-11-16T05:41:00Z",
        True,
    ),
    "api-payments": (
        "2022-03-08T10:20:00Z",
        policies.trust_service(EC2),
        [SSM_CORE, "payments-decrypt"],
        {},
        tags("r05_api_payments", importance="critical", dr="none"),
        "2026-11-16T05:42:00Z",
        True,
    ),
    "api-identity": (
        "2022-03-08T10:30:00Z",
        policies.trust_service(EC2),
        [SSM_CORE],
        {"users": policies.USERS_TABLE},
        tags("r06_api_identity", importance="critical", dr="none"),
        "2026-11-16T05:43:00Z",
        True,
    ),
    "etl-analytics": (
        "2024-05-14T10:00:00Z",
        policies.trust_service(EC2),
        [SSM_CORE, "analytics-etl"],
        {},
        tags("r07_etl_analytics", importance="medium", dr="none"),
        "2026-11-16T05:44:00Z",
        True,
    ),
    "bastion": (
        "2022-03-08T10:40:00Z",
        policies.trust_service(EC2),
        [SSM_CORE],
        {},
        tags("r08_bastion_platform", importance="high", dr="none"),
        "2026-11-16T05:45:00Z",
        True,
    ),
    "staging-web": (
        "2023-06-01T10:40:00Z",
        policies.trust_service(EC2),
        [SSM_CORE],
        {},
        tags("r09_web_checkout", importance="low", env="staging", dr="none"),
        "2026-11-16T05:46:00Z",
        True,
    ),
    "lambda-invoice": (
        "2023-03-01T10:00:00Z",
        policies.trust_service("lambda.amazonaws.com", source_account=True),
        [LAMBDA_BASIC],
        {"queue": policies.QUEUE_READ},
        tags("r10_invoice_payments", importance="high", dr="none"),
        "2026-11-16T05:47:00Z",
        False,
    ),
    "lambda-thumbnail": (
        "2023-03-01T10:10:00Z",
        policies.trust_service("lambda.amazonaws.com", source_account=True),
        [LAMBDA_BASIC],
        {"uploads": policies.UPLOADS},
        tags("r11_thumbnail_catalog", importance="low", dr="none"),
        "2026-11-16T05:48:00Z",
        False,
    ),
    "flow-logs": (
        "2022-03-08T11:00:00Z",
        policies.trust_service("vpc-flow-logs.amazonaws.com", source_account=True),
        [],
        {"logs": policies.WRITE_LOGS},
        tags("r12_flow-logs_platform", importance="medium", dr="none"),
        "2026-11-16T05:49:00Z",
        False,
    ),
    "backup": (
        "2024-09-02T10:00:00Z",
        policies.trust_service("backup.amazonaws.com", source_account=True),
        ["arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"],
        {},
        tags("r13_backup_payments", importance="critical", dr="none"),
        "2026-11-16T03:00:00Z",
        False,
    ),
    "s3-replication": (
        "2023-09-02T10:00:00Z",
        policies.trust_service("s3.amazonaws.com", source_account=True),
        [],
        {"copy": policies.REPLICATE},
        tags("r14_replication_platform", importance="high", dr="none"),
        "2026-11-16T05:50:00Z",
        False,
    ),
    "partner-audit": (
        "2023-05-02T10:00:00Z",
        policies.trust_partner(),
        [READ_ONLY],
        {},
        {},
        "2025-02-11T10:00:00Z",
        False,
    ),
    "github-deploy": (
        "2024-07-01T10:00:00Z",
        policies.trust_github(bound=False),
        ["deploy"],
        {},
        tags("r15_github-deploy_platform", importance="high", dr="none"),
        "2026-11-14T17:30:00Z",
        False,
    ),
    "github-assets": (
        "2025-01-20T10:00:00Z",
        policies.trust_github(bound=True),
        [],
        {"assets": policies.ASSETS},
        tags("r16_github-assets_catalog", importance="low", dr="none"),
        "2026-11-13T12:10:00Z",
        False,
    ),
}


def build(shop):
    shop.at("2022-03-07T07:00:00Z")
    iam = shop.client("iam")
    iam.create_account_alias(AccountAlias="shop-example")
    iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com",
        ClientIDList=["sts.amazonaws.com"],
        ThumbprintList=["6938fd4d98bab03faadb97b34396831e3780aea1"],
    )
    managed_policies(shop, policies.CUSTOMER_MANAGED)
    shop.at("2022-03-07T07:30:00Z")
    groups(shop, GROUPS)
    users(shop, USERS, CREDENTIALS)
    iam.attach_user_policy(UserName="deploy-mobile", PolicyArn=ADMINISTRATOR)
    roles(shop, ROLES)
    plant(shop)


def managed_policies(shop, documents):
    for name, (created, document) in documents.items():
        shop.at(created)
        shop.ids[f"policy-{name}"] = shop.client("iam").create_policy(
            PolicyName=name, PolicyDocument=json.dumps(document)
        )["Policy"]["Arn"]


def policy_arn(shop, name):
    return name if name.startswith("arn:") else shop.ids[f"policy-{name}"]


def groups(shop, rows):
    iam = shop.client("iam")
    for name, (attached, inline) in rows.items():
        iam.create_group(GroupName=name)
        for policy in attached:
            iam.attach_group_policy(GroupName=name, PolicyArn=policy_arn(shop, policy))
        for policy, document in inline.items():
            iam.put_group_policy(GroupName=name, PolicyName=policy, PolicyDocument=json.dumps(document))


def users(shop, rows, credentials):
    iam = shop.client("iam")
    for name, (created, member_of, scheme) in rows.items():
        shop.at(created)
        iam.create_user(UserName=name, Tags=pairs(scheme))
        for group in member_of:
            iam.add_user_to_group(UserName=name, GroupName=group)
        _, changed, mfa, keys = credentials[name]
        if changed:
            shop.at(changed)
            iam.create_login_profile(UserName=name, Password="only-in-the-emulator-1A!")
        if mfa:
            device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
            iam.enable_mfa_device(
                UserName=name, SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="234567"
            )
        for active, key_created, *_ in keys:
            shop.at(key_created)
            key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
            if not active:
                iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")


def roles(shop, rows):
    iam = shop.client("iam")
    for name, (created, trust, attached, inline, scheme, _, profile) in rows.items():
        shop.at(created)
        shop.ids[f"role-{name}"] = iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), Tags=pairs(scheme)
        )["Role"]["Arn"]
        for policy in attached:
            iam.attach_role_policy(RoleName=name, PolicyArn=policy_arn(shop, policy))
        for policy, document in inline.items():
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
        if profile:
            shop.ids[f"profile-{name}"] = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"][
                "Arn"
            ]
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)


def plant(shop):
    user = lambda name: iam_arn("user", name)  # noqa: E731
    role = lambda name: iam_arn("role", name)  # noqa: E731
    policy = lambda name: iam_arn("policy", name)  # noqa: E731
    shop.fault("root-mfa", account_arn(), "the root user has no MFA")
    shop.fault("password-policy", account_arn(), "minimum length 8, no reuse prevention")
    shop.fault(
        "admin-user-static-key",
        user("deploy-mobile"),
        "administrator with an active key of 2023, shipped in the mobile app",
    )
    shop.fault("user-key-age", user("deploy-mobile"), "the key is three years old")
    shop.fault("policy-on-user", user("deploy-mobile"), "AdministratorAccess is attached to the user itself")
    shop.fault("policy-admin-attached", user("deploy-mobile"), "AdministratorAccess")
    shop.fault(
        "policy-admin-attached",
        role("admin"),
        "AdministratorAccess; the one place where it is meant to be, and needs MFA",
    )
    shop.fault("user-console-no-mfa", user("olga"), "console password without MFA")
    shop.fault("user-credential-unused", user("marco"), "left in 2025, the password still works")
    shop.fault("user-two-keys", user("dana"), "two active keys")
    shop.fault("policy-passrole-star", policy("developers"), "iam:PassRole on * without iam:PassedToService")
    # No role that Lambda may take is worth it: they may create functions, and pass no role that leads further.
    for name in ("ben", "chen", "olga", "marco", "eva"):
        shop.fault("privesc-path", user(name), "no role that may more takes functions", "pass")
    shop.fault("privesc-path", user("anna"), "administrator by the role that she was given", "pass")
    shop.fault("privesc-path", role("github-deploy"), "support-engineer, then support-admin: iam:PutRolePolicy")
    shop.fault("danger-no-mfa", account_arn(), "deploy-mobile is an administrator with a key")
    shop.fault("danger-sod", account_arn(), "github-deploy may stop the trail, and delete the rest")
    shop.fault("danger-unscoped", policy("deploy"), "Allow with NotAction on *")
    shop.fault("danger-unscoped", policy("developers"), "lambda:UpdateFunctionCode on *")
    shop.fault("policy-service-wildcard", policy("analytics-etl"), "s3:* on *")
    shop.fault("policy-kms-decrypt-all", policy("payments-decrypt"), "kms:Decrypt on *")
    shop.fault("policy-notaction-allow", policy("deploy"), "Allow with NotAction")
    shop.fault(
        "trust-external-no-externalid", role("partner-audit"), "444455556666 may assume it without an external id"
    )
    shop.fault("trust-oidc-unbound", role("github-deploy"), "any GitHub repository may assume it: no condition on sub")
    shop.fault("role-unused", role("partner-audit"), "last used 2025-02-11")
    shop.fault(
        "server-cert-expired", f"arn:aws:iam::{ACCOUNT_ID}:server-certificate/shop-2024", "expired on 2025-04-01"
    )
