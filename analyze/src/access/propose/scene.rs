//! The principals, resources and policies that a proposal is made for, and those it makes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use duckdb::Connection;
use serde_json::{Value, json};

use super::containers::{self, Container};
use super::narrow::{self, Granting};
use super::uses::{On, Use};
use crate::access::ask::unknown_target;
use crate::access::assume::as_target;
use crate::access::classes;
use crate::access::decide::{Granted, Judge, Subject};
use crate::access::facts::{self, Facts};
use crate::access::library::{PolicyId, UNREAD};
use crate::access::world::{Holder, Kind, Target, World};
use crate::iam::{Action, Context, Effect, PolicyKind, Principal};

/// All that is judged, and where policies are attached.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) facts: Facts,
    pub(super) containers: Vec<Container>,
    targets: HashMap<String, usize>,
    /// Positions of roles by ARN.
    roles: HashMap<String, usize>,
    /// Positions of the containers of each holder.
    containers_of: HashMap<usize, Vec<usize>>,
    through_services: Arc<Context>,
    /// By account the policy of resources that are not in the run: it may leave the choice to the account.
    unknown: HashMap<Arc<str>, PolicyId>,
    /// By account a role whose own policy allows everything: what it may not do, no special role may.
    probes: HashMap<Arc<str>, Holder>,
}

impl Scene {
    /// The run as it is. Reading it twice gives the same, so that a copy can be changed.
    pub(super) fn read(connection: &Connection) -> anyhow::Result<Self> {
        let mut world = World::principals(connection)?;
        let containers = containers::read(&mut world, connection)?;
        world.read_targets(connection, |_| true)?;
        world.add_accounts();
        let unknown = unknown_policies(&mut world);
        let probes = probes(&mut world)?;
        let facts = Facts::new(&world);
        let targets = world
            .targets
            .iter()
            .enumerate()
            .map(|(index, target)| (target.arn.clone(), index))
            .collect();
        let holders = world.holders.iter().enumerate();
        let roles = holders
            .filter(|(_, holder)| holder.trust.is_some())
            .map(|(index, holder)| (holder.arn.clone(), index))
            .collect();
        let mut containers_of: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, container) in containers.iter().enumerate() {
            for member in &container.members {
                containers_of.entry(*member).or_default().push(index);
            }
        }
        Ok(Self {
            world,
            facts,
            containers,
            targets,
            roles,
            containers_of,
            through_services: facts::through_services(),
            unknown,
            probes,
        })
    }

    /// Positions of the containers whose policies a holder has.
    pub(super) fn containers_of(&self, holder: usize) -> &[usize] {
        self.containers_of.get(&holder).map_or(&[], Vec::as_slice)
    }

    /// Adds a role that assumes nothing but what its policies say.
    pub(super) fn add_role(&mut self, role: Holder) {
        self.roles
            .insert(role.arn.clone(), self.world.holders.len());
        self.world.holders.push(role);
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

    /// The same; for what is not in the run a resource of which nothing is known; a role with its trust policy.
    pub(super) fn target_or_made(&self, holder: &Holder, arn: &str) -> Target {
        if let Some(role) = self.roles.get(arn) {
            return as_target(&self.world.holders[*role]);
        }
        match self.target(arn) {
            Some(target) => target.clone(),
            None => {
                let mut made = unknown_target(holder, arn);
                // Where a policy of the resource has to allow too, it may.
                let decides = arn.contains(":role/") || arn.contains(":kms:");
                if decides || made.account != holder.account {
                    made.policy = self.unknown.get(&holder.account).copied();
                }
                made
            }
        }
    }

    /// What a principal may do, by whichever way of signing, itself or through a service that acts for it.
    pub(super) fn ask(
        &self,
        judge: &Judge<'_>,
        subject: &mut Subject<'_>,
        action: &Action,
        arn: &str,
    ) -> Option<Granted> {
        let target = self.target_or_made(subject.holder, arn);
        let object = judge.object(&target, arn)?;
        judge.ask(subject, action, &object, Some(&self.through_services))
    }

    /// Whether a role of an account may do it, if only its own policies let it: no policy of a resource names another one.
    pub(super) fn a_role_may(
        &self,
        judge: &Judge<'_>,
        account: &str,
        action: &Action,
        arn: &str,
    ) -> bool {
        self.probes.get(account).is_some_and(|probe| {
            self.ask(judge, &mut judge.subject(probe), action, arn)
                .is_some()
        })
    }

    /// The statements of a container that allow something.
    pub(super) fn grantings<'s>(
        &'s self,
        container: &'s Container,
    ) -> impl Iterator<Item = Granting<'s>> {
        container
            .policies
            .iter()
            .flat_map(|policy| self.grantings_of(policy.id))
    }

    /// The statements of a policy that allow something.
    pub(super) fn grantings_of(&self, id: PolicyId) -> impl Iterator<Item = Granting<'_>> {
        let entry = self.world.library.get(id);
        entry
            .policy
            .statements()
            .iter()
            .enumerate()
            .filter_map(|(index, statement)| {
                let document = entry
                    .document
                    .as_ref()
                    .and_then(|document| classes::nth(document, index))?;
                (statement.effect() == Effect::Allow).then_some(Granting {
                    statement,
                    document,
                })
            })
    }

    /// The statements of a policy that deny something, as they are written.
    pub(super) fn denials_of(&self, id: PolicyId) -> impl Iterator<Item = &Value> {
        let entry = self.world.library.get(id);
        entry
            .policy
            .statements()
            .iter()
            .enumerate()
            .filter_map(|(index, statement)| {
                let document = entry
                    .document
                    .as_ref()
                    .and_then(|document| classes::nth(document, index))?;
                (statement.effect() == Effect::Deny).then_some(document)
            })
    }

    /// The resources a use is judged with: those of the event, else one that each granting statement names.
    pub(super) fn resources(&self, used: &Use, action: &Action) -> BTreeSet<String> {
        match &used.on {
            On::Nothing => BTreeSet::from(["*".to_owned()]),
            On::Known(_) => used.arns().cloned().collect(),
            On::Unknown => {
                let containers = self.containers_of(used.holder).iter();
                let granting =
                    containers.flat_map(|index| self.grantings(&self.containers[*index]));
                granting
                    .filter(|granting| granting.statement.names_action(action))
                    .flat_map(|granting| narrow::instances(&granting.element()))
                    .collect()
            }
        }
    }
}

