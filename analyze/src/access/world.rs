//! Principals, resources and policies of a run, as they are judged.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use duckdb::Connection;

use super::dangers::ACCOUNT;
use super::library::{Library, PolicyId};
use super::rows::{self, Attachment, Identity, Managed};
use crate::beside::beside;
use crate::iam::{OrganizationLevel, Policy, PolicyKind, Principal, Resource};

const ORGANIZATION: &str = include_str!("../sql/access/organization.sql");

/// All that is asked here.
pub(super) const SQL: [&str; 5] = [
    ORGANIZATION,
    rows::RESOURCES,
    rows::IDENTITIES,
    rows::ATTACHMENTS,
    rows::MANAGED,
];

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
    /// A role that the configuration names as one for dangerous work.
    pub(super) special: bool,
    pub(super) principal: Principal,
}

impl Holder {
    /// A role of single sign-on, which only the service edits.
    pub(super) fn reserved(&self) -> bool {
        self.arn.contains(":role/aws-reserved/")
    }
}

/// A resource.
#[derive(Clone)]
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

impl Limits {
    /// Attaches service control policies to the account's own level, if there are levels that limit it.
    pub(super) fn guard(&mut self, policies: &[Arc<Policy>]) {
        let mut levels = self.service_control.to_vec();
        if let Some(own) = levels.last_mut() {
            own.policies.extend(policies.iter().map(Arc::clone));
        }
        self.service_control = levels.into();
    }
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

/// What [`World::read`] asks for, in two parts.
type Principals = (World, Vec<Identity>);
type Policies = (Vec<Attachment>, Managed);
type OfPrincipals<'a> = &'a (dyn Fn(&Connection) -> anyhow::Result<Principals> + Sync);
type OfPolicies<'a> = &'a dyn Fn() -> anyhow::Result<Policies>;

impl World {
    /// Reads principals and policies.
    pub(super) fn principals(connection: &Connection) -> anyhow::Result<Self> {
        Self::read(connection, true, |of_principals, of_policies| {
            Ok((of_principals(connection)?, of_policies()?))
        })
    }

    /// As [`Self::principals`], of a session in which nothing is under way; trust policies only if `with_trust`.
    pub(super) fn principals_at_once(
        connection: &Connection,
        with_trust: bool,
    ) -> anyhow::Result<Self> {
        Self::read(connection, with_trust, |of_principals, of_policies| {
            beside(connection.try_clone()?, of_principals, of_policies)
        })
    }

    fn read(
        connection: &Connection,
        with_trust: bool,
        ask: impl FnOnce(OfPrincipals<'_>, OfPolicies<'_>) -> anyhow::Result<(Principals, Policies)>,
    ) -> anyhow::Result<Self> {
        let of_principals = |connection: &Connection| {
            let mut world = Self::default();
            world.read_organization(connection)?;
            Ok((world, rows::identities(connection, with_trust)?))
        };
        let of_policies = || Ok((rows::attachments(connection)?, rows::managed(connection)?));
        let ((mut world, identities), (attachments, managed)) = ask(&of_principals, &of_policies)?;
        let attached = world.take_attached(&attachments, &managed);
        world.take_holders(identities, &attached, with_trust);
        Ok(world)
    }

    /// Reads the resources whose type `wanted` knows.
    pub(super) fn read_targets(
        &mut self,
        connection: &Connection,
        wanted: impl Fn(&str) -> bool,
    ) -> anyhow::Result<()> {
        let mut statement = connection.prepare(rows::RESOURCES)?;
        let mut rows = statement.query([])?;
        let mut names = Interner::default();
        while let Some(row) = rows.next()? {
            let row = rows::Resource::of(row)?;
            if wanted(row.resource_type.as_deref().unwrap_or_default()) {
                self.take_target(row, &mut names);
            }
        }
        Ok(())
    }

