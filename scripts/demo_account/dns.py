"""Route 53: the zone that the shop lives by, with records that live for a day, and a private zone."""

from . import edge
from .shop import GLOBAL_REGION, MAIN_REGION, pairs, tags

DAY = 86400
# What the zone's DNS names point to outside the account is under example.net, where nobody lives.
RECORDS = [
    ("www.shop.example.com.", "CNAME", DAY, ["shop.example.com"]),
    ("shop.example.com.", "MX", DAY, ["10 mx1.mail.example.net", "20 mx2.mail.example.net"]),
    (
        "shop.example.com.",
        "TXT",
        3600,
        ['"v=spf1 include:mail.example.net -all"', '"site-verification=0123456789abcdef"'],
    ),
    ("_dmarc.shop.example.com.", "TXT", 3600, ['"v=DMARC1; p=reject; rua=mailto:dmarc@shop.example.com"']),
    ("k1._domainkey.shop.example.com.", "CNAME", 3600, ["k1.dkim.mail.example.net"]),
    ("shop.example.com.", "CAA", 3600, ['0 issue "amazon.com"']),
    ("status.shop.example.com.", "CNAME", 3600, ["shop.status.example.net"]),
    ("assets.shop.example.com.", "CNAME", DAY, ["shop-prod-assets.s3.eu-west-1.amazonaws.com"]),
    # Released in 2023, the record forgotten.
    ("old.shop.example.com.", "CNAME", DAY, ["shop-classic-1284490512.eu-west-1.elb.amazonaws.com"]),
    ("media.shop.example.com.", "CNAME", 300, ["shop-media-2019.s3-website-eu-west-1.amazonaws.com"]),
]


def build(shop):
    shop.at("2022-03-12T09:00:00Z")
    public_zone(shop)
    private_zone(shop)
    for key in ("zone", "internal-zone"):
        number = shop.ids[key].rsplit("/", 1)[1]
        # Ids of hosted zones begin with Z, the emulator's with anything.
        shop.replacements.append((number, "Z" + number[1:]))
    public = shop.ids["zone"].rsplit("/", 1)[1]
    shop.answer("route53", "ListQueryLoggingConfigs", {"QueryLoggingConfigs": []}, public, GLOBAL_REGION)
    shop.correct("route53", "ListResourceRecordSets", start_of_authority)
    shop.correct("route53", "GetHostedZone", hosted_zone)
    shop.correct("route53", "ListHostedZones", hosted_zones)
    plant(shop)


def public_zone(shop):
    route53 = shop.client("route53")
    zone = route53.create_hosted_zone(
        Name="shop.example.com.",
        CallerReference="2026-11-15-again",
        HostedZoneConfig={"Comment": "the shop, by hand", "PrivateZone": False},
    )["HostedZone"]["Id"]
    number = zone.removeprefix("/hostedzone/")
    scheme = tags("z01_main-zone_platform", importance="critical")
    route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=number, AddTags=pairs(scheme))
    shop.ids["zone"] = f"arn:aws:route53:::hostedzone/{number}"
    shop.sweep(shop.ids["zone"], scheme, "us-east-1")
    changes = [record(name, kind, ttl, values) for name, kind, ttl, values in RECORDS]
    changes += [
        alias(shop, "shop.example.com.", "checkout", health=True),
        alias(shop, "api.shop.example.com.", "checkout", health=True),
        alias(shop, "login.shop.example.com.", "identity", health=True),
        {
            "Name": "cdn.shop.example.com.",
            "Type": "A",
            "AliasTarget": {
                "HostedZoneId": edge.ALIAS_ZONE,
                "DNSName": f"{shop.ids['cdn-name']}.",
                "EvaluateTargetHealth": False,
            },
        },
        # The addresses that the mobile app was built with.
        record("m.shop.example.com.", "A", DAY, [shop.ids["address-a13_mobile-gateway_identity"]]),
        record("bastion.shop.example.com.", "A", 300, [shop.ids["address-b01_bastion_platform"]]),
        weighted("app.shop.example.com.", 90, "blue", shop.ids["alb-checkout-name"]),
        weighted("app.shop.example.com.", 10, "green", shop.ids["alb-identity-name"]),
    ]
    route53.change_resource_record_sets(
        HostedZoneId=number,
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": change} for change in changes]},
    )


