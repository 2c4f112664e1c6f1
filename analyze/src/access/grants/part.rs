//! What one thread has decided, and what it remembers of that.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::mpsc::SyncSender;

use super::super::alike::{self, Said};
use super::super::decide::{Answer, Basis, Granted, Judge, Mfa, Object, Subject};
use super::super::shelves::Shelf;
use super::Grant;

/// What was decided, its basis by number.
#[derive(Clone, Copy)]
pub(super) struct Outcome {
    pub(super) answer: Answer,
    pub(super) mfa: Mfa,
    pub(super) basis: u32,
}

impl Outcome {
    /// As [`Granted::better`].
    pub(super) fn better(one: Option<Self>, other: Option<Self>) -> Option<Self> {
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
pub(super) struct Known {
    pub(super) outcome: Option<Outcome>,
    pub(super) of: u32,
}

/// What is allowed of a shelf, by position.
pub(super) type Outcomes = Vec<(u32, Outcome)>;

/// The work of one thread.
#[derive(Default)]
pub(super) struct Part {
    pub(super) rows: Vec<Grant>,
    bases: Vec<Basis>,
    known: HashMap<Basis, u32>,
    pub(super) said: Said,
    pub(super) silent: HashMap<Box<[u32]>, Rc<Outcomes>>,
    pub(super) spoken: HashMap<Box<[u32]>, HashMap<Vec<u32>, Known>>,
    /// What policies of resources say of a principal: by their number as [`Nature`](super::super::shelves::Nature) has it, and by what
    /// they ask.
    attitudes: HashMap<(u32, Vec<u8>), u32>,
    /// Those of the present principal, by policy.
    pub(super) present: HashMap<u32, u32>,
    /// A basis with another policy's name: by basis, shelf and object.
    renamed: HashMap<(u32, u32, u32), u32>,
}

impl Part {
    pub(super) fn send<T>(
        &mut self,
        made: &impl Fn(&[Grant], &[Basis]) -> T,
        parts: &SyncSender<Option<T>>,
    ) -> bool {
        let made = made(&self.rows, &self.bases);
        self.rows.clear();
        parts.send(Some(made)).is_ok()
    }

    pub(super) fn outcome(&mut self, granted: Granted) -> Outcome {
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

    /// A number that is the same for principals of whom a policy of a resource says the same.
    pub(super) fn attitude(
        &mut self,
        judge: &Judge<'_>,
        subject: &Subject<'_>,
        object: &Object,
        number: u32,
    ) -> u32 {
        if let Some(known) = self.present.get(&number) {
            return *known;
        }
        let said = alike::said_of(judge, subject, object);
        let next = self.attitudes.len() as u32;
        let attitude = *self.attitudes.entry((number, said)).or_insert(next);
        self.present.insert(number, attitude);
        attitude
    }

    /// What is known of an object, said of another whose policy has the same text under another name.
    pub(super) fn again(
        &mut self,
        known: Known,
        shelf: &Shelf<'_>,
        number: usize,
        at: u32,
    ) -> Option<Outcome> {
        let outcome = known.outcome?;
        let key = (outcome.basis, number as u32, at);
        if let Some(basis) = self.renamed.get(&key) {
            return Some(Outcome {
                basis: *basis,
                ..outcome
            });
        }
        let name = |at: u32| {
            let policy = shelf.own[at as usize].policy.as_ref();
            policy.map(|policy| policy.name())
        };
        let renamed = match (name(known.of), name(at)) {
            (Some(from), Some(to)) => self.bases[outcome.basis as usize].renamed(from, to),
            _ => None,
        };
        let basis = renamed.map_or(outcome.basis, |basis| self.basis(basis));
        self.renamed.insert(key, basis);
        Some(Outcome { basis, ..outcome })
    }

    pub(super) fn push(
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
