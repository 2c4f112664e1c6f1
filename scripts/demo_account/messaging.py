"""Queues, topics, functions and tables of search, notifications, media, mobile and reporting; two resources are open to everybody."""

import json

from . import serverless
from .shop import ACCOUNT_ID, MAIN_REGION, pairs, tags

# name: (created, runtime, role, environment, security group, importance)
FUNCTIONS = {
    "f11_indexer_search": (
        "2024-06-04T09:00:00Z",
        "python3.13",
        "lambda-search",
        {"DOMAIN": "es11-products-search"},
        "sg-lambda-search",
        "high",
    ),
    "f21_sender_notifications": (
        "2024-06-04T09:10:00Z",
        "python3.13",
        "lambda-notifications",
        {"SENDER": "shop@shop.example.com"},
        None,
        "medium",
    ),
    "f22_push_notifications": (
        "2024-06-04T09:20:00Z",
        "nodejs22.x",
        "lambda-notifications",
        {"TABLE": "h11_subscriptions_notifications"},
        None,
        "medium",
    ),
    "f31_transcode_media": (
        "2024-06-04T09:30:00Z",
        "python3.13",
        "lambda-media",
        {"BUCKET": "shop-prod-media"},
        "sg-lambda-media",
        "medium",
    ),
    "f41_session_mobile": (
        "2024-06-04T09:40:00Z",
        "nodejs22.x",
        "lambda-mobile",
        {"TABLE": "h21_devices_mobile"},
        "sg-lambda-mobile",
        "critical",
    ),
}
# name: (importance, queue for what failed, open to everybody)
QUEUES = {
    "q12_index-failed_search": ("medium", None, False),
    "q11_index_search": ("high", "q12_index-failed_search", False),
    "q23_mail-failed_notifications": ("medium", None, False),
    "q21_mail_notifications": ("high", "q23_mail-failed_notifications", False),
    # The provider of the push service could not sign its calls.
    "q22_push_notifications": ("medium", "q23_mail-failed_notifications", True),
}
TOPICS = {"o11_orders_notifications": ("high", False), "o12_campaigns_notifications": ("low", True)}
# name: (importance, DR, env, protected)
TABLES = {
    "h11_subscriptions_notifications": ("high", "backup", "prod", True),
    "h21_devices_mobile": ("medium", "backup", "prod", True),
    "h51_devices_mobile": ("low", "none", "staging", False),
}


def build(shop):
    shop.at("2024-06-04T08:00:00Z")
    queues(shop)
    topics(shop)
    for name, (importance, dr, env, protected) in TABLES.items():
        scheme = tags(name, importance=importance, dr=dr, env=env)
        serverless.table(shop, name, "2024-06-04T08:30:00Z", scheme, "key-shop", protected)
    for name, (created, runtime, role, environment, group, importance) in FUNCTIONS.items():
        scheme = tags(name, importance=importance, dr="none")
        serverless.function(shop, name, created, runtime, role, environment, group, scheme)
    callers(shop)
    mail(shop)
    plant(shop)


def queue_arn(name):
    return f"arn:aws:sqs:{MAIN_REGION}:{ACCOUNT_ID}:{name}"


def policy(arn, action, everybody):
    """Who may send: everybody, or the topic of this account that feeds the queue."""
    statement = {"Sid": "Send", "Effect": "Allow", "Action": action, "Resource": arn}
    if everybody:
        statement["Principal"] = "*"
    else:
        statement |= {
            "Principal": {"Service": "sns.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}},
        }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def queues(shop):
    sqs = shop.client("sqs")
    for name, (importance, failed, everybody) in QUEUES.items():
        attributes = {"SqsManagedSseEnabled": "true", "Policy": policy(queue_arn(name), "sqs:SendMessage", everybody)}
        if failed:
            attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": queue_arn(failed), "maxReceiveCount": 5})
        else:
            attributes["MessageRetentionPeriod"] = "1209600"
        sqs.create_queue(QueueName=name, Attributes=attributes, tags=tags(name, importance=importance, dr="none"))
        shop.ids[name] = queue_arn(name)


def topics(shop):
    sns = shop.client("sns")
    for name, (importance, everybody) in TOPICS.items():
        arn = sns.create_topic(Name=name, Tags=pairs(tags(name, importance=importance, dr="none")))["TopicArn"]
        shop.ids[name] = arn
        if everybody:
            sns.set_topic_attributes(
                TopicArn=arn, AttributeName="Policy", AttributeValue=policy(arn, "sns:Publish", everybody)
            )
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn("q21_mail_notifications"))


def callers(shop):
    """Who calls the functions: queues, a bucket, an API, and of one of them anybody who knows its name."""
    functions = shop.client("lambda")
    shop.at("2024-06-04T10:00:00Z")
    for queue, function in (
        ("q11_index_search", "f11_indexer_search"),
        ("q21_mail_notifications", "f21_sender_notifications"),
    ):
        functions.create_event_source_mapping(EventSourceArn=queue_arn(queue), FunctionName=function, BatchSize=10)
    functions.add_permission(
        FunctionName="f31_transcode_media",
        StatementId="films",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::shop-prod-media",
        SourceAccount=ACCOUNT_ID,
    )
    functions.add_permission(
        FunctionName="f22_push_notifications",
        StatementId="provider",
        Action="lambda:InvokeFunction",
        Principal="*",
    )
    notification = {
        "Id": "transcode",
        "LambdaFunctionArn": shop.ids["f31_transcode_media"],
        "Events": ["s3:ObjectCreated:*"],
    }
    answer = {"LambdaFunctionConfigurations": [notification]}
    shop.answer("s3", "GetBucketNotificationConfiguration", answer, "shop-prod-media", "us-east-1")
    subnets = ["private-a", "private-b"]
    for name, (*_, group, _) in FUNCTIONS.items():
        if group:
            shop.interfaces.append((ACCOUNT_ID, f"AWS Lambda VPC ENI-{name}", group, subnets, False))


def mail(shop):
    """The domain that SES sends from, verified and signed."""
    domain = "shop.example.com"
    tokens = [f"{letter * 8}k2m4q6s8u0w2y4a6c8e0g2i4" for letter in "abc"]
    verified = {"VerificationStatus": "Success", "VerificationToken": "bm90LWEtdG9rZW4tMDAwMA=="}
    signed = {"DkimEnabled": True, "DkimVerificationStatus": "Success", "DkimTokens": tokens}
    shop.answer("ses", "ListIdentities", {"Identities": [domain]})
    shop.answer("ses", "GetIdentityVerificationAttributes", {"VerificationAttributes": {domain: verified}}, domain)
    shop.answer("ses", "GetIdentityDkimAttributes", {"DkimAttributes": {domain: signed}}, domain)


def plant(shop):
    public = {
        "q22_push_notifications": "everybody may send to it",
        "o12_campaigns_notifications": "everybody may publish to it",
        "f22_push_notifications": "everybody may invoke it",
    }
    for name, why in public.items():
        shop.fault("resource-policy-public", shop.ids[name], why)
    shop.fault("ddb-pitr", shop.ids["h51_devices_mobile"], "no point-in-time recovery")
    shop.fault("ddb-deletion-protection", shop.ids["h51_devices_mobile"], "off")
