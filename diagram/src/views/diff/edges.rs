//! Arrows of the `diff` view: those that came, those that went, and those that lead from a change to what is around it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Scene, is_background};
use crate::facts::change::Fate;
use crate::facts::{Index, Link};
use crate::graph::lift::{self, Bundle, NodeIndex, Relation};
use crate::look::Look;
use crate::picture::Edge;
use crate::views::edge_label;

/// Neighbours of one change beyond which only those are drawn to which something changed.
const MOST_NEIGHBOURS: usize = 6;
/// Pairs of one rule beyond which it is no arrow between two things.
const CROWD: usize = 40;

type Pairs = BTreeMap<(Index, Index, Relation), Bundle>;

/// Arrows with a change at one end at least. `neighbour` makes a card for what is next to a change.
pub(super) fn between(
    scene: &Scene<'_>,
    node_of: &mut BTreeMap<Index, NodeIndex>,
    changed: NodeIndex,
    mut neighbour: impl FnMut(Index) -> NodeIndex,
) -> Vec<Edge> {
    let (old, new) = (
        pairs(scene, &scene.changes.old_links),
        pairs(scene, &scene.changes.new_links),
    );
    let mut found: BTreeMap<(Index, Index, Relation), (Look, Bundle)> = BTreeMap::new();
    let is_change = |index: Index| node_of.get(&index).is_some_and(|&node| node < changed);
    for (key, bundle) in old.iter().chain(&new) {
        let (from, to, _) = *key;
        if !is_change(from) && !is_change(to)
            || is_background(scene, from)
            || is_background(scene, to)
        {
            continue;
        }
        let look = match (old.contains_key(key), new.contains_key(key)) {
            (true, false) if fate_allows(scene, from, to, &Fate::Added) => Look::Removed,
            (false, true) if fate_allows(scene, from, to, &Fate::Removed) => Look::Added,
            _ => Look::Faint,
        };
        found.insert(*key, (look, bundle.clone()));
    }
    let mut around: BTreeMap<NodeIndex, BTreeSet<Index>> = BTreeMap::new();
    for (from, to, _) in found.keys() {
        for (one, other) in [(from, to), (to, from)] {
            if let (Some(&node), false) = (node_of.get(one), node_of.contains_key(other)) {
                around.entry(node).or_default().insert(*other);
            }
        }
    }
    let crowded: BTreeSet<NodeIndex> = around
        .into_iter()
        .filter(|(_, neighbours)| neighbours.len() > MOST_NEIGHBOURS)
        .map(|(node, _)| node)
        .collect();
    let mut bundles: BTreeMap<(NodeIndex, NodeIndex, Relation, u8), (Look, Bundle)> =
        BTreeMap::new();
    for ((from, to, relation), (look, bundle)) in found {
        let lonely = |one: Index, other: Index| {
            node_of.get(&one).is_some_and(|node| crowded.contains(node))
                && !node_of.contains_key(&other)
        };
        if look == Look::Faint && (lonely(from, to) || lonely(to, from)) {
            continue;
        }
        let [from, to] =
            [from, to].map(|end| *node_of.entry(end).or_insert_with(|| neighbour(end)));
        if from == to {
            continue;
        }
        let entry = bundles
            .entry((from, to, relation, look as u8))
            .or_insert((look, Bundle::default()));
        entry.1.labels.extend(bundle.labels);
        entry.1.links += bundle.links;
    }
    bundles
        .into_iter()
        .map(|((from, to, relation, _), (look, bundle))| {
            let label = edge_label(relation, &bundle.labels);
            edge(from, to, relation, look, &label, bundle.links)
        })
        .collect()
}

/// A reference that only one run has says nothing where the other run has not seen the resource itself.
fn fate_allows(scene: &Scene<'_>, from: Index, to: Index, not: &Fate) -> bool {
    [from, to].iter().all(|end| {
        !scene.changes.unknown.contains(end) && scene.changes.fates.get(end) != Some(not)
    })
}

/// What came or went with the internet.
pub(super) fn internet(from: NodeIndex, to: NodeIndex, opened: bool, links: u64) -> Edge {
    let look = if opened { Look::Added } else { Look::Removed };
    edge(from, to, Relation::Internet, look, "reachable", links)
}

fn edge(
    from: NodeIndex,
    to: NodeIndex,
    relation: Relation,
    look: Look,
    label: &str,
    links: u64,
) -> Edge {
    let sign = match look {
        Look::Added => "+ ",
        Look::Removed => "− ",
        _ => "",
    };
    Edge {
        from,
        to,
        to_frame: None,
        relation,
        label: format!("{sign}{label}").trim_end().to_owned(),
        links,
        both: false,
        look,
        loose: false,
        hops: Vec::new(),
    }
}

/// References of one run, between what shows their ends.
fn pairs(scene: &Scene<'_>, links: &[Link]) -> Pairs {
    let shown = |index: Index| Some(scene.shown(index) as NodeIndex);
    let index = |node: NodeIndex| Index::try_from(node).unwrap_or(Index::MAX);
    let mut pairs: Pairs = lift::edges(&scene.changes.facts, links, &shown)
        .into_iter()
        .map(|((from, to, relation), bundle)| ((index(from), index(to), relation), bundle))
        .collect();
    for (rule, links) in lift::group_rules(links, &shown) {
        if rule.from.len() * rule.to.len() > CROWD {
            continue;
        }
        for &from in &rule.from {
            for &to in rule.to.iter().filter(|&&to| to != from) {
                let key = (index(from), index(to), Relation::Network);
                let bundle = pairs.entry(key).or_default();
                bundle.links += links;
                if !rule.label.is_empty() {
                    bundle.labels.insert(rule.label.clone());
                }
            }
        }
    }
    pairs
}
