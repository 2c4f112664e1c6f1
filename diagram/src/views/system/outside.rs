//! What a system is connected to: the internet, other systems, and identifiers that lead out of the run.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use super::frames::Builder;
use crate::graph::lift::{Bundle, Edges, NodeIndex, Relation, label, relation};
use crate::kinds::Category;
use crate::picture::{Node, Picture, grouped, hashed_id};
use crate::views::{commonest_text, system_stem};

/// Nodes outside, and the edges that are not found among resources.
pub(super) struct Outside {
    /// The first node outside, which is the internet.
    pub first: NodeIndex,
    /// The first of what is beyond the run.
    pub beyond: NodeIndex,
    /// The first of the other systems.
    pub systems: NodeIndex,
    /// One after the last.
    pub last: NodeIndex,
    /// Edges to and from them.
    pub edges: Edges,
}

impl Outside {
    /// Whether a node is outside.
    pub(super) fn contains(&self, node: NodeIndex) -> bool {
        (self.first..self.last).contains(&node)
    }

    /// Whether a node is another system.
    pub(super) fn is_system(&self, node: NodeIndex) -> bool {
        (self.systems..self.last).contains(&node)
    }
}

/// Adds the internet, a card for each other system and one per card that leads out of the run; `drop_unused` takes
/// those away again that turn out to be connected to nothing.
pub(super) fn add(
    scene: &Scene<'_>,
    picture: &mut Picture,
    built: &mut Builder,
    node_of: &mut [Option<NodeIndex>],
) -> Outside {
    let first = picture.nodes.len();
    let mut edges = Edges::new();
    internet(scene, picture, node_of, &mut edges);
    let beyond = picture.nodes.len();
    beyond_the_run(scene, picture, built, node_of, &mut edges);
    let systems = picture.nodes.len();
    other_systems(scene, picture, node_of);
    Outside {
        first,
        beyond,
        systems,
        last: picture.nodes.len(),
        edges,
    }
}

fn card(id: &str, title: String, badge: &str, subtitle: String) -> Node {
    let mut node = Node::card(
        hashed_id("o", id),
        title,
        badge,
        Category::External,
        subtitle,
    );
    node.dashed = true;
    node
}

fn internet(
    scene: &Scene<'_>,
    picture: &mut Picture,
    node_of: &[Option<NodeIndex>],
    edges: &mut Edges,
) {
    let internet = picture.nodes.len();
    let mut node = card(
        "internet",
        "Internet".to_owned(),
        "WWW",
        "0.0.0.0/0, ::/0".to_owned(),
    );
    node.dashed = false;
    picture.nodes.push(node);
    let private: BTreeSet<_> = scene
        .facts
        .links
        .iter()
        .filter(|link| link.kind == "in_vpc")
        .filter_map(|link| link.from)
        .collect();
    for &index in scene.selected {
        let resource = scene.facts.resource(index);
        let Some(target) = node_of[index as usize] else {
            continue;
        };
        if resource.exposed == Some(true) {
            let bundle = edges
                .entry((internet, target, Relation::Internet))
                .or_default();
            bundle.labels.extend(ports(&resource.exposure));
            bundle.links += 1;
        } else if resource.resource_type == "route53:hostedzone" && !private.contains(&index) {
            let names = BTreeSet::from(["DNS".to_owned()]);
            edges.insert(
                (internet, target, Relation::Dns),
                Bundle {
                    labels: names,
                    links: 1,
                },
            );
        }
    }
}

/// The ports in a text such as `tcp/22 from 0.0.0.0/0`; the text before `from` when there are none.
fn ports(exposure: &str) -> BTreeSet<String> {
    let words = exposure.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
    let ports: BTreeSet<String> = words
        .filter_map(|word| {
            let (protocol, port) = word.split_once('/')?;
            match protocol {
                "tcp" => Some(port.to_owned()),
                "udp" => Some(format!("udp {port}")),
                _ => None,
            }
        })
        .collect();
    if ports.is_empty() && !exposure.is_empty() {
        let how = exposure.split(" from ").next().unwrap_or(exposure);
        return BTreeSet::from([how.to_owned()]);
    }
    ports
}

