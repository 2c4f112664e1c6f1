"""Development, the standby region, and what leads there: peerings and the VPN of the offices."""

from . import network
from .shop import GLOBAL_REGION, MAIN_REGION, ec2_arn, pairs, spec, tags

OFFICES = ("dublin", "warsaw")

# As network.GROUPS: key: (name, VPC, importance, [(ports, source)]); ports None: all.
GROUPS = {
    "sg-lambda-search": ("g21_indexer_search", "vpc", "high", []),
    "sg-domain-search": (
        "g22_products_search",
        "vpc",
        "high",
        [((443, 443), "sg-web-catalog"), ((443, 443), "sg-lambda-search")],
    ),
    "sg-alb-shipping": ("g31_alb_shipping", "vpc", "high", [((443, 443), "sg-web-checkout")]),
    "sg-tasks-shipping": ("g32_tasks_shipping", "vpc", "high", [((8080, 8080), "sg-alb-shipping")]),
    "sg-db-shipping": ("g33_parcels_shipping", "vpc", "critical", [((5432, 5432), "sg-tasks-shipping")]),
    "sg-files-shipping": ("g34_labels_shipping", "vpc", "high", [((2049, 2049), "sg-tasks-shipping")]),
    "sg-carrier-shipping": ("g35_carrier_shipping", "vpc", "high", [((22, 22), "203.0.113.0/24")]),
    "sg-alb-backoffice": ("g41_alb_backoffice", "vpc", "high", [((443, 443), "0.0.0.0/0")]),
    "sg-nodes-backoffice": ("g42_nodes_backoffice", "vpc", "high", [((30443, 30443), "sg-alb-backoffice")]),
    "sg-db-backoffice": ("g43_tickets_backoffice", "vpc", "high", [((5432, 5432), "sg-nodes-backoffice")]),
    # The supplier wanted to mount the share from anywhere; only the missing public address keeps the world out.
    "sg-share-backoffice": ("g44_share_backoffice", "vpc", "medium", [((445, 445), "0.0.0.0/0")]),
    "sg-glue-reporting": ("g51_etl_reporting", "vpc", "high", []),
    "sg-warehouse-reporting": ("g52_warehouse_reporting", "vpc", "high", [((5439, 5439), "sg-glue-reporting")]),
    "sg-docdb-notifications": ("g61_messages_notifications", "vpc", "high", [((27017, 27017), "sg-worker-checkout")]),
    "sg-graph-catalog": ("g62_related_catalog", "vpc", "medium", [((8182, 8182), "sg-web-catalog")]),
    "sg-lambda-media": ("g63_transcode_media", "vpc", "medium", []),
    "sg-lambda-mobile": ("g64_session_mobile", "vpc", "critical", []),
    "sg-redis-mobile": ("g65_sessions_mobile", "vpc", "critical", [((6379, 6379), "sg-lambda-mobile")]),
    "sg-staging-alb": ("g73_alb_backoffice", "staging-vpc", "low", [((443, 443), "203.0.113.0/24")]),
    "sg-staging-nodes": ("g74_nodes_backoffice", "staging-vpc", "low", [((30443, 30443), "sg-staging-alb")]),
    "sg-staging-tickets": ("g75_tickets_backoffice", "staging-vpc", "low", [((5432, 5432), "sg-staging-nodes")]),
    "sg-dev-web": ("g91_web_checkout", "dev-vpc", "low", [((443, 443), "203.0.113.0/24")]),
    "sg-dev-open": ("g92_sandbox_analytics", "dev-vpc", "low", [(None, "0.0.0.0/0")]),
}
STANDBY_GROUPS = {
    "sg-standby-db": ("g95_products_catalog", "dr-vpc", "high", [((5432, 5432), "10.20.10.0/23")]),
}
# Systems that came later need some doors of the older ones: (group, ports, source).
DOORS = (
    ("sg-db-checkout", (3306, 3306), "sg-glue-reporting"),
    ("sg-db-catalog", (5432, 5432), "sg-glue-reporting"),
    ("sg-db-catalog", (5432, 5432), "sg-lambda-media"),
    ("sg-alb-identity", (443, 443), "sg-lambda-mobile"),
    ("sg-alb-shipping", (443, 443), "sg-nodes-backoffice"),
    ("sg-api-payments", (8443, 8443), "sg-nodes-backoffice"),
)


def build(shop):
    shop.at("2023-11-06T09:00:00Z")
    development(shop)
    shop.at("2025-03-10T09:00:00Z")
    standby(shop)
    shop.at("2025-03-11T09:00:00Z")
    peerings(shop)
    for groups, region in ((GROUPS, MAIN_REGION), (STANDBY_GROUPS, GLOBAL_REGION)):
        network.security_groups(shop, groups, region)
    for group, ports, source in DOORS:
        network.open_to(shop, group, [(ports, source)])
    vpn(shop)
    plant(shop)


