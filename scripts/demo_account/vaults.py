"""Keys and secrets of the later systems: some open to everybody, one key on its way out while a secret still needs it."""

import json

from . import keys, serverless
from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION, pairs, tags

PARCELS_SECRET = (
    f"arn:aws:secretsmanager:{MAIN_REGION}:{ACCOUNT_ID}:secret:rds!cluster-8d2f4b60-17c3-4e9a-b5d8-02a6c91e7f34-Hk7WpN"
)
ROTATED = {"x31_carrier-key_shipping": "2026-11-02T03:10:00+00:00"}


def build(shop):
    shop.at("2024-06-03T11:00:00Z")
    keys.make_key(
        shop,
        "key-shipping",
        "alias/shop-shipping",
        "parcels and labels",
        tags("y11_data_shipping", importance="critical", dr="none"),
    )
    keys.make_key(
        shop,
        "key-partners",
        "alias/shop-partners",
        "reports for partners",
        tags("y12_partners_reporting", importance="medium", dr="none"),
    )
    keys.make_key(
        shop,
        "key-notifications",
        "alias/shop-notifications",
        "push provider",
        tags("y13_push_notifications", importance="medium", dr="none"),
    )
    kms = shop.client("kms")
    everybody = keys.key_policy(False)
    everybody["Statement"].append(
        {
            "Sid": "Partners",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["kms:Decrypt", "kms:DescribeKey"],
            "Resource": "*",
        }
    )
    kms.put_key_policy(
        KeyId=shop.ids["key-partners"].rsplit("/", 1)[1], PolicyName="default", Policy=json.dumps(everybody)
    )
    secrets(shop)
    shop.at("2026-11-10T09:00:00Z")
    kms.schedule_key_deletion(KeyId=shop.ids["key-notifications"].rsplit("/", 1)[1], PendingWindowInDays=30)
    standby_key(shop)
    shop.correct("secretsmanager", "ListSecrets", list_secrets)
    plant(shop)


def standby_key(shop):
    shop.at("2025-03-10T11:00:00Z")
    kms = shop.client("kms", GLOBAL_REGION)
    scheme = tags("y21_standby_platform", importance="critical", dr="none")
    created = kms.create_key(
        Description="standby of production",
        Policy=json.dumps(keys.key_policy(False)),
        Tags=[{"TagKey": name, "TagValue": value} for name, value in scheme.items()],
    )["KeyMetadata"]
    kms.create_alias(AliasName="alias/shop-standby", TargetKeyId=created["KeyId"])
    kms.enable_key_rotation(KeyId=created["KeyId"])
    shop.ids["key-standby"] = created["Arn"]
    shop.sweep(created["Arn"], scheme, GLOBAL_REGION)


def secrets(shop):
    manager = shop.client("secretsmanager")
    for name, token, key, importance in (
        ("x31_carrier-key_shipping", "2b90c7d4-6a1f-4e35-9c08-71f3d5ab6e20", "key-shipping", "high"),
        ("x32_push-key_notifications", "c14e8f07-35b2-4d69-8a7c-e902b6f1d483", "key-notifications", "medium"),
        ("x33_bi-login_reporting", "7fa2d915-c08e-4b37-a6f4-1d83e5290cb6", "key-partners", "medium"),
    ):
        shop.ids[name] = manager.create_secret(
            Name=name,
            SecretString="only-in-the-emulator",
            ClientRequestToken=token,
            KmsKeyId=shop.ids[key],
            Tags=pairs(tags(name, importance=importance, dr="none")),
        )["ARN"]
    own = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    for name, principal in (
        ("x31_carrier-key_shipping", {"AWS": shop.ids["role-task-shipping"]}),
        # Written when the login of the partner's account was not known yet.
        ("x33_bi-login_reporting", "*"),
    ):
        policy = {"Version": "2012-10-17", "Statement": [{**own, "Principal": principal}]}
        manager.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy), BlockPublicPolicy=False)


def list_secrets(shop, region, parameter, answer):
    answer = serverless.list_secrets(shop, region, parameter, answer)
    for secret in answer["SecretList"]:
        if secret["Name"] in ROTATED:
            moment = ROTATED[secret["Name"]]
            secret |= {
                "RotationEnabled": True,
                "RotationRules": {"AutomaticallyAfterDays": 30},
                "LastRotatedDate": moment,
                "LastChangedDate": moment,
                "NextRotationDate": "2026-12-02T23:59:59+00:00",
            }
    if region == MAIN_REGION:
        cluster = f"arn:aws:rds:{MAIN_REGION}:{ACCOUNT_ID}:cluster:d61-parcels-shipping"
        answer["SecretList"].append(
            serverless.rds_secret(shop)
            | {
                "ARN": PARCELS_SECRET,
                "Name": PARCELS_SECRET.split(":secret:")[1].rsplit("-", 1)[0],
                "Description": f"Secret associated with primary RDS DB cluster: {cluster}",
                "KmsKeyId": shop.ids["key-shipping"],
                "CreatedDate": "2024-06-05T09:05:00+00:00",
                "Tags": pairs(
                    {"aws:rds:primaryDBClusterArn": cluster, "aws:secretsmanager:owningService": "rds"}
                    | tags("x21_parcels-password_shipping", importance="critical", dr="none")
                ),
            }
        )
    return answer


def plant(shop):
    no_policy = {"ARN": PARCELS_SECRET, "Name": PARCELS_SECRET.split(":secret:")[1].rsplit("-", 1)[0]}
    shop.answer("secretsmanager", "GetResourcePolicy", no_policy, PARCELS_SECRET)
    shop.fault("kms-pending-deletion", shop.ids["key-notifications"], "a secret still needs it")
    shop.fault("resource-policy-public", shop.ids["key-partners"], "everybody may decrypt with it")
    shop.fault("resource-policy-public", shop.ids["x33_bi-login_reporting"], "everybody may read it")
    for name in ("x32_push-key_notifications", "x33_bi-login_reporting"):
        shop.fault("db-secret-rotation", shop.ids[name], "never rotated")
