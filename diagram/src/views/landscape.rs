//! `landscape`: the systems of the account, environment by environment, and which of them need which.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Request, commonest_text, findings, missing, not_analyzed};
use crate::facts::{Facts, Findings, Index, Link, Resource};
use crate::graph::fold::MOST_NODES;
use crate::graph::lift::{self, Bundle, Edges, NodeIndex, Relation};
use crate::picture::{
    Account, Edge, Frame, FrameStyle, Node, Picture, Shape, Sign, count, grouped, hashed_id, slug,
};

/// A card: the environment, and the system, or `None` for the rest of a crowded environment.
type Key = (String, Option<String>);

/// A card and its resources.
type Card = (Key, Vec<Index>);

/// Draws the landscape.
pub fn draw(facts: &Facts, request: &Request) -> Picture {
    let selected = request.filter.select(facts);
    let cards = cards(facts, &selected, request.max_nodes);
    let mut picture = Picture {
        view: "landscape",
        stem: "landscape".to_owned(),
        run: request.run.clone(),
        filter: request.filter.clone(),
        title: title(request),
        legend: legend(),
        account: account(&selected, &cards),
        ..Picture::default()
    };
    picture.caption = caption(facts, &selected, &cards, &picture.account);
    picture.warnings.extend(not_analyzed(facts));
    picture.note_missing(missing(facts, &selected));
    let mut edges = dependencies(facts, &selected, &cards);
    let loose_ends = take_untagged(&mut edges, &cards);
    let hubs = super::split_hubs(&mut edges);
    let mut environments: Vec<&str> = cards.iter().map(|(key, _)| key.0.as_str()).collect();
    // Cards are in order of their environments.
    environments.dedup();
    for environment in &environments {
        picture.frames.push(frame(environment));
    }
    for (key, members) in &cards {
        let frame = environments
            .iter()
            .position(|environment| *environment == key.0);
        picture.nodes.push(card(facts, key, members, frame));
    }
    for (node, links) in loose_ends {
        note(
            &mut picture,
            node,
            &format!("{}, not drawn", count(links, "link")),
        );
    }
    note_hubs(&mut picture, &hubs);
    picture.edges = one_per_pair(super::drawn(edges));
    arrange(&mut picture);
    picture
}

/// Takes the edges of cards without a system away: whatever they lead to, they are no dependency of anybody. Gives
/// the number of references by card.
fn take_untagged(edges: &mut Edges, cards: &[Card]) -> BTreeMap<NodeIndex, u64> {
    let is_untagged = |node: NodeIndex| cards[node].0.1.as_deref() == Some("");
    let mut links: BTreeMap<NodeIndex, u64> = BTreeMap::new();
    edges.retain(|&(from, to, _), bundle| {
        let ends: Vec<NodeIndex> = [from, to]
            .into_iter()
            .filter(|&end| is_untagged(end))
            .collect();
        for &end in &ends {
            *links.entry(end).or_default() += bundle.links;
        }
        ends.is_empty()
    });
    links
}

/// Two cards that need each other have one edge, in the direction of the stronger need, with an arrow at each end.
fn one_per_pair(edges: Vec<Edge>) -> Vec<Edge> {
    let links: BTreeMap<(NodeIndex, NodeIndex), u64> = edges
        .iter()
        .map(|edge| ((edge.from, edge.to), edge.links))
        .collect();
    edges
        .into_iter()
        .filter_map(|mut edge| {
            let back = links.get(&(edge.to, edge.from)).copied().unwrap_or(0);
            if back > edge.links || (back == edge.links && edge.to < edge.from) {
                return None;
            }
            edge.both = back > 0;
            edge.links += back;
            Some(edge)
        })
        .collect()
}

fn title(request: &Request) -> String {
    let filter = &request.filter;
    let restrictions: Vec<String> = filter
        .conditions()
        .iter()
        .filter(|(_, wanted, _)| !wanted.is_empty())
        .map(|(_, wanted, _)| wanted.join(", "))
        .collect();
    if restrictions.is_empty() {
        "landscape".to_owned()
    } else {
        format!("landscape: {}", restrictions.join(" · "))
    }
}

fn legend() -> Vec<Sign> {
    let text = |text: &str| Sign::Text(text.to_owned());
    vec![
        text("card: system, resources, owner, bar of required tags, findings, DR demands met"),
        Sign::Exposed,
        Sign::Findings,
        text("arrow: depends on, thick from 10 links"),
        text("pale: into another environment"),
        text("dashed: no system tag, drawn without its links"),
    ]
}

