//! The views: each turns facts into pictures, in a file of its own.

pub mod diff;
pub mod dr;
pub mod exposure;
pub mod index;
pub mod landscape;
pub mod system;
pub(crate) mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Facts, FailedCall, Findings, Index};
use crate::graph::Filter;
use crate::graph::lift::{Edges, GroupRule, NodeIndex, Relation};
use crate::picture::{Edge, Look, Node, Picture, Shape, count, hashed_id, slug};

/// What the user asked for, beside the view.
#[derive(Clone, Debug)]
pub struct Request {
    /// The run, by its id.
    pub run: String,
    /// Restrictions.
    pub filter: Filter,
    /// Nodes to aim at.
    pub max_nodes: usize,
}

/// Nodes that a picture aims at unless told otherwise.
pub const AIM_NODES: usize = 50;
/// Edges that a picture aims at.
pub const AIM_EDGES: usize = 75;

/// Failed calls that concern what is shown, as one line: those about a resource of the picture, and those about a
/// whole table of its accounts and regions, which may lack resources of the picture.
pub(crate) fn missing(facts: &Facts, selected: &[Index]) -> Option<String> {
    let places: BTreeSet<(&str, &str)> = selected
        .iter()
        .flat_map(|&index| {
            let resource = facts.resource(index);
            [
                (resource.account_id.as_str(), resource.region.as_str()),
                (resource.account_id.as_str(), "global"),
            ]
        })
        .collect();
    let concerned = |call: &&FailedCall| match call.resource {
        // What a resource of no known system lacks could have been its tags.
        Some(index) if !call.tells_tags || !facts.resource(index).system.is_empty() => {
            selected.binary_search(&index).is_ok()
        }
        _ => places.contains(&(call.account_id.as_str(), call.region.as_str())),
    };
    let failed = facts.errors.iter().filter(concerned).count() as u64;
    (failed > 0).then(|| {
        format!("{} failed or were not made: what they would have told is missing here (see collect_errors)", count(failed, "call"))
    })
}

/// The line of a run that `analyze` has not seen.
pub(crate) fn not_analyzed(facts: &Facts) -> Option<String> {
    (!facts.analyzed).then(|| "before analyze: exposure, DR and findings are not known".to_owned())
}

/// All verdicts on these resources.
pub(crate) fn findings(facts: &Facts, members: impl IntoIterator<Item = Index>) -> Findings {
    let mut sum = Findings::default();
    for member in members {
        sum.add(facts.resource(member).findings);
    }
    sum
}

/// The value that most have, and how many others there are; empty values don't count.
pub(crate) fn commonest<'a>(values: impl IntoIterator<Item = &'a str>) -> (&'a str, usize) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for value in values.into_iter().filter(|value| !value.is_empty()) {
        *counts.entry(value).or_default() += 1;
    }
    let first = counts.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
    (
        first.map_or("", |(value, _)| value),
        counts.len().saturating_sub(1),
    )
}

/// What most have, as `team-data +2`.
pub(crate) fn commonest_text<'a>(values: impl IntoIterator<Item = &'a str>, none: &str) -> String {
    match commonest(values) {
        ("", _) => none.to_owned(),
        (value, 0) => value.to_owned(),
        (value, others) => format!("{value} +{others}"),
    }
}

/// Stem of a system's own picture.
pub(crate) fn system_stem(system: &str) -> String {
    if system.is_empty() {
        "no-system".to_owned()
    } else {
        format!("system-{}", slug(system))
    }
}

/// A title with what the picture is restricted to.
pub(crate) fn restricted(title: &str, filter: &Filter) -> String {
    let restrictions: Vec<String> = filter
        .conditions()
        .iter()
        .filter(|(_, wanted, _)| !wanted.is_empty())
        .map(|(_, wanted, _)| wanted.join(", "))
        .collect();
    if restrictions.is_empty() {
        title.to_owned()
    } else {
        format!("{title}: {}", restrictions.join(" · "))
    }
}

/// Title and stem of a view's picture: that of one system has its name, that of everything the second title.
pub(crate) fn named(view: &str, title: &str, whole: &str, filter: &Filter) -> (String, String) {
    match &filter.systems[..] {
        [system] if system.is_empty() => {
            (format!("no system: {title}"), format!("no-system-{view}"))
        }
        [system] => (
            format!("{system}: {title}"),
            format!("{view}-{}", slug(system)),
        ),
        _ => (restricted(whole, filter), view.to_owned()),
    }
}

/// The picture of everything, then one of each system that has something to show, resources without one last.
pub fn each_system(
    facts: &Facts,
    request: &Request,
    draw: &dyn Fn(&Request) -> Picture,
) -> Vec<Picture> {
    let systems: BTreeSet<(bool, &str)> = request
        .filter
        .select(facts)
        .into_iter()
        .map(|index| facts.resource(index).system.as_str())
        .map(|system| (system.is_empty(), system))
        .collect();
    let mut pictures = vec![draw(request)];
    for (_, system) in systems {
        let mut request = request.clone();
        request.filter.systems = vec![system.to_owned()];
        let picture = draw(&request);
        if picture.account.drawn > 0 {
            pictures.push(picture);
        }
    }
    pictures
}

