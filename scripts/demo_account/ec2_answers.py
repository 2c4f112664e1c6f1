"""Corrections of the emulator's EC2: interfaces that load balancers, databases and NAT gateways own, addresses, images, and the tag sweep."""

import datetime
import hashlib
import re

from . import buckets, databases, storage
from .shop import ACCOUNT_ID, MAIN_REGION, ec2_arn, pairs


def build(shop):
    # Where Elastic Load Balancing's alias targets live in this region, as AWS documents it.
    shop.replacements.append((shop.ids["alb-checkout-zone"], "Z32O12XQLNTSW2"))
    name = shop.ids["alb-catalog-name"]
    shop.replacements.append((name, f"internal-{name}"))
    public_addresses(shop)
    # The emulator places the NAT gateway outside its subnet, and functions in a VPC of its own.
    private = shop.client("ec2").describe_nat_gateways()["NatGateways"][0]["NatGatewayAddresses"][0]["PrivateIp"]
    shop.replacements += [
        (private.replace(".", "-"), "10-20-0-250"),
        (private, "10.20.0.250"),
        ("vpc-123abc", shop.ids["vpc"]),
    ]
    shop.correct("ec2", "DescribeInstances", instances)
    shop.correct("ec2", "DescribeNetworkInterfaces", network_interfaces)
    shop.correct("ec2", "DescribeRegions", enabled_regions)
    shop.correct("ec2", "DescribeLaunchTemplateVersions", launch_template_versions)
    shop.correct("ec2", "DescribeImages", images)
    shop.correct("ec2", "DescribeSnapshots", snapshots)
    shop.correct("ec2", "DescribeInternetGateways", internet_gateways)
    shop.correct("acm", "DescribeCertificate", certificate)
    shop.correct("acm", "ListCertificates", certificates)
    shop.correct("resourcegroupstaggingapi", "GetResources", tag_sweep)


def public_addresses(shop):
    """The emulator gives out loopback and other people's addresses; these are from a block reserved for documentation."""
    ec2 = shop.client("ec2")
    found = [address["PublicIp"] for address in ec2.describe_addresses()["Addresses"]]
    for interface in ec2.describe_network_interfaces()["NetworkInterfaces"]:
        address = interface.get("Association", {}).get("PublicIp")
        if address and address not in found:
            found.append(address)
    if any(one != other and other.startswith(one) for one in found for other in found):
        raise ValueError("one address is the beginning of another, change the seed")
    for number, address in enumerate(found, start=10):
        new = f"198.51.100.{number}"
        dashed, new_dashed = address.replace(".", "-"), new.replace(".", "-")
        shop.replacements += [
            (f"ip-{dashed}.ec2.internal", f"ec2-{new_dashed}.{MAIN_REGION}.compute.amazonaws.com"),
            (f"ec2-{dashed}.", f"ec2-{new_dashed}."),
            (address, new),
        ]
    shop.replacements.append((".ec2.internal", f".{MAIN_REGION}.compute.internal"))


def instances(shop, region, parameter, answer):
    profiles = {
        row["Arn"]: row["InstanceProfileId"] for row in shop.client("iam").list_instance_profiles()["InstanceProfiles"]
    }
    groups = {
        member["InstanceId"]: group
        for group in shop.client("autoscaling", region).describe_auto_scaling_groups()["AutoScalingGroups"]
        for member in group["Instances"]
    }
    images = {"g90_web_checkout": shop.ids["image-web"]}
    for reservation in answer["Reservations"]:
        for instance in reservation["Instances"]:
            instance |= {
                "VirtualizationType": "hvm",
                "Hypervisor": "xen",
                "EnaSupport": True,
                "RootDeviceName": "/dev/xvda",
            }
            for absent in ("KernelId", "SriovNetSupport", "StateReason", "HibernationOptions"):
                instance.pop(absent, None)
            instance["PlatformDetails"] = "Linux/UNIX"
            if "IamInstanceProfile" in instance:
                instance["IamInstanceProfile"]["Id"] = profiles[instance["IamInstanceProfile"]["Arn"]]
            if instance["InstanceId"] in groups:
                name = groups[instance["InstanceId"]]["AutoScalingGroupName"]
                instance["Tags"].append({"Key": "aws:autoscaling:groupName", "Value": name})
                instance["ImageId"] = images.get(name, instance["ImageId"])
    return answer


