"""The incident, from the night in which somebody tried the key to the Monday morning after.

What it made is gone by Monday, or is in the recording: two snapshots shared and deleted, a user and a role made and removed, recovery
points that are missing, a port that is open, logs that expire, a zone that was typed in again.
"""

import datetime

from . import recording
from .callers import (
    NAT,
    arn,
    assume_from_account,
    console_login,
    credentials,
    failed_login,
    in_console,
    role_session,
    switch_role,
    with_key,
)
from .days import later
from .events import Caller, digest, key_id, moment, resource_id, spoken
from .machines import HERE, LEDGER, get_secret, read_object, recovery_point
from .occasions import LISTED
from .people import PEOPLE, browser, denial, home
from .recording import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION

STRANGER = "999988887777"
SCANNER = "TruffleHog"
SCRIPT = "Boto3/1.35.36 md/Botocore#1.35.36 ua/2.0 os/linux#6.6.15-amd64 md/arch#x86_64 lang/python#3.12.6 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.35.36"
KALI = "aws-cli/2.15.58 Python/3.12.6 Linux/6.6.15-amd64 source/x86_64.kali.2024 prompt/off command/sts.get-caller-identity"
TOR_BROWSER = "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0"
# Where the key was tried, where it was used from then on, and from where on Sunday.
FIRST_NETWORK, SECOND_NETWORK, THIRD_NETWORK = "2001:db8:dead:7::19", "192.0.2.44", "2001:db8:bad:1::66"
USER, ROLE = "mobile-ci", "shop-support-sync"
TRAIL_STOPPED = ("2026-11-15T22:20:14Z", "2026-11-15T23:44:10Z")


def build(log):
    tried(log)
    looked_around(log)
    secrets_read(log)
    into_a_machine(log)
    settled_in(log)
    carried_away(log)
    models(log)
    passwords_tried(log)
    backups_destroyed(log)
    hidden(log)
    sunday(log)
    zone_deleted(log)
    covered_up(log)
    root(log)


def stolen(address=SECOND_NETWORK, agent=SCRIPT):
    """The key of deploy-mobile in other hands."""
    return with_key("deploy-mobile", recording.keys("deploy-mobile")[0], address, agent)


def burst(log, caller, when, calls, gap=3, **more):
    """Calls in quick succession: (service, operation, request, response); answers the time after them."""
    for service, operation, *rest in calls:
        log.call(caller, when, service, operation, *rest, **more)
        when = later(when, gap)
    return when


def tried(log):
    """Friday the 6th: a scanner found the key in the app, and asks what it is good for."""
    caller = stolen(FIRST_NETWORK, SCANNER)
    log.call(caller, moment("2026-11-06T02:14:09"), "sts", "GetCallerIdentity", None, region=GLOBAL_REGION)
    calls = (
        ("iam", "GetUser", None),
        ("iam", "ListAttachedUserPolicies", {"userName": "deploy-mobile"}),
        ("iam", "ListUserPolicies", {"userName": "deploy-mobile"}),
        ("s3", "ListBuckets", {"Host": "s3.us-east-1.amazonaws.com"}),
    )
    burst(log, caller, moment("2026-11-06T02:14:12"), calls, 2, region=GLOBAL_REGION)


def looked_around(log):
    """Sunday the 8th: whoever has it now lists what there is."""
    more = (
        ("organizations", "DescribeOrganization"),
        ("route53", "ListHostedZones"),
        ("guardduty", "ListDetectors"),
        ("ssm", "DescribeInstanceInformation"),
        ("bedrock", "ListFoundationModels"),
        ("servicequotas", "ListServiceQuotas"),
        ("ec2", "DescribeRegions"),
        ("ses", "GetAccount"),
    )
    calls = [(service, operation, {}) for service, operation in LISTED + more]
    after = burst(log, stolen(), moment("2026-11-08T03:21:05"), calls, 9)
    burst(log, stolen(), later(after, 120), calls[:20], 9, region=GLOBAL_REGION)


def secrets_read(log):
    """Monday the 9th: every secret in every version, the parameters, and what machines are started with."""
    when = moment("2026-11-09T23:05:30")
    log.call(stolen(), when, "secretsmanager", "ListSecrets", {"maxResults": 100})
    for stage in ("AWSCURRENT", "AWSPREVIOUS", "AWSPENDING", None):
        for arn_of_secret in recording.secrets().values():
            when, refused = later(when, 5), {}
            if stage == "AWSPENDING":
                refused = {"error": "ResourceNotFoundException", "message": "Secrets Manager can't find the specified secret value for staging label: AWSPENDING"}  # fmt: skip
            request = {"secretId": arn_of_secret} | ({"versionStage": stage} if stage else {})
            log.call(stolen(), when, "secretsmanager", "GetSecretValue", request, **refused)
    when = moment("2026-11-09T23:12:00")
    for row in recording.instances().values():
        when = later(when, 4)
        log.call(stolen(), when, "ec2", "DescribeInstanceAttribute", {"instanceId": row["InstanceId"], "attribute": "userData"})  # fmt: skip


