"""AWS Backup, for payments only, and never restored. The emulator knows too little of it: written by hand."""

import datetime

from .shop import ACCOUNT_ID, GLOBAL_REGION, MAIN_REGION, tags

VAULT = "payments"
VAULT_ARN = f"arn:aws:backup:{MAIN_REGION}:{ACCOUNT_ID}:backup-vault:{VAULT}"
PLAN_ID = "8f4b3c1e-0d0a-4f57-9a51-6c1f2a7d9e30"
PLAN_ARN = f"arn:aws:backup:{MAIN_REGION}:{ACCOUNT_ID}:backup-plan:{PLAN_ID}"
CREATED = "2024-09-02T10:30:00+00:00"
NIGHTS = ("2026-11-14", "2026-11-15", "2026-11-16")


def build(shop):
    ledger = shop.ids["d21_ledger_payments"]
    shop.answer(
        "backup",
        "ListBackupVaults",
        {
            "BackupVaultList": [
                {
                    "BackupVaultName": VAULT,
                    "BackupVaultArn": VAULT_ARN,
                    "VaultType": "BACKUP_VAULT",
                    "CreationDate": CREATED,
                    "EncryptionKeyArn": shop.ids["key-payments"],
                    "CreatorRequestId": "payments-vault",
                    "NumberOfRecoveryPoints": len(NIGHTS),
                    "Locked": False,
                }
            ]
        },
    )
    plan(shop)
    points = [recovery_point(shop, ledger, night) for night in NIGHTS]
    shop.answer("backup", "ListRecoveryPointsByBackupVault", {"RecoveryPoints": points}, VAULT)
    protected = {
        "ResourceArn": ledger,
        "ResourceType": "RDS",
        "LastBackupTime": "2026-11-16T02:00:31+00:00",
        "ResourceName": "d21-ledger-payments",
        "LastBackupVaultArn": VAULT_ARN,
        "LastRecoveryPointArn": points[-1]["RecoveryPointArn"],
    }
    shop.answer("backup", "ListProtectedResources", {"Results": [protected]})
    shop.answer(
        "backup",
        "ListBackupJobs",
        {
            "BackupJobs": [job(shop, ledger, points[index], night) for index, night in enumerate(NIGHTS)]
            + [failed(shop)]
        },
    )
    not_found = {
        "Error": {
            "Code": "ResourceNotFoundException",
            "Message": f"Backup vault access policy does not exist for {VAULT}",
        }
    }
    shop.answer("backup", "GetBackupVaultAccessPolicy", not_found, VAULT)
    scheme = tags("j11_vault_payments", importance="critical", dr="none")
    shop.answer("backup", "ListTags", {"Tags": scheme}, VAULT_ARN)
    shop.answer(
        "backup", "ListTags", {"Tags": tags("j12_nightly_payments", importance="critical", dr="none")}, PLAN_ARN
    )
    shop.sweep(VAULT_ARN, scheme)
    shop.sweep(PLAN_ARN, tags("j12_nightly_payments", importance="critical", dr="none"))
    for operation, member in (
        ("ListBackupVaults", "BackupVaultList"),
        ("ListBackupPlans", "BackupPlansList"),
        ("ListProtectedResources", "Results"),
        ("ListBackupJobs", "BackupJobs"),
        ("ListRestoreJobs", "RestoreJobs"),
        ("ListRestoreTestingPlans", "RestoreTestingPlans"),
    ):
        shop.answer("backup", operation, {member: []}, region=GLOBAL_REGION)
    shop.answer("backup", "ListRestoreJobs", {"RestoreJobs": []})
    shop.answer("backup", "ListRestoreTestingPlans", {"RestoreTestingPlans": []})
    shop.fault("restore-never-tested", ledger, "no restore job, no restore testing plan")
    shop.fault("backup-vault-unlocked", VAULT_ARN, "no vault lock")
    shop.fault("backup-same-blast-radius", ledger, "recovery points only in the account and region of the database")
    shop.fault(
        "backup-job-failed", shop.ids["h01_users_identity"], "its only job failed: the role may not read the table"
    )


