"""Members that AWS prints with every answer and the emulator leaves out, with the values they have when nobody chose one."""

from .shop import MAIN_REGION


def build(shop):
    shop.correct("ec2", "DescribeVolumes", volumes)
    shop.correct("ec2", "DescribeVpcs", vpcs)
    shop.correct("ec2", "DescribeNatGateways", nat_gateways)
    shop.correct("ec2", "DescribeNetworkAcls", network_acls)
    shop.correct("ec2", "DescribeSubnets", subnets)
    shop.correct("ec2", "DescribeVpcPeeringConnections", peerings)
    shop.correct("kms", "DescribeKey", described_key)
    shop.correct("kms", "GetKeyRotationStatus", key_rotation)
    shop.correct("kms", "ListAliases", aliases)
    shop.correct("lambda", "ListFunctions", functions)
    shop.correct("logs", "DescribeLogGroups", log_groups)
    shop.correct("elasticache", "DescribeCacheSubnetGroups", cache_subnet_groups)
    shop.correct("s3", "GetBucketAcl", bucket_acl)


def volumes(shop, region, parameter, answer):
    for volume in answer["Volumes"]:
        volume |= {"Throughput": 125, "MultiAttachEnabled": False}
        root = any(attachment["Device"] == "/dev/xvda" for attachment in volume["Attachments"])
        # A root volume is a copy of the image's snapshot, which belongs to whoever made the image.
        volume["SnapshotId"] = "snap-0f4f1a6b4f0e7d1c2" if root else ""
        for attachment in volume["Attachments"]:
            attachment["DeleteOnTermination"] = root
    return answer


def vpcs(shop, region, parameter, answer):
    for vpc in answer["Vpcs"]:
        vpc["BlockPublicAccessStates"] = {"InternetGatewayBlockMode": "off"}
        vpc["DhcpOptionsId"] = "dopt-0a1b2c3d4e5f60718"
    return answer


def nat_gateways(shop, region, parameter, answer):
    for gateway in answer["NatGateways"]:
        gateway["ConnectivityType"] = "public"
        for address in gateway["NatGatewayAddresses"]:
            address |= {"IsPrimary": True, "Status": "succeeded"}
    return answer


def network_acls(shop, region, parameter, answer):
    """Every list ends in a rule that denies what no other one let through, and nobody can take it away."""
    for acl in answer["NetworkAcls"]:
        for egress in (True, False):
            if not any(entry["RuleNumber"] == 32767 and entry["Egress"] == egress for entry in acl["Entries"]):
                last = {
                    "RuleNumber": 32767,
                    "RuleAction": "deny",
                    "Protocol": "-1",
                    "CidrBlock": "0.0.0.0/0",
                    "Egress": egress,
                }
                acl["Entries"].append(last)
    return answer


def subnets(shop, region, parameter, answer):
    """Only the subnets of a default VPC are a zone's default, and there is none."""
    for subnet in answer["Subnets"]:
        subnet["DefaultForAz"] = False
    return answer


def peerings(shop, region, parameter, answer):
    """The ranges of each side, of which the emulator names the first only."""
    for peering in answer["VpcPeeringConnections"]:
        for side in ("RequesterVpcInfo", "AccepterVpcInfo"):
            peering[side]["CidrBlockSet"] = [{"CidrBlock": peering[side]["CidrBlock"]}]
    return answer


def described_key(shop, region, parameter, answer):
    """The key that EBS makes for itself is AWS's; the emulator calls every key a customer's."""
    if answer["KeyMetadata"]["Description"].startswith("Default master key that protects my"):
        answer["KeyMetadata"]["KeyManager"] = "AWS"
    return answer


def key_rotation(shop, region, parameter, answer):
    answer["KeyId"] = parameter
    if answer["KeyRotationEnabled"]:
        answer |= {"RotationPeriodInDays": 365, "NextRotationDate": "2027-03-04T10:00:00+00:00"}
    return answer


def aliases(shop, region, parameter, answer):
    """The emulator lists an alias for every service that could ever have a key; here only those with one."""
    listed = {row["KeyId"] for row in shop.client("kms", region).list_keys()["Keys"]}
    answer["Aliases"] = [row for row in answer["Aliases"] if row["TargetKeyId"] in listed]
    for alias in answer["Aliases"]:
        created = (
            "2024-05-14T15:30:00+00:00" if alias["AliasName"].endswith("analytics") else "2022-03-04T10:00:00+00:00"
        )
        alias |= {"CreationDate": created, "LastUpdatedDate": created}
    return answer


# What the pipeline brought on its last two Saturdays; all other functions are as they were made.
RELEASED = {
    "f21_sender_notifications": "2026-11-07T17:21:00",
    "f22_push_notifications": "2026-11-07T17:21:05",
    "f41_session_mobile": "2026-11-14T17:21:00",
    "f11_indexer_search": "2026-11-14T17:21:05",
}


def functions(shop, region, parameter, answer):
    for function in answer["Functions"]:
        released = RELEASED.get(function["FunctionName"], function["LastModified"][:19])
        function["LastModified"] = f"{released}.000+0000"
        function["LoggingConfig"] = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function['FunctionName']}"}
    return answer


def log_groups(shop, region, parameter, answer):
    for group in answer["logGroups"]:
        group["logGroupClass"] = "STANDARD"
    return answer


def cache_subnet_groups(shop, region, parameter, answer):
    zones = {shop.ids[f"isolated-{zone}"]: f"{MAIN_REGION}{zone}" for zone in "abc"}
    for group in answer["CacheSubnetGroups"]:
        for subnet in group["Subnets"]:
            subnet["SubnetAvailabilityZone"] = {"Name": zones[subnet["SubnetIdentifier"]]}
    return answer


def bucket_acl(shop, region, parameter, answer):
    for grant in answer["Grants"]:
        grant["Grantee"].setdefault("DisplayName", "shop")
    return answer
