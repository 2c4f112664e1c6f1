//! Edges of danger. Who endangers the same cards alike does so through a dot: on the way to it stands what is asked for, on
//! the way from it what may happen, so that nothing is said that the arrows one by one would not say.

use std::collections::{BTreeMap, BTreeSet};

use super::arrows::{Aim, Arrow};
use super::cards::{Card, Cards};
use super::{Scene, words};
use crate::facts::access::{Danger, Dangers, Freedom};
use crate::graph::lift::{NodeIndex, Relation};
use crate::look::Look;
use crate::picture::{Edge, Node, Picture, Shape, hashed_id};

/// Adds the edges of all arrows, and the dots that they go through.
pub(super) fn draw(scene: &Scene<'_>, cards: &Cards, picture: &mut Picture) {
    let mut to_cards: BTreeMap<(NodeIndex, NodeIndex), &Arrow> = BTreeMap::new();
    for ((from, aim), arrow) in &cards.arrows {
        if let Aim::Card(to) = aim {
            to_cards.insert((*from, *to), arrow);
        } else {
            let edge = to_frame(scene, cards, picture, *from, aim, arrow);
            picture.edges.extend(edge);
        }
    }
    for bundle in bundles(&to_cards) {
        let arrows: Vec<_> = bundle
            .from
            .iter()
            .flat_map(|from| bundle.to.iter().map(move |to| (*from, *to)))
            .filter_map(|ends| Some((ends, to_cards.remove(&ends)?)))
            .collect();
        through_a_dot(scene, picture, &arrows);
    }
    for ((from, to), arrow) in to_cards {
        let label = words::threat(&arrow.dangers);
        picture.edges.push(edge(scene, from, to, label, &[arrow]));
    }
}

fn edge(
    scene: &Scene<'_>,
    from: NodeIndex,
    to: NodeIndex,
    label: String,
    arrows: &[&Arrow],
) -> Edge {
    let dangers = sum(arrows);
    let resources: usize = arrows.iter().map(|arrow| arrow.resources).sum();
    let is_hot = arrows.iter().any(|arrow| arrow.is_hot);
    Edge {
        from,
        to,
        to_frame: None,
        relation: Relation::Network,
        label,
        links: resources.max(1) as u64,
        both: false,
        look: words::look(Some(dangers.kinds.freest()), is_hot),
        loose: false,
        hops: words::dangers(scene, &dangers),
    }
}

fn sum(arrows: &[&Arrow]) -> Dangers {
    let mut dangers = Dangers::default();
    for arrow in arrows {
        dangers.add(&arrow.dangers);
    }
    dangers
}

/// An arrow to a whole frame, and to how much of what is in it.
fn to_frame(
    scene: &Scene<'_>,
    cards: &Cards,
    picture: &Picture,
    from: NodeIndex,
    aim: &Aim,
    arrow: &Arrow,
) -> Option<Edge> {
    let is_meant = |node: &NodeIndex| match (aim, &cards.systems[*node]) {
        (Aim::Card(card), _) => card == node,
        (Aim::System(wanted), system) => system.as_ref() == Some(wanted),
        (Aim::Everything, system) => system.is_some(),
    };
    let all: Vec<NodeIndex> = (0..cards.cards.len()).filter(is_meant).collect();
    // From its middle an arrow to a whole frame has the shortest way.
    let to = *all.get(all.len() / 2)?;
    let resources = all.iter().map(|&node| match &cards.cards[node] {
        Card::Targets(members) => members.len(),
        _ => 0,
    });
    let label = words::threat_to_many(&arrow.dangers, arrow.resources, resources.sum());
    let frame = picture.nodes[to].frame;
    Some(Edge {
        to_frame: match aim {
            Aim::Everything => frame.map(|frame| picture.frames[frame].parent.unwrap_or(frame)),
            _ => frame,
        },
        ..edge(scene, from, to, label, &[arrow])
    })
}

/// Cards each of which endangers each of some others.
#[derive(Debug, PartialEq, Eq)]
struct Bundle {
    from: BTreeSet<NodeIndex>,
    to: BTreeSet<NodeIndex>,
}

/// What is endangered, in which kinds, and whether what is asked for is asked for its destruction, too.
type Target = (NodeIndex, Vec<Danger>, bool);
/// Who endangers, and what is asked for.
type Holder = (NodeIndex, Freedom);

/// Who more than so many are is told by the same targets alone, not by what some targets have in common.
const COMPARED: usize = 60;

