//! Which resources are parts or members of others, and are shown by them: a volume by its instance, an instance by
//! its Auto Scaling group, a listener by its load balancer.
//!
//! Invariants: only resources inside the picture are parents; following parents ends; a member that is exposed or has
//! a critical finding stays on its own, while a part hands what is known of it to its parent.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::facts::{Facts, Index, Link};

/// Parents of the resources of a picture.
#[derive(Debug, Default)]
pub struct Parts {
    parent: HashMap<Index, Index>,
}

/// Types that a VPC's frame stands for.
pub fn is_frame(resource_type: &str) -> bool {
    matches!(
        resource_type,
        "ec2:vpc" | "ec2:subnet" | "ec2:route-table" | "ec2:network-acl" | "ec2:internet-gateway"
    )
}

/// Groups whose members they stand for.
const GROUPS: [&str; 6] = [
    "autoscaling:autoScalingGroup",
    "rds:cluster",
    "elasticache:replicationgroup",
    "elasticloadbalancing:loadbalancer",
    "apigateway:restapis",
    "apigateway:apis",
];

/// Settings that are shown by the first of those that use them.
pub const SETTINGS: [&str; 6] = [
    "rds:subgrp",
    "rds:pg",
    "rds:cluster-pg",
    "rds:og",
    "elasticache:subnetgroup",
    "elasticache:parametergroup",
];

impl Parts {
    /// Works out the parts among `selected`, which is sorted.
    pub fn new(facts: &Facts, selected: &[Index]) -> Self {
        let mut parts = Self::default();
        let inside = |resource: Option<Index>| {
            resource.filter(|index| selected.binary_search(index).is_ok())
        };
        let kind = |resource: Index| facts.resource(resource).resource_type.as_str();
        let mut owners: BTreeMap<Index, BTreeSet<Index>> = BTreeMap::new();
        let mut users_outside: BTreeSet<Index> = BTreeSet::new();
        let mut groups_of_interfaces: BTreeMap<Index, Index> = BTreeMap::new();
        for link in &facts.links {
            if let (Some(from), None, Some(to)) = (link.from, inside(link.from), inside(link.to))
                && is_owned(link, kind(from), kind(to))
                && kind(from) != "iam:instance-profile"
            {
                users_outside.insert(to);
            }
            let (Some(from), Some(to)) = (inside(link.from), inside(link.to)) else {
                continue;
            };
            if link.kind == "has_security_group" && kind(from) == "ec2:network-interface" {
                groups_of_interfaces.entry(from).or_insert(to);
            } else if is_part(link, kind(from), kind(to)) && !stands_alone(facts, link, from) {
                parts.parent.entry(from).or_insert(to);
            } else if is_owned(link, kind(from), kind(to)) {
                owners.entry(to).or_default().insert(from);
            }
        }
        // The interfaces of load balancers and databases refer to no owner: they follow their security group to it.
        for (interface, group) in groups_of_interfaces {
            parts.parent.entry(interface).or_insert(group);
        }
        parts.cut_circles(selected);
        let roles = roles_of_profiles(facts);
        for link in facts.links.iter().filter(|link| link.kind == "runs_as") {
            // An instance names a profile, and means the role in it.
            if let (Some(_), None, Some(&role)) = (
                link.from,
                inside(link.from),
                link.to.and_then(|profile| roles.get(&profile)),
            ) {
                users_outside.insert(role);
            }
            if let (Some(from), Some(&role)) = (
                inside(link.from),
                link.to.and_then(|profile| roles.get(&profile)),
            ) && inside(Some(role)).is_some()
            {
                owners.entry(role).or_default().insert(from);
            }
        }
        // What others use, too, is no part of the one user inside.
        let shared = |owned: Index| users_outside.contains(&owned);
        owners.retain(|&owned, _| by_first(kind(owned)) || !shared(owned));
        // Joins the tree of what is owned, which has no parent yet, to another tree's root: no circle can come of it.
        parts.add_owned(facts, &owners);
        parts
    }

