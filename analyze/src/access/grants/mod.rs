//! What each class of principals may do to each class of resources.

mod part;

use std::collections::{BTreeMap, HashMap};
use std::num::NonZero;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use self::part::{Known, Outcome, Outcomes, Part};
use super::alike::{Actions, Views, layered};
use super::classes::Classes;
use super::dangers::{Danger, Dangers};
use super::decide::{Answer, Basis, Judge, Mfa, Subject};
use super::facts::Facts;
use super::shelves::{Classed, Documents, Shelf, Shelves, Voices};
use super::world::{Holder, World};

/// A row of `grants`.
pub(super) struct Grant {
    pub(super) principal_class: u32,
    pub(super) danger: u32,
    pub(super) resource_class: u32,
    pub(super) answer: Answer,
    pub(super) mfa: Mfa,
    /// Position among the bases.
    pub(super) basis: u32,
}

/// Principals that a worker takes at once.
const CHUNK: usize = 16;

/// Rows that are handed over at once, about.
const BATCH: usize = 1 << 16;

/// Decides everything, and hands the rows over in parts, in the order of principals, resources, dangers. The work is divided among
/// the processors: `made` makes of rows and the bases that they point to what `taken` takes, so that no more than a few parts are
/// ever held.
///
/// # Errors
/// Those of `taken`.
pub(super) fn each<T: Send>(
    world: &World,
    facts: &Facts,
    dangers: &Dangers,
    principals: &Classes,
    resources: &Classes,
    made: impl Fn(&[Grant], &[Basis]) -> T + Sync,
    mut taken: impl FnMut(T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let judge = Judge::new(world, facts);
    let mut documents = Documents::default();
    let shelves = Shelves::new(&judge, dangers, resources, &mut documents, |_| true);
    // Across accounts nothing goes without a policy of the resource.
    let open = Shelves::new(&judge, dangers, resources, &mut documents, |target| {
        target.policy.is_some()
    });
    let policies = open.all().flat_map(|(_, shelf)| &shelf.classes);
    let voices = Voices::new(
        &world.library,
        policies.filter_map(|classed| classed.policy),
    );
    let mut of_account: BTreeMap<&Arc<str>, Vec<usize>> = BTreeMap::new();
    for (class, first) in principals.first.iter().enumerate() {
        of_account
            .entry(&world.holders[*first].account)
            .or_default()
            .push(class);
    }
    let actions = Actions::new(dangers.all().iter().map(|danger| &danger.action));
    for (account, classes) in of_account {
        let mut subjects: Vec<Subject<'_>> = classes
            .iter()
            .map(|class| judge.subject(&world.holders[principals.first[*class]]))
            .collect();
        for subject in &mut subjects {
            subject.set.resource_control = world.resource_control(account);
        }
        let own = shelves.all().filter(|(owner, _)| *owner == account);
        let others = open.all().filter(|(owner, _)| *owner != account);
        let shelves: Vec<(&Arc<str>, &Shelf<'_>)> = own.chain(others).collect();
        let court = Court {
            judge: &judge,
            actions: &actions,
            account,
            voices: &voices,
            views: &Views::new(&judge, &actions, &shelves, &subjects),
            shelves: &shelves,
        };
        court.decide(&classes, subjects, &made, &mut taken)?;
    }
    Ok(())
}

/// Everything that is needed to decide what the principals of one account may do.
struct Court<'c, 'w> {
    judge: &'c Judge<'w>,
    actions: &'c Actions<'c>,
    /// With their accounts; of other accounts only what has a policy.
    shelves: &'c [(&'c Arc<str>, &'c Shelf<'c>)],
    account: &'c Arc<str>,
    voices: &'c Voices<'c>,
    views: &'c Views,
}