    /// Takes a resource, unless it has no ARN that can stand in a policy.
    pub(super) fn take_target(&mut self, row: rows::Resource, names: &mut Interner) {
        if Resource::new(&row.arn, None).is_err() {
            return;
        }
        let before = self.library.unread.len();
        let policy = row.has_policy.then(|| {
            let (layer, kind) = ("resourcePolicy", PolicyKind::Resource);
            self.library
                .add(layer, kind, &row.arn, row.policy.as_deref())
        });
        self.targets.push(Target {
            account: names.get(&row.account),
            region: row.region.unwrap_or_default(),
            resource_type: names.get(&row.resource_type.unwrap_or_default()),
            tags: tags(row.tags),
            policy,
            policy_unread: self.library.unread.len() > before,
            arn: row.arn,
        });
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

    fn take_holders(
        &mut self,
        identities: Vec<Identity>,
        attached: &HashMap<(&str, &str), Vec<PolicyId>>,
        with_trust: bool,
    ) {
        let mut accounts = Interner::default();
        for row in identities {
            // An ARN that is none can't make requests.
            let Ok(principal) = Principal::parse(&row.arn) else {
                continue;
            };
            let kind = if row.is_user { Kind::User } else { Kind::Role };
            let mut policies = attached
                .get(&(row.account.as_str(), row.arn.as_str()))
                .cloned()
                .unwrap_or_default();
            let mut add = |layer, kind, name: &str, text: Option<&str>| {
                self.library.add(layer, kind, name, text)
            };
            for group in row
                .absent_groups
                .and_then(|text| serde_json::from_str::<Vec<String>>(&text).ok())
                .unwrap_or_default()
            {
                let name = format!("{}/group/{group}", row.arn);
                policies.push(add("identityPolicies", PolicyKind::Principal, &name, None));
            }
            let boundary = row.boundary_arn.as_ref().map(|name| {
                let text = row.boundary.as_deref();
                add("identityPolicies", PolicyKind::Principal, name, text)
            });
            let trust = (kind == Kind::Role && with_trust).then(|| {
                let text = row.trust.as_deref();
                add("resourcePolicy", PolicyKind::Resource, &row.arn, text)
            });
            self.holders.push(Holder {
                account: accounts.get(&row.account),
                kind,
                name: row.name.unwrap_or_default(),
                unique_id: row.unique_id.unwrap_or_default(),
                tags: tags(row.tags),
                policies,
                boundary_arn: row.boundary_arn,
                boundary,
                trust,
                service_linked: row.service_linked,
                special: row.special,
                principal,
                arn: row.arn,
            });
        }
    }

    /// The policies of each principal, by account and ARN. A managed policy is looked up once, however many have it.
    fn take_attached<'a>(
        &mut self,
        attachments: &'a [Attachment],
        managed: &'a Managed,
    ) -> HashMap<(&'a str, &'a str), Vec<PolicyId>> {
        let mut read: Vec<(&str, Option<&str>)> = Vec::new();
        // Of each attachment, which of those are its.
        let mut of_managed: HashMap<(&str, &str), Range<usize>> = HashMap::new();
        let mut ranges = Vec::new();
        for one in attachments {
            let mut push = |texts: &[Option<&'a str>]| {
                let start = read.len();
                read.extend(texts.iter().map(|text| (one.policy.as_str(), *text)));
                start..read.len()
            };
            ranges.push(if one.is_managed {
                let of_one = of_managed.entry((&one.account, &one.policy));
                let texts = || match managed.get(&(one.account.clone(), one.policy.clone())) {
                    Some(texts) => texts.iter().map(Option::as_deref).collect(),
                    None => vec![None],
                };
                of_one.or_insert_with(|| push(&texts())).clone()
            } else {
                push(&[one.document.as_deref()])
            });
        }
        let (layer, kind) = ("identityPolicies", PolicyKind::Principal);
        let ids = self.library.add_all(layer, kind, &read);
        let mut attached: HashMap<(&str, &str), Vec<PolicyId>> = HashMap::new();
        for (one, range) in attachments.iter().zip(ranges) {
            let of_principal = attached.entry((&one.account, &one.principal)).or_default();
            of_principal.extend_from_slice(&ids[range]);
        }
        for policies in attached.values_mut() {
            policies.sort_unstable();
            policies.dedup();
        }
        attached
    }

    fn read_organization(&mut self, connection: &Connection) -> anyhow::Result<()> {
        let mut levels: BTreeMap<(String, bool), Vec<OrganizationLevel>> = BTreeMap::new();
        let mut statement = connection.prepare(ORGANIZATION)?;
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
pub(super) struct Interner(BTreeMap<String, Arc<str>>);

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
