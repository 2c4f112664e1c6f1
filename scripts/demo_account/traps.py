"""IAM that is read wrongly at a glance: each principal here is one way in which a grant is wider, or narrower, than it looks."""

from . import identity
from .policies import MFA, allow, document, trust_account, trust_service
from .shop import ACCOUNT_ID, MAIN_REGION, account_arn, iam_arn, tags

NO_MFA = {"aws:MultiFactorAuthPresent": "false"}
# What everybody needs before there is a second factor.
SIGN_IN = ["iam:ChangePassword", "iam:EnableMFADevice", "iam:ListMFADevices", "sts:GetSessionToken"]
SUPPORT_ADMIN = f"arn:aws:iam::{ACCOUNT_ID}:role/support-admin"
TICKETS = f"arn:aws:rds:{MAIN_REGION}:{ACCOUNT_ID}:db:d41-tickets-backoffice"
LEDGER = f"arn:aws:rds:{MAIN_REGION}:{ACCOUNT_ID}:db:d21-ledger-payments"
# Not a guessable subject: any project of the host, by any branch.
RUNNER_HOST = "git.shop.example.com"


def deny(condition, **rest):
    return {"Effect": "Deny", "Resource": "*", "Condition": condition, **rest}


def trust(principal, action="sts:AssumeRole", condition=None):
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return document(statement | ({"Condition": condition} if condition else {}))


