//! Principals, resources and policies of a run, as they are judged.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use duckdb::{Connection, Rows};

use super::dangers::ACCOUNT;
use super::library::{Library, PolicyId};
use crate::iam::{OrganizationLevel, PolicyKind, Principal, Resource};

const RESOURCES: &str = include_str!("../sql/access/resources.sql");

/// What a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    User,
    Role,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
        }
    }
}

/// A user or role.
pub(super) struct Holder {
    pub(super) account: Arc<str>,
    pub(super) arn: String,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) unique_id: String,
    /// None: not known.
    pub(super) tags: Option<BTreeMap<String, String>>,
    /// Its own, and those of its groups.
    pub(super) policies: Vec<PolicyId>,
    pub(super) boundary_arn: Option<String>,
    pub(super) boundary: Option<PolicyId>,
    /// Of roles.
    pub(super) trust: Option<PolicyId>,
    pub(super) service_linked: bool,
    pub(super) principal: Principal,
}

impl Holder {
    /// A role of single sign-on, which only the service edits.
    pub(super) fn reserved(&self) -> bool {
        self.arn.contains(":role/aws-reserved/")
    }
}

/// A resource.
pub(super) struct Target {
    pub(super) account: Arc<str>,
    pub(super) region: String,
    pub(super) arn: String,
    pub(super) resource_type: Arc<str>,
    /// None: not known.
    pub(super) tags: Option<BTreeMap<String, String>>,
    pub(super) policy: Option<PolicyId>,
    pub(super) policy_unread: bool,
}

impl Target {
    /// An account, as the resource of actions that concern it as a whole. `like` is an ARN of its partition.
    pub(super) fn account(account: &Arc<str>, like: &str) -> Self {
        let partition = like.split(':').nth(1).unwrap_or("aws");
        Self {
            account: Arc::clone(account),
            region: String::new(),
            arn: format!("arn:{partition}:iam::{account}:root"),
            resource_type: ACCOUNT.into(),
            tags: Some(BTreeMap::new()),
            policy: None,
            policy_unread: false,
        }
    }
}

/// What limits an account from above.
#[derive(Default)]
pub(super) struct Limits {
    service_control: Arc<[OrganizationLevel]>,
    resource_control: Arc<[OrganizationLevel]>,
    /// As `aws:PrincipalOrgPaths` has it.
    pub(super) organization: Option<String>,
}

/// Everything that is judged.
#[derive(Default)]
pub(super) struct World {
    pub(super) library: Library,
    pub(super) holders: Vec<Holder>,
    pub(super) targets: Vec<Target>,
    /// By account.
    pub(super) limits: BTreeMap<Arc<str>, Limits>,
}

impl World {
    /// Reads principals and policies.
    pub(super) fn principals(connection: &Connection) -> anyhow::Result<Self> {
        let mut world = Self::default();
        world.read_organization(connection)?;
        world.read_holders(connection)?;
        Ok(world)
    }

    /// Reads the resources whose type `wanted` knows.
    pub(super) fn read_targets(
        &mut self,
        connection: &Connection,
        wanted: impl Fn(&str) -> bool,
    ) -> anyhow::Result<()> {
        let mut statement = connection.prepare(RESOURCES)?;
        self.take_targets(statement.query([])?, wanted)
    }

    /// Reads the resource that `arn` names or names a part of.
    pub(super) fn read_target(&mut self, connection: &Connection, arn: &str) -> anyhow::Result<()> {
        let mut statement = connection.prepare(&format!(
            "select * from ({RESOURCES}) where arn = $1 or starts_with($1, arn || '/') or starts_with($1, arn || ':') order by len(arn) desc, account_id limit 1"
        ))?;
        self.take_targets(statement.query([arn])?, |_| true)
    }

    fn take_targets(
        &mut self,
        mut rows: Rows<'_>,
        wanted: impl Fn(&str) -> bool,
    ) -> anyhow::Result<()> {
        let mut accounts = Interner::default();
        while let Some(row) = rows.next()? {
            let arn: String = row.get(2)?;
            let resource_type = row.get::<_, Option<String>>(3)?.unwrap_or_default();
            if !wanted(&resource_type) || Resource::new(&arn, None).is_err() {
                continue;
            }
            let has_policy: bool = row.get(5)?;
            let text: Option<String> = row.get(6)?;
            let before = self.library.unread.len();
            let policy = has_policy.then(|| {
                self.library.add(
                    "resourcePolicy",
                    PolicyKind::Resource,
                    &arn,
                    text.as_deref(),
                )
            });
            self.targets.push(Target {
                account: accounts.get(&row.get::<_, String>(0)?),
                region: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                resource_type: accounts.get(&resource_type),
                tags: tags(row.get::<_, Option<String>>(4)?),
                policy,
                policy_unread: self.library.unread.len() > before,
                arn,
            });
        }
        Ok(())
    }

    /// Adds the accounts themselves, as far as somebody in them could do something.
    pub(super) fn add_accounts(&mut self) {
        let mut accounts: BTreeMap<&Arc<str>, &str> = BTreeMap::new();
        for holder in &self.holders {
            accounts.entry(&holder.account).or_insert(&holder.arn);
        }
        let accounts: Vec<Target> = accounts
            .into_iter()
            .map(|(account, arn)| Target::account(account, arn))
            .collect();
        self.targets.extend(accounts);
    }

    /// From the root of the organization to the account; empty for an account that none limits, as far as is known.
    pub(super) fn service_control(&self, account: &str) -> Arc<[OrganizationLevel]> {
        self.limits
            .get(account)
            .map(|limits| Arc::clone(&limits.service_control))
            .unwrap_or_default()
    }

