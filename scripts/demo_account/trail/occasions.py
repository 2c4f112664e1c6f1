"""What doesn't happen every week: auditors, a colleague who came and went, keys replaced, a region tried, a port opened for a test."""

import datetime

from . import recording
from .callers import (
    BOTO,
    CLI,
    PARTNER,
    arn,
    assume_from_account,
    console_login,
    in_console,
    role_session,
    switch_role,
    with_key,
)
from .days import at, chance, later, months_in
from .events import digest, key_id, moment, resource_id, spoken, stamp
from .machines import PARTNER_NETWORK, HERE, RUNNER, runner_session
from .people import PEOPLE, ROOM, address_of, browser, denial, home
from .recording import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION

# Two days of each quarter.
AUDITS = ("2025-12-09", "2025-12-10", "2026-03-24", "2026-03-25", "2026-06-16", "2026-06-17", "2026-09-22", "2026-09-23")
# Who replaced the phone with the second factor, and the password with it.
NEW_PHONES = {
    "anna": "2026-10-02T07:55:00",
    "ben": "2026-09-21T08:02:00",
    "chen": "2026-09-28T09:14:00",
    "dana": "2026-10-12T08:00:00",
    "eva": "2026-10-19T12:00:00",
    "finn": "2026-09-14T07:00:00",
    "gita": "2026-10-05T08:00:00",
    "hana": "2026-10-05T08:10:00",
    "ivo": "2026-08-31T09:00:00",
}
NEW_KEYS = (("dana", 0, "2026-09-01T09:00:00"), ("finn", 0, "2026-09-30T07:00:00"), ("ben", 0, "2026-10-05T08:30:00"), ("dana", 1, "2026-10-20T09:00:00"))
TRIED = "eu-central-1"


def build(log):
    for day in AUDITS:
        audit(log, datetime.date.fromisoformat(day))
    colleague(log)
    for name, text in NEW_PHONES.items():
        new_phone(log, name, moment(text))
    new_password(log, in_session(log, "olga", moment("2026-08-30T09:58:10")), moment("2026-08-30T10:00:00"))
    for name, number, text in NEW_KEYS:
        new_key(log, name, recording.keys(name)[number], moment(text), replaced=number == 0)
    region_tried(log)
    port_opened(log)
    denied_again_and_again(log)
    guards(log)
    for_the_supplier(log)
    restore(log)
    emergencies(log)
    releases(log)
    log.call(
        role_session("github-deploy", "deploy", moment("2026-11-10T08:58:40"), "2001:db8:61f:a::b10c", "APN/1.0 HashiCorp/1.0 Terraform/1.15 (+https://www.terraform.io) terraform-provider-aws/6.32.0"),
        moment("2026-11-10T09:00:00"),
        "kms",
        "ScheduleKeyDeletion",
        {"keyId": recording.key_arn("shop-notifications"), "pendingWindowInDays": 30},
        {"keyId": recording.key_arn("shop-notifications"), "keyState": "PendingDeletion", "pendingWindowInDays": 30, "deletionDate": "Dec 10, 2026, 9:00:00 AM"},
        resources=[{"accountId": ACCOUNT_ID, "type": "AWS::KMS::Key", "ARN": recording.key_arn("shop-notifications")}],
    )  # fmt: skip


def in_session(log, name, when):
    """A login of somebody at a known time."""
    address = address_of(name, when.date(), chance("occasion", name, when))
    return console_login(log, name, when, address, browser(name, when.date()), PEOPLE[name].mfa)


def as_admin(log, when):
    """Anna in the role of the administrators."""
    return switch_role(log, in_session(log, "anna", when), later(when, 45), "admin")


