"""The organization: so far of this account alone, whom its service control policies spare."""

import json

from .shop import ACCOUNT_ID, GLOBAL_REGION, account_arn, pairs, tags

ORGANIZATION, ROOT = "o-sh0p4711ex", "r-sh0p"
PREFIX = f"arn:aws:organizations::{ACCOUNT_ID}"
# Looks as if nobody could stop the trails; but the management account is spared, and there is no other yet.
KEEP_TRAILS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "KeepTrails",
            "Effect": "Deny",
            "Action": ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "organizations:LeaveOrganization"],
            "Resource": "*",
        }
    ],
}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# name: (id, maintained by AWS, document)
POLICIES = {"FullAWSAccess": ("p-FullAWSAccess", True, EVERYTHING), "keep-trails": ("p-k4e7t2ra", False, KEEP_TRAILS)}
# id: (name, joined, tags)
ACCOUNTS = {
    ACCOUNT_ID: ("shop", "2022-02-28T16:30:00+00:00", tags("ac11_shop_platform", importance="critical", dr="none")),
}


def build(shop):
    organization = {
        "Id": ORGANIZATION,
        "Arn": f"{PREFIX}:organization/{ORGANIZATION}",
        "FeatureSet": "ALL",
        "MasterAccountArn": f"{PREFIX}:account/{ORGANIZATION}/{ACCOUNT_ID}",
        "MasterAccountId": ACCOUNT_ID,
        "MasterAccountEmail": "aws@shop.example.com",
        "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    }
    answer(shop, "DescribeOrganization", {"Organization": organization})
    scheme = tags("or11_root_platform", importance="high", dr="none")
    root = {
        "Id": ROOT,
        "Arn": f"{PREFIX}:root/{ORGANIZATION}/{ROOT}",
        "Name": "Root",
        "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    }
    answer(shop, "ListRoots", {"Roots": [root]})
    answer(shop, "ListTagsForResource", {"Tags": pairs(scheme)}, ROOT)
    for number, (name, joined, own) in ACCOUNTS.items():
        account(shop, number, name, joined, own)
    for kind in ("BACKUP_POLICY", "RESOURCE_CONTROL_POLICY", "TAG_POLICY"):
        answer(shop, "ListPolicies", {"Policies": []}, kind)
    for name, row in POLICIES.items():
        policy(shop, root, name, *row)
    shop.fault("tag-policy-absent", account_arn(), "the organization has no tag policy, and their kind is not in force")


def answer(shop, operation, content, parameter=None):
    shop.answer("organizations", operation, content, parameter, GLOBAL_REGION)


def account(shop, number, name, joined, scheme):
    row = {
        "Id": number,
        "Arn": f"{PREFIX}:account/{ORGANIZATION}/{number}",
        "Email": "aws@shop.example.com",
        "Name": name,
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "Paths": [f"{ORGANIZATION}/{ROOT}/{number}/"],
        "JoinedMethod": "INVITED",
        "JoinedTimestamp": joined,
    }
    shop.add("organizations", "ListAccounts", "Accounts", row, region=GLOBAL_REGION)
    answer(shop, "ListTagsForResource", {"Tags": pairs(scheme)}, number)


def policy(shop, root, name, identifier, managed, document):
    kind = "SERVICE_CONTROL_POLICY"
    owner = "arn:aws:organizations::aws" if managed else f"{PREFIX}"
    path = "policy/service_control_policy" if managed else f"policy/{ORGANIZATION}/service_control_policy"
    summary = {
        "Id": identifier,
        "Arn": f"{owner}:{path}/{identifier}",
        "Name": name,
        "Description": "Allows access to every operation" if managed else "Nobody stops the trails",
        "Type": kind,
        "AwsManaged": managed,
    }
    shop.add("organizations", "ListPolicies", "Policies", summary, kind, GLOBAL_REGION)
    answer(shop, "DescribePolicy", {"Policy": {"PolicySummary": summary, "Content": json.dumps(document)}}, identifier)
    target = {"TargetId": ROOT, "Arn": root["Arn"], "Name": "Root", "Type": "ROOT"}
    answer(shop, "ListTargetsForPolicy", {"Targets": [target]}, identifier)
    if not managed:
        scheme = tags("pl11_keep-trails_platform", importance="high", dr="none")
        answer(shop, "ListTagsForResource", {"Tags": pairs(scheme)}, identifier)
