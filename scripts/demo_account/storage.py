"""S3: buckets kept private, versioned and logged, and a few that are not."""

import hashlib
import json

from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION, pairs, tags

PRIVATE = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}

# name: (created, region, tags, versioned, logged, TLS only)
BUCKETS = {
    "shop-prod-logs": (
        "2022-03-05T09:00:00Z",
        MAIN_REGION,
        tags("b90_logs_platform", importance="medium", dr="none"),
        True,
        False,
        True,
    ),
    "shop-prod-trail": (
        "2022-03-05T09:10:00Z",
        MAIN_REGION,
        tags("b91_trail_platform", importance="high", dr="none"),
        False,
        True,
        True,
    ),
    "shop-prod-uploads": (
        "2022-03-05T09:20:00Z",
        MAIN_REGION,
        tags("b11_uploads_catalog", importance="high", dr="backup"),
        True,
        True,
        True,
    ),
    "shop-prod-assets": (
        "2022-03-05T09:30:00Z",
        MAIN_REGION,
        tags("b12_assets_catalog", importance="low", dr="none"),
        True,
        True,
        False,
    ),
    "shop-prod-backups": (
        "2023-09-02T09:00:00Z",
        MAIN_REGION,
        tags("b92_backups_platform", importance="critical", dr="replication"),
        True,
        True,
        True,
    ),
    "shop-dr-backups": (
        "2023-09-02T08:50:00Z",
        GLOBAL_REGION,
        tags("b93_backups-copy_platform", importance="critical", dr="none"),
        True,
        False,
        True,
    ),
    "shop-prod-lake": (
        "2024-05-14T08:00:00Z",
        MAIN_REGION,
        {"Name": "b31_lake_analytics", "owner": "team-data", "Environment": "Production"},
        False,
        False,
        False,
    ),
    "shop-staging-uploads": ("2023-06-01T08:00:00Z", MAIN_REGION, {}, False, True, True),
}


def build(shop):
    for name, row in BUCKETS.items():
        bucket(
            shop,
            name,
            *row,
            locked=name == "shop-prod-backups",
            private=name not in ("shop-prod-assets", "shop-prod-lake"),
            statements=extra_statements(name),
        )
    shop.at("2023-09-02T11:00:00Z")
    replicate(shop)
    shop.at("2022-03-05T12:00:00Z")
    s3 = shop.client("s3")
    expire(s3, "shop-prod-trail", 90)
    expire(s3, "shop-prod-logs", 400)
    # One owner, whose id and name the emulator gives differently in two places.
    owner = hashlib.sha256(b"shop").hexdigest()
    for emulated in (
        "bcaf1ffd86f41161ca5fb16fd081034f",
        "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a",
    ):
        shop.replacements.append((f'"{emulated}"', f'"{owner}"'))
    shop.replacements.append(('"DisplayName": "webfile"', '"DisplayName": "shop"'))
    # Somebody's policy keeps even the inventory out: what it says stays unknown.
    shop.denied(
        "s3",
        "GetBucketPolicy",
        's3:GetBucketPolicy on resource: "arn:aws:s3:::shop-staging-uploads"',
        "shop-staging-uploads",
        GLOBAL_REGION,
    )
    plant(shop)


def bucket(shop, name, created, region, scheme, versioned, logged, tls, locked=False, private=True, statements=()):
    shop.at(created)
    s3 = shop.client("s3", region)
    locked = {"ObjectLockEnabledForBucket": True} if locked else {}
    location = {} if region == GLOBAL_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **location, **locked)
    if scheme:
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs(scheme)})
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    key = (
        {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": shop.ids["key-shop"]}
        if name == "shop-prod-uploads"
        else {"SSEAlgorithm": "AES256"}
    )
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": key, "BucketKeyEnabled": name == "shop-prod-uploads"}]
        },
    )
    if locked:
        rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 35}}
        s3.put_object_lock_configuration(
            Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )
    statements = ([tls_only(name)] if tls else []) + list(statements)
    if statements:
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    if private:
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=PRIVATE)
    # Since April 2023 a new bucket has no ACLs; the older ones were changed later, but for the public one.
    if name != "shop-prod-assets":
        s3.put_bucket_ownership_controls(
            Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        )
    if logged:
        target = {"LoggingEnabled": {"TargetBucket": "shop-prod-logs", "TargetPrefix": f"s3/{name}/"}}
        shop.answer("s3", "GetBucketLogging", target, name, GLOBAL_REGION)


