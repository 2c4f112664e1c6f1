"""The second vault and its copy in the standby region: locked, tried, and with one point that nobody encrypted."""

from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION, tags

PLAN_ID = "c7a41f0e-2d95-4b68-8e13-5f90d3b7a264"
PLAN_ARN = f"arn:aws:backup:{MAIN_REGION}:{ACCOUNT_ID}:backup-plan:{PLAN_ID}"
VERSION = "NjJkOGYxYTMtOWU0Yy00YjA3"
RULE_ID = "e83b06d5-71fa-4c29-9d42-a6c815f7b390"
SELECTION_ID = "18f5d2a9-b06e-4c73-a4d8-92e7c1b35f06"
CREATED = "2025-03-13T09:00:00+00:00"
# vault: (region, name, key, locked)
VAULTS = {
    "nightly": (MAIN_REGION, "j13_vault_platform", "key-shop", True),
    "standby": (GLOBAL_REGION, "j15_vault_platform", "key-standby", True),
}


def vault_arn(vault):
    return f"arn:aws:backup:{VAULTS[vault][0]}:{ACCOUNT_ID}:backup-vault:{vault}"


def build(shop):
    parcels, labels = shop.ids["d61_parcels_shipping"], shop.ids["fs11_labels_shipping"]
    staging = shop.ids["d51_orders_checkout"]
    points = [
        point(
            shop,
            "nightly",
            parcels,
            "Aurora",
            f"arn:aws:rds:{MAIN_REGION}:{ACCOUNT_ID}:cluster-snapshot:awsbackup:job-4f0c",
        ),
        point(shop, "nightly", labels, "EFS", f"arn:aws:backup:{MAIN_REGION}:{ACCOUNT_ID}:recovery-point:4f0d"),
        # Taken once, by hand, of a database that is not encrypted: so neither is the point.
        point(
            shop,
            "nightly",
            staging,
            "RDS",
            f"arn:aws:rds:{MAIN_REGION}:{ACCOUNT_ID}:snapshot:awsbackup:job-4f0e",
            "2026-07-20",
            encrypted=False,
        ),
        point(
            shop,
            "standby",
            parcels,
            "Aurora",
            f"arn:aws:rds:{GLOBAL_REGION}:{ACCOUNT_ID}:cluster-snapshot:awsbackup:copyjob-5a1c",
        ),
        point(shop, "standby", labels, "EFS", f"arn:aws:backup:{GLOBAL_REGION}:{ACCOUNT_ID}:recovery-point:5a1d"),
    ]
    for vault in VAULTS:
        make_vault(shop, vault, sum(row["BackupVaultArn"] == vault_arn(vault) for row in points))
    for row in points:
        vault = row["BackupVaultName"]
        shop.add("backup", "ListRecoveryPointsByBackupVault", "RecoveryPoints", row, vault, VAULTS[vault][0])
    for row in points[:2]:
        protect(shop, row)
    plan(shop, [parcels, labels])
    tried(shop, points)
    for source, copy in ((points[0], points[3]), (points[1], points[4])):
        copied(shop, source, copy)
    shop.fault("backup-encrypted", staging, "its recovery point is as little encrypted as itself")
    shop.fault("restore-never-tested", staging, "no restore job, no restore testing plan")
    shop.ids["point-labels"] = points[1]["RecoveryPointArn"]


def make_vault(shop, vault, points):
    region, name, key, locked = VAULTS[vault]
    arn, scheme = vault_arn(vault), tags(name, importance="critical", dr="none")
    row = {
        "BackupVaultName": vault,
        "BackupVaultArn": arn,
        "VaultType": "BACKUP_VAULT",
        "CreationDate": CREATED,
        "EncryptionKeyArn": shop.ids[key],
        "CreatorRequestId": vault,
        "NumberOfRecoveryPoints": points,
        "Locked": locked,
        "MinRetentionDays": 7,
        "MaxRetentionDays": 400,
        "LockDate": "2025-03-20T09:00:00+00:00",
    }
    shop.add("backup", "ListBackupVaults", "BackupVaultList", row, region=region)
    missing = {
        "Error": {
            "Code": "ResourceNotFoundException",
            "Message": f"Backup vault access policy does not exist for {vault}",
        }
    }
    shop.answer("backup", "GetBackupVaultAccessPolicy", missing, vault, region)
    shop.answer("backup", "ListTags", {"Tags": scheme}, arn, region)
    shop.sweep(arn, scheme, region)


