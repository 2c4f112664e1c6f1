//! `system`: one system, its resources by account, region, VPC and tier, and what it is connected to.

mod cards;
mod frames;
mod outside;
mod sides;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AIM_EDGES, Request, add_rules, commonest, commonest_text, drawn, findings, missing,
    not_analyzed, split_hubs, system_stem,
};
use crate::facts::{Facts, Index};
use crate::graph::fold::fold;
use crate::graph::lift::{self, Edges, NodeIndex};
use crate::graph::parts::Parts;
use crate::graph::place::Places;
use crate::kinds::Category;
use crate::picture::{Account, Picture, Shape, Sign, count, grouped};
use cards::Group;
use frames::{Site, site};

/// Draws every system that the filter admits, in order of their names; resources without a system come last.
pub fn draw(facts: &Facts, request: &Request) -> Vec<Picture> {
    let places = Places::new(facts);
    let mut systems: BTreeMap<(bool, &str), Vec<Index>> = BTreeMap::new();
    for index in request.filter.select(facts) {
        let system = facts.resource(index).system.as_str();
        systems
            .entry((system.is_empty(), system))
            .or_default()
            .push(index);
    }
    systems
        .into_iter()
        .map(|((_, system), selected)| picture(facts, &places, system, &selected, request))
        .collect()
}

/// What the making of one picture knows.
struct Scene<'a> {
    facts: &'a Facts,
    /// Resources of the picture, sorted.
    selected: &'a [Index],
    parts: Parts,
    places: Homes<'a>,
    /// VPCs of the picture, by ARN.
    vpcs: BTreeMap<&'a str, Index>,
    /// Whether the system is in several environments, which are then told apart.
    several_environments: bool,
    /// The environment of most resources, which needs no mention.
    main_environment: &'a str,
}

/// Places of a run, with those that groups take over from their members.
struct Homes<'a> {
    run: &'a Places,
    adopted: BTreeMap<Index, Index>,
}

impl Homes<'_> {
    fn get(&self, resource: Index) -> Option<&crate::graph::place::Place> {
        self.run
            .get(resource)
            .or_else(|| self.run.get(*self.adopted.get(&resource)?))
    }
}

impl<'a> Scene<'a> {
    fn new(facts: &'a Facts, places: &'a Places, selected: &'a [Index]) -> Self {
        let parts = Parts::new(facts, selected);
        let mut adopted = BTreeMap::new();
        for &part in selected {
            let root = parts.root(part);
            if root != part && places.get(root).is_none() && places.get(part).is_some() {
                adopted.entry(root).or_insert(part);
            }
        }
        let environments: BTreeSet<&str> = selected
            .iter()
            .map(|&index| facts.resource(index).environment.as_str())
            .collect();
        let several_environments = environments.len() > 1;
        let (main_environment, _) = commonest(
            selected
                .iter()
                .map(|&index| facts.resource(index).environment.as_str()),
        );
        let places = Homes {
            run: places,
            adopted,
        };
        let vpcs = selected
            .iter()
            .filter(|&&index| facts.resource(index).resource_type == "ec2:vpc");
        let vpcs = vpcs
            .map(|&index| (facts.resource(index).arn.as_str(), index))
            .collect();
        Self {
            facts,
            selected,
            parts,
            places,
            vpcs,
            several_environments,
            main_environment,
        }
    }

    fn site(&self, resource: Index) -> Site {
        site(self, resource)
    }
}