def network_interfaces(shop, region, parameter, answer):
    if region != MAIN_REGION:
        return answer
    for interface in answer["NetworkInterfaces"]:
        if interface["Status"] == "available":
            # The one of the NAT gateway, which the emulator makes as if it were anybody's.
            interface |= {
                "InterfaceType": "nat_gateway",
                "Description": f"Interface for NAT Gateway {shop.ids['nat']}",
                "Status": "in-use",
                "Groups": [],
                "RequesterManaged": True,
            }
    hosts = {}
    rows = [*owned_interfaces(shop), *shop.interfaces]
    for owner, description, group, subnets, public in rows:
        for subnet in subnets:
            answer["NetworkInterfaces"].append(owned_interface(shop, owner, description, group, subnet, public, hosts))
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


def owned_interface(shop, owner, description, group, subnet, public, hosts):
    ec2 = shop.client("ec2")
    placed = ec2.describe_subnets(SubnetIds=[shop.ids[subnet]])["Subnets"][0]
    hosts[subnet] = hosts.get(subnet, 99) + 1
    private = placed["CidrBlock"].rsplit(".", 1)[0] + f".{hosts[subnet]}"
    digest = hashlib.sha256(f"{description} {subnet}".encode()).hexdigest()
    name = ec2.describe_security_groups(GroupIds=[shop.ids[group]])["SecurityGroups"][0]["GroupName"]
    shown = description if not description.startswith("RDS") else "RDSNetworkInterface"
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
        "Description": shown,
        "Groups": [{"GroupId": shop.ids[group], "GroupName": name}],
        "InterfaceType": "lambda" if owner == ACCOUNT_ID else "interface",
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


def images(shop, region, parameter, answer):
    for image in answer["Images"]:
        image |= {
            "RootDeviceType": "ebs",
            "VirtualizationType": "hvm",
            "RootDeviceName": "/dev/xvda",
            "EnaSupport": True,
            "PlatformDetails": "Linux/UNIX",
            "ImdsSupport": "v2.0",
        }
        for mapping in image["BlockDeviceMappings"]:
            mapping["DeviceName"] = "/dev/xvda"
            mapping["Ebs"] |= {"VolumeSize": 20, "VolumeType": "gp3", "Encrypted": True, "DeleteOnTermination": True}
    return answer


ALWAYS_ENABLED = (
    "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 eu-north-1 "
    "eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2"
).split()


def enabled_regions(shop, region, parameter, answer):
    """Without AllRegions only enabled regions are listed, and this account never opted in to another."""
    answer["Regions"] = [
        row | {"OptInStatus": "opt-in-not-required"} for row in answer["Regions"] if row["RegionName"] in ALWAYS_ENABLED
    ]
    return answer


def launch_template_versions(shop, region, parameter, answer):
    """One version is one row, also when it is both the latest and the default; made by a person's role, not by the root user."""
    rows = {row["VersionNumber"]: row for row in answer["LaunchTemplateVersions"]}
    for row in rows.values():
        row["CreatedBy"] = f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/admin/anna"
        row["LaunchTemplateData"].pop("TagSpecifications", None)
    answer["LaunchTemplateVersions"] = list(rows.values())
    return answer