impl<'w> Court<'_, 'w> {
    fn decide<T: Send>(
        &self,
        classes: &[usize],
        subjects: Vec<Subject<'w>>,
        made: &(impl Fn(&[Grant], &[Basis]) -> T + Sync),
        taken: &mut impl FnMut(T) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let mut work: Vec<(usize, Subject<'w>)> = classes.iter().copied().zip(subjects).collect();
        let chunks = work.len().div_ceil(CHUNK);
        let mut shares: Vec<Vec<_>> = (0..threads).map(|_| Vec::new()).collect();
        for (number, chunk) in work.chunks_mut(CHUNK).enumerate() {
            shares[number % threads].push(chunk);
        }
        thread::scope(|scope| {
            let parts: Vec<_> = shares
                .into_iter()
                .map(|share| {
                    let (sender, receiver) = mpsc::sync_channel(2);
                    scope.spawn(move || self.share(share, made, &sender));
                    receiver
                })
                .collect();
            for chunk in 0..chunks {
                // The end without a mark is a panic of the worker, which the scope hands on.
                while let Ok(Some(part)) = parts[chunk % threads].recv() {
                    taken(part)?;
                }
            }
            Ok(())
        })
    }

    /// Decides what the principals of some chunks may do. Stops when nobody listens any more.
    fn share<T>(
        &self,
        chunks: Vec<&mut [(usize, Subject<'w>)]>,
        made: &impl Fn(&[Grant], &[Basis]) -> T,
        parts: &SyncSender<Option<T>>,
    ) {
        let mut part = Part::default();
        for chunk in chunks {
            for (class, subject) in chunk {
                self.principal(&mut part, *class, subject);
                if part.rows.len() >= BATCH && !part.send(made, parts) {
                    return;
                }
            }
            if !part.send(made, parts) || parts.send(None).is_err() {
                return;
            }
        }
    }

    fn principal(&self, part: &mut Part, class: usize, subject: &mut Subject<'w>) {
        let by_action =
            self.views
                .by_action(self.judge, subject, &mut part.said, self.actions.len());
        let context = layered(self.judge, &subject.context);
        let speaks = self.voices.of(subject.holder, &context);
        part.present.clear();
        let before = part.rows.len();
        for (number, (account, shelf)) in self.shelves.iter().enumerate() {
            let own = *account == self.account;
            let open = |classed: &&Classed| classed.policy.is_some_and(|policy| speaks[policy]);
            let spoken: Vec<&Classed> = shelf.classes.iter().filter(open).collect();
            if !own && spoken.is_empty() {
                continue;
            }
            let controlled = !self.judge.world.resource_control(account).is_empty();
            if !own && controlled {
                self.foreign(part, class, subject, shelf, &spoken);
                continue;
            }
            for group in self.groups(shelf, &by_action, controlled) {
                if own {
                    self.silent(part, class, subject, number, &group, &speaks);
                }
                if !spoken.is_empty() {
                    self.spoken(part, class, subject, number, &group, &spoken);
                }
            }
        }
        part.rows[before..].sort_unstable_by_key(|row| (row.resource_class, row.danger));
    }

    /// The dangers of a shelf about which the same statements have a say.
    fn groups<'g>(
        &self,
        shelf: &'g Shelf<'_>,
        by_action: &'g [Vec<u32>],
        controlled: bool,
    ) -> Vec<Group<'g>> {
        let mut groups: Vec<Group<'g>> = Vec::new();
        let mut known: HashMap<(usize, u32, &[u32], u32), usize> = HashMap::new();
        for (index, danger, way) in &shelf.dangers {
            let action = self.actions.of(*index);
            let service = self.actions.service_of(*index);
            let statements = by_action[action as usize].as_slice();
            // Resource control policies reach some actions and not others.
            let controlled = if controlled { action } else { u32::MAX };
            let group = *known
                .entry((*way, service, statements, controlled))
                .or_insert_with(|| {
                    groups.push(Group {
                        danger,
                        way: *way,
                        like: [service, controlled],
                        statements,
                        dangers: Vec::new(),
                    });
                    groups.len() - 1
                });
            groups[group].dangers.push(*index as u32);
        }
        groups
    }

    /// Resources without a policy that speaks of the principal: the same for all principals of whom the same statements say the
    /// same.
    fn silent(
        &self,
        part: &mut Part,
        class: usize,
        subject: &mut Subject<'w>,
        number: usize,
        group: &Group<'_>,
        speaks: &[bool],
    ) {
        let key = group.key(subject.holder, number);
        let outcomes = match part.silent.get(&key) {
            Some(outcomes) => Rc::clone(outcomes),
            None => {
                let outcomes = Rc::new(self.outcomes(part, subject, number, group));
                part.silent.insert(key, Rc::clone(&outcomes));
                outcomes
            }
        };
        for (classed, outcome) in outcomes.iter() {
            let classed = &self.shelves[number].1.classes[*classed as usize];
            if !classed.policy.is_some_and(|policy| speaks[policy]) {
                part.push(class, &group.dangers, classed.class, *outcome);
            }
        }
    }

    /// What is allowed of a shelf, were no policy on it to speak of the principal; by position.
    fn outcomes(
        &self,
        part: &mut Part,
        subject: &mut Subject<'w>,
        number: usize,
        group: &Group<'_>,
    ) -> Outcomes {
        let views = || {
            group
                .statements
                .iter()
                .map(|said| self.views.view(part.said.statement(*said)))
        };
        // What no policy of the principal names, only a policy of the resource can allow.
        if !views().any(|view| view.allows) {
            return Vec::new();
        }
        let (_, shelf) = self.shelves[number];
        let marks: Vec<&[u32]> = views().filter_map(|view| view.marks(number)).collect();
        let mut known: HashMap<Vec<u32>, Option<Outcome>> = HashMap::new();
        let mut outcomes = Vec::new();
        let mut key = Vec::new();
        for (position, classed) in shelf.classes.iter().enumerate() {
            let mut best: Option<Outcome> = None;
            for &at in &classed.judged[group.way] {
                let object = at as usize;
                key.clear();
                key.push(shelf.nature[object].kind);
                key.extend(marks.iter().map(|marks| marks[object]));
                let outcome = match known.get(&key) {
                    Some(known) => *known,
                    None => {
                        let granted = self.judge.ask_without_policy(
                            subject,
                            &group.danger.action,
                            &shelf.own[object],
                        );
                        let outcome = granted.map(|granted| part.outcome(granted));
                        known.insert(key.clone(), outcome);
                        outcome
                    }
                };
                best = Outcome::better(best, outcome);
            }
            outcomes.extend(best.map(|best| (position as u32, best)));
        }
        outcomes
    }

    /// Resources whose policy speaks of the principal: the same for all principals of whom the same statements say the same, and
    /// for all resources whose policies have the same text and say the same of the principal.
    fn spoken(
        &self,
        part: &mut Part,
        class: usize,
        subject: &mut Subject<'w>,
        number: usize,
        group: &Group<'_>,
        spoken: &[&Classed],
    ) {
        let (_, shelf) = self.shelves[number];
        let views = group
            .statements
            .iter()
            .map(|said| self.views.view(part.said.statement(*said)));
        let marks: Vec<&[u32]> = views.filter_map(|view| view.marks(number)).collect();
        let key = group.key(subject.holder, number);
        let mut known = part.spoken.remove(&key).unwrap_or_default();
        for classed in spoken {
            let mut best: Option<Outcome> = None;
            for &at in &classed.judged[group.way] {
                let object = &shelf.own[at as usize];
                let nature = shelf.nature[at as usize];
                let attitude = part.attitude(self.judge, subject, object, nature.policy);
                let mut key = vec![nature.kind, nature.policy, attitude];
                key.extend(marks.iter().map(|marks| marks[at as usize]));
                let outcome = match known.get(&key) {
                    Some(known) => part.again(*known, shelf, number, at),
                    None => {
                        let action = &group.danger.action;
                        let granted = self.judge.ask(subject, action, object, None);
                        let outcome = granted.map(|granted| part.outcome(granted));
                        known.insert(key, Known { outcome, of: at });
                        outcome
                    }
                };
                best = Outcome::better(best, outcome);
            }
            if let Some(best) = best {
                part.push(class, &group.dangers, classed.class, best);
            }
        }
        part.spoken.insert(key, known);
    }

    /// Resources of another account whose organization has a say as well: its policies are not among the statements of the
    /// principal, so each resource is asked for.
    fn foreign(
        &self,
        part: &mut Part,
        class: usize,
        subject: &mut Subject<'w>,
        shelf: &Shelf<'_>,
        spoken: &[&Classed],
    ) {
        for classed in spoken {
            for (index, danger, way) in &shelf.dangers {
                let mut best = None;
                for at in &classed.judged[*way] {
                    let object = &shelf.own[*at as usize];
                    let granted = self.judge.ask(subject, &danger.action, object, None);
                    best = Outcome::better(best, granted.map(|granted| part.outcome(granted)));
                }
                if let Some(best) = best {
                    part.push(class, &[*index as u32], classed.class, best);
                }
            }
        }
    }
}

/// Dangers to one type of resource that all policies of a principal treat alike.
struct Group<'g> {
    /// One of them.
    danger: &'g Danger,
    way: usize,
    /// What else the evaluator tells actions apart by.
    like: [u32; 2],
    /// As [`Said`] numbers them.
    statements: &'g [u32],
    dangers: Vec<u32>,
}

impl Group<'_> {
    /// The same for principals to whom a question about these dangers to a shelf is the same, but for policies of resources.
    fn key(&self, holder: &Holder, shelf: usize) -> Box<[u32]> {
        let kind = holder.kind as u32
            | u32::from(holder.boundary_arn.is_some()) << 1
            | u32::from(holder.service_linked) << 2;
        let head = [
            shelf as u32,
            self.way as u32,
            self.like[0],
            self.like[1],
            kind,
        ];
        [&head, self.statements].concat().into()
    }
}
