//! The proof that a proposal takes nothing that is used and leaves nothing dangerous unguarded.
//!
//! A second copy of the run gets the new policies, and the evaluator is asked again. The proof knows the documents, not how
//! they came about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::containers::Container;
use super::containment;
use super::entrants::Entrants;
use super::outcome::{Keep, Left, Outcome, Plan, State};
use super::scene::Scene;
use super::uses::Uses;
use crate::access::classes::Questions;
use crate::access::dangers::Dangers;
use crate::access::decide::{self, Granted, Judge, Mfa, Subject};
use crate::access::grants;
use crate::iam::{Action, Effect};

/// What was found, as it is written, and what went wrong.
#[derive(Default)]
pub(super) struct Proof {
    pub(super) failures: Vec<String>,
    /// One for each use.
    replayed: Vec<Value>,
    remaining: Vec<Value>,
    /// What people can do in special roles that they can't do today: principal, role, actions.
    pub(super) gains: BTreeMap<(String, String), BTreeSet<String>>,
    pub(super) counts: Counts,
}

/// What the proof comes to.
#[derive(Default)]
pub(super) struct Counts {
    /// Uses that are allowed as before.
    pub(super) direct: usize,
    /// Uses that go through a special role.
    pub(super) special: usize,
    /// Uses that today's policies deny too.
    pub(super) not_today: usize,
    /// Pairs of a principal and a dangerous action that its own policies allow, outside of special roles.
    pub(super) before: usize,
    pub(super) after: usize,
    /// Pairs that only the policies of resources allow, which a proposal for principals does not change.
    pub(super) by_resource: usize,
    /// Statements that are shown to be within those of today.
    pub(super) contained: usize,
}

impl Proof {
    pub(super) fn json(&self) -> Value {
        let gains: Vec<Value> = self
            .gains
            .iter()
            .map(|((principal, role), actions)| json!({ "principal": principal, "role": role, "actions": actions }))
            .collect();
        let Counts {
            direct,
            special,
            not_today,
            before,
            after,
            by_resource,
            contained,
        } = self.counts;
        json!({
            "holds": self.failures.is_empty(),
            "counts": {
                "usesAllowedAsBefore": direct, "usesThroughSpecialRoles": special, "usesDeniedTodayToo": not_today,
                "dangerousPairsBefore": before, "dangerousPairsAfter": after, "dangerousPairsByResourcePolicies": by_resource,
                "statementsWithinThoseOfToday": contained,
            },
            "failures": self.failures,
            "remaining": self.remaining,
            "gainedInSpecialRoles": gains,
        })
    }

    /// What was replayed, one JSON object a line.
    pub(super) fn lines(&self) -> String {
        self.replayed.iter().map(|row| format!("{row}\n")).collect()
    }
}

/// What is proven.
pub(super) struct Prover<'a> {
    pub(super) old: &'a Scene,
    pub(super) new: &'a Scene,
    pub(super) plan: &'a Plan,
    pub(super) uses: &'a Uses,
    pub(super) entrants: &'a Entrants,
    pub(super) dangers: &'a Dangers,
}

