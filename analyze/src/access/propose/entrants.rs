//! Who stands behind a role: the users who assume it, or a machine.

use std::collections::{BTreeMap, BTreeSet};

use duckdb::Connection;

use super::containers::Kind;
use super::narrow::Granting;
use super::scene::Scene;
use super::uses::{On, Use, Uses};
use crate::access::classes;
use crate::actions::Catalogue;
use crate::iam::Effect;

/// Who may become which role, and who did.
pub(super) struct Entrants {
    /// By role: users and roles of the run.
    own: BTreeMap<String, BTreeSet<String>>,
    /// Roles that services, other accounts, identity providers or everyone may assume.
    outside: BTreeSet<String>,
    /// Positions of holders that were seen assuming the role.
    seen: BTreeMap<String, BTreeSet<usize>>,
}

impl Entrants {
    pub(super) fn read(connection: &Connection, uses: &Uses) -> anyhow::Result<Self> {
        let mut entrants = Self { own: BTreeMap::new(), outside: BTreeSet::new(), seen: BTreeMap::new() };
        let mut statement =
            connection.prepare("select to_arn, from_arn, from_kind from assume_edges order by to_arn, from_arn, from_kind")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (role, from): (String, String) = (row.get(0)?, row.get(1)?);
            if matches!(row.get::<_, String>(2)?.as_str(), "user" | "role") {
                entrants.own.entry(role).or_default().insert(from);
            } else {
                entrants.outside.insert(role);
            }
        }
        for used in uses.all.iter().filter(|used| used.action.name == "sts:AssumeRole") {
            for role in used.arns() {
                entrants.seen.entry(role.clone()).or_default().insert(used.holder);
            }
        }
        Ok(entrants)
    }

    /// The users who may become a role, through others too; none if something else than a user may.
    fn users(&self, role: &str) -> Option<BTreeSet<&str>> {
        let mut users = BTreeSet::new();
        let mut seen = BTreeSet::from([role]);
        let mut queue = vec![role];
        while let Some(role) = queue.pop() {
            if self.outside.contains(role) {
                return None;
            }
            for from in self.own.get(role).into_iter().flatten() {
                if from.contains(":user/") {
                    users.insert(from.as_str());
                } else if seen.insert(from) {
                    queue.push(from);
                }
            }
        }
        Some(users)
    }

    /// Whether only users stand behind a role.
    pub(super) fn is_human(&self, role: &str) -> bool {
        self.users(role).is_some_and(|users| !users.is_empty())
    }

    /// The users behind a role: those who were seen assuming it, else all who may.
    pub(super) fn people(&self, scene: &Scene, role: &str) -> BTreeSet<usize> {
        let is_user = |holder: &usize| scene.world.holders[*holder].arn.contains(":user/");
        let seen: BTreeSet<usize> = self.seen.get(role).into_iter().flatten().copied().filter(is_user).collect();
        if !seen.is_empty() {
            return seen;
        }
        let users = self.users(role).unwrap_or_default();
        let holders = scene.world.holders.iter().enumerate();
        holders.filter(|(_, holder)| users.contains(holder.arn.as_str())).map(|(index, _)| index).collect()
    }

    /// Positions of what lets the users behind a role assume it: their groups, where these grant it, else themselves.
    pub(super) fn containers(&self, scene: &Scene, role: &str) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let Some(action) = Catalogue::embedded().find("sts:AssumeRole") else { return found };
        for user in self.people(scene, role) {
            let used = Use {
                holder: user,
                action,
                on: On::Known(BTreeMap::from([(0, BTreeSet::from([role.to_owned()]))])),
                account: scene.world.holders[user].account.to_string(),
                region: "*".to_owned(),
                calls: 0,
            };
            let of_user = || scene.containers.iter().enumerate().filter(|(_, container)| container.kind != Kind::Role && container.members.contains(&user));
            let granting: Vec<usize> = of_user().filter(|(_, container)| grants(scene, container, &used)).map(|(index, _)| index).collect();
            if granting.is_empty() {
                found.extend(of_user().filter(|(_, container)| container.kind == Kind::User).map(|(index, _)| index));
            }
            found.extend(granting);
        }
        found
    }
}

/// Whether a statement of the container may have allowed what was done.
fn grants(scene: &Scene, container: &super::containers::Container, used: &Use) -> bool {
    let Ok(action) = crate::iam::Action::parse(used.action.name) else { return false };
    container.policies.iter().any(|policy| {
        let entry = scene.world.library.get(policy.id);
        entry.policy.statements().iter().enumerate().any(|(index, statement)| {
            let document = entry.document.as_ref().and_then(|document| classes::nth(document, index));
            statement.effect() == Effect::Allow
                && statement.names_action(&action)
                && document.is_some_and(|document| Granting { statement, document }.may_allow(scene, used))
        })
    })
}
