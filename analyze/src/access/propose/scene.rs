//! The principals, resources and policies that a proposal is made for, and those it makes.

use std::collections::HashMap;

use duckdb::Connection;

use super::containers::{self, Container};
use crate::access::ask::unknown_target;
use crate::access::assume::as_target;
use crate::access::decide::{Granted, Judge, Subject};
use crate::access::facts::Facts;
use crate::access::world::{Holder, Target, World};
use crate::iam::Action;

/// All that is judged, and where policies are attached.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) facts: Facts,
    pub(super) containers: Vec<Container>,
    targets: HashMap<String, usize>,
}

impl Scene {
    /// The run as it is. Reading it twice gives the same, so that a copy can be changed.
    pub(super) fn read(connection: &Connection) -> anyhow::Result<Self> {
        let mut world = World::principals(connection)?;
        let containers = containers::read(&mut world, connection)?;
        world.read_targets(connection, |_| true)?;
        world.add_accounts();
        let facts = Facts::new(&world);
        let targets = world.targets.iter().enumerate().map(|(index, target)| (target.arn.clone(), index)).collect();
        Ok(Self { world, facts, containers, targets })
    }

    /// The resource that an ARN names, or names a part of.
    pub(super) fn target(&self, arn: &str) -> Option<&Target> {
        let mut name = arn;
        loop {
            if let Some(index) = self.targets.get(name) {
                return Some(&self.world.targets[*index]);
            }
            name = &name[..name.rfind(['/', ':'])?];
        }
    }

    /// The same; for what is not in the inventory a resource without policy and unknown tags; a role with its trust policy.
    pub(super) fn target_or_made(&self, holder: &Holder, arn: &str) -> Target {
        if arn.contains(":role/")
            && let Some(role) = self.world.holders.iter().find(|role| role.arn == arn && role.trust.is_some())
        {
            return as_target(role);
        }
        match self.target(arn) {
            Some(target) => target.clone(),
            None => unknown_target(holder, arn),
        }
    }

    /// What a principal may do, by whichever way of signing.
    pub(super) fn ask(&self, judge: &Judge<'_>, subject: &mut Subject<'_>, action: &Action, arn: &str) -> Option<Granted> {
        let target = self.target_or_made(subject.holder, arn);
        let object = judge.object(&target, arn)?;
        judge.ask(subject, action, &object, None)
    }
}
