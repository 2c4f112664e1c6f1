"""CloudFront of the films, as it should be, and of a campaign whose bucket is gone; the second public zone."""

from . import dns, edge
from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION, pairs, tags

NONE = {"Quantity": 0}
# name: (alias, origins (id, bucket), importance, logs)
DISTRIBUTIONS = {
    "e21_films_media": (
        "films.shop.example.com",
        (
            ("films", f"shop-prod-media.s3.{MAIN_REGION}.amazonaws.com"),
            ("films-copy", f"shop-dr-media.s3.{GLOBAL_REGION}.amazonaws.com"),
        ),
        "high",
        "shop-media-logs.s3.amazonaws.com",
    ),
    "e22_summer-campaign_media": (
        "summer.shop.example.com",
        (("campaign", f"shop-campaign-2023.s3.{MAIN_REGION}.amazonaws.com"),),
        "low",
        None,
    ),
}
WEB_ACL = (
    f"arn:aws:wafv2:{GLOBAL_REGION}:{ACCOUNT_ID}:global/webacl/wa21_films_media/7e0c9d52-41b8-4f6a-9a3e-5c27d8f1b064"
)
RECORDS = [
    ("example.org.", "MX", 3600, ["10 mx1.mail.example.net"]),
    ("example.org.", "TXT", 3600, ['"v=spf1 -all"']),
    ("www.example.org.", "CNAME", 300, ["www.shop.example.com"]),
]


def build(shop):
    shop.at("2024-02-13T09:00:00Z")
    scheme = tags("m21_edge-certificate_media", importance="high", dr="none")
    # CloudFront takes certificates of this region only.
    shop.ids["certificate-edge"] = shop.client("acm", GLOBAL_REGION).request_certificate(
        DomainName="*.shop.example.com", ValidationMethod="DNS", Tags=pairs(scheme)
    )["CertificateArn"]
    for name, row in DISTRIBUTIONS.items():
        distribution(shop, name, *row)
    shop.correct("cloudfront", "GetDistributionConfig", distribution_config)
    shop.correct("cloudfront", "ListDistributions", distributions)
    zone(shop)
    plant(shop)


def distribution(shop, name, alias, origins, importance, logs):
    scheme = tags(name, importance=importance, dr="none")
    items = [
        {
            "Id": identifier,
            "DomainName": bucket,
            "OriginPath": "",
            "CustomHeaders": NONE,
            "S3OriginConfig": {"OriginAccessIdentity": ""},
        }
        for identifier, bucket in origins
    ]
    target = "films-group" if len(items) > 1 else items[0]["Id"]
    groups = NONE
    if len(items) > 1:
        members = [{"OriginId": item["Id"]} for item in items]
        group = {
            "Id": target,
            "FailoverCriteria": {"StatusCodes": {"Quantity": 3, "Items": [500, 502, 503]}},
            "Members": {"Quantity": len(members), "Items": members},
        }
        groups = {"Quantity": 1, "Items": [group]}
    methods = {"Quantity": 2, "Items": ["GET", "HEAD"]}
    config = {
        "CallerReference": name,
        "Aliases": {"Quantity": 1, "Items": [alias]},
        "DefaultRootObject": "",
        "Origins": {"Quantity": len(items), "Items": items},
        "OriginGroups": groups,
        "DefaultCacheBehavior": {
            "TargetOriginId": items[0]["Id"],
            "ViewerProtocolPolicy": "redirect-to-https",
            "AllowedMethods": {**methods, "CachedMethods": methods},
            "Compress": True,
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
        "Comment": name.split("_")[1].replace("-", " "),
        "Enabled": True,
        "PriceClass": "PriceClass_100",
        "HttpVersion": "http2and3",
        "IsIPV6Enabled": True,
        "WebACLId": WEB_ACL if logs else "",
        "Logging": {
            "Enabled": bool(logs),
            "IncludeCookies": False,
            "Bucket": logs or "",
            "Prefix": "films/" if logs else "",
        },
        "ViewerCertificate": {
            "ACMCertificateArn": shop.ids["certificate-edge"],
            "SSLSupportMethod": "sni-only",
            "MinimumProtocolVersion": "TLSv1.2_2021",
        },
    }
    created = shop.client("cloudfront", GLOBAL_REGION).create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": config, "Tags": {"Items": pairs(scheme)}}
    )["Distribution"]
    shop.ids[name], shop.ids[f"{name}-host"] = created["ARN"], created["DomainName"]
    shop.sweep(created["ARN"], scheme, GLOBAL_REGION)
    number, host = created["Id"], created["DomainName"]
    shop.replacements += [(number, "E" + number[1:]), (host, "d" + host[1:])]
    # The emulator knows no groups of origins, and its list leaves out the web ACL.
    shop.ids[f"{number}-config"] = (config, target)