def trust_runner():
    return trust(
        {"Federated": f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/{RUNNER_HOST}"},
        "sts:AssumeRoleWithWebIdentity",
        {"StringEquals": {f"{RUNNER_HOST}:aud": "sts.amazonaws.com"}, "StringLike": {f"{RUNNER_HOST}:sub": "*"}},
    )


# name: (created, document)
POLICIES = {
    # A deny in one group takes away what another group gives.
    "guardrails": (
        "2024-02-05T09:00:00Z",
        document(
            {
                "Sid": "KeepTheTrail",
                "Effect": "Deny",
                "Action": ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors"],
                "Resource": "*",
            }
        ),
    ),
    # Right: with BoolIfExists the deny also holds for long-term keys, whose requests have no such key in their context.
    "mfa-or-nothing": (
        "2024-02-05T09:10:00Z",
        document(deny({"BoolIfExists": NO_MFA}, Sid="DenyWithoutMfa", NotAction=SIGN_IN)),
    ),
    # Wrong: Bool doesn't match where the key is absent, so that access keys pass.
    "mfa-for-people": (
        "2024-02-05T09:20:00Z",
        document(deny({"Bool": NO_MFA}, Sid="DenyWithoutMfa", NotAction=SIGN_IN)),
    ),
    "shipping-operations": (
        "2024-06-03T09:00:00Z",
        document(
            allow(["ecs:UpdateService", "ecs:StopTask", "ecs:DeleteService"], "*"),
            allow(["elasticfilesystem:DeleteFileSystem", "rds:DeleteDBCluster"], "*"),
        ),
    ),
    "support-operations": (
        "2024-06-03T09:10:00Z",
        document(
            allow(["rds:RebootDBInstance", "rds:ModifyDBInstance"], TICKETS),
            allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT_ID}:role/support-engineer"),
        ),
    ),
    # Both the data and what it would be restored from, in one pair of hands.
    "database-keeper": (
        "2023-04-03T09:00:00Z",
        document(
            allow(["rds:DeleteDBInstance", "rds:ModifyDBInstance", "rds:DeleteDBSnapshot"], "*"),
            allow(["rds:DeleteDBInstanceAutomatedBackup", "backup:DeleteRecoveryPoint"], "*"),
        ),
    ),
    "release": (
        "2025-02-03T09:00:00Z",
        document(
            allow(["ec2:RunInstances", "ec2:CreateTags", "ecs:RegisterTaskDefinition", "ecs:UpdateService"], "*"),
            allow(
                "iam:PassRole",
                f"arn:aws:iam::{ACCOUNT_ID}:role/task-*",
                {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            ),
        ),
    ),
    # Looks like a limit to the tools of the sandbox; the boundary below is what limits it.
    "sandbox-builder": (
        "2025-05-05T09:00:00Z",
        document(allow(["iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy", "lambda:*"], "*")),
    ),
    "sandbox-boundary": (
        "2025-05-05T08:50:00Z",
        document(allow(["lambda:CreateFunction", "lambda:InvokeFunction", "logs:*", "s3:GetObject"], "*")),
    ),
    "helpdesk": (
        "2025-05-05T09:10:00Z",
        document(allow(["iam:UpdateLoginProfile", "iam:CreateLoginProfile"], f"arn:aws:iam::{ACCOUNT_ID}:user/*", MFA)),
    ),
}

# name: (attached policies, inline policies)
GROUPS = {
    "everybody": (["guardrails"], {}),
    "logistics": (["shipping-operations", "mfa-for-people"], {}),
    "support": (["support-operations", "mfa-or-nothing"], {}),
    "helpdesk": (["helpdesk"], {}),
    # Whoever was on call once is in it still.
    "on-call": (["database-keeper"], {}),
}
ON_CALL = ("anna", "ben", "chen", "eva", "gita", "hana", "finn")

USERS = {
    "finn": (
        "2024-06-03T10:00:00Z",
        ["everybody", "logistics"],
        tags("u07_finn_shipping", importance="medium", dr="none"),
    ),
    "gita": (
        "2024-06-03T10:10:00Z",
        ["everybody", "support"],
        tags("u08_gita_backoffice", importance="medium", dr="none"),
    ),
    "hana": (
        "2025-05-05T10:00:00Z",
        ["everybody", "support", "helpdesk"],
        tags("u09_hana_backoffice", importance="medium", dr="none"),
    ),
    "ivo": ("2023-04-03T10:00:00Z", ["everybody"], tags("u10_ivo_reporting", importance="high", dr="none")),
}

CREDENTIALS = {
    "finn": (
        "2026-11-12T06:40:00Z",
        "2026-09-14T07:00:00Z",
        True,
        [(True, "2026-09-30T07:00:00Z", "2026-11-14T05:10:00Z", "eu-west-1", "ecs")],
    ),
    "gita": ("2026-11-13T08:05:00Z", "2026-10-05T08:00:00Z", True, []),
    "hana": ("2026-11-13T08:15:00Z", "2026-10-05T08:10:00Z", True, []),
    "ivo": ("2026-11-11T09:30:00Z", "2026-08-31T09:00:00Z", True, []),
}

EC2, LAMBDA, TASKS = "ec2.amazonaws.com", "lambda.amazonaws.com", "ecs-tasks.amazonaws.com"
USED = "2026-11-16T05:30:00Z"


def role(created, trusted, attached, inline, name, importance, used=USED, env="prod", **more):
    scheme = tags(name, importance=importance, dr="none", env=env, **more)
    return created, trusted, attached, inline, scheme, used, False


ROLES = {
    # The chain: every member of support may become the one, and the one the other, which may do everything to roles.
    "support-engineer": role(
        "2024-06-03T08:00:00Z",
        trust_account(mfa=False),
        [identity.READ_ONLY],
        {"next": document(allow("sts:AssumeRole", SUPPORT_ADMIN))},
        "r21_support-engineer_backoffice",
        "medium",
    ),
    "support-admin": role(
        "2024-06-03T08:10:00Z",
        trust({"AWS": f"arn:aws:iam::{ACCOUNT_ID}:role/support-engineer"}),
        [],
        {"roles": document(allow(["iam:AttachRolePolicy", "iam:PutRolePolicy"], "*"))},
        "r22_support-admin_backoffice",
        "high",
    ),
    # As it should be: one task, a second factor, nothing of the backups.
    "dba-break-glass": role(
        "2025-02-03T08:00:00Z",
        trust_account(mfa=True),
        [],
        {"ledger": document(allow(["rds:DeleteDBInstance", "rds:ModifyDBInstance"], LEDGER, MFA))},
        "r23_break-glass-dba_payments",
        "critical",
        "2026-10-20T04:10:00Z",
        LastAssessed="2026-03-12",
    ),
    "sandbox-builder": role(
        "2025-05-05T09:20:00Z",
        trust_account(mfa=True),
        ["sandbox-builder"],
        {},
        "r24_sandbox-builder_analytics",
        "low",
        "2026-11-10T10:00:00Z",
        env="dev",
    ),
    "bounce-handler": role(
        "2023-09-18T08:00:00Z",
        trust_service("sns.amazonaws.com"),
        [],
        {
            "logs": document(
                allow("logs:PutLogEvents", f"arn:aws:logs:{MAIN_REGION}:{ACCOUNT_ID}:log-group:/sns/bounces:*")
            )
        },
        "r25_bounces_notifications",
        "medium",
    ),
    "gitlab-runner": role("2025-02-03T08:20:00Z", trust_runner(), ["release"], {}, "r26_runner_platform", "high"),
    "vendor-bi": role(
        "2024-09-16T08:00:00Z",
        trust({"AWS": "arn:aws:iam::777788889999:root"}),
        [],
        {"reports": document(allow("s3:GetObject", "arn:aws:s3:::shop-prod-reports/*"))},
        "r27_vendor-bi_reporting",
        "medium",
        "2026-11-15T22:00:00Z",
    ),
    "vendor-monitoring": role(
        "2024-09-16T08:10:00Z",
        trust(
            {"AWS": "arn:aws:iam::777788889999:root"},
            condition={"StringEquals": {"sts:ExternalId": "shop-4711"}},
        ),
        [identity.READ_ONLY],
        {},
        "r28_vendor-monitoring_platform",
        "medium",
    ),
    "open-house": role(
        "2023-11-07T08:00:00Z",
        trust({"AWS": "*"}),
        [],
        {"sandbox": document(allow("s3:ListAllMyBuckets", "*"))},
        "r29_open-house_analytics",
        "low",
        "2026-09-03T13:20:00Z",
        env="dev",
    ),
    "release-manager": role(
        "2025-02-03T08:30:00Z",
        trust_account(mfa=True),
        ["release"],
        {"own": document(allow("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT_ID}:policy/release"))},
        "r30_release-manager_platform",
        "high",
        "2026-11-13T15:45:00Z",
    ),
}


def build(shop):
    shop.at("2025-02-03T07:50:00Z")
    iam = shop.client("iam")
    iam.create_open_id_connect_provider(
        Url=f"https://{RUNNER_HOST}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a0" * 20]
    )
    identity.managed_policies(shop, POLICIES)
    shop.at("2024-02-05T09:30:00Z")
    identity.groups(shop, GROUPS)
    identity.users(shop, USERS, CREDENTIALS)
    for user in ("ben", "chen", "eva"):
        iam.add_user_to_group(UserName=user, GroupName="everybody")
    for user in ON_CALL:
        iam.add_user_to_group(UserName=user, GroupName="on-call")
    iam.attach_user_policy(UserName="ivo", PolicyArn=shop.ids["policy-database-keeper"])
    identity.roles(shop, ROLES)
    boundary = shop.ids["policy-sandbox-boundary"]
    iam.put_role_permissions_boundary(RoleName="sandbox-builder", PermissionsBoundary=boundary)
    plant(shop)


