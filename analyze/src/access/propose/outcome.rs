//! What a plan consists of.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::Draft;
use super::narrow::Wide;

/// Why a container is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    ServiceLinked,
    Reserved,
    Special,
    Unread,
    ShortHistory,
    NotSettled,
    NoMembers,
    NothingAttached,
    NeverSeen,
    NothingDangerous,
    TooLarge,
    SetUnused,
    SetDiffers,
    SetElsewhere,
}

impl Left {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::ServiceLinked => "belongs to an AWS service, which alone changes it",
            Self::Reserved => "single sign-on keeps it: change its permission set instead",
            Self::Special => "is there for dangerous work, by the configuration",
            Self::Unread => "a policy of it could not be read, so what it grants is not known",
            Self::ShortHistory => {
                "the events of its account go back too short a time to tell what is normal"
            }
            Self::NotSettled => "it, or a member of it, is too new to tell what is normal",
            Self::NoMembers => "has no members, so nobody uses it: delete it if nobody is to",
            Self::NothingAttached => "has no policy that allows anything",
            Self::NeverSeen => {
                "no event shows what it is used for by services, other accounts or identity providers: delete it if it is for nothing"
            }
            Self::NothingDangerous => {
                "was never seen, and grants nothing dangerous that events would show: delete it if nobody needs it"
            }
            Self::TooLarge => {
                "what it needs does not fit into the policies that IAM attaches to it"
            }
            Self::SetUnused => {
                "no event shows that anybody used its permission set: take the assignment away if nobody needs it"
            }
            Self::SetDiffers => {
                "the roles of its permission set have different policies: provision the set again first"
            }
            Self::SetElsewhere => {
                "what its permission set is used for is not known in another account"
            }
        }
    }
}

/// What happens to a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// Its policies are replaced by what it used.
    Replaced,
    /// It was never seen: its policies stay, and what is dangerous is denied.
    Denied,
    /// Single sign-on keeps it: what it used is for its permission set.
    PermissionSet,
    Left(Left),
}

/// Why a dangerous action stays granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Keep {
    /// No event tells whether it is used.
    NotObservable,
    /// It is used by what can't present a second factor: a service, another account, an identity provider.
    Machine,
    /// It leads to a second factor or a role.
    Entrance,
    /// It is granted on what is the principal's own, which a role does not have.
    Personal,
    /// The policy of the resource lets its holder do it, and would not let a role for it.
    ByResource,
    /// The catalogue does not know it.
    NotInCatalogue,
}

impl Keep {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::NotObservable => "no event shows whether it is used",
            Self::Machine => {
                "used, by what can present no second factor: limited to what it was used on"
            }
            Self::Entrance => {
                "the way to a role or a second factor: limited to what it was used on"
            }
            Self::Personal => "used, and granted by what is the principal's own",
            Self::ByResource => "used, on what has a policy of its own that lets nobody else do it",
            Self::NotInCatalogue => "not an action that this version knows",
        }
    }
}

/// What becomes of a container.
pub(super) struct Outcome {
    pub(super) state: State,
    pub(super) draft: Draft,
    /// Documents that are attached to it.
    pub(super) documents: Vec<Value>,
    /// Positions of the policies that are detached or deleted.
    pub(super) detached: Vec<usize>,
    /// Dangerous actions that it loses: never used.
    pub(super) removed: BTreeSet<&'static str>,
    /// Dangerous actions that go to a special role, with their kind.
    pub(super) behind: BTreeMap<&'static str, &'static str>,
    /// Dangerous actions that it keeps.
    pub(super) kept: BTreeMap<String, Keep>,
    /// Used actions whose resources stay as they were granted.
    pub(super) wide: BTreeMap<&'static str, Wide>,
    /// Number of actions that are granted before and after.
    pub(super) before: usize,
    pub(super) after: BTreeSet<String>,
    /// Actions without events that are dropped, since their service is not used in the account.
    pub(super) dropped: BTreeSet<&'static str>,
}

impl Outcome {
    pub(super) fn new(state: State) -> Self {
        Self {
            state,
            draft: Draft::default(),
            documents: Vec::new(),
            detached: Vec::new(),
            removed: BTreeSet::new(),
            behind: BTreeMap::new(),
            kept: BTreeMap::new(),
            wide: BTreeMap::new(),
            before: 0,
            after: BTreeSet::new(),
            dropped: BTreeSet::new(),
        }
    }

    /// Whether its account is where policies are attached and detached; single sign-on does it for its own roles.
    pub(super) fn is_applied_here(&self) -> bool {
        self.state != State::PermissionSet
    }

    /// Whether policies are attached or detached.
    pub(super) fn changes(&self) -> bool {
        !self.documents.is_empty() || !self.detached.is_empty()
    }
}

/// A role for one kind of dangerous work on one service in one account: whoever may do it gets no more than that.
#[derive(Default)]
pub(super) struct Special {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) kind: &'static str,
    pub(super) trust: Value,
    pub(super) draft: Draft,
    pub(super) documents: Vec<Value>,
    /// Positions of the containers that may assume it.
    pub(super) containers: BTreeSet<usize>,
    pub(super) actions: BTreeSet<&'static str>,
}

/// Special roles by account and name.
pub(super) type Specials = BTreeMap<(String, String), Special>;

/// Positions of the roles of a permission set, by its organization and name.
pub(super) type Sets = BTreeMap<(String, String), Vec<usize>>;

/// The whole proposal.
pub(super) struct Plan {
    /// One for each container.
    pub(super) outcomes: Vec<Outcome>,
    /// By account and name.
    pub(super) specials: Specials,
    /// Permission sets of single sign-on whose policies are replaced.
    pub(super) sets: Sets,
}
