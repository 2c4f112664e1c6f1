//! Small pictures as Mermaid, for pages that draw it themselves. It has no layout to speak of: what Graphviz draws well with
//! fifty nodes, Mermaid draws as a knot, so larger pictures are refused.
//!
//! Invariants: ids are our own; text is quoted, and everything in it but letters, digits and a few signs is an entity.

use std::fmt::Write as _;

use handoff::shell::Hinted;

use crate::dot::escape::visible;
use crate::graph::lift::Relation;
use crate::look::{Look, Verdict};
use crate::picture::{Edge, Node, Picture, Shape, count, grouped};

/// Nodes that a Mermaid picture may have.
pub const MOST_NODES: usize = 60;
/// Edges that a Mermaid picture may have.
pub const MOST_EDGES: usize = 120;

/// The picture in Mermaid.
///
/// # Errors
/// When the picture is too large.
pub fn write(picture: &Picture) -> Result<String, Hinted> {
    let (nodes, edges) = (picture.nodes.len(), picture.edges.len());
    if nodes > MOST_NODES || edges > MOST_EDGES {
        return Err(Hinted::new(
            format!(
                "{}: {} and {}, Mermaid is for up to {MOST_NODES} and {MOST_EDGES}",
                picture.stem,
                count(nodes as u64, "node"),
                count(edges as u64, "edge")
            ),
            "narrow the filter, lower --max-nodes, or take --format dot",
        ));
    }
    let mut out = String::from("flowchart LR\n");
    contents(&mut out, picture, None, 1);
    for edge in &picture.edges {
        line(&mut out, 1, &arrow(picture, edge));
    }
    for (name, style) in CLASSES {
        let members: Vec<&str> = picture
            .nodes
            .iter()
            .filter(|node| class(node) == Some(name))
            .map(|node| node.id.as_str())
            .collect();
        if !members.is_empty() {
            line(&mut out, 1, &format!("classDef {name} {style}"));
            line(&mut out, 1, &format!("class {} {name}", members.join(",")));
        }
    }
    Ok(out)
}

/// Looks of nodes; colours are those of the palette.
const CLASSES: [(&str, &str); 7] = [
    ("exposed", "stroke:#D55E00,stroke-width:2px"),
    ("outside", "stroke-dasharray:4 3"),
    (
        "missing",
        "fill:#FFF4EC,stroke:#D55E00,stroke-width:2px,stroke-dasharray:4 3",
    ),
    ("added", "fill:#EAF3FA,stroke:#0072B2,stroke-width:2px"),
    (
        "removed",
        "fill:#F4F5F7,stroke:#656D76,stroke-dasharray:4 3",
    ),
    ("changed", "fill:#FDF3E7,stroke:#8F4E00,stroke-width:2px"),
    ("faint", "stroke:#C9CED6,color:#656D76"),
];

fn class(node: &Node) -> Option<&'static str> {
    match node.look {
        Look::Missing => Some("missing"),
        Look::Added => Some("added"),
        Look::Removed => Some("removed"),
        Look::Changed => Some("changed"),
        Look::Faint => Some("faint"),
        _ if node.exposed => Some("exposed"),
        _ if node.dashed => Some("outside"),
        _ => None,
    }
}

/// The nodes directly in a frame, then the frames in it.
fn contents(out: &mut String, picture: &Picture, frame: Option<usize>, depth: usize) {
    for node in picture.nodes.iter().filter(|node| node.frame == frame) {
        line(out, depth, &format!("{}{}", node.id, label(node)));
    }
    for (position, inner) in picture
        .frames
        .iter()
        .enumerate()
        .filter(|(_, inner)| inner.parent == frame)
    {
        let words = if inner.subtitle.is_empty() {
            text(&inner.title)
        } else {
            format!("{} {}", text(&inner.title), text(&inner.subtitle))
        };
        line(out, depth, &format!("subgraph f{}[\"{words}\"]", inner.id));
        contents(out, picture, Some(position), depth + 1);
        line(out, depth, "end");
    }
}

fn label(node: &Node) -> String {
    let lines = match &node.shape {
        Shape::Junction => return "(( ))".to_owned(),
        Shape::Card {
            badge,
            subtitle,
            lines,
            ..
        } => {
            let mut words = vec![
                format!("{} {}", text(badge), text(&node.title)),
                text(subtitle),
            ];
            words.extend(lines.iter().map(|phrases| {
                let phrases: Vec<String> = phrases
                    .iter()
                    .map(|phrase| format!("{}{}", mark(phrase.verdict), text(&phrase.text)))
                    .collect();
                phrases.join(" ")
            }));
            words
        }
        Shape::System {
            resources, owner, ..
        } => vec![
            format!("{} {}", text(&node.title), grouped(*resources as u64)),
            text(owner),
        ],
    };
    let lines: Vec<String> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    format!("[\"{}\"]", lines.join("<br/>"))
}

fn mark(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Met) => "✓ ",
        Some(Verdict::Missed) => "✗ ",
        Some(Verdict::Unknown) => "? ",
        None => "",
    }
}

fn arrow(picture: &Picture, edge: &Edge) -> String {
    let from = &picture.nodes[edge.from].id;
    let to = match edge.to_frame {
        Some(frame) => format!("f{}", picture.frames[frame].id),
        None => picture.nodes[edge.to].id.clone(),
    };
    let shaft = match (edge.look, edge.relation) {
        (Look::Hot | Look::Added | Look::Changed, _) | (Look::Plain, Relation::Replication) => {
            "==>"
        }
        (Look::Missing | Look::Unknown | Look::Removed, _)
        | (Look::Plain, Relation::Dns | Relation::Iam | Relation::Backup) => "-.->",
        _ => "-->",
    };
    let shaft = if edge.both {
        format!("<{shaft}")
    } else {
        shaft.to_owned()
    };
    if edge.label.is_empty() {
        format!("{from} {shaft} {to}")
    } else {
        format!("{from} {shaft}|\"{}\"| {to}", text(&edge.label))
    }
}

/// Text that is neither markup nor Mermaid.
fn text(from_outside: &str) -> String {
    let mut escaped = String::with_capacity(from_outside.len());
    for c in handoff::text::elide_middle(&visible(from_outside), 60).chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | ',' | '·' | '×' | '…' | '→')
        {
            escaped.push(c);
        } else {
            // Writing to a String can't fail.
            let _ = write!(escaped, "#{};", u32::from(c));
        }
    }
    escaped
}

fn line(out: &mut String, depth: usize, statement: &str) {
    let _ = writeln!(out, "{:indent$}{statement}", "", indent = 2 * depth);
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(
            text("a\"]; click x <b>\n`#"),
            "a#34;#93;#59; click x #60;b#62;#96;#35;"
        );
    }
}