    /// Gives parents to what is reached from its owner: settings and security groups go to the first owner, everything
    /// else only to a sole one, since what is shared is worth showing.
    fn add_owned(&mut self, facts: &Facts, owners: &BTreeMap<Index, BTreeSet<Index>>) {
        for (&owned, candidates) in owners {
            let own = self.root(owned);
            let roots: BTreeSet<Index> = candidates
                .iter()
                .map(|&owner| self.root(owner))
                .filter(|&root| root != own)
                .collect();
            let kind = facts.resource(owned).resource_type.as_str();
            if let Some(&first) = roots.first()
                && (by_first(kind) || roots.len() == 1)
                && !self.parent.contains_key(&owned)
            {
                self.parent.insert(owned, first);
            }
        }
    }

    /// The resource that shows this one; itself when nothing else does.
    pub fn root(&self, resource: Index) -> Index {
        let mut current = resource;
        // Ends, since there are no circles.
        while let Some(&parent) = self.parent.get(&current) {
            current = parent;
        }
        current
    }

    /// Breaks circles where the walk in order meets itself.
    fn cut_circles(&mut self, selected: &[Index]) {
        let mut finished: HashSet<Index> = HashSet::with_capacity(selected.len());
        for &start in selected {
            let mut path = BTreeSet::new();
            let mut current = start;
            while !finished.contains(&current) {
                path.insert(current);
                let Some(&parent) = self.parent.get(&current) else {
                    break;
                };
                if path.contains(&parent) {
                    self.parent.remove(&current);
                    break;
                }
                current = parent;
            }
            finished.extend(path);
        }
    }
}

/// Whether the first of several users shows it.
fn by_first(kind: &str) -> bool {
    kind == "ec2:security-group" || SETTINGS.contains(&kind)
}

/// The role inside each instance profile.
pub(super) fn roles_of_profiles(facts: &Facts) -> HashMap<Index, Index> {
    let of_profile = |link: &&Link| {
        link.kind == "runs_as"
            && link
                .from
                .is_some_and(|from| facts.resource(from).resource_type == "iam:instance-profile")
    };
    facts
        .links
        .iter()
        .filter(of_profile)
        .filter_map(|link| Some((link.from?, link.to?)))
        .collect()
}

/// Whether the referring resource is a part or member of the other.
pub(super) fn is_part(link: &Link, from: &str, to: &str) -> bool {
    match link.kind.as_str() {
        "attached_to" | "backup_of" => true,
        "member_of" => GROUPS.contains(&to),
        "triggers" => from == "lambda:event-source-mapping",
        "alias_of" => from == "kms:alias",
        "uses" => from == "cloudwatch:alarm",
        "runs_as" => from == "iam:instance-profile",
        _ => false,
    }
}

/// A member, unlike a part, is not hidden in its group when it alone is in danger.
fn stands_alone(facts: &Facts, link: &Link, member: Index) -> bool {
    let resource = facts.resource(member);
    link.kind == "member_of"
        && (resource.exposed == Some(true) || resource.findings.critical > 0)
        && resource.resource_type != "elasticloadbalancing:listener"
}

/// Whether the resource referred to belongs to those that refer to it.
pub(super) fn is_owned(link: &Link, from: &str, to: &str) -> bool {
    match link.kind.as_str() {
        "targets" => {
            to == "elasticloadbalancing:targetgroup" && from == "elasticloadbalancing:loadbalancer"
        }
        "runs_as" => to == "iam:role",
        "logs_to" => to == "logs:log-group",
        "created_from" => to == "ec2:launch-template" || to == "ec2:image",
        "has_policy" => to == "iam:policy",
        "has_security_group" => to == "ec2:security-group",
        "uses" => {
            SETTINGS.contains(&to)
                || to == "autoscaling:autoScalingGroup"
                || link.detail == "master user secret"
        }
        _ => false,
    }
}
