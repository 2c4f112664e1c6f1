//! Who can get more than was given: the known ways, each asked of the evaluator.
//!
//! Found backwards: first who is an administrator, then who can become one of them, then who can become one of those. A way
//! turns on a *pivot*: the role, user, group, policy or workload that its steps have in common.

mod steps;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rayon::prelude::*;

use super::assume::Edge;
use super::decide::{Answer, Granted, Judge, Subject};
use super::groups::{Group, Workload};
use super::world::{Holder, Kind, World};
use crate::actions::{EscalationPath, Gains, On, escalation_paths};
use crate::iam::{Action, Effect, Policy, PolicyKind};

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
    /// Position among the world's holders.
    Holder(usize),
    Group(&'w Group),
    /// A customer-managed policy of the principal itself.
    Policy(&'w str),
    Workload(&'w Workload),
}

/// The action by which a role is assumed.
const ASSUME_ROLE: &str = "sts:AssumeRole";

/// Whose permissions are worth having, by kind and account.
struct Worthwhile<'w> {
    powerful: BTreeMap<(Kind, &'w str), Vec<usize>>,
    unbounded: BTreeMap<(Kind, &'w str), Vec<usize>>,
}

/// What the search knows.
struct Search<'w> {
    world: &'w World,
    judge: &'w Judge<'w>,
    groups: &'w [Group],
    workloads: &'w [Workload],
    /// By holder: the round in which it was found to be an administrator or to become one.
    powerful: Vec<Option<usize>>,
    /// By holder: it would be an administrator if its own policies allowed everything.
    unbounded: Vec<bool>,
    /// Roles by the services that may assume them.
    by_service: HashMap<&'w str, BTreeSet<usize>>,
    by_arn: HashMap<&'w str, usize>,
    /// By path: its actions.
    actions: Vec<Vec<Action>>,
    /// By policy: the paths and steps whose actions it allows on something.
    named: Vec<BTreeSet<(usize, usize)>>,
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
    search.powerful = admins
        .iter()
        .map(|admin| (*admin == Some(true)).then_some(0))
        .collect();
    let seekers: Vec<(usize, Vec<usize>)> = (0..world.holders.len())
        .filter(|at| admins[*at] != Some(true) && !world.holders[*at].service_linked)
        .map(|at| (at, search.named_paths(&world.holders[at])))
        .filter(|(_, paths)| !paths.is_empty())
        .collect();
    let mut found = Vec::new();
    for round in 0.. {
        let worthwhile = search.worthwhile(round);
        let new: Vec<Escalation> = seekers
            .par_iter()
            .flat_map_iter(|(holder, paths)| search.seek(*holder, paths, &worthwhile, round))
            .collect();
        let before = search.powerful.iter().flatten().count();
        for escalation in &new {
            let certain = escalation.granted.answer != Answer::Unknown;
            if let Some(holder) = search.by_arn.get(escalation.principal.as_str())
                && certain
            {
                search.powerful[*holder].get_or_insert(round + 1);
            }
        }
        found.extend(new);
        if search.powerful.iter().flatten().count() == before {
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
        let holders = &world.holders;
        let by_arn: HashMap<&str, usize> = (0..)
            .zip(holders)
            .map(|(at, holder)| (holder.arn.as_str(), at))
            .collect();
        let mut by_service: HashMap<&str, BTreeSet<usize>> = HashMap::new();
        for edge in edges.iter().filter(|edge| edge.from_kind == "service") {
            let role = by_arn.get(edge.to.as_str());
            by_service.entry(&edge.from).or_default().extend(role);
        }
        let everything = Arc::new(Policy::from_json(
            "everything",
            PolicyKind::Principal,
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
        )?);
        let unbounded = holders.par_iter().map(|holder| {
            let mut subject = judge.subject(holder);
            subject.set.identity = vec![Arc::clone(&everything)];
            Ok(judge.is_admin(&mut subject)? == Some(true))
        });
        let of_path = |path: &EscalationPath| {
            let steps = path.steps.iter();
            steps.map(|step| Ok(Action::parse(&step.action)?)).collect()
        };
        let mut search = Self {
            world,
            judge,
            groups,
            workloads,
            powerful: Vec::new(),
            unbounded: unbounded.collect::<anyhow::Result<_>>()?,
            by_service,
            by_arn,
            actions: escalation_paths()
                .iter()
                .map(of_path)
                .collect::<anyhow::Result<_>>()?,
            named: Vec::new(),
        };
        let entries = world.library.entries();
        search.named = entries
            .par_iter()
            .map(|entry| search.named_steps(&entry.policy))
            .collect();
        Ok(search)
    }

    /// The paths and steps whose actions some statement of a policy allows on something.
    fn named_steps(&self, policy: &Policy) -> BTreeSet<(usize, usize)> {
        let allows = || {
            policy
                .statements()
                .iter()
                .filter(|statement| statement.effect() == Effect::Allow)
        };
        let steps = self.actions.iter().enumerate().flat_map(|(path, actions)| {
            (0..)
                .zip(actions)
                .map(move |(step, action)| (path, step, action))
        });
        steps
            .filter(|(_, _, action)| allows().any(|statement| statement.names_action(action)))
            .map(|(path, step, _)| (path, step))
            .collect()
    }

    /// The ways all of whose actions some policy of the principal allows on something; by position.
    fn named_paths(&self, holder: &Holder) -> Vec<usize> {
        let named = |path: usize, step: usize| {
            // A trust policy that names the principal lets it assume the role by itself.
            &*escalation_paths()[path].steps[step].action == ASSUME_ROLE
                || holder
                    .policies
                    .iter()
                    .any(|id| self.named[*id].contains(&(path, step)))
        };
        (0..self.actions.len())
            .filter(|path| (0..self.actions[*path].len()).all(|step| named(*path, step)))
            .collect()
    }

    /// The holders from whom a round can gain something.
    fn worthwhile(&self, round: usize) -> Worthwhile<'w> {
        let mut found = Worthwhile {
            powerful: BTreeMap::new(),
            unbounded: BTreeMap::new(),
        };
        for (at, holder) in self.world.holders.iter().enumerate() {
            let key = (holder.kind, &*holder.account);
            if self.powerful[at] == Some(round) {
                found.powerful.entry(key).or_default().push(at);
            }
            if round == 0 && self.unbounded[at] {
                found.unbounded.entry(key).or_default().push(at);
            }
        }
        found
    }

    /// What all ways give a principal.
    fn seek(
        &self,
        holder: usize,
        paths: &[usize],
        worthwhile: &Worthwhile<'w>,
        round: usize,
    ) -> Vec<Escalation> {
        let mut subject = self.judge.subject(&self.world.holders[holder]);
        paths
            .iter()
            .flat_map(|path| self.follow(&mut subject, holder, *path, worthwhile, round))
            .collect()
    }

    /// What a way gives a principal. In later rounds only what is new since the round before.
    fn follow(
        &self,
        subject: &mut Subject<'w>,
        at: usize,
        path: usize,
        worthwhile: &Worthwhile<'w>,
        round: usize,
    ) -> Vec<Escalation> {
        let holder = subject.holder;
        let actions = &self.actions[path];
        let path = &escalation_paths()[path];
        let mut found = Vec::new();
        for pivot in self.pivots(at, path, worthwhile) {
            if found.len() >= MOST_TARGETS {
                break;
            }
            let Some((target, to_admin)) = self.gain(at, path, pivot, round) else {
                continue;
            };
            if target == holder.arn && !to_admin {
                continue;
            }
            let Some(granted) = self.granted(subject, path, actions, pivot) else {
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

    fn pivots(
        &self,
        at: usize,
        path: &EscalationPath,
        worthwhile: &Worthwhile<'w>,
    ) -> Vec<Pivot<'w>> {
        let holder = &self.world.holders[at];
        let on = |wanted: &[On]| path.steps.iter().any(|step| wanted.contains(&step.on));
        let worthwhile = match path.gains {
            Gains::Admin => &worthwhile.unbounded,
            _ => &worthwhile.powerful,
        };
        let own = |kind: Kind| {
            let own = worthwhile.get(&(kind, &*holder.account));
            own.into_iter().flatten().copied()
        };
        let other = |other: &usize| *other != at && !self.world.holders[*other].service_linked;
        let groups = || {
            self.groups
                .iter()
                .filter(|group| group.account == holder.account)
        };
        if on(&[On::PassedRole]) {
            let passed = |role: &usize| {
                path.services.iter().any(|service| {
                    self.by_service
                        .get(&**service)
                        .is_some_and(|roles| roles.contains(role))
                })
            };
            // A role may be passed by itself.
            own(Kind::Role).filter(passed).map(Pivot::Holder).collect()
        } else if on(&[On::Role, On::RolePolicy]) {
            let assumed = path.steps.iter().any(|step| &*step.action == ASSUME_ROLE);
            let elsewhere = worthwhile.iter().filter(|((kind, account), _)| {
                assumed && *kind == Kind::Role && **account != *holder.account
            });
            own(Kind::Role)
                .filter(other)
                .chain(elsewhere.flat_map(|(_, roles)| roles).copied())
                .map(Pivot::Holder)
                .collect()
        } else if on(&[On::User]) {
            own(Kind::User).filter(other).map(Pivot::Holder).collect()
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
        at: usize,
        path: &EscalationPath,
        pivot: Pivot<'_>,
        round: usize,
    ) -> Option<(String, bool)> {
        let arn = |at: usize| self.world.holders[at].arn.clone();
        // Powerful since exactly the round before: those before were followed already.
        let power = |at: usize| (self.powerful[at] == Some(round)).then(|| (arn(at), round == 0));
        let unbounded = |at: usize| (round == 0 && self.unbounded[at]).then(|| (arn(at), true));
        match (path.gains, pivot) {
            (Gains::Admin, Pivot::Holder(other)) => unbounded(other),
            (Gains::Admin, _) => unbounded(at),
            (Gains::Group, Pivot::Group(group)) => {
                let mut subject = self.judge.subject(&self.world.holders[at]);
                subject.set.identity.extend(
                    group
                        .policies
                        .iter()
                        .map(|id| self.world.library.policy(*id)),
                );
                let admin = self.judge.is_admin(&mut subject).ok()??;
                (round == 0 && admin).then(|| (group.arn.clone(), true))
            }
            (_, Pivot::Workload(workload)) => power(*self.by_arn.get(workload.role.as_str())?),
            (_, Pivot::Holder(other)) => power(other),
            _ => None,
        }
    }
}

fn is_customer_managed(policy: &str) -> bool {
    policy.starts_with("arn:") && policy.contains(":policy/") && !policy.contains(":iam::aws:")
}