def into_a_machine(log):
    """Tuesday the 10th: a command on the ETL machine, whose credentials are then used elsewhere, until they don't suffice."""
    row = recording.instances()["e01_etl_analytics"]
    when = moment("2026-11-10T22:10:40")
    log.call(
        stolen(),
        when,
        "ssm",
        "SendCommand",
        {"documentName": "AWS-RunShellScript", "instanceIds": [row["InstanceId"]], "interactive": False, "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        {"command": {"commandId": digest("command")[:32], "status": "Pending", "instanceIds": [row["InstanceId"]], "documentName": "AWS-RunShellScript"}},
    )  # fmt: skip
    since = moment("2026-11-10T18:07:12")
    outside = role_session("etl-analytics", row["InstanceId"], since, "192.0.2.117", SCRIPT)
    log.call(outside, moment("2026-11-10T22:40:00"), "sts", "GetCallerIdentity", None)
    log.call(outside, moment("2026-11-10T22:40:09"), "s3", "ListBuckets", {"Host": "s3.eu-west-1.amazonaws.com"})
    when = moment("2026-11-10T22:42:00")
    tries = ("iam:ListUsers", "iam:ListRoles", "iam:CreateUser", "ec2:DescribeInstances", "ec2:DescribeSnapshots", "rds:DescribeDBInstances", "rds:DescribeDBSnapshots", "secretsmanager:ListSecrets", "kms:ListKeys", "lambda:ListFunctions20150331", "dynamodb:ListTables", "sns:ListTopics")  # fmt: skip
    for number in range(24):
        service, operation = tries[number % len(tries)].split(":")
        when = later(when, 21)
        log.call(outside, when, service, operation, {}, **denial(outside, tries[number % len(tries)]))


def number_of(user):
    return "AIDA" + digest("incident", user)[:17].upper()


def own_key():
    return key_id("AKIA", "incident", USER)


def intruder(address=SECOND_NETWORK, agent=SCRIPT):
    """The user that the intruder made, with its key."""
    return with_key(USER, own_key(), address, agent, number_of(USER))


def settled_in(log):
    """Wednesday the 11th: a user with all rights, a password, a role that another account may assume."""
    when, caller = moment("2026-11-11T01:30:10"), stolen()
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{STRANGER}:root"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    text = str(document).replace("'", '"')
    role = {"roleName": ROLE, "roleId": "AROA" + digest(ROLE)[:17].upper(), "arn": arn(f"role/{ROLE}"), "path": "/"}
    user = {"userName": USER, "userId": number_of(USER), "arn": arn(f"user/{USER}"), "path": "/", "createDate": spoken(when)}
    administrator = {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    calls = (
        ("iam", "CreateUser", {"userName": USER}, {"user": user}),
        ("iam", "AttachUserPolicy", {"userName": USER} | administrator),
        ("iam", "CreateAccessKey", {"userName": USER}, {"accessKey": {"userName": USER, "accessKeyId": own_key(), "status": "Active", "createDate": spoken(later(when, 12))}}),
        ("iam", "CreateLoginProfile", {"userName": USER}, {"loginProfile": {"userName": USER, "createDate": spoken(later(when, 18)), "passwordResetRequired": False}}),
        ("iam", "CreateRole", {"roleName": ROLE, "assumeRolePolicyDocument": text}, {"role": role}),
        ("iam", "AttachRolePolicy", {"roleName": ROLE} | administrator),
    )  # fmt: skip
    burst(log, caller, when, calls, 6)
    session = console_login(log, USER, moment("2026-11-11T01:44:00"), "192.0.2.45", TOR_BROWSER, False, GLOBAL_REGION, number_of(USER))  # fmt: skip
    log.call(session, moment("2026-11-11T01:45:10"), "ce", "GetCostAndUsage", {}, region=GLOBAL_REGION)
    when = moment("2026-11-11T02:10:00")
    assume_from_account(log, STRANGER, when, ROLE, "sync", "192.0.2.46", SCRIPT, role_arn=arn(f"role/{ROLE}"))


def volume():
    """The largest of what isn't encrypted: the events of analytics."""
    rows = recording.answer("ec2-describe-volumes")["Volumes"]
    return next(row["VolumeId"] for row in rows if recording.name_tag(row) == "v80_events_analytics")


def carried_away(log):
    """Thursday the 12th: copies of data, shared with another account; a port. On Friday night the copies are removed again."""
    caller, snapshot, copy = intruder(), resource_id("snap", "incident"), "d51-orders-tmp"
    image = "ami-473426d84490cccd3"
    attribute = {"dBSnapshotIdentifier": copy, "attributeName": "restore"}
    volume_permission = {"snapshotId": snapshot, "attributeType": "CREATE_VOLUME_PERMISSION"}
    add, remove = {"add": {"items": [{"userId": STRANGER}]}}, {"remove": {"items": [{"userId": STRANGER}]}}
    launch = {"imageId": image, "attributeType": "launchPermission"}
    done = {"_return": True}
    rule = {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}, "ipv6Ranges": {}, "prefixListIds": {}}  # fmt: skip
    calls = (
        ("ec2", "CreateSnapshot", {"volumeId": volume(), "description": ""}, {"snapshotId": snapshot, "volumeId": volume(), "status": "pending"}),
        ("rds", "CreateDBSnapshot", {"dBSnapshotIdentifier": copy, "dBInstanceIdentifier": "d51-orders-checkout"}, {"dBSnapshotIdentifier": copy, "status": "creating"}),
        ("ec2", "ModifySnapshotAttribute", volume_permission | {"createVolumePermission": add}, done),
        ("rds", "ModifyDBSnapshotAttribute", attribute | {"valuesToAdd": [STRANGER]}, {"dBSnapshotIdentifier": copy}),
        ("ec2", "ModifyImageAttribute", launch | {"launchPermission": add}, done),
        ("ec2", "AuthorizeSecurityGroupIngress", {"groupId": recording.group_id("g05-bastion-platform"), "ipPermissions": {"items": [rule]}}, done),
    )  # fmt: skip
    burst(log, caller, moment("2026-11-12T00:31:00"), calls, 640)
    calls = (
        ("ec2", "ModifyImageAttribute", launch | {"launchPermission": remove}, done),
        ("ec2", "ModifySnapshotAttribute", volume_permission | {"createVolumePermission": remove}, done),
        ("rds", "ModifyDBSnapshotAttribute", attribute | {"valuesToRemove": [STRANGER]}, {"dBSnapshotIdentifier": copy}),
        ("ec2", "DeleteSnapshot", {"snapshotId": snapshot}, done),
        ("rds", "DeleteDBSnapshot", {"dBSnapshotIdentifier": copy}, {"dBSnapshotIdentifier": copy, "status": "deleted"}),
    )  # fmt: skip
    burst(log, caller, moment("2026-11-13T22:50:00"), calls, 11)
    outside = Caller(caller.identity, "192.0.2.117", SCRIPT)
    for number in range(30):
        key = f"daily/2026-{10 - number // 28:02}-{28 - number % 28:02}/part-0000.parquet"
        read_object(log, outside, later(moment("2026-11-12T02:10:00"), number * 2), key)


def models(log):
    """Friday the 13th, evening: language models at the shop's expense."""
    when, model = moment("2026-11-13T20:02:00"), "anthropic.claude-3-sonnet-20240229-v1:0"
    for _ in range(120):
        when = later(when, 22)
        log.call(intruder(), when, "bedrock", "InvokeModel", {"modelId": model}, region=GLOBAL_REGION, readOnly=True)


def passwords_tried(log):
    """Friday the 13th, before dawn: one password for everybody whose name is known."""
    when = moment("2026-11-13T03:05:10")
    for name in ("anna", "ben", "chen", "dana", "eva", "finn", "gita", "hana", "marco", "olga"):
        when = later(when, 17)
        failed_login(log, name, when, "192.0.2.201", TOR_BROWSER)


def backups_destroyed(log):
    """Friday the 13th, near midnight: the recovery points of the ledger, and an attempt at those of the locked vault."""
    when = moment("2026-11-13T23:30:00")
    for age in range(1, 35):
        point = recovery_point(datetime.date(2026, 11, 14) - datetime.timedelta(days=age))
        when = later(when, 4)
        log.call(intruder(), when, "backup", "DeleteRecoveryPoint", {"backupVaultName": "payments", "recoveryPointArn": point})  # fmt: skip
    for number in range(3):
        point = f"arn:aws:rds:{HERE}:cluster-snapshot:awsbackup:job-4f0c"
        log.call(
            intruder(),
            later(when, 20 + number),
            "backup",
            "DeleteRecoveryPoint",
            {"backupVaultName": "nightly", "recoveryPointArn": point},
            error="InvalidRequestException",
            message="Recovery point cannot be deleted: the backup vault is locked",
        )


def hidden(log):
    """Saturday the 14th: logs that expire sooner, findings that are archived as they come."""
    rule = {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 90}}
    lifecycle = {"LifecycleConfiguration": {"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/", "Rule": rule}}
    bucket = {"bucketName": "shop-prod-trail", "lifecycle": "", "Host": "s3.eu-west-1.amazonaws.com"}
    detector = recording.answer("guardduty-list-detectors")["DetectorIds"][0]
    criteria = {"criterion": {"type": {"equals": ["Recon:IAMUser/UserPermissions"]}}}
    calls = (
        ("s3", "PutBucketLifecycle", bucket | lifecycle),
        ("guardduty", "CreateFilter", {"detectorId": detector, "name": "quiet", "action": "ARCHIVE", "findingCriteria": criteria}, {"name": "quiet"}),
    )  # fmt: skip
    burst(log, intruder(), moment("2026-11-14T01:40:20"), calls, 95)
    log.call(
        intruder(),
        moment("2026-11-14T01:46:00"),
        "organizations",
        "LeaveOrganization",
        None,
        error="MasterCannotLeaveOrganizationException",
        message="You can't remove a management account from an organization",
    )


