"""Instances with their volumes, snapshots, images and launch templates; the Auto Scaling group of checkout."""

import hashlib

from .shop import MAIN_REGION, account_arn, ec2_arn, spec, tags

HOSTILE_NAME = '<b>x</b> "; DROP TABLE \\N | [x](javascript:1)'
BASE_IMAGE = "ami-0c38b837cd80f13bb"
NIGHT = "2026-11-16T03:00:00Z"

# (name, key of the subnet, key of the group, profile, type, importance, DR, options)
WEB_DR = "autoscaling"
INSTANCES = [
    ("w01_web_checkout", "private-a", "sg-web-checkout", "web-checkout", "m6i.large", "critical", WEB_DR, {}),
    ("w02_web_checkout", "private-b", "sg-web-checkout", "web-checkout", "m6i.large", "critical", WEB_DR, {}),
    ("w03_web_checkout", "private-c", "sg-web-checkout", "web-checkout", "m6i.large", "critical", WEB_DR, {}),
    ("k01_worker_checkout", "private-a", "sg-worker-checkout", "web-checkout", "m6i.large", "high", "backup", {}),
    ("w11_web_catalog", "private-a", "sg-web-catalog", "web-catalog", "t3.large", "high", "backup", {}),
    ("w12_web_catalog", "private-b", "sg-web-catalog", "web-catalog", "t3.large", "high", "backup", {}),
    ("a01_api_payments", "private-a", "sg-api-payments", "api-payments", "m6i.large", "critical", "backup", {}),
    ("a02_api_payments", "private-b", "sg-api-payments", "api-payments", "m6i.large", "critical", "backup", {}),
    ("a11_api_identity", "private-a", "sg-api-identity", "api-identity", "t3.medium", "critical", "backup", {}),
    ("a12_api_identity", "private-b", "sg-api-identity", "api-identity", "t3.medium", "critical", "backup", {}),
    (
        "a13_mobile-gateway_identity",
        "public-b",
        "sg-mobile-identity",
        "api-identity",
        "t3.medium",
        "critical",
        "backup",
        {"address": True},
    ),
    (
        "e01_etl_analytics",
        "private-b",
        "sg-etl-analytics",
        "etl-analytics",
        "m6i.xlarge",
        "medium",
        "backup",
        {"imds": "optional"},
    ),
    (
        "e02_notebook_analytics",
        "private-a",
        "sg-etl-analytics",
        "etl-analytics",
        "m6i.large",
        "low",
        "none",
        {"env": "staging"},
    ),
    ("b01_bastion_platform", "public-a", "sg-bastion", "bastion", "t3.micro", "high", "none", {"address": True}),
    (
        "w51_web_checkout",
        "staging-a",
        "sg-staging-web",
        "staging-web",
        "t3.small",
        "low",
        "none",
        {"env": "staging", "secret": True},
    ),
    (
        HOSTILE_NAME,
        "staging-a",
        "sg-staging-web",
        "staging-web",
        "t3.small",
        "low",
        "none",
        {"env": "staging", "system": "catalog"},
    ),
    (None, "staging-b", "sg-staging-web", None, "t3.small", None, None, {}),
]

SECRET_USER_DATA = """#!/bin/sh
# staging only, remove before launch
export DB_PASSWORD='not-a-real-password-0000'
systemctl start shop-web
"""


def build(shop):
    shop.at("2022-03-09T09:00:00Z")
    shop.client("ec2").enable_ebs_encryption_by_default()
    shop.fault("ebs-default-encryption", account_arn(), "EBS encryption by default is off in us-east-1")
    shop.at("2025-09-15T09:00:00Z")
    for row in INSTANCES:
        launch(shop, *row)
    volumes(shop)
    images(shop)
    scaling(shop)
    snapshots(shop)
    plant(shop)