    /// As [`Self::service_control`], for the account of a resource.
    pub(super) fn resource_control(&self, account: &str) -> Arc<[OrganizationLevel]> {
        self.limits
            .get(account)
            .map(|limits| Arc::clone(&limits.resource_control))
            .unwrap_or_default()
    }

    fn read_holders(&mut self, connection: &Connection) -> anyhow::Result<()> {
        let attached = self.read_attached(connection)?;
        let mut accounts = Interner::default();
        let mut statement = connection.prepare(include_str!("../sql/access/principals.sql"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (account, arn): (String, String) = (row.get(0)?, row.get(1)?);
            // An ARN that is none can't make requests.
            let Ok(principal) = Principal::parse(&arn) else {
                continue;
            };
            let kind = match row.get::<_, String>(2)?.as_str() {
                "user" => Kind::User,
                _ => Kind::Role,
            };
            let key = (account.clone(), arn.clone());
            let mut policies = attached.get(&key).cloned().unwrap_or_default();
            let groups: Option<String> = row.get(11)?;
            for group in groups
                .and_then(|text| serde_json::from_str::<Vec<String>>(&text).ok())
                .unwrap_or_default()
            {
                let name = format!("{arn}/group/{group}");
                policies.push(self.library.add(
                    "identityPolicies",
                    PolicyKind::Principal,
                    &name,
                    None,
                ));
            }
            let boundary_arn: Option<String> = row.get(7)?;
            let document: Option<String> = row.get(8)?;
            let boundary = boundary_arn.as_ref().map(|boundary| {
                self.library.add(
                    "identityPolicies",
                    PolicyKind::Principal,
                    boundary,
                    document.as_deref(),
                )
            });
            let text: Option<String> = row.get(9)?;
            let trust = (kind == Kind::Role).then(|| {
                self.library.add(
                    "resourcePolicy",
                    PolicyKind::Resource,
                    &arn,
                    text.as_deref(),
                )
            });
            self.holders.push(Holder {
                account: accounts.get(&account),
                kind,
                name: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                unique_id: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
                tags: tags(row.get(6)?),
                policies,
                boundary_arn,
                boundary,
                trust,
                service_linked: row.get::<_, Option<bool>>(10)?.unwrap_or(false),
                principal,
                arn,
            });
        }
        Ok(())
    }

    fn read_attached(
        &mut self,
        connection: &Connection,
    ) -> anyhow::Result<BTreeMap<(String, String), Vec<PolicyId>>> {
        let mut attached: BTreeMap<(String, String), Vec<PolicyId>> = BTreeMap::new();
        let mut statement = connection.prepare(include_str!("../sql/access/attached.sql"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let name: Option<String> = row.get(2)?;
            let text: Option<String> = row.get(3)?;
            let name = name.context("a policy without a name")?;
            let id = self.library.add(
                "identityPolicies",
                PolicyKind::Principal,
                &name,
                text.as_deref(),
            );
            attached
                .entry((row.get(0)?, row.get(1)?))
                .or_default()
                .push(id);
        }
        for policies in attached.values_mut() {
            policies.sort_unstable();
            policies.dedup();
        }
        Ok(attached)
    }

    fn read_organization(&mut self, connection: &Connection) -> anyhow::Result<()> {
        let mut levels: BTreeMap<(String, bool), Vec<OrganizationLevel>> = BTreeMap::new();
        let mut statement = connection.prepare(include_str!("../sql/access/organization.sql"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (account, node): (String, String) = (row.get(0)?, row.get(2)?);
            let Some(layer) = row.get::<_, Option<String>>(3)? else {
                continue;
            };
            let (name, text): (Option<String>, Option<String>) = (row.get(4)?, row.get(5)?);
            let name = name.unwrap_or_else(|| node.clone());
            let of_principals = layer == "serviceControlPolicies";
            let (layer, kind) = if of_principals {
                ("serviceControlPolicies", PolicyKind::Principal)
            } else {
                ("resourceControlPolicies", PolicyKind::ResourceControl)
            };
            let id = self.library.add(layer, kind, &name, text.as_deref());
            let levels = levels.entry((account, of_principals)).or_default();
            // Nodes come in order, so that a new one begins a new level.
            if levels
                .last()
                .is_none_or(|level| level.org_identifier != node)
            {
                levels.push(OrganizationLevel {
                    org_identifier: node,
                    policies: Vec::new(),
                });
            }
            if let Some(level) = levels.last_mut() {
                level.policies.push(self.library.policy(id));
            }
        }
        for ((account, of_principals), levels) in levels {
            let limits = self.limits.entry(account.as_str().into()).or_default();
            if of_principals {
                limits.service_control = levels.into();
            } else {
                limits.resource_control = levels.into();
            }
        }
        let mut statement = connection.prepare(
            "select member_account_id, paths[1] from aws_organizations_account where len(paths) > 0 order by all",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let account: String = row.get(0)?;
            self.limits
                .entry(account.as_str().into())
                .or_default()
                .organization = row.get(1)?;
        }
        Ok(())
    }
}

/// Strings of which there are few and many use.
#[derive(Default)]
struct Interner(BTreeMap<String, Arc<str>>);

impl Interner {
    fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.0.insert(text.to_owned(), Arc::clone(&new));
        new
    }
}

fn tags(text: Option<String>) -> Option<BTreeMap<String, String>> {
    serde_json::from_str(&text?).ok()
}
