//! `diff`: what came, what went and what is different from one run to a later one, with what is around it, greyed.

mod cards;
mod edges;

use std::collections::{BTreeMap, BTreeSet};

use super::{AIM_EDGES, Request, commonest_text, missing, named};
use crate::facts::Index;
use crate::facts::change::{Changes, Fate};
use crate::graph::fold::MOST_NODES;
use crate::graph::lift::NodeIndex;
use crate::graph::parts::{Parts, is_frame};
use crate::kinds::Category;
use crate::look::Look;
use crate::picture::{Account, Node, Picture, Sign, count, grouped, hashed_id};

/// What the making of the picture knows.
struct Scene<'a> {
    changes: &'a Changes,
    /// Resources that the filter admits, sorted.
    selected: Vec<Index>,
    parts: Parts,
}

impl Scene<'_> {
    fn is_selected(&self, index: Index) -> bool {
        self.selected.binary_search(&index).is_ok()
    }

    /// What shows a resource: parts that came or went with the whole are shown by it, and so are parts that stayed as
    /// they were; a part that changed by itself stands alone.
    fn shown(&self, index: Index) -> Index {
        let root = self.parts.root(index);
        let fate = |index: Index| self.changes.fates.get(&index);
        match (fate(index), fate(root)) {
            (None, _) => root,
            (Some(Fate::Added), Some(Fate::Added)) | (Some(Fate::Removed), Some(Fate::Removed)) => {
                root
            }
            _ => index,
        }
    }
}

/// Draws the changes between two runs.
pub fn draw(changes: &Changes, request: &Request) -> Picture {
    let facts = &changes.facts;
    let everything: Vec<Index> = facts.indexes().collect();
    let scene = Scene {
        parts: Parts::new(facts, &everything),
        selected: request.filter.select(facts),
        changes,
    };
    let (title, stem) = named("diff", "what changed", "what changed", &request.filter);
    let mut picture = Picture {
        view: "diff",
        stem,
        run: request.run.clone(),
        filter: request.filter.clone(),
        title,
        wide: true,
        ..Picture::default()
    };
    let groups = cards::groups(&scene, request.max_nodes);
    let mut node_of: BTreeMap<Index, NodeIndex> = BTreeMap::new();
    for group in &groups.groups {
        for &member in &group.members {
            node_of.insert(member, picture.nodes.len());
        }
        picture.nodes.push(cards::node(&scene, group));
    }
    let changed = picture.nodes.len();
    let edges = edges::between(&scene, &mut node_of, changed, |index| {
        picture.nodes.push(cards::neighbour(&scene, index));
        picture.nodes.len() - 1
    });
    picture.edges = edges;
    internet(&scene, &mut picture, &node_of, &groups.groups);
    arrange(&mut picture);
    picture.account = account(&scene, &picture);
    picture.caption = caption(&scene, &picture.account);
    if groups.forced {
        picture.warnings.push(format!(
            "too many changes that must not be folded: folded all the same beyond {} nodes; narrow the filter",
            grouped(MOST_NODES as u64)
        ));
        picture.partial = true;
    } else if picture.edges.len() > 2 * AIM_EDGES || picture.nodes.len() > 3 * request.max_nodes {
        picture.warnings.push(format!(
            "crowded: {} and {}; narrow the filter",
            count(picture.nodes.len() as u64, "node"),
            count(picture.edges.len() as u64, "edge")
        ));
    }
    let unknown = scene
        .selected
        .iter()
        .filter(|index| changes.unknown.contains(index));
    let unknown = unknown.count() as u64;
    picture.note_missing((unknown > 0).then(|| {
        format!(
            "{} in one run only, where the other may have failed to see them: not known whether added or removed",
            count(unknown, "resource")
        )
    }));
    picture.note_missing(missing(facts, &scene.selected));
    picture.legend = legend();
    picture
}

