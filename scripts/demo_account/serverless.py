"""Functions, queues, topics, tables, secrets."""

import io
import json
import zipfile

from . import databases
from .shop import ACCOUNT_ID, MAIN_REGION, pairs, tags

# name: (created, runtime, role, handler, environment, in VPC)
FUNCTIONS = {
    "f01_invoice_payments": (
        "2023-03-01T11:00:00Z",
        "python3.13",
        "lambda-invoice",
        {"QUEUE": "q01_orders_checkout"},
        True,
    ),
    "f02_thumbnail_catalog": (
        "2023-03-01T11:10:00Z",
        "nodejs22.x",
        "lambda-thumbnail",
        {"BUCKET": "shop-prod-uploads", "DB_PASSWORD": "not-a-real-password-1111"},
        False,
    ),
    "f03_mailer_checkout": (
        "2021-06-01T11:20:00Z",
        "nodejs14.x",
        "lambda-invoice",
        {"SENDER": "shop@shop.example.com"},
        False,
    ),
}


def build(shop):
    messages(shop)
    functions(shop)
    tables(shop)
    secrets(shop)
    shop.correct("dynamodb", "DescribeContinuousBackups", continuous_backups)
    shop.correct("sns", "GetTopicAttributes", topic_attributes)
    shop.correct("secretsmanager", "ListSecrets", list_secrets)
    shop.correct("lambda", "GetPolicy", function_policy)
    plant(shop)


def continuous_backups(shop, region, parameter, answer):
    """Restorable until five minutes ago and for 35 days, wherever it is enabled."""
    recovery = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    if recovery["PointInTimeRecoveryStatus"] == "ENABLED":
        recovery["EarliestRestorableDateTime"] = "2026-10-12T05:55:00+00:00"
        recovery["LatestRestorableDateTime"] = "2026-11-16T05:55:00+00:00"
    return answer


def topic_attributes(shop, region, parameter, answer):
    """The one address has confirmed."""
    answer["Attributes"]["SubscriptionsConfirmed"] = "1"
    return answer


def function_policy(shop, region, parameter, answer):
    """Adds what the console adds with a URL that asks nobody who calls."""
    if parameter == "f02_thumbnail_catalog":
        policy = json.loads(answer["Policy"])
        policy["Statement"].append(
            {
                "Sid": "FunctionURLAllowPublicAccess",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "lambda:InvokeFunctionUrl",
                "Resource": shop.ids["f02_thumbnail_catalog"],
                "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
            }
        )
        answer["Policy"] = json.dumps(policy)
    return answer


def list_secrets(shop, region, parameter, answer):
    """Adds the one that RDS keeps, and rotates, for the ledger."""
    for secret in answer["SecretList"]:
        secret["RotationEnabled"] = False
    if region == MAIN_REGION:
        answer["SecretList"].append(rds_secret(shop))
    return answer


def rds_secret(shop):
    return {
        "ARN": databases.MANAGED_SECRET,
        "Name": databases.MANAGED_SECRET.split(":secret:")[1].rsplit("-", 1)[0],
        "Description": f"Secret associated with primary RDS DB instance: {shop.ids['d21_ledger_payments']}",
        "KmsKeyId": shop.ids["key-payments"],
        "RotationEnabled": True,
        "RotationRules": {"AutomaticallyAfterDays": 7},
        "LastRotatedDate": "2026-11-11T02:41:00+00:00",
        "LastChangedDate": "2026-11-11T02:41:00+00:00",
        "LastAccessedDate": "2026-11-16T00:00:00+00:00",
        "NextRotationDate": "2026-11-18T23:59:59+00:00",
        "Tags": pairs(
            {"aws:rds:primaryDBInstanceArn": shop.ids["d21_ledger_payments"], "aws:secretsmanager:owningService": "rds"}
        ),
        "OwningService": "rds",
        "CreatedDate": "2022-06-20T09:05:00+00:00",
    }


