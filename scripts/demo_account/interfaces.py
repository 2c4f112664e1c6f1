"""Interfaces that load balancers, databases, functions and NAT gateways own, which the emulator doesn't make, or makes as if they were anybody's."""

import hashlib

from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION


def build(shop):
    shop.correct("ec2", "DescribeNetworkInterfaces", network_interfaces)


def network_interfaces(shop, region, parameter, answer):
    ec2 = shop.client("ec2", region)
    gateways = {
        gateway["NatGatewayAddresses"][0]["NetworkInterfaceId"]: gateway["NatGatewayId"]
        for gateway in ec2.describe_nat_gateways()["NatGateways"]
    }
    for interface in answer["NetworkInterfaces"]:
        if interface["NetworkInterfaceId"] in gateways:
            interface |= {
                "InterfaceType": "nat_gateway",
                "Description": f"Interface for NAT Gateway {gateways[interface['NetworkInterfaceId']]}",
                "Status": "in-use",
                "Groups": [],
                "RequesterManaged": True,
            }
    placed = {row["SubnetId"]: row for row in ec2.describe_subnets()["Subnets"]}
    names = {row["GroupId"]: row["GroupName"] for row in ec2.describe_security_groups()["SecurityGroups"]}
    hosts = {}
    for owner, description, group, subnets, public in [*owned_interfaces(shop), *shop.interfaces]:
        for subnet in subnets:
            if shop.ids[subnet] in placed:
                number = hosts[subnet] = hosts.get(subnet, 99) + 1
                row = placed[shop.ids[subnet]]
                private = shop.addresses.get((description, subnet), f"{row['CidrBlock'].rsplit('.', 1)[0]}.{number}")
                groups = [{"GroupId": shop.ids[group], "GroupName": names[shop.ids[group]]}]
                interface = owned_interface(owner, description, groups, subnet, row, private, public)
                answer["NetworkInterfaces"].append(interface)
    if region == GLOBAL_REGION:
        # Names inside a VPC have another form there than where all others are, and nobody uses them.
        for interface in answer["NetworkInterfaces"]:
            interface.pop("PrivateDnsName", None)
            for address in interface["PrivateIpAddresses"]:
                address.pop("PrivateDnsName", None)
    addresses = [row["Association"]["PublicIp"] for row in answer["NetworkInterfaces"] if "Association" in row]
    if len(set(addresses)) < len(addresses):
        raise ValueError("two interfaces with one public address")
    return answer


def owned_interfaces(shop):
    """(owner, description, group, subnets, has a public address) of interfaces that services put into our subnets."""
    for key, zones, tier in (("checkout", "abc", "public"), ("catalog", "ab", "private"), ("identity", "ab", "public")):
        path = shop.ids[f"alb-{key}"].split("loadbalancer/")[1]
        yield "amazon-elb", f"ELB {path}", f"sg-alb-{key}", [f"{tier}-{zone}" for zone in zones], tier == "public"
    for key, group, zones in (
        ("d01", "sg-db-checkout", "ab"),
        ("d11", "sg-db-catalog", "ab"),
        ("d12", "sg-db-catalog", "ca"),
        ("d21", "sg-db-payments", "ab"),
        ("d31", "sg-db-analytics", "a"),
    ):
        yield "amazon-rds", f"RDSNetworkInterface {key}", group, [f"isolated-{zone}" for zone in zones], False
    yield "amazon-rds", "RDSNetworkInterface d51", "sg-staging-db", ["staging-a"], True
    yield "amazon-elasticache", "ElastiCache c01-sessions-checkout", "sg-redis-checkout", ["isolated-a"], False
    yield "amazon-elasticache", "ElastiCache c11-pages-catalog", "sg-redis-catalog", ["isolated-a", "isolated-b"], False
    yield ACCOUNT_ID, "AWS Lambda VPC ENI-f01_invoice_payments", "sg-lambda-payments", ["private-a", "private-b"], False


def interface_digest(description, subnet):
    """What the ids of an interface are made of; the interface's own is its first 17 digits."""
    return hashlib.sha256(f"{description} {subnet}".encode()).hexdigest()


def owned_interface(owner, description, groups, subnet, placed, private, public):
    digest = interface_digest(description, subnet)
    address = {
        "Primary": True,
        "PrivateIpAddress": private,
        "PrivateDnsName": f"ip-{private.replace('.', '-')}.{MAIN_REGION}.compute.internal",
    }
    interface = {
        "Attachment": {
            "AttachmentId": f"ela-attach-{digest[20:37]}",
            "AttachTime": "2022-03-14T09:10:00+00:00",
            "DeleteOnTermination": False,
            "DeviceIndex": 1,
            "InstanceOwnerId": owner if owner != ACCOUNT_ID else "amazon-aws",
            "Status": "attached",
        },
        "AvailabilityZone": placed["AvailabilityZone"],
        "Description": "RDSNetworkInterface" if description.startswith("RDS") else description,
        "Groups": groups,
        "InterfaceType": "lambda" if description.startswith("AWS Lambda") else "interface",
        "Ipv6Addresses": [],
        "MacAddress": "02:" + ":".join(digest[start : start + 2] for start in range(0, 10, 2)),
        "NetworkInterfaceId": f"eni-{digest[:17]}",
        "OwnerId": ACCOUNT_ID,
        "PrivateDnsName": address["PrivateDnsName"],
        "PrivateIpAddress": private,
        "PrivateIpAddresses": [address],
        "RequesterId": owner,
        "RequesterManaged": True,
        "SourceDestCheck": True,
        "Status": "in-use",
        "SubnetId": placed["SubnetId"],
        "TagSet": [],
        "VpcId": placed["VpcId"],
    }
    if public:
        public_ip = f"198.51.100.{100 + int(digest[:4], 16) % 100}"
        association = {
            "IpOwnerId": owner,
            "PublicDnsName": f"ec2-{public_ip.replace('.', '-')}.{MAIN_REGION}.compute.amazonaws.com",
            "PublicIp": public_ip,
        }
        interface["Association"] = association
        address["Association"] = association
    return interface