/// What became reachable from the internet, or no longer is.
fn internet(
    scene: &Scene<'_>,
    picture: &mut Picture,
    node_of: &BTreeMap<Index, NodeIndex>,
    groups: &[cards::Group],
) {
    let mut arrows: BTreeMap<(NodeIndex, bool), u64> = BTreeMap::new();
    for group in groups {
        for &member in &group.members {
            let is = match scene.changes.fates.get(&member) {
                Some(Fate::Removed) => Some(false),
                _ => scene.changes.facts.resource(member).exposed,
            };
            let was = match scene.changes.fates.get(&member) {
                Some(Fate::Added) => Some(false),
                _ => scene.changes.was_exposed.get(&member).copied(),
            };
            if let (Some(is), Some(was)) = (is, was)
                && is != was
            {
                *arrows.entry((node_of[&member], is)).or_default() += 1;
            }
        }
    }
    if arrows.is_empty() {
        return;
    }
    let mut node = Node::card(
        hashed_id("o", "internet"),
        "Internet".to_owned(),
        "WWW",
        Category::External,
        "0.0.0.0/0, ::/0".to_owned(),
    );
    node.look = Look::Faint;
    picture.nodes.push(node);
    let from = picture.nodes.len() - 1;
    for ((to, opened), links) in arrows {
        picture.edges.push(edges::internet(from, to, opened, links));
    }
}

/// Cards without an arrow stand in columns, below what is connected.
fn arrange(picture: &mut Picture) {
    const HEIGHT: usize = 8;
    let connected: BTreeSet<NodeIndex> = picture
        .edges
        .iter()
        .flat_map(|edge| [edge.from, edge.to])
        .collect();
    let loose: Vec<NodeIndex> = (0..picture.nodes.len())
        .filter(|node| !connected.contains(node))
        .collect();
    (picture.columns, picture.spine) = crate::dot::columns(&loose, HEIGHT);
}

fn account(scene: &Scene<'_>, picture: &Picture) -> Account {
    let selected = scene.selected.iter().map(|index| {
        let reason = if scene.changes.unknown.contains(index) {
            "not known whether it was added or removed"
        } else {
            "as it was, and not next to a change"
        };
        (scene.changes.facts.resource(*index).arn.as_str(), reason)
    });
    Account::of_members(&picture.nodes, selected)
}

fn caption(scene: &Scene<'_>, account: &Account) -> Vec<String> {
    let (mut added, mut removed, mut changed, mut authored) = (0, 0, 0, 0);
    for index in &scene.selected {
        match scene.changes.fates.get(index) {
            Some(Fate::Added) => added += 1,
            Some(Fate::Removed) => removed += 1,
            Some(Fate::Changed(_)) => changed += 1,
            None => continue,
        }
        authored += u64::from(scene.changes.authors.contains_key(index));
    }
    let environments = scene
        .selected
        .iter()
        .map(|&index| scene.changes.facts.resource(index).environment.as_str());
    let mut parts = vec![
        format!("{} → {}", scene.changes.before, scene.changes.facts.as_of),
        commonest_text(environments, "no environment tag"),
        format!(
            "{} added, {} removed, {} changed",
            grouped(added),
            grouped(removed),
            grouped(changed)
        ),
    ];
    if authored > 0 {
        parts.push(format!("who did it is known of {}", grouped(authored)));
    }
    parts.push(account.sentence());
    parts
}

fn legend() -> Vec<Sign> {
    let text = |text: &str| Sign::Text(text.to_owned());
    vec![
        text("+ added (blue)   − removed (struck through, dashed)   ~ changed (brown)"),
        text("grey: as it was, next to a change"),
        text("what was not collected in both runs is not compared"),
        Sign::Findings,
        Sign::Stars,
    ]
}

/// Pieces of network that everything is connected to say nothing as neighbours.
fn is_background(scene: &Scene<'_>, index: Index) -> bool {
    is_frame(&scene.changes.facts.resource(index).resource_type)
}