impl Prover<'_> {
    pub(super) fn prove(&self) -> anyhow::Result<Proof> {
        let mut proof = Proof::default();
        self.replay(&mut proof)?;
        self.entrances(&mut proof)?;
        self.gains(&mut proof)?;
        self.remaining(&mut proof)?;
        containment::check(self.old, self.plan, &mut proof);
        Ok(proof)
    }

    /// Everything that was done and is allowed today stays allowed, be it through a special role.
    fn replay(&self, proof: &mut Proof) -> anyhow::Result<()> {
        let (old, new) = (
            Judge::new(&self.old.world, &self.old.facts),
            Judge::new(&self.new.world, &self.new.facts),
        );
        let mut rows: BTreeMap<(String, &str, String), (i64, Vec<Replayed>)> = BTreeMap::new();
        for (holder, positions) in &self.uses.by_holder {
            let arn = &self.old.world.holders[*holder].arn;
            let mut before = old.subject(&self.old.world.holders[*holder]);
            let mut after = new.subject(&self.new.world.holders[*holder]);
            for used in positions.iter().map(|position| &self.uses.all[*position]) {
                let action = Action::parse(used.action.name)?;
                for resource in self.old.resources(used, &action) {
                    let outcome = match self.old.ask(&old, &mut before, &action, &resource) {
                        None => Replayed::NotToday,
                        Some(granted) => match self.new.ask(&new, &mut after, &action, &resource) {
                            Some(now) if now.answer >= granted.answer && now.mfa <= granted.mfa => {
                                Replayed::Direct
                            }
                            now => self
                                .through(&new, *holder, &action, &resource, &granted)?
                                .unwrap_or(Replayed::Failed(now.is_some())),
                        },
                    };
                    let about = format!("{arn}: {} on {resource}", used.action.name);
                    match &outcome {
                        Replayed::Direct => proof.counts.direct += 1,
                        Replayed::Through(_) => proof.counts.special += 1,
                        Replayed::NotToday => proof.counts.not_today += 1,
                        Replayed::Failed(some) => {
                            let what = if *some {
                                "is allowed under narrower conditions only"
                            } else {
                                "would be denied"
                            };
                            proof.failures.push(format!("{about} was done and {what}"));
                        }
                    }
                    let key = (arn.clone(), used.action.name, resource);
                    let row = rows.entry(key).or_default();
                    row.0 += used.calls;
                    row.1.push(outcome);
                }
            }
        }
        for used in &self.uses.denied_today {
            let arn = &self.old.world.holders[used.holder].arn;
            proof.counts.not_today += 1;
            let resource = used.arns().next().map_or("*", String::as_str).to_owned();
            let row = rows
                .entry((arn.clone(), used.action.name, resource))
                .or_default();
            row.0 += used.calls;
            row.1.push(Replayed::NotToday);
        }
        proof.replayed = rows
            .into_iter()
            .map(|((principal, action, resource), (calls, outcomes))| {
                let outcome = outcomes.iter().max().map_or(json!(null), Replayed::json);
                json!({ "principal": principal, "action": action, "resource": resource, "calls": calls, "outcome": outcome })
            })
            .collect();
        Ok(())
    }

    /// Whether the people behind a principal may do it in a special role.
    fn through(
        &self,
        judge: &Judge<'_>,
        holder: usize,
        action: &Action,
        resource: &str,
        before: &Granted,
    ) -> anyhow::Result<Option<Replayed>> {
        let world = &self.new.world;
        let people = match &world.holders[holder] {
            role if role.trust.is_some() => self.entrants.people(self.old, &role.arn),
            _ => BTreeSet::from([holder]),
        };
        let account = &world.holders[holder].account;
        let assume = Action::parse("sts:AssumeRole")?;
        for ((of, _), special) in &self.plan.specials {
            let Some(role) = world.holders.iter().find(|role| role.arn == special.arn) else {
                continue;
            };
            let allowed = self
                .new
                .ask(judge, &mut judge.subject(role), action, resource);
            if **account != *of
                || allowed.is_none_or(|granted| granted.answer < before.answer)
                || people.is_empty()
            {
                continue;
            }
            let enters = |person: &usize| {
                let granted = self.new.ask(
                    judge,
                    &mut judge.subject(&world.holders[*person]),
                    &assume,
                    &special.arn,
                );
                granted.is_some_and(|granted| granted.answer == decide::Answer::Allowed)
            };
            if people.iter().all(enters) {
                return Ok(Some(Replayed::Through(special.name.clone())));
            }
        }
        Ok(None)
    }

    /// Nobody gets into a special role without a second factor, and nobody who was not let in on purpose, unless its
    /// policies were left as they are.
    fn entrances(&self, proof: &mut Proof) -> anyhow::Result<()> {
        let judge = Judge::new(&self.new.world, &self.new.facts);
        let assume = Action::parse("sts:AssumeRole")?;
        for special in self.plan.specials.values() {
            let invited: BTreeSet<usize> = special
                .containers
                .iter()
                .flat_map(|index| self.old.containers[*index].members.iter().copied())
                .collect();
            for (index, holder) in self.new.world.holders.iter().enumerate() {
                let Some(granted) =
                    self.new
                        .ask(&judge, &mut judge.subject(holder), &assume, &special.arn)
                else {
                    continue;
                };
                if granted.mfa != Mfa::Required {
                    proof.failures.push(format!(
                        "{} may become {} without a second factor",
                        holder.arn, special.name
                    ));
                }
                if holder.arn != special.arn
                    && !invited.contains(&index)
                    && !self.reaches_all_roles(index)
                {
                    proof.failures.push(format!(
                        "{} may become {}, which it has no need of",
                        holder.arn, special.name
                    ));
                }
            }
        }
        Ok(())
    }

    /// What those who were let into a special role could not do before, by themselves or in a role they may assume.
    fn gains(&self, proof: &mut Proof) -> anyhow::Result<()> {
        let judge = Judge::new(&self.old.world, &self.old.facts);
        for special in self.plan.specials.values() {
            let invited: BTreeSet<usize> = special
                .containers
                .iter()
                .flat_map(|index| self.old.containers[*index].members.iter().copied())
                .collect();
            for person in invited {
                let arn = &self.old.world.holders[person].arn;
                let mut ways: Vec<Subject<'_>> =
                    vec![judge.subject(&self.old.world.holders[person])];
                let roles = self
                    .old
                    .world
                    .holders
                    .iter()
                    .filter(|role| self.entrants.may_become(arn, &role.arn));
                ways.extend(roles.map(|role| judge.subject(role)));
                for ((_, element, _), actions) in &special.draft.allowed {
                    for action in actions {
                        let parsed = Action::parse(action)?;
                        let instances = super::narrow::instances(element);
                        let mut may = |arn: &String| {
                            ways.iter_mut()
                                .any(|way| self.old.ask(&judge, way, &parsed, arn).is_some())
                        };
                        if !instances.iter().all(&mut may) {
                            let gained = proof
                                .gains
                                .entry((arn.clone(), special.name.clone()))
                                .or_default();
                            gained.insert(action.clone());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether policies of a principal were left as they are, or could not tell which roles it needs: its way to all roles is a
    /// way to the special ones.
    fn reaches_all_roles(&self, holder: usize) -> bool {
        self.outcomes(holder)
            .any(|(_, outcome)| match outcome.state {
                State::Left(left) => left != Left::NothingAttached,
                State::Replaced | State::Denied => {
                    outcome.wide.contains_key("sts:AssumeRole")
                        || outcome.kept.get("sts:AssumeRole") == Some(&Keep::NotObservable)
                }
            })
    }

    /// Every dangerous action that somebody may still do is one that was kept on purpose.
    fn remaining(&self, proof: &mut Proof) -> anyhow::Result<()> {
        proof.counts.before = dangerous(self.old, self.dangers)?
            .iter()
            .filter(|(_, _, by_identity)| *by_identity)
            .count();
        let after = dangerous(self.new, self.dangers)?;
        let own: BTreeSet<&str> = self
            .plan
            .specials
            .values()
            .map(|special| special.arn.as_str())
            .collect();
        let mut reasons: BTreeMap<(&str, String), BTreeSet<&str>> = BTreeMap::new();
        for (holder, action, by_identity) in &after {
            let arn = &self.new.world.holders[*holder].arn;
            if own.contains(arn.as_str()) {
                continue;
            }
            let reason = if *by_identity {
                proof.counts.after += 1;
                self.reason(*holder, action)
            } else {
                proof.counts.by_resource += 1;
                Some("granted by the policy of the resource")
            };
            match reason {
                Some(reason) => {
                    reasons
                        .entry((reason, action.clone()))
                        .or_default()
                        .insert(arn);
                }
                None => proof
                    .failures
                    .push(format!("{arn} may still do {action}, which it never did")),
            }
        }
        // Actions that the same principals may do for the same reason, together.
        let mut together: BTreeMap<(&str, BTreeSet<&str>), Vec<String>> = BTreeMap::new();
        for ((reason, action), principals) in reasons {
            together
                .entry((reason, principals))
                .or_default()
                .push(action);
        }
        proof.remaining = together
            .into_iter()
            .map(|((reason, principals), actions)| json!({ "reason": reason, "actions": actions, "principals": principals }))
            .collect();
        Ok(())
    }

    /// The containers of a holder and what becomes of them.
    fn outcomes(&self, holder: usize) -> impl Iterator<Item = (&Container, &Outcome)> {
        let positions = self.old.containers_of(holder).iter();
        positions.map(|index| (&self.old.containers[*index], &self.plan.outcomes[*index]))
    }

    /// Why a holder may still do something dangerous: a container that was left as it is grants it, or it was kept.
    fn reason(&self, holder: usize, action: &str) -> Option<&'static str> {
        let parsed = Action::parse(action).ok()?;
        let principal = &self.old.world.holders[holder];
        let mut own = principal.policies.iter().chain(&principal.boundary);
        if own.any(|id| self.old.world.library.get(*id).document.is_none()) {
            return Some(Left::Unread.text());
        }
        self.outcomes(holder)
            .find_map(|(container, outcome)| match outcome.state {
                State::Left(left) => {
                    let mut granting = self.old.grantings(container);
                    let unread = left == Left::Unread;
                    (unread || granting.any(|granting| granting.statement.names_action(&parsed)))
                        .then_some(left.text())
                }
                State::Replaced | State::Denied => outcome.kept.get(action).map(|keep| keep.text()),
            })
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Replayed {
    NotToday,
    Direct,
    Through(String),
    /// Whether it is allowed at all.
    Failed(bool),
}

impl Replayed {
    fn json(&self) -> Value {
        match self {
            Self::NotToday => json!("denied by today's policies too"),
            Self::Direct => json!("allowed as before"),
            Self::Through(role) => json!(format!(
                "allowed in the role {role} after signing in with a second factor"
            )),
            Self::Failed(_) => json!("failed"),
        }
    }
}

/// Who may do which dangerous action to some resource, and whether by its own policies.
fn dangerous(scene: &Scene, dangers: &Dangers) -> anyhow::Result<BTreeSet<(usize, String, bool)>> {
    let questions = Questions::new(&scene.world, &scene.facts);
    let principals = questions.principals();
    let resources = questions.resources(|resource_type| dangers.parts(resource_type));
    let mut pairs: BTreeSet<(u32, u32)> = BTreeSet::new();
    grants::each(
        &scene.world,
        &scene.facts,
        dangers,
        &principals,
        &resources,
        |rows, _| {
            let pairs = rows.iter().map(|row| (row.principal_class, row.danger));
            pairs.collect::<BTreeSet<_>>()
        },
        |some| {
            pairs.extend(some);
            Ok(())
        },
    )?;
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (holder, class) in principals.of.iter().enumerate() {
        members.entry(*class).or_default().push(holder);
    }
    let judge = Judge::new(&scene.world, &scene.facts);
    let mut found = BTreeSet::new();
    for (class, danger) in pairs {
        let danger = &dangers.all()[danger as usize];
        let Some(members) = members.get(&(class as usize)) else {
            continue;
        };
        // What one of a class has policies for, each of them has.
        let subject = judge.subject(&scene.world.holders[members[0]]);
        let by_identity = names(&subject, &danger.action);
        found.extend(
            members
                .iter()
                .map(|holder| (*holder, danger.name.clone(), by_identity)),
        );
    }
    Ok(found)
}

/// Whether one of the principal's own policies has an `Allow` for the action.
fn names(subject: &Subject<'_>, action: &Action) -> bool {
    let statements = subject
        .set
        .identity
        .iter()
        .flat_map(|policy| policy.statements());
    statements
        .filter(|statement| statement.effect() == Effect::Allow)
        .any(|statement| statement.names_action(action))
}
