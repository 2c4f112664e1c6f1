//! What resources are alike to, statement by statement.
//!
//! Classes of principals times classes of resources times actions are hundreds of millions of questions. Few of them differ:
//! what a principal may do depends on the statements that name the action, and each of those tells the resources of a type
//! apart in very few ways, mostly in none. A [`View`] numbers these ways, so that a question is asked once for each of
//! their combinations.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use super::classes::Mark;
use super::decide::{Judge, Object, Subject};
use super::facts;
use super::shelves::Shelf;
use crate::iam::{Action, Context, Effect, OrganizationLevel, Policy, Statement};

/// The distinct actions of the dangers.
pub(super) struct Actions<'d> {
    all: Vec<&'d Action>,
    /// By danger.
    of: Vec<u32>,
    services: Vec<u32>,
}

impl<'d> Actions<'d> {
    pub(super) fn new(of_dangers: impl IntoIterator<Item = &'d Action>) -> Self {
        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut named: HashMap<&str, u32> = HashMap::new();
        let (mut all, mut of, mut services) = (Vec::new(), Vec::new(), Vec::new());
        for action in of_dangers {
            let number = *known.entry(action.text()).or_insert_with(|| {
                all.push(action);
                all.len() as u32 - 1
            });
            of.push(number);
            let next = named.len() as u32;
            services.push(*named.entry(action.service()).or_insert(next));
        }
        Self { all, of, services }
    }

    /// The same number for actions of the same service.
    pub(super) fn service_of(&self, danger: usize) -> u32 {
        self.services[danger]
    }

