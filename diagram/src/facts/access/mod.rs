//! Who may endanger what, as `analyze` decided it: principals and resources by class, the dangers between classes, who
//! may become whom, and what was used.
//!
//! Nothing is decided here. What is denied has no row; a row says how freely something is allowed.

mod danger;
mod freedom;
mod read;

use std::collections::{BTreeMap, BTreeSet};

pub use danger::{Danger, Dangers, Kinds, Positions};
pub use freedom::{Certainty, Factor, Freedom};
pub use read::{Found, read};

use super::Index;

/// Number of a principal in [`Access::principals`].
pub type PrincipalNumber = usize;

/// A user or role.
#[derive(Clone, Debug, Default)]
pub struct Principal {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// It in the inventory.
    pub resource: Option<Index>,
    /// A user; else a role.
    pub is_user: bool,
    /// What one of the class may do, each of them may.
    pub class: i64,
    /// Whether it may do everything; absent when that is not known.
    pub is_admin: Option<bool>,
    /// A role that belongs to an AWS service.
    pub service_linked: bool,
    /// A role that is there for dangerous work.
    pub special: bool,
    /// How many of its policies could not be read.
    pub unread: usize,
}

/// Who may become somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A user or role of the run.
    Principal(PrincipalNumber),
    /// Another account, or a principal of one.
    Foreign(String),
    /// An identity provider.
    Federated(String),
    /// Anyone at all.
    Anyone,
    /// An AWS service.
    Service(String),
}

/// A way from somebody to a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    /// Who.
    pub from: Party,
    /// The role.
    pub to: PrincipalNumber,
    /// How freely.
    pub freedom: Freedom,
    /// Context keys that decide.
    pub conditions: Vec<String>,
}

/// A known way to more permissions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Escalation {
    /// Who goes it.
    pub from: PrincipalNumber,
    /// Whose permissions are gained; absent when it is somebody who isn't a principal of the run.
    pub to: Option<PrincipalNumber>,
    /// Whether that makes an administrator.
    pub to_admin: bool,
    /// How freely.
    pub freedom: Freedom,
    /// What is done, in words.
    pub title: String,
}

/// Days since principals used dangerous actions, by position of the action.
pub type Used = BTreeMap<PrincipalNumber, BTreeMap<usize, u64>>;

/// Access as a run knows it.
#[derive(Debug, Default)]
pub struct Access {
    /// Users and roles, by ARN.
    pub principals: Vec<Principal>,
    /// Accounts whose users or roles nobody asked for.
    pub not_asked: BTreeSet<String>,
    /// Class of each resource for whose type dangerous actions are known.
    pub classes: BTreeMap<Index, i64>,
    /// Class of each account as a whole.
    pub accounts: BTreeMap<String, i64>,
    /// Dangers by class of principals and class of resources, of those classes that were asked for.
    pub dangers: BTreeMap<i64, BTreeMap<i64, Dangers>>,
    /// Who may become whom, sorted.
    pub ways: Vec<Way>,
    /// Known ways to more, sorted.
    pub escalations: Vec<Escalation>,
    /// Dangerous actions, by name.
    pub actions: Vec<String>,
    /// When principals last used a dangerous action, in days before the run; absent where the run knows of no events.
    pub used: Option<Used>,
}
