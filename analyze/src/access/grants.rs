//! What each class of principals may do to each class of resources.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use super::alike::{Actions, Views};
use super::classes::Classes;
use super::dangers::{Danger, Dangers};
use super::decide::{Answer, Basis, Granted, Judge, Mfa, Subject};
use super::facts::Facts;
use super::shelves::{Classed, Shelf, Shelves, Voices, shelves};
use super::world::World;
use crate::iam::Context;

/// A row of `grants`.
pub(super) struct Grant {
    pub(super) principal_class: usize,
    pub(super) danger: usize,
    pub(super) resource_class: usize,
    pub(super) answer: Answer,
    pub(super) mfa: Mfa,
    /// Position in [`Grants::bases`].
    pub(super) basis: u32,
}

/// All rows, in their order.
#[derive(Default)]
pub(super) struct Grants {
    pub(super) rows: Vec<Grant>,
    pub(super) bases: Vec<Basis>,
}

/// Decides everything. The work is divided among the processors; the rows are in the order of principals, resources, dangers.
pub(super) fn all(
    world: &World,
    facts: &Facts,
    dangers: &Dangers,
    principals: &Classes,
    resources: &Classes,
) -> Grants {
    let judge = Judge::new(world, facts);
    let shelves = shelves(&judge, dangers, resources);
    let policies = shelves.values().flatten().flat_map(|shelf| &shelf.classes);
    let voices = Voices::new(&world.library, policies.filter_map(|classed| classed.policy));
    let mut of_account: BTreeMap<&Arc<str>, Vec<usize>> = BTreeMap::new();
    for (class, first) in principals.first.iter().enumerate() {
        of_account.entry(&world.holders[*first].account).or_default().push(class);
    }
    let actions = Actions::new(dangers);
    let mut grants = Grants::default();
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
        court.decide(&classes, subjects, &mut grants);
    }
    grants.rows.sort_unstable_by_key(|row| (row.principal_class, row.resource_class, row.danger));
    grants
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
    fn decide(&self, classes: &[usize], subjects: Vec<Subject<'w>>, grants: &mut Grants) {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let share = classes.len().div_ceil(threads).max(1);
        let mut work: Vec<(usize, Subject<'w>)> = classes.iter().copied().zip(subjects).collect();
        let parts: Vec<Part> = thread::scope(|scope| {
            let workers: Vec<_> = work
                .chunks_mut(share)
                .map(|chunk| {
                    scope.spawn(move || {
                        let mut part = Part::default();
                        for (class, subject) in chunk {
                            self.principal(&mut part, *class, subject);
                        }
                        part
                    })
                })
                .collect();
            // A worker that panicked panics here too: half of the grants would pass for all of them.
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        for mut part in parts {
            let before = grants.bases.len() as u32;
            part.grants.rows.iter_mut().for_each(|row| row.basis += before);
            grants.rows.append(&mut part.grants.rows);
            grants.bases.append(&mut part.grants.bases);
        }
    }

    fn principal(&self, part: &mut Part, class: usize, subject: &mut Subject<'w>) {
        let by_action = self.views.by_action(subject, self.actions.len());
        let context = Context::layered(vec![Arc::clone(&subject.context), Arc::clone(&self.judge.common)]);
        let speaks = self.voices.of(subject.holder, &context);
        for (number, shelf) in self.own.iter().enumerate() {
            for alike in self.groups(shelf, &by_action) {
                self.own_shelf(part, class, subject, number, &alike, &speaks);
            }
        }
        // Across accounts nothing goes without a policy of the resource.
        for (_, shelves) in self.shelves.iter().filter(|(account, _)| *account != self.account) {
            for shelf in shelves {
                let open = |classed: &&Classed| classed.policy.is_some_and(|policy| speaks[policy]);
                for classed in shelf.classes.iter().filter(open) {
                    self.foreign(part, class, subject, shelf, classed);
                }
            }
        }
    }

    /// The dangers of a shelf about which the same statements have a say.
    fn groups<'g>(&self, shelf: &'g Shelf<'_>, by_action: &'g [Vec<u32>]) -> Vec<Group<'g>> {
        let controlled = !self.judge.world.resource_control(self.account).is_empty();
        let mut groups: Vec<Group<'g>> = Vec::new();
        let mut known: HashMap<(usize, &str, &[u32], Option<u32>), usize> = HashMap::new();
        for (index, danger, way) in &shelf.dangers {
            let action = self.actions.of(*index);
            let statements = by_action[action as usize].as_slice();
            // Resource control policies reach some actions and not others.
            let key = (*way, danger.action.service(), statements, controlled.then_some(action));
            let group = *known.entry(key).or_insert_with(|| {
                groups.push(Group {
                    danger: *danger,
                    way: *way,
                    statements,
                    dangers: Vec::new(),
                });
                groups.len() - 1
            });
            groups[group].dangers.push(*index);
        }
        groups
    }

    fn own_shelf(
        &self,
        part: &mut Part,
        class: usize,
        subject: &mut Subject<'w>,
        number: usize,
        group: &Group<'_>,
        speaks: &[bool],
    ) {
        let shelf = &self.own[number];
        let views = || group.statements.iter().map(|statement| self.views.view(*statement));
        let allowing = views().any(|view| view.allows);
        let marks: Vec<&[u32]> = views().filter_map(|view| view.marks(number)).collect();
        let mut known: HashMap<Box<[u32]>, Known> = HashMap::new();
        let mut key: Vec<u32> = Vec::new();
        for classed in &shelf.classes {
            let spoken = classed.policy.is_some_and(|policy| speaks[policy]);
            // What no policy of the principal names, only a policy of the resource can allow.
            if !allowing && !spoken {
                continue;
            }
            let mut best: Option<Outcome> = None;
            for &at in &classed.judged[group.way] {
                let object = at as usize;
                let nature = shelf.nature[object];
                key.clear();
                key.push(nature.kind);
                // A policy without a word on the principal still says that there is one, which keys and roles need.
                key.push(if spoken { nature.policy + 1 } else { u32::from(nature.policy > 0) });
                key.extend(marks.iter().map(|marks| marks[object]));
                let outcome = match known.get(key.as_slice()) {
                    Some(known) => part.again(*known, shelf, at),
                    None => {
                        let granted = self.judge.ask(subject, &group.danger.action, &shelf.own[object], None);
                        let outcome = granted.map(|granted| part.outcome(granted));
                        known.insert(key.as_slice().into(), Known { outcome, of: at });
                        outcome
                    }
                };
                best = Outcome::better(best, outcome);
            }
            part.push(class, group, classed.class, best);
        }
    }

    fn foreign(&self, part: &mut Part, class: usize, subject: &mut Subject<'w>, shelf: &Shelf<'_>, classed: &Classed) {
        for (index, danger, way) in &shelf.dangers {
            let mut best = None;
            for at in &classed.judged[*way] {
                let granted = self.judge.ask(subject, &danger.action, &shelf.own[*at as usize], None);
                best = Outcome::better(best, granted.map(|granted| part.outcome(granted)));
            }
            let group = Group {
                danger: *danger,
                way: *way,
                statements: &[],
                dangers: vec![*index],
            };
            part.push(class, &group, classed.class, best);
        }
    }
}

