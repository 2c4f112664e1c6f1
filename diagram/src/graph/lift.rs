//! Connections between resources, lifted to the nodes that show them: one edge per pair of nodes and relation,
//! however many resources stand behind it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::parts::SETTINGS;
use crate::facts::{Facts, Index, Link};

/// What an edge means; each is drawn in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// Reachable from the internet.
    Internet,
    /// Traffic that is let through or forwarded.
    Network,
    /// A name that leads there.
    Dns,
    /// An event that starts something.
    Event,
    /// A permission or a setting that is needed.
    Iam,
    /// A copy that follows its source.
    Replication,
    /// A copy kept for later.
    Backup,
    /// One system needs another, in whichever of these ways.
    Dependency,
}

/// Node of a picture, by position.
pub type NodeIndex = usize;

/// What is behind an edge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// Ports or names, as they are to be printed.
    pub labels: BTreeSet<String>,
    /// Number of references behind it.
    pub links: u64,
}

/// A rule of a security group that lets members of groups in: from any of these nodes to any of those.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupRule {
    /// Nodes with a member in the group that may connect.
    pub from: BTreeSet<NodeIndex>,
    /// Nodes with a member in the group that lets in.
    pub to: BTreeSet<NodeIndex>,
    /// The port.
    pub label: String,
}

/// Edges of a picture, in order.
pub type Edges = BTreeMap<(NodeIndex, NodeIndex, Relation), Bundle>;

/// How a kind of reference is drawn, and whether the arrow runs against it.
///
/// Settings such as subnet groups and certificates say little of how a system works, and alarms watch rather than
/// take part: none of them has edges.
pub fn relation(facts: &Facts, link: &Link) -> Option<(Relation, bool)> {
    let is = |end: Option<Index>, wanted: &[&str]| {
        end.is_some_and(|end| wanted.contains(&facts.resource(end).resource_type.as_str()))
    };
    if is(link.from, &["cloudwatch:alarm"])
        || is(link.to, &SETTINGS)
        || is(link.to, &["acm:certificate"])
    {
        return None;
    }
    Some(match link.kind.as_str() {
        "targets" => (Relation::Network, false),
        "alias_of" => (Relation::Dns, false),
        "triggers" | "notifies" | "dead_letters_to" => (Relation::Event, false),
        "runs_as" | "uses" => (Relation::Iam, false),
        // What is copied flows from the source, which the replica names.
        "replica_of" => (Relation::Replication, true),
        "replicates_to" => (Relation::Replication, false),
        "backed_up_to" => (Relation::Backup, false),
        "protects" => (Relation::Backup, true),
        _ => return None,
    })
}

/// The text of a reference on an edge, if any.
pub fn label(link: &Link) -> Option<String> {
    let detail = link.detail.as_str();
    match link.kind.as_str() {
        "targets" => port(detail),
        "alias_of" => detail
            .split_whitespace()
            .next()
            .map(|name| name.trim_end_matches('.').to_owned()),
        "dead_letters_to" => Some("dead letters".to_owned()),
        "uses" if !detail.contains(':') && !detail.is_empty() => Some(detail.to_owned()),
        _ => None,
    }
}

/// `tcp/3306` as `3306`, `udp/53` as `udp 53`, `-1` as `all`.
pub fn port(detail: &str) -> Option<String> {
    let (protocol, ports) = detail.split_once('/').unwrap_or(("", detail));
    match (protocol, ports) {
        ("", "") => None,
        ("", "-1" | "all") | ("-1", _) => Some("all".to_owned()),
        (protocol, "") => Some(protocol.to_ascii_lowercase()),
        ("udp" | "UDP" | "icmp" | "icmpv6", ports) => {
            Some(format!("{} {ports}", protocol.to_ascii_lowercase()))
        }
        (_, ports) => Some(ports.to_owned()),
    }
}

/// Lifts references between resources of `facts` to nodes. `node` tells which node shows a resource, if any.
pub fn edges(facts: &Facts, links: &[Link], node: &dyn Fn(Index) -> Option<NodeIndex>) -> Edges {
    let mut edges = Edges::new();
    for link in links {
        let (Some((relation, reversed)), Some(from), Some(to)) =
            (relation(facts, link), link.from, link.to)
        else {
            continue;
        };
        let (Some(from), Some(to)) = (node(from), node(to)) else {
            continue;
        };
        if from == to {
            continue;
        }
        let ends = if reversed { (to, from) } else { (from, to) };
        let bundle = edges.entry((ends.0, ends.1, relation)).or_default();
        bundle.labels.extend(label(link));
        bundle.links += 1;
    }
    edges
}

/// Lifts the rules of security groups to the nodes that show the groups' members.
pub fn group_rules(
    links: &[Link],
    node: &dyn Fn(Index) -> Option<NodeIndex>,
) -> BTreeMap<GroupRule, u64> {
    let mut members: HashMap<Index, BTreeSet<NodeIndex>> = HashMap::new();
    for link in links
        .iter()
        .filter(|link| link.kind == "has_security_group")
    {
        if let (Some(member), Some(group)) = (link.from.and_then(node), link.to) {
            members.entry(group).or_default().insert(member);
        }
    }
    let mut rules: BTreeMap<GroupRule, u64> = BTreeMap::new();
    for link in links.iter().filter(|link| link.kind == "allows") {
        let (Some(from), Some(to)) = (link.from, link.to) else {
            continue;
        };
        if let (Some(sources), Some(targets)) = (members.get(&from), members.get(&to)) {
            let label = port(&link.detail).unwrap_or_default();
            let rule = GroupRule {
                from: sources.clone(),
                to: targets.clone(),
                label,
            };
            *rules.entry(rule).or_default() += 1;
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::port;

    #[test]
    fn ports_are_short_and_never_wrong() {
        let expected = [
            ("tcp/3306", Some("3306")),
            ("tcp/8000-8080", Some("8000-8080")),
            ("udp/53", Some("udp 53")),
            ("-1", Some("all")),
            ("-1/null", Some("all")),
            ("HTTP/8080", Some("8080")),
            ("8080", Some("8080")),
            ("", None),
        ];
        for (detail, text) in expected {
            assert_eq!(port(detail).as_deref(), text, "{detail}");
        }
    }
}