def point(shop, vault, resource, kind, arn, night="2026-11-16", encrypted=True):
    region, _, key, _ = VAULTS[vault]
    row = {
        "RecoveryPointArn": arn,
        "BackupVaultName": vault,
        "BackupVaultArn": vault_arn(vault),
        "ResourceArn": resource,
        "ResourceType": kind,
        "IamRoleArn": shop.ids["role-backup"],
        "Status": "COMPLETED",
        "CreationDate": f"{night}T02:00:20+00:00",
        "CompletionDate": f"{night}T02:21:08+00:00",
        "BackupSizeInBytes": 48318382080,
        "Lifecycle": {"DeleteAfterDays": 35},
        "IsEncrypted": encrypted,
        "ResourceName": resource.rsplit(":", 1)[1].rsplit("/", 1)[-1],
        "VaultType": "BACKUP_VAULT",
    }
    if encrypted:
        row["EncryptionKeyArn"] = shop.ids[key]
    if vault == "nightly" and encrypted:
        row["CreatedBy"] = {
            "BackupPlanId": PLAN_ID,
            "BackupPlanArn": PLAN_ARN,
            "BackupPlanVersion": VERSION,
            "BackupRuleId": RULE_ID,
        }
    if vault == "standby":
        row["SourceBackupVaultArn"] = vault_arn("nightly")
    return row


def protect(shop, row):
    """Last night's job, and that the resource is protected."""
    protected = {
        "ResourceArn": row["ResourceArn"],
        "ResourceType": row["ResourceType"],
        "LastBackupTime": row["CreationDate"],
        "ResourceName": row["ResourceName"],
        "LastBackupVaultArn": row["BackupVaultArn"],
        "LastRecoveryPointArn": row["RecoveryPointArn"],
    }
    shop.add("backup", "ListProtectedResources", "Results", protected)
    job = {
        member: row[member]
        for member in (
            "BackupVaultName",
            "BackupVaultArn",
            "RecoveryPointArn",
            "ResourceArn",
            "CreationDate",
            "CompletionDate",
            "CreatedBy",
            "BackupSizeInBytes",
            "IamRoleArn",
            "ResourceType",
            "ResourceName",
        )
    }
    number = 3 if row["ResourceType"] == "EFS" else 4
    job |= {
        "AccountId": ACCOUNT_ID,
        "BackupJobId": f"9C7B6A54-0000-4000-8000-20261116000{number}",
        "State": "COMPLETED",
        "PercentDone": "100.0",
        "IsParent": False,
    }
    shop.add("backup", "ListBackupJobs", "BackupJobs", job)