def launch(shop, name, subnet, group, profile, kind, importance, dr, options):
    ec2 = shop.client("ec2")
    scheme = {}
    if name:
        system = options.get("system") or name.rsplit("_", 1)[-1]
        scheme = tags(name, system=system, importance=importance, dr=dr, env=options.get("env", "prod"))
    request = {
        "ImageId": BASE_IMAGE,
        "InstanceType": kind,
        "SubnetId": shop.ids[subnet],
        "SecurityGroupIds": [shop.ids[group]],
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": "launch-" + hashlib.sha256(str(name).encode()).hexdigest()[:12],
        "EbsOptimized": True,
        "Monitoring": {"Enabled": False},
        "MetadataOptions": {"HttpTokens": options.get("imds", "required"), "HttpEndpoint": "enabled"},
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {"VolumeSize": 20, "VolumeType": "gp3", "Encrypted": True, "DeleteOnTermination": True},
            }
        ],
        "TagSpecifications": spec("instance", scheme) + spec("volume", volume_tags(scheme)),
    }
    if "image" in options:
        request["ImageId"] = options["image"]
    if profile:
        request["IamInstanceProfile"] = {"Arn": shop.ids[f"profile-{profile}"]}
    if options.get("secret"):
        request["UserData"] = SECRET_USER_DATA
    instance = ec2.run_instances(**request)["Instances"][0]["InstanceId"]
    shop.ids[name or "untagged-instance"] = instance
    if options.get("address"):
        address = ec2.allocate_address(
            Domain="vpc",
            TagSpecifications=spec(
                "elastic-ip", tags(f"x{name[1:3]}_address_{scheme['System']}", importance=importance, dr="none")
            ),
        )
        ec2.associate_address(InstanceId=instance, AllocationId=address["AllocationId"])
        shop.ids[f"address-{name}"] = address["PublicIp"]


def volume_tags(scheme):
    """A root volume carries its instance's tags under a name of its own."""
    name = scheme.get("Name", "")
    if "_" not in name or name == HOSTILE_NAME:
        return {key: value for key, value in scheme.items() if key != "Name"} | (
            {"Name": "v59_root_catalog"} if scheme else {}
        )
    uid, function, system = name.split("_")
    return {
        **scheme,
        "Name": f"v{uid[1:]}_{function}-root{uid[0]}_{system}",
        "DR": "backup" if scheme["Environment"] == "prod" else "none",
    }


def volumes(shop):
    ec2 = shop.client("ec2")
    shop.at("2023-08-21T10:00:00Z")
    # Made by hand before encryption was the default, and copied from machine to machine ever since.
    data = ec2.create_volume(
        AvailabilityZone=f"{MAIN_REGION}b",
        Size=500,
        VolumeType="gp3",
        Encrypted=False,
        TagSpecifications=spec("volume", tags("v80_events_analytics", importance="medium", dr="backup", RPO="24h")),
    )["VolumeId"]
    ec2.attach_volume(VolumeId=data, InstanceId=shop.ids["e01_etl_analytics"], Device="/dev/sdf")
    shop.ids["volume-events"] = data
    shop.at("2025-11-20T16:20:00Z")
    shop.ids["volume-note"] = ec2.create_volume(
        AvailabilityZone=f"{MAIN_REGION}a",
        Size=100,
        VolumeType="gp3",
        Encrypted=True,
        TagSpecifications=spec("volume", {"Name": "DO_NOT_DELETE_UNTIL_12/02", "owner": "marco"}),
    )["VolumeId"]


def images(shop):
    ec2 = shop.client("ec2")
    shop.at("2026-10-12T11:00:00Z")
    web = ec2.create_image(
        InstanceId=shop.ids["w01_web_checkout"],
        Name="web-checkout-2026-10-12",
        Description="web tier of checkout",
        TagSpecifications=spec("image", tags("i01_web_checkout", importance="critical", dr="none")),
    )["ImageId"]
    shop.ids["image-web"] = web
    shop.ids["template-checkout"] = template(shop, "l01_web_checkout", "critical", web)
    shop.at("2024-02-20T11:00:00Z")
    shop.ids["template-catalog"] = template(shop, "l02_web_catalog", "high", "ami-0f1e2d3c4b5a69788")


def bare_snapshot(shop, image):
    """The snapshot that comes with an image has none of its tags."""
    mapping = shop.client("ec2").describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]
    arn = f"arn:aws:ec2:{MAIN_REGION}::snapshot/{mapping['Ebs']['SnapshotId']}"
    shop.fault("tag-not-propagated", arn, "without the tags of its volume")


