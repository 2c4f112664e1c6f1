"""Load balancers: checkout and identity face the internet, catalog is internal."""

import hashlib

from .shop import pairs, tags

MODERN_TLS = "ELBSecurityPolicy-TLS13-1-2-2021-06"
OLD_TLS = "ELBSecurityPolicy-2016-08"


def build(shop):
    shop.at("2022-03-10T09:00:00Z")
    certificate(shop)
    logged = {
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": "shop-prod-logs",
        "access_logs.s3.prefix": "alb",
    }
    protected = {"deletion_protection.enabled": "true"}
    balancer(shop, "checkout", "l01_alb_checkout", "critical", "internet-facing", "abc", protected | logged)
    balancer(shop, "catalog", "l02_alb_catalog", "high", "internal", "ab", protected | logged)
    balancer(shop, "identity", "l03_alb_identity", "critical", "internet-facing", "ab", {})
    target_group(
        shop,
        "checkout",
        "t01_web_checkout",
        "critical",
        8080,
        ["w01_web_checkout", "w02_web_checkout", "w03_web_checkout"],
    )
    target_group(shop, "catalog", "t02_web_catalog", "high", 8080, ["w11_web_catalog", "w12_web_catalog"])
    target_group(shop, "identity", "t03_api_identity", "critical", 8080, ["a11_api_identity", "a12_api_identity"])
    shop.client("autoscaling").attach_load_balancer_target_groups(
        AutoScalingGroupName="g90_web_checkout", TargetGroupARNs=[shop.ids["targets-checkout"]]
    )
    https(shop, "checkout", MODERN_TLS)
    https(shop, "identity", OLD_TLS)
    redirect(shop, "checkout")
    cleartext(shop, "catalog")
    shop.correct("elbv2", "DescribeTargetHealth", target_health)
    shop.correct("elbv2", "DescribeRules", rules)
    shop.correct("elbv2", "DescribeLoadBalancerAttributes", load_balancer_attributes)
    plant(shop)


ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "deletion_protection.enabled": "false",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http2.enabled": "true",
    "routing.http.drop_invalid_header_fields.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "waf.fail_open.enabled": "false",
}
# Those that a network load balancer has too.
NETWORK_ATTRIBUTES = [name for name in ATTRIBUTES if name.startswith(("access_logs", "deletion", "load_balancing"))]


def load_balancer_attributes(shop, region, parameter, answer):
    """A load balancer's attributes with their defaults, of which the emulator knows a few."""
    network = "/net/" in parameter
    defaults = {name: value for name, value in ATTRIBUTES.items() if not network or name in NETWORK_ATTRIBUTES}
    known = {
        row["Key"]: row["Value"] for row in answer["Attributes"] if row["Key"] != "load_balancing.cross_zone.enabled"
    }
    return {"Attributes": [{"Key": key, "Value": known.get(key, default)} for key, default in defaults.items()]}


def rules(shop, region, parameter, answer):
    """The emulator numbers rules by their place in memory, which is another one on every run."""
    for rule in answer["Rules"]:
        listener = rule["RuleArn"].rsplit("/", 1)[0]
        rule["RuleArn"] = f"{listener}/{hashlib.sha256(listener.encode()).hexdigest()[:16]}"
    return answer


def certificate(shop):
    acm = shop.client("acm")
    arn = acm.request_certificate(
        DomainName="shop.example.com",
        SubjectAlternativeNames=["*.shop.example.com"],
        ValidationMethod="DNS",
        Tags=pairs(tags("m01_certificate_platform", importance="critical", dr="none")),
    )["CertificateArn"]
    shop.ids["certificate"] = arn


