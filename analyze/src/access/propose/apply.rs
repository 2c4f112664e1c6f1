//! A copy of the run with the proposed policies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use duckdb::Connection;
use serde_json::{Value, json};

use super::guardrail::Guardrail;
use super::outcome::{Plan, Special};
use super::scene::Scene;
use crate::access::facts::Facts;
use crate::access::library::PolicyId;
use crate::access::world::{Holder, Kind, World};
use crate::iam::{Policy, PolicyKind, Principal};

/// Seconds after which a second factor is no longer recent.
const RECENT: &str = "3600";

/// Who may assume a special role, and how: anybody of the accounts whose own policies let it, with a recent second factor.
/// Trust policies can't name groups, so that the policies of the groups choose.
pub(super) fn trust(partition: &str, accounts: &BTreeSet<&str>) -> Value {
    let roots: Vec<String> = accounts
        .iter()
        .map(|account| format!("arn:{partition}:iam::{account}:root"))
        .collect();
    let roots = match roots.as_slice() {
        [one] => json!(one),
        several => json!(several),
    };
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "RecentSecondFactor",
            "Effect": "Allow",
            "Principal": { "AWS": roots },
            "Action": "sts:AssumeRole",
            "Condition": {
                "Bool": { "aws:MultiFactorAuthPresent": "true" },
                "NumericLessThan": { "aws:MultiFactorAuthAge": RECENT },
            },
        }],
    })
}

/// Reads the run once more and puts the new policies in the place of the old ones.
pub(super) fn apply(
    plan: &Plan,
    guardrails: &[Guardrail],
    connection: &Connection,
) -> anyhow::Result<Scene> {
    let mut scene = Scene::read(connection)?;
    let mut policies: BTreeMap<usize, BTreeSet<PolicyId>> = BTreeMap::new();
    let mut gone: BTreeMap<usize, BTreeSet<PolicyId>> = BTreeMap::new();
    for (index, outcome) in plan.outcomes.iter().enumerate() {
        let container = &scene.containers[index];
        let mut attached: BTreeSet<PolicyId> = BTreeSet::new();
        for (position, policy) in container.policies.iter().enumerate() {
            if !outcome.detached.contains(&position) {
                attached.insert(policy.id);
            }
        }
        for (number, document) in outcome.documents.iter().enumerate() {
            let name = format!("{}#proposed{number}", container.arn);
            attached.insert(add(
                &mut scene.world,
                "identityPolicies",
                PolicyKind::Principal,
                &name,
                document,
            )?);
        }
        for member in &container.members {
            policies
                .entry(*member)
                .or_default()
                .extend(attached.iter().copied());
            gone.entry(*member)
                .or_default()
                .extend(container.policies.iter().map(|policy| policy.id));
        }
    }
    for (member, mut policies) in policies {
        let holder = &mut scene.world.holders[member];
        let no_ones = gone.remove(&member).unwrap_or_default();
        // What belongs to no container, such as a group that could not be read, stays.
        policies.extend(
            holder
                .policies
                .iter()
                .copied()
                .filter(|id| !no_ones.contains(id)),
        );
        holder.policies = policies.into_iter().collect();
    }
    for special in plan.specials.values() {
        add_role(&mut scene, special)?;
    }
    for guardrail in guardrails {
        let policies = guardrail.policies()?;
        for (account, limits) in &mut scene.world.limits {
            if guardrail.accounts.contains(&**account) {
                limits.guard(&policies);
            }
        }
    }
    scene.facts = Facts::new(&scene.world);
    Ok(scene)
}

fn add(
    world: &mut World,
    layer: &'static str,
    kind: PolicyKind,
    name: &str,
    document: &Value,
) -> anyhow::Result<PolicyId> {
    let text = document.to_string();
    Policy::from_json(name, kind, &text).context("a proposed policy is none")?;
    Ok(world.library.add(layer, kind, name, Some(&text)))
}

fn add_role(scene: &mut Scene, special: &Special) -> anyhow::Result<()> {
    let trust = add(
        &mut scene.world,
        "resourcePolicy",
        PolicyKind::Resource,
        &special.arn,
        &special.trust,
    )?;
    let mut policies = Vec::new();
    for (number, document) in special.documents.iter().enumerate() {
        let name = format!("{}#proposed{number}", special.arn);
        policies.push(add(
            &mut scene.world,
            "identityPolicies",
            PolicyKind::Principal,
            &name,
            document,
        )?);
    }
    scene.add_role(Holder {
        account: special.arn.split(':').nth(4).unwrap_or_default().into(),
        arn: special.arn.clone(),
        kind: Kind::Role,
        name: special.name.clone(),
        unique_id: String::new(),
        tags: Some(BTreeMap::new()),
        policies,
        boundary_arn: None,
        boundary: None,
        trust: Some(trust),
        service_linked: false,
        special: true,
        principal: Principal::parse(&special.arn)?,
    });
    Ok(())
}

impl Guardrail {
    fn policies(&self) -> anyhow::Result<Vec<Arc<Policy>>> {
        let read = |document: &Value| {
            Policy::from_json(
                "service control policy",
                PolicyKind::Principal,
                &document.to_string(),
            )
            .map(Arc::new)
            .context("a proposed service control policy is none")
        };
        self.documents.iter().map(read).collect()
    }
}
