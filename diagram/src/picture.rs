//! A picture before it is DOT: frames, nodes, edges, and the account of every resource. Views make it; the DOT writer
//! and the JSON come from it.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::facts::Findings;
use crate::graph::Filter;
use crate::graph::lift::{NodeIndex, Relation};
use crate::kinds::Category;
pub use crate::look::{Look, Phrase, Verdict};

/// A finished picture.
#[derive(Debug, Default)]
pub struct Picture {
    /// The view that made it.
    pub view: &'static str,
    /// Name of its files, without ending: our own letters only.
    pub stem: String,
    /// The run it shows.
    pub run: String,
    /// What it was restricted to.
    pub filter: Filter,
    /// First words of the caption.
    pub title: String,
    /// The rest of the caption, in parts.
    pub caption: Vec<String>,
    /// What is missing from it, or was done against the rules; each is worth a warning.
    pub warnings: Vec<String>,
    /// Whether something is missing that the exit code has to tell.
    pub partial: bool,
    /// Frames; a frame's parent comes before it.
    pub frames: Vec<Frame>,
    /// Nodes, in the order of their statements.
    pub nodes: Vec<Node>,
    /// Edges, in the order of their statements.
    pub edges: Vec<Edge>,
    /// Nodes that stand in one column.
    pub columns: Vec<Vec<NodeIndex>>,
    /// Invisible edges that keep the columns in order.
    pub spine: Vec<(NodeIndex, NodeIndex)>,
    /// Invisible edges that keep one node right of another, however far above or below.
    pub anchors: Vec<(NodeIndex, NodeIndex)>,
    /// Nodes with which one part of the picture ends, and those with which the part to its right begins.
    pub gaps: Vec<(Vec<NodeIndex>, Vec<NodeIndex>)>,
    /// Nodes further left than all others.
    pub first_column: Vec<NodeIndex>,
    /// Nodes further right than all others.
    pub last_column: Vec<NodeIndex>,
    /// The account of every resource that the filter admits.
    pub account: Account,
    /// What the legend explains.
    pub legend: Vec<Sign>,
    /// Whether columns stand further apart, for edges with long labels.
    pub wide: bool,
}

/// A sign that the legend explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// A badge's colour.
    Category(Category),
    /// The border of what is reachable from the internet.
    Exposed,
    /// The marks of findings.
    Findings,
    /// The stars of importance.
    Stars,
    /// The marks of what is asked for and held against what is there.
    Verdicts,
    /// Words.
    Text(String),
}

impl Picture {
    /// Puts lanes beside each other from left to right, each in columns of at most `height` nodes.
    pub fn stand(&mut self, lanes: impl IntoIterator<Item = Vec<NodeIndex>>, height: usize) {
        let mut before: Option<NodeIndex> = None;
        for nodes in lanes {
            let (columns, spine) = crate::dot::columns(&nodes, height);
            if let (Some(before), Some(&first)) = (before, nodes.first()) {
                self.spine.push((before, first));
            }
            before = columns.last().map(|last| last[0]).or(before);
            self.columns.extend(columns);
            self.spine.extend(spine);
        }
    }
}

/// What happened to the resources.
#[derive(Debug, Default)]
pub struct Account {
    /// Resources that the filter admits.
    pub resources: usize,
    /// Resources that are a node or a frame, or the first of those that a node stands for.
    pub drawn: usize,
    /// Resources shown by a node or frame together with others.
    pub folded: usize,
    /// ARNs that are not in the picture, and why.
    pub omitted: Vec<(String, String)>,
}

impl Account {
    /// Of a view whose nodes have resources for members and whose frames have none: the selected resources, each by its ARN, with
    /// the reason why it is omitted if it is no member.
    pub fn of_members<'a>(
        nodes: &[Node],
        selected: impl ExactSizeIterator<Item = (&'a str, &'static str)>,
    ) -> Self {
        let members: BTreeSet<&str> = nodes
            .iter()
            .flat_map(|node| &node.members)
            .map(String::as_str)
            .collect();
        let drawn = nodes.iter().filter(|node| !node.members.is_empty()).count();
        Self {
            resources: selected.len(),
            drawn,
            folded: members.len() - drawn,
            omitted: selected
                .filter(|(arn, _)| !members.contains(arn))
                .map(|(arn, reason)| (arn.to_owned(), reason.to_owned()))
                .collect(),
        }
    }

    /// `31 resources: 17 drawn, 14 folded, 0 omitted`.
    pub fn sentence(&self) -> String {
        format!(
            "{}: {} drawn, {} folded, {} omitted",
            count(self.resources as u64, "resource"),
            grouped(self.drawn as u64),
            grouped(self.folded as u64),
            grouped(self.omitted.len() as u64)
        )
    }
}

