//! Arrows of the `landscape`: which references make one card need another.

use std::collections::BTreeMap;

use super::cards::Card;
use crate::facts::{Facts, Index, Link};
use crate::graph::lift::{self, Bundle, Edges, NodeIndex, Relation};
use crate::picture::Edge;

/// Who needs whom, card by card.
pub(super) fn dependencies(facts: &Facts, selected: &[Index], cards: &[Card]) -> Edges {
    let mut card_of: Vec<Option<NodeIndex>> = vec![None; facts.resources.len()];
    for (card, (_, members)) in cards.iter().enumerate() {
        members
            .iter()
            .for_each(|&member| card_of[member as usize] = Some(card));
    }
    debug_assert!(
        selected
            .iter()
            .all(|&index| card_of[index as usize].is_some())
    );
    let card = |index: Index| card_of[index as usize];
    let mut edges = Edges::new();
    for link in &facts.links {
        let (Some(from), Some(to)) = (link.from.and_then(card), link.to.and_then(card)) else {
            continue;
        };
        if let Some(against) = needs(link)
            && from != to
        {
            let ends = if against { (to, from) } else { (from, to) };
            edges
                .entry((ends.0, ends.1, Relation::Dependency))
                .or_default()
                .links += 1;
        }
    }
    add_group_rules(facts, &card, &mut edges);
    edges
}

/// Whether a reference is a dependency, and whether the one referred to is the one that depends.
fn needs(link: &Link) -> Option<bool> {
    match link.kind.as_str() {
        "targets" | "uses" | "runs_as" | "replica_of" | "notifies" | "dead_letters_to"
        | "encrypted_with" | "logs_to" => Some(false),
        // What a name leads to can't be found without the zone; what an event starts does nothing without its source.
        "alias_of" | "triggers" => Some(true),
        _ => None,
    }
}

/// More cards than this on a side of one rule are no dependency of anybody, but a group that everything is in.
const CROWD: usize = 40;

fn add_group_rules(facts: &Facts, card: &dyn Fn(Index) -> Option<NodeIndex>, edges: &mut Edges) {
    for (rule, links) in lift::group_rules(&facts.links, card) {
        if rule.from.len() > CROWD || rule.to.len() > CROWD {
            continue;
        }
        for &from in &rule.from {
            for &to in rule.to.iter().filter(|&&to| to != from) {
                let bundle: &mut Bundle =
                    edges.entry((from, to, Relation::Dependency)).or_default();
                bundle.links += links;
            }
        }
    }
}

/// Takes the edges of cards without a system away: whatever they lead to, they are no dependency of anybody. Gives
/// the number of references by card.
pub(super) fn take_untagged(edges: &mut Edges, cards: &[Card]) -> BTreeMap<NodeIndex, u64> {
    let is_untagged = |node: NodeIndex| cards[node].0.1.as_deref() == Some("");
    let mut links: BTreeMap<NodeIndex, u64> = BTreeMap::new();
    edges.retain(|&(from, to, _), bundle| {
        let ends: Vec<NodeIndex> = [from, to]
            .into_iter()
            .filter(|&end| is_untagged(end))
            .collect();
        for &end in &ends {
            *links.entry(end).or_default() += bundle.links;
        }
        ends.is_empty()
    });
    links
}

/// Two cards that need each other have one edge, in the direction of the stronger need, with an arrow at each end.
pub(super) fn one_per_pair(edges: Vec<Edge>) -> Vec<Edge> {
    let links: BTreeMap<(NodeIndex, NodeIndex), u64> = edges
        .iter()
        .map(|edge| ((edge.from, edge.to), edge.links))
        .collect();
    edges
        .into_iter()
        .filter_map(|mut edge| {
            let back = links.get(&(edge.to, edge.from)).copied().unwrap_or(0);
            if back > edge.links || (back == edge.links && edge.to < edge.from) {
                return None;
            }
            edge.both = back > 0;
            edge.links += back;
            Some(edge)
        })
        .collect()
}
