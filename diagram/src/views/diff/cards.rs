//! Cards of the `diff` view: changes that are joined, and what a card says.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use crate::facts::Index;
use crate::facts::change::Fate;
use crate::graph::fold::{Rung, fold};
use crate::kinds::kind;
use crate::look::{Look, Phrase};
use crate::picture::{Node, Shape, grouped, hashed_id};
use crate::views::findings;
use crate::views::words::{in_words, stars};

/// A card of changes.
pub(super) struct Group {
    /// Changed resources it is named after.
    pub roots: Vec<Index>,
    /// All it stands for, parts included; the first is drawn.
    pub members: Vec<Index>,
}

/// All cards of changes.
pub(super) struct Groups {
    pub groups: Vec<Group>,
    pub forced: bool,
}

/// Changes, joined: the same change of alike things, then one system's and type's, then one type's, then one category's.
pub(super) fn groups(scene: &Scene<'_>, aim: usize) -> Groups {
    let facts = &scene.changes.facts;
    let mut shown: BTreeMap<Index, BTreeSet<Index>> = BTreeMap::new();
    for &index in scene.changes.fates.keys() {
        if scene.is_selected(index) {
            shown.entry(scene.shown(index)).or_default().insert(index);
        }
    }
    let highest = facts.highest_rank();
    let keep = |index: Index| {
        let resource = facts.resource(index);
        resource.exposed == Some(true)
            || resource.findings.critical > 0
            || (resource.importance_rank.is_some() && resource.importance_rank == highest)
    };
    let fate = |index: Index| format!("{:?}", look(scene, index));
    let same = |index: Index| {
        let resource = facts.resource(index);
        format!(
            "{}\u{1f}{}\u{1f}{}\u{1f}{}\u{1f}{}\u{1f}{:?}\u{1f}{:?}",
            fate(index),
            resource.system,
            resource.environment,
            resource.function(),
            resource.resource_type,
            scene.changes.fates.get(&index),
            scene.changes.authors.get(&index)
        )
    };
    let same_system = |index: Index| {
        let resource = facts.resource(index);
        format!(
            "{}\u{1f}{}\u{1f}{}",
            fate(index),
            resource.system,
            resource.resource_type
        )
    };
    let same_type = |index: Index| {
        format!(
            "{}\u{1f}{}",
            fate(index),
            facts.resource(index).resource_type
        )
    };
    let category = |index: Index| {
        let category = kind(&facts.resource(index).resource_type).category;
        format!("{}\u{1f}{category:?}", fate(index))
    };
    let rungs: [Rung<'_>; 4] = [&same, &same_system, &same_type, &category];
    let roots: Vec<Index> = shown.keys().copied().collect();
    let folded = fold(&roots, &rungs, &keep, aim);
    let groups = folded.groups.into_iter().map(|roots| {
        let mut members = roots.clone();
        for root in &roots {
            members.extend(shown[root].iter().filter(|member| *member != root));
        }
        members.retain(|&member| scene.is_selected(member));
        Group { roots, members }
    });
    Groups {
        groups: groups.collect(),
        forced: folded.forced,
    }
}

/// What became of a resource, as it is drawn.
pub(super) fn look(scene: &Scene<'_>, index: Index) -> Look {
    match scene.changes.fates.get(&index) {
        Some(Fate::Added) => Look::Added,
        Some(Fate::Removed) => Look::Removed,
        Some(Fate::Changed(_)) => Look::Changed,
        None => Look::Faint,
    }
}

/// Differences that a card has room for.
const DIFFERENCES: usize = 3;

pub(super) fn node(scene: &Scene<'_>, group: &Group) -> Node {
    let facts = &scene.changes.facts;
    let first = facts.resource(group.roots[0]);
    let kind = kind(&first.resource_type);
    let number = group.roots.len();
    let alike = |value: &dyn Fn(Index) -> String| {
        let own = value(group.roots[0]);
        group.roots.iter().all(|&root| value(root) == own)
    };
    let title = if number == 1 {
        first.title().to_owned()
    } else if alike(&|root| facts.resource(root).function().to_owned())
        && !first.function().is_empty()
    {
        format!("{} ×{}", first.function(), grouped(number as u64))
    } else if alike(&|root| facts.resource(root).resource_type.clone()) {
        format!("{} ×{}", kind.plural, grouped(number as u64))
    } else {
        format!("+{} more", grouped(number as u64))
    };
    let summary = if alike(&|root| facts.resource(root).summary.clone()) {
        first.summary.as_str()
    } else {
        ""
    };
    let id = hashed_id("n", &format!("{}\u{1f}{number}", first.arn));
    let subtitle = in_words(&kind, summary, number);
    let mut node = Node::card(id, title, &kind.badge, kind.category, subtitle);
    if let Shape::Card { stars: on_card, .. } = &mut node.shape {
        let stars = group
            .roots
            .iter()
            .filter_map(|&root| stars(facts, facts.resource(root)));
        *on_card = stars.max();
    }
    node.look = look(scene, group.roots[0]);
    if node.look != Look::Removed {
        node.findings = findings(facts, group.members.iter().copied());
    }
    node.exposed = group
        .members
        .iter()
        .any(|&member| facts.resource(member).exposed == Some(true));
    node.members = group
        .members
        .iter()
        .map(|&member| facts.resource(member).arn.clone())
        .collect();
    node.with_lines(lines(scene, group))
}

/// What is different, and who did it.
fn lines(scene: &Scene<'_>, group: &Group) -> Vec<Vec<Phrase>> {
    let mut differences: BTreeMap<&str, usize> = BTreeMap::new();
    for root in &group.roots {
        if let Some(Fate::Changed(texts)) = scene.changes.fates.get(root) {
            for text in texts {
                *differences.entry(text).or_default() += 1;
            }
        }
    }
    let number = differences.len();
    let mut lines: Vec<Vec<Phrase>> = differences
        .into_iter()
        .take(DIFFERENCES)
        .map(|(text, of)| {
            let of = if of < group.roots.len() {
                format!(" (of {})", grouped(of as u64))
            } else {
                String::new()
            };
            vec![Phrase::plain(format!("{text}{of}"))]
        })
        .collect();
    if number > DIFFERENCES {
        let more = format!(
            "+{} more differences",
            grouped((number - DIFFERENCES) as u64)
        );
        lines.push(vec![Phrase::plain(more)]);
    }
    let authors: BTreeSet<&String> = group
        .roots
        .iter()
        .filter_map(|root| scene.changes.authors.get(root))
        .collect();
    if let Some(last) = authors.last() {
        let others = match authors.len() {
            1 => String::new(),
            number => format!(" +{}", grouped(number as u64 - 1)),
        };
        lines.push(vec![Phrase::plain(format!("{last}{others}"))]);
    }
    lines
}

/// Something that is as it was, next to a change.
pub(super) fn neighbour(scene: &Scene<'_>, index: Index) -> Node {
    let facts = &scene.changes.facts;
    let resource = facts.resource(index);
    let kind = kind(&resource.resource_type);
    let mut node = Node::card(
        hashed_id("n", &resource.arn),
        resource.title().to_owned(),
        &kind.badge,
        kind.category,
        in_words(&kind, &resource.summary, 1),
    );
    node.look = Look::Faint;
    if scene.is_selected(index) {
        node.members.push(resource.arn.clone());
    }
    node
}
