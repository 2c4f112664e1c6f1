//! Cards of the `access` view: what is joined until a reader can take it in.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use super::arrows::{Arrows, arrows};
use super::join;
use super::who::{Place, is_destroying};
use crate::facts::Index;
use crate::facts::access::{Danger, Dangers, Freedom, Party};
use crate::views::AIM_EDGES;

/// What a card stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Card {
    /// People, roles, or who isn't of the run; all of one sort.
    Who(Vec<Party>),
    /// All administrators.
    Admins,
    /// Resources of one system.
    Targets(Vec<Index>),
    /// An account as a whole.
    Account(String),
}

/// Dangers of one card to another, and the resources they are to.
#[derive(Clone, Debug, Default)]
pub(super) struct Threat {
    pub dangers: Dangers,
    pub resources: BTreeSet<Index>,
    pub is_hot: bool,
}

/// The cards of a picture and the dangers between them.
#[derive(Debug, Default)]
pub(super) struct Cards {
    pub cards: Vec<Card>,
    pub of_party: BTreeMap<Party, usize>,
    pub admins: Option<usize>,
    pub threats: BTreeMap<(usize, usize), Threat>,
    /// The same as it is drawn.
    pub arrows: Arrows,
    /// Whether each system is one card.
    pub by_system: bool,
    pub forced: bool,
}

impl Cards {
    /// Position of a way's end.
    pub(super) fn at(&self, place: Place) -> Option<usize> {
        match place {
            Place::Principal(number) => self.of_party.get(&Party::Principal(number)).copied(),
            Place::Admins => self.admins,
        }
    }

    fn edges(&self, scene: &Scene<'_>) -> usize {
        let ways: BTreeSet<(Option<usize>, Option<usize>)> = scene
            .who
            .steps
            .iter()
            .map(|step| (self.of_party.get(step.from).copied(), self.at(step.to)))
            .filter(|(from, to)| from != to)
            .collect();
        ways.len() + self.arrows.len()
    }
}

/// The rungs in the order in which they are tried: how far targets are joined, and how far principals.
const LADDER: [(usize, usize); 8] = [
    (0, 0),
    (1, 0),
    (2, 0),
    (3, 0),
    (SYSTEM_RUNG, 0),
    (SYSTEM_RUNG, 1),
    (SYSTEM_RUNG, 2),
    (5, 3),
];
/// The rung on which all that matters of a system is one card.
pub(super) const SYSTEM_RUNG: usize = 4;

/// Joins until there are few enough nodes and edges, or no more rungs.
pub(super) fn cards(scene: &Scene<'_>, aim: usize) -> Cards {
    let alike = alike(scene);
    for (position, (targets, principals)) in LADDER.into_iter().enumerate() {
        let is_last = position + 1 == LADDER.len();
        let (groups, forced) = join::targets(scene, &alike, targets);
        if groups.len() > aim && !is_last {
            continue;
        }
        let mut made = make(scene, groups, principals);
        made.by_system = targets == SYSTEM_RUNG;
        made.forced |= forced;
        if is_last || (made.cards.len() <= aim && made.edges(scene) <= AIM_EDGES) {
            return made;
        }
    }
    Cards::default()
}

/// Classes of resources to which the same classes of principals are the same danger, by number.
fn alike(scene: &Scene<'_>) -> BTreeMap<i64, usize> {
    type Freedoms<'a> = (i64, &'a BTreeMap<Danger, Freedom>);
    let mut by_class: BTreeMap<i64, Vec<Freedoms<'_>>> = BTreeMap::new();
    for (&principals, dangers) in &scene.access.dangers {
        for (&resources, dangers) in dangers {
            let by = by_class.entry(resources).or_default();
            by.push((principals, &dangers.kinds));
        }
    }
    let mut numbers = BTreeMap::new();
    by_class
        .into_iter()
        .map(|(class, by)| {
            let next = numbers.len();
            (class, *numbers.entry(by).or_insert(next))
        })
        .collect()
}

fn make(scene: &Scene<'_>, groups: Vec<Vec<Index>>, rung: usize) -> Cards {
    let accounts = scene.accounts.iter().cloned().map(Card::Account);
    let targets: Vec<Card> = groups
        .into_iter()
        .map(Card::Targets)
        .chain(accounts)
        .collect();
    let threats = threats(scene, &targets);
    let (groups, forced) = join::principals(scene, &threats, rung);
    let mut made = Cards {
        cards: groups.into_iter().map(Card::Who).collect(),
        forced,
        ..Cards::default()
    };
    if !scene.who.admins.is_empty() {
        made.admins = Some(made.cards.len());
        made.cards.push(Card::Admins);
    }
    for (position, card) in made.cards.iter().enumerate() {
        if let Card::Who(parties) = card {
            let parties = parties.iter().cloned();
            made.of_party.extend(parties.map(|party| (party, position)));
        }
    }
    let first = made.cards.len();
    made.cards.extend(targets);
    // Who is of one class and on one card is the same danger; somebody may get to be one of them and not another.
    let mut holders: BTreeMap<(usize, i64), bool> = BTreeMap::new();
    for &number in &scene.who.principals {
        if let Some(from) = made.at(Place::Principal(number)) {
            let class = scene.access.principals[number].class;
            let is_entered = holders.entry((from, class)).or_default();
            *is_entered |= scene.who.is_entered(&Party::Principal(number));
        }
    }
    for ((from, class), is_entered) in holders {
        for (&to, threat) in threats.get(&class).into_iter().flatten() {
            let known = made.threats.entry((from, first + to)).or_default();
            known.dangers.add(&threat.dangers);
            known.resources.extend(&threat.resources);
            known.is_hot |= is_entered && is_destroying(&threat.dangers);
        }
    }
    made.arrows = arrows(scene, &made.cards, &made.threats);
    made
}

/// Dangers of each class of principals to each card of targets.
pub(super) type Threats = BTreeMap<i64, BTreeMap<usize, Threat>>;

fn threats(scene: &Scene<'_>, targets: &[Card]) -> Threats {
    let mut of_class: BTreeMap<i64, BTreeMap<usize, Vec<Index>>> = BTreeMap::new();
    for (position, card) in targets.iter().enumerate() {
        match card {
            Card::Targets(members) => {
                for &member in members {
                    if let Some(class) = scene.access.classes.get(&member) {
                        let cards = of_class.entry(*class).or_default();
                        cards.entry(position).or_default().push(member);
                    }
                }
            }
            Card::Account(account) => {
                if let Some(class) = scene.access.accounts.get(account) {
                    let cards = of_class.entry(*class).or_default();
                    cards.entry(position).or_default();
                }
            }
            Card::Who(_) | Card::Admins => {}
        }
    }
    let classes: BTreeSet<i64> = scene
        .who
        .principals
        .iter()
        .map(|&number| scene.access.principals[number].class)
        .collect();
    let mut threats = Threats::new();
    for class in classes {
        let found = threats.entry(class).or_default();
        for (resources, dangers) in scene.access.dangers.get(&class).into_iter().flatten() {
            for (&position, members) in of_class.get(resources).into_iter().flatten() {
                let threat: &mut Threat = found.entry(position).or_default();
                threat.dangers.add(dangers);
                threat.resources.extend(members);
            }
        }
    }
    threats
}

/// The freest of all kinds of danger.
pub(super) fn freest(dangers: &Dangers) -> Freedom {
    dangers
        .kinds
        .values()
        .copied()
        .max()
        .unwrap_or(Freedom::Unknown)
}
