//! Who can get more than was given: the known ways, each asked of the evaluator.
//!
//! Found backwards: first who is an administrator, then who can become one of them, then who can become one of those. A way
//! turns on a *pivot*: the role, user, group, policy or workload that its steps have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::assume::{Edge, as_target};
use super::decide::{Answer, Granted, Judge, Subject};
use super::groups::{Group, Workload};
use super::world::{Holder, Kind, Target, World};
use crate::actions::{Catalogue, EscalationPath, Gains, On, Step, escalation_paths};
use crate::iam::{Action, Context, ContextValue, Effect, Policy, PolicyKind};

/// A row of `escalations`.
pub(super) struct Escalation {
    pub(super) account: Arc<str>,
    pub(super) principal: String,
    pub(super) path: &'static EscalationPath,
    pub(super) target: String,
    pub(super) via: Option<String>,
    pub(super) to_admin: bool,
    pub(super) granted: Granted,
}

/// Targets of one principal on one way that are kept: more of them say nothing new.
const MOST_TARGETS: usize = 8;

/// What the steps of a way have in common.
#[derive(Clone, Copy)]
enum Pivot<'w> {
    None,
    Holder(&'w Holder),
    Group(&'w Group),
    /// A customer-managed policy of the principal itself.
    Policy(&'w str),
    Workload(&'w Workload),
}

/// What the search knows.
struct Search<'w> {
    world: &'w World,
    judge: &'w Judge<'w>,
    groups: &'w [Group],
    workloads: &'w [Workload],
    /// ARNs of principals that are administrators or can become one, by the round in which that was found.
    powerful: BTreeMap<&'w str, usize>,
    /// Roles by the services that may assume them.
    by_service: BTreeMap<&'w str, BTreeSet<&'w str>>,
    /// ARNs of those that would be administrators if their own policies allowed everything.
    unbounded: BTreeSet<&'w str>,
    by_arn: BTreeMap<&'w str, &'w Holder>,
    everything: Arc<Policy>,
}

/// All ways of all principals that aren't administrators. `admins` are in the order of the world's holders.
pub(super) fn all<'w>(
    world: &'w World,
    judge: &'w Judge<'w>,
    edges: &'w [Edge],
    groups: &'w [Group],
    workloads: &'w [Workload],
    admins: &[Option<bool>],
) -> anyhow::Result<Vec<Escalation>> {
    let mut search = Search::new(world, judge, edges, groups, workloads)?;
    for (holder, admin) in world.holders.iter().zip(admins) {
        if *admin == Some(true) {
            search.powerful.insert(&holder.arn, 0);
        }
    }
    let seekers: Vec<(&Holder, Vec<&'static EscalationPath>)> = world
        .holders
        .iter()
        .zip(admins)
        .filter(|(holder, admin)| **admin != Some(true) && !holder.service_linked)
        .map(|(holder, _)| (holder, search.named_paths(holder)))
        .filter(|(_, paths)| !paths.is_empty())
        .collect();
    let mut found = Vec::new();
    for round in 0.. {
        let mut new = Vec::new();
        for (holder, paths) in &seekers {
            for path in paths {
                new.extend(search.follow(holder, path, round));
            }
        }
        let before = search.powerful.len();
        for escalation in &new {
            let certain = escalation.granted.answer != Answer::Unknown;
            if let Some(holder) = search.by_arn.get(escalation.principal.as_str())
                && certain
            {
                search.powerful.entry(&holder.arn).or_insert(round + 1);
            }
        }
        found.extend(new);
        if search.powerful.len() == before {
            break;
        }
    }
    found.sort_by(|a, b| {
        let key = |one: &Escalation| {
            (
                one.principal.clone(),
                one.path.id.clone(),
                one.target.clone(),
                one.via.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    Ok(found)
}

impl<'w> Search<'w> {
    fn new(
        world: &'w World,
        judge: &'w Judge<'w>,
        edges: &'w [Edge],
        groups: &'w [Group],
        workloads: &'w [Workload],
    ) -> anyhow::Result<Self> {
        let mut by_service: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for edge in edges.iter().filter(|edge| edge.from_kind == "service") {
            by_service.entry(&edge.from).or_default().insert(&edge.to);
        }
        let everything = Policy::from_json(
            "everything",
            PolicyKind::Principal,
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
        )?;
        let mut search = Self {
            world,
            judge,
            groups,
            workloads,
            powerful: BTreeMap::new(),
            by_service,
            unbounded: BTreeSet::new(),
            by_arn: world
                .holders
                .iter()
                .map(|holder| (holder.arn.as_str(), holder))
                .collect(),
            everything: Arc::new(everything),
        };
        for holder in &world.holders {
            let mut subject = judge.subject(holder);
            subject.set.identity = vec![Arc::clone(&search.everything)];
            if judge.is_admin(&mut subject)? == Some(true) {
                search.unbounded.insert(&holder.arn);
            }
        }
        Ok(search)
    }

    /// The ways all of whose actions some policy of the principal allows on something.
    fn named_paths(&self, holder: &Holder) -> Vec<&'static EscalationPath> {
        let policies = || {
            holder
                .policies
                .iter()
                .map(|id| &self.world.library.get(*id).policy)
        };
        let named = |step: &Step| {
            Action::parse(&step.action).is_ok_and(|action| {
                // A trust policy that names the principal lets it assume the role by itself.
                &*step.action == "sts:AssumeRole"
                    || policies()
                        .flat_map(|policy| policy.statements())
                        .any(|statement| {
                            statement.effect() == Effect::Allow && statement.names_action(&action)
                        })
            })
        };
        escalation_paths()
            .iter()
            .filter(|path| path.steps.iter().all(named))
            .collect()
    }

    /// What a way gives a principal. In later rounds only what is new since the round before.
    fn follow(
        &self,
        holder: &'w Holder,
        path: &'static EscalationPath,
        round: usize,
    ) -> Vec<Escalation> {
        let mut found = Vec::new();
        let mut subject = self.judge.subject(holder);
        for pivot in self.pivots(holder, path) {
            if found.len() >= MOST_TARGETS {
                break;
            }
            let Some((target, to_admin)) = self.gain(holder, path, pivot, round) else {
                continue;
            };
            if target == holder.arn && !to_admin {
                continue;
            }
            let Some(granted) = self.granted(&mut subject, path, pivot) else {
                continue;
            };
            let via = match pivot {
                Pivot::Policy(arn) => Some(arn.to_owned()),
                Pivot::Workload(workload) => Some(workload.arn.clone()),
                _ => None,
            };
            found.push(Escalation {
                account: Arc::clone(&holder.account),
                principal: holder.arn.clone(),
                path,
                target,
                via,
                to_admin,
                granted,
            });
        }
        found
    }

    fn pivots(&self, holder: &'w Holder, path: &EscalationPath) -> Vec<Pivot<'w>> {
        let on = |wanted: &[On]| path.steps.iter().any(|step| wanted.contains(&step.on));
        let holders = |kind: Kind| {
            let others = self
                .world
                .holders
                .iter()
                .filter(move |other| other.kind == kind);
            others.filter(|other| {
                other.account == holder.account && other.arn != holder.arn && !other.service_linked
            })
        };
        let groups = || {
            self.groups
                .iter()
                .filter(|group| group.account == holder.account)
        };
        if on(&[On::PassedRole]) {
            let passed = |role: &&Holder| {
                path.services.iter().any(|service| {
                    self.by_service
                        .get(&**service)
                        .is_some_and(|roles| roles.contains(role.arn.as_str()))
                })
            };
            // A role may be passed by itself.
            let roles = self
                .world
                .holders
                .iter()
                .filter(|role| role.kind == Kind::Role && role.account == holder.account);
            roles.filter(passed).map(Pivot::Holder).collect()
        } else if on(&[On::Role, On::RolePolicy]) {
            let assumed = path
                .steps
                .iter()
                .any(|step| &*step.action == "sts:AssumeRole");
            let elsewhere = self.world.holders.iter().filter(|role| {
                assumed && role.kind == Kind::Role && role.account != holder.account
            });
            holders(Kind::Role)
                .chain(elsewhere)
                .map(Pivot::Holder)
                .collect()
        } else if on(&[On::User]) {
            holders(Kind::User).map(Pivot::Holder).collect()
        } else if on(&[On::Group]) {
            groups()
                .filter(|group| !group.members.contains(&holder.arn))
                .map(Pivot::Group)
                .collect()
        } else if on(&[On::OwnGroup]) {
            groups()
                .filter(|group| group.members.contains(&holder.arn))
                .map(Pivot::Group)
                .collect()
        } else if on(&[On::OwnPolicy]) {
            let names = holder
                .policies
                .iter()
                .map(|id| self.world.library.get(*id).policy.name());
            names
                .filter(|name| is_customer_managed(name))
                .map(Pivot::Policy)
                .collect()
        } else if on(&[On::Existing]) {
            let wanted: BTreeSet<&str> = path
                .steps
                .iter()
                .filter_map(|step| step.resource.as_deref())
                .collect();
            let own = self
                .workloads
                .iter()
                .filter(|workload| workload.account == holder.account);
            own.filter(|workload| wanted.contains(&*workload.resource_type))
                .map(Pivot::Workload)
                .collect()
        } else {
            vec![Pivot::None]
        }
    }

    /// Whose permissions a way gives, and whether those are an administrator's; none if they are nothing to speak of.
    fn gain(
        &self,
        holder: &Holder,
        path: &EscalationPath,
        pivot: Pivot<'_>,
        round: usize,
    ) -> Option<(String, bool)> {
        // Powerful since exactly the round before: those before were followed already.
        let power = |arn: &str| {
            self.powerful
                .get(arn)
                .filter(|since| **since == round)
                .map(|since| (arn.to_owned(), *since == 0))
        };
        let unbounded = |arn: &str| {
            (round == 0 && self.unbounded.contains(arn)).then(|| (arn.to_owned(), true))
        };
        match (path.gains, pivot) {
            (Gains::Admin, Pivot::Holder(other)) => unbounded(&other.arn),
            (Gains::Admin, _) => unbounded(&holder.arn),
            (Gains::Group, Pivot::Group(group)) => {
                let mut subject = self.judge.subject(holder);
                subject.set.identity.extend(
                    group
                        .policies
                        .iter()
                        .map(|id| self.world.library.policy(*id)),
                );
                let admin = self.judge.is_admin(&mut subject).ok()??;
                (round == 0 && admin).then(|| (group.arn.clone(), true))
            }
            (_, Pivot::Workload(workload)) => power(&workload.role),
            (_, Pivot::Holder(other)) => power(&other.arn),
            _ => None,
        }
    }

    /// Whether all steps are allowed, and on which conditions.
    fn granted(
        &self,
        subject: &mut Subject<'w>,
        path: &EscalationPath,
        pivot: Pivot<'_>,
    ) -> Option<Granted> {
        let mut all: Option<Granted> = None;
        for step in &path.steps {
            let granted = self.step(subject, path, step, pivot)?;
            all = Some(match all {
                None => granted,
                Some(before) => before.and(&granted),
            });
        }
        all
    }

    fn step(
        &self,
        subject: &mut Subject<'w>,
        path: &EscalationPath,
        step: &Step,
        pivot: Pivot<'_>,
    ) -> Option<Granted> {
        let action = Action::parse(&step.action).ok()?;
        let holder = subject.holder;
        if &*step.action == "sts:AssumeRole"
            && let Pivot::Holder(role) = pivot
        {
            let object = self.judge.object(&as_target(role), &role.arn)?;
            return self.judge.ask(subject, &action, &object, None);
        }
        let arns: Vec<String> = match (step.on, pivot) {
            _ if takes_no_resource(&step.action) => vec!["*".to_owned()],
            (On::Itself, _) => vec![holder.arn.clone()],
            (On::PassedRole | On::Role | On::User, Pivot::Holder(other)) => vec![other.arn.clone()],
            (On::RolePolicy, Pivot::Holder(role)) => {
                let names = role
                    .policies
                    .iter()
                    .map(|id| self.world.library.get(*id).policy.name());
                names
                    .filter(|name| is_customer_managed(name))
                    .map(str::to_owned)
                    .collect()
            }
            (On::Group | On::OwnGroup, Pivot::Group(group)) => vec![group.arn.clone()],
            (On::OwnPolicy, Pivot::Policy(arn)) => vec![arn.to_owned()],
            (On::Existing, Pivot::Workload(workload))
                if step.resource.as_deref() == Some(&*workload.resource_type) =>
            {
                vec![workload.arn.clone()]
            }
            _ => self
                .world
                .library
                .instances(action.service())
                .into_iter()
                .collect(),
        };
        let target = Target::account(&holder.account, &holder.arn);
        let contexts = contexts(path, step, pivot);
        let mut best: Option<Granted> = None;
        for arn in arns {
            let Some(object) = self.judge.object(&target, &arn) else {
                continue;
            };
            for context in &contexts {
                let granted = self.judge.ask(subject, &action, &object, Some(context));
                best = Granted::better(best, granted);
            }
        }
        best
    }
}

/// What else is known of a step: the service a role is passed to, the policy that is attached, the boundary of whom it is
/// attached to.
fn contexts(path: &EscalationPath, step: &Step, pivot: Pivot<'_>) -> Vec<Arc<Context>> {
    let known = |value: &str| ContextValue::Known(vec![value.to_owned()]);
    let mut context = Context::closed();
    if step.action.starts_with("iam:Attach") {
        context.set(
            "iam:policyarn",
            known("arn:aws:iam::aws:policy/AdministratorAccess"),
        );
    }
    if let Pivot::Holder(other) = pivot {
        let boundary = other
            .boundary_arn
            .as_deref()
            .map_or(ContextValue::Absent, known);
        context.set("iam:permissionsboundary", boundary);
    }
    if &*step.action != "iam:PassRole" {
        return vec![Arc::new(context)];
    }
    let to = |service: &str| {
        let mut context = context.clone();
        context.set("iam:passedtoservice", known(service));
        Arc::new(context)
    };
    path.services.iter().map(|service| to(service)).collect()
}

fn takes_no_resource(action: &str) -> bool {
    Catalogue::embedded()
        .find(action)
        .is_some_and(|facts| facts.resources.iter().all(|resource| resource.is_none()))
}

fn is_customer_managed(policy: &str) -> bool {
    policy.starts_with("arn:") && policy.contains(":policy/") && !policy.contains(":iam::aws:")
}
