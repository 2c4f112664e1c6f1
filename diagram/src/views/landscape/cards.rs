//! Cards of the `landscape`: which there are, in which order, and what each says.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Facts, Index, Resource};
use crate::graph::fold::MOST_NODES;
use crate::picture::{Frame, FrameStyle, Look, Node, Shape, count, hashed_id};
use crate::views::{commonest_text, findings, system_stem};

/// A card: the environment, and the system, or `None` for the rest of a crowded environment.
pub(super) type Key = (String, Option<String>);

/// A card and its resources.
pub(super) type Card = (Key, Vec<Index>);

/// Resources by environment and system; in a crowded landscape, small and quiet systems become "+k more".
pub(super) fn cards(facts: &Facts, selected: &[Index], aim: usize) -> Vec<Card> {
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

pub(super) fn tags(facts: &Facts, members: &[Index]) -> Option<(u64, u64)> {
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

pub(super) fn frame(environment: &str) -> Frame {
    let (title, style) = if environment.is_empty() {
        ("no environment tag", FrameStyle::Outline)
    } else {
        (environment, FrameStyle::Pale)
    };
    Frame::plain(hashed_id("e", environment), title, "", style)
}

pub(super) fn card(facts: &Facts, key: &Key, members: &[Index], frame: Option<usize>) -> Node {
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
        look: Look::Plain,
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