def snapshots(shop, region, parameter, answer):
    """The image's snapshot is of the encrypted root volume it was made from."""
    for snapshot in answer["Snapshots"]:
        snapshot["CompletionTime"] = snapshot["StartTime"] + datetime.timedelta(minutes=11)
        if snapshot["Description"].startswith("Created by CreateImage"):
            instance = re.search(r"CreateImage\((i-[0-9a-f]+)\)", snapshot["Description"])[1]
            rows = shop.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"]
            root = rows[0]["Instances"][0]["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
            volume = shop.client("ec2").describe_volumes(VolumeIds=[root])["Volumes"][0]
            snapshot |= {
                "VolumeId": root,
                "VolumeSize": volume["Size"],
                "Encrypted": True,
                "KmsKeyId": volume["KmsKeyId"],
            }
    return answer


def internet_gateways(shop, region, parameter, answer):
    for gateway in answer["InternetGateways"]:
        gateway["OwnerId"] = ACCOUNT_ID
    return answer


def certificate(shop, region, parameter, answer):
    """Issued and renewed, which the emulator leaves pending."""
    answer["Certificate"] |= {
        "Serial": "04:7c:1e:52:a0:93:5b:dd:0a:61:f2:8e:3c:97:b4:10",
        "Status": "ISSUED",
        "IssuedAt": "2026-03-02T00:00:00+00:00",
        "NotBefore": "2026-03-02T00:00:00+00:00",
        "NotAfter": "2027-04-01T23:59:59+00:00",
        "InUseBy": [
            shop.ids[f"alb-{key}"] for key in ("checkout", "identity", "shipping", "backoffice", "staging")
        ],
    }
    if parameter == shop.ids["certificate-partner"]:
        answer["Certificate"] |= IMPORTED | {"InUseBy": [], "IssuedAt": None}
    return answer


# Of a certificate that was bought elsewhere.
IMPORTED = {
    "Type": "IMPORTED",
    "RenewalEligibility": "INELIGIBLE",
    "NotBefore": "2025-11-24T00:00:00+00:00",
    "NotAfter": "2026-11-24T23:59:59+00:00",
}


def certificates(shop, region, parameter, answer):
    for summary in answer["CertificateSummaryList"]:
        summary |= {
            "Status": "ISSUED",
            "NotBefore": "2026-03-02T00:00:00+00:00",
            "NotAfter": "2027-04-01T23:59:59+00:00",
            "InUse": True,
        }
        if summary["CertificateArn"] == shop.ids["certificate-partner"]:
            summary |= IMPORTED | {"InUse": False}
    return answer


def tag_sweep(shop, region, parameter, answer):
    """GetResources of all services, in the order of their ARNs."""
    found = {
        row["ResourceARN"].replace(":flow-logs/", ":vpc-flow-log/"): row["Tags"]
        for row in answer["ResourceTagMappingList"]
        if ":snapshot:rds:" not in row["ResourceARN"]
    }
    for (swept_region, arn), mapping in shop.swept.items():
        if swept_region == region:
            found.setdefault(arn, pairs(mapping))
    found |= forgotten_by_emulator(shop, region)
    for name, (_, bucket_region, *_) in (storage.BUCKETS | buckets.BUCKETS).items():
        if bucket_region != region:
            found.pop(f"arn:aws:s3:::{name}", None)
    for row in databases.db_snapshots(shop, region, None, {"DBSnapshots": []})["DBSnapshots"]:
        if row["TagList"]:
            found[row["DBSnapshotArn"]] = row["TagList"]
    return {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": found[arn]} for arn in sorted(found)]}


def forgotten_by_emulator(shop, region):
    ec2, rds = shop.client("ec2", region), shop.client("rds", region)
    rows = {}
    for kind, key, answer in (
        ("elastic-ip", "AllocationId", ec2.describe_addresses()["Addresses"]),
        ("network-acl", "NetworkAclId", ec2.describe_network_acls()["NetworkAcls"]),
        ("vpc-endpoint", "VpcEndpointId", ec2.describe_vpc_endpoints()["VpcEndpoints"]),
        ("launch-template", "LaunchTemplateId", ec2.describe_launch_templates()["LaunchTemplates"]),
    ):
        rows |= {ec2_arn(kind, row[key], region): row["Tags"] for row in answer if row.get("Tags")}
    for group in rds.describe_db_subnet_groups()["DBSubnetGroups"]:
        arn = group["DBSubnetGroupArn"]
        rows[arn] = rds.list_tags_for_resource(ResourceName=arn)["TagList"]
    return rows
