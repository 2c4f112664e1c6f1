//! Groups and workloads: what stands between principals and permissions of others.

use std::collections::BTreeSet;
use std::sync::Arc;

use duckdb::Connection;

use super::library::PolicyId;
use super::world::World;
use crate::iam::PolicyKind;

/// A group.
pub(super) struct Group {
    pub(super) account: Arc<str>,
    pub(super) arn: String,
    /// ARNs of its users.
    pub(super) members: BTreeSet<String>,
    pub(super) policies: Vec<PolicyId>,
}

/// A resource that runs as a role.
pub(super) struct Workload {
    pub(super) account: Arc<str>,
    pub(super) arn: String,
    pub(super) resource_type: Arc<str>,
    /// ARN of the role.
    pub(super) role: String,
}

/// All groups. Their policies go into the world's library.
pub(super) fn groups(world: &mut World, connection: &Connection) -> anyhow::Result<Vec<Group>> {
    let mut statement = connection.prepare(include_str!("../sql/access/groups.sql"))?;
    let mut rows = statement.query([])?;
    let mut groups = Vec::new();
    let list = |text: Option<String>| -> Vec<String> {
        text.and_then(|text| {
            serde_json::from_str::<Option<Vec<String>>>(&text)
                .ok()
                .flatten()
        })
        .unwrap_or_default()
    };
    while let Some(row) = rows.next()? {
        groups.push(Group {
            account: row.get::<_, String>(0)?.into(),
            arn: row.get(1)?,
            members: list(row.get(2)?).into_iter().collect(),
            policies: Vec::new(),
        });
    }
    let mut statement = connection.prepare(include_str!("../sql/access/group_policies.sql"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (account, arn, name): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let text: Option<String> = row.get(3)?;
        let id = world.library.add(
            "identityPolicies",
            PolicyKind::Principal,
            &name,
            text.as_deref(),
        );
        if let Some(group) = groups
            .iter_mut()
            .find(|group| *group.account == *account && group.arn == arn)
        {
            group.policies.push(id);
        }
    }
    Ok(groups)
}

/// All resources that run as a role.
pub(super) fn workloads(connection: &Connection) -> anyhow::Result<Vec<Workload>> {
    let mut statement = connection.prepare(include_str!("../sql/access/workloads.sql"))?;
    let rows = statement.query_map([], |row| {
        Ok(Workload {
            account: row.get::<_, String>(0)?.into(),
            arn: row.get(2)?,
            resource_type: row.get::<_, Option<String>>(3)?.unwrap_or_default().into(),
            role: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