def balancer(shop, key, name, importance, scheme, zones, attributes, **different):
    """Makes a load balancer of production; `different` is what another one has instead."""
    elbv2 = shop.client("elbv2")
    tier = different.get("tier", "public" if scheme == "internet-facing" else "private")
    env, dr = different.get("env", "prod"), different.get("dr", "multi-az")
    group = different.get("group", f"sg-alb-{key}")
    created = elbv2.create_load_balancer(
        Name=f"shop-{key}",
        Subnets=[shop.ids[f"{tier}-{zone}"] for zone in zones],
        **({"SecurityGroups": [shop.ids[group]]} if group else {}),
        Scheme=scheme,
        Type=different.get("kind", "application"),
        IpAddressType="ipv4",
        Tags=pairs(tags(name, importance=importance, dr=dr, env=env)),
    )["LoadBalancers"][0]
    if attributes:
        elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=created["LoadBalancerArn"],
            Attributes=[{"Key": attribute, "Value": value} for attribute, value in attributes.items()],
        )
    shop.ids[f"alb-{key}"] = created["LoadBalancerArn"]
    shop.ids[f"alb-{key}-name"] = created["DNSName"]
    shop.ids[f"alb-{key}-zone"] = created["CanonicalHostedZoneId"]


def target_group(shop, key, name, importance, port, instances, **different):
    """Makes a group of instances, or of addresses."""
    elbv2 = shop.client("elbv2")
    protocol, addresses = different.get("protocol", "HTTP"), different.get("addresses", ())
    path = {} if protocol == "TCP" else {"HealthCheckPath": "/health"}
    arn = elbv2.create_target_group(
        Name=f"shop-{key}",
        Protocol=protocol,
        Port=port,
        VpcId=shop.ids[different.get("vpc", "vpc")],
        **path,
        HealthCheckIntervalSeconds=15,
        TargetType="ip" if addresses else "instance",
        Tags=pairs(tags(name, importance=importance, dr="multi-az", env=different.get("env", "prod"))),
    )["TargetGroups"][0]["TargetGroupArn"]
    targets = [*addresses, *(shop.ids[instance] for instance in instances)]
    elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": target, "Port": port} for target in targets])
    shop.ids[f"targets-{key}"] = arn


def forward(shop, key):
    return [{"Type": "forward", "TargetGroupArn": shop.ids[f"targets-{key}"]}]


def https(shop, key, policy):
    shop.client("elbv2").create_listener(
        LoadBalancerArn=shop.ids[f"alb-{key}"],
        Protocol="HTTPS",
        Port=443,
        SslPolicy=policy,
        Certificates=[{"CertificateArn": shop.ids["certificate"]}],
        DefaultActions=forward(shop, key),
    )


def redirect(shop, key):
    target = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    shop.client("elbv2").create_listener(
        LoadBalancerArn=shop.ids[f"alb-{key}"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "redirect", "RedirectConfig": target}],
    )


def cleartext(shop, key):
    arn = shop.client("elbv2").create_listener(
        LoadBalancerArn=shop.ids[f"alb-{key}"], Protocol="HTTP", Port=80, DefaultActions=forward(shop, key)
    )["Listeners"][0]["ListenerArn"]
    shop.ids[f"listener-{key}"] = arn


def target_health(shop, region, parameter, answer):
    """The emulator finds every target healthy; one of identity's two is not."""
    for target in answer["TargetHealthDescriptions"]:
        if target["Target"]["Id"] == shop.ids["a12_api_identity"]:
            target["TargetHealth"] = {
                "State": "unhealthy",
                "Reason": "Target.ResponseCodeMismatch",
                "Description": "Health checks failed with these codes: [503]",
            }
        else:
            target["TargetHealth"] = {"State": "healthy"}
    return answer


def plant(shop):
    identity = shop.ids["alb-identity"]
    shop.fault("elb-targets", shop.ids["targets-identity"], "one of two targets is unhealthy")
    shop.fault("elb-old-tls", identity, OLD_TLS)
    shop.fault("elb-logs", identity, "no access logs")
    shop.fault("elb-deletion-protection", identity, "deletion protection is off")
    shop.fault("elb-cleartext", shop.ids["alb-catalog"], "HTTP on port 80 without redirect")