/// For each account a policy that lets it in under a condition of which nothing is known. That it names the account, not its
/// users, makes their own policies count.
fn unknown_policies(world: &mut World) -> HashMap<Arc<str>, PolicyId> {
    let accounts: BTreeSet<Arc<str>> = world
        .holders
        .iter()
        .map(|holder| Arc::clone(&holder.account))
        .collect();
    let add = |account: Arc<str>| {
        let document = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": &*account }, "Action": "*", "Resource": "*",
            "Condition": { "StringEquals": { UNREAD: "" } },
        }] });
        let name = format!("the policy of a resource that is not in the run, for {account}");
        let id = world.library.add(
            "resourcePolicy",
            PolicyKind::Resource,
            &name,
            Some(&document.to_string()),
        );
        (account, id)
    };
    accounts.into_iter().map(add).collect()
}

/// For each account a role that may do everything, as far as its own policy goes.
fn probes(world: &mut World) -> anyhow::Result<HashMap<Arc<str>, Holder>> {
    let accounts: BTreeMap<Arc<str>, String> = world
        .holders
        .iter()
        .map(|holder| {
            let partition = holder.arn.split(':').nth(1).unwrap_or("aws").to_owned();
            (Arc::clone(&holder.account), partition)
        })
        .collect();
    let document = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
    let mut probes = HashMap::new();
    for (account, partition) in accounts {
        let arn = format!("arn:{partition}:iam::{account}:role/danger-any");
        let policy = world.library.add(
            "identityPolicies",
            PolicyKind::Principal,
            &arn,
            Some(&document.to_string()),
        );
        let probe = Holder {
            account: Arc::clone(&account),
            kind: Kind::Role,
            name: "danger-any".to_owned(),
            unique_id: String::new(),
            tags: Some(BTreeMap::new()),
            policies: vec![policy],
            boundary_arn: None,
            boundary: None,
            trust: None,
            service_linked: false,
            special: true,
            principal: Principal::parse(&arn)?,
            arn,
        };
        probes.insert(account, probe);
    }
    Ok(probes)
}
