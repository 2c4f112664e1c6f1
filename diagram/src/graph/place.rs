//! Where resources are: VPC, and the tier of their subnets.
//!
//! A subnet is public when the default route of its table leads to an internet gateway, private when it leads
//! anywhere else, isolated when there is none. A subnet without a route table of its own has its VPC's main one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::facts::{Facts, Index, Link};

/// What a subnet's default route says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// To and from the internet.
    Public,
    /// To the internet or another network, by a gateway in between.
    Private,
    /// No way out.
    Isolated,
    /// Its route table is not in the run.
    Unknown,
}

impl Tier {
    /// Name in captions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public subnets",
            Self::Private => "private subnets",
            Self::Isolated => "isolated subnets",
            Self::Unknown => "subnets of unknown routes",
        }
    }
}

/// Where one resource is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The VPC: its ARN, or its identifier when it is outside the run.
    pub vpc: Option<String>,
    /// The most open tier of its subnets.
    pub tier: Option<Tier>,
    /// Subnets it may be in.
    pub subnets: BTreeSet<Index>,
}

impl Place {
    fn is_empty(&self) -> bool {
        self.vpc.is_none() && self.subnets.is_empty()
    }
}

/// The places of all resources that have one.
#[derive(Debug, Default)]
pub struct Places {
    of: HashMap<Index, Place>,
}

impl Places {
    /// Works out all places of a run.
    pub fn new(facts: &Facts) -> Self {
        let mut places = Self::default();
        let mut vpc_of_subnet: HashMap<Index, String> = HashMap::new();
        for link in facts.links.iter().filter(|link| link.kind == "in_vpc") {
            let Some(from) = link.from else { continue };
            let vpc = link
                .to
                .map_or(&link.to_id, |vpc| &facts.resource(vpc).arn)
                .clone();
            if facts.resource(from).resource_type == "ec2:subnet" {
                vpc_of_subnet.entry(from).or_insert_with(|| vpc.clone());
            }
            places.of.entry(from).or_default().vpc.get_or_insert(vpc);
        }
        let tiers = tiers(facts, &vpc_of_subnet);
        for link in facts.links.iter().filter(|link| link.kind == "in_subnet") {
            let (Some(from), Some(subnet)) = (link.from, link.to) else {
                continue;
            };
            let place = places.of.entry(from).or_default();
            place.subnets.insert(subnet);
            let tier = tiers.get(&subnet).copied().unwrap_or(Tier::Unknown);
            place.tier = Some(place.tier.map_or(tier, |known| known.min(tier)));
            if let (None, Some(vpc)) = (&place.vpc, vpc_of_subnet.get(&subnet)) {
                place.vpc = Some(vpc.clone());
            }
        }
        places.adopt_from_subnet_groups(facts);
        places
    }

    /// Caches and clusters of databases name a subnet group and no subnets.
    fn adopt_from_subnet_groups(&mut self, facts: &Facts) {
        for link in facts.links.iter().filter(|link| link.kind == "uses") {
            let (Some(from), Some(to)) = (link.from, link.to) else {
                continue;
            };
            if matches!(
                facts.resource(to).resource_type.as_str(),
                "rds:subgrp" | "elasticache:subnetgroup"
            ) {
                self.adopt(from, to);
            }
        }
    }

    /// Gives a resource without a place that of another, such as a group that of its member.
    pub fn adopt(&mut self, homeless: Index, host: Index) {
        if self.get(homeless).is_none_or(Place::is_empty)
            && let Some(place) = self.of.get(&host).filter(|place| !place.is_empty())
        {
            let place = place.clone();
            self.of.insert(homeless, place);
        }
    }

    /// The place of a resource.
    pub fn get(&self, resource: Index) -> Option<&Place> {
        self.of.get(&resource)
    }
}

fn tiers(facts: &Facts, vpc_of_subnet: &HashMap<Index, String>) -> HashMap<Index, Tier> {
    let mut routes: BTreeMap<Index, Tier> = BTreeMap::new();
    let mut table_of_subnet: HashMap<Index, Index> = HashMap::new();
    let mut main_of_vpc: HashMap<&str, Index> = HashMap::new();
    for link in &facts.links {
        let Some(from) = link.from else { continue };
        if facts.resource(from).resource_type != "ec2:route-table" {
            continue;
        }
        match (link.kind.as_str(), link.to) {
            ("associated_with", Some(subnet)) => {
                table_of_subnet.entry(subnet).or_insert(from);
            }
            ("in_vpc", vpc) if facts.main_route_tables.contains(&from) => {
                main_of_vpc.insert(
                    vpc.map_or(&link.to_id, |vpc| &facts.resource(vpc).arn),
                    from,
                );
            }
            ("routes_to", _) => {
                if let Some(tier) = tier_by_route(facts, link) {
                    let known = routes.entry(from).or_insert(tier);
                    *known = (*known).min(tier);
                }
            }
            _ => {}
        }
    }
    let tier = |subnet: &Index, vpc: &String| {
        let table = table_of_subnet
            .get(subnet)
            .or_else(|| main_of_vpc.get(vpc.as_str()));
        table.map_or(Tier::Unknown, |table| {
            routes.get(table).copied().unwrap_or(Tier::Isolated)
        })
    };
    vpc_of_subnet
        .iter()
        .map(|(subnet, vpc)| (*subnet, tier(subnet, vpc)))
        .collect()
}

/// What a default route says; other routes say nothing.
fn tier_by_route(facts: &Facts, link: &Link) -> Option<Tier> {
    if !matches!(link.detail.as_str(), "0.0.0.0/0" | "::/0") {
        return None;
    }
    let internet_gateway = match link.to {
        Some(to) => facts.resource(to).resource_type == "ec2:internet-gateway",
        None => link.to_id.starts_with("igw-"),
    };
    Some(if internet_gateway {
        Tier::Public
    } else {
        Tier::Private
    })
}