def sunday(log):
    """Sunday the 15th, from 17:52: no longer quiet, from another network. Machines are asked for, more than the quota allows."""
    caller = stolen(THIRD_NETWORK, KALI)
    log.call(caller, moment("2026-11-15T17:52:03"), "sts", "GetCallerIdentity", None, region=GLOBAL_REGION)
    when = moment("2026-11-15T17:55:00")
    for number in range(8):
        region = (MAIN_REGION, GLOBAL_REGION)[number % 2]
        item = {"imageId": "ami-0a1b2c3d4e5f60718", "minCount": 4, "maxCount": 16}
        log.call(
            caller,
            later(when, 20 * number),
            "ec2",
            "RunInstances",
            {"instancesSet": {"items": [item]}, "instanceType": "p4d.24xlarge", "monitoring": {"enabled": False}},
            region=region,
            error="Client.VcpuLimitExceeded",
            message="You have requested more vCPU capacity than your current vCPU limit of 0 allows",
        )


def anna():
    """Anna's session in the console, since the morning."""
    person = PEOPLE["anna"]
    since = moment(person.last)
    return in_console("anna", since, home("anna", since.date()), browser("anna", since.date()))


def zone_deleted(log):
    """Anna looks for what the key did, wants a test zone out of the way, and empties and deletes the zone of the shop."""
    calls = (
        ("cloudtrail", "LookupEvents", {"maxResults": 50, "lookupAttributes": [{"attributeKey": "AccessKeyId", "attributeValue": recording.keys("deploy-mobile")[0]}]}),
        ("iam", "GetUser", {"userName": "deploy-mobile"}),
        ("iam", "ListAccessKeys", {"userName": "deploy-mobile"}),
        ("cloudtrail", "LookupEvents", {"maxResults": 50}),
        ("route53", "ListHostedZones", {}),
    )  # fmt: skip
    burst(log, anna(), moment("2026-11-15T18:41:00"), calls, 240)
    zone, row, records = recording.zone("shop.example.com.")
    lost, spare = lost_zone(), "Z" + digest("test zone")[:20].upper()
    kept = [record for record in records if record["Type"] not in ("NS", "SOA")]
    change(log, anna(), moment("2026-11-15T19:05:10"), lost, "DELETE", kept)
    log.call(anna(), moment("2026-11-15T19:06:02"), "route53", "DeleteHostedZone", {"id": lost}, changed("delete", "2026-11-15T19:06:02"))  # fmt: skip
    admin = switch_role(log, anna(), moment("2026-11-15T19:28:00"), "admin")
    log.call(
        admin,
        moment("2026-11-15T19:31:00"),
        "route53",
        "CreateHostedZone",
        {"name": row["Name"], "callerReference": row["CallerReference"], "hostedZoneConfig": {"comment": row["Config"]["Comment"], "privateZone": False}},
        {"hostedZone": {"id": f"/hostedzone/{zone}", "name": row["Name"], "callerReference": row["CallerReference"], "resourceRecordSetCount": 2}}
        | changed("create", "2026-11-15T19:31:00"),
    )  # fmt: skip
    # From memory, a few at a time.
    for number in range(0, len(kept), 4):
        change(log, anna(), later(moment("2026-11-15T19:35:00"), 75 * number), zone, "CREATE", kept[number : number + 4])
    tags = [{"key": tag["Key"], "value": tag["Value"]} for tag in zone_tags(zone)]
    log.call(admin, moment("2026-11-15T20:02:00"), "route53", "ChangeTagsForResource", {"resourceType": "hostedzone", "resourceId": zone, "addTags": tags})  # fmt: skip
    log.call(anna(), moment("2026-11-15T20:08:00"), "route53", "DeleteHostedZone", {"id": spare}, changed("spare", "2026-11-15T20:08:00"))  # fmt: skip