def plan(shop):
    shop.answer(
        "backup",
        "ListBackupPlans",
        {
            "BackupPlansList": [
                {
                    "BackupPlanArn": PLAN_ARN,
                    "BackupPlanId": PLAN_ID,
                    "CreationDate": CREATED,
                    "VersionId": "OGQ1YjJlY2UtMGY1Yi00NWI0",
                    "BackupPlanName": "payments-nightly",
                    "LastExecutionDate": "2026-11-16T02:00:00+00:00",
                }
            ]
        },
    )
    rule = {
        "RuleName": "nightly",
        "TargetBackupVaultName": VAULT,
        "ScheduleExpression": "cron(0 2 * * ? *)",
        "StartWindowMinutes": 60,
        "CompletionWindowMinutes": 180,
        "Lifecycle": {"DeleteAfterDays": 35},
        "RuleId": "2b7f52f1-97c2-4d63-9c7a-43a0e3f0ad5e",
        "EnableContinuousBackup": False,
    }
    shop.answer(
        "backup",
        "GetBackupPlan",
        {
            "BackupPlan": {"BackupPlanName": "payments-nightly", "Rules": [rule]},
            "BackupPlanId": PLAN_ID,
            "BackupPlanArn": PLAN_ARN,
            "VersionId": "OGQ1YjJlY2UtMGY1Yi00NWI0",
            "CreationDate": CREATED,
            "LastExecutionDate": "2026-11-16T02:00:00+00:00",
        },
        PLAN_ID,
    )
    selection_id = "5c0ad1fb-4d2b-4b1f-a1ff-4f3c2f0a7b11"
    selection = {
        "SelectionId": selection_id,
        "SelectionName": "system-payments",
        "BackupPlanId": PLAN_ID,
        "CreationDate": CREATED,
        "CreatorRequestId": "system-payments",
        "IamRoleArn": shop.ids["role-backup"],
    }
    shop.answer("backup", "ListBackupSelections", {"BackupSelectionsList": [selection]}, PLAN_ID)
    selected = {
        "BackupSelection": {
            "SelectionName": "system-payments",
            "IamRoleArn": shop.ids["role-backup"],
            "Resources": [shop.ids["d21_ledger_payments"]],
            "ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": "System", "ConditionValue": "payments"}],
            "NotResources": [],
            "Conditions": {"StringEquals": [], "StringNotEquals": [], "StringLike": [], "StringNotLike": []},
        },
        "SelectionId": selection_id,
        "BackupPlanId": PLAN_ID,
        "CreationDate": CREATED,
        "CreatorRequestId": "system-payments",
    }
    shop.answer("backup", "GetBackupSelection", selected, selection_id)


def creator():
    return {
        "BackupPlanId": PLAN_ID,
        "BackupPlanArn": PLAN_ARN,
        "BackupPlanVersion": "OGQ1YjJlY2UtMGY1Yi00NWI0",
        "BackupRuleId": "2b7f52f1-97c2-4d63-9c7a-43a0e3f0ad5e",
    }


def deleted_at(night):
    return f"{datetime.date.fromisoformat(night) + datetime.timedelta(days=35)}T02:00:31+00:00"


def recovery_point(shop, resource, night):
    number = NIGHTS.index(night)
    return {
        "RecoveryPointArn": f"arn:aws:rds:{MAIN_REGION}:{ACCOUNT_ID}:snapshot:awsbackup:job-0b6f3d52-5b1c-7e7a-3f0e-9d2c1f4a6e0{number}",
        "BackupVaultName": VAULT,
        "BackupVaultArn": VAULT_ARN,
        "ResourceArn": resource,
        "ResourceType": "RDS",
        "CreatedBy": creator(),
        "IamRoleArn": shop.ids["role-backup"],
        "Status": "COMPLETED",
        "CreationDate": f"{night}T02:00:31+00:00",
        "CompletionDate": f"{night}T02:14:50+00:00",
        "BackupSizeInBytes": 214748364800,
        "CalculatedLifecycle": {"DeleteAt": deleted_at(night)},
        "Lifecycle": {"DeleteAfterDays": 35},
        "EncryptionKeyArn": shop.ids["key-payments"],
        "IsEncrypted": True,
        "ResourceName": "d21-ledger-payments",
        "VaultType": "BACKUP_VAULT",
    }


def job(shop, resource, point, night):
    return {
        "AccountId": ACCOUNT_ID,
        "BackupJobId": f"9C7B6A54-0000-4000-8000-{night.replace('-', '')}0000",
        "BackupVaultName": VAULT,
        "BackupVaultArn": VAULT_ARN,
        "RecoveryPointArn": point["RecoveryPointArn"],
        "ResourceArn": resource,
        "CreationDate": f"{night}T02:00:00+00:00",
        "CompletionDate": f"{night}T02:14:50+00:00",
        "State": "COMPLETED",
        "CreatedBy": creator(),
        "PercentDone": "100.0",
        "BackupSizeInBytes": 214748364800,
        "IamRoleArn": shop.ids["role-backup"],
        "ResourceType": "RDS",
        "ResourceName": "d21-ledger-payments",
        "IsParent": False,
    }


def failed(shop):
    return {
        "AccountId": ACCOUNT_ID,
        "BackupJobId": "9C7B6A54-0000-4000-8000-202611150001",
        "BackupVaultName": VAULT,
        "BackupVaultArn": VAULT_ARN,
        "ResourceArn": shop.ids["h01_users_identity"],
        "CreationDate": "2026-11-15T10:12:00+00:00",
        "CompletionDate": "2026-11-15T10:12:09+00:00",
        "State": "FAILED",
        "StatusMessage": "IAM Role does not have sufficient permissions to execute the backup",
        "PercentDone": "0.0",
        "IamRoleArn": shop.ids["role-backup"],
        "ResourceType": "DynamoDB",
        "ResourceName": "h01_users_identity",
        "IsParent": False,
    }
