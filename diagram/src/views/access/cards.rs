//! Cards of the `access` view: what is joined until a reader can take it in.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use super::arrows::{Arrows, arrows, system_of};
use super::join;
use super::who::{Place, is_destroying};
use crate::facts::Index;
use crate::facts::access::{Dangers, Kinds, Party, Positions};
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
    /// Classes of resources of the card, by their position in [`Targets`].
    pub classes: Positions,
    pub is_hot: bool,
}

/// The cards of a picture and the dangers between them.
#[derive(Debug, Default)]
pub(super) struct Cards {
    pub cards: Vec<Card>,
    /// The system that each card is of.
    pub systems: Vec<Option<String>>,
    pub of_party: BTreeMap<Party, usize>,
    pub admins: Option<usize>,
    /// By who endangers whom.
    pub threats: BTreeMap<(usize, usize), Threat>,
    /// Who endangers each card.
    pub endangered_by: Vec<Vec<usize>>,
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
    let mut by_class: BTreeMap<i64, Vec<(i64, Kinds)>> = BTreeMap::new();
    for (&principals, dangers) in &scene.access.dangers {
        for (&resources, dangers) in dangers {
            let by = by_class.entry(resources).or_default();
            by.push((principals, dangers.kinds));
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
    let numbers = Targets::new(scene, &targets);
    let threats = numbers.threats(scene);
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
    made.endangered_by = vec![Vec::new(); made.cards.len()];
    let system = |card| system_of(scene, card).map(str::to_owned);
    made.systems = made.cards.iter().map(system).collect();
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
            known.classes.extend(&threat.classes);
            known.is_hot |= is_entered && is_destroying(&threat.dangers);
        }
    }
    for &(from, to) in made.threats.keys() {
        made.endangered_by[to].push(from);
    }
    let resources = |to: usize, threat: &Threat| numbers.resources(to - first, &threat.classes);
    made.arrows = arrows(&made, &resources);
    made
}

/// Dangers of each class of principals to each card of targets.
pub(super) type Threats = BTreeMap<i64, BTreeMap<usize, Threat>>;

/// How many resources of each class each card of targets stands for. Nobody may do to one of a class what he may not do to
/// another: resources need not be told apart, of which there are many more than classes.
struct Targets(BTreeMap<i64, OfClass>);

/// A class of resources: its position among all, and by cards how many resources.
struct OfClass {
    position: usize,
    on_cards: BTreeMap<usize, usize>,
}

impl Targets {
    fn new(scene: &Scene<'_>, targets: &[Card]) -> Self {
        let mut on_cards: BTreeMap<i64, BTreeMap<usize, usize>> = BTreeMap::new();
        let mut add = |class: Option<&i64>, card: usize, resources: usize| {
            if let Some(class) = class {
                let cards = on_cards.entry(*class).or_default();
                *cards.entry(card).or_default() += resources;
            }
        };
        for (position, card) in targets.iter().enumerate() {
            match card {
                Card::Targets(members) => {
                    for member in members {
                        add(scene.access.classes.get(member), position, 1);
                    }
                }
                Card::Account(account) => {
                    add(scene.access.accounts.get(account), position, 0);
                }
                Card::Who(_) | Card::Admins => {}
            }
        }
        let numbered = on_cards.into_iter().enumerate();
        Self(
            numbered
                .map(|(position, (class, on_cards))| (class, OfClass { position, on_cards }))
                .collect(),
        )
    }

    fn threats(&self, scene: &Scene<'_>) -> Threats {
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
                let Some(of_class) = self.0.get(resources) else {
                    continue;
                };
                for &card in of_class.on_cards.keys() {
                    let threat: &mut Threat = found.entry(card).or_default();
                    threat.dangers.add(dangers);
                    threat.classes.insert(of_class.position);
                }
            }
        }
        threats
    }

    /// Resources of these classes on a card.
    fn resources(&self, card: usize, classes: &Positions) -> usize {
        self.0
            .values()
            .filter(|of_class| classes.contains(of_class.position))
            .filter_map(|of_class| of_class.on_cards.get(&card))
            .sum()
    }
}
