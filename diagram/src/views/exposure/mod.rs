//! `exposure`: how the internet comes in, what it reaches from there, and the way to critical data.

mod cards;
mod ways;

use std::collections::{BTreeMap, BTreeSet};

use super::{AIM_EDGES, Request, commonest_text, edge_label, missing, named, not_analyzed};
use crate::facts::reach::{End, Lane, Path};
use crate::facts::{Facts, Index};
use crate::graph::fold::MOST_NODES;
use crate::graph::lift::{NodeIndex, Relation};
use crate::graph::parts::Parts;
use crate::look::{Look, Phrase, Verdict};
use crate::picture::{
    Account, Edge, Frame, FrameStyle, Picture, Shape, Sign, count, grouped, hashed_id,
};
use ways::Ways;

/// What the making of the picture knows.
struct Scene<'a> {
    facts: &'a Facts,
    /// Resources that the filter admits, sorted.
    selected: Vec<Index>,
    parts: Parts,
    ways: Ways<'a>,
    /// Fewest steps to what each thing shows.
    steps: BTreeMap<End, u64>,
    /// What was reached and is shown by something else, by that.
    behind: BTreeMap<Index, BTreeSet<Index>>,
}

impl Scene<'_> {
    fn is_selected(&self, index: Index) -> bool {
        self.selected.binary_search(&index).is_ok()
    }

    /// Notes what is shown by what, once for all cards.
    fn note_shown(&mut self) {
        let mut steps: BTreeMap<End, u64> = BTreeMap::new();
        for (end, number) in &self.ways.steps {
            let fewest = steps.entry(self.shown(end)).or_insert(*number);
            *fewest = (*number).min(*fewest);
        }
        let mut behind: BTreeMap<Index, BTreeSet<Index>> = BTreeMap::new();
        for end in self.ways.lanes.keys() {
            if let (End::Known(index), End::Known(root)) = (end, self.shown(end))
                && *index != root
            {
                behind.entry(root).or_default().insert(*index);
            }
        }
        (self.steps, self.behind) = (steps, behind);
    }

    /// What shows an end: a machine's group, a cluster; a role stays itself.
    fn shown(&self, end: &End) -> End {
        match end {
            End::Known(index) if is_member(self.facts, *index) => {
                let root = self.parts.root(*index);
                // An interface that only a security group tells something of stays itself.
                let group = self.facts.resource(root).resource_type == "ec2:security-group";
                End::Known(if group { *index } else { root })
            }
            end => end.clone(),
        }
    }
}

fn is_member(facts: &Facts, index: Index) -> bool {
    matches!(
        facts.resource(index).resource_type.as_str(),
        "ec2:instance" | "ec2:network-interface" | "rds:db" | "elasticache:cluster"
    )
}

/// The lanes, from left to right.
const LANES: [(Lane, &str, FrameStyle); 4] = [
    (Lane::Internet, "outside", FrameStyle::Outline),
    (Lane::Entry, "entry points", FrameStyle::Entry),
    (Lane::Compute, "compute and identities", FrameStyle::Pale),
    (Lane::Data, "data", FrameStyle::Data),
];

/// Draws how the internet reaches what the filter admits.
pub fn draw(facts: &Facts, paths: &[Path], request: &Request) -> Picture {
    let selected = request.filter.select(facts);
    let is_selected = |index: Index| selected.binary_search(&index).is_ok();
    let ways = Ways::new(facts, paths, &is_selected);
    let everything: Vec<Index> = facts.indexes().collect();
    let mut scene = Scene {
        steps: BTreeMap::new(),
        behind: BTreeMap::new(),
        parts: Parts::new(facts, &everything),
        ways,
        selected: selected.clone(),
        facts,
    };
    scene.note_shown();
    let (title, stem) = named(
        "exposure",
        "internet to data",
        "exposure: internet to data",
        &request.filter,
    );
    let mut picture = Picture {
        view: "exposure",
        stem,
        run: request.run.clone(),
        filter: request.filter.clone(),
        title,
        wide: true,
        ..Picture::default()
    };
    let cards = cards::cards(&scene, request.max_nodes);
    for (lane, title, style) in LANES {
        if cards.groups.iter().any(|group| group.lane == lane) {
            let id = hashed_id("l", title);
            picture.frames.push(Frame::plain(id, title, "", style));
        }
    }
    let mut node_of: BTreeMap<End, NodeIndex> = BTreeMap::new();
    for group in &cards.groups {
        let mut node = cards::node(&scene, group);
        let title = LANES.iter().find(|(lane, ..)| *lane == group.lane);
        node.frame = title.and_then(|(_, title, _)| {
            picture
                .frames
                .iter()
                .position(|frame| frame.title == *title)
        });
        for end in &group.ends {
            node_of.insert(end.clone(), picture.nodes.len());
        }
        picture.nodes.push(node);
    }
    picture.edges = edges(&scene, &cards.groups, &node_of);
    entries_as_words(&mut picture, &cards.groups);
    if picture.edges.len() > AIM_EDGES {
        unknown_as_words(&mut picture);
    }
    arrange(&mut picture, &cards.groups);
    picture.account = account(&scene, &picture);
    picture.caption = caption(&scene, &cards.groups, &picture.account);
    if cards.forced {
        picture.warnings.push(format!(
            "too many resources that must not be folded: folded all the same beyond {} nodes; narrow the filter",
            grouped(MOST_NODES as u64)
        ));
        picture.partial = true;
    } else if picture.edges.len() > 2 * AIM_EDGES || picture.nodes.len() > 2 * request.max_nodes {
        picture.warnings.push(format!(
            "crowded: {} and {}; narrow the filter",
            count(picture.nodes.len() as u64, "node"),
            count(picture.edges.len() as u64, "edge")
        ));
    }
    picture.warnings.extend(not_analyzed(facts));
    picture.note_missing(missing(facts, &selected));
    picture.legend = legend();
    picture
}

