//! Data stores of the `dr` view: which there are, which are joined, and what a card says.

use std::collections::BTreeMap;

use super::{Scene, standing, verdict};
use crate::facts::recovery::{Observed, Recovery, RecoveryFacts, Restore};
use crate::facts::{Facts, Index};
use crate::graph::fold::{Folded, Rung};
use crate::kinds::kind;
use crate::look::Verdict;
use crate::picture::{Node, Phrase, Shape, grouped, hashed_id};
use crate::views::findings;
use crate::views::words::{duration, in_words, stars};

/// Databases of a cluster and caches of a group: what they are part of has the data.
pub(super) fn wholes(facts: &Facts, recovery: &RecoveryFacts) -> BTreeMap<Index, Index> {
    let mut wholes = BTreeMap::new();
    for link in facts.links.iter().filter(|link| link.kind == "member_of") {
        if let (Some(member), Some(whole)) = (link.from, link.to)
            && member != whole
            && recovery.stores.contains_key(&member)
            && matches!(
                facts.resource(whole).resource_type.as_str(),
                "rds:cluster" | "elasticache:replicationgroup"
            )
        {
            wholes.entry(member).or_insert(whole);
        }
    }
    wholes
}

/// The stores of the picture in groups: identical ones with identical copies, then one type's, then one region's.
pub(super) fn fold(scene: &Scene<'_>, aim: usize) -> Folded {
    let facts = scene.facts;
    let roots: Vec<Index> = scene
        .selected
        .iter()
        .copied()
        .filter(|store| {
            scene.recovery.stores.contains_key(store) && !scene.whole.contains_key(store)
        })
        .collect();
    let highest = facts.highest_rank();
    let keep = |store: Index| {
        let resource = facts.resource(store);
        resource.exposed == Some(true)
            || resource.findings.critical > 0
            || (resource.importance_rank.is_some() && resource.importance_rank == highest)
    };
    let place = |store: Index| {
        let resource = facts.resource(store);
        let standby = scene.copies.standbys.contains(&store);
        format!(
            "{}\u{1f}{}\u{1f}{}\u{1f}{standby}",
            resource.account_id, resource.region, resource.resource_type
        )
    };
    let unmet = |store: Index| scene.recovery.stores[&store].unmet.join("+");
    let identical = |store: Index| {
        let resource = facts.resource(store);
        let lines = lines(scene, store);
        let copies = scene.copies.of(store);
        format!(
            "{}\u{1f}{}\u{1f}{}\u{1f}{}\u{1f}{}\u{1f}{lines:?}\u{1f}{copies:?}",
            place(store),
            resource.system,
            resource.environment,
            resource.function(),
            resource.importance
        )
    };
    let same_system = |store: Index| {
        let resource = facts.resource(store);
        format!(
            "{}\u{1f}{}\u{1f}{}",
            place(store),
            resource.system,
            unmet(store)
        )
    };
    let same_type = |store: Index| format!("{}\u{1f}{}", place(store), unmet(store));
    let rungs: [Rung<'_>; 4] = [&identical, &same_system, &same_type, &place];
    super::joined(&roots, &rungs, &keep, aim)
}

/// The card of one store, or of several that are shown as one.
pub(super) fn card(scene: &Scene<'_>, group: &[Index]) -> Node {
    let facts = scene.facts;
    let first = facts.resource(group[0]);
    let kind = kind(&first.resource_type);
    let title = match group.len() {
        1 => first.title().to_owned(),
        number => {
            let same = group
                .iter()
                .all(|&store| facts.resource(store).function() == first.function());
            let name = if same && !first.function().is_empty() {
                first.function()
            } else {
                &kind.plural
            };
            format!("{name} ×{}", grouped(number as u64))
        }
    };
    let summary = if group
        .iter()
        .all(|&store| facts.resource(store).summary == first.summary)
    {
        first.summary.as_str()
    } else {
        ""
    };
    let mut members: Vec<Index> = group.to_vec();
    members.extend(
        scene
            .whole
            .iter()
            .filter(|(part, whole)| group.contains(whole) && scene.is_selected(**part))
            .map(|(part, _)| *part),
    );
    let mut node = Node::card(
        hashed_id("n", &format!("{}\u{1f}{}", first.arn, group.len())),
        title,
        &kind.badge,
        kind.category,
        in_words(&kind, summary, group.len()),
    );
    if let Shape::Card { stars: on_card, .. } = &mut node.shape {
        *on_card = group
            .iter()
            .filter_map(|&store| stars(facts, facts.resource(store)))
            .max();
    }
    node.findings = findings(facts, members.iter().copied());
    node.exposed = members
        .iter()
        .any(|&member| facts.resource(member).exposed == Some(true));
    node.dashed = first.system.is_empty();
    node.members = members
        .iter()
        .map(|&member| facts.resource(member).arn.clone())
        .collect();
    let all: Vec<Vec<Vec<Phrase>>> = group.iter().map(|&store| lines(scene, store)).collect();
    if all.iter().all(|lines| *lines == all[0]) {
        node.with_lines(all.into_iter().next().unwrap_or_default())
    } else {
        node.with_lines(vec![tally(scene, group)])
    }
}

/// How many of a group meet their DR tag, where they differ.
fn tally(scene: &Scene<'_>, group: &[Index]) -> Vec<Phrase> {
    let mut phrases = vec![Phrase::plain("DR tags")];
    for verdict in [Verdict::Met, Verdict::Missed, Verdict::Unknown] {
        let number = group
            .iter()
            .filter_map(|store| scene.recovery.stores.get(store))
            .filter(|recovery| standing(recovery) == Some(verdict))
            .count();
        if number > 0 {
            phrases.push(Phrase::judged(verdict, grouped(number as u64)));
        }
    }
    phrases
}

/// What is asked for and what is there.
fn lines(scene: &Scene<'_>, store: Index) -> Vec<Vec<Phrase>> {
    let Some(recovery) = scene.recovery.stores.get(&store) else {
        return Vec::new();
    };
    [objectives(recovery), demands(recovery)]
        .into_iter()
        .filter(|line| !line.is_empty())
        .collect()
}

/// `RPO 15m ✓ 5m · RTO 1h ✓ 2m ? untested`.
fn objectives(recovery: &Recovery) -> Vec<Phrase> {
    let mut phrases = Vec::new();
    for (name, wanted, observed) in [
        ("RPO", recovery.rpo_seconds, recovery.behind),
        ("RTO", recovery.rto_seconds, recovery.recovery),
    ] {
        let Some(wanted) = wanted else { continue };
        let dot = if phrases.is_empty() { "" } else { "· " };
        phrases.push(Phrase::plain(format!("{dot}{name} {}", duration(wanted))));
        let words = match observed {
            Observed::Seconds(seconds) => duration(seconds),
            Observed::Never => "none".to_owned(),
            Observed::Unknown => String::new(),
        };
        phrases.push(Phrase::judged(verdict(wanted, observed), words));
    }
    if phrases.is_empty() {
        return Vec::new();
    }
    phrases.push(match recovery.restore {
        Restore::DaysAgo(days) => Phrase::plain(format!("· tested {days}d ago")),
        Restore::Never => Phrase::judged(Verdict::Unknown, "untested"),
        Restore::Unknown => return phrases,
    });
    phrases
}

/// `DR ✓ multi-az ✗ backup`.
fn demands(recovery: &Recovery) -> Vec<Phrase> {
    let declined = recovery
        .demands
        .iter()
        .filter(|demand| *demand == "none")
        .count();
    if recovery.demands.is_empty() {
        return vec![Phrase::plain("no DR tag")];
    }
    if declined == recovery.demands.len() {
        return vec![Phrase::plain("DR none, as its tag says")];
    }
    let rest = recovery.demands.len()
        - declined
        - recovery.unmet.len().min(recovery.demands.len() - declined);
    // Where fewer are met than are left, nobody knows which of them.
    let others = if recovery.met.saturating_sub(declined as u64) >= rest as u64 {
        Verdict::Met
    } else {
        Verdict::Unknown
    };
    let mut phrases = vec![Phrase::plain("DR")];
    for demand in recovery.demands.iter().filter(|demand| *demand != "none") {
        let verdict = if recovery.unmet.contains(demand) {
            Verdict::Missed
        } else {
            others
        };
        phrases.push(Phrase::judged(verdict, demand.clone()));
    }
    phrases
}
