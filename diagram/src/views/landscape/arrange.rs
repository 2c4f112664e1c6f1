//! Where cards of the `landscape` stand: environments beside each other, each from what needs to what is needed.

use std::collections::BTreeSet;

use crate::graph::lift::NodeIndex;
use crate::picture::Picture;

/// Columns of cards that fit beside each other; with more, environments are stacked as Graphviz likes.
const MOST_COLUMNS: usize = 9;
/// Cards of one environment that don't fit into so many columns.
const MANY: usize = 200;
/// Cards without an arrow in one column.
const COLUMN: usize = 6;

/// An environment, as far as its arrows inside it tell.
#[derive(Default)]
struct Flow {
    /// Where it begins.
    first: Vec<NodeIndex>,
    /// Where it ends.
    last: Vec<NodeIndex>,
    /// Cards without an arrow.
    loose: Vec<NodeIndex>,
    /// Columns from the first to the last card.
    columns: usize,
}

/// Cards without an arrow inside their environment in columns, and environments beside each other, in order.
pub(super) fn arrange(picture: &mut Picture) {
    let flows: Vec<Flow> = (0..picture.frames.len())
        .map(|frame| flow(picture, frame))
        .collect();
    for flow in &flows {
        let (columns, spine) = crate::dot::columns(&flow.loose, COLUMN);
        picture.columns.extend(columns);
        picture.spine.extend(spine);
    }
    if flows.iter().map(|flow| flow.columns).sum::<usize>() > MOST_COLUMNS {
        return;
    }
    for (left, right) in flows.iter().zip(flows.iter().skip(1)) {
        let (mut ends, mut begins) = (left.last.clone(), right.first.clone());
        // Loose cards begin where the others do; they mark the end only where there are no others.
        if ends.is_empty() {
            ends.extend(
                left.loose
                    .chunks(COLUMN)
                    .next_back()
                    .map(|column| column[0]),
            );
        }
        begins.extend(right.loose.first());
        picture.gaps.push((ends, begins));
    }
}

/// Peels an environment column by column from the left; a circle is opened at its first card.
fn flow(picture: &Picture, frame: usize) -> Flow {
    let cards: Vec<NodeIndex> = (0..picture.nodes.len())
        .filter(|&node| picture.nodes[node].frame == Some(frame))
        .collect();
    let arrows: Vec<(NodeIndex, NodeIndex)> = picture
        .edges
        .iter()
        .map(|edge| (edge.from, edge.to))
        .filter(|(from, to)| {
            [from, to]
                .iter()
                .all(|end| cards.binary_search(end).is_ok())
        })
        .collect();
    let ends: BTreeSet<NodeIndex> = arrows.iter().flat_map(|&(from, to)| [from, to]).collect();
    let (connected, loose) = cards
        .iter()
        .partition::<Vec<NodeIndex>, _>(|card| ends.contains(card));
    if cards.len() > MANY {
        return Flow {
            loose,
            columns: MOST_COLUMNS + 1,
            ..Flow::default()
        };
    }
    let mut left: BTreeSet<NodeIndex> = connected.into_iter().collect();
    let mut flow = Flow {
        last: left
            .iter()
            .copied()
            .filter(|&card| arrows.iter().all(|&(from, _)| from != card))
            .collect(),
        columns: loose.len().div_ceil(COLUMN),
        loose,
        ..Flow::default()
    };
    let mut columns = 0;
    while !left.is_empty() {
        let waits = |card: &NodeIndex| {
            arrows
                .iter()
                .any(|(from, to)| to == card && left.contains(from))
        };
        let mut column: Vec<NodeIndex> = left.iter().copied().filter(|card| !waits(card)).collect();
        if column.is_empty() {
            column.extend(left.first());
        }
        column.iter().for_each(|card| {
            left.remove(card);
        });
        if columns == 0 {
            flow.first.clone_from(&column);
        }
        if left.is_empty() && flow.last.is_empty() {
            flow.last = column;
        }
        columns += 1;
    }
    flow.columns = flow.columns.max(columns);
    flow
}
