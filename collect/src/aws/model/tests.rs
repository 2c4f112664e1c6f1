//! The embedded models are whole and say what the caller relies on.

use super::*;

#[test]
fn every_name_in_every_model_resolves() {
    let mut count = 0;
    for service in services() {
        let model = model(service).unwrap();
        for (name, operation) in model.operations() {
            count += 1;
            for structure in [&operation.input, &operation.output].into_iter().flatten() {
                assert!(model.structure(structure).is_some(), "{service} {name}");
            }
            assert!(operation.iam_action.contains(':'), "{service} {name}");
        }
        for (name, shape) in &model.shapes {
            let members: Vec<&Member> = match shape {
                Shape::Structure(structure) => {
                    structure.members.iter().map(|(_, member)| member).collect()
                }
                Shape::List { member } => vec![member],
                Shape::Map { key, value } => vec![key, value],
            };
            for member in members {
                let dangling =
                    matches!(member.target, Type::Shape(_)) && model.shape_of(member).is_none();
                assert!(!dangling, "{service} {name}: {member:?}");
            }
        }
    }
    let listed = include_str!("../../../models/operations.txt");
    let listed = listed
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .count();
    assert_eq!(count, listed);
}

#[test]
fn pagination_paths_name_members_of_the_answer() {
    for service in services() {
        let model = model(service).unwrap();
        for (name, operation) in model.operations() {
            let Some(pagination) = &operation.pagination else {
                continue;
            };
            let output = model.output_structure(name).unwrap().unwrap();
            let input = model.input_members(name).unwrap();
            for token in pagination.input_tokens.iter().chain(&pagination.limit_key) {
                assert!(
                    input.iter().any(|(known, _)| known == token),
                    "{service} {name} {token}"
                );
            }
            assert_eq!(
                pagination.input_tokens.len(),
                pagination.output_tokens.len()
            );
            for path in pagination
                .result_keys
                .iter()
                .chain(&pagination.output_tokens)
            {
                let first = path.split('.').next().unwrap();
                assert!(output.member(first).is_some(), "{service} {name} {path}");
            }
        }
    }
}

#[test]
fn actions_follow_iam_and_not_the_operation() {
    let action = |service, operation| {
        model(service)
            .unwrap()
            .iam_action(operation)
            .unwrap()
            .to_owned()
    };
    assert_eq!(action("s3", "ListBuckets"), "s3:ListAllMyBuckets");
    assert_eq!(
        action("elbv2", "DescribeTags"),
        "elasticloadbalancing:DescribeTags"
    );
    assert_eq!(action("ec2", "DescribeVpcs"), "ec2:DescribeVpcs");
    assert_eq!(action("apigateway", "GetStages"), "apigateway:GET");
    assert_eq!(action("ses", "ListIdentities"), "ses:ListIdentities");
    assert_eq!(
        action("cloudwatch", "DescribeAlarms"),
        "cloudwatch:DescribeAlarms"
    );
}

#[test]
fn what_is_not_modelled_is_named() {
    let unknown = model("nosuch").unwrap_err();
    assert!(unknown.to_string().contains("`nosuch`"));
    let unknown = model("ec2").unwrap().operation("RunInstances").unwrap_err();
    assert!(unknown.to_string().contains("`RunInstances` of `ec2`"));
}
