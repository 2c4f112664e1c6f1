//! A proposal that is wrong is refused.

use handoff::storage::Storage;
use serde_json::json;

use super::{allow, arn, operators};
use crate::access::propose::Basis;
use crate::access::propose::outcome::Plan;

#[test]
fn a_wrong_plan_is_refused_and_nothing_is_written() {
    type Spoil = fn(&mut Plan, &dyn Fn(&str) -> usize);
    let statement = |action: &str| allow(json!([action]), json!("*"));
    let cases: [(Spoil, &str); 7] = [
        (
            |plan, _| {
                for special in plan.specials.values_mut() {
                    special.trust["Statement"][0]["Condition"] = json!({});
                }
            },
            "without a second factor",
        ),
        (
            |plan, at| plan.outcomes[at("user/ben")].documents.clear(),
            "was done and would be denied",
        ),
        (
            |plan, _| {
                plan.specials
                    .values_mut()
                    .for_each(|special| special.documents.clear())
            },
            "was done and would be denied",
        ),
        (
            |plan, at| {
                plan.outcomes[at("group/ops")]
                    .documents
                    .push(allow(json!(["rds:DeleteDBInstance"]), json!("*")))
            },
            "may still do rds:DeleteDBInstance",
        ),
        (
            |plan, at| {
                plan.outcomes[at("group/ops")]
                    .documents
                    .push(allow(json!(["ec2:RunInstances"]), json!("*")))
            },
            "allows more than today",
        ),
        (
            |plan, at| {
                let role = plan.specials.values().next().unwrap().arn.clone();
                plan.outcomes[at("user/ben")]
                    .documents
                    .push(allow(json!(["sts:AssumeRole"]), json!(role)));
            },
            "which it has no need of",
        ),
        (
            |plan, at| {
                let outcome = &mut plan.outcomes[at("user/dora")];
                for document in &mut outcome.documents {
                    document["Statement"]
                        .as_array_mut()
                        .unwrap()
                        .retain(|statement| statement["Effect"] == "Allow");
                }
            },
            "a denial of own is lost",
        ),
    ];
    let mut policy = statement("sns:ListTopics");
    policy["Statement"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "Effect": "Deny", "Action": "sns:DeleteTopic", "Resource": "*" }));
    let account = operators().user("dora", &[], Some(policy)).event(
        "user/dora",
        "sns",
        "ListTopics",
        json!({}),
    );
    let session = account.session();
    for (spoil, expected) in cases {
        let basis = Basis::read(&session).unwrap();
        let mut plan = basis.plan(&session.connection).unwrap();
        let containers: Vec<String> = basis
            .scene
            .containers
            .iter()
            .map(|container| container.arn.clone())
            .collect();
        spoil(&mut plan, &|path| {
            containers
                .iter()
                .position(|known| *known == arn(path))
                .unwrap()
        });
        let proposal = basis.proposal(plan, &session.connection).unwrap();
        let failures = &proposal.proof.failures;
        assert!(
            failures.iter().any(|failure| failure.contains(expected)),
            "{expected}: {failures:?}"
        );
        let folder = tempfile::tempdir().unwrap();
        let out = Storage::open(&folder.path().display().to_string()).unwrap();
        assert!(proposal.write(&out, "run").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