def development(shop):
    vpc = network.make_vpc(shop, "dev-vpc", "10.40.0.0/16", "n80_vpc_platform", "dev", "low")
    subnets = [
        network.make_subnet(
            shop, f"dev-{zone}", vpc, f"10.40.{index}.0/24", zone, f"n{81 + index}_public-{zone}_platform", "dev", True
        )
        for index, zone in enumerate("ab")
    ]
    gateway = network.make_gateway(shop, "dev-igw", vpc, "n85_igw_platform", "dev")
    shop.ids["dev-routes"] = network.make_route_table(
        shop, vpc, subnets, "n86_public-routes_platform", "dev", GatewayId=gateway
    )
    default_group(shop, vpc)
    acl = shop.client("ec2").describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"][0]
    arn = ec2_arn("network-acl", acl["NetworkAclId"])
    shop.fault("nacl-admin-open", arn, "default network ACL of the development VPC lets everything in")


def default_group(shop, vpc):
    ec2 = shop.client("ec2")
    group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"][0]
    if not group["IpPermissions"]:
        rule = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group["GroupId"]}]}
        ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[rule])
    arn = ec2_arn("security-group", group["GroupId"])
    shop.fault("sg-default", arn, "default security group of the development VPC has rules")


def standby(shop):
    """A small copy of production in another region: a NAT gateway per zone, nothing open, its traffic logged."""
    region = GLOBAL_REGION
    ec2 = shop.client("ec2", region)
    vpc = network.make_vpc(shop, "dr-vpc", "10.120.0.0/16", "n90_standby-vpc_platform", "prod", "critical", region)
    gateway = network.make_gateway(shop, "dr-igw", vpc, "n97_standby-igw_platform", "prod", region)
    public = [
        network.make_subnet(
            shop,
            f"dr-public-{zone}",
            vpc,
            f"10.120.{index}.0/24",
            zone,
            f"n{91 + index}_standby-public-{zone}_platform",
            "prod",
            False,
            region,
        )
        for index, zone in enumerate("ab")
    ]
    network.make_route_table(shop, vpc, public, "n98_standby-public-routes_platform", "prod", region, GatewayId=gateway)
    for index, zone in enumerate("ab"):
        private = network.make_subnet(
            shop,
            f"dr-private-{zone}",
            vpc,
            f"10.120.{10 + index}.0/24",
            zone,
            f"n{93 + index}_standby-private-{zone}_platform",
            "prod",
            False,
            region,
        )
        address = ec2.allocate_address(
            Domain="vpc",
            TagSpecifications=spec(
                "elastic-ip", tags(f"x{93 + index}_standby-nat-address_platform", importance="high", dr="none")
            ),
        )
        nat = ec2.create_nat_gateway(
            SubnetId=public[index],
            AllocationId=address["AllocationId"],
            TagSpecifications=spec(
                "natgateway", tags(f"n{95 + index}_standby-nat-{zone}_platform", importance="high", dr="none")
            ),
        )["NatGateway"]["NatGatewayId"]
        shop.ids[f"dr-nat-{zone}"] = nat
        shop.ids[f"dr-routes-{zone}"] = network.make_route_table(
            shop,
            vpc,
            [private],
            f"n{99 + index}_standby-private-routes-{zone}_platform",
            "prod",
            region,
            NatGatewayId=nat,
        )
    network.harden_default(shop, vpc, region)


def peerings(shop):
    """The standby is reached by its two subnets only; development was given the whole of production."""
    ec2 = shop.client("ec2")
    near = peer(shop, "dev-peering", shop.ids["dev-vpc"], {}, "n87_dev-peering_platform", "dev")
    far = peer(
        shop, "dr-peering", shop.ids["dr-vpc"], {"PeerRegion": GLOBAL_REGION}, "n88_standby-peering_platform", "prod"
    )
    for table, block in ((shop.ids["private-routes"], "10.40.0.0/16"), (shop.ids["dev-routes"], "10.20.0.0/16")):
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=block, VpcPeeringConnectionId=near)
        arn = ec2_arn("route-table", table)
        shop.fault("peering-routes", arn, "the whole VPC on the other side of the peering, where one subnet is needed")
    for block in ("10.120.10.0/24", "10.120.11.0/24"):
        ec2.create_route(
            RouteTableId=shop.ids["isolated-routes"], DestinationCidrBlock=block, VpcPeeringConnectionId=far
        )
    for zone in "ab":
        shop.client("ec2", GLOBAL_REGION).create_route(
            RouteTableId=shop.ids[f"dr-routes-{zone}"],
            DestinationCidrBlock="10.20.20.0/23",
            VpcPeeringConnectionId=far,
        )


