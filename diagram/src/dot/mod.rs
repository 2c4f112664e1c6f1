//! The DOT writer: one statement a line, in the picture's order, LF.

pub mod escape;
mod label;
pub mod palette;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::graph::lift::{NodeIndex, Relation};
use crate::picture::{Edge, Frame, FrameStyle, Look, Node, Picture, Shape};
use escape::quoted;

/// The picture in DOT.
pub fn write(picture: &Picture) -> String {
    let mut out = String::with_capacity(4_096 + 1_024 * picture.nodes.len());
    line(
        &mut out,
        0,
        &format!("digraph {} {{", quoted(&picture.stem)),
    );
    for statement in defaults(picture) {
        line(&mut out, 1, &statement);
    }
    line(&mut out, 1, "subgraph \"cluster_page\" {");
    let legend = label::legend(&picture.legend);
    line(
        &mut out,
        2,
        &format!("graph [peripheries=0, labelloc=b, labeljust=l, margin=8, label=<{legend}>];"),
    );
    frame_contents(&mut out, picture, None, 2);
    positions(&mut out, picture);
    let columns = Columns::new(picture);
    for edge in &picture.edges {
        line(&mut out, 2, &edge_statement(picture, &columns, edge));
    }
    line(&mut out, 1, "}");
    line(&mut out, 0, "}");
    out
}

/// What keeps nodes where a reader looks for them.
fn positions(out: &mut String, picture: &Picture) {
    let id = |node: NodeIndex| quoted(&picture.nodes[node].id);
    let columns = picture.columns.iter().map(|column| ("same", column));
    let ends = [
        ("min", &picture.first_column),
        ("max", &picture.last_column),
    ];
    for (rank, column) in columns.chain(ends).filter(|(_, column)| !column.is_empty()) {
        let ids: Vec<String> = column
            .iter()
            .map(|&node| format!("{};", id(node)))
            .collect();
        line(out, 2, &format!("{{ rank={rank}; {} }}", ids.join(" ")));
    }
    for (edges, weight) in [(&picture.spine, 20), (&picture.anchors, 1)] {
        for &(from, to) in edges {
            let (from, to) = (id(from), id(to));
            line(
                out,
                2,
                &format!("{from} -> {to} [style=invis, weight={weight}];"),
            );
        }
    }
    for (position, (left, right)) in picture.gaps.iter().enumerate() {
        let gap = quoted(&format!("gap{position}"));
        line(
            out,
            2,
            &format!("{gap} [shape=point, width=0.01, style=invis, label=\"\"];"),
        );
        for &node in left {
            line(out, 2, &format!("{} -> {gap} [style=invis];", id(node)));
        }
        for &node in right {
            line(out, 2, &format!("{gap} -> {} [style=invis];", id(node)));
        }
    }
}

fn line(out: &mut String, depth: usize, statement: &str) {
    // Writing to a String can't fail.
    let _ = writeln!(out, "{:indent$}{statement}", "", indent = 2 * depth);
}

fn defaults(picture: &Picture) -> [String; 3] {
    const FONT: &str = "fontname=\"Helvetica,Arial,sans-serif\"";
    [
        format!(
            "graph [rankdir=LR, newrank=true, compound=true, splines=spline, nodesep=0.22, ranksep={}, pad=0.25, \
             bgcolor=white, outputorder=edgesfirst, labelloc=t, labeljust=l, {FONT}, fontsize=12, \
             fontcolor=\"{}\", label=<{}>];",
            if picture.wide { "1.0" } else { "0.55" },
            palette::INK,
            label::caption(picture)
        ),
        format!(
            "node [shape=plain, {FONT}, fontsize=11, fontcolor=\"{}\"];",
            palette::INK
        ),
        format!(
            "edge [color=\"{}\", arrowsize=0.6, penwidth=1.1, {FONT}, fontsize=9, fontcolor=\"{}\"];",
            palette::LINE,
            palette::SOFT
        ),
    ]
}

/// The nodes directly in a frame, then the frames in it.
fn frame_contents(out: &mut String, picture: &Picture, frame: Option<usize>, depth: usize) {
    for node in picture.nodes.iter().filter(|node| node.frame == frame) {
        line(out, depth, &node_statement(node));
    }
    for (position, inner) in picture
        .frames
        .iter()
        .enumerate()
        .filter(|(_, inner)| inner.parent == frame)
    {
        line(
            out,
            depth,
            &format!("subgraph {} {{", quoted(&format!("cluster_{}", inner.id))),
        );
        line(out, depth + 1, &frame_attributes(inner));
        frame_contents(out, picture, Some(position), depth + 1);
        line(out, depth, "}");
    }
}

