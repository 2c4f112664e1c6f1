"""The list of expected faults: what was planted, and what the recording lacks of tags."""

import re

import jmespath

from .shop import REGIONS, ec2_arn

BEGIN = "<!-- faults: written by scripts/demo-account.py -->"
END = "<!-- end of faults -->"

REQUIRED = ("Name", "Owner", "Environment", "Importance", "DR")
# (operation, rows, id, resource type): what is never tagged is not in the tag sweep. Interfaces are left out: their owners make them.
EC2_KINDS = (
    ("DescribeInstances", "Reservations[].Instances[]", "InstanceId", "instance"),
    ("DescribeVolumes", "Volumes[]", "VolumeId", "volume"),
    ("DescribeSnapshots", "Snapshots[]", "SnapshotId", "snapshot"),
    ("DescribeImages", "Images[]", "ImageId", "image"),
    ("DescribeSecurityGroups", "SecurityGroups[]", "GroupId", "security-group"),
    ("DescribeVpcs", "Vpcs[]", "VpcId", "vpc"),
    ("DescribeSubnets", "Subnets[]", "SubnetId", "subnet"),
    ("DescribeRouteTables", "RouteTables[]", "RouteTableId", "route-table"),
    ("DescribeNetworkAcls", "NetworkAcls[]", "NetworkAclId", "network-acl"),
    ("DescribeInternetGateways", "InternetGateways[]", "InternetGatewayId", "internet-gateway"),
    ("DescribeNatGateways", "NatGateways[]", "NatGatewayId", "natgateway"),
    ("DescribeAddresses", "Addresses[]", "AllocationId", "elastic-ip"),
)


def write(shop, out, made):
    """Writes the planted faults for machines, and between two marks of the README for people."""
    find_untagged(shop, made)
    rows = {}
    for check, arn, status, why in shop.faults:
        rows.setdefault((check, canonical(shop.rewrite(arn))), (status, shop.rewrite(why)))
    lines = ["\t".join([check, arn, *rest]) for (check, arn), rest in sorted(rows.items())]
    (out / "expected-faults.tsv").write_text("check\tresource_arn\tstatus\twhy\n" + "\n".join(lines) + "\n")
    readme = out / "README.md"
    if readme.exists():
        before, _, rest = readme.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        readme.write_text(f"{before}{BEGIN}\n{fault_table(rows, tagged_names(shop, made))}\n{END}{after}")


def canonical(arn):
    """The ARN as policies name it: the tag sweep puts an account into those of snapshots and images, which have none."""
    return re.sub(r"(:ec2:[a-z0-9-]+:)[0-9]{12}:(snapshot|image)/", r"\1:\2/", arn)


def fault_table(rows, names):
    lines = ["| check | what | status | why |", "| --- | --- | --- | --- |"]
    untagged = {}
    for (check, arn), (status, why) in sorted(rows.items()):
        if check == "tag-required-missing":
            kind = kind_of(arn)
            untagged[kind] = untagged.get(kind, 0) + 1
        else:
            lines.append(f"| {check} | {kind_of(arn)} `{names.get(arn) or own_id(arn)}` | {status} | {cell(why)} |")
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(untagged.items()))
    lines.append(f"| tag-required-missing | {counts} | fail | no tags, or some missing |")
    return "\n".join(lines)


def own_id(arn):
    """What an ARN ends in, without the resource type."""
    if ":autoScalingGroupName/" in arn:
        return arn.rsplit("/", 1)[1]
    return re.split("[/:]", arn.split(":", 5)[5], maxsplit=1)[-1]


def kind_of(arn):
    service, resource = arn.split(":")[2], arn.split(":", 5)[5]
    typed = re.match("([a-z-]+)[/:]", resource)
    return (
        f"{service} {typed[1]}"
        if typed
        else {"s3": "s3 bucket", "sqs": "sqs queue", "sns": "sns topic", "iam": "account"}.get(service, service)
    )


def tagged_names(shop, made):
    """ARN -> name, of names that follow the scheme: the hostile one has no business in a README."""
    names = {}
    for region in REGIONS:
        for row in made[(region, "resourcegroupstaggingapi", "GetResources", None)]["ResourceTagMappingList"]:
            for tag in row["Tags"]:
                if tag["Key"] == "Name" and re.fullmatch("[a-z]+[0-9]+_[a-z0-9-]+_[a-z0-9-]+", tag["Value"]):
                    names[shop.rewrite(row["ResourceARN"])] = tag["Value"]
    return names


def cell(text):
    """A text as it can stand in a Markdown table."""
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


def find_untagged(shop, made):
    """Notes a fault per resource with missing keys; `made` is (region, service, operation, parameter) -> answer."""
    for region in REGIONS:
        seen = set()
        for row in made[(region, "resourcegroupstaggingapi", "GetResources", None)]["ResourceTagMappingList"]:
            seen.add(row["ResourceARN"])
            note(shop, row["ResourceARN"], row["Tags"])
        for operation, rows, identifier, kind in EC2_KINDS:
            for row in jmespath.search(rows, made[(region, "ec2", operation, None)]):
                arn = ec2_arn(kind, row[identifier], region)
                if arn not in seen:
                    note(shop, arn, row.get("Tags", []))
    details = made[("us-east-1", "iam", "GetAccountAuthorizationDetails", None)]
    for principal in details["UserDetailList"] + details["RoleDetailList"]:
        # Nobody can tag the roles that AWS's services make for themselves.
        if principal["Path"].startswith("/aws-service-role/"):
            continue
        note(shop, principal["Arn"], principal["Tags"])


def note(shop, arn, tags):
    keys = {tag["Key"] for tag in tags}
    missing = [key for key in REQUIRED if key not in keys]
    if missing:
        shop.fault("tag-required-missing", arn, "no tags" if not keys else f"no {', '.join(missing)}")
