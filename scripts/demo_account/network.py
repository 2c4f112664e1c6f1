"""Two VPCs: production with three tiers in three zones, staging with one tier in two; security groups that name each other."""

from moto.ec2.models import ec2_backends

from .shop import ACCOUNT_ID, MAIN_REGION, REGIONS, ec2_arn, spec, tags

# Key of a VPC -> its environment.
ENVIRONMENTS = {"vpc": "prod", "staging-vpc": "staging", "dev-vpc": "dev", "dr-vpc": "prod"}

WORLD = [{"CidrIp": "0.0.0.0/0"}]
ZONES = "abc"
TIERS = {"public": 0, "private": 10, "isolated": 20}


def build(shop):
    shop.at("2022-03-01T09:00:00Z")
    for region in REGIONS:
        remove_default_vpc(shop.client("ec2", region), region)
    production(shop)
    shop.at("2022-03-02T09:00:00Z")
    staging(shop)
    shop.at("2022-03-03T09:00:00Z")
    security_groups(shop, GROUPS)
    plant(shop)


def remove_default_vpc(ec2, region):
    """The platform team deleted the default VPCs on the first day, as it should be."""
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        for subnet in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        ec2.delete_vpc(VpcId=vpc["VpcId"])
    # AWS deletes what a VPC was born with together with it; the emulator leaves some of it behind.
    emulated = ec2_backends[ACCOUNT_ID][region]
    emulated.network_acls.clear()
    emulated.route_tables.clear()
    emulated.groups.clear()


def make_vpc(shop, key, cidr, name, env, importance, region=MAIN_REGION):
    ec2 = shop.client("ec2", region)
    vpc = ec2.create_vpc(
        CidrBlock=cidr, TagSpecifications=spec("vpc", tags(name, importance=importance, dr="none", env=env))
    )["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    shop.ids[key] = vpc
    return vpc


def make_subnet(shop, key, vpc, cidr, zone, name, env, public, region=MAIN_REGION):
    ec2 = shop.client("ec2", region)
    subnet = ec2.create_subnet(
        VpcId=vpc,
        CidrBlock=cidr,
        AvailabilityZone=region + zone,
        TagSpecifications=spec("subnet", tags(name, importance="high" if env == "prod" else "low", dr="none", env=env)),
    )["Subnet"]["SubnetId"]
    if public:
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    shop.ids[key] = subnet
    return subnet


def make_route_table(shop, vpc, subnets, name, env, region=MAIN_REGION, **route):
    ec2 = shop.client("ec2", region)
    table = ec2.create_route_table(
        VpcId=vpc,
        TagSpecifications=spec(
            "route-table", tags(name, importance="high" if env == "prod" else "low", dr="none", env=env)
        ),
    )["RouteTable"]["RouteTableId"]
    if route:
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **route)
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return table


def make_gateway(shop, key, vpc, name, env, region=MAIN_REGION):
    ec2 = shop.client("ec2", region)
    gateway = ec2.create_internet_gateway(
        TagSpecifications=spec("internet-gateway", tags(name, importance="high", dr="none", env=env))
    )["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    shop.ids[key] = gateway
    return gateway


def production(shop):
    ec2 = shop.client("ec2")
    vpc = make_vpc(shop, "vpc", "10.20.0.0/16", "n01_vpc_platform", "prod", "critical")
    subnets = {tier: [] for tier in TIERS}
    for tier, third_octet in TIERS.items():
        for index, zone in enumerate(ZONES):
            name = f"n{10 + third_octet + index}_{tier}-{zone}_platform"
            cidr = f"10.20.{third_octet + index}.0/24"
            subnets[tier].append(make_subnet(shop, f"{tier}-{zone}", vpc, cidr, zone, name, "prod", tier == "public"))
    gateway = make_gateway(shop, "igw", vpc, "n50_igw_platform", "prod")
    address = ec2.allocate_address(
        Domain="vpc",
        TagSpecifications=spec("elastic-ip", tags("n51_nat-address_platform", importance="high", dr="none")),
    )
    # One NAT gateway for three zones was meant to be temporary.
    nat = ec2.create_nat_gateway(
        SubnetId=subnets["public"][0],
        AllocationId=address["AllocationId"],
        TagSpecifications=spec("natgateway", tags("n52_nat_platform", importance="high", dr="none")),
    )["NatGateway"]["NatGatewayId"]
    shop.ids["nat"] = nat
    shop.fault("graph-spof", ec2_arn("natgateway", nat), "the only way out for all that is private")
    shop.fault(
        "nat-single-az", ec2_arn("vpc", vpc), "all private subnets of the production VPC route to one NAT gateway"
    )
    shop.ids["public-routes"] = make_route_table(
        shop, vpc, subnets["public"], "n53_public-routes_platform", "prod", GatewayId=gateway
    )
    private = make_route_table(shop, vpc, subnets["private"], "n54_private-routes_platform", "prod", NatGatewayId=nat)
    isolated = make_route_table(shop, vpc, subnets["isolated"], "n55_isolated-routes_platform", "prod")
    shop.ids |= {"private-routes": private, "isolated-routes": isolated}
    ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{MAIN_REGION}.s3",
        VpcEndpointType="Gateway",
        RouteTableIds=[private, isolated],
        TagSpecifications=spec("vpc-endpoint", tags("n56_s3-endpoint_platform", importance="medium", dr="none")),
    )
    harden_default(shop, vpc)
    make_acl(shop, vpc, subnets["public"], "n57_public-acl_platform", PUBLIC_ACL)
    make_acl(shop, vpc, subnets["private"], "n58_private-acl_platform", PRIVATE_ACL)
    make_acl(shop, vpc, subnets["isolated"], "n59_isolated-acl_platform", ISOLATED_ACL)


