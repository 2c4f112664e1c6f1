//! Arrows of danger: to a card, or to a whole frame where somebody endangers most of what is in it.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use super::cards::{Card, Cards, Threat};
use crate::facts::access::Dangers;

/// What an arrow points to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Aim {
    /// One card, by position.
    Card(usize),
    /// All cards of a system.
    System(String),
    /// All systems.
    Everything,
}

/// What an arrow stands for.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrow {
    pub dangers: Dangers,
    pub resources: usize,
    pub is_hot: bool,
}

/// Arrows by where they start.
pub(super) type Arrows = BTreeMap<(usize, Aim), Arrow>;

/// From how many cards or systems on one arrow stands for most of them.
const SEVERAL: usize = 3;

/// The system that a card of targets is of; `None` where it is of several, or not of targets.
pub(super) fn system_of<'a>(scene: &Scene<'a>, card: &Card) -> Option<&'a str> {
    let Card::Targets(members) = card else {
        return None;
    };
    let system = |index: u32| scene.facts.resource(index).system.as_str();
    let first = system(*members.first()?);
    members
        .iter()
        .all(|&member| system(member) == first)
        .then_some(first)
}

/// Joins the dangers that one card is to most cards of a system, then those to most systems. `resources` says how many
/// of a card a threat is to.
pub(super) fn arrows(cards: &Cards, resources: &dyn Fn(usize, &Threat) -> usize) -> Arrows {
    let of = |card: usize| cards.systems[card].as_deref();
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for system in (0..cards.cards.len()).filter_map(of) {
        *sizes.entry(system).or_default() += 1;
    }
    let is_most = |part: usize, all: usize| all >= SEVERAL && 2 * part > all;
    let mut touched: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for &(from, to) in cards.threats.keys() {
        if let Some(system) = of(to) {
            *touched.entry((from, system)).or_default() += 1;
        }
    }
    let mut systems: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for &(from, system) in touched.keys() {
        systems.entry(from).or_default().insert(system);
    }
    let mut arrows = Arrows::new();
    for (&(from, to), threat) in &cards.threats {
        let aim = match of(to) {
            None => Aim::Card(to),
            Some(_) if is_most(systems[&from].len(), sizes.len()) => Aim::Everything,
            Some(system) if is_most(touched[&(from, system)], sizes[system]) => {
                Aim::System(system.to_owned())
            }
            Some(_) => Aim::Card(to),
        };
        let arrow = arrows.entry((from, aim)).or_default();
        arrow.dangers.add(&threat.dangers);
        // No two cards stand for the same resource.
        arrow.resources += resources(to, threat);
        arrow.is_hot |= threat.is_hot;
    }
    arrows
}