def audit(log, day):
    """A partner's auditor lists everything there is, with the role of its monitoring."""
    draw = chance("audit", day)
    when, agent = at(day, 9, draw.randrange(60)), BOTO.format(minor=40 + months_in(day) // 3)
    address = PARTNER_NETWORK.format(0x310)
    assume_from_account(log, PARTNER, when, "vendor-monitoring", "audit", address, agent, "shop-4711")
    caller = role_session("vendor-monitoring", "audit", when, address, agent)
    for number in range(150):
        service, operation = LISTED[(number * 7 + day.day) % len(LISTED)]
        when = later(when, draw.randrange(5, 90))
        region = GLOBAL_REGION if number % 4 == 0 else MAIN_REGION
        log.call(caller, when, service, operation, {}, region=region)


LISTED = tuple(
    (service, operation)
    for service, operations in {
        "ec2": "DescribeInstances DescribeVolumes DescribeSnapshots DescribeImages DescribeVpcs DescribeSubnets DescribeRouteTables DescribeNetworkAcls DescribeSecurityGroups DescribeAddresses DescribeFlowLogs",
        "iam": "ListUsers ListRoles ListGroups ListPolicies GetAccountSummary GenerateCredentialReport GetCredentialReport GetAccountPasswordPolicy ListVirtualMFADevices ListServerCertificates",
        "rds": "DescribeDBInstances DescribeDBClusters DescribeDBSnapshots DescribeDBSubnetGroups",
        "s3": "ListBuckets",
        "kms": "ListKeys ListAliases",
        "lambda": "ListFunctions20150331",
        "cloudtrail": "DescribeTrails ListTrails",
        "config": "DescribeConfigurationRecorders DescribeDeliveryChannels",
        "logs": "DescribeLogGroups DescribeMetricFilters",
        "monitoring": "DescribeAlarms",
        "dynamodb": "ListTables",
        "sns": "ListTopics ListSubscriptions",
        "sqs": "ListQueues",
        "elasticloadbalancing": "DescribeLoadBalancers DescribeTargetGroups",
        "secretsmanager": "ListSecrets",
        "acm": "ListCertificates",
        "backup": "ListBackupVaults ListBackupPlans ListProtectedResources",
        "ecs": "ListClusters ListTaskDefinitions",
        "eks": "ListClusters",
        "elasticache": "DescribeCacheClusters DescribeReplicationGroups",
    }.items()
    for operation in operations.split()
)


def colleague(log):
    """Jona comes in March and leaves at the end of October."""
    admin = as_admin(log, moment("2026-03-02T08:30:00"))
    when, name = moment("2026-03-02T08:40:00"), "jona"
    number = "AIDA" + digest(name)[:17].upper()
    group = {"groupName": "developers", "userName": name}
    log.call(
        admin,
        when,
        "iam",
        "CreateUser",
        {"userName": name},
        {"user": {"path": "/", "userName": name, "userId": number, "arn": arn(f"user/{name}"), "createDate": spoken(when)}},
    )
    log.call(admin, later(when, 8), "iam", "AddUserToGroup", group)
    log.call(
        admin,
        later(when, 20),
        "iam",
        "CreateLoginProfile",
        {"userName": name, "passwordResetRequired": True},
        {"loginProfile": {"userName": name, "createDate": spoken(when), "passwordResetRequired": True}},
    )
    session = first_login(log, name, number)
    day = datetime.date(2026, 3, 3)
    while day < datetime.date(2026, 10, 30):
        draw = chance("colleague", day)
        if day.weekday() < 5 and draw.random() < 0.3 and not datetime.date(2026, 8, 8) <= day <= datetime.date(2026, 8, 23):
            session = console_login(log, name, at(day, 8, draw.randrange(60)), jona_address(day), JONA_BROWSER, user_id=number)
            log.call(session, at(day, 9, draw.randrange(60)), "lambda", "ListFunctions20150331", {"maxItems": 50})
            log.call(session, at(day, 10, draw.randrange(60)), "ec2", "DescribeInstances", ROOM)
        day += datetime.timedelta(days=1)
    admin = as_admin(log, moment("2026-10-30T15:00:00"))
    when = moment("2026-10-30T15:05:00")
    device = {"userName": name, "serialNumber": arn(f"mfa/{name}")}
    for seconds, (operation, request) in enumerate(
        (
            ("DeleteLoginProfile", {"userName": name}),
            ("DeactivateMFADevice", device),
            ("DeleteVirtualMFADevice", {"serialNumber": arn(f"mfa/{name}")}),
            ("RemoveUserFromGroup", group),
            ("DeleteUser", {"userName": name}),
        )
    ):
        log.call(admin, later(when, seconds * 4), "iam", operation, request)


JONA_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36"


def jona_address(day):
    return "203.0.113.10" if day.weekday() in (1, 2, 3) else "2001:db8:1b:2::51"


def first_login(log, name, number):
    """The first login is with the password of the administrator alone; the second factor comes next."""
    when = moment("2026-03-02T09:10:00")
    session = console_login(log, name, when, "203.0.113.10", JONA_BROWSER, mfa=False, user_id=number)
    log.call(session, later(when, 30), "iam", "ChangePassword", None)
    enable_device(log, session, later(when, 120), name)
    return session


def enable_device(log, session, when, name):
    serial = arn(f"mfa/{name}")
    log.call(
        session,
        when,
        "iam",
        "CreateVirtualMFADevice",
        {"virtualMFADeviceName": name, "path": "/"},
        {"virtualMFADevice": {"serialNumber": serial}},
    )
    log.call(session, later(when, 40), "iam", "EnableMFADevice", {"userName": name, "serialNumber": serial})


def new_phone(log, name, when):
    """The second factor moves to another phone, within minutes."""
    session, serial = in_session(log, name, later(when, -600)), arn(f"mfa/{name}")
    log.call(session, later(when, -200), "iam", "ChangePassword", None)
    log.call(session, later(when, -90), "iam", "DeactivateMFADevice", {"userName": name, "serialNumber": serial})
    log.call(session, later(when, -80), "iam", "DeleteVirtualMFADevice", {"serialNumber": serial})
    enable_device(log, session, later(when, -40), name)


def new_password(log, session, when):
    log.call(session, when, "iam", "ChangePassword", None)


def new_key(log, name, key, when, replaced):
    """A new key of one's own; the old one goes a week later, unless it is forgotten."""
    session = in_session(log, name, later(when, -300))
    log.call(
        session,
        when,
        "iam",
        "CreateAccessKey",
        {"userName": name},
        {"accessKey": {"userName": name, "accessKeyId": key, "status": "Active", "createDate": spoken(when)}},
    )
    if replaced:
        old = {"userName": name, "accessKeyId": key_id("AKIA", name, "before")}
        session = in_session(log, name, later(when, 7 * 86400))
        log.call(session, later(when, 7 * 86400 + 60), "iam", "UpdateAccessKey", old | {"status": "Inactive"})
        log.call(session, later(when, 7 * 86400 + 90), "iam", "DeleteAccessKey", old)


def region_tried(log):
    """A week in Frankfurt: a network, a machine, a trail; all taken down again."""
    admin = as_admin(log, moment("2026-05-11T09:00:00"))
    vpc, machine, trail = resource_id("vpc", TRIED), resource_id("i", TRIED), "shop-trial"
    where = {"region": TRIED}
    log.call(admin, moment("2026-05-11T09:05:00"), "cloudtrail", "CreateTrail", {"name": trail, "s3BucketName": "shop-dev-trail", "isMultiRegionTrail": False}, {"name": trail, "s3BucketName": "shop-dev-trail", "trailARN": f"arn:aws:cloudtrail:{TRIED}:{ACCOUNT_ID}:trail/{trail}"}, **where)  # fmt: skip
    log.call(admin, moment("2026-05-11T09:05:20"), "cloudtrail", "StartLogging", {"name": trail}, **where)
    log.call(admin, moment("2026-05-11T09:12:00"), "ec2", "CreateVpc", {"cidrBlock": "10.60.0.0/16", "instanceTenancy": "default"}, {"vpc": {"vpcId": vpc, "state": "pending"}}, **where)  # fmt: skip
    log.call(admin, moment("2026-05-11T09:30:00"), "ec2", "RunInstances", {"instancesSet": {"items": [{"imageId": "ami-0fedcba9876543210", "minCount": 1, "maxCount": 1}]}, "instanceType": "t3.small"}, {"instancesSet": {"items": [{"instanceId": machine, "instanceState": {"code": 0, "name": "pending"}}]}}, **where)  # fmt: skip
    for day in range(11, 16):
        for hour in range(7, 19):
            when = at(datetime.date(2026, 5, day), hour, 20, day)
            if when > moment("2026-05-11T10:00:00"):
                log.call(session_of(machine, when), when, "ssm", "UpdateInstanceInformation", {"instanceId": machine, "agentStatus": "Active"}, **where)  # fmt: skip
    admin = as_admin(log, moment("2026-05-15T15:00:00"))
    log.call(admin, moment("2026-05-15T15:10:00"), "ec2", "TerminateInstances", {"instancesSet": {"items": [{"instanceId": machine}]}}, {"instancesSet": {"items": [{"instanceId": machine, "currentState": {"code": 32, "name": "shutting-down"}}]}}, **where)  # fmt: skip
    log.call(admin, moment("2026-05-15T15:16:00"), "ec2", "DeleteVpc", {"vpcId": vpc}, {"_return": True}, **where)
    log.call(admin, moment("2026-05-15T15:20:00"), "cloudtrail", "DeleteTrail", {"name": trail}, **where)


def session_of(machine, when):
    since = when.replace(hour=when.hour // 6 * 6, minute=7)
    return role_session("bastion", machine, since, "2001:db8:ec2::17", "amazon-ssm-agent/3.3.1345.0 (linux; amd64) aws-sdk-go/1.55.5 (go1.22.6; linux; amd64)")  # fmt: skip


def port_opened(log):
    """A port of development, open for six minutes."""
    admin = as_admin(log, moment("2026-02-18T13:58:00"))
    rule = {"ipProtocol": "tcp", "fromPort": 8443, "toPort": 8443, "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}, "ipv6Ranges": {}, "prefixListIds": {}}  # fmt: skip
    request = {"groupId": recording.group_id("g91-web-checkout"), "ipPermissions": {"items": [rule]}}
    log.call(admin, moment("2026-02-18T14:02:10"), "ec2", "AuthorizeSecurityGroupIngress", request, {"_return": True})
    log.call(admin, moment("2026-02-18T14:08:31"), "ec2", "RevokeSecurityGroupIngress", request, {"_return": True})


def denied_again_and_again(log):
    """A new version of the pipeline asks for what its role may not see, until somebody looks."""
    when = moment("2026-07-08T09:20:00")
    caller = runner_session(log, when)
    for number in range(40):
        message = f"User: {caller.identity['arn']} is not authorized to perform: ecs:DescribeServices on resource: arn:aws:ecs:{HERE}:service/k11_cluster_shipping/sv11_labels_shipping because no identity-based policy allows the ecs:DescribeServices action"  # fmt: skip
        log.call(
            caller,
            later(when, 10 + 15 * number),
            "ecs",
            "DescribeServices",
            {"cluster": "k11_cluster_shipping", "services": ["sv11_labels_shipping"]},
            error="AccessDeniedException",
            message=message,
        )


def guards(log):
    """A trail of what happens inside buckets in July; in September the services that look for trouble."""
    admin = as_admin(log, moment("2026-07-06T08:50:00"))
    bucket = {"bucketName": "shop-data-trail", "Host": "s3.eu-west-1.amazonaws.com"}
    log.call(admin, moment("2026-07-06T09:00:00"), "s3", "CreateBucket", bucket | {"CreateBucketConfiguration": {"LocationConstraint": MAIN_REGION}})  # fmt: skip
    admin = as_admin(log, moment("2026-07-06T10:50:00"))
    log.call(admin, moment("2026-07-06T10:59:00"), "logs", "CreateLogGroup", {"logGroupName": "/cloudtrail/data"})
    trail = {"name": "shop-data", "s3BucketName": "shop-data-trail", "isMultiRegionTrail": False, "enableLogFileValidation": True}
    log.call(admin, moment("2026-07-06T11:00:00"), "cloudtrail", "CreateTrail", trail, trail | {"trailARN": f"arn:aws:cloudtrail:{HERE}:trail/shop-data"})  # fmt: skip
    log.call(admin, moment("2026-07-06T11:00:30"), "cloudtrail", "StartLogging", {"name": "shop-data"})
    admin = as_admin(log, moment("2026-09-07T08:50:00"))
    log.call(admin, moment("2026-09-07T09:00:00"), "guardduty", "CreateDetector", {"enable": True}, {"detectorId": recording.answer("guardduty-list-detectors")["DetectorIds"][0]})  # fmt: skip
    log.call(admin, moment("2026-09-07T09:30:00"), "securityhub", "EnableSecurityHub", {"EnableDefaultStandards": True})
    log.call(admin, moment("2026-09-07T09:49:00"), "access-analyzer", "CreateAnalyzer", {"analyzerName": "ax11_outside_platform", "type": "ACCOUNT"})  # fmt: skip
    log.call(admin, moment("2026-10-21T09:40:00"), "route53", "GetHostedZoneCount", None)


def for_the_supplier(log):
    """A snapshot of the sandbox that everybody may copy since, because the supplier's account was not known."""
    admin = as_admin(log, moment("2026-03-17T10:52:00"))
    rows = recording.answer("ec2-describe-snapshots")["Snapshots"]
    row = next(row for row in rows if row["Description"] == "for the supplier")
    volume, snapshot = row["VolumeId"], row["SnapshotId"]
    log.call(admin, moment("2026-03-17T11:00:00"), "ec2", "CreateSnapshot", {"volumeId": volume, "description": "for the supplier"}, {"snapshotId": snapshot, "volumeId": volume, "status": "pending"})  # fmt: skip
    permission = {"add": {"items": [{"group": "all"}]}}
    log.call(admin, moment("2026-03-17T11:26:00"), "ec2", "ModifySnapshotAttribute", {"snapshotId": snapshot, "createVolumePermission": permission, "attributeType": "CREATE_VOLUME_PERMISSION"}, {"_return": True})  # fmt: skip


def restore(log):
    """In October the parcels are restored for a test, and what was restored is deleted."""
    admin = as_admin(log, moment("2026-10-14T07:50:00"))
    job = "3D5E9A21-0000-4000-8000-202610140001"
    point = f"arn:aws:rds:{HERE}:cluster-snapshot:awsbackup:job-4f0c"
    log.call(admin, moment("2026-10-14T08:00:00"), "backup", "StartRestoreJob", {"recoveryPointArn": point, "iamRoleArn": recording.role_arn("backup"), "metadata": "HIDDEN_DUE_TO_SECURITY_REASONS"}, {"restoreJobId": job})  # fmt: skip
    log.service_event(moment("2026-10-14T09:12:00"), "backup", "RestoreJobCompleted", {"restoreJobId": job, "state": "COMPLETED", "resourceType": "Aurora"})  # fmt: skip
    admin = as_admin(log, moment("2026-10-14T12:00:00"))
    log.call(admin, moment("2026-10-14T12:05:00"), "rds", "DeleteDBCluster", {"dBClusterIdentifier": "restore-test-parcels", "skipFinalSnapshot": True}, {"dBClusterIdentifier": "restore-test-parcels", "status": "deleting"})  # fmt: skip
    # The image of the web servers, and the copy before the upgrade of the ledger.
    admin = as_admin(log, moment("2026-10-12T10:50:00"))
    web = recording.instances()["w01_web_checkout"]["InstanceId"]
    log.call(admin, moment("2026-10-12T11:00:00"), "ec2", "CreateImage", {"instanceId": web, "name": "web-checkout-2026-10-12", "noReboot": True}, {"imageId": "ami-473426d84490cccd3"})  # fmt: skip
    session = in_session(log, "chen", moment("2026-11-01T03:51:00"))
    log.call(session, moment("2026-11-01T04:00:00"), "rds", "CreateDBSnapshot", {"dBSnapshotIdentifier": "d21-ledger-before-upgrade", "dBInstanceIdentifier": "d21-ledger-payments"}, {"dBSnapshotIdentifier": "d21-ledger-before-upgrade", "status": "creating", "encrypted": True})  # fmt: skip


def emergencies(log):
    """Roles for the few cases for which they are there; a stranger who finds the role that everybody may assume."""
    anna = in_session(log, "anna", moment("2026-10-07T06:44:00"))
    dns = switch_role(log, anna, moment("2026-10-07T06:48:00"), "break-glass-dns")
    log.call(dns, moment("2026-10-07T06:50:00"), "route53", "ListResourceRecordSets", {"hostedZoneId": recording.zone("example.org.")[0]})  # fmt: skip
    chen = in_session(log, "chen", moment("2026-10-20T04:02:00"))
    ledger = switch_role(log, chen, moment("2026-10-20T04:08:00"), "dba-break-glass")
    log.call(ledger, moment("2026-10-20T04:10:00"), "rds", "ModifyDBInstance", {"dBInstanceIdentifier": "d21-ledger-payments", "autoMinorVersionUpgrade": True, "applyImmediately": False}, {"dBInstanceIdentifier": "d21-ledger-payments", "dBInstanceStatus": "available"})  # fmt: skip
    when, address, agent = moment("2026-09-03T13:19:00"), "2001:db8:7e57::9", BOTO.format(minor=2)
    assume_from_account(log, "555566667777", when, "open-house", "hello", address, agent)
    log.call(role_session("open-house", "hello", when, address, agent), later(when, 60), "s3", "ListBuckets", {"Host": "s3.eu-west-1.amazonaws.com"})  # fmt: skip
    eva = in_session(log, "eva", moment("2026-11-10T09:51:00"))
    sandbox = switch_role(log, eva, moment("2026-11-10T09:58:00"), "sandbox-builder")
    log.call(sandbox, moment("2026-11-10T10:00:00"), "lambda", "ListFunctions20150331", {"maxItems": 50}, **denial(sandbox, "lambda:ListFunctions"))  # fmt: skip


def releases(log):
    """Ben leads the release of every second Friday."""
    day = datetime.date(2025, 11, 28)
    while day <= datetime.date(2026, 11, 13):
        if not (datetime.date(2025, 12, 22) <= day <= datetime.date(2026, 1, 4) or datetime.date(2026, 8, 8) <= day <= datetime.date(2026, 8, 23)):
            when = at(day, 15, 42)
            since = moment(PEOPLE["ben"].last) if str(day) == PEOPLE["ben"].last[:10] else at(day, 14, 50)
            address = home("ben", day)
            session = in_console("ben", since, address, browser("ben", day))
            if since.hour == 14:
                session = console_login(log, "ben", since, address, browser("ben", day))
            release = switch_role(log, session, when, "release-manager")
            log.call(release, at(day, 15, 45), "ecs", "UpdateService", {"cluster": "k11_cluster_shipping", "service": "sv12_tracking_shipping", "desiredCount": 2}, {"service": {"serviceName": "sv12_tracking_shipping", "status": "ACTIVE"}})  # fmt: skip
        day += datetime.timedelta(days=14)
