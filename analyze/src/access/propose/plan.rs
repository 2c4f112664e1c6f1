//! What becomes of each user, group and role.

use std::collections::{BTreeMap, BTreeSet};

use super::containers::{Container, Kind};
use super::document::{ATTACHED, Element, MANAGED, Why};
use super::entrants::Entrants;
use super::narrow::{self, Granting};
use super::outcome::{Keep, Left, Outcome, Plan, Specials, State};
use super::scene::Scene;
use super::sets;
use super::sight::Sight;
use super::uses::{Use, Uses};
use crate::access::facts;
use crate::access::world::Holder;

/// Actions by which somebody gets to a second factor or to a role: they can't stand behind one.
const ENTRANCES: [&str; 8] = [
    "iam:ChangePassword",
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:ResyncMFADevice",
    "sts:AssumeRole",
    "sts:GetSessionToken",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

/// What a plan is made from.
pub(super) struct Planner<'a> {
    pub(super) scene: &'a Scene,
    pub(super) uses: &'a Uses,
    pub(super) sight: &'a Sight,
    /// Kind of harm by dangerous action.
    pub(super) dangers: &'a BTreeMap<String, &'static str>,
    pub(super) entrants: &'a Entrants,
    /// Accounts whose events go back far enough.
    pub(super) known_accounts: &'a BTreeSet<String>,
    /// Keys of tags that name the system that a resource belongs to.
    pub(super) tag_keys: &'a [String],
}