/// Names and events that lead to nothing in the run: another account, a partner, or something that is gone.
fn beyond_the_run(
    scene: &Scene<'_>,
    picture: &mut Picture,
    built: &mut Builder,
    node_of: &[Option<NodeIndex>],
    edges: &mut Edges,
) {
    let mut targets: BTreeMap<(NodeIndex, Relation), (BTreeSet<&str>, Bundle)> = BTreeMap::new();
    for link in &scene.facts.links {
        let (Some(from), None, Some((relation, false))) =
            (link.from, link.to, relation(scene.facts, link))
        else {
            continue;
        };
        let Some(node) = node_of[from as usize] else {
            continue;
        };
        if matches!(relation, Relation::Iam | Relation::Backup) || link.to_id.is_empty() {
            continue;
        }
        let (ids, bundle) = targets.entry((node, relation)).or_default();
        ids.insert(&link.to_id);
        bundle.labels.extend(label(link));
        bundle.links += 1;
    }
    if targets.is_empty() {
        return;
    }
    let frame = built.others("beyond", "outside this run, or gone");
    for ((from, relation), (ids, bundle)) in targets {
        let first = ids.first().copied().unwrap_or_default();
        let title = if ids.len() == 1 {
            first.to_owned()
        } else {
            format!("{} names", grouped(ids.len() as u64))
        };
        let subtitle = if ids.len() == 1 {
            "not in the run".to_owned()
        } else {
            format!("{first}, …")
        };
        let mut node = card(
            &format!("{from}{relation:?}{first}"),
            title,
            "OUT",
            subtitle,
        );
        node.frame = Some(frame);
        edges.insert((from, picture.nodes.len(), relation), bundle);
        picture.nodes.push(node);
    }
}

/// A card for each system; resources of none are nobody's neighbour, and have no edges.
fn other_systems(scene: &Scene<'_>, picture: &mut Picture, node_of: &mut [Option<NodeIndex>]) {
    let mut systems: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for index in scene.facts.indexes() {
        if scene.selected.binary_search(&index).is_err() {
            let resource = scene.facts.resource(index);
            if resource.system.is_empty() {
                continue;
            }
            systems
                .entry((&resource.system, &resource.environment))
                .or_default()
                .push(index as usize);
        }
    }
    for ((system, environment), members) in systems {
        for &member in &members {
            node_of[member] = Some(picture.nodes.len());
        }
        let owner = commonest_text(
            members
                .iter()
                .map(|&member| scene.facts.resources[member].owner.as_str()),
            "owner unknown",
        );
        let environment_text = if environment.is_empty() {
            "no environment tag"
        } else {
            environment
        };
        let mut node = card(
            &format!("{system}\u{1f}{environment}"),
            system.to_owned(),
            "SYS",
            format!("{environment_text} · {owner}"),
        );
        node.link = Some(system_stem(system));
        picture.nodes.push(node);
    }
}

/// Takes nodes outside away that no edge leads to, and renumbers the rest.
pub(super) fn drop_unused(
    picture: &mut Picture,
    first: NodeIndex,
    last: NodeIndex,
    hubs: &mut BTreeMap<NodeIndex, BTreeSet<NodeIndex>>,
) {
    let used: BTreeSet<NodeIndex> = picture
        .edges
        .iter()
        .flat_map(|edge| [edge.from, edge.to])
        .collect();
    let mut renumbered: Vec<Option<NodeIndex>> = Vec::with_capacity(picture.nodes.len());
    let mut kept = Vec::with_capacity(picture.nodes.len());
    for (position, node) in std::mem::take(&mut picture.nodes).into_iter().enumerate() {
        let drop = (first..last).contains(&position)
            && !used.contains(&position)
            && !hubs.contains_key(&position);
        renumbered.push((!drop).then_some(kept.len()));
        if !drop {
            kept.push(node);
        }
    }
    picture.nodes = kept;
    let new = |old: NodeIndex| renumbered.get(old).copied().flatten();
    picture
        .edges
        .retain_mut(|edge| match (new(edge.from), new(edge.to)) {
            (Some(from), Some(to)) => {
                (edge.from, edge.to) = (from, to);
                true
            }
            _ => false,
        });
    let renamed = std::mem::take(hubs)
        .into_iter()
        .filter_map(|(hub, users)| Some((new(hub)?, users.into_iter().filter_map(new).collect())));
    *hubs = renamed.collect();
}
