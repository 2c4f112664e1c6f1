//! Frames of the `system` view: account and region, VPC, tier; services with no VPC; what is global.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use super::cards::Group;
use crate::facts::Index;
use crate::graph::lift::NodeIndex;
use crate::graph::parts::is_frame;
use crate::graph::place::Tier;
use crate::kinds::{Category, kind};
use crate::picture::{Frame, FrameStyle, Picture, hashed_id};

/// Where a card stands. The order is that of the picture, from the internet inwards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Site {
    /// Global services that carry traffic: DNS, CDN.
    Edge,
    /// In a VPC.
    Vpc {
        account_id: String,
        region: String,
        vpc: String,
        tier: Option<Tier>,
    },
    /// Services of a region; the environment where there are several.
    Region {
        account_id: String,
        region: String,
        environment: String,
    },
    /// Other global services.
    Global,
    /// Resources of several sites on one card.
    Everywhere,
}

impl Site {
    /// The site of several resources.
    pub(super) fn shared(scene: &Scene<'_>, roots: &[Index]) -> Self {
        let sites: BTreeSet<Self> = roots.iter().map(|&root| scene.site(root)).collect();
        if sites.len() == 1 {
            sites.into_iter().next().unwrap_or(Self::Everywhere)
        } else {
            Self::Everywhere
        }
    }
}

pub(super) fn site(scene: &Scene<'_>, index: Index) -> Site {
    let resource = scene.facts.resource(index);
    if let Some(place) = scene.places.get(index)
        && let Some(vpc) = &place.vpc
        && resource.region != "global"
    {
        return Site::Vpc {
            account_id: resource.account_id.clone(),
            region: resource.region.clone(),
            vpc: vpc.clone(),
            tier: place.tier,
        };
    }
    if resource.region == "global" || resource.region.is_empty() {
        let traffic = kind(&resource.resource_type).category == Category::Network;
        return if traffic { Site::Edge } else { Site::Global };
    }
    let environment = if scene.several_environments {
        resource.environment.clone()
    } else {
        String::new()
    };
    Site::Region {
        account_id: resource.account_id.clone(),
        region: resource.region.clone(),
        environment,
    }
}

/// VPCs in which something of this picture stands that is not itself a piece of network.
pub(super) fn vpcs_with_cards(scene: &Scene<'_>) -> BTreeSet<String> {
    let mut vpcs = BTreeSet::new();
    for &index in scene.selected {
        let root = scene.parts.root(index);
        if !is_frame(&scene.facts.resource(root).resource_type)
            && let Site::Vpc { vpc, .. } = scene.site(root)
        {
            vpcs.insert(vpc);
        }
    }
    vpcs
}

/// Whether a frame stands for this resource, so that it needs no card.
pub(super) fn shows(scene: &Scene<'_>, framed: &BTreeSet<String>, index: Index) -> bool {
    frame_vpc(scene, scene.parts.root(index)).is_some_and(|vpc| framed.contains(&vpc))
}

/// The VPC of this picture that a subnet, route table, ACL or gateway is a piece of.
pub(super) fn vpc_of_piece(scene: &Scene<'_>, index: Index) -> Option<Index> {
    scene.vpcs.get(frame_vpc(scene, index)?.as_str()).copied()
}

fn frame_vpc(scene: &Scene<'_>, index: Index) -> Option<String> {
    let resource = scene.facts.resource(index);
    if resource.resource_type == "ec2:vpc" {
        return Some(resource.arn.clone());
    }
    is_frame(&resource.resource_type)
        .then(|| scene.places.get(index)?.vpc.clone())
        .flatten()
}

/// What frames stand for.
pub(super) struct InFrames {
    /// Frames that stand for at least one resource.
    pub frames: usize,
    /// Resources they stand for.
    pub resources: usize,
}