fn frame_attributes(frame: &Frame) -> String {
    let (style, color, fill, width) = match frame.style {
        FrameStyle::Outline => ("rounded,dashed", "#9AA1AB", "white", "1.0"),
        FrameStyle::Solid => ("rounded,filled", palette::SOFT, "white", "1.4"),
        FrameStyle::Pale => ("rounded,filled", palette::FRAME, "#F6F7F9", "1.0"),
        FrameStyle::Public => ("rounded,filled", palette::SKY, "#EFF8FD", "1.0"),
        FrameStyle::Entry => ("rounded,filled", palette::EMPTY, "#FDF6F0", "1.0"),
        FrameStyle::Data => ("rounded,filled", palette::EMPTY, "#F4F0F9", "1.0"),
        FrameStyle::Vault => ("rounded,filled", "#009E73", "#EEF6F3", "1.0"),
    };
    format!(
        "graph [peripheries=1, labelloc=t, labeljust=l, margin=12, style=\"{style}\", color=\"{color}\", \
         fillcolor=\"{fill}\", penwidth={width}, fontsize=11, label=<{}>, tooltip={}];",
        label::frame(frame),
        quoted(&frame.title)
    )
}

fn node_statement(node: &Node) -> String {
    let id = quoted(&node.id);
    if matches!(node.shape, Shape::Junction) {
        return format!(
            "{id} [id={id}, shape=circle, width=0.09, height=0.09, fixedsize=true, style=filled, label=\"\", \
             fillcolor=\"{line}\", color=\"{line}\", tooltip={}];",
            quoted(&node.title),
            line = palette::LINE
        );
    }
    let class = match node.look {
        Look::Plain if node.exposed => "card exposed",
        Look::Plain => "card",
        Look::Hot => "card hot",
        Look::Missing => "card missing",
        Look::Unknown => "card unknown",
        Look::Added => "card added",
        Look::Removed => "card removed",
        Look::Changed => "card changed",
        Look::Faint => "card faint",
    };
    let url = node
        .link
        .as_ref()
        .map(|stem| format!("URL={}, ", quoted(&format!("{stem}.svg"))))
        .unwrap_or_default();
    format!(
        "{id} [id={id}, class=\"{class}\", {url}tooltip={}, label=<{}>];",
        quoted(&node.title),
        label::node(node)
    )
}

/// From how many references on an edge of the landscape is thick.
const THICK: u64 = 10;

/// How an edge is drawn of which something is said as a whole.
fn look_of_edge(look: Look) -> Option<&'static str> {
    match look {
        Look::Plain => None,
        Look::Hot => Some("color=\"#D55E00\", penwidth=2.2, fontcolor=\"#A04000\""),
        Look::Missing => {
            Some("color=\"#D55E00\", style=dashed, arrowhead=empty, fontcolor=\"#A04000\"")
        }
        Look::Unknown => Some("style=dashed, fontcolor=\"#7A5600\""),
        Look::Added => Some("color=\"#0072B2\", penwidth=2.2, fontcolor=\"#0072B2\""),
        Look::Removed => Some("color=\"#656D76\", style=dashed, fontcolor=\"#57606A\""),
        Look::Changed => Some("color=\"#8F4E00\", penwidth=2.2, fontcolor=\"#8F4E00\""),
        Look::Faint => Some("color=\"#C9CED6\""),
    }
}

/// The columns that nodes are put into.
struct Columns(BTreeMap<NodeIndex, BTreeSet<usize>>);

impl Columns {
    fn new(picture: &Picture) -> Self {
        let mut columns: BTreeMap<NodeIndex, BTreeSet<usize>> = BTreeMap::new();
        let ends = [&picture.first_column, &picture.last_column];
        for (number, column) in picture.columns.iter().chain(ends).enumerate() {
            for &node in column {
                columns.entry(node).or_default().insert(number);
            }
        }
        Self(columns)
    }

    fn are_one(&self, from: NodeIndex, to: NodeIndex) -> bool {
        matches!((self.0.get(&from), self.0.get(&to)), (Some(one), Some(other)) if !one.is_disjoint(other))
    }
}

