//! Special roles: what goes there, and who is let in.

use std::collections::BTreeSet;

use serde_json::Value;

use super::apply;
use super::containers::{Container, Kind};
use super::document::{ATTACHED, Element, MANAGED, Why};
use super::narrow::Granting;
use super::outcome::{Plan, Specials};
use super::plan::Planner;
use super::tagged;
use super::uses::Use;
use crate::access::decide::Judge;
use crate::iam::Action;

impl Planner<'_> {
    pub(super) fn put_behind(
        &self,
        index: usize,
        granting: &Granting<'_>,
        kind: &'static str,
        element: Element,
        used: &[&Use],
        specials: &mut Specials,
    ) {
        let container = self.container(index);
        let service = used
            .first()
            .and_then(|one| one.action.name.split(':').next())
            .unwrap_or_default();
        let special = specials
            .entry((
                container.account.to_string(),
                format!("danger-{kind}-{service}"),
            ))
            .or_default();
        special.kind = kind;
        let condition = tagged::without_mfa(granting.condition());
        if let Some(action) = used.first().map(|one| one.action) {
            let tagged = tagged::tagged(self.scene, self.tag_keys, granting, action, &element);
            match tagged.and_then(|tagged| Some((tagged::with(&condition, &tagged.tag)?, tagged))) {
                Some((with_tag, tagged)) => {
                    special
                        .draft
                        .allow(Why::Used, tagged.element, &with_tag, action.name);
                    if let Some(rest) = tagged.rest {
                        special
                            .draft
                            .allow(Why::Used, rest, &condition, action.name);
                    }
                }
                None => special
                    .draft
                    .allow(Why::Used, element, &condition, action.name),
            }
            special.actions.insert(action.name);
        }
        match container.kind {
            Kind::User | Kind::Group => {
                special.containers.insert(index);
            }
            Kind::Role => special
                .containers
                .extend(self.entrants.containers(self.scene, &container.arn)),
        }
    }

    /// Whether a role could do what was done: where the policy of a resource has to let it, that policy may name others only.
    pub(super) fn a_role_may(
        &self,
        container: &Container,
        element: &Element,
        used: &[&Use],
    ) -> bool {
        let judge = Judge::new(&self.scene.world, &self.scene.facts);
        used.iter().all(|one| {
            let Ok(action) = Action::parse(one.action.name) else {
                return false;
            };
            let mut arns: Vec<String> = one.arns().cloned().collect();
            if arns.is_empty() {
                arns = super::narrow::instances(element);
            }
            arns.iter().all(|arn| {
                self.scene
                    .a_role_may(&judge, &container.account, &action, arn)
            })
        })
    }

    /// Names the special roles and lets their people in.
    pub(super) fn finish_specials(&self, plan: &mut Plan) {
        let taken: BTreeSet<String> = self
            .scene
            .containers
            .iter()
            .filter(|container| container.kind == Kind::Role)
            .map(|container| format!("{} {}", container.account, container.name.to_lowercase()))
            .collect();
        for ((account, base), special) in &mut plan.specials {
            let free = |name: &String| !taken.contains(&format!("{account} {name}"));
            let numbered = (2..).map(|number| format!("{base}-{number}"));
            special.name = std::iter::once(base.clone())
                .chain(numbered)
                .find(free)
                .unwrap_or_else(|| base.clone());
            let own = self
                .scene
                .containers
                .iter()
                .find(|container| *container.account == **account);
            let partition = own
                .and_then(|container| container.arn.split(':').nth(1))
                .unwrap_or("aws");
            special.arn = format!("arn:{partition}:iam::{account}:role/{}", special.name);
            let mut accounts = BTreeSet::from([account.as_str()]);
            accounts.extend(
                special
                    .containers
                    .iter()
                    .map(|index| &*self.scene.containers[*index].account),
            );
            special.trust = apply::trust(partition, &accounts);
            special.documents = special
                .draft
                .documents(MANAGED, ATTACHED)
                .unwrap_or_default();
            for index in &special.containers {
                let draft = &mut plan.outcomes[*index].draft;
                draft.allow(
                    Why::SpecialRoles,
                    Element::of([special.arn.clone()]),
                    &Value::Null,
                    "sts:AssumeRole",
                );
            }
        }
    }
}
