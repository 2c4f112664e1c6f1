"""KMS keys: three that rotate, one that nobody switched rotation on for."""

import json

from .shop import account_arn, tags


def build(shop):
    shop.at("2022-03-04T10:00:00Z")
    make_key(
        shop,
        "key-shop",
        "alias/shop",
        "shop's own data at rest",
        tags("y01_data_platform", importance="critical", dr="none"),
    )
    make_key(
        shop,
        "key-payments",
        "alias/shop-payments",
        "ledger and invoices",
        tags("y02_data_payments", importance="critical", dr="none"),
        restricted=True,
    )
    make_key(
        shop,
        "key-identity",
        "alias/shop-identity",
        "user records",
        tags("y03_data_identity", importance="critical", dr="none"),
    )
    shop.at("2024-05-14T15:30:00Z")
    make_key(
        shop,
        "key-analytics",
        "alias/shop-analytics",
        "event lake",
        tags("y04_data_analytics", importance="medium"),
        rotated=False,
    )
    shop.fault("kms-rotation", shop.ids["key-analytics"], "rotation of alias/shop-analytics is off")


def make_key(shop, key, alias, description, scheme, rotated=True, restricted=False):
    kms = shop.client("kms")
    created = kms.create_key(
        Description=description,
        Policy=json.dumps(key_policy(restricted)),
        Tags=[{"TagKey": name, "TagValue": value} for name, value in scheme.items()],
    )["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=created["KeyId"])
    if rotated:
        kms.enable_key_rotation(KeyId=created["KeyId"])
    shop.ids[key] = created["Arn"]
    shop.sweep(created["Arn"], scheme)


def key_policy(restricted):
    """The default policy of the console; `restricted` adds a deny on deletion without MFA."""
    statements = [
        {
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": account_arn()},
            "Action": "kms:*",
            "Resource": "*",
        }
    ]
    if restricted:
        statements.append(
            {
                "Sid": "DeletionNeedsMfa",
                "Effect": "Deny",
                "Principal": {"AWS": account_arn()},
                "Action": ["kms:ScheduleKeyDeletion", "kms:DisableKey"],
                "Resource": "*",
                "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
            }
        )
    return {"Version": "2012-10-17", "Id": "key-default-1", "Statement": statements}
