//! Where what has no system tag is placed: with the resource it belongs to.
//!
//! An interface follows its instance, a listener its load balancer, a snapshot what it is a copy of. Nobody tags
//! these, and left alone they would make one big card that everything is connected to.
//!
//! Invariants: a tag always wins; what belongs to several systems, or to something of no system, stays where it is;
//! findings, owners and tag counts are never passed on. The order of resources and links changes nothing.

use std::collections::{BTreeSet, HashMap};

use super::parts::{is_owned, is_part, roles_of_profiles};
use crate::facts::{Facts, Index, Link};
use crate::kinds::{Category, kind};

/// Steps from a resource to one with a tag; a copy of a volume of an instance takes two.
const MOST_STEPS: usize = 6;

/// Candidates for the owner of each resource without a system tag.
#[derive(Default)]
struct Owners {
    /// What it is a part of.
    whole: HashMap<Index, BTreeSet<Index>>,
    /// What it is used by, which counts where it is a part of nothing.
    users: HashMap<Index, BTreeSet<Index>>,
}

/// Gives each resource without a system tag the system of what it belongs to, and its environment if it has none.
pub fn adopt(facts: &mut Facts) {
    let owners = owners(facts);
    for _ in 0..MOST_STEPS {
        let found: Vec<(Index, Index)> = facts
            .indexes()
            .filter(|&index| facts.resource(index).system.is_empty())
            .filter_map(|index| Some((index, owners.of(facts, index)?)))
            .collect();
        if found.is_empty() {
            return;
        }
        for (index, owner) in found {
            let owner = facts.resource(owner);
            let (system, environment) = (owner.system.clone(), owner.environment.clone());
            let resource = &mut facts.resources[index as usize];
            resource.adopted = true;
            resource.system = system;
            if resource.environment.is_empty() {
                resource.environment = environment;
            }
        }
    }
}

impl Owners {
    /// One of the owners, when all of them are of one system and environment.
    fn of(&self, facts: &Facts, index: Index) -> Option<Index> {
        let candidates = self.whole.get(&index).or_else(|| self.users.get(&index))?;
        let first = *candidates.first()?;
        let system = |index: Index| {
            let resource = facts.resource(index);
            (resource.system.as_str(), resource.environment.as_str())
        };
        let agree = candidates
            .iter()
            .all(|&owner| system(owner) == system(first));
        (agree && !system(first).0.is_empty()).then_some(first)
    }
}

fn owners(facts: &Facts) -> Owners {
    let mut owners = Owners::default();
    let roles = roles_of_profiles(facts);
    for link in &facts.links {
        let (Some(from), Some(to)) = (link.from, link.to) else {
            continue;
        };
        if from == to {
            continue;
        }
        let types = (resource_type(facts, from), resource_type(facts, to));
        if is_piece(facts, link, from)
            || (link.kind != "member_of" && is_part(link, types.0, types.1))
        {
            owners.whole.entry(from).or_default().insert(to);
        }
        if link.kind == "runs_as" {
            // An instance names a profile and means the role in it; the profile itself follows its role.
            let role = roles.get(&to).copied().unwrap_or(to);
            if types.0 != "iam:instance-profile" && role != from {
                owners.users.entry(role).or_default().insert(from);
            }
        } else if is_owned(link, types.0, types.1) && types.0 != "ec2:network-interface" {
            owners.users.entry(to).or_default().insert(from);
        }
        if let Some((interface, owner)) = of_interface(link, types, from, to) {
            owners.users.entry(interface).or_default().insert(owner);
        }
    }
    owners
}

fn resource_type(facts: &Facts, index: Index) -> &str {
    &facts.resource(index).resource_type
}

/// Members of a group are resources of their own and have to be tagged as such, unless they are pieces of network;
/// a VPC's defaults come with it.
fn is_piece(facts: &Facts, link: &Link, from: Index) -> bool {
    let resource = facts.resource(from);
    let network = kind(&resource.resource_type).category == Category::Network;
    match link.kind.as_str() {
        "member_of" => network,
        "in_vpc" => match resource.resource_type.as_str() {
            "ec2:security-group" => resource.name == "default",
            kind => super::parts::is_frame(kind),
        },
        _ => false,
    }
}

/// The interface of a load balancer, database or gateway refers to none of them; its group or its address tells.
fn of_interface(
    link: &Link,
    types: (&str, &str),
    from: Index,
    to: Index,
) -> Option<(Index, Index)> {
    match (link.kind.as_str(), types) {
        ("has_security_group", ("ec2:network-interface", _)) => Some((from, to)),
        ("attached_to", ("ec2:elastic-ip", "ec2:network-interface")) => Some((to, from)),
        _ => None,
    }
}