def plan(shop, resources):
    dates = {"CreationDate": CREATED, "LastExecutionDate": "2026-11-16T02:00:00+00:00"}
    row = {"BackupPlanArn": PLAN_ARN, "BackupPlanId": PLAN_ID, "VersionId": VERSION, "BackupPlanName": "nightly"}
    shop.add("backup", "ListBackupPlans", "BackupPlansList", row | dates)
    rule = {
        "RuleName": "nightly-with-copy",
        "TargetBackupVaultName": "nightly",
        "ScheduleExpression": "cron(0 2 * * ? *)",
        "StartWindowMinutes": 60,
        "CompletionWindowMinutes": 180,
        "Lifecycle": {"DeleteAfterDays": 35},
        "RuleId": RULE_ID,
        "CopyActions": [{"Lifecycle": {"DeleteAfterDays": 35}, "DestinationBackupVaultArn": vault_arn("standby")}],
        "EnableContinuousBackup": False,
    }
    described = {"BackupPlan": {"BackupPlanName": "nightly", "Rules": [rule]}}
    ids = {"BackupPlanId": PLAN_ID, "BackupPlanArn": PLAN_ARN, "VersionId": VERSION}
    shop.answer("backup", "GetBackupPlan", described | ids | dates, PLAN_ID)
    selection = {
        "SelectionId": SELECTION_ID,
        "SelectionName": "shipping",
        "BackupPlanId": PLAN_ID,
        "CreationDate": CREATED,
        "CreatorRequestId": "shipping",
        "IamRoleArn": shop.ids["role-backup"],
    }
    shop.answer("backup", "ListBackupSelections", {"BackupSelectionsList": [selection]}, PLAN_ID)
    content = {
        "SelectionName": "shipping",
        "IamRoleArn": shop.ids["role-backup"],
        "Resources": resources,
        "ListOfTags": [],
        "NotResources": [],
        "Conditions": {"StringEquals": [], "StringNotEquals": [], "StringLike": [], "StringNotLike": []},
    }
    answer = {
        member: selection[member] for member in ("SelectionId", "BackupPlanId", "CreationDate", "CreatorRequestId")
    }
    shop.answer("backup", "GetBackupSelection", {"BackupSelection": content, **answer}, SELECTION_ID)
    scheme = tags("j14_nightly_platform", importance="critical", dr="none")
    shop.answer("backup", "ListTags", {"Tags": scheme}, PLAN_ARN)
    shop.sweep(PLAN_ARN, scheme)


def copied(shop, source, copy):
    job = {
        "AccountId": ACCOUNT_ID,
        "CopyJobId": f"7A1C5E93-0000-4000-8000-20261116000{1 if source['ResourceType'] == 'Aurora' else 2}",
        "SourceBackupVaultArn": source["BackupVaultArn"],
        "SourceRecoveryPointArn": source["RecoveryPointArn"],
        "DestinationBackupVaultArn": copy["BackupVaultArn"],
        "DestinationRecoveryPointArn": copy["RecoveryPointArn"],
        "ResourceArn": source["ResourceArn"],
        "CreationDate": "2026-11-16T02:21:30+00:00",
        "CompletionDate": "2026-11-16T02:58:04+00:00",
        "State": "COMPLETED",
        "BackupSizeInBytes": source["BackupSizeInBytes"],
        "IamRoleArn": source["IamRoleArn"],
        "CreatedBy": source["CreatedBy"],
        "ResourceType": source["ResourceType"],
        "ResourceName": source["ResourceName"],
        "IsParent": False,
    }
    shop.add("backup", "ListCopyJobs", "CopyJobs", job)


def tried(shop, points):
    """Shipping restores into a spare place every quarter, and looks at what came back."""
    for number, row in enumerate(points[:2], start=1):
        name = "restore-test-parcels" if row["ResourceType"] == "Aurora" else "fs-0restoretest0001"
        created = row["ResourceArn"].replace(row["ResourceName"], name)
        job = {
            "AccountId": ACCOUNT_ID,
            "RestoreJobId": f"3D5E9A21-0000-4000-8000-20261014000{number}",
            "RecoveryPointArn": row["RecoveryPointArn"],
            "SourceResourceArn": row["ResourceArn"],
            "BackupVaultArn": row["BackupVaultArn"],
            "CreationDate": "2026-10-14T08:00:00+00:00",
            "CompletionDate": "2026-10-14T09:12:00+00:00",
            "Status": "COMPLETED",
            "PercentDone": "100.00%",
            "BackupSizeInBytes": row["BackupSizeInBytes"],
            "IamRoleArn": shop.ids["role-backup"],
            "CreatedResourceArn": created,
            "ResourceType": row["ResourceType"],
            "RecoveryPointCreationDate": "2026-10-14T02:00:20+00:00",
            "IsParent": False,
            "ValidationStatus": "SUCCESSFUL",
        }
        shop.add("backup", "ListRestoreJobs", "RestoreJobs", job)