def plant(shop):
    user, of = lambda name: iam_arn("user", name), lambda name: iam_arn("role", name)
    shop.fault("root-access-key", account_arn(), "a key of the first day, never deleted")
    shop.fault("user-key-age", account_arn(), "the same key")
    shop.fault("root-hardware-mfa", account_arn(), "no MFA at all")
    shop.fault("root-used", account_arn(), "signed in on the Sunday of the incident, to open a support case")
    shop.fault("support-role", account_arn(), "nobody but the root user may open a support case")
    shop.fault("trust-anyone", of("open-house"), "Principal *, no condition")
    shop.fault("trust-oidc-unbound", of("gitlab-runner"), "a condition on sub that every subject meets")
    shop.fault("trust-external-no-externalid", of("vendor-bi"), "777788889999 may assume it without an external id")
    shop.fault("trust-confused-deputy", of("bounce-handler"), "SNS on behalf of anybody: no source account")
    shop.fault("policy-on-user", user("ivo"), "database-keeper is attached to the user itself")
    shop.fault("policy-service-wildcard", iam_arn("policy", "sandbox-builder"), "lambda:* on *")
    shop.fault("policy-service-wildcard", iam_arn("policy", "sandbox-boundary"), "logs:* on *")
    shop.fault("privesc-path", user("gita"), "support-engineer, then support-admin: iam:AttachRolePolicy on every role")
    shop.fault("privesc-path", user("hana"), "as gita, and passwords of other users")
    shop.fault("privesc-path", of("support-engineer"), "sts:AssumeRole on support-admin")
    shop.fault("privesc-path", of("support-admin"), "iam:AttachRolePolicy and iam:PutRolePolicy on *")
    shop.fault("privesc-path", of("release-manager"), "iam:CreatePolicyVersion on a policy of its own")
    shop.fault("danger-no-mfa", shop.ids["zone"], "the group platform may delete it without MFA")
    shop.fault("danger-not-role", shop.ids["zone"], "granted to a group, not to a role for the purpose")
    shop.fault("danger-unscoped", iam_arn("policy", "dns-edit"), "names no zone")
    shop.fault("danger-unscoped", iam_arn("policy", "database-keeper"), "names no database")
    shop.fault("danger-not-role", shop.ids["d21_ledger_payments"], "granted to the group on-call and to ivo")
    shop.fault("danger-map", shop.ids["d21_ledger_payments"], "half of the company")
    shop.fault("danger-spread", shop.ids["d21_ledger_payments"], "whoever was on call once may delete it")
    shop.fault("danger-no-mfa", shop.ids["d21_ledger_payments"], "ivo may delete it without MFA")
    shop.fault(
        "danger-sod", shop.ids["d21_ledger_payments"], "ivo may delete it and all that it could be restored from"
    )
