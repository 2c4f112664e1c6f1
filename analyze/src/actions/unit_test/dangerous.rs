//! The dangerous actions: known, listed once, and about types that the inventory has.

use std::collections::BTreeSet;
use std::fs;

use super::{exact, files, root};
use crate::actions::Catalogue;
use crate::actions::dangerous::{Dangerous, Kind, dangerous};

/// Dangerous actions that AWS calls reading.
const KEYS: &[&str] = &["acm:ExportCertificate"];

/// The types of the resources that `collect` lists.
fn inventory_types() -> BTreeSet<String> {
    files(&root().join("collect/tables"))
        .iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .filter_map(|path| {
            let text = fs::read_to_string(path).expect("a table file");
            let table: toml::Table = toml::from_str(&text).expect("a table file is TOML");
            Some(table.get("resource_type")?.as_str()?.to_owned())
        })
        .collect()
}

/// The types that the catalogue names for an action, as `service:type`.
fn catalogue_types(action: &str) -> Vec<String> {
    let service = action.split(':').next().unwrap_or_default();
    Catalogue::embedded()
        .find(action)
        .into_iter()
        .flat_map(|facts| &facts.resources)
        .map(|resource| format!("{service}:{}", resource.resource_type))
        .collect()
}

fn access_level(action: &str) -> &'static str {
    Catalogue::embedded()
        .find(action)
        .map_or("", |facts| facts.access_level)
}

#[test]
fn dangerous_actions_are_in_the_catalogue() {
    let unknown: Vec<&str> = dangerous()
        .iter()
        .map(|danger| danger.action)
        .filter(|action| !exact(action))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn dangerous_actions_are_few_and_listed_once() {
    let actions: BTreeSet<&str> = dangerous().iter().map(|danger| danger.action).collect();
    assert!((450..=800).contains(&actions.len()), "{}", actions.len());
    let key = |danger: &Dangerous| {
        let service = danger.action.split(':').next().unwrap_or_default();
        (
            service,
            danger.action.to_ascii_lowercase(),
            danger.resource_type,
        )
    };
    assert!(dangerous().is_sorted_by(|one, next| key(one) < key(next)));
    // Reading is no danger, unless what is read is a key or a sign-in.
    let reading: Vec<&str> = actions
        .into_iter()
        .filter(|action| matches!(access_level(action), "List" | "Read"))
        .collect();
    assert_eq!(reading, KEYS);
}

#[test]
fn dangerous_types_are_known() {
    let inventory = inventory_types();
    let unknown: Vec<(&str, &str)> = dangerous()
        .iter()
        .filter(|danger| {
            danger.resource_type != "account"
                && !inventory.contains(danger.resource_type)
                && !catalogue_types(danger.action).iter().any(|known| known == danger.resource_type)
                && danger.resource_type != "ec2:instance-connect-endpoint"
                // The action takes `*` only; the type is that of the service's other actions.
                && !catalogue_types(danger.action).iter().any(|known| known.ends_with(':'))
        })
        .map(|danger| (danger.action, danger.resource_type))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// Whoever changes tags steps past limits by tags, where there can be any.
#[test]
fn tagging_is_dangerous_where_tags_can_limit() {
    let limited = |danger: &Dangerous| {
        let facts = Catalogue::embedded().find(danger.action);
        access_level(danger.action) != "Tagging"
            && facts.is_some_and(|facts| facts.resources.iter().any(|one| one.tag_condition))
    };
    let types: BTreeSet<&str> = dangerous()
        .iter()
        .filter(|danger| limited(danger))
        .map(|danger| danger.resource_type)
        .collect();
    let idle: Vec<(&str, &str)> = dangerous()
        .iter()
        .filter(|danger| access_level(danger.action) == "Tagging")
        .map(|danger| (danger.action, danger.resource_type))
        .filter(|(_, resource_type)| !types.contains(resource_type))
        .collect();
    assert!(idle.is_empty(), "{idle:?}");
}

#[test]
fn dangerous_parts_are_suffixes() {
    for danger in dangerous() {
        let fine = danger.part.is_empty()
            || danger.part.starts_with(['/', ':']) && danger.part.ends_with('*');
        assert!(fine, "{danger:?}");
    }
    let part = |action: &str| {
        let found = dangerous().iter().find(|danger| danger.action == action);
        found.map(|danger| danger.part)
    };
    assert_eq!(part("s3:DeleteObject"), Some("/*"));
    assert_eq!(part("s3:DeleteBucket"), Some(""));
    assert_eq!(part("logs:DeleteLogGroup"), Some(":*"));
    assert_eq!(part("dynamodb:DeleteBackup"), Some("/backup/*"));
}

/// Those that are easily forgotten.
#[test]
fn dangerous_actions_of_every_kind() {
    let kinds = |action: &str, resource_type: &str| {
        let found = dangerous()
            .iter()
            .find(|danger| danger.action == action && danger.resource_type == resource_type);
        found.map(|danger| danger.kind)
    };
    for (action, resource_type, kind) in [
        (
            "autoscaling:SuspendProcesses",
            "autoscaling:autoScalingGroup",
            Kind::Recovery,
        ),
        (
            "backup:DeleteBackupVaultLockConfiguration",
            "backup:backup-vault",
            Kind::Recovery,
        ),
        (
            "cloudformation:DeleteStack",
            "cloudformation:stack",
            Kind::Destroy,
        ),
        ("cloudtrail:StopLogging", "cloudtrail:trail", Kind::Logging),
        ("dlm:DeleteLifecyclePolicy", "account", Kind::Recovery),
        (
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:table",
            Kind::Recovery,
        ),
        (
            "ec2:DisableSnapshotBlockPublicAccess",
            "account",
            Kind::Expose,
        ),
        ("ec2:ReplaceRoute", "ec2:route-table", Kind::Destroy),
        (
            "elasticache:DecreaseReplicaCount",
            "elasticache:replicationgroup",
            Kind::Destroy,
        ),
        ("iam:PassRole", "iam:role", Kind::Escalate),
        ("iam:SetDefaultPolicyVersion", "iam:policy", Kind::Escalate),
        ("kms:DisableKey", "kms:key", Kind::Destroy),
        (
            "lambda:PutFunctionConcurrency",
            "lambda:function",
            Kind::Destroy,
        ),
        ("organizations:LeaveOrganization", "account", Kind::Policy),
        ("rbin:DeleteRule", "account", Kind::Recovery),
        (
            "rds:DeleteDBInstanceAutomatedBackup",
            "rds:auto-backup",
            Kind::Recovery,
        ),
        ("rds:ModifyDBInstance", "rds:db", Kind::Recovery),
        (
            "route53:ChangeResourceRecordSets",
            "route53:hostedzone",
            Kind::Destroy,
        ),
        (
            "route53domains:DisableDomainTransferLock",
            "route53domains:domain",
            Kind::Expose,
        ),
        ("s3:BypassGovernanceRetention", "s3:bucket", Kind::Recovery),
        ("s3:PutLifecycleConfiguration", "s3:bucket", Kind::Destroy),
        ("ses:UpdateAccountSendingEnabled", "account", Kind::Destroy),
        ("tag:UntagResources", "account", Kind::Policy),
    ] {
        assert_eq!(kinds(action, resource_type), Some(kind), "{action}");
    }
    for kind in Kind::ALL {
        assert_eq!(Kind::parse(kind.name()), Some(kind));
        assert!(
            dangerous().iter().any(|danger| danger.kind == kind),
            "{}",
            kind.name()
        );
    }
}