def messages(shop):
    sqs, sns = shop.client("sqs"), shop.client("sns")
    shop.at("2023-02-20T10:00:00Z")
    sqs.create_queue(QueueName="q02_orders-failed_checkout", Attributes={"MessageRetentionPeriod": "1209600"})
    dead_arn = f"arn:aws:sqs:{MAIN_REGION}:{ACCOUNT_ID}:q02_orders-failed_checkout"
    sqs.create_queue(
        QueueName="q01_orders_checkout",
        Attributes={
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 5}),
            "SqsManagedSseEnabled": "true",
        },
        tags=tags("q01_orders_checkout", importance="critical", dr="none"),
    )
    shop.ids["queue"] = f"arn:aws:sqs:{MAIN_REGION}:{ACCOUNT_ID}:q01_orders_checkout"
    topic = sns.create_topic(
        Name="o01_alarms_platform", Tags=pairs(tags("o01_alarms_platform", importance="high", dr="none"))
    )["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="oncall@shop.example.com")
    shop.ids["topic"] = topic


def functions(shop):
    aws_lambda = shop.client("lambda")
    for name, (created, runtime, role, environment, in_vpc) in FUNCTIONS.items():
        # The mailer came from a blog post, before there were tags.
        scheme = (
            {}
            if name == "f03_mailer_checkout"
            else tags(name, importance="high" if name.startswith("f01") else "low", dr="none")
        )
        function(shop, name, created, runtime, role, environment, "sg-lambda-payments" if in_vpc else None, scheme)
    shop.at("2023-03-01T12:00:00Z")
    aws_lambda.create_event_source_mapping(
        EventSourceArn=shop.ids["queue"], FunctionName="f01_invoice_payments", BatchSize=10
    )
    aws_lambda.add_permission(
        FunctionName="f02_thumbnail_catalog",
        StatementId="uploads",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::shop-prod-uploads",
        SourceAccount=ACCOUNT_ID,
    )
    url = {
        "FunctionUrl": f"https://k3xq7w2vj5d6e4b2hxu3n0abcd.lambda-url.{MAIN_REGION}.on.aws/",
        "FunctionArn": shop.ids["f02_thumbnail_catalog"],
        "CreationTime": "2023-03-01T12:05:00+00:00",
        "LastModifiedTime": "2023-03-01T12:05:00+00:00",
        "AuthType": "NONE",
        "InvokeMode": "BUFFERED",
    }
    shop.answer("lambda", "ListFunctionUrlConfigs", {"FunctionUrlConfigs": [url]}, "f02_thumbnail_catalog")
    shop.nothing[("lambda", "ListFunctionUrlConfigs")] = {"FunctionUrlConfigs": []}
    shop.answer(
        "s3",
        "GetBucketNotificationConfiguration",
        {
            "LambdaFunctionConfigurations": [
                {
                    "Id": "thumbnail",
                    "LambdaFunctionArn": shop.ids["f02_thumbnail_catalog"],
                    "Events": ["s3:ObjectCreated:*"],
                }
            ]
        },
        "shop-prod-uploads",
        "us-east-1",
    )


def function(shop, name, created, runtime, role, environment, group, scheme):
    """Makes a function; with a security group it runs in the private subnets."""
    shop.at(created)
    network = {}
    if group:
        network = {
            "VpcConfig": {
                "SubnetIds": [shop.ids["private-a"], shop.ids["private-b"]],
                "SecurityGroupIds": [shop.ids[group]],
            }
        }
    shop.ids[name] = shop.client("lambda").create_function(
        FunctionName=name,
        Runtime=runtime,
        Role=shop.ids[f"role-{role}"],
        Handler="main.handler",
        Code={"ZipFile": archive(name)},
        Timeout=30,
        MemorySize=256,
        Environment={"Variables": environment},
        Tags=scheme,
        **network,
    )["FunctionArn"]


def archive(name):
    """A zip of one file with a fixed date, so that its hash is the same on every run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr(zipfile.ZipInfo("main.py", (2023, 3, 1, 0, 0, 0)), f"# {name}\n")
    return buffer.getvalue()


def tables(shop):
    for name, created, importance, dr, protected in (
        ("h01_users_identity", "2022-04-01T09:00:00Z", "critical", "backup", True),
        ("h02_carts_checkout", "2024-06-01T09:00:00Z", "high", "backup", False),
    ):
        table(shop, name, created, tags(name, importance=importance, dr=dr), "key-identity", protected)


def table(shop, name, created, scheme, key, protected):
    """Makes a table; a protected one can't be deleted by accident, and can be restored to any moment."""
    shop.at(created)
    dynamodb = shop.client("dynamodb")
    shop.ids[name] = dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=protected,
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": shop.ids[key]},
        Tags=pairs(scheme),
    )["TableDescription"]["TableArn"]
    if protected:
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )


def secrets(shop):
    manager = shop.client("secretsmanager")
    shop.at("2022-06-20T09:30:00Z")
    shop.ids["secret"] = manager.create_secret(
        Name="x11_db-password_catalog",
        SecretString="only-in-the-emulator",
        ClientRequestToken="6f1c2b7e-93d4-4a0e-8b55-1f0c9d7e2a31",
        Tags=pairs(tags("x11_db-password_catalog", importance="high", dr="none")),
    )["ARN"]
    not_set = {"ARN": databases.MANAGED_SECRET, "Name": rds_secret(shop)["Name"]}
    shop.answer("secretsmanager", "GetResourcePolicy", not_set, databases.MANAGED_SECRET)


def plant(shop):
    thumbnail = shop.ids["f02_thumbnail_catalog"]
    shop.fault("env-secrets", thumbnail, "DB_PASSWORD in the environment")
    shop.fault("lambda-url-public", thumbnail, "function URL with AuthType NONE")
    shop.fault("lambda-runtime-eol", shop.ids["f03_mailer_checkout"], "nodejs14.x")
    shop.fault("tag-required-missing", shop.ids["f03_mailer_checkout"], "no tags")
    shop.fault("tag-required-missing", f"arn:aws:sqs:{MAIN_REGION}:{ACCOUNT_ID}:q02_orders-failed_checkout", "no tags")
    shop.fault("db-secret-rotation", shop.ids["secret"], "never rotated")
    shop.fault("tag-required-missing", databases.MANAGED_SECRET, "made by RDS, without the shop's tags")
    shop.fault("ddb-pitr", shop.ids["h02_carts_checkout"], "no point-in-time recovery")
    shop.fault("ddb-deletion-protection", shop.ids["h02_carts_checkout"], "off")
    shop.fault("dr-tag-unmet", shop.ids["h02_carts_checkout"], "DR says backup, there is none")
    shop.fault("db-rpo-unmet", shop.ids["h02_carts_checkout"], "nothing to restore from")
