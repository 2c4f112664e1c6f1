//! The resources of an account by type, with everything about them that is the same whoever asks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::alike;
use super::classes::{Classes, Mark, nth};
use super::dangers::{ACCOUNT, Danger, Dangers};
use super::decide::{Judge, Object};
use super::library::{Library, PolicyId};
use super::world::{Holder, Target};
use crate::iam::{Context, Effect, PrincipalMatch, ResourceKind, Statement, Truth};

/// Patterns for parts of one resource that are looked at. Those of more say nothing new: they are parts as well.
const MOST_PARTS: usize = 64;

/// The classes of one type of resource in one account.
pub(super) struct Shelf<'d> {
    /// Position among all dangers, the danger, and which of [`Classed::judged`] it is about.
    pub(super) dangers: Vec<(usize, &'d Danger, usize)>,
    pub(super) classes: Vec<Classed>,
    /// Resources and parts of resources.
    pub(super) own: Vec<Object>,
    /// By object: what else than statements about principals tells it from others.
    pub(super) nature: Vec<Nature>,
}

/// A class of resources.
pub(super) struct Classed {
    pub(super) class: usize,
    pub(super) policy: Option<PolicyId>,
    /// Positions in [`Shelf::own`], by way of naming what a danger is about.
    pub(super) judged: Vec<Vec<u32>>,
}

/// What tells an object from others besides the statements that are about principals.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Nature {
    /// Its kind to the evaluator.
    pub(super) kind: u32,
    /// The same number: the same policy, and it says the same of the object. Zero: no policy.
    pub(super) policy: u32,
}

/// All shelves, by account.
pub(super) struct Shelves<'d>(BTreeMap<Arc<str>, Vec<Shelf<'d>>>);

impl<'d> Shelves<'d> {
    /// Puts the first resource of each class on its shelf, where it is `wanted`.
    pub(super) fn new(
        judge: &Judge<'_>,
        dangers: &'d Dangers,
        resources: &Classes,
        documents: &mut Documents,
        wanted: impl Fn(&Target) -> bool,
    ) -> Self {
        let targets = &judge.world.targets;
        let mut by_type: BTreeMap<(&Arc<str>, &str), Vec<usize>> = BTreeMap::new();
        for (class, first) in resources.first.iter().enumerate() {
            let target = &targets[*first];
            if wanted(target) {
                by_type
                    .entry((&target.account, &*target.resource_type))
                    .or_default()
                    .push(class);
            }
        }
        let mut shelves: BTreeMap<Arc<str>, Vec<Shelf<'d>>> = BTreeMap::new();
        for ((account, resource_type), classes) in by_type {
            let mut shelf = Shelf::empty();
            let ways = shelf.ways(dangers, resource_type);
            for class in classes {
                let target = &targets[resources.first[class]];
                shelf.put(judge, &ways, class, target, documents);
            }
            shelves.entry(Arc::clone(account)).or_default().push(shelf);
        }
        Self(shelves)
    }

    /// Each with its account, in their order.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Arc<str>, &Shelf<'d>)> {
        let shelves = self.0.iter();
        shelves.flat_map(|(account, own)| own.iter().map(move |shelf| (account, shelf)))
    }
}

impl<'d> Shelf<'d> {
    /// All of `targets`, each a class of its own, for one danger.
    pub(super) fn of(judge: &Judge<'_>, danger: &'d Danger, targets: &[Target]) -> Self {
        let mut shelf = Self::empty();
        shelf.dangers.push((0, danger, 0));
        let mut documents = Documents::default();
        for (class, target) in targets.iter().enumerate() {
            shelf.put(judge, &[danger], class, target, &mut documents);
        }
        shelf
    }

    fn empty() -> Self {
        Self {
            dangers: Vec::new(),
            classes: Vec::new(),
            own: Vec::new(),
            nature: Vec::new(),
        }
    }

