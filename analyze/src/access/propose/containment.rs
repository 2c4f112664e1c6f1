//! That nobody gains anything: what is proposed lies within what is attached today.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::Element;
use super::narrow::Granting;
use super::outcome::Plan;
use super::proof::Proof;
use super::scene::Scene;
use crate::access::classes;
use crate::actions::Catalogue;
use crate::iam::Action;

/// Every statement that allows is within one that allows today, every denial of today is there.
pub(super) fn check(old: &Scene, plan: &Plan, proof: &mut Proof) {
    let specials: BTreeSet<&str> = plan
        .specials
        .values()
        .map(|special| special.arn.as_str())
        .collect();
    for (container, outcome) in old.containers.iter().zip(&plan.outcomes) {
        let granting: Vec<Granting<'_>> = old.grantings(container).collect();
        let statements = outcome
            .documents
            .iter()
            .flat_map(|document| document["Statement"].as_array().into_iter().flatten());
        for statement in statements
            .clone()
            .filter(|statement| statement["Effect"] == "Allow")
        {
            let roles = classes::strings(statement.get("Resource"));
            let to_special = statement["Action"] == json!(["sts:AssumeRole"])
                && roles.iter().all(|role| specials.contains(role.as_str()));
            if to_special || within(statement, &granting) {
                proof.counts.contained += 1;
            } else {
                proof.failures.push(format!(
                    "{}: {} allows more than today",
                    container.arn,
                    statement["Sid"].as_str().unwrap_or("a statement")
                ));
            }
        }
        for position in &outcome.detached {
            for denial in old.denials_of(container.policies[*position].id) {
                let same = |statement: &Value| {
                    let mut statement = statement.clone();
                    let mut denial = denial.clone();
                    for one in [&mut statement, &mut denial] {
                        if let Value::Object(members) = one {
                            members.remove("Sid");
                        }
                    }
                    statement == denial
                };
                if !statements.clone().any(same) {
                    proof.failures.push(format!(
                        "{}: a denial of {} is lost",
                        container.arn, container.policies[*position].name
                    ));
                }
            }
        }
    }
}

/// Whether each action on each resource is within one statement of today, under the same conditions.
fn within(statement: &Value, today: &[Granting<'_>]) -> bool {
    let negated = statement.get("NotResource").is_some();
    let element = Element {
        negated,
        patterns: classes::patterns(statement).map(str::to_owned).collect(),
    };
    let condition = statement.get("Condition").unwrap_or(&Value::Null);
    let candidates: Vec<&Granting<'_>> = today
        .iter()
        .filter(|granting| granting.condition() == condition)
        .collect();
    classes::strings(statement.get("Action"))
        .iter()
        .all(|pattern| {
            let mut names: Vec<&str> = Catalogue::embedded()
                .matching(pattern)
                .map(|facts| facts.name)
                .collect();
            if names.is_empty() {
                names.push(pattern);
            }
            names
                .iter()
                .filter_map(|name| Action::parse(name).ok())
                .all(|action| {
                    let granting: Vec<Element> = candidates
                        .iter()
                        .filter(|granting| granting.statement.names_action(&action))
                        .map(|granting| granting.element())
                        .collect();
                    if granting.contains(&element) {
                        return true;
                    }
                    !negated
                        && element.patterns.iter().all(|pattern| {
                            let mut wider = granting
                                .iter()
                                .filter(|whole| !whole.negated)
                                .flat_map(|whole| &whole.patterns);
                            wider.any(|whole| super::arns::covers(whole, pattern))
                        })
                })
        })
}
