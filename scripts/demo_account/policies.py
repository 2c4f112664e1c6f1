"""The IAM policy documents of the account."""

from .shop import ACCOUNT_ID, MAIN_REGION, account_arn


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions, resources, condition=None, sid=None):
    statement = {"Sid": sid} if sid else {}
    statement |= {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def trust_account(mfa):
    condition = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}} if mfa else {}
    return document({"Effect": "Allow", "Principal": {"AWS": account_arn()}, "Action": "sts:AssumeRole", **condition})


def trust_service(service, source_account=False):
    condition = {"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}}} if source_account else {}
    return document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **condition})


def trust_partner():
    return document(
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "sts:AssumeRole"}
    )


def trust_github(bound):
    host = "token.actions.githubusercontent.com"
    condition = {"StringEquals": {f"{host}:aud": "sts.amazonaws.com"}}
    if bound:
        condition["StringEquals"][f"{host}:sub"] = "repo:shop-example/assets:ref:refs/heads/main"
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/{host}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }
    )


MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
QUEUE = f"arn:aws:sqs:{MAIN_REGION}:{ACCOUNT_ID}:q01_orders_checkout"
NOTEBOOKS = document(
    allow(["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::shop-prod-lake", "arn:aws:s3:::shop-prod-lake/*"])
)
DNS_ADMIN = document(allow("route53:*", "arn:aws:route53:::hostedzone/*"))
QUEUE_SEND = document(allow(["sqs:SendMessage", "sqs:GetQueueUrl"], QUEUE))
QUEUE_READ = document(allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], QUEUE))
UPLOADS = document(allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::shop-prod-uploads/*"))
ASSETS = document(allow(["s3:PutObject"], "arn:aws:s3:::shop-prod-assets/*"))
USERS_TABLE = document(
    allow(
        ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
        f"arn:aws:dynamodb:{MAIN_REGION}:{ACCOUNT_ID}:table/h01_users_identity",
    )
)
WRITE_LOGS = document(
    allow(
        ["logs:CreateLogStream", "logs:PutLogEvents"], f"arn:aws:logs:{MAIN_REGION}:{ACCOUNT_ID}:log-group:/vpc/prod:*"
    )
)
REPLICATE = document(
    allow(["s3:GetReplicationConfiguration", "s3:ListBucket"], "arn:aws:s3:::shop-prod-backups"),
    allow(["s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"], "arn:aws:s3:::shop-prod-backups/*"),
    allow(["s3:ReplicateObject", "s3:ReplicateTags"], "arn:aws:s3:::shop-dr-backups/*"),
)

# name: (created, document)
CUSTOMER_MANAGED = {
    "assume-admin": (
        "2022-03-07T07:10:00Z",
        document(allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT_ID}:role/admin", MFA)),
    ),
    # The zone of the incident: a whole team may delete it, at any time, without MFA.
    "dns-edit": (
        "2022-03-07T07:12:00Z",
        document(
            allow(
                [
                    "route53:ChangeResourceRecordSets",
                    "route53:DeleteHostedZone",
                    "route53:ListResourceRecordSets",
                    "route53:ListHostedZones",
                ],
                "*",
                sid="EditZones",
            )
        ),
    ),
    "developers": (
        "2022-03-07T07:14:00Z",
        document(
            allow(
                ["lambda:CreateFunction", "lambda:UpdateFunctionCode", "lambda:InvokeFunction", "logs:GetLogEvents"],
                "*",
                sid="Functions",
            ),
            allow("iam:PassRole", "*", sid="PassAnyRole"),
            allow(
                "ec2:RebootInstances",
                f"arn:aws:ec2:*:{ACCOUNT_ID}:instance/*",
                {"StringEquals": {"aws:ResourceTag/Environment": "staging"}},
            ),
        ),
    ),
    "payments-operations": (
        "2022-06-20T08:30:00Z",
        document(
            allow(
                ["rds:RebootDBInstance", "rds:CreateDBSnapshot"],
                f"arn:aws:rds:{MAIN_REGION}:{ACCOUNT_ID}:db:d21-ledger-payments",
                MFA,
            )
        ),
    ),
    "payments-decrypt": ("2022-06-20T08:40:00Z", document(allow(["kms:Decrypt", "kms:GenerateDataKey"], "*"))),
    "analytics-lake": (
        "2023-01-09T08:30:00Z",
        document(
            allow(
                ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
                ["arn:aws:s3:::shop-prod-lake", "arn:aws:s3:::shop-prod-lake/*"],
            )
        ),
    ),
    "analytics-etl": ("2024-05-14T09:30:00Z", document(allow("s3:*", "*"))),
    "deploy": (
        "2024-07-01T09:30:00Z",
        document({"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"}),
    ),
}
