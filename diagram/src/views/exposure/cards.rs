//! Cards of the `exposure` view: what is joined, and what a card says.

use std::collections::{BTreeMap, BTreeSet};

use super::{Scene, ways};
use crate::facts::Index;
use crate::facts::reach::{End, Lane};
use crate::graph::fold::{Rung, fold};
use crate::kinds::{Category, kind};
use crate::look::{Phrase, Verdict};
use crate::picture::{Node, Shape, count, grouped, hashed_id};
use crate::views::findings;
use crate::views::words::{in_words, stars};

/// A card.
pub(super) struct Group {
    /// Where it stands.
    pub lane: Lane,
    /// The ends it shows; several where they are joined.
    pub ends: Vec<End>,
}

/// All cards, lane by lane.
pub(super) struct Cards {
    pub groups: Vec<Group>,
    pub forced: bool,
}

/// Ends of paths and what they stand for, by what shows them.
fn shown(scene: &Scene<'_>) -> BTreeMap<End, (Lane, BTreeSet<Index>)> {
    let mut shown: BTreeMap<End, (Lane, BTreeSet<Index>)> = BTreeMap::new();
    for (end, lane) in &scene.ways.lanes {
        let entry = shown
            .entry(scene.shown(end))
            .or_insert((*lane, BTreeSet::new()));
        entry.0 = entry.0.min(*lane);
        if let End::Known(index) = end {
            entry.1.insert(*index);
        }
    }
    shown
}

/// Steps from outside to what a card shows, by open paths.
pub(super) fn steps(scene: &Scene<'_>, end: &End) -> Option<u64> {
    let by_itself = scene.ways.steps.get(end);
    by_itself.or_else(|| scene.steps.get(end)).copied()
}