def record(name, kind, ttl, values):
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]}


def weighted(name, weight, identifier, target):
    return {**record(name, "CNAME", 60, [target]), "SetIdentifier": identifier, "Weight": weight}


def alias(shop, name, balancer, health):
    target = {
        "HostedZoneId": shop.ids[f"alb-{balancer}-zone"],
        "DNSName": f"dualstack.{shop.ids[f'alb-{balancer}-name']}.",
        "EvaluateTargetHealth": health,
    }
    return {"Name": name, "Type": "A", "AliasTarget": target}


def private_zone(shop):
    route53 = shop.client("route53")
    zone = route53.create_hosted_zone(
        Name="shop.internal.",
        CallerReference="2022-03-12-internal",
        HostedZoneConfig={"Comment": "names inside the VPC", "PrivateZone": True},
        VPC={"VPCRegion": MAIN_REGION, "VPCId": shop.ids["vpc"]},
    )["HostedZone"]["Id"].removeprefix("/hostedzone/")
    scheme = tags("z02_internal-zone_platform", importance="high", dr="none")
    route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone, AddTags=pairs(scheme))
    shop.ids["internal-zone"] = f"arn:aws:route53:::hostedzone/{zone}"
    shop.sweep(shop.ids["internal-zone"], scheme, "us-east-1")
    rds = {
        row["DBInstanceIdentifier"]: row["Endpoint"]["Address"]
        for row in shop.client("rds").describe_db_instances()["DBInstances"]
    }
    changes = [
        record("orders.shop.internal.", "CNAME", 60, [rds["d01-orders-checkout"]]),
        record("products.shop.internal.", "CNAME", 60, [rds["d11-products-catalog"]]),
        record("products-read.shop.internal.", "CNAME", 60, [rds["d12-products-catalog"]]),
        record("ledger.shop.internal.", "CNAME", 60, [rds["d21-ledger-payments"]]),
        alias(shop, "catalog.shop.internal.", "catalog", health=True),
    ]
    route53.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": change} for change in changes]},
    )


def start_of_authority(shop, region, parameter, answer):
    for record_set in answer["ResourceRecordSets"]:
        if record_set["Type"] == "SOA":
            name_server = "ns-2048.awsdns-64.com."
            record_set["ResourceRecords"] = [
                {"Value": f"{name_server} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"}
            ]
    return answer


def hosted_zones(shop, region, parameter, answer):
    """Counts of record sets, which the emulator takes before the first change."""
    for zone in answer["HostedZones"]:
        zone["ResourceRecordSetCount"] = count_records(shop, zone["Id"])
    return answer


def hosted_zone(shop, region, parameter, answer):
    answer["HostedZone"]["ResourceRecordSetCount"] = count_records(shop, answer["HostedZone"]["Id"])
    return answer


def count_records(shop, zone):
    pages = shop.client("route53").get_paginator("list_resource_record_sets")
    return len(pages.paginate(HostedZoneId=zone.removeprefix("/hostedzone/")).build_full_result()["ResourceRecordSets"])


def plant(shop):
    zone = shop.ids["zone"]
    shop.fault("dns-ttl-long", zone, "records with a TTL of 24 hours: www, MX, assets, old, m")
    shop.fault(
        "dns-dangling", zone, "old.shop.example.com: load balancer released; media.shop.example.com: bucket missing"
    )
    shop.fault("dns-no-health-check", zone, "app.shop.example.com is weighted without health checks")
    shop.fault("dns-query-logs", zone, "no query logging")
    for key in ("zone", "internal-zone"):
        shop.fault("dns-zone-backup", shop.ids[key], "no earlier run holds the zone")
    shop.fault("dr-tag-missing-critical", zone, "critical, without a DR tag")
    shop.fault("danger-dns", zone, "the group platform may delete it at any time, without MFA")
