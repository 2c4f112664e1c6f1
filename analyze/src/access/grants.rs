//! What each class of principals may do to each class of resources.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::num::NonZero;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use super::alike::{Actions, Said, Views, layered};
use super::classes::Classes;
use super::dangers::{Danger, Dangers};
use super::decide::{Answer, Basis, Granted, Judge, Mfa, Subject};
use super::facts::Facts;
use super::shelves::{Classed, Shelf, Shelves, Voices, shelves};
use super::world::World;

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
    let shelves = shelves(&judge, dangers, resources);
    let policies = shelves.values().flatten().flat_map(|shelf| &shelf.classes);
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
        let own = shelves.get(account).map_or(&[][..], Vec::as_slice);
        let views = Views::new(&judge, &actions, own, &subjects);
        let court = Court {
            judge: &judge,
            actions: &actions,
            shelves: &shelves,
            own,
            account,
            voices: &voices,
            views: &views,
        };
        court.decide(&classes, subjects, &made, &mut taken)?;
    }
    Ok(())
}

/// Everything that is needed to decide what the principals of one account may do.
struct Court<'c, 'w> {
    judge: &'c Judge<'w>,
    actions: &'c Actions<'c>,
    shelves: &'c Shelves<'c>,
    own: &'c [Shelf<'c>],
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
        let before = part.rows.len();
        for (number, shelf) in self.own.iter().enumerate() {
            for group in self.groups(shelf, &by_action) {
                self.silent(part, class, subject, number, &group, &speaks);
                self.spoken(part, class, subject, number, &group, &speaks);
            }
        }
        // Across accounts nothing goes without a policy of the resource.
        for (_, shelves) in self
            .shelves
            .iter()
            .filter(|(account, _)| *account != self.account)
        {
            for shelf in shelves {
                let open = |classed: &&Classed| classed.policy.is_some_and(|policy| speaks[policy]);
                for classed in shelf.classes.iter().filter(open) {
                    self.foreign(part, class, subject, shelf, classed);
                }
            }
        }
        part.rows[before..].sort_unstable_by_key(|row| (row.resource_class, row.danger));
    }

    /// The dangers of a shelf about which the same statements have a say.
    fn groups<'g>(&self, shelf: &'g Shelf<'_>, by_action: &'g [Vec<u32>]) -> Vec<Group<'g>> {
        let controlled = !self.judge.world.resource_control(self.account).is_empty();
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
        let holder = subject.holder;
        let kind = holder.kind as u32
            | u32::from(holder.boundary_arn.is_some()) << 1
            | u32::from(holder.service_linked) << 2;
        let head = [
            number as u32,
            group.way as u32,
            group.like[0],
            group.like[1],
            kind,
        ];
        let key = [&head, group.statements].concat();
        let outcomes = match part.silent.get(key.as_slice()) {
            Some(outcomes) => Rc::clone(outcomes),
            None => {
                let outcomes = Rc::new(self.outcomes(part, subject, number, group));
                part.silent.insert(key.into(), Rc::clone(&outcomes));
                outcomes
            }
        };
        for (classed, outcome) in outcomes.iter() {
            let classed = &self.own[number].classes[*classed as usize];
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
        let shelf = &self.own[number];
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

    /// Resources whose policy speaks of the principal; asked once for those whose policies have the same text.
    fn spoken(
        &self,
        part: &mut Part,
        class: usize,
        subject: &mut Subject<'w>,
        number: usize,
        group: &Group<'_>,
        speaks: &[bool],
    ) {
        let shelf = &self.own[number];
        let mut marks: Option<Vec<&[u32]>> = None;
        let mut known: HashMap<Vec<u32>, Known> = HashMap::new();
        for classed in shelf
            .classes
            .iter()
            .filter(|classed| classed.policy.is_some_and(|policy| speaks[policy]))
        {
            let marks = marks.get_or_insert_with(|| {
                let views = group
                    .statements
                    .iter()
                    .map(|said| self.views.view(part.said.statement(*said)));
                views.filter_map(|view| view.marks(number)).collect()
            });
            let mut best: Option<Outcome> = None;
            for &at in &classed.judged[group.way] {
                let object = at as usize;
                let nature = shelf.nature[object];
                let mut key = vec![nature.kind, nature.policy];
                key.extend(marks.iter().map(|marks| marks[object]));
                let outcome = match known.get(&key) {
                    Some(known) => part.again(*known, shelf, at),
                    None => {
                        let granted =
                            self.judge
                                .ask(subject, &group.danger.action, &shelf.own[object], None);
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
    }

    fn foreign(
        &self,
        part: &mut Part,
        class: usize,
        subject: &mut Subject<'w>,
        shelf: &Shelf<'_>,
        classed: &Classed,
    ) {
        for (index, danger, way) in &shelf.dangers {
            let mut best = None;
            for at in &classed.judged[*way] {
                let granted =
                    self.judge
                        .ask(subject, &danger.action, &shelf.own[*at as usize], None);
                best = Outcome::better(best, granted.map(|granted| part.outcome(granted)));
            }
            if let Some(best) = best {
                part.push(class, &[*index as u32], classed.class, best);
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

/// What was decided, its basis by number.
#[derive(Clone, Copy)]
struct Outcome {
    answer: Answer,
    mfa: Mfa,
    basis: u32,
}

impl Outcome {
    /// As [`Granted::better`].
    fn better(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let rank =
            |outcome: &Option<Self>| outcome.map(|outcome| (outcome.answer, Reverse(outcome.mfa)));
        if rank(&other) > rank(&one) {
            other
        } else {
            one
        }
    }
}

/// What was decided of an object, for those that are alike.
#[derive(Clone, Copy)]
struct Known {
    outcome: Option<Outcome>,
    of: u32,
}

/// What is allowed of a shelf, by position.
type Outcomes = Vec<(u32, Outcome)>;

/// The work of one thread.
#[derive(Default)]
struct Part {
    rows: Vec<Grant>,
    bases: Vec<Basis>,
    known: HashMap<Basis, u32>,
    said: Said,
    silent: HashMap<Box<[u32]>, Rc<Outcomes>>,
}

impl Part {
    fn send<T>(
        &mut self,
        made: &impl Fn(&[Grant], &[Basis]) -> T,
        parts: &SyncSender<Option<T>>,
    ) -> bool {
        let made = made(&self.rows, &self.bases);
        self.rows.clear();
        parts.send(Some(made)).is_ok()
    }

    fn outcome(&mut self, granted: Granted) -> Outcome {
        let Granted { answer, mfa, basis } = granted;
        Outcome {
            answer,
            mfa,
            basis: self.basis(basis),
        }
    }

    fn basis(&mut self, basis: Basis) -> u32 {
        if let Some(known) = self.known.get(&basis) {
            return *known;
        }
        let new = self.bases.len() as u32;
        self.bases.push(basis.clone());
        self.known.insert(basis, new);
        new
    }

    /// What is known of an object, said of another whose policy has the same text under another name.
    fn again(&mut self, known: Known, shelf: &Shelf<'_>, at: u32) -> Option<Outcome> {
        let outcome = known.outcome?;
        let name = |at: u32| {
            shelf.own[at as usize]
                .policy
                .as_ref()
                .map(|policy| policy.name())
        };
        let (Some(from), Some(to)) = (name(known.of), name(at)) else {
            return known.outcome;
        };
        Some(match self.bases[outcome.basis as usize].renamed(from, to) {
            None => outcome,
            Some(basis) => Outcome {
                basis: self.basis(basis),
                ..outcome
            },
        })
    }

    fn push(
        &mut self,
        principal_class: usize,
        dangers: &[u32],
        resource_class: usize,
        outcome: Outcome,
    ) {
        let Outcome { answer, mfa, basis } = outcome;
        self.rows.extend(dangers.iter().map(|danger| Grant {
            principal_class: principal_class as u32,
            danger: *danger,
            resource_class: resource_class as u32,
            answer,
            mfa,
            basis,
        }));
    }
}