/// Labels on one edge: up to three of them, else their number.
pub(crate) fn edge_label(relation: Relation, labels: &BTreeSet<String>) -> String {
    match (relation, labels.len()) {
        (Relation::Dns, 1) => labels
            .iter()
            .next()
            .map(|name| name.split('.').next().unwrap_or(name).to_owned())
            .unwrap_or_default(),
        (Relation::Dns, names @ 2..) => format!("{names} names"),
        (_, ports @ 4..) => format!("{ports} ports"),
        _ => labels
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// Takes edges into hubs away and tells which nodes used them: a node that so many others need would hide the rest.
///
/// Permissions make a hub earlier than traffic does, and both earlier the more edges there are.
pub(crate) fn split_hubs(edges: &mut Edges) -> BTreeMap<NodeIndex, BTreeSet<NodeIndex>> {
    let mut users: BTreeMap<NodeIndex, BTreeSet<NodeIndex>> = BTreeMap::new();
    for limit in [12, 9, 7, 5] {
        let mut sources: BTreeMap<(NodeIndex, bool), BTreeSet<NodeIndex>> = BTreeMap::new();
        for &(from, to, relation) in edges.keys() {
            if relation != Relation::Internet {
                sources
                    .entry((to, is_quiet(relation)))
                    .or_default()
                    .insert(from);
            }
        }
        sources
            .retain(|(_, quiet), sources| sources.len() > if *quiet { limit / 2 } else { limit });
        edges.retain(|(_, to, relation), _| {
            *relation == Relation::Internet || !sources.contains_key(&(*to, is_quiet(*relation)))
        });
        for ((hub, _), sources) in sources {
            users.entry(hub).or_default().extend(sources);
        }
        if edges.len() <= AIM_EDGES {
            break;
        }
    }
    users
}

fn is_quiet(relation: Relation) -> bool {
    matches!(relation, Relation::Iam | Relation::Backup)
}

/// Adds the rules of security groups: an edge from each to each, or through a junction where that is fewer edges.
/// Gives the junctions, which follow `nodes` existing ones.
pub(crate) fn add_rules(
    edges: &mut Edges,
    rules: &BTreeMap<GroupRule, u64>,
    nodes: usize,
) -> Vec<Node> {
    let mut junctions = Vec::new();
    for ((from, to), (labels, links)) in merge_ports(rules) {
        let pairs = from.len() * to.len() - from.intersection(to).count();
        if pairs > from.len() + to.len() + 2 {
            let junction = nodes + junctions.len();
            for (&source, label) in from.iter().map(|source| (source, None)) {
                add(edges, source, junction, label, links);
            }
            for &target in to {
                for label in &labels {
                    add(edges, junction, target, Some(label), links);
                }
            }
            junctions.push(junction_node(from, to, &labels));
            continue;
        }
        for &source in from {
            for &target in to.iter().filter(|&&target| target != source) {
                for label in &labels {
                    add(edges, source, target, Some(label), links);
                }
            }
        }
    }
    junctions
}

type Ends<'a> = (&'a BTreeSet<NodeIndex>, &'a BTreeSet<NodeIndex>);

/// Rules between the same nodes differ in their port only.
fn merge_ports(rules: &BTreeMap<GroupRule, u64>) -> BTreeMap<Ends<'_>, (BTreeSet<&str>, u64)> {
    let mut merged: BTreeMap<Ends<'_>, (BTreeSet<&str>, u64)> = BTreeMap::new();
    for (rule, links) in rules {
        let entry = merged.entry((&rule.from, &rule.to)).or_default();
        entry.0.insert(&rule.label);
        entry.1 += links;
    }
    merged
}

fn add(edges: &mut Edges, from: NodeIndex, to: NodeIndex, label: Option<&str>, links: u64) {
    let bundle = edges.entry((from, to, Relation::Network)).or_default();
    bundle
        .labels
        .extend(label.filter(|label| !label.is_empty()).map(str::to_owned));
    bundle.links += links;
}

fn junction_node(
    from: &BTreeSet<NodeIndex>,
    to: &BTreeSet<NodeIndex>,
    labels: &BTreeSet<&str>,
) -> Node {
    let ports = labels.iter().copied().collect::<Vec<_>>().join(", ");
    Node {
        id: hashed_id("j", &format!("{from:?}{to:?}{ports}")),
        title: format!("security group rule {ports}"),
        shape: Shape::Junction,
        findings: Findings::default(),
        exposed: false,
        dashed: false,
        look: Look::Plain,
        link: None,
        frame: None,
        members: Vec::new(),
    }
}

/// Lifted edges as a picture has them.
pub(crate) fn drawn(edges: Edges) -> Vec<Edge> {
    let draw = |((from, to, relation), bundle): (
        (NodeIndex, NodeIndex, Relation),
        crate::graph::lift::Bundle,
    )| Edge {
        from,
        to,
        relation,
        label: edge_label(relation, &bundle.labels),
        links: bundle.links,
        both: false,
        look: Look::Plain,
        loose: false,
        hops: Vec::new(),
    };
    edges.into_iter().map(draw).collect()
}