def distribution_config(shop, region, parameter, answer):
    return answer if f"{parameter}-config" not in shop.ids else complete(shop, parameter, answer, "DistributionConfig")


def distributions(shop, region, parameter, answer):
    answer = edge.distributions(shop, region, parameter, answer)
    for row in answer["DistributionList"]["Items"]:
        if f"{row['Id']}-config" in shop.ids:
            complete(shop, row["Id"], {"row": row}, "row")
            row.pop("Logging", None)
            row["LastModifiedTime"] = "2024-02-13T09:04:00+00:00"
    return answer


def complete(shop, number, answer, member):
    config, target = shop.ids[f"{number}-config"]
    answer[member] |= {name: config[name] for name in ("OriginGroups", "WebACLId", "Logging", "ViewerCertificate")}
    answer[member]["DefaultCacheBehavior"]["TargetOriginId"] = target
    return answer


def zone(shop):
    """The zone of the newsletters: queries are logged, nothing lives longer than an hour."""
    route53 = shop.client("route53")
    shop.at("2024-02-14T09:00:00Z")
    identifier = route53.create_hosted_zone(
        Name="example.org.",
        CallerReference="2024-02-14",
        HostedZoneConfig={"Comment": "newsletters", "PrivateZone": False},
    )["HostedZone"]["Id"]
    number = identifier.removeprefix("/hostedzone/")
    scheme = tags("z11_newsletter-zone_media", importance="medium", dr="none")
    route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=number, AddTags=pairs(scheme))
    shop.ids["newsletter-zone"] = f"arn:aws:route53:::hostedzone/{number}"
    shop.sweep(shop.ids["newsletter-zone"], scheme, GLOBAL_REGION)
    shop.replacements.append((number, "Z" + number[1:]))
    route53.change_resource_record_sets(
        HostedZoneId=number,
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": dns.record(*row)} for row in RECORDS]},
    )
    # Aliases of the shop's own zone to what was built since.
    changes = [
        {
            "Name": f"{alias}.",
            "Type": "A",
            "AliasTarget": {
                "HostedZoneId": "Z2FDTNDATAQYW2",
                "DNSName": f"{shop.ids[f'{name}-host']}.",
                "EvaluateTargetHealth": False,
            },
        }
        for name, (alias, *_) in DISTRIBUTIONS.items()
    ]
    route53.change_resource_record_sets(
        HostedZoneId=shop.ids["zone"].rsplit("/", 1)[1],
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": change} for change in changes]},
    )
    log = {
        "Id": "5f0d1c7e-8a42-4b9e-9d13-2e6c7b80f4a1",
        "HostedZoneId": number,
        "CloudWatchLogsLogGroupArn": f"arn:aws:logs:{GLOBAL_REGION}:{ACCOUNT_ID}:log-group:/aws/route53/example.org",
    }
    shop.answer("route53", "ListQueryLoggingConfigs", {"QueryLoggingConfigs": [log]}, number, GLOBAL_REGION)


def plant(shop):
    films, campaign = (shop.ids[name] for name in DISTRIBUTIONS)
    shop.fault(
        "cloudfront-dangling-origin", campaign, "its bucket is gone: whoever makes one of that name speaks for us"
    )
    shop.fault("cloudfront-logs", campaign, "no access logs")
    shop.fault("cloudfront-failover", campaign, "one origin, no group")
    shop.fault("waf-missing", campaign, "no web ACL")
    shop.fault("dns-zone-backup", shop.ids["newsletter-zone"], "no earlier run holds the zone")