fn edge_statement(picture: &Picture, columns: &Columns, edge: &Edge) -> String {
    let mut attributes: Vec<String> = Vec::new();
    let (from, to) = (&picture.nodes[edge.from], &picture.nodes[edge.to]);
    let crosses = edge.relation == Relation::Dependency && from.frame != to.frame;
    if !edge.label.is_empty() {
        let text = escape::line(&edge.label, escape::LINE_CHARACTERS);
        // A label takes room between columns. Within one column there is none, and `dot` gives up on it ("trouble in
        // init_rank"); an outer label is placed when all else stands.
        let label = if columns.are_one(edge.from, edge.to) {
            "xlabel"
        } else {
            "label"
        };
        attributes.push(format!("{label}=< {text} >"));
    }
    if let Some(frame) = edge.to_frame {
        let frame = format!("cluster_{}", picture.frames[frame].id);
        attributes.push(format!("lhead={}", quoted(&frame)));
    }
    attributes.extend(look_of_edge(edge.look).map(str::to_owned));
    match edge.relation {
        _ if edge.look != Look::Plain => {}
        Relation::Internet => attributes.push(format!(
            "color=\"{}\", penwidth=2, fontcolor=\"{}\"",
            palette::VERMILION,
            palette::VERMILION_TEXT
        )),
        Relation::Network | Relation::Event => {}
        Relation::Dns => attributes.push("style=dashed".to_owned()),
        Relation::Iam => attributes.push("style=dotted".to_owned()),
        Relation::Replication => attributes.push("penwidth=2.6".to_owned()),
        Relation::Backup => attributes.push("style=dashed, arrowhead=empty".to_owned()),
        Relation::Dependency if crosses => {
            attributes.push(format!(
                "color=\"{}\", penwidth=0.9, weight=0",
                palette::BORDER
            ));
            if picture.gaps.is_empty() {
                // Stacked environments are laid out by themselves, whatever leads from one into another.
                attributes.push("constraint=false".to_owned());
            }
        }
        Relation::Dependency if edge.links >= THICK => attributes.push("penwidth=2.6".to_owned()),
        Relation::Dependency => {}
    }
    if edge.loose {
        attributes.push("constraint=false".to_owned());
    }
    // Between environments beside each other, every statement runs from left to right, as its line does.
    let backwards = crosses && !picture.gaps.is_empty() && from.frame > to.frame;
    if edge.both {
        attributes.push("dir=both".to_owned());
    } else if backwards {
        attributes.push("dir=back".to_owned());
    }
    if matches!(to.shape, Shape::Junction) {
        attributes.push("arrowhead=none".to_owned());
    }
    let reached = edge
        .to_frame
        .map_or(&to.title, |frame| &picture.frames[frame].title);
    let mut tooltip = format!("{} → {reached}: ", from.title);
    if edge.hops.is_empty() {
        tooltip.push_str(&crate::picture::count(edge.links, "reference"));
    } else {
        tooltip.push_str(&edge.hops.join(", "));
    }
    attributes.push(format!("edgetooltip={}", quoted(&tooltip)));
    let (from, to) = if backwards { (to, from) } else { (from, to) };
    format!(
        "{} -> {} [{}];",
        quoted(&from.id),
        quoted(&to.id),
        attributes.join(", ")
    )
}

/// Nodes in columns of a readable height: each column a rank, and a spine that keeps the columns in order. A last column of
/// a few is evened out.
pub fn columns(
    nodes: &[NodeIndex],
    height: usize,
) -> (Vec<Vec<NodeIndex>>, Vec<(NodeIndex, NodeIndex)>) {
    let mut height = height.max(1);
    let rest = nodes.len() % height;
    if nodes.len() > height && rest > 0 && rest * 4 <= height {
        height = nodes.len().div_ceil(nodes.len().div_ceil(height));
    }
    let columns: Vec<Vec<NodeIndex>> = nodes.chunks(height).map(<[NodeIndex]>::to_vec).collect();
    let spine = columns
        .iter()
        .zip(columns.iter().skip(1))
        .map(|(left, right)| (left[0], right[0]))
        .collect();
    (columns, spine)
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn a_last_column_of_a_few_is_evened_out() {
        let heights = |number: usize| -> Vec<usize> {
            let nodes: Vec<usize> = (0..number).collect();
            let (columns, _) = columns(&nodes, 12);
            assert_eq!(columns.concat(), nodes);
            columns.iter().map(Vec::len).collect()
        };
        assert_eq!(heights(0), [0; 0]);
        assert_eq!(heights(12), [12]);
        assert_eq!(heights(13), [7, 6]);
        assert_eq!(heights(16), [12, 4]);
        assert_eq!(heights(25), [9, 9, 7]);
    }
}