impl Planner<'_> {
    /// Plans everything.
    pub(super) fn plan(&self) -> Plan {
        let mut plan = Plan {
            outcomes: Vec::new(),
            specials: BTreeMap::new(),
            sets: BTreeMap::new(),
        };
        for index in 0..self.scene.containers.len() {
            let outcome = self.outcome(index, &mut plan.specials);
            plan.outcomes.push(outcome);
        }
        sets::merge(self.scene, &mut plan);
        self.finish_specials(&mut plan);
        self.finish(&mut plan);
        plan
    }

    pub(super) fn container(&self, index: usize) -> &Container {
        &self.scene.containers[index]
    }

    /// Whether only people stand behind it, who can present a second factor.
    fn is_human(&self, container: &Container) -> bool {
        container.kind != Kind::Role || self.entrants.is_human(&container.arn)
    }

    fn left(&self, container: &Container) -> Option<Left> {
        let world = &self.scene.world;
        let holders = || {
            container
                .members
                .iter()
                .map(|member| &world.holders[*member])
        };
        let unread = |id: &usize| world.library.get(*id).document.is_none();
        if holders().any(|holder| holder.service_linked) {
            return Some(Left::ServiceLinked);
        }
        if holders().any(Holder::reserved) && sets::name(&container.name).is_none() {
            return Some(Left::Reserved);
        }
        if container.special {
            return Some(Left::Special);
        }
        let allows = self.scene.grantings(container).next().is_some();
        if container.policies.iter().any(|policy| unread(&policy.id)) {
            return Some(Left::Unread);
        }
        if !allows {
            return Some(Left::NothingAttached);
        }
        if container.members.is_empty() {
            return Some(Left::NoMembers);
        }
        if !self.known_accounts.contains(&*container.account) {
            return Some(Left::ShortHistory);
        }
        let settled = |member: &usize| {
            let arn = &self.scene.world.holders[*member].arn;
            let mut of_member = self.scene.containers_of(*member).iter();
            let own = of_member.find(|index| self.container(**index).arn == *arn);
            own.and_then(|own| self.container(*own).settled) == Some(true)
        };
        (container.settled != Some(true) || !container.members.iter().all(settled))
            .then_some(Left::NotSettled)
    }

    fn outcome(&self, index: usize, specials: &mut Specials) -> Outcome {
        let container = self.container(index);
        if let Some(left) = self.left(container) {
            return Outcome::new(State::Left(left));
        }
        let seen = |member: &usize| {
            self.uses.seen.contains(member)
                || self
                    .uses
                    .unmapped
                    .iter()
                    .any(|(holder, _)| holder == member)
        };
        if !container.members.iter().any(seen) {
            // What a service runs as may leave no event for long.
            return match self.is_human(container) {
                true => self.denied(container),
                false => Outcome::new(State::Left(Left::NeverSeen)),
            };
        }
        let mut outcome = Outcome::new(State::Replaced);
        let mut before = BTreeSet::new();
        for (position, policy) in container.policies.iter().enumerate() {
            if !sets::is_replaced(self.scene, container, policy) {
                continue;
            }
            outcome.detached.push(position);
            for granting in self.scene.grantings_of(policy.id) {
                self.narrow(
                    index,
                    &granting,
                    policy.by_aws(),
                    &mut outcome,
                    specials,
                    &mut before,
                );
            }
            for denial in self.scene.denials_of(policy.id) {
                if !outcome.draft.verbatim.contains(denial) {
                    outcome.draft.verbatim.push(denial.clone());
                }
            }
        }
        outcome.before = before.len();
        let Outcome {
            removed,
            after,
            behind,
            ..
        } = &mut outcome;
        removed.retain(|action| !after.contains(*action) && !behind.contains_key(action));
        outcome
    }

    /// Takes what was used of a statement, and what no event could show.
    fn narrow(
        &self,
        index: usize,
        granting: &Granting<'_>,
        by_aws: bool,
        outcome: &mut Outcome,
        specials: &mut Specials,
        before: &mut BTreeSet<&'static str>,
    ) {
        let container = self.container(index);
        let services = self.uses.services.get(&*container.account);
        let uses = self.uses_of(container, granting);
        let none = Vec::new();
        let mut harmless = BTreeSet::new();
        for (facts, action) in narrow::catalogue()
            .iter()
            .filter(|(_, action)| granting.statement.names_action(action))
        {
            before.insert(facts.name);
            let danger = self.dangers.get(facts.name).copied();
            if danger.is_none() {
                harmless.insert(facts.name.to_owned());
            }
            let used = uses.get(facts.name).unwrap_or(&none);
            let observable = self.sight.shows(&container.account, facts);
            if used.is_empty() || !observable {
                let chosen = !by_aws && granting.names_service(action.service());
                let in_use =
                    chosen || services.is_some_and(|services| services.contains(action.service()));
                let unmapped = danger.is_none()
                    && container.members.iter().any(|member| {
                        self.uses
                            .unmapped
                            .contains(&(*member, action.service().to_owned()))
                    });
                if !observable && used.is_empty() && !in_use {
                    outcome.dropped.insert(facts.name);
                } else if !observable || unmapped {
                    outcome.draft.allow(
                        Why::NotObservable,
                        granting.element(),
                        granting.condition(),
                        facts.name,
                    );
                    outcome.after.insert(facts.name.to_owned());
                    if danger.is_some() {
                        outcome
                            .kept
                            .insert(facts.name.to_owned(), Keep::NotObservable);
                    }
                } else if danger.is_some() {
                    outcome.removed.insert(facts.name);
                }
                continue;
            }
            let (element, wide) = granting.narrowed(self.scene, facts, used);
            if let Some(kind) = danger {
                match self.keep(container, granting, &element, used) {
                    Some(keep) => {
                        outcome.kept.insert(facts.name.to_owned(), keep);
                    }
                    None => {
                        outcome.behind.insert(facts.name, kind);
                        self.put_behind(index, granting, kind, element, used, specials);
                        continue;
                    }
                }
            }
            if let Some(wide) = wide {
                outcome.wide.insert(facts.name, wide);
            }
            outcome
                .draft
                .allow(Why::Used, element, granting.condition(), facts.name);
            outcome.after.insert(facts.name.to_owned());
        }
        let in_use = |action: &String| {
            let service = action.split(':').next().unwrap_or_default();
            !by_aws || services.is_some_and(|services| services.contains(service))
        };
        for action in granting.unknown_actions().into_iter().filter(in_use) {
            outcome.draft.allow(
                Why::NotObservable,
                granting.element(),
                granting.condition(),
                &action,
            );
            if self.dangers.contains_key(&action) {
                outcome.kept.insert(action.clone(), Keep::NotInCatalogue);
            }
            outcome.after.insert(action);
        }
        // A wildcard may take in what was granted on the same resources, or on more.
        let condition = granting.condition().to_string();
        for key in outcome
            .draft
            .allowed
            .keys()
            .filter(|(_, _, own)| *own == condition)
        {
            let (_, element, _) = key;
            let whole = granting.element();
            let within = element == &whole
                || !whole.negated
                    && !element.negated
                    && element.patterns.iter().all(|one| {
                        whole
                            .patterns
                            .iter()
                            .any(|all| super::arns::covers(all, one))
                    });
            if within {
                outcome
                    .draft
                    .harmless
                    .entry(key.clone())
                    .or_default()
                    .extend(harmless.iter().cloned());
            }
        }
    }

    /// What its members did that the statement may have allowed, by action.
    fn uses_of(
        &self,
        container: &Container,
        granting: &Granting<'_>,
    ) -> BTreeMap<&'static str, Vec<&Use>> {
        let mut by_action: BTreeMap<&'static str, Vec<&Use>> = BTreeMap::new();
        let of_members = container
            .members
            .iter()
            .filter_map(|member| self.uses.by_holder.get(member))
            .flatten();
        for used in of_members.map(|position| &self.uses.all[*position]) {
            let named = crate::iam::Action::parse(used.action.name)
                .is_ok_and(|action| granting.statement.names_action(&action));
            if named && granting.may_allow(self.scene, used) {
                by_action.entry(used.action.name).or_default().push(used);
            }
        }
        by_action
    }

    /// Why a dangerous action that is used stays with whoever uses it; none if it goes to a special role.
    fn keep(
        &self,
        container: &Container,
        granting: &Granting<'_>,
        element: &Element,
        used: &[&Use],
    ) -> Option<Keep> {
        if !self.is_human(container) {
            return Some(Keep::Machine);
        }
        if used.iter().any(|one| ENTRANCES.contains(&one.action.name)) {
            return Some(Keep::Entrance);
        }
        let by_principal = granting.statement.keys().any(facts::of_principal);
        let by_variable = element
            .patterns
            .iter()
            .any(|pattern| pattern.contains("${"));
        if by_principal || by_variable {
            return Some(Keep::Personal);
        }
        (!self.a_role_may(container, element, used)).then_some(Keep::ByResource)
    }

    /// A container of which no event tells: what is dangerous and would show is denied.
    fn denied(&self, container: &Container) -> Outcome {
        let mut outcome = Outcome::new(State::Denied);
        let mut before = BTreeSet::new();
        for granting in self.scene.grantings(container) {
            for (facts, _) in narrow::catalogue()
                .iter()
                .filter(|(_, action)| granting.statement.names_action(action))
            {
                before.insert(facts.name);
                if self.dangers.contains_key(facts.name) {
                    if self.sight.shows(&container.account, facts) {
                        outcome.removed.insert(facts.name);
                        outcome.draft.denied.insert(facts.name.to_owned());
                    } else {
                        outcome
                            .kept
                            .insert(facts.name.to_owned(), Keep::NotObservable);
                    }
                }
            }
            for action in granting
                .unknown_actions()
                .into_iter()
                .filter(|action| self.dangers.contains_key(action))
            {
                outcome.kept.insert(action, Keep::NotInCatalogue);
            }
        }
        outcome.before = before.len();
        outcome.after = before
            .iter()
            .filter(|action| !outcome.removed.contains(*action))
            .map(|action| (*action).to_owned())
            .collect();
        if outcome.removed.is_empty() {
            return Outcome::new(State::Left(Left::NothingDangerous));
        }
        outcome
    }

    /// Makes documents of the drafts.
    fn finish(&self, plan: &mut Plan) {
        for (container, outcome) in self.scene.containers.iter().zip(&mut plan.outcomes) {
            let stay = container
                .policies
                .iter()
                .enumerate()
                .filter(|(at, policy)| policy.arn.is_some() && !outcome.detached.contains(at));
            let (size, room) = match outcome.state {
                State::PermissionSet => (sets::INLINE, 1),
                _ => (MANAGED, ATTACHED.saturating_sub(stay.count())),
            };
            match outcome.draft.documents(size, room) {
                Some(documents) => outcome.documents = documents,
                None => {
                    let draft = std::mem::take(&mut outcome.draft);
                    *outcome = Outcome::new(State::Left(Left::TooLarge));
                    outcome.draft.allowed.extend(
                        draft
                            .allowed
                            .into_iter()
                            .filter(|((why, _, _), _)| *why == Why::SpecialRoles),
                    );
                    outcome.documents = outcome.draft.documents(MANAGED, 1).unwrap_or_default();
                }
            }
        }
    }
}