/// Dangers to one type of resource that all policies of a principal treat alike.
struct Group<'g> {
    /// One of them.
    danger: &'g Danger,
    way: usize,
    statements: &'g [u32],
    dangers: Vec<usize>,
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
        let rank = |outcome: &Option<Self>| outcome.map(|outcome| (outcome.answer, Reverse(outcome.mfa)));
        if rank(&other) > rank(&one) { other } else { one }
    }
}

/// What was decided of an object, for those that are alike.
#[derive(Clone, Copy)]
struct Known {
    outcome: Option<Outcome>,
    of: u32,
}

/// The work of one thread.
#[derive(Default)]
struct Part {
    grants: Grants,
    known: HashMap<Basis, u32>,
}

impl Part {
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
        let new = self.grants.bases.len() as u32;
        self.grants.bases.push(basis.clone());
        self.known.insert(basis, new);
        new
    }

    /// What is known of an object, said of another whose policy has the same text under another name.
    fn again(&mut self, known: Known, shelf: &Shelf<'_>, at: u32) -> Option<Outcome> {
        let outcome = known.outcome?;
        let name = |at: u32| shelf.own[at as usize].policy.as_ref().map(|policy| policy.name());
        let (Some(from), Some(to)) = (name(known.of), name(at)) else {
            return known.outcome;
        };
        let statements = &self.grants.bases[outcome.basis as usize].statements;
        let position = |statement: &String| statement.strip_prefix(from).is_some_and(|rest| rest.starts_with('#'));
        if from == to || !statements.iter().any(position) {
            return known.outcome;
        }
        let mut basis = self.grants.bases[outcome.basis as usize].clone();
        for statement in basis.statements.iter_mut().filter(|statement| position(statement)) {
            *statement = format!("{to}{}", &statement[from.len()..]);
        }
        basis.statements.sort();
        Some(Outcome {
            basis: self.basis(basis),
            ..outcome
        })
    }

    fn push(&mut self, principal_class: usize, group: &Group<'_>, resource_class: usize, outcome: Option<Outcome>) {
        let Some(Outcome { answer, mfa, basis }) = outcome else {
            return;
        };
        self.grants.rows.extend(group.dangers.iter().map(|danger| Grant {
            principal_class,
            danger: *danger,
            resource_class,
            answer,
            mfa,
            basis,
        }));
    }
}