    pub(super) fn of(&self, danger: usize) -> u32 {
        self.of[danger]
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

/// One statement, as all resources of one account look to it.
pub(super) struct View {
    pub(super) allows: bool,
    /// It asks about the principal.
    personal: bool,
    /// The actions that it names.
    actions: Vec<u32>,
    /// By shelf and position on it; none where all look alike.
    marks: Vec<Option<Box<[u32]>>>,
}

impl View {
    /// Numbers that are the same for objects of a shelf which look alike; none if all do.
    pub(super) fn marks(&self, shelf: usize) -> Option<&[u32]> {
        self.marks[shelf].as_deref()
    }
}

/// The statements of all policies of an account's principals, and of the organization above it.
pub(super) struct Views {
    views: Vec<View>,
    /// The first statement of each policy, by address.
    of: HashMap<usize, u32>,
}

impl Views {
    /// `shelves` hold what the account's principals may reach.
    pub(super) fn new(
        judge: &Judge<'_>,
        actions: &Actions<'_>,
        shelves: &[(&Arc<str>, &Shelf<'_>)],
        subjects: &[Subject<'_>],
    ) -> Self {
        let mut of = HashMap::new();
        let mut statements: Vec<&Statement> = Vec::new();
        for (policy, _) in subjects.iter().flat_map(|subject| policies(subject)) {
            of.entry(address(policy)).or_insert_with(|| {
                let first = statements.len() as u32;
                statements.extend(policy.statements());
                first
            });
        }
        let layers: Vec<Vec<Context>> = shelves
            .iter()
            .map(|(_, shelf)| {
                let objects = shelf.own.iter();
                objects
                    .map(|object| layered(judge, &object.context))
                    .collect()
            })
            .collect();
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let share = statements.len().div_ceil(threads).max(1);
        let views = thread::scope(|scope| {
            let layers = &layers;
            let workers: Vec<_> = statements
                .chunks(share)
                .map(|chunk| {
                    let view = |statement: &&Statement| view(statement, actions, shelves, layers);
                    scope.spawn(move || chunk.iter().map(view).collect::<Vec<_>>())
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| {
                    worker
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .collect()
        });
        Self { views, of }
    }

    pub(super) fn view(&self, number: u32) -> &View {
        &self.views[number as usize]
    }

    /// The statements that have a say, by action.
    pub(super) fn by_action(
        &self,
        judge: &Judge<'_>,
        subject: &Subject<'_>,
        said: &mut Said,
        actions: usize,
    ) -> Vec<Vec<u32>> {
        let mut by_action = vec![Vec::new(); actions];
        let context = layered(judge, &subject.context);
        for (policy, layer) in policies(subject) {
            let first = self.of[&address(policy)];
            for (number, statement) in (first..).zip(policy.statements()) {
                let view = self.view(number);
                let mark = if view.personal {
                    personal(statement, subject, &context)
                } else {
                    Vec::new()
                };
                let one = said.number(number, layer, mark);
                for action in &view.actions {
                    by_action[*action as usize].push(one);
                }
            }
        }
        by_action
    }
}

/// Statements as they stand to a principal: numbers that are the same where they are in the same layer and everything that
/// they ask about the principal has the same answer.
#[derive(Default)]
pub(super) struct Said {
    known: HashMap<(u32, u8, Vec<u8>), u32>,
    statements: Vec<u32>,
}

impl Said {
    fn number(&mut self, statement: u32, layer: u8, mark: Vec<u8>) -> u32 {
        let next = self.statements.len() as u32;
        let number = *self.known.entry((statement, layer, mark)).or_insert(next);
        if number == next {
            self.statements.push(statement);
        }
        number
    }

    /// The number that the statement has in [`Views`].
    pub(super) fn statement(&self, number: u32) -> u32 {
        self.statements[number as usize]
    }
}

/// What a statement can tell of a principal.
fn personal(statement: &Statement, subject: &Subject<'_>, layers: &Context) -> Vec<u8> {
    let mut mark = Mark::default();
    for key in statement.resources().flat_map(|text| text.keys()) {
        mark.value(&subject.context, key, facts::of_principal);
    }
    for condition in statement.conditions() {
        mark.condition(condition, layers, &subject.context, facts::of_principal);
    }
    mark.0
}

/// What the policy of a resource can tell of a principal.
pub(super) fn said_of(judge: &Judge<'_>, subject: &Subject<'_>, object: &Object) -> Vec<u8> {
    let context = layered(judge, &subject.context);
    let bounded = subject.holder.boundary_arn.is_some();
    let mut said = Vec::new();
    let policy = object.policy.iter();
    for statement in policy.flat_map(|policy| policy.statements()) {
        let denies = statement.effect() == Effect::Deny;
        let named =
            statement.names_principal(&subject.holder.principal, &context, bounded && denies);
        said.extend(named.map_or([u8::MAX; 2], |(truth, by)| [truth as u8, by as u8]));
        said.extend(personal(statement, subject, &context));
    }
    said
}

/// Everything that may allow or deny a principal something, but for the policies of resources; with a number for the layer.
fn policies<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = (&'s Arc<Policy>, u8)> {
    let set = &subject.set;
    let of = |levels: &'s Arc<[OrganizationLevel]>, layer| {
        levels
            .iter()
            .flat_map(|level| &level.policies)
            .map(move |policy| (policy, layer))
    };
    let identity = set.identity.iter().map(|policy| (policy, 0));
    let boundaries = set.boundaries.iter().flatten().map(|policy| (policy, 1));
    identity
        .chain(boundaries)
        .chain(of(&set.service_control, 2))
        .chain(of(&set.resource_control, 3))
}

fn address(policy: &Arc<Policy>) -> usize {
    Arc::as_ptr(policy) as usize
}

/// What is known of all requests of a principal, or of all about an object.
pub(super) fn layered(judge: &Judge<'_>, context: &Arc<Context>) -> Context {
    Context::layered(vec![Arc::clone(context), Arc::clone(&judge.common)])
}

fn view(
    statement: &Statement,
    actions: &Actions<'_>,
    shelves: &[(&Arc<str>, &Shelf<'_>)],
    layers: &[Vec<Context>],
) -> View {
    let named: BTreeSet<u32> = (0..)
        .zip(&actions.all)
        .filter(|(_, action)| statement.names_action(action))
        .map(|(number, _)| number)
        .collect();
    let marks = shelves.iter().zip(layers).map(|((_, shelf), layers)| {
        let concerned = shelf
            .dangers
            .iter()
            .any(|(danger, ..)| named.contains(&actions.of(*danger)));
        concerned.then(|| marks(statement, shelf, layers)).flatten()
    });
    View {
        allows: statement.effect() == Effect::Allow,
        personal: statement.keys().any(facts::of_principal),
        marks: marks.collect(),
        actions: named.into_iter().collect(),
    }
}

fn marks(statement: &Statement, shelf: &Shelf<'_>, layers: &[Context]) -> Option<Box<[u32]>> {
    let mut known: HashMap<Vec<u8>, u32> = HashMap::new();
    let numbers: Box<[u32]> = shelf
        .own
        .iter()
        .zip(layers)
        .map(|(object, layers)| {
            let next = known.len() as u32;
            *known.entry(mark(statement, object, layers)).or_insert(next)
        })
        .collect();
    (known.len() > 1).then_some(numbers)
}

/// What a statement can tell of an object.
pub(super) fn mark(statement: &Statement, object: &Object, layers: &Context) -> Vec<u8> {
    let mut mark = Mark::default();
    for text in statement.resources() {
        let may = text.may_match(object.resource.arn());
        mark.byte(u8::from(may));
        if may && text.keys().next().is_some() {
            // Which resources a variable picks depends on the principal.
            mark.text(object.resource.arn());
        }
    }
    for condition in statement.conditions() {
        mark.condition(condition, layers, &object.context, facts::of_resource);
    }
    mark.0
}
