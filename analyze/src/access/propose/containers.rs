//! What policies are attached to: users, groups and roles.
//!
//! Policies are replaced where they are attached. A member of a group so loses what the group had too much of and gains
//! nothing, and whoever joins the group gets what its members need.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use duckdb::Connection;

use crate::access::library::PolicyId;
use crate::access::world::World;
use crate::iam::PolicyKind;

/// What a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Group,
    Role,
    User,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Role => "role",
            Self::User => "user",
        }
    }
}

/// A policy that is attached today.
pub(super) struct Attached {
    pub(super) id: PolicyId,
    /// Name of an inline policy.
    pub(super) name: String,
    /// ARN of a managed policy.
    pub(super) arn: Option<String>,
}

impl Attached {
    /// A policy that AWS wrote: nobody chose each of its services.
    pub(super) fn by_aws(&self) -> bool {
        self.arn
            .as_ref()
            .is_some_and(|arn| arn.contains(":iam::aws:policy/"))
    }
}

/// A user, group or role with the policies that are attached to it.
pub(super) struct Container {
    pub(super) account: Arc<str>,
    pub(super) kind: Kind,
    pub(super) arn: String,
    pub(super) name: String,
    /// Positions in [`World::holders`]: itself, or the users of the group.
    pub(super) members: Vec<usize>,
    pub(super) policies: Vec<Attached>,
    /// Whether it is old enough that the events show what it normally does.
    pub(super) settled: Option<bool>,
    /// A user without a device for a second factor.
    pub(super) lacks_mfa: bool,
    /// A role that is there for dangerous work, by the configuration.
    pub(super) special: bool,
}

/// All containers, by account, kind and ARN; their policies go into the world's library.
pub(super) fn read(world: &mut World, connection: &Connection) -> anyhow::Result<Vec<Container>> {
    let attached = read_attached(world, connection)?;
    let holders: HashMap<&str, usize> = world
        .holders
        .iter()
        .enumerate()
        .map(|(index, holder)| (holder.arn.as_str(), index))
        .collect();
    let list = |text: Option<String>| -> Vec<String> {
        text.and_then(|text| {
            serde_json::from_str::<Option<Vec<String>>>(&text)
                .ok()
                .flatten()
        })
        .unwrap_or_default()
    };
    let mut statement =
        connection.prepare(include_str!("../../sql/access/propose/containers.sql"))?;
    let mut rows = statement.query([])?;
    let mut containers = Vec::new();
    let mut seen = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let (account, arn): (String, String) = (row.get(0)?, row.get(2)?);
        if !seen.insert(arn.clone()) {
            continue;
        }
        let kind = match row.get::<_, String>(1)?.as_str() {
            "user" => Kind::User,
            "group" => Kind::Group,
            _ => Kind::Role,
        };
        let members = list(row.get(4)?);
        let policies = attached.get(&arn).map_or(&[][..], Vec::as_slice);
        containers.push(Container {
            account: account.into(),
            kind,
            name: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
            members: members
                .iter()
                .filter_map(|member| holders.get(member.as_str()).copied())
                .collect(),
            policies: policies
                .iter()
                .map(|(id, name, arn)| Attached {
                    id: *id,
                    name: name.clone(),
                    arn: arn.clone(),
                })
                .collect(),
            settled: row.get(5)?,
            lacks_mfa: kind == Kind::User && list(row.get(6)?).is_empty(),
            special: row.get(7)?,
            arn,
        });
    }
    Ok(containers)
}

type ByContainer = BTreeMap<String, Vec<(PolicyId, String, Option<String>)>>;

fn read_attached(world: &mut World, connection: &Connection) -> anyhow::Result<ByContainer> {
    let mut statement =
        connection.prepare(include_str!("../../sql/access/propose/attached.sql"))?;
    let mut rows = statement.query([])?;
    let mut attached = ByContainer::new();
    while let Some(row) = rows.next()? {
        let text: Option<String> = row.get(5)?;
        let policy: String = row.get(2)?;
        let id = world.library.add(
            "identityPolicies",
            PolicyKind::Principal,
            &policy,
            text.as_deref(),
        );
        let entry = (
            id,
            row.get::<_, Option<String>>(3)?.unwrap_or_default(),
            row.get(4)?,
        );
        attached.entry(row.get(1)?).or_default().push(entry);
    }
    for policies in attached.values_mut() {
        policies.sort();
        policies.dedup();
    }
    Ok(attached)
}
