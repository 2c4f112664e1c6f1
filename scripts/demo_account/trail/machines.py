"""What runs by itself: backups, pipelines, machines, services, partners."""

import datetime

from . import recording
from .callers import (
    BOTO,
    CLI,
    NAT,
    PARTNER,
    assume,
    assume_by_token,
    assume_from_account,
    machine,
    role_session,
    service,
    with_key,
)
from .days import LAST, at, chance, days, is_holiday, later, months_in
from .events import Caller, key_id, resource_id, stamp, uuid
from .recording import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION

HERE = f"{MAIN_REGION}:{ACCOUNT_ID}"
LEDGER = f"arn:aws:rds:{HERE}:db:d21-ledger-payments"
VAULT = f"arn:aws:backup:{HERE}:backup-vault:payments"
# Volumes whose snapshots are made every night; those of all others on Mondays.
NIGHTLY = 6
# Who calls from outside, each from a network of its own.
RUNNER, GITHUB = "2001:db8:c1::20", "2001:db8:61f:a::{:x}"
PARTNER_NETWORK = "2001:db8:b1::{:x}"
PUBLISHER = "203.0.113.40"
LAMBDAS = (
    ("lambda-notifications", "f21_sender_notifications", "python3.13"),
    ("lambda-mobile", "f41_session_mobile", "nodejs22.x"),
    ("lambda-search", "f11_indexer_search", "python3.13"),
    ("lambda-invoice", "f01_invoice_payments", "python3.13"),
)
INSTANCES = ("w01_web_checkout", "w11_web_catalog", "a01_api_payments", "a11_api_identity", "e01_etl_analytics")
# Days on which new revisions of the task definitions were registered.
REVISIONS = {"2025-12-10": 4, "2026-03-11": 5, "2026-07-08": 6, "2026-10-28": 7}
DEPLOYED = ("f41_session_mobile", "f11_indexer_search", "f21_sender_notifications", "f22_push_notifications")


def build(log):
    for day in days():
        nightly(log, day)
        if day < LAST:
            routine(log, day)
            if day.weekday() == 5:
                deployment(log, day)
    yearly(log)


def nightly(log, day):
    backups(log, day)
    snapshots(log, day)
    # The partner's BI fetches reports at 22:00; its monitoring looks at 05:30, as the runner does.
    monitoring(log, at(day, 5, 30, 40))
    runner(log, day)
    keys_of_people(log, day)
    reporting(log, day)
    recorder(log, day)


def recovery_point(day):
    """Of the ledger, of a night; those of the last three have the names of the recording."""
    last = ("2026-11-14", "2026-11-15", "2026-11-16")
    if str(day) in last:
        name = f"job-0b6f3d52-5b1c-7e7a-3f0e-9d2c1f4a6e0{last.index(str(day))}"
    else:
        name = f"job-{uuid('recovery point', day)}"
    return f"arn:aws:rds:{HERE}:snapshot:awsbackup:{name}"


def backup_session(when):
    return role_session(
        "backup",
        "AWSBackup-AWSBackupServiceRole",
        when.replace(second=0),
        "backup.amazonaws.com",
        "backup.amazonaws.com",
        invoked_by="backup.amazonaws.com",
    )


def backups(log, day):
    """AWS Backup copies the ledger at 02:00, and removes what is older than 35 days."""
    start, point = at(day, 2, 0, 31), recovery_point(day)
    details = {"backupVaultName": "payments", "resourceArn": LEDGER, "resourceType": "RDS", "recoveryPointArn": point}
    log.service_event(at(day, 2), "backup", "BackupJobStarted", details | {"state": "CREATED"})
    log.call(
        backup_session(start),
        start,
        "rds",
        "CreateDBSnapshot",
        {"dBSnapshotIdentifier": point.split("snapshot:")[1], "dBInstanceIdentifier": "d21-ledger-payments"},
        {"dBSnapshotArn": point, "status": "creating", "encrypted": True, "engine": "postgres"},
    )
    log.service_event(at(day, 2, 14, 50), "backup", "BackupJobCompleted", details | {"state": "COMPLETED"})
    old = recovery_point(day - datetime.timedelta(days=35))
    # From the fourteenth on there is nothing left to remove.
    if str(day) < "2026-11-14":
        log.service_event(
            at(day, 2, 40), "backup", "RecoveryPointDeleted", details | {"recoveryPointArn": old, "state": "DELETED"}
        )


