//! Cards of the `system` view: what is joined, and what a card says.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use super::frames::Site;
use crate::facts::{Facts, Index, Resource};
use crate::graph::lift::NodeIndex;
use crate::kinds::kind;
use crate::picture::{Look, Node, Picture, Shape, count, grouped, hashed_id};
use crate::views::findings;
use crate::views::words::{in_words, stars};

/// A card.
pub(super) struct Group {
    /// Where it stands.
    pub site: Site,
    /// The rung of the ladder it was joined on.
    pub rung: usize,
    /// Resources it is named after.
    pub roots: Vec<Index>,
    /// All it stands for, parts included; the first is drawn.
    pub members: Vec<Index>,
}

/// The ladder: identical, same function, same type, same category, anything.
pub(super) fn rungs<'a>(scene: &'a Scene<'a>) -> Vec<Box<dyn Fn(Index) -> String + 'a>> {
    let text = move |root: Index, parts: &[&str]| {
        format!("{:?}\u{1f}{}", scene.site(root), parts.join("\u{1f}"))
    };
    let facts = scene.facts;
    vec![
        Box::new(move |root| {
            let resource = facts.resource(root);
            let exposed = format!("{:?}", resource.exposed);
            let (function, kind) = (resource.function(), resource.resource_type.as_str());
            let dr = resource.dr.join("+");
            text(
                root,
                &[
                    &resource.environment,
                    function,
                    kind,
                    &resource.importance,
                    &dr,
                    &exposed,
                ],
            )
        }),
        Box::new(move |root| {
            let resource = facts.resource(root);
            text(
                root,
                &[
                    &resource.environment,
                    resource.function(),
                    kind(&resource.resource_type).category.name(),
                ],
            )
        }),
        Box::new(move |root| text(root, &[&facts.resource(root).resource_type])),
        Box::new(move |root| {
            text(
                root,
                &[kind(&facts.resource(root).resource_type).category.name()],
            )
        }),
        Box::new(move |root| {
            kind(&facts.resource(root).resource_type)
                .category
                .name()
                .to_owned()
        }),
    ]
}

pub(super) fn node(scene: &Scene<'_>, group: &Group, frame: Option<usize>) -> Node {
    let facts = scene.facts;
    let first = facts.resource(group.roots[0]);
    let kind = kind(&first.resource_type);
    let exposed = group
        .members
        .iter()
        .any(|&member| facts.resource(member).exposed == Some(true));
    let stars = group
        .roots
        .iter()
        .filter_map(|&root| stars(facts, facts.resource(root)))
        .max();
    Node {
        id: hashed_id("n", &format!("{}\u{1f}{}", first.arn, group.roots.len())),
        title: title(facts, group),
        shape: Shape::Card {
            badge: kind.badge,
            category: kind.category,
            subtitle: subtitle(scene, group),
            stars,
            uses: Vec::new(),
            names: Vec::new(),
            lines: Vec::new(),
        },
        findings: findings(facts, group.members.iter().copied()),
        exposed,
        dashed: first.system.is_empty() || first.adopted,
        look: Look::Plain,
        link: None,
        frame,
        members: group
            .members
            .iter()
            .map(|&member| facts.resource(member).arn.clone())
            .collect(),
    }
}

fn title(facts: &Facts, group: &Group) -> String {
    let first = facts.resource(group.roots[0]);
    let number = group.roots.len();
    let members = members_of_group(facts, group);
    match (number, group.rung) {
        (1, _) if members > 1 => format!("{} ×{}", first.title(), grouped(members as u64)),
        (1, _) => first.title().to_owned(),
        (_, 0 | 1) if !first.function().is_empty() => {
            format!("{} ×{}", first.function(), grouped(number as u64))
        }
        (_, 3..) => format!("+{} more", grouped(number as u64)),
        _ => format!(
            "{} ×{}",
            kind(&first.resource_type).plural,
            grouped(number as u64)
        ),
    }
}

/// Instances of an Auto Scaling group, databases of a cluster, nodes of a cache group.
fn members_of_group(facts: &Facts, group: &Group) -> usize {
    let Some((wanted, _)) = member_type(facts.resource(group.roots[0])) else {
        return 0;
    };
    group
        .members
        .iter()
        .filter(|&&member| facts.resource(member).resource_type == wanted)
        .count()
}

fn subtitle(scene: &Scene<'_>, group: &Group) -> String {
    let facts = scene.facts;
    let first = facts.resource(group.roots[0]);
    let types: BTreeSet<&str> = group
        .roots
        .iter()
        .map(|&root| facts.resource(root).resource_type.as_str())
        .collect();
    let mut words = Vec::new();
    if first.environment != scene.main_environment
        && !first.environment.is_empty()
        && group.rung < 2
    {
        words.push(first.environment.clone());
    }
    let summaries: BTreeSet<&str> = group
        .roots
        .iter()
        .map(|&root| facts.resource(root).summary.as_str())
        .collect();
    if types.len() > 1 {
        words.push(
            types
                .iter()
                .map(|name| kind(name).plural)
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
                .join(", "),
        );
    } else if let Some(members) = group_in_words(facts, group) {
        words.push(members);
    } else {
        let summary = match summaries.first() {
            Some(summary) if summaries.len() == 1 => summary,
            _ => "",
        };
        words.push(in_words(
            &kind(&first.resource_type),
            summary,
            group.roots.len(),
        ));
    }
    words.join(" · ")
}

