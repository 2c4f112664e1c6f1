//! `landscape`: the systems of the account, environment by environment, and which of them need which.

mod arrange;
mod cards;
mod needs;

use std::collections::{BTreeMap, BTreeSet};

use super::{Request, drawn, missing, not_analyzed, restricted, split_hubs};
use crate::facts::{Facts, Index, Resource};
use crate::graph::lift::NodeIndex;
use crate::picture::{Account, Picture, Shape, Sign, count, grouped};
use cards::Card;

/// Draws the landscape.
pub fn draw(facts: &Facts, request: &Request) -> Picture {
    let selected = request.filter.select(facts);
    let cards = cards::cards(facts, &selected, request.max_nodes);
    let mut picture = Picture {
        view: "landscape",
        stem: "landscape".to_owned(),
        run: request.run.clone(),
        filter: request.filter.clone(),
        title: restricted("landscape", &request.filter),
        legend: legend(),
        account: account(&selected, &cards),
        ..Picture::default()
    };
    picture.caption = caption(facts, &selected, &cards, &picture.account);
    picture.warnings.extend(not_analyzed(facts));
    picture.note_missing(missing(facts, &selected));
    let mut edges = needs::dependencies(facts, &selected, &cards);
    let loose_ends = needs::take_untagged(&mut edges, &cards);
    let hubs = split_hubs(&mut edges);
    let mut environments: Vec<&str> = cards.iter().map(|(key, _)| key.0.as_str()).collect();
    // Cards are in order of their environments.
    environments.dedup();
    for environment in &environments {
        picture.frames.push(cards::frame(environment));
    }
    for (key, members) in &cards {
        let frame = environments
            .iter()
            .position(|environment| *environment == key.0);
        picture.nodes.push(cards::card(facts, key, members, frame));
    }
    for (node, links) in loose_ends {
        note(
            &mut picture,
            node,
            &format!("{}, not drawn", count(links, "link")),
        );
    }
    note_hubs(&mut picture, &hubs);
    picture.edges = needs::one_per_pair(drawn(edges));
    arrange::arrange(&mut picture);
    picture
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
    if let Some((have, want)) = cards::tags(facts, selected).filter(|(_, want)| *want > 0) {
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