/// Resources by environment and system; in a crowded landscape, small and quiet systems become "+k more".
fn cards(facts: &Facts, selected: &[Index], aim: usize) -> Vec<Card> {
    let mut cards: BTreeMap<Key, Vec<Index>> = BTreeMap::new();
    for &index in selected {
        let resource = facts.resource(index);
        cards
            .entry((resource.environment.clone(), Some(resource.system.clone())))
            .or_default()
            .push(index);
    }
    if cards.len() <= aim {
        return in_order(cards);
    }
    let highest = facts.highest_rank();
    let keep = |members: &[Index]| {
        members
            .iter()
            .map(|&member| facts.resource(member))
            .any(|resource| {
                resource.exposed == Some(true)
                    || resource.findings.critical > 0
                    || (resource.importance_rank.is_some() && resource.importance_rank == highest)
            })
    };
    let mut order: Vec<(bool, usize, Key)> = cards
        .iter()
        .map(|(key, members)| (keep(members), members.len(), key.clone()))
        .collect();
    // Loud ones first, then large ones; equal ones by name.
    order.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2)));
    let environments = cards
        .keys()
        .map(|(environment, _)| environment)
        .collect::<BTreeSet<_>>()
        .len();
    for (position, (loud, _, key)) in order.into_iter().enumerate() {
        let limit = if loud { MOST_NODES } else { aim };
        if position + environments.min(limit / 2) >= limit
            && let Some(members) = cards.remove(&key)
        {
            let environment = if position >= MOST_NODES {
                "…".to_owned()
            } else {
                key.0
            };
            cards
                .entry((environment, None))
                .or_default()
                .extend(members);
        }
    }
    cards
        .values_mut()
        .for_each(|members| members.sort_unstable());
    in_order(cards)
}

/// Large environments first, what has no environment or no system last.
fn in_order(cards: BTreeMap<Key, Vec<Index>>) -> Vec<Card> {
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    for ((environment, _), members) in &cards {
        *sizes.entry(environment.clone()).or_default() += members.len();
    }
    let mut cards: Vec<Card> = cards.into_iter().collect();
    cards.sort_by_cached_key(|((environment, system), _)| {
        (
            environment.is_empty(),
            Reverse(sizes.get(environment).copied()),
            environment.clone(),
            system.as_ref().is_none_or(String::is_empty),
            system.clone(),
        )
    });
    cards
}

fn account(selected: &[Index], cards: &[Card]) -> Account {
    Account {
        resources: selected.len(),
        drawn: cards.len(),
        folded: selected.len() - cards.len(),
        omitted: Vec::new(),
    }
}

fn caption(facts: &Facts, selected: &[Index], cards: &[Card], account: &Account) -> Vec<String> {
    let distinct = |value: fn(&Resource) -> &str| {
        selected
            .iter()
            .map(|&index| value(facts.resource(index)))
            .filter(|value| !value.is_empty())
            .collect::<BTreeSet<_>>()
    };
    let systems = distinct(|resource| &resource.system).len() as u64;
    let regions = distinct(|resource| &resource.region)
        .iter()
        .filter(|region| **region != "global")
        .count() as u64;
    let mut parts = vec![
        count(systems, "system"),
        format!(
            "{} in {}",
            count(account.resources as u64, "resource"),
            count(cards.len() as u64, "card")
        ),
    ];
    if let Some((have, want)) = tags(facts, selected).filter(|(_, want)| *want > 0) {
        parts.push(format!("{}% of required tags", have * 100 / want));
    }
    let adopted = selected
        .iter()
        .filter(|&&index| facts.resource(index).adopted);
    let adopted = adopted.count() as u64;
    if adopted > 0 {
        parts.push(format!(
            "{} untagged placed by what they belong to",
            grouped(adopted)
        ));
    }
    parts.push(count(
        distinct(|resource| &resource.account_id).len() as u64,
        "account",
    ));
    parts.push(count(regions, "region"));
    parts.push(format!("as of {}", facts.as_of));
    parts
}

fn tags(facts: &Facts, members: &[Index]) -> Option<(u64, u64)> {
    let known = members
        .iter()
        .filter_map(|&member| facts.resource(member).tags);
    known.reduce(|sum, tags| (sum.0 + tags.0, sum.1 + tags.1))
}

fn dr(facts: &Facts, members: &[Index]) -> Option<(u64, u64)> {
    let tagged = members
        .iter()
        .map(|&member| facts.resource(member))
        .filter(|resource| !resource.dr.is_empty());
    tagged
        .map(|resource| (resource.dr_met, resource.dr.len() as u64))
        .reduce(|sum, dr| (sum.0 + dr.0, sum.1 + dr.1))
}

fn frame(environment: &str) -> Frame {
    Frame {
        id: hashed_id("e", environment),
        parent: None,
        title: if environment.is_empty() {
            "no environment tag".to_owned()
        } else {
            environment.to_owned()
        },
        subtitle: String::new(),
        findings: Findings::default(),
        stars: None,
        style: if environment.is_empty() {
            FrameStyle::Outline
        } else {
            FrameStyle::Pale
        },
        members: Vec::new(),
    }
}