/// One arrow per pair of cards and way of getting there; paths that are not known have one of their own.
fn edges(
    scene: &Scene<'_>,
    groups: &[cards::Group],
    node_of: &BTreeMap<End, NodeIndex>,
) -> Vec<Edge> {
    #[derive(Default)]
    struct Bundle {
        labels: BTreeSet<String>,
        hops: BTreeSet<Vec<String>>,
        links: u64,
        hot: bool,
    }
    let mut bundles: BTreeMap<(NodeIndex, NodeIndex, bool, bool), Bundle> = BTreeMap::new();
    for (path, hot) in &scene.ways.paths {
        let ends = [&path.from, &path.to].map(|end| node_of.get(&scene.shown(end)).copied());
        let [Some(from), Some(to)] = ends else {
            continue;
        };
        if from == to {
            continue;
        }
        let network = !path.ports.is_empty();
        let bundle = bundles.entry((from, to, path.open, network)).or_default();
        bundle.labels.extend(label(scene, path));
        bundle.hops.insert(path.hops.clone());
        bundle.links += 1;
        bundle.hot |= hot;
    }
    let draw =
        |((from, to, open, network), bundle): ((NodeIndex, NodeIndex, bool, bool), Bundle)| {
            let relation = if network {
                Relation::Network
            } else {
                Relation::Iam
            };
            let label = edge_label(relation, &bundle.labels);
            Edge {
                from,
                to,
                to_frame: None,
                relation,
                label: if open {
                    label
                } else {
                    format!("? {label}").trim_end().to_owned()
                },
                links: bundle.links,
                both: false,
                look: match (open, bundle.hot) {
                    (false, _) => Look::Unknown,
                    (true, true) => Look::Hot,
                    (true, false) => Look::Plain,
                },
                loose: groups[from].lane >= groups[to].lane,
                hops: bundle.hops.into_iter().next().unwrap_or_default(),
            }
        };
    bundles.into_iter().map(draw).collect()
}

/// Arrows from one card outside beyond which only those on the way to critical data are drawn.
const MOST_ENTRIES: usize = 8;

/// Where one comes in everywhere, the cards say so instead of arrows, each of which would cross all others.
fn entries_as_words(picture: &mut Picture, groups: &[cards::Group]) {
    let mut entries: BTreeMap<NodeIndex, usize> = BTreeMap::new();
    for edge in &picture.edges {
        if groups[edge.from].lane == Lane::Internet {
            *entries.entry(edge.from).or_default() += 1;
        }
    }
    entries.retain(|_, number| *number > MOST_ENTRIES);
    let is_said = |edge: &Edge| edge.look != Look::Hot && entries.contains_key(&edge.from);
    let (said, drawn) = std::mem::take(&mut picture.edges)
        .into_iter()
        .partition(is_said);
    picture.edges = drawn;
    for edge in said {
        let label = edge.label.trim_start_matches("? ");
        let text = match (&picture.nodes[edge.from].title, label) {
            (from, "") => format!("from {from}"),
            (from, label) => format!("from {from}: {label}"),
        };
        let phrase = match edge.look {
            Look::Unknown => Phrase::judged(Verdict::Unknown, text),
            _ => Phrase::plain(text),
        };
        if let Shape::Card { lines, .. } = &mut picture.nodes[edge.to].shape {
            lines.push(vec![phrase]);
        }
    }
}