    /// Sorts the dangers by the ways in which they name what they are about; returns a danger of each way.
    fn ways(&mut self, dangers: &'d Dangers, resource_type: &str) -> Vec<&'d Danger> {
        let mut ways: Vec<&Danger> = Vec::new();
        for (index, danger) in dangers.of_type(resource_type) {
            let alike = |other: &&Danger| {
                let service =
                    resource_type != ACCOUNT || other.action.service() == danger.action.service();
                service
                    && (other.resource_level, other.part) == (danger.resource_level, danger.part)
            };
            let way = ways.iter().position(alike).unwrap_or(ways.len());
            if way == ways.len() {
                ways.push(danger);
            }
            self.dangers.push((index, danger, way));
        }
        ways
    }

    fn put(
        &mut self,
        judge: &Judge<'_>,
        ways: &[&Danger],
        class: usize,
        target: &Target,
        documents: &mut Documents,
    ) {
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut judged = Vec::with_capacity(ways.len());
        for danger in ways {
            let mut of_way = Vec::new();
            for arn in arns(judge, danger, target) {
                if let Some(at) = known.get(&arn) {
                    of_way.push(*at);
                } else if let Some(object) = judge.object(target, &arn) {
                    let at = self.own.len() as u32;
                    self.nature.push(documents.nature(judge, target, &object));
                    self.own.push(object);
                    of_way.push(at);
                    known.insert(arn, at);
                }
            }
            judged.push(of_way);
        }
        self.classes.push(Classed {
            class,
            policy: target.policy,
            judged,
        });
    }
}

/// The ARNs by which policies name what a danger is about.
fn arns(judge: &Judge<'_>, danger: &Danger, target: &Target) -> Vec<String> {
    if !danger.resource_level {
        return vec!["*".to_owned()];
    }
    let library = &judge.world.library;
    if danger.resource_type == ACCOUNT {
        // What is to be made has no ARN yet: whatever a policy names of the kind could be it.
        let instances = library.instances(danger.action.service());
        return instances.into_iter().take(MOST_PARTS).collect();
    }
    let mut arns = vec![format!("{}{}", target.arn, danger.part)];
    if danger.part.starts_with('/') {
        arns.extend(
            library
                .parts_below(&target.arn)
                .into_iter()
                .take(MOST_PARTS),
        );
    }
    arns
}

/// Policies of resources that say the same of theirs, numbered.
#[derive(Default)]
pub(super) struct Documents {
    known: HashMap<Vec<u8>, u32>,
}

impl Documents {
    fn nature(&mut self, judge: &Judge<'_>, target: &Target, object: &Object) -> Nature {
        let kind = match object.resource.kind() {
            _ if object.resource.is_service_linked_role() => 3,
            ResourceKind::KmsKey => 2,
            ResourceKind::IamRole => 1,
            ResourceKind::Other => 0,
        };
        let Some(policy) = target.policy else {
            return Nature { kind, policy: 0 };
        };
        let entry = judge.world.library.get(policy);
        let mut mark = Mark::default();
        mark.text(
            &entry
                .document
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        );
        let layers = alike::layered(judge, &object.context);
        for statement in entry.policy.statements() {
            mark.0.extend(alike::mark(statement, object, &layers));
        }
        let next = self.known.len() as u32 + 1;
        let policy = *self.known.entry(mark.0).or_insert(next);
        Nature { kind, policy }
    }
}

/// Which policies of resources speak of whom.
pub(super) struct Voices<'w> {
    /// Statements that name principals differently; the flag: of a denial.
    elements: Vec<(&'w Statement, bool)>,
    /// Positions in `elements`; none for policies that could be about anybody.
    of: HashMap<PolicyId, Option<Vec<usize>>>,
}

impl<'w> Voices<'w> {
    pub(super) fn new(library: &'w Library, policies: impl Iterator<Item = PolicyId>) -> Self {
        let mut voices = Self {
            elements: Vec::new(),
            of: HashMap::new(),
        };
        let mut known: HashMap<(String, bool), usize> = HashMap::new();
        for policy in policies {
            if !voices.of.contains_key(&policy) {
                let elements = voices.elements_of(library, policy, &mut known);
                voices.of.insert(policy, elements);
            }
        }
        voices
    }

    fn elements_of(
        &mut self,
        library: &'w Library,
        policy: PolicyId,
        known: &mut HashMap<(String, bool), usize>,
    ) -> Option<Vec<usize>> {
        let entry = library.get(policy);
        let document = entry.document.as_ref()?;
        let mut elements = Vec::new();
        for (index, statement) in entry.policy.statements().iter().enumerate() {
            let text = nth(document, index)?;
            let denial = statement.effect() == Effect::Deny;
            let key = format!("{:?}{:?}", text.get("Principal"), text.get("NotPrincipal"));
            let next = self.elements.len();
            let element = *known.entry((key, denial)).or_insert(next);
            if element == next {
                self.elements.push((statement, denial));
            }
            elements.push(element);
        }
        Some(elements)
    }

    /// The policies that speak of a principal.
    pub(super) fn of(&self, holder: &Holder, context: &Context) -> Vec<bool> {
        let bounded = holder.boundary_arn.is_some();
        let speaks = |(statement, denial): &(&Statement, bool)| {
            statement
                .names_principal(&holder.principal, context, bounded && *denial)
                .is_none_or(|(truth, by)| truth != Truth::False && by != PrincipalMatch::None)
        };
        let speaks: Vec<bool> = self.elements.iter().map(speaks).collect();
        let most = self.of.keys().max().map_or(0, |policy| policy + 1);
        let mut of_policy = vec![false; most];
        for (policy, elements) in &self.of {
            of_policy[*policy] = elements
                .as_ref()
                .is_none_or(|elements| elements.iter().any(|element| speaks[*element]));
        }
        of_policy
    }
}
