"""What the emulator's IAM leaves out: the credential report, what was last used, ids in AWS's form, certificates."""

import base64
import hashlib

from . import identity, last_accessed, traps, workloads
from .shop import ACCOUNT_ID, GLOBAL_REGION, account_arn, iam_arn, pairs

USERS = identity.USERS | traps.USERS
CREDENTIALS = identity.CREDENTIALS | traps.CREDENTIALS
ROLES = identity.ROLES | traps.ROLES | workloads.ROLES

REPORT_COLUMNS = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,"
    "cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)
NO_KEY = ["false", "N/A", "N/A", "N/A", "N/A"]
NO_CERTIFICATES = ["false", "N/A", "false", "N/A"]


def build(shop):
    iam = shop.client("iam")
    iam.update_account_password_policy(
        MinimumPasswordLength=8,
        RequireSymbols=False,
        RequireNumbers=True,
        RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True,
        AllowUsersToChangePassword=True,
    )
    report = {
        "Content": credential_report().encode(),
        "ReportFormat": "text/csv",
        "GeneratedTime": "2026-11-16T05:58:00+00:00",
    }
    shop.answer("iam", "GetCredentialReport", report, region=GLOBAL_REGION)
    certificate = {
        "Path": "/",
        "ServerCertificateName": "shop-2024",
        "ServerCertificateId": "ASCAQWERTYUIOPASDFGH2",
        "Arn": f"arn:aws:iam::{ACCOUNT_ID}:server-certificate/shop-2024",
        "UploadDate": "2024-03-28T10:02:00+00:00",
        "Expiration": "2025-04-01T23:59:59+00:00",
    }
    # Of a supplier's machine that can't take its certificate from ACM.
    current = certificate | {
        "ServerCertificateName": "carrier-2026",
        "ServerCertificateId": "ASCAQWERTYUIOPASDFGH4",
        "Arn": f"arn:aws:iam::{ACCOUNT_ID}:server-certificate/carrier-2026",
        "UploadDate": "2026-06-29T10:02:00+00:00",
        "Expiration": "2027-07-01T23:59:59+00:00",
    }
    certificates = {"ServerCertificateMetadataList": [certificate, current]}
    shop.answer("iam", "ListServerCertificates", certificates, region=GLOBAL_REGION)
    shop.correct("iam", "GetAccountAuthorizationDetails", authorization_details)
    shop.correct("iam", "GetAccountSummary", account_summary)
    shop.correct("iam", "ListUsers", list_users)
    shop.correct("iam", "ListVirtualMFADevices", virtual_mfa_devices)
    shop.correct("sts", "GetCallerIdentity", caller_identity)
    for operation in (
        "ListInstanceProfileTags",
        "ListMFADeviceTags",
        "ListPolicyTags",
        "ListServerCertificateTags",
        "ListSAMLProviderTags",
    ):
        shop.nothing[("iam", operation)] = {"Tags": []}
    last_accessed.build(shop)
    unique_ids(shop)


def unique_ids(shop):
    """IAM's unique ids start with the kind of what they name and are in capitals; the emulator's are not always."""
    iam = shop.client("iam")
    for rows, member, prefix in (
        (iam.list_users()["Users"], "UserId", "AIDA"),
        (iam.list_groups()["Groups"], "GroupId", "AGPA"),
        (iam.list_instance_profiles()["InstanceProfiles"], "InstanceProfileId", "AIPA"),
        (iam.list_policies(Scope="Local")["Policies"], "PolicyId", "ANPA"),
    ):
        for row in rows:
            if not row[member].startswith(prefix):
                shop.replacements.append(
                    (row[member], prefix + row[member][:17].upper().replace("0", "Z").replace("1", "Y"))
                )

    # No scanner of secrets should take a key's id for that of a living one.
    for name in USERS:
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            digest = base64.b32encode(hashlib.sha256(key["AccessKeyId"].encode()).digest()).decode()
            shop.replacements.append((key["AccessKeyId"], f"AKIA{digest[:9]}EXAMPLE"))


def credential_report():
    root = [
        "<root_account>",
        account_arn(),
        "2022-02-28T16:00:00+00:00",
        "not_supported",
        "2026-11-15T23:31:00+00:00",
        "not_supported",
        "not_supported",
        "false",
    ]
    # Made on the first day, for a script that nobody has any more.
    key = access_key((True, "2022-02-28T16:20:00Z", "2022-03-01T08:55:00Z", "eu-west-1", "ec2"))
    lines = [REPORT_COLUMNS, ",".join(root + key + NO_KEY + NO_CERTIFICATES)]
    for name in sorted(USERS):
        used, changed, mfa, keys = CREDENTIALS[name]
        password = ["true", offset(used), offset(changed), "N/A"] if changed else ["false", "N/A", "N/A", "N/A"]
        row = [name, iam_arn("user", name), offset(USERS[name][0]), *password, "true" if mfa else "false"]
        for index in range(2):
            row += access_key(keys[index]) if index < len(keys) else NO_KEY
        lines.append(",".join(row + NO_CERTIFICATES))
    return "\n".join(lines)


def access_key(key):
    active, rotated, used, region, service = key
    return ["true" if active else "false", offset(rotated), offset(used), region, service]


def offset(moment):
    return moment.replace("Z", "+00:00")


def authorization_details(shop, region, parameter, answer):
    for user in answer["UserDetailList"]:
        _, _, scheme = USERS[user["UserName"]]
        user["Tags"] = pairs(scheme)
    for role in answer["RoleDetailList"]:
        used = ROLES[role["RoleName"]][5] if role["RoleName"] in ROLES else "2026-11-16T05:59:00Z"
        role["RoleLastUsed"] = {"LastUsedDate": offset(used), "Region": "eu-west-1"}
    # AWS lists its own policies only where they are attached.
    answer["Policies"] = [
        policy for policy in answer["Policies"] if policy["AttachmentCount"] or ":aws:policy/" not in policy["Arn"]
    ]
    listed = shop.client("iam").get_paginator("list_policies").paginate(Scope="All").build_full_result()["Policies"]
    named = {policy["Arn"]: policy for policy in listed}
    for policy in answer["Policies"]:
        policy |= {member: named[policy["Arn"]][member] for member in ("PolicyName", "PolicyId")}
        policy["PermissionsBoundaryUsageCount"] = int(policy["PolicyName"] == "sandbox-boundary")
    return answer


def account_summary(shop, region, parameter, answer):
    answer["SummaryMap"] |= {
        "AccountMFAEnabled": 0,
        "AccountAccessKeysPresent": 1,
        "AccountPasswordPresent": 1,
        "ServerCertificates": 2,
    }
    return answer


def virtual_mfa_devices(shop, region, parameter, answer):
    """AWS shows seeds once, when the device is made."""
    for device in answer["VirtualMFADevices"]:
        device.pop("QRCodePNG", None)
        device.pop("Base32StringSeed", None)
    return answer


def list_users(shop, region, parameter, answer):
    for user in answer["Users"]:
        user.pop("PasswordLastUsed", None)
        if CREDENTIALS[user["UserName"]][0]:
            user["PasswordLastUsed"] = offset(CREDENTIALS[user["UserName"]][0])
    return answer


def caller_identity(shop, region, parameter, answer):
    """The recording was made with a role of the security team's, by nobody in particular."""
    name = "inventory"
    return {
        "UserId": f"AROAINVENTORYEXAMPLE2:{name}",
        "Account": ACCOUNT_ID,
        "Arn": f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{name}/{name}",
    }