/// Joins what is shown: identical things in one lane, then one system's and type's, then one type's, one category's.
pub(super) fn cards(scene: &Scene<'_>, aim: usize) -> Cards {
    let facts = scene.facts;
    let shown = shown(scene);
    let hot: BTreeSet<End> = scene
        .ways
        .paths
        .iter()
        .filter(|(_, hot)| *hot)
        .flat_map(|(path, _)| [scene.shown(&path.from), scene.shown(&path.to)])
        .collect();
    let neighbours = neighbours(scene);
    let lane_of: BTreeMap<Index, Lane> = shown
        .iter()
        .filter_map(|(end, (lane, _))| match end {
            End::Known(index) => Some((*index, *lane)),
            End::Outside(_) => None,
        })
        .collect();
    let known: Vec<Index> = lane_of.keys().copied().collect();
    let highest = facts.highest_rank();
    let keep = |index: Index| {
        let resource = facts.resource(index);
        hot.contains(&End::Known(index))
            || scene.is_selected(index)
                && (resource.exposed == Some(true)
                    || resource.findings.critical > 0
                    || (resource.importance_rank.is_some() && resource.importance_rank == highest))
    };
    let place = |index: Index| {
        let known = steps(scene, &End::Known(index)).is_some();
        format!("{:?}{known}{}", lane_of[&index], scene.is_selected(index))
    };
    let identical = |index: Index| {
        let resource = facts.resource(index);
        format!(
            "{}\u{1f}{}\u{1f}{}\u{1f}{}\u{1f}{}\u{1f}{}\u{1f}{:?}",
            place(index),
            resource.system,
            resource.environment,
            resource.function(),
            resource.resource_type,
            resource.importance,
            neighbours.get(&End::Known(index))
        )
    };
    let alike = |index: Index| {
        let resource = facts.resource(index);
        let neighbours = neighbours.get(&End::Known(index));
        format!(
            "{}\u{1f}{}\u{1f}{neighbours:?}",
            place(index),
            resource.resource_type
        )
    };
    let same_system = |index: Index| {
        let resource = facts.resource(index);
        format!(
            "{}\u{1f}{}\u{1f}{}",
            place(index),
            resource.system,
            resource.resource_type
        )
    };
    let same_type = |index: Index| {
        format!(
            "{}\u{1f}{}",
            place(index),
            facts.resource(index).resource_type
        )
    };
    let category = |index: Index| {
        let category = kind(&facts.resource(index).resource_type).category;
        format!("{}\u{1f}{category:?}", place(index))
    };
    let rungs: [Rung<'_>; 5] = [&identical, &alike, &same_system, &same_type, &category];
    let folded = fold(&known, &rungs, &keep, aim);
    let mut groups: Vec<Group> = shown
        .iter()
        .filter(|(end, _)| matches!(end, End::Outside(_)))
        .map(|(end, (lane, _))| Group {
            lane: *lane,
            ends: vec![end.clone()],
        })
        .collect();
    groups.extend(folded.groups.into_iter().map(|members| Group {
        lane: lane_of[&members[0]],
        ends: members.into_iter().map(End::Known).collect(),
    }));
    groups.sort_by(|a, b| a.lane.cmp(&b.lane).then(a.ends.cmp(&b.ends)));
    Cards {
        groups,
        forced: folded.forced,
    }
}

/// What leads to each thing and where it leads, for telling things apart.
fn neighbours(scene: &Scene<'_>) -> BTreeMap<End, BTreeSet<(bool, End)>> {
    let mut neighbours: BTreeMap<End, BTreeSet<(bool, End)>> = BTreeMap::new();
    for (path, _) in &scene.ways.paths {
        let (from, to) = (scene.shown(&path.from), scene.shown(&path.to));
        neighbours
            .entry(to.clone())
            .or_default()
            .insert((true, from.clone()));
        neighbours.entry(from).or_default().insert((false, to));
    }
    neighbours
}

pub(super) fn node(scene: &Scene<'_>, group: &Group) -> Node {
    match &group.ends[0] {
        End::Outside(arn) => outside(group.lane, arn),
        End::Known(first) => known(scene, group, *first),
    }
}

/// Who is not of the run.
fn outside(lane: Lane, arn: &str) -> Node {
    let id = hashed_id("o", arn);
    let account = arn.split(':').nth(4).unwrap_or_default();
    let name = arn.rsplit(['/', ':']).next().unwrap_or(arn);
    let (title, badge, subtitle) = match (lane, arn, name) {
        (_, "internet", _) => ("anyone".to_owned(), "WWW", "0.0.0.0/0, ::/0".to_owned()),
        (Lane::Internet, _, "root") => (
            format!("account {account}"),
            "ACC",
            "not of this run".to_owned(),
        ),
        (Lane::Internet, ..) => (name.to_owned(), "IDP", "gives tokens to anyone".to_owned()),
        (_, _, "root") => (
            format!("more of {account}"),
            "ACC",
            "than is listed one by one".to_owned(),
        ),
        _ => (name.to_owned(), "OUT", "not in the run".to_owned()),
    };
    let mut node = Node::card(id, title, badge, Category::External, subtitle);
    node.dashed = arn != "internet";
    node
}

fn known(scene: &Scene<'_>, group: &Group, index: Index) -> Node {
    let facts = scene.facts;
    let first = facts.resource(index);
    let kind = kind(&first.resource_type);
    let ends: Vec<Index> = group
        .ends
        .iter()
        .filter_map(|end| match end {
            End::Known(index) => Some(*index),
            End::Outside(_) => None,
        })
        .collect();
    let same = |value: &dyn Fn(Index) -> String| ends.iter().all(|&end| value(end) == value(index));
    let title = match ends.len() {
        1 => first.title().to_owned(),
        number
            if same(&|end| facts.resource(end).function().to_owned())
                && !first.function().is_empty() =>
        {
            format!("{} ×{}", first.function(), grouped(number as u64))
        }
        number if same(&|end| facts.resource(end).resource_type.clone()) => {
            format!("{} ×{}", kind.plural, grouped(number as u64))
        }
        number => format!("+{} more", grouped(number as u64)),
    };
    let subtitle = if same(&|end| facts.resource(end).summary.clone()) {
        in_words(&kind, &first.summary, ends.len())
    } else if same(&|end| facts.resource(end).system.clone()) && !first.system.is_empty() {
        format!("of {}", first.system)
    } else {
        kind.plural.clone()
    };
    let members = members(scene, &ends);
    let id = hashed_id("n", &format!("{}\u{1f}{}", first.arn, ends.len()));
    let mut node = Node::card(id, title, &kind.badge, kind.category, subtitle);
    if let Shape::Card { stars: on_card, .. } = &mut node.shape {
        let stars = ends
            .iter()
            .filter_map(|&end| stars(facts, facts.resource(end)));
        *on_card = stars.max();
    }
    node.findings = findings(facts, members.iter().copied());
    node.exposed = members
        .iter()
        .chain(&ends)
        .any(|&member| facts.resource(member).exposed == Some(true));
    node.dashed = !ends.iter().any(|&end| scene.is_selected(end));
    node.members = members
        .iter()
        .map(|&member| facts.resource(member).arn.clone())
        .collect();
    node.with_lines(lines(scene, group))
}

/// What a card stands for and the filter admits: the things themselves first, then what was reached and is shown by them.
fn members(scene: &Scene<'_>, ends: &[Index]) -> Vec<Index> {
    let mut members: Vec<Index> = ends.to_vec();
    let behind: BTreeSet<Index> = ends
        .iter()
        .filter_map(|end| scene.behind.get(end))
        .flatten()
        .copied()
        .collect();
    members.extend(behind);
    members.retain(|&member| scene.is_selected(member));
    members
}

/// How far from the internet data is, or that nobody knows.
fn lines(scene: &Scene<'_>, group: &Group) -> Vec<Vec<Phrase>> {
    let all: Vec<Option<u64>> = group.ends.iter().map(|end| steps(scene, end)).collect();
    if group.lane == Lane::Internet {
        return Vec::new();
    }
    let Some(nearest) = all.iter().flatten().min() else {
        return vec![vec![Phrase::judged(
            Verdict::Unknown,
            "not known whether reached",
        )]];
    };
    let data = group.lane == Lane::Data
        || group
            .ends
            .iter()
            .any(|end| ways::is_critical_data(scene.facts, end));
    if data {
        vec![vec![Phrase::plain(match nearest {
            1 => "directly from the internet".to_owned(),
            steps => format!("{} from the internet", count(*steps, "hop")),
        })]]
    } else {
        Vec::new()
    }
}