fn picture(
    facts: &Facts,
    places: &Places,
    system: &str,
    selected: &[Index],
    request: &Request,
) -> Picture {
    let scene = Scene::new(facts, places, selected);
    let mut picture = Picture {
        view: "system",
        stem: system_stem(system),
        run: request.run.clone(),
        filter: request.filter.clone(),
        title: if system.is_empty() {
            "(no system tag)".to_owned()
        } else {
            system.to_owned()
        },
        ..Picture::default()
    };
    let framed = frames::vpcs_with_cards(&scene);
    let (groups, forced) = groups(&scene, &framed, request.max_nodes);
    let mut node_of: Vec<Option<NodeIndex>> = vec![None; facts.resources.len()];
    let mut built = frames::Builder::default();
    for group in &groups {
        let frame = built.frame(&scene, &group.site);
        for &member in &group.members {
            node_of[member as usize] = Some(picture.nodes.len());
        }
        picture.nodes.push(cards::node(&scene, group, frame));
    }
    picture.account = account(&scene, &groups, &mut built, &framed);
    let outside = outside::add(&scene, &mut picture, &mut built, &mut node_of);
    let hubs = connect(&scene, &mut picture, &mut built, &node_of, outside);
    cards::note_hubs(
        &mut picture,
        &hubs,
        &cards::quiet_hubs(&scene, &node_of, groups.len()),
    );
    picture.frames = built.frames;
    frames::arrange(&mut picture, &groups);
    finish(facts, selected, &mut picture, forced, request.max_nodes);
    picture
}

/// Cards: what nothing else shows, joined by the ladder.
fn groups(scene: &Scene<'_>, framed: &BTreeSet<String>, aim: usize) -> (Vec<Group>, bool) {
    let mut shown_by: BTreeMap<Index, Vec<Index>> = BTreeMap::new();
    for &index in scene.selected {
        if !frames::shows(scene, framed, index) {
            let root = scene.parts.root(index);
            // Where nothing stands in a VPC there is no frame, and the VPC's card takes in its pieces.
            let root = frames::vpc_of_piece(scene, root).unwrap_or(root);
            shown_by.entry(root).or_default().push(index);
        }
    }
    let roots: Vec<Index> = shown_by.keys().copied().collect();
    let highest = scene.facts.highest_rank();
    let keep = |root: Index| {
        shown_by[&root]
            .iter()
            .map(|&member| scene.facts.resource(member))
            .any(|resource| resource.exposed == Some(true) || resource.findings.critical > 0)
            || {
                let rank = scene.facts.resource(root).importance_rank;
                rank.is_some() && rank == highest
            }
    };
    let rungs = cards::rungs(scene);
    let rungs: Vec<&dyn Fn(Index) -> String> = rungs
        .iter()
        .map(|rung| &**rung as &dyn Fn(Index) -> String)
        .collect();
    let folded = fold(&roots, &rungs, &keep, aim);
    let groups = folded.groups.into_iter().map(|roots| {
        let mut members: Vec<Index> = roots
            .iter()
            .flat_map(|root| shown_by[root].iter().copied())
            .collect();
        // A root comes before its parts; among many roots, the first in order is the one that is drawn.
        members.sort_by_key(|&member| (roots.len() == 1 && member != roots[0], member));
        let site = if folded.rung + 1 == rungs.len() {
            Site::shared(scene, &roots)
        } else {
            scene.site(roots[0])
        };
        Group {
            site,
            rung: folded.rung,
            roots,
            members,
        }
    });
    let mut groups: Vec<Group> = groups.collect();
    groups.sort_by(|a, b| a.site.cmp(&b.site).then(a.roots.cmp(&b.roots)));
    (groups, folded.forced)
}

fn account(
    scene: &Scene<'_>,
    groups: &[Group],
    built: &mut frames::Builder,
    framed: &BTreeSet<String>,
) -> Account {
    let in_frames = built.assign(scene, framed);
    let on_cards: usize = groups.iter().map(|group| group.members.len()).sum();
    let drawn = groups.len() + in_frames.frames;
    let mut account = Account {
        resources: scene.selected.len(),
        drawn,
        ..Account::default()
    };
    account.folded = on_cards + in_frames.resources - drawn;
    account
}

