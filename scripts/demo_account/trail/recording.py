"""What the events refer to, read from the recording: whoever acts, and what is acted on, has the ids it has there."""

import functools
import json
import pathlib

ACCOUNT_ID = "111122223333"
MAIN_REGION = "eu-west-1"
GLOBAL_REGION = "us-east-1"
# The bank of ids that answers are looked up in.
ROOT = pathlib.Path(__file__).resolve().parents[3] / "fixtures" / "demo" / "recording"


@functools.cache
def answer(operation, region=MAIN_REGION, parameter=None):
    path = ROOT / region / operation
    path = path.with_suffix(".json") if parameter is None else path / f"{parameter}.json"
    return json.loads(path.read_text())


def name_tag(row):
    return next((tag["Value"] for tag in row.get("Tags", []) if tag["Key"] == "Name"), None)


@functools.cache
def instances():
    """Name, or id where there is none: the instance."""
    rows = [row for group in answer("ec2-describe-instances")["Reservations"] for row in group["Instances"]]
    return {name_tag(row) or row["InstanceId"]: row for row in rows}


@functools.cache
def identities():
    """ARN tail of a user or role (`user/anna`, `role/admin`): its unique id."""
    details = answer("iam-get-account-authorization-details", GLOBAL_REGION)
    users = {f"user/{row['UserName']}": row["UserId"] for row in details["UserDetailList"]}
    return users | {f"role/{row['RoleName']}": row["RoleId"] for row in details["RoleDetailList"]}


@functools.cache
def role_arn(name):
    details = answer("iam-get-account-authorization-details", GLOBAL_REGION)
    return next(row["Arn"] for row in details["RoleDetailList"] if row["RoleName"] == name)


@functools.cache
def keys(user):
    """The access keys of a user, the oldest first."""
    rows = answer("iam-list-access-keys", GLOBAL_REGION, user)["AccessKeyMetadata"]
    return [row["AccessKeyId"] for row in sorted(rows, key=lambda row: row["CreateDate"])]


@functools.cache
def group_id(name):
    groups = answer("ec2-describe-security-groups")["SecurityGroups"]
    return next(row["GroupId"] for row in groups if row["GroupName"] == name)


@functools.cache
def zone(name):
    """The hosted zone of a domain, with its record sets."""
    zones = answer("route53-list-hosted-zones", GLOBAL_REGION)["HostedZones"]
    row = next(row for row in zones if row["Name"] == name)
    identifier = row["Id"].rsplit("/", 1)[1]
    return identifier, row, answer("route53-list-resource-record-sets", GLOBAL_REGION, identifier)["ResourceRecordSets"]


@functools.cache
def snapshots():
    """The snapshots of the last night: (volume, snapshot, name)."""
    rows = answer("ec2-describe-snapshots")["Snapshots"]
    return [
        (row["VolumeId"], row["SnapshotId"], name_tag(row))
        for row in rows
        if row["Description"] == "nightly" and row["StartTime"].startswith("2026-11-16")
    ]


@functools.cache
def secrets():
    """ARNs by name."""
    return {row["Name"]: row["ARN"] for row in answer("secretsmanager-list-secrets")["SecretList"]}


@functools.cache
def key_arn(alias):
    rows = answer("kms-list-aliases")["Aliases"]
    number = next(row["TargetKeyId"] for row in rows if row["AliasName"] == f"alias/{alias}")
    return f"arn:aws:kms:{MAIN_REGION}:{ACCOUNT_ID}:key/{number}"


@functools.cache
def buckets():
    return [row["Name"] for row in answer("s3-list-buckets", GLOBAL_REGION)["Buckets"]]