/// How a frame is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrameStyle {
    /// Dashed on white: regions, other systems.
    Outline,
    /// A firm border on white: VPCs.
    Solid,
    /// Pale grey: services, tiers without a way in.
    Pale,
    /// Pale blue: public subnets, and where standbys are.
    Public,
    /// Pale orange: where the internet comes in.
    Entry,
    /// Pale violet: data.
    Data,
    /// Pale green: where backups are kept.
    Vault,
}

/// A cluster.
#[derive(Debug, Serialize)]
pub struct Frame {
    /// Id in DOT.
    pub id: String,
    /// Position of the frame around it.
    pub parent: Option<usize>,
    /// First words of its label.
    pub title: String,
    /// The rest of its label.
    pub subtitle: String,
    /// Findings on the resources it stands for.
    pub findings: Findings,
    /// Filled stars of three, when it stands for a tagged resource.
    pub stars: Option<u8>,
    /// How it is drawn.
    pub style: FrameStyle,
    /// ARNs it stands for.
    pub members: Vec<String>,
}

impl Frame {
    /// A frame around nodes, in no other frame, that stands for nothing itself.
    pub fn plain(id: String, title: &str, subtitle: &str, style: FrameStyle) -> Self {
        Self {
            id,
            parent: None,
            title: title.to_owned(),
            subtitle: subtitle.to_owned(),
            findings: Findings::default(),
            stars: None,
            style,
            members: Vec::new(),
        }
    }
}

/// What a node looks like.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase", tag = "shape")]
pub enum Shape {
    /// A resource, a group of them, or something outside.
    Card {
        /// Text badge.
        badge: String,
        /// Colour of the badge.
        category: Category,
        /// Second line.
        subtitle: String,
        /// Filled stars of three, when it has an importance.
        stars: Option<u8>,
        /// Targets that so many nodes use that edges to them would hide the rest.
        uses: Vec<String>,
        /// Names by which another system's zones know it.
        names: Vec<String>,
        /// Further lines, each of a few phrases.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        lines: Vec<Vec<Phrase>>,
    },
    /// A system.
    System {
        /// Number of resources.
        resources: usize,
        /// Who answers for it.
        owner: String,
        /// What its edges don't show.
        note: String,
        /// Required tags that are there, and that there should be.
        tags: Option<(u64, u64)>,
        /// Demands of DR tags that are met, and that there are.
        dr: Option<(u64, u64)>,
        /// Whether findings are known at all.
        judged: bool,
        /// Hubs, as on a card.
        uses: Vec<String>,
    },
    /// A security group's rule between many nodes.
    Junction,
}

/// A node.
#[derive(Clone, Debug, Serialize)]
pub struct Node {
    /// Id in DOT.
    pub id: String,
    /// First line, before it is shortened.
    pub title: String,
    /// What it looks like.
    #[serde(flatten)]
    pub shape: Shape,
    /// Findings on all it stands for.
    pub findings: Findings,
    /// Reachable from the internet.
    pub exposed: bool,
    /// Untagged, outside or missing.
    pub dashed: bool,
    /// What is said of it as a whole.
    #[serde(skip_serializing_if = "Look::is_plain")]
    pub look: Look,
    /// Stem of the picture that shows more of it.
    pub link: Option<String>,
    /// Position of its frame.
    pub frame: Option<usize>,
    /// ARNs it stands for, the first of which is drawn and the others folded.
    pub members: Vec<String>,
}

impl Node {
    /// A card that stands for nothing yet.
    pub fn card(
        id: String,
        title: String,
        badge: &str,
        category: Category,
        subtitle: String,
    ) -> Self {
        Self {
            id,
            title,
            shape: Shape::Card {
                badge: badge.to_owned(),
                category,
                subtitle,
                stars: None,
                uses: Vec::new(),
                names: Vec::new(),
                lines: Vec::new(),
            },
            findings: Findings::default(),
            exposed: false,
            dashed: false,
            look: Look::Plain,
            link: None,
            frame: None,
            members: Vec::new(),
        }
    }

    /// The same, with further lines where it is a card.
    pub fn with_lines(mut self, more: Vec<Vec<Phrase>>) -> Self {
        if let Shape::Card { lines, .. } = &mut self.shape {
            lines.extend(more);
        }
        self
    }
}

