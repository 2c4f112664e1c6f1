"""What IAM knows of the use of services: told by the year of events, and by the use of which the trails keep nothing.

IAM tells of every service that a policy allows, used or not, in the past 400 days. Where a policy allows all services, only those
are told of that the shop has to do with, and of single actions only those that were used or that a policy names in full.
"""

import csv
import datetime
import fnmatch
import gzip
import json
import pathlib
import re
from urllib.parse import quote

from .shop import GLOBAL_REGION, MAIN_REGION, RECORDED_AT
from .trail import events, incident, machines, occasions, people, recording

ACTIONS = pathlib.Path(__file__).resolve().parents[2] / "analyze" / "actions"
DATE = re.compile(r"20[0-9]{2}_?[01][0-9]_?[0-3][0-9](v[0-9]+)?$")
KEPT = datetime.timedelta(days=400)
# Services that say little or nothing in a trail without data events: what a role did lately was with one of these.
SILENT = ("s3", "sqs", "dynamodb", "kinesis", "firehose", "sns", "kms", "ssmmessages", "logs", "ecr", "xray")
NAMES = {
    "access-analyzer": "AWS IAM Access Analyzer",
    "acm": "AWS Certificate Manager",
    "apigateway": "Amazon API Gateway Management",
    "athena": "Amazon Athena",
    "autoscaling": "Amazon EC2 Auto Scaling",
    "backup": "AWS Backup",
    "bedrock": "Amazon Bedrock",
    "ce": "AWS Cost Explorer Service",
    "cloudformation": "AWS CloudFormation",
    "cloudfront": "Amazon CloudFront",
    "cloudtrail": "AWS CloudTrail",
    "cloudwatch": "Amazon CloudWatch",
    "config": "AWS Config",
    "dynamodb": "Amazon DynamoDB",
    "ec2": "Amazon EC2",
    "ec2messages": "Amazon Message Delivery Service",
    "ecr": "Amazon Elastic Container Registry",
    "ecs": "Amazon Elastic Container Service",
    "eks": "Amazon Elastic Kubernetes Service",
    "elasticache": "Amazon ElastiCache",
    "elasticloadbalancing": "AWS Elastic Load Balancing",
    "es": "Amazon OpenSearch Service",
    "events": "Amazon EventBridge",
    "firehose": "Amazon Data Firehose",
    "glue": "AWS Glue",
    "guardduty": "Amazon GuardDuty",
    "iam": "AWS Identity and Access Management",
    "kinesis": "Amazon Kinesis Data Streams",
    "kms": "AWS Key Management Service",
    "lambda": "AWS Lambda",
    "logs": "Amazon CloudWatch Logs",
    "organizations": "AWS Organizations",
    "rds": "Amazon RDS",
    "redshift": "Amazon Redshift",
    "route53": "Amazon Route 53",
    "route53domains": "Amazon Route 53 Domains",
    "s3": "Amazon S3",
    "secretsmanager": "AWS Secrets Manager",
    "securityhub": "AWS Security Hub",
    "servicequotas": "Service Quotas",
    "ses": "Amazon SES",
    "sns": "Amazon SNS",
    "sqs": "Amazon SQS",
    "ssm": "AWS Systems Manager",
    "ssmmessages": "Amazon Session Manager Message Gateway Service",
    "states": "AWS Step Functions",
    "sts": "AWS Security Token Service",
    "support": "AWS Support",
    "tag": "Amazon Resource Group Tagging API",
    "xray": "AWS X-Ray",
}


def build(shop):
    """The jobs. What they tell is filled in by `fill`, when there is a recording that events can refer to."""
    shop.nothing[("iam", "GenerateServiceLastAccessedDetails")] = {}
    shop.nothing[("iam", "GetServiceLastAccessedDetails")] = {
        "JobStatus": "COMPLETED",
        "JobType": "ACTION_LEVEL",
        "JobCreationDate": "2026-11-16T06:00:00+00:00",
        "ServicesLastAccessed": [],
        "JobCompletionDate": "2026-11-16T06:00:01+00:00",
    }
    shop.correct("iam", "GenerateServiceLastAccessedDetails", job)


def job(shop, region, arn, answer):
    return {"JobId": events.uuid("last accessed", arn)}


def fill(folder, credentials):
    """Writes the jobs' answers into the recording in `folder`. `credentials` as in identity.py: keys tell of use, too."""
    recording.ROOT = folder
    details = recording.answer("iam-get-account-authorization-details", GLOBAL_REGION)
    policies = Policies(details)
    used = use_of_events()
    for row in details["UserDetailList"] + details["RoleDetailList"]:
        arn = row["Arn"]
        mine = used.setdefault(arn, {})
        for key in credentials.get(row.get("UserName"), (None, None, None, []))[3]:
            note(mine, key[4], None, moment(key[2]), key[3])
        allowed = policies.of(row)
        quiet_use(mine, allowed, row)
        ordered = recording.answer("iam-generate-service-last-accessed-details", GLOBAL_REGION, quote(arn, safe=""))
        path = folder / GLOBAL_REGION / "iam-get-service-last-accessed-details" / f"{ordered['JobId']}.json"
        answer = json.loads(path.read_text())
        # The emulator knows the names of the policies of service-linked roles, and nothing of what is in them.
        told = allowed | (mine.keys() if "*" in allowed or row["Path"].startswith("/aws-service-role/") else set())
        answer["ServicesLastAccessed"] = [
            service_entry(arn, service, mine.get(service, {}), policies.named(row, service))
            for service in sorted(policies.spelled_out(told))
        ]
        path.write_text(json.dumps(answer, indent=2) + "\n")