/// Frames as they are needed.
#[derive(Default)]
pub(super) struct Builder {
    pub frames: Vec<Frame>,
    known: BTreeMap<String, usize>,
    vpcs: BTreeMap<String, usize>,
}

impl Builder {
    fn add(&mut self, key: &str, make: impl FnOnce() -> Frame) -> usize {
        if let Some(&known) = self.known.get(key) {
            return known;
        }
        let mut frame = make();
        frame.id = hashed_id("c", key);
        self.frames.push(frame);
        self.known.insert(key.to_owned(), self.frames.len() - 1);
        self.frames.len() - 1
    }

    /// The frame of a site, and those around it.
    pub(super) fn frame(&mut self, scene: &Scene<'_>, site: &Site) -> Option<usize> {
        Some(match site {
            Site::Everywhere => return None,
            Site::Edge => self.add("edge", || plain(None, "edge", "global", FrameStyle::Pale)),
            Site::Global => self.add("global", || {
                plain(None, "global services", "", FrameStyle::Pale)
            }),
            Site::Region {
                account_id,
                region,
                environment,
            } => {
                let around = self.region(account_id, region);
                let key = format!("services\u{1f}{account_id}\u{1f}{region}\u{1f}{environment}");
                self.add(&key, || {
                    plain(
                        Some(around),
                        "regional services",
                        environment,
                        FrameStyle::Pale,
                    )
                })
            }
            Site::Vpc {
                account_id,
                region,
                vpc,
                tier,
            } => {
                let around = self.region(account_id, region);
                let network =
                    self.add(&format!("vpc\u{1f}{vpc}"), || vpc_frame(scene, around, vpc));
                self.vpcs.insert(vpc.clone(), network);
                match tier {
                    None => network,
                    Some(tier) => self.add(&format!("tier\u{1f}{vpc}\u{1f}{tier:?}"), || {
                        tier_frame(scene, network, vpc, *tier)
                    }),
                }
            }
        })
    }

    fn region(&mut self, account_id: &str, region: &str) -> usize {
        let key = format!("region\u{1f}{account_id}\u{1f}{region}");
        self.add(&key, || {
            plain(
                None,
                region,
                &format!("account {account_id}"),
                FrameStyle::Outline,
            )
        })
    }

    /// Other systems, and whatever else is outside.
    pub(super) fn others(&mut self, key: &str, title: &str) -> usize {
        self.add(key, || plain(None, title, "", FrameStyle::Outline))
    }

    /// Gives each frame the resources it stands for: a VPC itself, its subnets, its route tables and ACLs.
    pub(super) fn assign(&mut self, scene: &Scene<'_>, framed: &BTreeSet<String>) -> InFrames {
        let mut resources = 0;
        for &index in scene.selected {
            let root = scene.parts.root(index);
            let Some(vpc) = frame_vpc(scene, root).filter(|vpc| framed.contains(vpc)) else {
                continue;
            };
            let Some(frame) = self.vpcs.get(&vpc).map(|&frame| &mut self.frames[frame]) else {
                continue;
            };
            let resource = scene.facts.resource(index);
            frame.findings.add(resource.findings);
            frame.members.push(resource.arn.clone());
            resources += 1;
        }
        InFrames {
            frames: self
                .frames
                .iter()
                .filter(|frame| !frame.members.is_empty())
                .count(),
            resources,
        }
    }
}

fn plain(parent: Option<usize>, title: &str, subtitle: &str, style: FrameStyle) -> Frame {
    Frame {
        parent,
        ..Frame::plain(String::new(), title, subtitle, style)
    }
}

fn vpc_frame(scene: &Scene<'_>, around: usize, vpc: &str) -> Frame {
    let position = scene
        .facts
        .resources
        .iter()
        .find(|resource| resource.arn == vpc);
    let (title, subtitle) = position.map_or((vpc, ""), |resource| {
        (resource.title(), resource.summary.as_str())
    });
    let mut frame = plain(Some(around), title, subtitle, FrameStyle::Solid);
    frame.stars = position.and_then(|resource| crate::views::words::stars(scene.facts, resource));
    frame
}