/// An edge.
#[derive(Debug)]
pub struct Edge {
    /// Where it starts.
    pub from: NodeIndex,
    /// Where its arrow points.
    pub to: NodeIndex,
    /// Position of the frame that it points to as a whole, if it does; `to` is a node in it.
    pub to_frame: Option<usize>,
    /// What it means.
    pub relation: Relation,
    /// What is printed on it.
    pub label: String,
    /// References behind it.
    pub links: u64,
    /// Whether it stands for references in the other direction, too.
    pub both: bool,
    /// What is said of it as a whole.
    pub look: Look,
    /// Whether its ends stand where they would without it.
    pub loose: bool,
    /// What lets one of its paths on, link by link.
    pub hops: Vec<String>,
}

impl Picture {
    /// Notes what could not be collected: said in the caption, as a warning, and by the exit code.
    pub fn note_missing(&mut self, missing: Option<String>) {
        self.partial |= missing.is_some();
        self.warnings.extend(missing);
    }

    /// The picture as JSON: what each node and frame stands for, and what was left out.
    pub fn json(&self) -> String {
        let frames: Vec<Value> = self
            .frames
            .iter()
            .map(|frame| {
                let mut value = json!(frame);
                value["parent"] = json!(frame.parent.map(|parent| &self.frames[parent].id));
                value
            })
            .collect();
        let nodes: Vec<Value> = self
            .nodes
            .iter()
            .map(|node| {
                let mut value = json!(node);
                value["frame"] = json!(node.frame.map(|frame| &self.frames[frame].id));
                value
            })
            .collect();
        let edges: Vec<Value> = self
            .edges
            .iter()
            .map(|edge| {
                let from = &self.nodes[edge.from].id;
                let to = edge.to_frame.map_or(&self.nodes[edge.to].id, |frame| &self.frames[frame].id);
                let mut value = json!({ "from": from, "to": to, "relation": edge.relation, "label": edge.label, "links": edge.links, "both": edge.both });
                if !edge.look.is_plain() {
                    value["look"] = json!(edge.look);
                }
                if !edge.hops.is_empty() {
                    value["hops"] = json!(edge.hops);
                }
                value
            })
            .collect();
        let omitted: Vec<Value> = self
            .account
            .omitted
            .iter()
            .map(|(arn, reason)| json!({ "arn": arn, "reason": reason }))
            .collect();
        let document = json!({
            "view": self.view,
            "run": self.run,
            "title": self.title,
            "caption": self.caption,
            "filter": self.filter,
            "resources": {
                "total": self.account.resources,
                "drawn": self.account.drawn,
                "folded": self.account.folded,
                "omitted": self.account.omitted.len(),
            },
            "frames": frames,
            "nodes": nodes,
            "edges": edges,
            "omitted": omitted,
        });
        // `{:#}` of a JSON value is its indented form and can't fail.
        format!("{document:#}\n")
    }
}

/// An id from a hash, which no tag value can break out of.
pub fn hashed_id(prefix: &str, text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{prefix}{hex}")
}

/// A file's stem from a name: lower-case letters, digits and hyphens, with a hash where that lost something.
pub fn slug(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' {
                c
            } else {
                '-'
            }
        })
        .collect();
    if plain == name && (1..=60).contains(&plain.len()) {
        return plain;
    }
    let start: String = plain.trim_matches('-').chars().take(40).collect();
    hashed_id(
        &format!("{}-", if start.is_empty() { "x" } else { &start }),
        name,
    )
}

/// `1 resource`, `5,212 resources`.
pub fn count(number: u64, noun: &str) -> String {
    format!(
        "{} {noun}{}",
        grouped(number),
        if number == 1 { "" } else { "s" }
    )
}

/// `5,212`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            (grouped(0), grouped(999), grouped(1_000), grouped(1_234_567)),
            ("0".into(), "999".into(), "1,000".into(), "1,234,567".into())
        );
        assert_eq!(count(1, "resource"), "1 resource");
    }

    #[test]
    fn stems_are_our_own_letters_and_differ_where_names_do() {
        assert_eq!(slug("checkout"), "checkout");
        let hostile = [
            "../../etc/passwd",
            "Checkout",
            "check out",
            "javascript:alert(1)",
            "",
            "ünï",
            "a/b",
            "a.b",
        ];
        let slugs: std::collections::BTreeSet<String> =
            hostile.iter().map(|name| slug(name)).collect();
        assert_eq!(slugs.len(), hostile.len());
        assert!(
            slugs.iter().all(|slug| slug
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')),
            "{slugs:?}"
        );
    }
}