def snapshots(log, day):
    """Snapshots at 03:00, each in place of the one before."""
    rows = recording.snapshots()
    if day.weekday():
        rows, before = rows[:NIGHTLY], 1
    else:
        before = 7
    for number, (volume, snapshot, _) in enumerate(rows):
        when = at(day, 3, 0, number)
        age = before if number >= NIGHTLY else 1
        this = snapshot if day == LAST else resource_id("snap", volume, day)
        session = backup_session(at(day, 3))
        log.call(
            session,
            when,
            "ec2",
            "CreateSnapshot",
            {"volumeId": volume, "description": "nightly"},
            {"snapshotId": this, "volumeId": volume, "status": "pending", "ownerId": ACCOUNT_ID, "encrypted": False},
        )
        old = resource_id("snap", volume, day - datetime.timedelta(days=age))
        log.call(session, later(when, 1500), "ec2", "DeleteSnapshot", {"snapshotId": old}, {"_return": True})


def monitoring(log, when):
    """A partner's monitoring: its account assumes a role of ours."""
    address, session = PARTNER_NETWORK.format(0x100 + when.weekday()), "monitoring"
    agent = BOTO.format(minor=30 + months_in(when) // 3)
    assume_from_account(log, PARTNER, when, "vendor-monitoring", session, address, agent, "shop-4711")
    caller = role_session("vendor-monitoring", session, when, address, agent)
    log.call(caller, later(when, 3), "monitoring", "DescribeAlarms", {"maxRecords": 100})
    log.call(caller, later(when, 4), "ec2", "DescribeInstanceStatus", {"filterSet": {}, "includeAllInstances": False})
    log.call(caller, later(when, 6), "rds", "DescribeDBInstances", {"maxRecords": 100})


def runner_session(log, when):
    subject = "project_path:shop/infra:ref_type:branch:ref:main"
    return assume_by_token(
        log, when, "gitlab-runner", "pipeline", "git.shop.example.com", subject, RUNNER, CLI.format(
            minor=31, system="linux#6.1.0", command="ecs.update-service"
        )
    )  # fmt: skip


def update_service(log, caller, when, name, **request):
    return log.call(
        caller,
        when,
        "ecs",
        "UpdateService",
        {"cluster": "k11_cluster_shipping", "service": name, **request},
        {"service": {"serviceName": name, "status": "ACTIVE", "desiredCount": 2}},
    )


def runner(log, day):
    """The pipeline of the shipping services: a fresh start every morning, a new revision now and then."""
    when = at(day, 5, 30, 2)
    update_service(log, runner_session(log, when), later(when, 4), "sv12_tracking_shipping", forceNewDeployment=True)
    if str(day) not in REVISIONS:
        return
    when = at(day, 9, 14, 20)
    caller = runner_session(log, when)
    for seconds, family in enumerate(("sv11_labels_shipping", "sv12_tracking_shipping")):
        revision = f"arn:aws:ecs:{HERE}:task-definition/{family}:{REVISIONS[str(day)]}"
        log.call(
            caller,
            at(day, 9, 15, seconds),
            "ecs",
            "RegisterTaskDefinition",
            {
                "family": family,
                "taskRoleArn": recording.role_arn("task-shipping"),
                "executionRoleArn": recording.role_arn("task-start"),
                "networkMode": "awsvpc",
                "requiresCompatibilities": ["FARGATE"],
            },
            {"taskDefinition": {"taskDefinitionArn": revision, "family": family, "status": "ACTIVE"}},
        )
        update_service(log, caller, at(day, 9, 16, seconds), family, taskDefinition=revision)


def keys_of_people(log, day):
    """Jobs of people that run with their keys, on machines in the office."""
    if day < LAST:
        scripts = CLI.format(minor=28 + months_in(day) // 2, system="linux#5.15.0", command="{}")
        when = at(day, 4)
        caller = with_key("dana", dana_key(day), "203.0.113.31", scripts.format("s3api.head-bucket"))
        log.call(caller, when, "s3", "HeadBucket", {"bucketName": "shop-prod-lake", "Host": "s3.eu-west-1.amazonaws.com"})
    if str(day) <= "2026-11-14":
        caller = with_key("finn", finn_key(day), "203.0.113.32", scripts.format("ecs.update-service"))
        update_service(log, caller, at(day, 5, 10), "sv11_labels_shipping", forceNewDeployment=True)


def dana_key(day):
    """The key in use: she has two since October, and takes the new one on every other day."""
    old, new = recording.keys("dana")
    if str(day) < "2026-09-01":
        return key_id("AKIA", "dana", "before")
    return new if str(day) > "2026-10-20" and day.toordinal() % 2 != LAST.toordinal() % 2 else old


def finn_key(day):
    return recording.keys("finn")[0] if str(day) >= "2026-09-30" else key_id("AKIA", "finn", "before")


def reporting(log, day):
    """The warehouse is filled at night, and the partner fetches what comes out."""
    when = at(day, 1, 10, 5)
    glue = role_session("nightly-reporting", "nightly", when, "states.amazonaws.com", "states.amazonaws.com")
    log.call(
        glue,
        later(when, 2),
        "glue",
        "StartJobRun",
        {"jobName": job_name()},
        {"jobRunId": f"jr_{uuid('glue', day).replace('-', '')}"},
    )
    if day == LAST:
        return
    when = at(day, 22, 0, 0)
    address, agent = PARTNER_NETWORK.format(0x200), BOTO.format(minor=12)
    assume_from_account(log, PARTNER, when, "vendor-bi", "bi", address, agent)
    if str(day) >= "2026-11-02":
        caller = role_session("vendor-bi", "bi", when, address, agent)
        for number in range(2):
            read_object(log, caller, later(when, 5 + number), f"daily/{day}/part-{number:04}.parquet")


def read_object(log, caller, when, key):
    """An object of the reports, whose reading the trail of data records."""
    bucket = "arn:aws:s3:::shop-prod-reports"
    return log.call(
        caller,
        when,
        "s3",
        "GetObject",
        {"bucketName": "shop-prod-reports", "Host": "shop-prod-reports.s3.eu-west-1.amazonaws.com", "key": key},
        additionalEventData={"SignatureVersion": "SigV4", "AuthenticationMethod": "AuthHeader", "bytesTransferredOut": 1048576},
        resources=[
            {"type": "AWS::S3::Object", "ARN": f"{bucket}/{key}"},
            {"accountId": ACCOUNT_ID, "type": "AWS::S3::Bucket", "ARN": bucket},
        ],
        managementEvent=False,
        eventCategory="Data",
    )  # fmt: skip


def job_name():
    return recording.answer("glue-get-jobs")["Jobs"][0]["Name"]


def recorder(log, day):
    """AWS Config looks around as a role of its own."""
    host = "config.amazonaws.com"
    caller = role_session(
        "AWSServiceRoleForConfig", "AWSConfig-Describe", at(day, 0, 30), host, host, invoked_by=host
    )
    for seconds, (name, what) in enumerate((("ec2", "DescribeSecurityGroups"), ("rds", "DescribeDBInstances"))):
        log.call(caller, at(day, 0, 31, seconds), name, what, {})


def routine(log, day):
    """What machines and functions call all day long; a sample of it."""
    draw = chance("routine", day)
    for name in INSTANCES:
        when = at(day, draw.randrange(6, 22), draw.randrange(60), draw.randrange(60))
        agent = "amazon-ssm-agent/3.3.1345.0 (linux; amd64) aws-sdk-go/1.55.5 (go1.22.6; linux; amd64)"
        caller = machine(name, when, agent)
        log.call(
            caller,
            when,
            "ssm",
            "UpdateInstanceInformation",
            {"instanceId": recording.instances()[name]["InstanceId"], "agentVersion": "3.3.1345.0", "agentStatus": "Active"},
        )  # fmt: skip
    decrypt(log, day, draw)
    for role, function, runtime in draw.sample(LAMBDAS, 2 if day.weekday() < 5 else 1):
        when = at(day, draw.randrange(5, 22), draw.randrange(60), draw.randrange(60))
        agent = f"awslambda-worker/1.0 exec-env/AWS_Lambda_{runtime}"
        caller = role_session(role, function, when.replace(minute=0, second=0), NAT, agent)
        group = f"/aws/lambda/{function}"
        stream = f"{when:%Y/%m/%d}/[$LATEST]{uuid('stream', function, when).replace('-', '')}"
        log.call(caller, when, "logs", "CreateLogStream", {"logGroupName": group, "logStreamName": stream})
    task(log, at(day, 5, 31, draw.randrange(10, 60)))
    if not is_holiday(day) and day.weekday() < 5 and str(day) < "2026-11-14":
        publisher(log, day, draw)


def decrypt(log, day, draw):
    when = at(day, draw.randrange(6, 22), draw.randrange(60), draw.randrange(60))
    caller = machine("a01_api_payments", when, "aws-sdk-java/2.33.4 ua/2.1 os/Linux#6.1.0 lang/java#21.0.8 md/OpenJDK_64-Bit_Server_VM")
    key = recording.key_arn("shop-payments")
    log.call(
        caller,
        when,
        "kms",
        "Decrypt",
        {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": {"purpose": "invoice"}},
        resources=[{"accountId": ACCOUNT_ID, "type": "AWS::KMS::Key", "ARN": key}],
    )
    when = later(when, 3000)
    caller = machine("w11_web_catalog", when, "aws-sdk-go-v2/1.39.2 ua/2.1 os/linux lang/go#1.25.1", endpoint=True)
    log.call(caller, when, "s3", "GetBucketLocation", {"bucketName": "shop-prod-uploads", "location": "", "Host": "s3.eu-west-1.amazonaws.com"})


def task(log, when):
    """A task of the shipping services starts, and gets its secret."""
    session = uuid("task", when).replace("-", "")
    assume(log, service("ecs-tasks"), when, "task-start", session)
    caller = role_session("task-start", session, when, NAT, "amazon-ecs-agent/1.99.0 ecs-fargate")
    get_secret(log, caller, later(when, 2), "x31_carrier-key_shipping")


def get_secret(log, caller, when, name, **more):
    return log.call(caller, when, "secretsmanager", "GetSecretValue", {"secretId": recording.secrets().get(name, name)}, **more)


def publisher(log, day, draw):
    """The machine that publishes the mobile app, with the key of deploy-mobile."""
    agent = "aws-cli/1.29.73 Python/3.10.12 Linux/5.15.0-119-generic botocore/1.31.73"
    when = at(day, 9, draw.randrange(10, 50), draw.randrange(60))
    caller = with_key("deploy-mobile", recording.keys("deploy-mobile")[0], PUBLISHER, agent)
    log.call(caller, when, "s3", "GetBucketLocation", {"bucketName": "shop-prod-assets", "location": "", "Host": "s3.eu-west-1.amazonaws.com"})
    if day.weekday() in (1, 3):
        invalidate(log, caller, later(when, 40), "/mobile/*")


def invalidate(log, caller, when, path):
    items = recording.answer("cloudfront-list-distributions", GLOBAL_REGION)["DistributionList"]["Items"]
    distribution, number = items[0]["Id"], uuid("invalidation", when, path)[:13].upper().replace("-", "X")
    batch = {"callerReference": f"cli-{int(when.timestamp())}", "paths": {"items": [path], "quantity": 1}}
    log.call(
        caller,
        when,
        "cloudfront",
        "CreateInvalidation",
        {"distributionId": distribution, "invalidationBatch": batch},
        {"invalidation": {"id": number, "status": "InProgress", "createTime": stamp(when), "invalidationBatch": batch}},
    )


def deployment(log, day):
    """Saturdays at 17:20: the pipeline reads its twenty secrets, and updates functions and caches."""
    when, runner_number = at(day, 17, 19, 30), int(uuid("runner", day)[:4], 16)
    agent = "APN/1.0 HashiCorp/1.0 Terraform/1.{} (+https://www.terraform.io) terraform-provider-aws/6.{}.0".format(
        13 + months_in(day) // 6, 20 + months_in(day)
    )
    subject = "repo:shop-example/shop:ref:refs/heads/main"
    caller = assume_by_token(
        log, when, "github-deploy", "deploy", "token.actions.githubusercontent.com", subject, GITHUB.format(runner_number), agent
    )  # fmt: skip
    secrets = [name for name in recording.secrets() if name.startswith("x")]
    for number in range(20):
        get_secret(log, caller, later(when, 20 + 2 * number), secrets[number % len(secrets)])
    for number in range(2):
        name = DEPLOYED[(day.toordinal() // 7 * 2 + number) % len(DEPLOYED)]
        update_code(log, caller, later(when, 90 + 5 * number), name)
    invalidate(log, caller, at(day, 17, 29, 10), "/*")
    log.call(caller, at(day, 17, 30), "ecs", "DescribeServices", {"cluster": "k11_cluster_shipping", "services": ["sv11_labels_shipping"]})


def update_code(log, caller, when, name):
    rows = recording.answer("lambda-list-functions")["Functions"]
    row = next(row for row in rows if row["FunctionName"] == name)
    log.call(
        caller,
        when,
        "lambda",
        "UpdateFunctionCode20150331v2",
        {"functionName": row["FunctionArn"], "publish": False, "dryRun": False, "s3Bucket": "shop-prod-logs", "s3Key": f"builds/{name}.zip"},
        {
            "functionName": name,
            "functionArn": row["FunctionArn"],
            "runtime": row["Runtime"],
            "role": row["Role"],
            "lastModified": stamp(when)[:19] + ".000+0000",
            "codeSha256": "HIDDEN_DUE_TO_SECURITY_REASONS",
        },
    )  # fmt: skip


def yearly(log):
    """Keys that KMS turns, and secrets that are changed every week."""
    for alias, day in (("shop", "2026-03-04"), ("shop-payments", "2026-03-04"), ("shop-identity", "2026-03-04"), ("shop-shipping", "2026-06-03")):
        key = recording.key_arn(alias)
        log.service_event(
            datetime.datetime.fromisoformat(f"{day}T10:12:00+00:00"),
            "kms",
            "RotateKey",
            {"rotationType": "AUTOMATIC", "keyOrigin": "AWS_KMS", "keyId": key.rsplit("/", 1)[1]},
            resources=[{"accountId": ACCOUNT_ID, "type": "AWS::KMS::Key", "ARN": key}],
        )
    for day in days():
        if day.weekday() == 2 and day < LAST:
            rotate(log, "rds!db-3f0c6d1e-5a7b-4c19-9e82-6d1b0f4a7c35", at(day, 2, 41))
        if day.day == 2 and day < LAST:
            rotate(log, "x31_carrier-key_shipping", at(day, 3, 10))


def rotate(log, name, when):
    arn = recording.secrets()[name]
    for seconds, what in enumerate(("RotationStarted", "RotationSucceeded")):
        log.service_event(later(when, 45 * seconds), "secretsmanager", what, additionalEventData={"SecretId": arn})
