//! On which side of the picture other systems stand: those that come in on the left, beside the internet, those that
//! are needed on the right, so that no arrow runs back through the picture. A system that does both stands on both.

use std::collections::{BTreeMap, BTreeSet};

use super::frames::Builder;
use super::outside::{Outside, drop_unused};
use crate::graph::lift::{Edges, NodeIndex, Relation};
use crate::picture::{Edge, Picture, Shape, hashed_id};
use crate::views::edge_label;

/// Names of another system's zones are words on the cards they lead to: a zone names half an account.
pub(super) fn names_as_words(picture: &mut Picture, edges: &mut Edges, outside: &Outside) {
    edges.retain(|&(from, to, relation), bundle| {
        let is_name = relation == Relation::Dns && outside.is_system(from) && to < outside.first;
        if is_name && let Shape::Card { names, .. } = &mut picture.nodes[to].shape {
            let words = edge_label(relation, &bundle.labels);
            names.push(match bundle.labels.len() {
                0 => "named".to_owned(),
                1 => format!("named {words}"),
                _ => words,
            });
        }
        !is_name
    });
}

/// One edge per pair of nodes where one of them is outside, with the labels of all it stands for.
pub(super) fn one_per_pair(edges: Vec<Edge>, outside: &Outside) -> Vec<Edge> {
    let mut kept: Vec<Edge> = Vec::with_capacity(edges.len());
    for edge in edges {
        match kept.last_mut() {
            // Edges are in order of their ends, the firmest relation first.
            Some(last)
                if (last.from, last.to) == (edge.from, edge.to)
                    && (outside.contains(edge.from) || outside.contains(edge.to)) =>
            {
                last.links += edge.links;
                if last.label.is_empty() {
                    last.label = edge.label;
                } else if !edge.label.is_empty() && edge.label != last.label {
                    last.label = format!("{}, {}", last.label, edge.label);
                }
            }
            _ => kept.push(edge),
        }
    }
    kept
}

/// Puts each system outside on its side, and takes away what nothing leads to.
pub(super) fn settle(
    picture: &mut Picture,
    built: &mut Builder,
    outside: &Outside,
    hubs: &mut BTreeMap<NodeIndex, BTreeSet<NodeIndex>>,
) {
    let (mut inbound, mut outbound) = (Vec::new(), Vec::new());
    for system in outside.systems..outside.last {
        let calls = picture.edges.iter().any(|edge| edge.from == system);
        let needed =
            hubs.contains_key(&system) || picture.edges.iter().any(|edge| edge.to == system);
        if needed {
            outbound.push(system);
        }
        if calls && needed {
            let mut twin = picture.nodes[system].clone();
            twin.id = hashed_id("o", &format!("{} inbound", twin.id));
            inbound.push(picture.nodes.len());
            for edge in picture.edges.iter_mut().filter(|edge| edge.from == system) {
                edge.from = picture.nodes.len();
            }
            picture.nodes.push(twin);
        } else if calls {
            inbound.push(system);
        }
    }
    for (key, title, systems) in [
        ("inbound", "other systems, inbound", &inbound),
        ("outbound", "other systems, outbound", &outbound),
    ] {
        for &system in systems {
            picture.nodes[system].frame = Some(built.others(key, title));
        }
    }
    let right = outside.beyond..outside.systems;
    let ids = |picture: &Picture, nodes: &[NodeIndex]| -> BTreeSet<String> {
        nodes
            .iter()
            .map(|&node| picture.nodes[node].id.clone())
            .collect()
    };
    inbound.extend(outside.first..outside.beyond);
    outbound.extend(right);
    let (left, right) = (ids(picture, &inbound), ids(picture, &outbound));
    drop_unused(picture, outside.first, outside.last, hubs);
    let among = |ids: &BTreeSet<String>| -> Vec<NodeIndex> {
        (0..picture.nodes.len())
            .filter(|&node| ids.contains(&picture.nodes[node].id))
            .collect()
    };
    (picture.first_column, picture.last_column) = (among(&left), among(&right));
}
