//! Cards of the `access` view: what is joined until a reader can take it in.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use super::arrows::{Arrows, arrows};
use super::who::Place;
use crate::facts::Index;
use crate::facts::access::{Danger, Dangers, Freedom, Party, PrincipalNumber};
use crate::graph::fold::{MOST_NODES, Rung, fold};
use crate::kinds::kind;
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
    (3, 1),
    (4, 1),
    (4, 2),
    (5, 3),
];

/// Joins until there are few enough nodes and edges, or no more rungs.
pub(super) fn cards(scene: &Scene<'_>, aim: usize) -> Cards {
    let alike = alike(scene);
    let mut made = Cards::default();
    for (targets, principals) in LADDER {
        made = make(scene, &alike, targets, principals);
        eprintln!(
            "{targets} {principals} {} {} {}",
            made.cards.len(),
            made.edges(scene),
            made.arrows.len()
        );
        if made.cards.len() <= aim && made.edges(scene) <= AIM_EDGES {
            break;
        }
    }
    made
}

/// Classes of resources to which the same classes of principals are the same danger, by number.
fn alike(scene: &Scene<'_>) -> BTreeMap<i64, usize> {
    let mut by_class: BTreeMap<i64, Vec<(i64, &BTreeMap<Danger, Freedom>)>> = BTreeMap::new();
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

fn make(
    scene: &Scene<'_>,
    alike: &BTreeMap<i64, usize>,
    target_rung: usize,
    principal_rung: usize,
) -> Cards {
    let mut made = Cards::default();
    let (groups, forced) = targets(scene, alike, target_rung);
    made.forced = forced;
    let accounts = scene.accounts.iter().cloned().map(Card::Account);
    let targets: Vec<Card> = groups
        .into_iter()
        .map(Card::Targets)
        .chain(accounts)
        .collect();
    let threats = threats(scene, &targets);
    let (groups, forced) = principals(scene, &threats, principal_rung);
    made.forced |= forced;
    made.cards = groups.into_iter().map(Card::Who).collect();
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
    for &number in &scene.who.principals {
        let class = scene.access.principals[number].class;
        let Some(from) = made.at(Place::Principal(number)) else {
            continue;
        };
        for (&to, threat) in threats.get(&class).into_iter().flatten() {
            let known = made.threats.entry((from, first + to)).or_default();
            known.dangers.add(&threat.dangers);
            known.resources.extend(&threat.resources);
            known.is_hot |= scene.who.is_hot_by(number, &threat.dangers);
        }
    }
    made.arrows = arrows(scene, &made.cards, &made.threats);
    made
}

/// Dangers of each class of principals to each card of targets.
type Threats = BTreeMap<i64, BTreeMap<usize, Threat>>;

fn threats(scene: &Scene<'_>, targets: &[Card]) -> Threats {
    let mut of_class: BTreeMap<i64, Vec<(usize, Option<Index>)>> = BTreeMap::new();
    for (position, card) in targets.iter().enumerate() {
        match card {
            Card::Targets(members) => {
                for &member in members {
                    if let Some(class) = scene.access.classes.get(&member) {
                        let cards = of_class.entry(*class).or_default();
                        cards.push((position, Some(member)));
                    }
                }
            }
            Card::Account(account) => {
                if let Some(class) = scene.access.accounts.get(account) {
                    of_class.entry(*class).or_default().push((position, None));
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
            for &(position, member) in of_class.get(resources).into_iter().flatten() {
                let threat: &mut Threat = found.entry(position).or_default();
                // The second resource of a class adds nothing but itself.
                if threat.resources.is_empty()
                    || !threat.dangers.actions.is_superset(&dangers.actions)
                {
                    threat.dangers.add(dangers);
                } else {
                    threat.dangers.add(&Dangers {
                        kinds: dangers.kinds.clone(),
                        ..Dangers::default()
                    });
                }
                threat.resources.extend(member);
            }
        }
    }
    threats
}

/// Joins targets: what is identical, what is endangered alike, one category of a system, one system.
fn targets(
    scene: &Scene<'_>,
    alike: &BTreeMap<i64, usize>,
    rung: usize,
) -> (Vec<Vec<Index>>, bool) {
    let facts = scene.facts;
    let sort = |index: Index| {
        scene
            .access
            .classes
            .get(&index)
            .and_then(|class| alike.get(class))
    };
    let category = |index: Index| kind(&facts.resource(index).resource_type).category;
    let identical = |index: Index| {
        let one = facts.resource(index);
        format!(
            "{}\u{1f}{}\u{1f}{}\u{1f}{}\u{1f}{:?}",
            one.system,
            one.environment,
            one.function(),
            one.resource_type,
            sort(index)
        )
    };
    let same_type = |index: Index| {
        let one = facts.resource(index);
        format!(
            "{}\u{1f}{}\u{1f}{:?}",
            one.system,
            one.resource_type,
            sort(index)
        )
    };
    let same_danger = |index: Index| {
        let one = facts.resource(index);
        format!(
            "{}\u{1f}{:?}\u{1f}{:?}",
            one.system,
            category(index),
            sort(index)
        )
    };
    let same_category = |index: Index| {
        format!(
            "{}\u{1f}{:?}",
            facts.resource(index).system,
            category(index)
        )
    };
    let same_system = |index: Index| facts.resource(index).system.clone();
    let anything = |_: Index| String::new();
    let rungs: [Rung<'_>; 6] = [
        &identical,
        &same_type,
        &same_danger,
        &same_category,
        &same_system,
        &anything,
    ];
    // All of them are important: that alone keeps no card apart.
    let keep = |index: Index| {
        let one = facts.resource(index);
        rung < 4 && (one.exposed == Some(true) || one.findings.critical > 0)
    };
    let folded = fold(&scene.targets, &[rungs[rung]], &keep, MOST_NODES / 2);
    (folded.groups, folded.forced)
}

/// Joins users and roles: the same ways and dangers, the same dangers, the same cards in danger, the same sort.
fn principals(scene: &Scene<'_>, threats: &Threats, rung: usize) -> (Vec<Vec<Party>>, bool) {
    let numbers: Vec<Index> = scene
        .who
        .principals
        .iter()
        .filter_map(|&number| Index::try_from(number).ok())
        .collect();
    let mut ways: BTreeMap<PrincipalNumber, BTreeSet<String>> = BTreeMap::new();
    for step in &scene.who.steps {
        if let Party::Principal(from) = step.from {
            let words = format!("to {:?} {:?}", step.to, step.freedom);
            ways.entry(*from).or_default().insert(words);
        }
        if let Place::Principal(to) = step.to {
            let words = format!("from {:?} {:?}", step.from, step.freedom);
            ways.entry(to).or_default().insert(words);
        }
    }
    let sort = |number: Index| {
        let one = &scene.access.principals[number as usize];
        let outside = one.resource.is_none_or(|index| !scene.is_selected(index));
        format!("{}\u{1f}{}\u{1f}{outside}", one.is_user, one.special)
    };
    let dangers = |number: Index| {
        let class = scene.access.principals[number as usize].class;
        let threats = threats.get(&class).into_iter().flatten();
        let words: Vec<String> = threats
            .map(|(card, threat)| format!("{card} {:?}", threat.dangers.kinds))
            .collect();
        words.join("\u{1f}")
    };
    let cards = |number: Index| {
        let class = scene.access.principals[number as usize].class;
        let threats = threats.get(&class).into_iter().flatten();
        let words: Vec<String> = threats
            .map(|(card, threat)| format!("{card} {:?}", freest(&threat.dangers)))
            .collect();
        words.join("\u{1f}")
    };
    let rungs: [Rung<'_>; 4] = [
        &|number| {
            format!(
                "{}\u{1f}{}\u{1f}{:?}",
                sort(number),
                dangers(number),
                ways.get(&(number as usize))
            )
        },
        &|number| format!("{}\u{1f}{}", sort(number), dangers(number)),
        &|number| format!("{}\u{1f}{}", sort(number), cards(number)),
        &|number| sort(number),
    ];
    let folded = fold(&numbers, &[rungs[rung]], &|_| false, MOST_NODES / 4);
    let mut groups: Vec<Vec<Party>> = folded
        .groups
        .into_iter()
        .map(|group| {
            group
                .into_iter()
                .map(|number| Party::Principal(number as usize))
                .collect()
        })
        .collect();
    groups.extend(parties(scene, rung));
    (groups, folded.forced)
}

/// Joins who isn't of the run: one sort that leads to the same.
fn parties(scene: &Scene<'_>, rung: usize) -> Vec<Vec<Party>> {
    let mut leads: BTreeMap<&Party, BTreeSet<String>> = BTreeMap::new();
    for step in &scene.who.steps {
        if scene.who.parties.contains(step.from) {
            let words = format!("{:?} {:?}", step.to, step.freedom);
            leads.entry(step.from).or_default().insert(words);
        }
    }
    let mut groups: BTreeMap<String, Vec<Party>> = BTreeMap::new();
    for (party, to) in leads {
        let sort = std::mem::discriminant(party);
        let key = if rung < 3 {
            format!("{sort:?}{to:?}")
        } else {
            format!("{sort:?}")
        };
        groups.entry(key).or_default().push(party.clone());
    }
    let mut groups: Vec<Vec<Party>> = groups.into_values().collect();
    groups.sort();
    groups
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
