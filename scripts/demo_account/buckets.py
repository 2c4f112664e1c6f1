"""Buckets of the later systems: films and their copy, reports that a partner fetches, two more for trails."""

from . import storage
from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION, tags

PARTNER = "777788889999"


def statement(sid, principal, actions, name, objects=True, condition=None):
    rest = {"Condition": condition} if condition else {}
    resource = f"arn:aws:s3:::{name}" + ("/*" if objects else "")
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": actions,
        "Resource": resource,
        **rest,
    }


def for_trails(name):
    service = {"Service": "cloudtrail.amazonaws.com"}
    own = {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}}
    return [
        statement("TrailAcl", service, "s3:GetBucketAcl", name, objects=False, condition=own),
        statement("TrailWrite", service, "s3:PutObject", name, condition=own),
    ]


# name: (created, region, tags, versioned, logged, TLS only, options of storage.bucket)
BUCKETS = {
    # The films are only here, and versions were thought to be too dear.
    "shop-prod-media": (
        "2024-02-12T09:00:00Z",
        MAIN_REGION,
        tags("b41_films_media", importance="critical", dr="none"),
        False,
        True,
        True,
        {
            "statements": [
                statement(
                    "Distribution",
                    {"Service": "cloudfront.amazonaws.com"},
                    "s3:GetObject",
                    "shop-prod-media",
                    condition={"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}},
                )
            ]
        },
    ),
    "shop-dr-media": (
        "2024-02-12T09:10:00Z",
        GLOBAL_REGION,
        tags("b42_films-copy_media", importance="high", dr="backup"),
        True,
        False,
        True,
        {},
    ),
    "shop-media-logs": (
        "2024-02-12T09:20:00Z",
        MAIN_REGION,
        tags("b43_cdn-logs_media", importance="low", dr="none"),
        False,
        True,
        True,
        {},
    ),
    "shop-prod-reports": (
        "2024-09-16T09:00:00Z",
        MAIN_REGION,
        tags("b51_reports_reporting", importance="critical", dr="backup"),
        True,
        True,
        True,
        {
            "statements": [
                # To fetch reports was what the partner had asked for.
                statement(
                    "Partner",
                    {"AWS": f"arn:aws:iam::{PARTNER}:root"},
                    ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:PutBucketPolicy"],
                    "shop-prod-reports",
                )
            ]
        },
    ),
    "shop-data-trail": (
        "2026-07-06T09:00:00Z",
        MAIN_REGION,
        tags("b94_data-trail_platform", importance="high", dr="backup"),
        True,
        True,
        True,
        {"locked": True, "statements": for_trails("shop-data-trail")},
    ),
    # Opened for an afternoon in which a contractor looked for an error.
    "shop-dev-trail": (
        "2023-11-06T10:00:00Z",
        MAIN_REGION,
        tags("b95_trail_platform", importance="low", dr="none", env="dev"),
        False,
        False,
        False,
        {
            "private": False,
            "statements": [
                *for_trails("shop-dev-trail"),
                statement("Contractor", "*", "s3:GetObject", "shop-dev-trail"),
            ],
        },
    ),
}


def build(shop):
    for name, (*row, options) in BUCKETS.items():
        storage.bucket(shop, name, *row, **options)
        shop.ids[name] = f"arn:aws:s3:::{name}"
    s3 = shop.client("s3")
    shop.at("2026-07-06T10:00:00Z")
    storage.expire(s3, "shop-data-trail", 400)
    storage.expire(s3, "shop-media-logs", 400)
    storage.expire(s3, "shop-dev-trail", 400)
    # The one bucket in which only the second factor of the root user deletes a version.
    kept = {"Status": "Enabled", "MFADelete": "Enabled"}
    shop.answer("s3", "GetBucketVersioning", kept, "shop-prod-reports", GLOBAL_REGION)
    plant(shop)


def plant(shop):
    shop.fault("s3-versioning", shop.ids["shop-prod-media"], "critical, without versions or a copy")
    shop.fault("s3-mfa-delete", shop.ids["shop-prod-media"], "critical, without MFA delete")
    shop.fault("s3-cross-account", shop.ids["shop-prod-reports"], f"{PARTNER} may change it, and its policy")
    shop.fault(
        "s3-cross-account", "arn:aws:s3:::shop-staging-uploads", "reading its policy was denied", status="unknown"
    )
    dev = shop.ids["shop-dev-trail"]
    shop.fault("trail-bucket-public", dev, "everybody may read the trail of development")
    shop.fault("s3-public", dev, "its policy lets everyone read, and nothing blocks it")
    shop.fault("s3-bucket-bpa", dev, "no public access block")
    shop.fault("s3-tls", dev, "HTTP is not denied")
    shop.fault("trail-bucket-logging", dev, "no access logs")
    shop.fault("trail-bucket-mutable", dev, "no versioning, no object lock")
    for name in ("shop-dr-media", "shop-dev-trail"):
        shop.fault("s3-access-logs", shop.ids[name], "no access logs")