/// In a crowded picture, what is not known is said on the cards: where it may lead from here, how many cards may lead here.
fn unknown_as_words(picture: &mut Picture) {
    let mut counts: BTreeMap<(NodeIndex, &str), u64> = BTreeMap::new();
    picture.edges.retain(|edge| {
        let unknown = edge.look == Look::Unknown;
        if unknown {
            *counts.entry((edge.from, "perhaps on to")).or_default() += 1;
            *counts.entry((edge.to, "perhaps from")).or_default() += 1;
        }
        !unknown
    });
    for ((node, words), number) in counts {
        let text = format!("{words} {}", count(number, "card"));
        let line = vec![Phrase::judged(Verdict::Unknown, text)];
        if let Shape::Card { lines, .. } = &mut picture.nodes[node].shape {
            lines.push(line);
        }
    }
}

/// The port, or what else lets a path through.
fn label(scene: &Scene<'_>, path: &Path) -> Option<String> {
    if !path.ports.is_empty() {
        return Some(path.ports.clone());
    }
    let is_role = |end: &End| matches!(end, End::Known(index) if scene.facts.resource(*index).resource_type == "iam:role");
    if is_role(&path.to) {
        return Some(
            if path.step == 1 {
                "AssumeRole"
            } else {
                "runs as"
            }
            .to_owned(),
        );
    }
    if is_role(&path.from) {
        return Some("IAM".to_owned());
    }
    (path.step == 1)
        .then(|| path.words.clone())
        .filter(|words| !words.is_empty())
}

/// Lanes are columns; long ones are several.
fn arrange(picture: &mut Picture, groups: &[cards::Group]) {
    const HEIGHT: usize = 14;
    let of = |(lane, ..): (Lane, &str, FrameStyle)| {
        let nodes = 0..groups.len();
        nodes.filter(|&node| groups[node].lane == lane).collect()
    };
    picture.stand(LANES.map(of), HEIGHT);
}

fn account(scene: &Scene<'_>, picture: &Picture) -> Account {
    let selected = scene.selected.iter().map(|&index| {
        let resource = scene.facts.resource(index);
        let reason = if resource.exposed.is_none() {
            "whether the internet reaches it is not known"
        } else {
            "no known way leads there from the internet"
        };
        (resource.arn.as_str(), reason)
    });
    Account::of_members(&picture.nodes, selected)
}

fn caption(scene: &Scene<'_>, groups: &[cards::Group], account: &Account) -> Vec<String> {
    let environments = scene
        .selected
        .iter()
        .map(|&index| scene.facts.resource(index).environment.as_str());
    let ends = |lane: Lane| {
        groups
            .iter()
            .filter(move |group| group.lane == lane)
            .flat_map(|group| &group.ends)
            .filter(|end| matches!(end, End::Known(index) if scene.is_selected(*index)))
    };
    let entries = ends(Lane::Entry).count() as u64;
    let stores: Vec<u64> = ends(Lane::Data)
        .filter_map(|end| cards::steps(scene, end))
        .collect();
    let unknown = ends(Lane::Entry)
        .chain(ends(Lane::Compute))
        .chain(ends(Lane::Data))
        .filter(|end| cards::steps(scene, end).is_none())
        .count() as u64;
    let critical: BTreeSet<&End> = scene
        .ways
        .paths
        .iter()
        .filter(|(path, hot)| *hot && ways::is_critical_data(scene.facts, &path.to))
        .map(|(path, _)| &path.to)
        .collect();
    let mut parts = vec![
        commonest_text(environments, "no environment tag"),
        count(entries, "entry point"),
    ];
    parts.push(match stores.iter().max() {
        Some(most) => format!(
            "{} within {}",
            count(stores.len() as u64, "data store"),
            count(*most, "hop")
        ),
        None => "no data store behind them".to_owned(),
    });
    parts.push(format!(
        "{} of highest importance reached",
        count(critical.len() as u64, "data store")
    ));
    if unknown > 0 {
        parts.push(format!("{} perhaps, not known", grouped(unknown)));
    }
    parts.push(account.sentence());
    parts.push(format!("as of {}", scene.facts.as_of));
    parts
}

fn legend() -> Vec<Sign> {
    let text = |text: &str| Sign::Text(text.to_owned());
    vec![
        text("orange, thick: way to data of the highest importance"),
        text("— open on these ports   ··· by policy or role   - - ?: not known whether open"),
        text("hops: steps from the internet; what is closed is not drawn"),
        text("dashed card: outside the filter"),
        Sign::Exposed,
        Sign::Findings,
        Sign::Stars,
    ]
}