/// `3 instances · m6i.large`, for a group that is shown with its members.
fn group_in_words(facts: &Facts, group: &Group) -> Option<String> {
    let (wanted, noun) = member_type(facts.resource(group.roots[0]))?;
    let members: Vec<&Resource> = group
        .members
        .iter()
        .map(|&member| facts.resource(member))
        .filter(|member| member.resource_type == wanted)
        .collect();
    let sizes: BTreeSet<&str> = members
        .iter()
        .filter_map(|member| member.summary.split(" · ").find(|word| word.contains('.')))
        .collect();
    let mut words = vec![count(members.len() as u64, noun)];
    words.extend(match sizes.len() {
        0 => None,
        1 => sizes.first().map(|size| (*size).to_owned()),
        sizes => Some(format!("{sizes} sizes")),
    });
    (!members.is_empty() && group.roots.len() == 1).then(|| words.join(" · "))
}

/// What a group's members are, and what one is called.
fn member_type(group: &Resource) -> Option<(&'static str, &'static str)> {
    match group.resource_type.as_str() {
        "autoscaling:autoScalingGroup" => Some(("ec2:instance", "instance")),
        "rds:cluster" => Some(("rds:db", "database")),
        "elasticache:replicationgroup" => Some(("elasticache:cluster", "node")),
        _ => None,
    }
}

/// Keys, certificates, logs and whom alarms tell: always a word on the card and never an edge. By node: names of what it uses.
pub(super) fn quiet_hubs(
    scene: &Scene<'_>,
    node_of: &[Option<NodeIndex>],
    cards: usize,
) -> BTreeMap<NodeIndex, BTreeSet<String>> {
    let facts = scene.facts;
    let aliases = aliases(facts);
    let mut uses: BTreeMap<NodeIndex, BTreeSet<String>> = BTreeMap::new();
    for link in &facts.links {
        let (Some(from), Some(to)) = (link.from, link.to) else {
            continue;
        };
        let alarm = facts.resource(from).resource_type == "cloudwatch:alarm";
        let is_quiet = match link.kind.as_str() {
            "encrypted_with" | "logs_to" => true,
            "notifies" => alarm,
            "uses" => facts.resource(to).resource_type == "acm:certificate",
            _ => false,
        };
        // A log group of its own is part of the card.
        if let Some(node) = node_of[from as usize].filter(|&node| node < cards)
            && is_quiet
            && node_of[to as usize] != Some(node)
        {
            uses.entry(node)
                .or_default()
                .extend(badge(facts, &aliases, to));
        }
    }
    uses
}

/// The alias of each key, the first in order where there are several.
fn aliases(facts: &Facts) -> BTreeMap<Index, Index> {
    let mut aliases = BTreeMap::new();
    for link in facts.links.iter().filter(|link| link.kind == "alias_of") {
        if let (Some(alias), Some(key)) = (link.from, link.to)
            && facts.resource(alias).resource_type == "kms:alias"
        {
            aliases.entry(key).or_insert(alias);
        }
    }
    aliases
}

/// A name that a reader knows: given by a person, or a key's alias; an id tells nobody anything.
fn badge(facts: &Facts, aliases: &BTreeMap<Index, Index>, used: Index) -> Option<String> {
    let resource = facts.resource(used);
    if !resource.function().is_empty() {
        return Some(resource.title().to_owned());
    }
    let alias = facts.resource(*aliases.get(&used)?).title();
    Some(alias.trim_start_matches("alias/").to_owned())
}

/// Writes on each card what it uses.
pub(super) fn note_hubs(
    picture: &mut Picture,
    hubs: &BTreeMap<NodeIndex, BTreeSet<NodeIndex>>,
    quiet: &BTreeMap<NodeIndex, BTreeSet<String>>,
) {
    let mut names: BTreeMap<NodeIndex, BTreeSet<String>> = quiet.clone();
    for (&hub, users) in hubs {
        let name = picture.nodes[hub].title.clone();
        for &user in users {
            names.entry(user).or_default().insert(name.clone());
        }
        if let Shape::Card { subtitle, .. } = &mut picture.nodes[hub].shape {
            subtitle.push_str(&format!(" · used by {}", grouped(users.len() as u64)));
        }
    }
    for (node, names) in names {
        if let Some(Shape::Card { uses, .. }) =
            picture.nodes.get_mut(node).map(|node| &mut node.shape)
        {
            uses.extend(names);
        }
    }
}