# (rule number, protocol, first port, last port, source, action), inbound. Rule 200 of the public list would let 3389 in
# if rule 190 didn't deny it first: order matters.
PUBLIC_ACL = [
    (100, "6", 443, 443, "0.0.0.0/0", "allow"),
    (110, "6", 80, 80, "0.0.0.0/0", "allow"),
    (120, "6", 22, 22, "0.0.0.0/0", "allow"),
    (190, "6", 3389, 3389, "0.0.0.0/0", "deny"),
    (200, "6", 1024, 65535, "0.0.0.0/0", "allow"),
]
PRIVATE_ACL = [
    (100, "-1", None, None, "10.20.0.0/16", "allow"),
    (110, "6", 32768, 60999, "0.0.0.0/0", "allow"),
]
ISOLATED_ACL = [
    (100, "-1", None, None, "10.20.0.0/16", "allow"),
    # Answers of S3 through its endpoint.
    (110, "6", 32768, 60999, "0.0.0.0/0", "allow"),
]


def make_acl(shop, vpc, subnets, name, inbound):
    ec2 = shop.client("ec2")
    acl = ec2.create_network_acl(
        VpcId=vpc, TagSpecifications=spec("network-acl", tags(name, importance="high", dr="none"))
    )["NetworkAcl"]["NetworkAclId"]
    for number, protocol, first, last, source, action in inbound:
        ports = {"PortRange": {"From": first, "To": last}} if first is not None else {}
        ec2.create_network_acl_entry(
            NetworkAclId=acl,
            RuleNumber=number,
            Protocol=protocol,
            RuleAction=action,
            Egress=False,
            CidrBlock=source,
            **ports,
        )
    ec2.create_network_acl_entry(
        NetworkAclId=acl, RuleNumber=100, Protocol="-1", RuleAction="allow", Egress=True, CidrBlock="0.0.0.0/0"
    )
    wanted = set(subnets)
    for candidate in ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]:
        for association in candidate["Associations"]:
            if association["SubnetId"] in wanted:
                ec2.replace_network_acl_association(
                    AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl
                )
    if inbound is PUBLIC_ACL:
        shop.fault(
            "nacl-admin-open", ec2_arn("network-acl", acl), "lets the world reach port 22 (3389 is denied first)"
        )


def harden_default(shop, vpc, region=MAIN_REGION):
    """What a VPC is born with lets everything through; production emptied it."""
    ec2 = shop.client("ec2", region)
    in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    for group in ec2.describe_security_groups(Filters=in_vpc)["SecurityGroups"]:
        if group["IpPermissions"]:
            ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
        if group["IpPermissionsEgress"]:
            ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
    for acl in ec2.describe_network_acls(Filters=in_vpc)["NetworkAcls"]:
        for egress in (False, True):
            ec2.delete_network_acl_entry(NetworkAclId=acl["NetworkAclId"], RuleNumber=100, Egress=egress)


def staging(shop):
    ec2 = shop.client("ec2")
    vpc = make_vpc(shop, "staging-vpc", "10.30.0.0/16", "n70_vpc_platform", "staging", "low")
    subnets = []
    for index, zone in enumerate("ab"):
        name = f"n{71 + index}_public-{zone}_platform"
        subnets.append(make_subnet(shop, f"staging-{zone}", vpc, f"10.30.{index}.0/24", zone, name, "staging", True))
    gateway = make_gateway(shop, "staging-igw", vpc, "n75_igw_platform", "staging")
    make_route_table(shop, vpc, subnets, "n76_public-routes_platform", "staging", GatewayId=gateway)
    in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    group = ec2.describe_security_groups(Filters=in_vpc)["SecurityGroups"][0]
    if not group["IpPermissions"]:
        ec2.authorize_security_group_ingress(
            GroupId=group["GroupId"],
            IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group["GroupId"]}]}],
        )
    shop.fault(
        "sg-default", ec2_arn("security-group", group["GroupId"]), "default security group of the staging VPC has rules"
    )
    acl = ec2.describe_network_acls(Filters=in_vpc)["NetworkAcls"][0]["NetworkAclId"]
    shop.fault(
        "nacl-admin-open", ec2_arn("network-acl", acl), "default network ACL of the staging VPC lets everything in"
    )


