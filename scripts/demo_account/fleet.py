"""Machines of the systems that came later, the nodes of Kubernetes, and a sandbox that anybody can reach."""

from . import compute
from .shop import ec2_arn, spec, tags

BASE_IMAGE = compute.BASE_IMAGE
# As compute.INSTANCES; "node" names the Auto Scaling group.
INSTANCES = [
    ("a41_share_backoffice", "private-a", "sg-share-backoffice", "backoffice", "t3.large", "medium", "backup", {}),
    ("k21_carrier_shipping", "private-b", "sg-carrier-shipping", "carrier", "t3.medium", "high", "backup", {}),
    ("k41_node_backoffice", "private-a", "sg-nodes-backoffice", "backoffice", "m6i.large", "high", "autoscaling", {}),
    ("k42_node_backoffice", "private-b", "sg-nodes-backoffice", "backoffice", "m6i.large", "high", "autoscaling", {}),
    (
        "k71_node_backoffice",
        "staging-a",
        "sg-staging-nodes",
        "nodes-staging",
        "t3.medium",
        "low",
        "none",
        {"env": "staging", "bare": True},
    ),
    ("w81_web_checkout", "dev-a", "sg-dev-web", "dev-web", "t3.small", "low", "none", {"env": "dev"}),
    ("e81_sandbox_analytics", "dev-b", "sg-dev-open", "dev-sandbox", "m6i.large", "low", "none", {"env": "dev"}),
]
# name: (importance, env, zones, tags handed on, health check, instances)
SCALING = {
    "g91_nodes_backoffice": ("high", "prod", ("private-a", "private-b"), True, "EC2", ("k41", "k42")),
    # Copied by hand from production, and not the parts that take time.
    "g92_nodes_backoffice": ("low", "staging", ("staging-a",), False, "EC2", ("k71",)),
}
HELD_BACK = ("Owner", "Importance", "DR")


def build(shop):
    shop.at("2024-06-10T09:00:00Z")
    images(shop)
    shop.at("2025-10-06T09:00:00Z")
    for row in INSTANCES:
        compute.launch(shop, *row[:-1], {**row[-1], "image": shop.ids["image-base"]})
        if row[-1].get("bare"):
            bare(shop, row[0])
    for name, row in SCALING.items():
        scaling(shop, name, *row)
    volumes = shop.client("ec2").describe_volumes(
        Filters=[{"Name": "attachment.instance-id", "Values": [shop.ids["k21_carrier_shipping"]]}]
    )["Volumes"]
    shop.client("ec2").create_tags(
        Resources=[volume["VolumeId"] for volume in volumes], Tags=[{"Key": "RPO", "Value": "24h"}]
    )
    # How one got into the test database was written where everybody could find it.
    login = [{"Key": "DbPassword", "Value": "not-a-real-password-4444"}]
    shop.client("ec2").create_tags(Resources=[shop.ids["w81_web_checkout"]], Tags=login)
    snapshots(shop)
    plant(shop)


def bare(shop, name):
    """The machine was replaced by its group, which hands on the environment and keeps the other tags to itself."""
    ec2, instance = shop.client("ec2"), shop.ids[name]
    volumes = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [instance]}])["Volumes"]
    keys = [{"Key": key} for key in HELD_BACK]
    ec2.delete_tags(Resources=[instance, *(volume["VolumeId"] for volume in volumes)], Tags=keys)


def images(shop):
    """The image of all other machines: made for the first of them, and made public for a contractor who had no account."""
    ec2 = shop.client("ec2")
    image = ec2.create_image(
        InstanceId=shop.ids["b01_bastion_platform"],
        Name="base-2024-06-10",
        Description="Amazon Linux with the agents of the shop",
        TagSpecifications=spec("image", tags("i11_base_platform", importance="medium", dr="none")),
    )["ImageId"]
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]})
    shop.ids["image-base"] = image
    compute.bare_snapshot(shop, image)
    for env, name, importance in (("prod", "l11_node_backoffice", "high"), ("staging", "l71_node_backoffice", "low")):
        shop.ids[f"template-nodes-{env}"] = compute.template(shop, name, importance, image, env)


def scaling(shop, name, importance, env, subnets, propagate, health, members):
    autoscaling = shop.client("autoscaling")
    scheme = tags(name, importance=importance, dr="autoscaling" if env == "prod" else "none", env=env)
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateId": shop.ids[f"template-nodes-{env}"], "Version": "1"},
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=0,
        VPCZoneIdentifier=",".join(shop.ids[subnet] for subnet in subnets),
        HealthCheckType=health,
        HealthCheckGracePeriod=120,
        Tags=[
            {"Key": key, "Value": value, "PropagateAtLaunch": propagate or key not in HELD_BACK}
            for key, value in scheme.items()
        ],
    )
    instances = [shop.ids[f"{member}_node_backoffice"] for member in members]
    autoscaling.attach_instances(AutoScalingGroupName=name, InstanceIds=instances)
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=len(instances))
    group = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]
    shop.ids[name] = group["AutoScalingGroupARN"]


def snapshots(shop):
    """Last night's, of production; the one of the sandbox was made for a support case of a supplier."""
    ec2 = shop.client("ec2")
    for name, *_ in INSTANCES:
        volumes = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [shop.ids[name]]}])
        volume = volumes["Volumes"][0]
        scheme = {tag["Key"]: tag["Value"] for tag in volume["Tags"]}
        sandbox = name == "e81_sandbox_analytics"
        if scheme.get("Environment") != "prod" and not sandbox:
            continue
        shop.at("2026-03-17T11:00:00Z" if sandbox else compute.NIGHT)
        copied = {**scheme, "Name": "s" + scheme["Name"][1:], "DR": "none"}
        snapshot = ec2.create_snapshot(
            VolumeId=volume["VolumeId"],
            Description="for the supplier" if sandbox else "nightly",
            TagSpecifications=spec("snapshot", copied),
        )["SnapshotId"]
        if sandbox:
            ec2.modify_snapshot_attribute(
                SnapshotId=snapshot,
                Attribute="createVolumePermission",
                OperationType="add",
                GroupNames=["all"],
            )
            shop.ids["snapshot-public"] = snapshot


def plant(shop):
    sandbox = ec2_arn("instance", shop.ids["e81_sandbox_analytics"])
    shop.fault("reachable-instance", sandbox, "every port is reachable from the internet: address, route, ACL, group")
    shop.fault(
        "tag-secret-value", ec2_arn("instance", shop.ids["w81_web_checkout"]), "a password in the tag DbPassword"
    )
    shop.fault("ami-public", ec2_arn("image", shop.ids["image-base"]), "anybody may launch it")
    shop.fault("ebs-snapshot-public", ec2_arn("snapshot", shop.ids["snapshot-public"]), "anybody may copy it")
    staging = shop.ids["g92_nodes_backoffice"]
    shop.fault("asg-single-az", staging, "one zone")
    shop.fault("asg-health-check", staging, "behind a load balancer, but only the machines' own health counts")
    shop.fault("tag-not-propagated", staging, "new instances start without its tags")