/// Edges between what is drawn, and the hubs that were taken away from them.
fn connect(
    scene: &Scene<'_>,
    picture: &mut Picture,
    built: &mut frames::Builder,
    node_of: &[Option<NodeIndex>],
    mut outside: outside::Outside,
) -> BTreeMap<NodeIndex, BTreeSet<NodeIndex>> {
    let node = |index: Index| node_of[index as usize];
    let own = outside.first;
    let mut edges: Edges = lift::edges(scene.facts, &scene.facts.links, &node);
    edges.append(&mut outside.edges);
    let rules = lift::group_rules(&scene.facts.links, &node);
    let rules = rules
        .into_iter()
        .filter(|(rule, _)| rule.from.iter().chain(&rule.to).any(|&end| end < own));
    let junctions = add_rules(&mut edges, &rules.collect(), picture.nodes.len());
    picture.nodes.extend(junctions);
    // What connects two outsiders is their own matter.
    edges.retain(|&(from, to, _), _| !(outside.contains(from) && outside.contains(to)));
    sides::names_as_words(picture, &mut edges, &outside);
    let mut hubs = split_hubs(&mut edges);
    picture.edges = sides::one_per_pair(drawn(edges), &outside);
    sides::settle(picture, built, &outside, &mut hubs);
    hubs
}

fn finish(facts: &Facts, selected: &[Index], picture: &mut Picture, forced: bool, aim: usize) {
    let resources = || selected.iter().map(|&index| facts.resource(index));
    let found = findings(facts, selected.iter().copied());
    picture.caption = vec![
        commonest_text(
            resources().map(|resource| resource.environment.as_str()),
            "no environment tag",
        ),
        format!(
            "owner {}",
            commonest_text(
                resources().map(|resource| resource.owner.as_str()),
                "unknown"
            )
        ),
        picture.account.sentence(),
    ];
    if facts.analyzed {
        picture.caption.push(format!(
            "{} critical, {} high findings",
            grouped(found.critical),
            grouped(found.high)
        ));
    }
    let loose_ends = links_without_system(facts, selected);
    if loose_ends > 0 {
        picture.caption.push(format!(
            "{} to what has no system tag, not drawn",
            count(loose_ends, "link")
        ));
    }
    picture.caption.push(format!("as of {}", facts.as_of));
    if forced {
        picture.warnings.push(format!(
            "too many resources that must not be folded: folded all the same beyond {} nodes; narrow the filter",
            grouped(crate::graph::fold::MOST_NODES as u64)
        ));
        picture.partial = true;
    } else if picture.edges.len() > 2 * AIM_EDGES || picture.nodes.len() > 2 * aim {
        let size = format!(
            "{} and {}",
            count(picture.nodes.len() as u64, "node"),
            count(picture.edges.len() as u64, "edge")
        );
        picture
            .warnings
            .push(format!("crowded: {size}; narrow the filter"));
    }
    picture.warnings.extend(not_analyzed(facts));
    picture.note_missing(missing(facts, selected));
    picture.legend = legend(picture);
}

/// References between the picture and resources of no system, other than those that no picture draws.
fn links_without_system(facts: &Facts, selected: &[Index]) -> u64 {
    let inside = |index: Index| selected.binary_search(&index).is_ok();
    let loose = |index: Index| !inside(index) && facts.resource(index).system.is_empty();
    let links = facts
        .links
        .iter()
        .filter(|link| match (link.from, link.to) {
            (Some(from), Some(to)) => {
                ((inside(from) && loose(to)) || (loose(from) && inside(to)))
                    && lift::relation(facts, link).is_some()
            }
            _ => false,
        });
    links.count() as u64
}

/// Explains what the picture has, and nothing else.
fn legend(picture: &Picture) -> Vec<Sign> {
    let mut categories: BTreeSet<Category> = BTreeSet::new();
    for node in &picture.nodes {
        if let Shape::Card { category, .. } = node.shape {
            categories.insert(category);
        }
    }
    let mut signs: Vec<Sign> = Category::ALL
        .into_iter()
        .filter(|category| categories.contains(category))
        .map(Sign::Category)
        .collect();
    signs.extend([Sign::Exposed, Sign::Findings, Sign::Stars]);
    signs.push(Sign::Text("— network, events   ··· IAM, settings   - - DNS, backup   thick: replication   dashed: untagged, outside".to_owned()));
    signs
}