/// Bundles of arrows, the largest first; no arrow is in two of them.
fn bundles(arrows: &BTreeMap<(NodeIndex, NodeIndex), &Arrow>) -> Vec<Bundle> {
    let mut left: BTreeMap<Holder, BTreeSet<Target>> = BTreeMap::new();
    for (&(from, to), arrow) in arrows {
        let kinds = &arrow.dangers.kinds;
        let freest = kinds.freest();
        let alike = kinds.get(Danger::Destroy).is_none_or(|one| one == freest);
        let target = (to, kinds.iter().map(|(kind, _)| kind).collect(), alike);
        left.entry((from, freest)).or_default().insert(target);
    }
    let mut found = Vec::new();
    while let Some((holders, targets)) = largest(&left) {
        for holder in &holders {
            if let Some(of_holder) = left.get_mut(holder) {
                of_holder.retain(|target| !targets.contains(target));
            }
        }
        found.push(Bundle {
            from: holders.iter().map(|(card, _)| *card).collect(),
            to: targets.iter().map(|(card, ..)| *card).collect(),
        });
    }
    found
}

/// Holders who share targets, such that a dot saves most arrows, or the same words on three.
fn largest(left: &BTreeMap<Holder, BTreeSet<Target>>) -> Option<(Vec<Holder>, BTreeSet<Target>)> {
    let all: BTreeSet<&BTreeSet<Target>> = left.values().collect();
    let mut candidates: BTreeSet<BTreeSet<Target>> = all.iter().map(|&one| one.clone()).collect();
    if all.len() <= COMPARED {
        for one in &all {
            candidates.extend(all.iter().map(|other| *one & *other));
        }
    }
    let mut best: Option<(usize, Vec<Holder>, BTreeSet<Target>)> = None;
    for targets in candidates {
        let holders: Vec<Holder> = left
            .iter()
            .filter(|(_, of_holder)| targets.is_subset(of_holder))
            .map(|(holder, _)| *holder)
            .collect();
        let (from, to) = (holders.len(), targets.len());
        let is_one_word = targets
            .iter()
            .all(|(_, kinds, _)| Some(kinds) == targets.first().map(|(_, kinds, _)| kinds));
        if to < 2 || from * to + 1 < from + to || (from == 1 && (to < 3 || !is_one_word)) {
            continue;
        }
        let saved = from * to + 1 - from - to;
        if best.as_ref().is_none_or(|(most, ..)| saved > *most) {
            best = Some((saved, holders, targets));
        }
    }
    best.map(|(_, holders, targets)| (holders, targets))
}

fn through_a_dot(
    scene: &Scene<'_>,
    picture: &mut Picture,
    arrows: &[((NodeIndex, NodeIndex), &Arrow)],
) {
    let mut from: BTreeMap<NodeIndex, Vec<&Arrow>> = BTreeMap::new();
    let mut to: BTreeMap<NodeIndex, Vec<&Arrow>> = BTreeMap::new();
    for ((one, other), arrow) in arrows {
        from.entry(*one).or_default().push(arrow);
        to.entry(*other).or_default().push(arrow);
    }
    let words: BTreeSet<String> = to
        .values()
        .map(|arrows| words::kinds(&sum(arrows)))
        .collect();
    let dot = picture.nodes.len();
    picture
        .nodes
        .push(dot_node(picture, from.keys(), to.keys()));
    for (one, arrows) in from {
        let dangers = sum(&arrows);
        let label = if words.len() == 1 {
            words::threat(&dangers)
        } else {
            words::guard(dangers.kinds.freest())
        };
        picture.edges.push(edge(scene, one, dot, label, &arrows));
    }
    for (other, arrows) in to {
        let label = if words.len() == 1 {
            String::new()
        } else {
            words::kinds(&sum(&arrows))
        };
        picture.edges.push(edge(scene, dot, other, label, &arrows));
    }
}

fn dot_node<'a>(
    picture: &Picture,
    from: impl Iterator<Item = &'a NodeIndex>,
    to: impl Iterator<Item = &'a NodeIndex>,
) -> Node {
    let ids = |nodes: &[&NodeIndex]| {
        let ids = nodes.iter().map(|&&node| picture.nodes[node].id.as_str());
        ids.collect::<Vec<_>>().join(" ")
    };
    let (from, to): (Vec<_>, Vec<_>) = (from.collect(), to.collect());
    Node {
        shape: Shape::Junction,
        look: Look::Plain,
        ..Node::card(
            hashed_id("j", &format!("{}\u{1f}{}", ids(&from), ids(&to))),
            format!("the same {} cards", to.len()),
            "",
            crate::kinds::Category::External,
            String::new(),
        )
    }
}
