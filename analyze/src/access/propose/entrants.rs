//! Who stands behind a role: the users who assume it, or a machine.

use std::collections::{BTreeMap, BTreeSet};

use duckdb::Connection;

use super::containers::{Container, Kind};
use super::scene::Scene;
use super::uses::{On, Use, Uses};
use crate::actions::Catalogue;
use crate::iam::Action;

/// Who may become which role, and who did.
pub(super) struct Entrants {
    /// By role: users and roles of the run, and whether they need a second factor.
    own: BTreeMap<String, BTreeSet<(String, bool)>>,
    /// Roles that services, other accounts, identity providers or everyone may assume.
    outside: BTreeSet<String>,
    /// Positions of holders that were seen assuming the role.
    seen: BTreeMap<String, BTreeSet<usize>>,
}

impl Entrants {
    pub(super) fn read(connection: &Connection, uses: &Uses) -> anyhow::Result<Self> {
        let mut entrants = Self {
            own: BTreeMap::new(),
            outside: BTreeSet::new(),
            seen: BTreeMap::new(),
        };
        let mut statement =
            connection.prepare("select to_arn, from_arn, from_kind, mfa = 'required' from assume_edges order by to_arn, from_arn, from_kind")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (role, from): (String, String) = (row.get(0)?, row.get(1)?);
            if matches!(row.get::<_, String>(2)?.as_str(), "user" | "role") {
                entrants
                    .own
                    .entry(role)
                    .or_default()
                    .insert((from, row.get(3)?));
            } else {
                entrants.outside.insert(role);
            }
        }
        for used in uses
            .all
            .iter()
            .filter(|used| used.action.name == "sts:AssumeRole")
        {
            for role in used.arns() {
                entrants
                    .seen
                    .entry(role.clone())
                    .or_default()
                    .insert(used.holder);
            }
        }
        Ok(entrants)
    }

    /// The users who may become a role, through others too; none if something else than a user may. The second factor that
    /// a role asks for keeps machines out: they have none.
    fn users(&self, role: &str) -> Option<BTreeSet<&str>> {
        let mut users = BTreeSet::new();
        let mut seen = BTreeSet::from([(role, false)]);
        let mut queue = vec![(role, false)];
        while let Some((role, guarded)) = queue.pop() {
            if self.outside.contains(role) {
                if guarded {
                    continue;
                }
                return None;
            }
            for (from, asks) in self.own.get(role).into_iter().flatten() {
                let next = (from.as_str(), guarded || *asks);
                if from.contains(":user/") {
                    users.insert(from.as_str());
                } else if seen.insert(next) {
                    queue.push(next);
                }
            }
        }
        Some(users)
    }

    /// Whether a user may become a role, through others too.
    pub(super) fn may_become(&self, user: &str, role: &str) -> bool {
        let mut seen = BTreeSet::from([role]);
        let mut queue = vec![role];
        while let Some(role) = queue.pop() {
            for (from, _) in self.own.get(role).into_iter().flatten() {
                if from == user {
                    return true;
                }
                if seen.insert(from) {
                    queue.push(from);
                }
            }
        }
        false
    }

    /// Whether only users stand behind a role.
    pub(super) fn is_human(&self, role: &str) -> bool {
        self.users(role).is_some_and(|users| !users.is_empty())
    }

    /// The users behind a role: those who were seen assuming it and still may, else all who may.
    pub(super) fn people(&self, scene: &Scene, role: &str) -> BTreeSet<usize> {
        let users = self.users(role).unwrap_or_default();
        let may = |holder: &usize| users.contains(scene.world.holders[*holder].arn.as_str());
        let seen: BTreeSet<usize> = self
            .seen
            .get(role)
            .into_iter()
            .flatten()
            .copied()
            .filter(may)
            .collect();
        if !seen.is_empty() {
            return seen;
        }
        let holders = scene.world.holders.iter().enumerate();
        holders
            .filter(|(_, holder)| users.contains(holder.arn.as_str()))
            .map(|(index, _)| index)
            .collect()
    }

    /// Positions of what lets the users behind a role assume it: their groups, where these grant it, else themselves.
    pub(super) fn containers(&self, scene: &Scene, role: &str) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let Some(action) = Catalogue::embedded().find("sts:AssumeRole") else {
            return found;
        };
        for user in self.people(scene, role) {
            let used = Use {
                holder: user,
                action,
                on: On::Known(BTreeMap::from([(0, BTreeSet::from([role.to_owned()]))])),
                account: scene.world.holders[user].account.to_string(),
                region: "*".to_owned(),
                calls: 0,
            };
            let of_user = || {
                scene
                    .containers
                    .iter()
                    .enumerate()
                    .filter(|(_, container)| {
                        container.kind != Kind::Role && container.members.contains(&user)
                    })
            };
            let granting: Vec<usize> = of_user()
                .filter(|(_, container)| grants(scene, container, &used))
                .map(|(index, _)| index)
                .collect();
            if granting.is_empty() {
                found.extend(
                    of_user()
                        .filter(|(_, container)| container.kind == Kind::User)
                        .map(|(index, _)| index),
                );
            }
            found.extend(granting);
        }
        found
    }
}

/// Whether a statement of the container may have allowed what was done.
fn grants(scene: &Scene, container: &Container, used: &Use) -> bool {
    let Ok(action) = Action::parse(used.action.name) else {
        return false;
    };
    scene
        .grantings(container)
        .any(|granting| granting.statement.names_action(&action) && granting.may_allow(scene, used))
}