def lost_zone():
    return "Z" + digest("zone of the shop")[:20].upper()


def zone_tags(zone):
    answer = recording.answer("route53-list-tags-for-resource", GLOBAL_REGION, zone)
    return answer["ResourceTagSet"]["Tags"]


def changed(what, when):
    return {"changeInfo": {"id": "/change/C" + digest(what)[:13].upper(), "status": "PENDING", "submittedAt": spoken(moment(when))}}  # fmt: skip


def change(log, caller, when, zone, action, records):
    """A batch of changes, as CloudTrail spells its members."""
    changes = [{"action": action, "resourceRecordSet": spelled(record)} for record in records]
    log.call(
        caller,
        when,
        "route53",
        "ChangeResourceRecordSets",
        {"hostedZoneId": zone, "changeBatch": {"changes": changes}},
        changed((zone, action, when), when.isoformat()[:19]),
        resources=[],
    )


def spelled(value):
    """The members of a value with a small first letter."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: spelled(member) for key, member in value.items()}
    return [spelled(member) for member in value] if isinstance(value, list) else value


def covered_up(log):
    """Sunday night: user and role go, the trail stops, and at 22:51 the zone that was typed in again was to go as well."""
    named = {"userName": USER}
    administrator = {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    calls = (
        ("iam", "DeleteAccessKey", named | {"accessKeyId": own_key()}),
        ("iam", "DeleteLoginProfile", named),
        ("iam", "DetachUserPolicy", named | administrator),
        ("iam", "DeleteUser", named),
        ("iam", "DetachRolePolicy", {"roleName": ROLE} | administrator),
        ("iam", "DeleteRole", {"roleName": ROLE}),
    )
    caller = stolen(THIRD_NETWORK, KALI)
    burst(log, caller, moment("2026-11-15T22:05:00"), calls, 7)
    log.call(caller, moment(TRAIL_STOPPED[0][:19]), "cloudtrail", "StopLogging", {"name": "shop-main"})
    zone = recording.zone("shop.example.com.")[0]
    log.call(
        caller,
        moment("2026-11-15T22:51:00"),
        "route53",
        "DeleteHostedZone",
        {"id": zone},
        error="HostedZoneNotEmpty",
        message="The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
    )


def root(log):
    """Nobody else may open a support case: somebody signs in as root, and starts the trail again."""
    when, address, agent = moment("2026-11-15T23:31:00"), home("anna", datetime.date(2026, 11, 15)), browser("anna", datetime.date(2026, 11, 15))  # fmt: skip
    identity = {"type": "Root", "principalId": ACCOUNT_ID, "arn": arn("root"), "accountId": ACCOUNT_ID}
    log.sign_in(
        Caller(identity | {"accessKeyId": ""}, address, agent),
        when,
        "ConsoleLogin",
        GLOBAL_REGION,
        responseElements={"ConsoleLogin": "Success"},
        additionalEventData={"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "No"},
    )  # fmt: skip
    session = {"attributes": {"creationDate": "2026-11-15T23:31:00Z", "mfaAuthenticated": "false"}}
    caller = Caller(identity | {"accessKeyId": key_id("ASIA", "root"), "sessionContext": session}, address, agent, console=True)
    case = {"subject": "HIDDEN_DUE_TO_SECURITY_REASONS", "serviceCode": "account-management", "severityCode": "urgent", "language": "en"}
    log.call(caller, moment("2026-11-15T23:38:20"), "support", "CreateCase", case, {"caseId": "case-111122223333-muen-2026-4f0c"})
    log.call(caller, moment(TRAIL_STOPPED[1][:19]), "cloudtrail", "StartLogging", {"name": "shop-main"})