# key: (name, VPC, importance, [(ports, source)]); a source is a CIDR block or the key of another group.
GROUPS = {
    "sg-bastion": ("g05_bastion_platform", "vpc", "high", [((22, 22), "0.0.0.0/0")]),
    "sg-alb-checkout": ("g01_alb_checkout", "vpc", "critical", [((443, 443), "0.0.0.0/0"), ((80, 80), "0.0.0.0/0")]),
    "sg-web-checkout": (
        "g02_web_checkout",
        "vpc",
        "critical",
        [((8080, 8080), "sg-alb-checkout"), ((22, 22), "sg-bastion")],
    ),
    "sg-worker-checkout": ("g04_worker_checkout", "vpc", "high", [((22, 22), "sg-bastion")]),
    "sg-db-checkout": (
        "g03_db_checkout",
        "vpc",
        "critical",
        [((3306, 3306), "sg-web-checkout"), ((3306, 3306), "sg-worker-checkout")],
    ),
    "sg-redis-checkout": ("g08_redis_checkout", "vpc", "critical", [((6379, 6379), "sg-web-checkout")]),
    "sg-alb-catalog": ("g06_alb_catalog", "vpc", "high", [((80, 80), "sg-web-checkout")]),
    "sg-web-catalog": ("g07_web_catalog", "vpc", "high", [((8080, 8080), "sg-alb-catalog"), ((22, 22), "sg-bastion")]),
    "sg-db-catalog": ("g10_db_catalog", "vpc", "high", [((5432, 5432), "sg-web-catalog")]),
    "sg-redis-catalog": ("g09_redis_catalog", "vpc", "medium", [((6379, 6379), "sg-web-catalog")]),
    "sg-api-payments": ("g11_api_payments", "vpc", "critical", [((8443, 8443), "sg-web-checkout")]),
    "sg-lambda-payments": ("g13_invoice_payments", "vpc", "high", []),
    "sg-db-payments": (
        "g12_db_payments",
        "vpc",
        "critical",
        [((5432, 5432), "sg-api-payments"), ((5432, 5432), "sg-lambda-payments")],
    ),
    "sg-alb-identity": ("g14_alb_identity", "vpc", "critical", [((443, 443), "0.0.0.0/0")]),
    "sg-api-identity": ("g15_api_identity", "vpc", "critical", [((8080, 8080), "sg-alb-identity")]),
    "sg-mobile-identity": ("g16_mobile-gateway_identity", "vpc", "critical", [((443, 443), "0.0.0.0/0")]),
    "sg-etl-analytics": ("g17_etl_analytics", "vpc", "medium", [((22, 22), "sg-bastion")]),
    "sg-db-analytics": ("g18_db_analytics", "vpc", "medium", [((5432, 5432), "sg-etl-analytics")]),
    "sg-legacy": ("g19_legacy_catalog", "vpc", None, [((8080, 8080), "10.20.0.0/16")]),
    "sg-staging-web": (
        "g71_web_checkout",
        "staging-vpc",
        "low",
        [((443, 443), "203.0.113.0/24"), ((22, 22), "203.0.113.0/24")],
    ),
    "sg-staging-db": ("g72_db_checkout", "staging-vpc", "low", [((3306, 3306), "0.0.0.0/0")]),
}


def security_groups(shop, groups, region=MAIN_REGION):
    ec2 = shop.client("ec2", region)
    for key, (name, vpc, importance, _) in groups.items():
        scheme = tags(name, importance=importance, dr="none" if importance else None, env=ENVIRONMENTS[vpc])
        shop.ids[key] = ec2.create_security_group(
            GroupName=name.replace("_", "-"),
            Description=f"{name.split('_')[1]} of {name.split('_')[2]}",
            VpcId=shop.ids[vpc],
            TagSpecifications=spec("security-group", scheme),
        )["GroupId"]
    for key, (_, _, _, rules) in groups.items():
        open_to(shop, key, rules, region)


def open_to(shop, key, rules, region=MAIN_REGION):
    """Lets each source connect to the group's ports."""
    permissions = [permission(shop, ports, source) for ports, source in rules]
    if permissions:
        shop.client("ec2", region).authorize_security_group_ingress(GroupId=shop.ids[key], IpPermissions=permissions)


def plant(shop):
    arn = {key: ec2_arn("security-group", shop.ids[key]) for key in GROUPS}
    shop.fault("sg-admin-open", arn["sg-bastion"], "SSH of the bastion is open to 0.0.0.0/0")
    shop.fault("sg-db-open", arn["sg-staging-db"], "MySQL of staging is open to 0.0.0.0/0")
    shop.fault("sg-unused", arn["sg-legacy"], "nothing uses the group any more")


def permission(shop, ports, source):
    if ports is None:
        rule = {"IpProtocol": "-1"}
    else:
        rule = {"IpProtocol": "tcp", "FromPort": ports[0], "ToPort": ports[1]}
    if "/" in source:
        return {**rule, "IpRanges": [{"CidrIp": source}]}
    return {**rule, "UserIdGroupPairs": [{"GroupId": shop.ids[source]}]}
