"""CloudFront: the images of the shop, in front of the public bucket."""

from .shop import GLOBAL_REGION, tags

# The hosted zone that aliases to any distribution live in, as AWS documents it.
ALIAS_ZONE = "Z2FDTNDATAQYW2"


def build(shop):
    shop.at("2022-04-20T09:00:00Z")
    scheme = tags("e11_cdn_catalog", importance="high", dr="none")
    origin = {
        "Id": "assets",
        "DomainName": "shop-prod-assets.s3.eu-west-1.amazonaws.com",
        "OriginPath": "",
        "CustomHeaders": {"Quantity": 0},
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    behavior = {
        "TargetOriginId": "assets",
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {
            "Quantity": 2,
            "Items": ["GET", "HEAD"],
            "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
        },
        "Compress": True,
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    }
    created = shop.client("cloudfront", GLOBAL_REGION).create_distribution_with_tags(
        DistributionConfigWithTags={
            "DistributionConfig": {
                "CallerReference": "cdn-2022-04-20",
                "Aliases": {"Quantity": 1, "Items": ["cdn.shop.example.com"]},
                "DefaultRootObject": "",
                "Origins": {"Quantity": 1, "Items": [origin]},
                "DefaultCacheBehavior": behavior,
                "Comment": "images of the shop",
                "Enabled": True,
                "PriceClass": "PriceClass_100",
                "HttpVersion": "http2and3",
                "IsIPV6Enabled": True,
                "ViewerCertificate": {"CloudFrontDefaultCertificate": True, "MinimumProtocolVersion": "TLSv1"},
            },
            "Tags": {"Items": [{"Key": key, "Value": value} for key, value in scheme.items()]},
        }
    )["Distribution"]
    shop.ids["cdn"] = created["ARN"]
    shop.ids["cdn-name"] = created["DomainName"]
    shop.sweep(created["ARN"], scheme, GLOBAL_REGION)
    # Ids of distributions begin with E, their names with d, the emulator's with anything.
    number, host = created["Id"], created["DomainName"]
    shop.replacements += [(number, "E" + number[1:]), (host, "d" + host[1:])]
    shop.correct("cloudfront", "ListDistributions", distributions)
    shop.fault("cloudfront-logs", created["ARN"], "no access logs")
    shop.fault("cloudfront-failover", created["ARN"], "one origin, no group")
    shop.fault("waf-missing", created["ARN"], "no web ACL")


def distributions(shop, region, parameter, answer):
    """The date, and the origin's settings, which the emulator's list leaves out."""
    for row in answer["DistributionList"]["Items"]:
        row["LastModifiedTime"] = "2022-04-20T09:04:00+00:00"
        for origin in row["Origins"]["Items"]:
            origin["S3OriginConfig"] = {"OriginAccessIdentity": ""}
    return answer