fn tier_frame(scene: &Scene<'_>, network: usize, vpc: &str, tier: Tier) -> Frame {
    let mut zones: BTreeSet<&str> = BTreeSet::new();
    for &index in scene.selected {
        let Some(place) = scene.places.get(index) else {
            continue;
        };
        if place.vpc.as_deref() == Some(vpc) && place.tier == Some(tier) {
            zones.extend(
                place
                    .subnets
                    .iter()
                    .map(|&subnet| scene.facts.resource(subnet).zone.as_str()),
            );
        }
    }
    zones.remove("");
    let zones = if zones.is_empty() {
        String::new()
    } else {
        format!("×{} AZ", zones.len())
    };
    let style = if tier == Tier::Public {
        FrameStyle::Public
    } else {
        FrameStyle::Pale
    };
    plain(Some(network), tier.name(), &zones, style)
}

/// Cards of a tier stand in one column, tiers follow each other; loose cards of services fill columns.
pub(super) fn arrange(picture: &mut Picture, groups: &[Group]) {
    const TIER: usize = 9;
    const LOOSE: usize = 5;
    let connected: BTreeSet<NodeIndex> = picture
        .edges
        .iter()
        .flat_map(|edge| [edge.from, edge.to])
        .collect();
    let mut frames: BTreeMap<(Option<usize>, bool), Vec<NodeIndex>> = BTreeMap::new();
    for (node, group) in groups.iter().enumerate() {
        let tiered = matches!(group.site, Site::Vpc { tier: Some(_), .. });
        if tiered || !connected.contains(&node) {
            frames
                .entry((picture.nodes[node].frame, tiered))
                .or_default()
                .push(node);
        }
    }
    let mut last_of_vpc: BTreeMap<Option<usize>, NodeIndex> = BTreeMap::new();
    let (mut first_tier, mut loose) = (None, Vec::new());
    for ((frame, tiered), nodes) in frames {
        let (columns, mut spine) = crate::dot::columns(&nodes, if tiered { TIER } else { LOOSE });
        let around = frame.and_then(|frame| picture.frames[frame].parent);
        let (first, last) = (columns[0][0], columns[columns.len() - 1][0]);
        if tiered {
            first_tier.get_or_insert(first);
            if let Some(before) = last_of_vpc.insert(around, last) {
                spine.push((before, first));
            }
        } else {
            loose.push(first);
        }
        picture.columns.extend(columns);
        picture.spine.extend(spine);
    }
    // What is needed stands right of the tiers, not below the last of them.
    for &last in last_of_vpc.values() {
        let right = picture.last_column.iter().map(|&node| (last, node));
        picture.anchors.extend(right);
    }
    // Services without an arrow to them would drift to the left, before the internet: they go below the tiers.
    loose.extend(sources(picture, groups));
    if let Some(left) = first_tier.or(picture.first_column.first().copied()) {
        picture
            .anchors
            .extend(loose.into_iter().map(|node| (left, node)));
    }
}

/// Cards of services to which no arrow leads, and from which arrows lead only to other services of the picture.
fn sources(picture: &Picture, groups: &[Group]) -> Vec<NodeIndex> {
    let is_service = |node: NodeIndex| {
        let site = groups.get(node).map(|group| &group.site);
        matches!(site, Some(Site::Region { .. } | Site::Global))
    };
    let (mut with_arrow, mut other) = (BTreeSet::new(), BTreeSet::new());
    for edge in &picture.edges {
        with_arrow.insert(edge.from);
        other.insert(edge.to);
        if !is_service(edge.to) {
            other.insert(edge.from);
        }
    }
    (0..groups.len())
        .filter(|&node| is_service(node) && with_arrow.contains(&node) && !other.contains(&node))
        .collect()
}
