"""Corrections of the emulator's EC2: addresses, instances, images, certificates, and the tag sweep."""

import datetime
import re

from . import buckets, databases, storage
from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION, REGIONS, ec2_arn, pairs


def build(shop):
    # Where Elastic Load Balancing's alias targets live in this region, as AWS documents it.
    shop.replacements.append((shop.ids["alb-checkout-zone"], "Z32O12XQLNTSW2"))
    name = shop.ids["alb-catalog-name"]
    shop.replacements.append((name, f"internal-{name}"))
    public_addresses(shop)
    # The emulator places NAT gateways outside their subnets, and functions in a VPC of its own.
    for region in REGIONS:
        ec2 = shop.client("ec2", region)
        for gateway in ec2.describe_nat_gateways()["NatGateways"]:
            private = gateway["NatGatewayAddresses"][0]["PrivateIp"]
            subnet = ec2.describe_subnets(SubnetIds=[gateway["SubnetId"]])["Subnets"][0]["CidrBlock"]
            address = subnet.rsplit(".", 1)[0] + ".250"
            shop.replacements += [(private.replace(".", "-"), address.replace(".", "-")), (private, address)]
    shop.replacements.append(("vpc-123abc", shop.ids["vpc"]))
    shop.correct("ec2", "DescribeInstances", instances)
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
    found = []
    for region in REGIONS:
        ec2 = shop.client("ec2", region)
        found += [address["PublicIp"] for address in ec2.describe_addresses()["Addresses"]]
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
        "InUseBy": [shop.ids[key] for key in USERS[region]],
    }
    for option in answer["Certificate"]["DomainValidationOptions"]:
        option["ValidationStatus"] = "SUCCESS"
    if parameter == shop.ids["certificate-partner"]:
        answer["Certificate"] |= IMPORTED | {"InUseBy": [], "IssuedAt": None}
    return answer


# What presents the certificates of a region.
USERS = {
    MAIN_REGION: [f"alb-{key}" for key in ("checkout", "identity", "shipping", "backoffice", "staging")],
    GLOBAL_REGION: ["e21_films_media", "e22_summer-campaign_media"],
}
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
