//! The paths of escalation.

use super::exact;
use crate::actions::{On, escalation_paths};

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