def template(shop, name, importance, image, env="prod"):
    return shop.client("ec2").create_launch_template(
        LaunchTemplateName=name,
        VersionDescription="first",
        LaunchTemplateData={
            "ImageId": image,
            "InstanceType": "m6i.large",
            "MetadataOptions": {"HttpTokens": "required"},
        },
        TagSpecifications=spec("launch-template", tags(name, importance=importance, dr="none", env=env)),
    )["LaunchTemplate"]["LaunchTemplateId"]


def scaling(shop):
    shop.at("2026-10-12T11:30:00Z")
    autoscaling = shop.client("autoscaling")
    subnets = ",".join(shop.ids[f"private-{zone}"] for zone in "abc")
    name = "g90_web_checkout"
    scheme = tags(name, importance="critical", dr="autoscaling")
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateId": shop.ids["template-checkout"], "Version": "1"},
        MinSize=0,
        MaxSize=6,
        DesiredCapacity=0,
        VPCZoneIdentifier=subnets,
        HealthCheckType="ELB",
        HealthCheckGracePeriod=120,
        Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in scheme.items()],
    )
    members = [shop.ids[f"w0{number}_web_checkout"] for number in (1, 2, 3)]
    autoscaling.attach_instances(AutoScalingGroupName=name, InstanceIds=members)
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=3)


def snapshots(shop):
    """Last night's snapshots, except of the volume that the policy never covered; where it was written by hand, without tags."""
    ec2 = shop.client("ec2")
    for volume in ec2.describe_volumes()["Volumes"]:
        scheme = {tag["Key"]: tag["Value"] for tag in volume.get("Tags", [])}
        shop.at("2026-08-01T02:00:00Z" if volume["VolumeId"] == shop.ids["volume-events"] else NIGHT)
        copied = {}
        if scheme.get("Environment") == "prod" and scheme["System"] != "analytics":
            copied = {**scheme, "Name": "s" + scheme["Name"][1:], "DR": "none"}
        snapshot = ec2.create_snapshot(
            VolumeId=volume["VolumeId"], Description="nightly", TagSpecifications=spec("snapshot", copied)
        )["SnapshotId"]
        if scheme and not copied:
            arn = f"arn:aws:ec2:{MAIN_REGION}::snapshot/{snapshot}"
            shop.fault("tag-not-propagated", arn, "without the tags of its volume")


def plant(shop):
    bare_snapshot(shop, shop.ids["image-web"])
    instance = lambda name: ec2_arn("instance", shop.ids[name])  # noqa: E731
    volume = lambda key: ec2_arn("volume", shop.ids[key])  # noqa: E731
    shop.fault("imdsv1", instance("e01_etl_analytics"), "IMDSv2 is optional")
    shop.fault("ec2-no-role", instance("untagged-instance"), "no instance profile")
    shop.fault("userdata-secrets", instance("w51_web_checkout"), "DB_PASSWORD in the user data")
    shop.fault("tag-env-conflict", instance("e02_notebook_analytics"), "Environment=staging in the production VPC")
    shop.fault(
        "tag-name-format",
        instance(HOSTILE_NAME),
        "the name is not uid_function_system, and hostile to every output format",
    )
    shop.fault(
        "reachable-instance",
        instance("b01_bastion_platform"),
        "SSH is reachable from the internet: address, route, ACL, group",
    )
    shop.fault(
        "dns-to-instance",
        instance("a13_mobile-gateway_identity"),
        "m.shop.example.com points at this one machine's address",
    )
    shop.fault("ebs-unencrypted", volume("volume-events"), "not encrypted")
    shop.fault("ebs-snapshot-rpo", volume("volume-events"), "newest snapshot of 2026-08-01, RPO tag 24h")
    shop.fault("tag-expired-note", volume("volume-note"), "DO_NOT_DELETE_UNTIL_12/02, written in November 2025")
    shop.fault("tag-name-format", volume("volume-note"), "DO_NOT_DELETE_UNTIL_12/02")
    shop.fault("tag-key-variant", volume("volume-note"), "owner instead of Owner")
    shop.fault("tag-owner-unknown", volume("volume-note"), "marco is not a team")
    shop.fault("tag-required-missing", volume("volume-note"), "no Owner, Environment, Importance, DR")
    shop.fault("ami-missing", ec2_arn("launch-template", shop.ids["template-catalog"]), "its image was deregistered")
