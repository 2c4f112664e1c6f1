//! What becomes one card, rung by rung: resources that are endangered alike, and those who endanger them.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use super::cards::{SYSTEM_RUNG, Threats};
use super::who::Place;
use crate::facts::Index;
use crate::facts::access::{Kinds, Party, PrincipalNumber};
use crate::graph::fold::{MOST_NODES, Rung, fold};
use crate::kinds::kind;

/// Joins targets: what is identical, what is endangered alike, one category of a system, one system.
pub(super) fn targets(
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
        rung < SYSTEM_RUNG && (one.exposed == Some(true) || one.findings.critical > 0)
    };
    let folded = fold(&scene.targets, &[rungs[rung]], &keep, MOST_NODES / 2);
    (folded.groups, folded.forced)
}

/// Joins users and roles: the same ways and dangers, the same dangers, the same cards in danger, the same sort.
pub(super) fn principals(
    scene: &Scene<'_>,
    threats: &Threats,
    rung: usize,
) -> (Vec<Vec<Party>>, bool) {
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
    let class = |number: Index| scene.access.principals[number as usize].class;
    let dangers = numbered(threats, |kinds| *kinds);
    let freedoms = numbered(threats, Kinds::freest);
    let same_ways = |number: Index| {
        let ways = ways.get(&(number as usize));
        format!(
            "{}\u{1f}{:?}\u{1f}{ways:?}",
            sort(number),
            dangers.get(&class(number))
        )
    };
    let same_dangers =
        |number: Index| format!("{}\u{1f}{:?}", sort(number), dangers.get(&class(number)));
    let same_cards =
        |number: Index| format!("{}\u{1f}{:?}", sort(number), freedoms.get(&class(number)));
    let rungs: [Rung<'_>; 4] = [&same_ways, &same_dangers, &same_cards, &sort];
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

/// A number for each class of principals, the same for those of which `said` is the same of the same cards.
fn numbered<T: Ord>(threats: &Threats, said: impl Fn(&Kinds) -> T) -> BTreeMap<i64, usize> {
    let mut numbers: BTreeMap<Vec<(usize, T)>, usize> = BTreeMap::new();
    let mut of_class = BTreeMap::new();
    for (class, threats) in threats {
        let next = numbers.len();
        let threats = threats.iter();
        let of_cards = threats.map(|(card, threat)| (*card, said(&threat.dangers.kinds)));
        of_class.insert(*class, *numbers.entry(of_cards.collect()).or_insert(next));
    }
    of_class
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