fn card(facts: &Facts, key: &Key, members: &[Index], frame: Option<usize>) -> Node {
    let resources = || members.iter().map(|&member| facts.resource(member));
    let untagged = key.1.as_deref() == Some("");
    let title = match &key.1 {
        Some(system) if system.is_empty() => "(no system tag)".to_owned(),
        Some(system) => system.clone(),
        None => {
            let systems: BTreeSet<&str> = resources()
                .map(|resource| resource.system.as_str())
                .collect();
            format!("+{} more", count(systems.len() as u64, "system"))
        }
    };
    Node {
        id: hashed_id("s", &format!("{key:?}")),
        title,
        shape: Shape::System {
            resources: members.len(),
            owner: if untagged {
                sole_owner(&mut resources())
            } else {
                commonest_text(
                    resources().map(|resource| resource.owner.as_str()),
                    "owner unknown",
                )
            },
            note: String::new(),
            tags: tags(facts, members),
            dr: if facts.analyzed {
                dr(facts, members)
            } else {
                None
            },
            judged: facts.analyzed,
            uses: Vec::new(),
        },
        findings: findings(facts, members.iter().copied()),
        exposed: resources().any(|resource| resource.exposed == Some(true)),
        dashed: untagged,
        link: key.1.as_deref().map(system_stem),
        frame,
        members: resources().map(|resource| resource.arn.clone()).collect(),
    }
}

/// Resources of no system have nothing in common: one owner answers for them only when each of them says so.
fn sole_owner<'a>(resources: &mut impl Iterator<Item = &'a Resource>) -> String {
    let first = resources.next().map_or("", |resource| &resource.owner);
    if first.is_empty() || resources.any(|resource| resource.owner != first) {
        "owner unknown".to_owned()
    } else {
        first.to_owned()
    }
}

/// Stem of a system's own picture.
pub fn system_stem(system: &str) -> String {
    if system.is_empty() {
        "no-system".to_owned()
    } else {
        format!("system-{}", slug(system))
    }
}

/// Who needs whom, card by card.
fn dependencies(facts: &Facts, selected: &[Index], cards: &[Card]) -> Edges {
    let mut card_of: Vec<Option<NodeIndex>> = vec![None; facts.resources.len()];
    for (card, (_, members)) in cards.iter().enumerate() {
        members
            .iter()
            .for_each(|&member| card_of[member as usize] = Some(card));
    }
    debug_assert!(
        selected
            .iter()
            .all(|&index| card_of[index as usize].is_some())
    );
    let card = |index: Index| card_of[index as usize];
    let mut edges = Edges::new();
    for link in &facts.links {
        let (Some(from), Some(to)) = (link.from.and_then(card), link.to.and_then(card)) else {
            continue;
        };
        if let Some(against) = needs(link)
            && from != to
        {
            let ends = if against { (to, from) } else { (from, to) };
            edges
                .entry((ends.0, ends.1, Relation::Dependency))
                .or_default()
                .links += 1;
        }
    }
    add_group_rules(facts, &card, &mut edges);
    edges
}

/// Whether a reference is a dependency, and whether the one referred to is the one that depends.
fn needs(link: &Link) -> Option<bool> {
    match link.kind.as_str() {
        "targets" | "uses" | "runs_as" | "replica_of" | "notifies" | "dead_letters_to"
        | "encrypted_with" | "logs_to" => Some(false),
        // What a name leads to can't be found without the zone; what an event starts does nothing without its source.
        "alias_of" | "triggers" => Some(true),
        _ => None,
    }
}

/// More cards than this on a side of one rule are no dependency of anybody, but a group that everything is in.
const CROWD: usize = 40;

fn add_group_rules(facts: &Facts, card: &dyn Fn(Index) -> Option<NodeIndex>, edges: &mut Edges) {
    for (rule, links) in lift::group_rules(facts, card) {
        if rule.from.len() > CROWD || rule.to.len() > CROWD {
            continue;
        }
        for &from in &rule.from {
            for &to in rule.to.iter().filter(|&&to| to != from) {
                let bundle: &mut Bundle =
                    edges.entry((from, to, Relation::Dependency)).or_default();
                bundle.links += links;
            }
        }
    }
}

fn note_hubs(picture: &mut Picture, hubs: &BTreeMap<NodeIndex, BTreeSet<NodeIndex>>) {
    for (&hub, users) in hubs {
        let name = picture.nodes[hub].title.clone();
        for &user in users {
            if let Shape::System { uses, .. } = &mut picture.nodes[user].shape {
                uses.push(name.clone());
            }
        }
        note(
            picture,
            hub,
            &format!("used by {}", grouped(users.len() as u64)),
        );
    }
}

fn note(picture: &mut Picture, node: NodeIndex, text: &str) {
    if let Shape::System { note, .. } = &mut picture.nodes[node].shape {
        if !note.is_empty() {
            note.push_str(" · ");
        }
        note.push_str(text);
    }
}

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
fn arrange(picture: &mut Picture) {
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