def service_entry(arn, service, used, named):
    entry = {"ServiceName": NAMES[service], "ServiceNamespace": service, "TotalAuthenticatedEntities": int(bool(used))}
    if used:
        when, region = max(used.values())
        entry |= {
            "LastAuthenticated": when.isoformat(),
            "LastAuthenticatedEntity": arn,
            "LastAuthenticatedRegion": region,
        }
    tracked = []
    for action in sorted(named | {action for action in used if action}):
        tracked.append({"ActionName": action})
        if action in used:
            when, region = used[action]
            tracked[-1] |= {
                "LastAccessedEntity": arn,
                "LastAccessedTime": when.isoformat(),
                "LastAccessedRegion": region,
            }
    return entry | ({"TrackedActionsLastAccessed": tracked} if tracked else {})


def quiet_use(used, allowed, row):
    """IAM knows when a role was last used, whatever it did; the trails tell only of some of it."""
    last = row.get("RoleLastUsed", {}).get("LastUsedDate")
    known = [when for service in used.values() for when, _ in service.values()]
    if not last or (known and moment(last) <= max(known)):
        return
    silent = [service for service in SILENT if service in allowed]
    for service in silent[:2] or sorted(allowed - {"*"})[:1]:
        note(used, service, None, moment(last), MAIN_REGION)


def use_of_events():
    """Per principal and service: the actions, and when and where each was last called."""
    log = events.Log()
    for part in (machines, people, occasions, incident):
        part.build(log)
    mapping, used = Mapping(), {}
    for event in log.events:
        identity = event["userIdentity"]
        issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
        arn = issuer.get("arn") or identity.get("arn")
        for action in mapping.actions(event["eventSource"], event["eventName"]) if arn else ():
            service, name = action.split(":")
            tracked = name if mapping.logged[action.lower()] == "management" else None
            note(used.setdefault(arn, {}), service, tracked, moment(event["eventTime"]), event["awsRegion"])
    return used


def note(used, service, action, when, region):
    now = datetime.datetime.fromisoformat(RECORDED_AT)
    if when and now - KEPT < when <= now:
        actions = used.setdefault(service, {})
        actions[action] = max(actions.get(action, (when, region)), (when, region))


def moment(text):
    return datetime.datetime.fromisoformat(text) if text and text[0].isdigit() else None


class Policies:
    """What policies allow: prefixes of services, and actions named in full."""

    def __init__(self, details):
        self.groups = {row["GroupName"]: row for row in details["GroupDetailList"]}
        self.managed = {}
        for policy in details["Policies"]:
            version = next(row for row in policy["PolicyVersionList"] if row["IsDefaultVersion"])
            self.managed[policy["Arn"]] = version["Document"]
        rows = details["UserDetailList"] + details["RoleDetailList"]
        self.shop = {service for row in rows for service in self.of(row)} & NAMES.keys()
        self.management = {name for name, logged in Mapping().logged.items() if logged == "management"}

    def documents(self, row):
        for holder in [row, *(self.groups[name] for name in row.get("GroupList", []))]:
            for member in ("UserPolicyList", "GroupPolicyList", "RolePolicyList"):
                yield from (policy["PolicyDocument"] for policy in holder.get(member, []))
            for policy in holder.get("AttachedManagedPolicies", []):
                yield self.managed[policy["PolicyArn"]]

    def patterns(self, row):
        for document in self.documents(row):
            for statement in listed(document["Statement"]):
                if statement["Effect"] == "Allow":
                    yield from listed(statement.get("Action", "*"))

    def of(self, row):
        return {pattern.split(":")[0].lower() for pattern in self.patterns(row)}

    def spelled_out(self, services):
        """Those of a pattern for all services: the shop's."""
        return (services & NAMES.keys()) | (self.shop if "*" in services else set())

    def named(self, row, service):
        plain = [pattern for pattern in self.patterns(row) if not set("*?") & set(pattern)]
        return {
            pattern.split(":")[1]
            for pattern in plain
            if fnmatch.fnmatch(pattern, f"{service}:*") and pattern.lower() in self.management
        }


class Mapping:
    """From events to actions, as analyze/actions/README.md says."""

    def __init__(self):
        text = gzip.decompress((ACTIONS / "catalogue.tsv.gz").read_bytes()).decode()
        rows = list(csv.DictReader(without_comments(text), delimiter="\t", quoting=csv.QUOTE_NONE))
        self.names = {row["action"].lower(): row["action"] for row in rows}
        self.logged = {row["action"].lower(): row["logged"] for row in rows}
        self.prefixes, self.exceptions = {}, {}
        for row in csv.DictReader(without_comments((ACTIONS / "events.tsv").read_text()), delimiter="\t"):
            if row["event_name"] == "*":
                self.prefixes[row["event_source"]] = row["actions"].split()
            else:
                self.exceptions[row["event_source"], row["event_name"].lower()] = row["actions"].split()

    def actions(self, source, event):
        source = source.removesuffix(".amazonaws.com")
        for name in (event.lower(), DATE.sub("", event.lower())):
            found = self.exceptions.get((source, name))
            found = found or [f"{prefix}:{name}" for prefix in self.prefixes.get(source, [source])]
            found = [self.names[action.lower()] for action in found if action.lower() in self.names]
            if found:
                return found
        return []


def without_comments(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def listed(value):
    return value if isinstance(value, list) else [value]