def peer(shop, key, vpc, region, name, env):
    ec2 = shop.client("ec2")
    scheme = tags(name, importance="low" if env == "dev" else "high", dr="none", env=env)
    peering = ec2.create_vpc_peering_connection(
        VpcId=shop.ids["vpc"],
        PeerVpcId=vpc,
        TagSpecifications=spec("vpc-peering-connection", scheme),
        **region,
    )["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    shop.client("ec2", region.get("PeerRegion", MAIN_REGION)).accept_vpc_peering_connection(
        VpcPeeringConnectionId=peering
    )
    shop.ids[key] = peering
    return peering


def vpn(shop):
    """Two offices; one tunnel of the second has been down since its router was replaced."""
    gateway = "vgw-0a94c8d21be07f365"
    scheme = tags("n40_gateway_platform", importance="high", dr="none")
    shop.add(
        "ec2",
        "DescribeVpnGateways",
        "VpnGateways",
        {
            "AmazonSideAsn": 64512,
            "Tags": pairs(scheme),
            "VpnGatewayId": gateway,
            "State": "available",
            "Type": "ipsec.1",
            "VpcAttachments": [{"VpcId": shop.ids["vpc"], "State": "attached"}],
        },
    )
    shop.sweep(ec2_arn("vpn-gateway", gateway), scheme)
    for number, office in enumerate(OFFICES, start=1):
        connection(shop, gateway, number, office, "UP" if office == "dublin" else "DOWN")
    shop.fault(
        "vpn-tunnel-down", ec2_arn("vpn-connection", f"vpn-0{2}b7e41c93d58fa06"), "one of the two tunnels to Warsaw"
    )


def connection(shop, gateway, number, office, second):
    customer, identifier = f"cgw-0{number}6d3f82ab91c4e57", f"vpn-0{number}b7e41c93d58fa06"
    side, link = (
        tags(f"n4{number}_{office}-router_platform", importance="high", dr="none"),
        tags(f"n4{number + 3}_{office}-vpn_platform", importance="high", dr="multi-az"),
    )
    shop.add(
        "ec2",
        "DescribeCustomerGateways",
        "CustomerGateways",
        {
            "DeviceName": f"{office}-router",
            "Tags": pairs(side),
            "CustomerGatewayId": customer,
            "State": "available",
            "Type": "ipsec.1",
            "IpAddress": f"203.0.113.{number}",
            "BgpAsn": str(65000 + number),
        },
    )
    tunnels = [
        {
            "AcceptedRouteCount": 1 if status == "UP" else 0,
            "LastStatusChange": moment,
            "OutsideIpAddress": f"192.0.2.{number * 10 + index}",
            "Status": status,
            "StatusMessage": "1 BGP ROUTES" if status == "UP" else "IPSEC IS DOWN",
        }
        for index, (status, moment) in enumerate(
            (("UP", "2026-09-01T04:12:00+00:00"), (second, "2026-10-19T13:37:00+00:00"))
        )
    ]
    shop.add(
        "ec2",
        "DescribeVpnConnections",
        "VpnConnections",
        {
            "Category": "VPN",
            "Options": {
                "EnableAcceleration": False,
                "StaticRoutesOnly": False,
                "LocalIpv4NetworkCidr": "0.0.0.0/0",
                "RemoteIpv4NetworkCidr": "0.0.0.0/0",
                "TunnelInsideIpVersion": "ipv4",
            },
            "Routes": [],
            "Tags": pairs(link),
            "VgwTelemetry": tunnels,
            "VpnConnectionId": identifier,
            "State": "available",
            "CustomerGatewayId": customer,
            "Type": "ipsec.1",
            "VpnGatewayId": gateway,
        },
    )
    shop.sweep(ec2_arn("customer-gateway", customer), side)
    shop.sweep(ec2_arn("vpn-connection", identifier), link)


def plant(shop):
    group = lambda key: ec2_arn("security-group", shop.ids[key])  # noqa: E731
    shop.fault("sg-cifs-open", group("sg-share-backoffice"), "SMB is open to 0.0.0.0/0")
    shop.fault("sg-all-open", group("sg-dev-open"), "every port of the sandbox is open to 0.0.0.0/0")
    shop.fault("sg-admin-open", group("sg-dev-open"), "SSH and RDP among all the others")
    shop.fault("sg-db-open", group("sg-dev-open"), "ports of databases among all the others")
    shop.fault("sg-cifs-open", group("sg-dev-open"), "SMB among all the others")
    shop.fault("flow-logs", ec2_arn("vpc", shop.ids["dev-vpc"]), "the development VPC has no flow logs")