def tls_only(name):
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def extra_statements(name):
    if name == "shop-prod-assets":
        return [
            {
                "Sid": "PublicRead",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{name}/*",
            }
        ]
    if name == "shop-prod-trail":
        trail = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
        same_account = {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}}
        return [
            {
                **trail,
                "Sid": "TrailAcl",
                "Action": "s3:GetBucketAcl",
                "Resource": f"arn:aws:s3:::{name}",
                "Condition": same_account,
            },
            {
                **trail,
                "Sid": "TrailWrite",
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{name}/AWSLogs/{ACCOUNT_ID}/*",
                "Condition": same_account,
            },
        ]
    if name == "shop-prod-logs":
        service = {
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}},
        }
        balancers = {"Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}}
        return [
            {
                "Sid": "AccessLogs",
                "Effect": "Allow",
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{name}/s3/*",
                **service,
            },
            {
                "Sid": "BalancerLogs",
                "Effect": "Allow",
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{name}/alb/*",
                **balancers,
            },
        ]
    return []


def expire(s3, name, days):
    s3.put_bucket_lifecycle_configuration(
        Bucket=name,
        LifecycleConfiguration={
            "Rules": [{"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": days}}]
        },
    )


def replicate(shop):
    shop.client("s3").put_bucket_replication(
        Bucket="shop-prod-backups",
        ReplicationConfiguration={
            "Role": shop.ids["role-s3-replication"],
            "Rules": [
                {
                    "ID": "copy-to-us-east-1",
                    "Priority": 1,
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "DeleteMarkerReplication": {"Status": "Disabled"},
                    "Destination": {"Bucket": "arn:aws:s3:::shop-dr-backups"},
                }
            ],
        },
    )


def plant(shop):
    bucket = lambda name: f"arn:aws:s3:::{name}"  # noqa: E731
    shop.fault("s3-public", bucket("shop-prod-assets"), "its policy lets everyone read, and nothing blocks it")
    shop.fault("s3-tls", bucket("shop-prod-assets"), "HTTP is not denied")
    for name in ("shop-prod-assets", "shop-prod-lake"):
        shop.fault("s3-bucket-bpa", bucket(name), "no public access block")
    shop.fault("s3-tls", bucket("shop-prod-lake"), "no policy")
    # Not the bucket that receives the logs: logging it to itself would never end.
    for name in ("shop-dr-backups", "shop-prod-lake"):
        shop.fault("s3-access-logs", bucket(name), "no access logs")
    shop.fault("trail-retention-1y", bucket("shop-prod-trail"), "the trail's objects expire after 90 days")
    shop.fault("trail-bucket-mutable", bucket("shop-prod-trail"), "no versioning, no object lock")
    shop.fault("tag-key-variant", bucket("shop-prod-lake"), "owner, Production")
    shop.fault("tag-value-vocabulary", bucket("shop-prod-lake"), "Environment=Production")
    shop.fault("tag-required-missing", bucket("shop-prod-lake"), "no Owner, Importance, DR")
    shop.fault("tag-required-missing", bucket("shop-staging-uploads"), "no tags")
    shop.fault("s3-tls", bucket("shop-staging-uploads"), "reading its policy was denied", status="unknown")
    for name in ("shop-prod-backups", "shop-dr-backups"):
        shop.fault("s3-mfa-delete", bucket(name), "critical, without MFA delete")
