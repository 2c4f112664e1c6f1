//! The `Principal` and `NotPrincipal` elements: whom a statement of a resource's policy is about.

use super::context::{Context, Lookup};
use super::request::Principal;
use super::truth::Truth;

/// Who vouched for the session of a role.
const PROVIDER: &str = "aws:federatedprovider";

/// What the session of a role is called.
const SESSION: &str = "sts:rolesessionname";

/// How a statement came to be about the principal of the request. The order is by how much an `Allow` gives within the
/// account: see [`super::evaluate()`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalMatch {
    /// The statement is about others.
    None,
    /// The statement names the account, which leaves the choice of principals to the account's own policies.
    Account,
    /// The statement names the role of the session that makes the request.
    Role,
    /// The statement names who makes the request, or everybody.
    Direct,
}

/// One entry of the element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PrincipalEntry {
    Everyone,
    Account(Box<str>),
    Role {
        arn: Box<str>,
        account: Box<str>,
        name: Box<str>,
    },
    /// A user, a session or a federated user: matched as a whole.
    Arn(Box<str>),
    AnyService,
    Service(Box<str>),
    AnyFederated,
    Federated(Box<str>),
    /// An id without ARN: the leftover of a deleted principal, or a canonical user. No request carries these.
    Id,
}

/// What is wrong with an entry.
#[derive(Debug, thiserror::Error)]
pub enum PrincipalError {
    #[error("principal {0:?} holds a wildcard: AWS takes * only as the whole entry")]
    Wildcard(String),
    #[error("principal {0:?} is a group: groups can't make requests")]
    Group(String),
    #[error("principal type {0:?} is unknown: expected AWS, Service, Federated or CanonicalUser")]
    Type(String),
    #[error("principal {0:?} is neither an account, an ARN, a principal id nor *")]
    Form(String),
}

impl PrincipalEntry {
    pub(super) fn parse(kind: &str, source: &str) -> Result<Self, PrincipalError> {
        let wildcard = source == "*";
        if !wildcard && source.contains(['*', '?']) {
            return Err(PrincipalError::Wildcard(source.to_owned()));
        }
        match kind {
            "AWS" if wildcard => Ok(Self::Everyone),
            "AWS" => Self::aws(source),
            "Service" if wildcard => Ok(Self::AnyService),
            "Service" => Ok(Self::Service(source.into())),
            "Federated" if wildcard => Ok(Self::AnyFederated),
            "Federated" => Ok(Self::Federated(source.into())),
            "CanonicalUser" => Ok(Self::Id),
            other => Err(PrincipalError::Type(other.to_owned())),
        }
    }

    fn aws(source: &str) -> Result<Self, PrincipalError> {
        if source.len() == 12 && source.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self::Account(source.into()));
        }
        let components: Vec<&str> = source.splitn(6, ':').collect();
        match components.as_slice() {
            ["arn", _, "iam", _, account, "root"] => Ok(Self::Account((*account).into())),
            ["arn", _, "iam", _, _, relative] if relative.starts_with("group/") => {
                Err(PrincipalError::Group(source.to_owned()))
            }
            ["arn", _, "iam", _, account, relative] if relative.starts_with("role/") => {
                let name = relative.rsplit('/').next().unwrap_or_default().into();
                Ok(Self::Role {
                    arn: source.into(),
                    account: (*account).into(),
                    name,
                })
            }
            ["arn", _, "iam" | "sts", _, _, _] => Ok(Self::Arn(source.into())),
            [id] if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                Ok(Self::Id)
            }
            _ => Err(PrincipalError::Form(source.to_owned())),
        }
    }

    fn matches(&self, principal: &Principal, context: &Context) -> PrincipalMatch {
        let direct = |holds: bool| {
            if holds {
                PrincipalMatch::Direct
            } else {
                PrincipalMatch::None
            }
        };
        match (self, principal) {
            (Self::Everyone, _) => PrincipalMatch::Direct,
            (Self::Account(entry), Principal::Root { account }) => direct(**entry == **account),
            (Self::Account(entry), other) if other.account() == Some(entry) => {
                PrincipalMatch::Account
            }
            (
                Self::Role { arn, account, name },
                Principal::Role {
                    account: of,
                    name: named,
                    role_arn,
                    ..
                },
            ) => {
                // The ARN of a session lacks the role's path; a role's name is unique in its account all the same.
                let same = match role_arn {
                    Some(role_arn) => **role_arn == **arn,
                    None => **of == **account && **named == **name,
                };
                if same {
                    PrincipalMatch::Role
                } else {
                    PrincipalMatch::None
                }
            }
            (
                Self::Arn(entry),
                Principal::User { arn, .. } | Principal::FederatedUser { arn, .. },
            ) => direct(**entry == **arn),
            (
                Self::Arn(entry),
                Principal::Role {
                    session: Some(session),
                    ..
                },
            ) => direct(**entry == **session),
            (Self::AnyService, Principal::Service(_))
            | (Self::AnyFederated, Principal::Federated(_)) => PrincipalMatch::Direct,
            (Self::Service(entry), Principal::Service(name)) => direct(**entry == **name),
            (Self::Federated(entry), Principal::Federated(name)) => direct(**entry == **name),
            (Self::Federated(entry), Principal::Role { .. }) => match context.get(PROVIDER) {
                Lookup::Known([provider]) => direct(**entry == **provider),
                _ => PrincipalMatch::None,
            },
            _ => PrincipalMatch::None,
        }
    }
}

impl PrincipalEntry {
    /// The context key that a match depends on without its being known: any session of a role is judged where no certain one is,
    /// so that it may be the one that is named.
    fn depends(&self, principal: &Principal, context: &Context) -> Option<&'static str> {
        let key = match (self, principal) {
            (Self::Federated(_), Principal::Role { .. }) => PROVIDER,
            (
                Self::Arn(entry),
                Principal::Role {
                    session: None,
                    account,
                    name,
                    ..
                },
            ) if is_session(entry, account, name) => SESSION,
            _ => return None,
        };
        matches!(context.get(key), Lookup::Unknown).then_some(key)
    }
}

/// The element of a statement.
#[derive(Clone, Debug)]
pub(super) struct PrincipalElement {
    pub(super) entries: Box<[PrincipalEntry]>,
    /// `NotPrincipal`.
    pub(super) negated: bool,
}

impl PrincipalElement {
    /// How the statement is about `principal`, and whether that is certain. `bounded` tells that a permissions boundary is
    /// set for it: a denial with `NotPrincipal` then hits it even if it is listed.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>
    pub(super) fn matches(
        &self,
        principal: &Principal,
        context: &Context,
        bounded: bool,
    ) -> (Truth, PrincipalMatch) {
        let entries = self.entries.iter();
        let named = entries.map(|entry| entry.matches(principal, context)).max();
        let by = match (self.negated, named.unwrap_or(PrincipalMatch::None)) {
            (false, named) => named,
            (true, _) if bounded => return (Truth::True, PrincipalMatch::Direct),
            // Listing the account exempts the account, not the principals within it; these are to be listed themselves.
            (true, PrincipalMatch::None | PrincipalMatch::Account) => PrincipalMatch::Direct,
            (true, PrincipalMatch::Role | PrincipalMatch::Direct) => PrincipalMatch::None,
        };
        let mut entries = self.entries.iter();
        if named < Some(PrincipalMatch::Role)
            && entries.any(|entry| entry.depends(principal, context).is_some())
        {
            return (Truth::Unknown, PrincipalMatch::Direct);
        }
        (Truth::True, by)
    }

    /// The context keys that it depends on.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let any = |is: fn(&PrincipalEntry) -> bool| self.entries.iter().any(is);
        let federated = any(|entry| matches!(entry, PrincipalEntry::Federated(_)));
        let sessions =
            any(|entry| matches!(entry, PrincipalEntry::Arn(arn) if arn.contains(ASSUMED)));
        let keys = [federated.then_some(PROVIDER), sessions.then_some(SESSION)];
        keys.into_iter().flatten()
    }
}

/// Stands before the name of the role in the ARN of its session.
const ASSUMED: &str = ":assumed-role/";

/// Whether `arn` is that of a session of the role.
fn is_session(arn: &str, account: &str, role: &str) -> bool {
    let Some((service, session)) = arn.split_once(ASSUMED) else {
        return false;
    };
    service.rsplit(':').next() == Some(account)
        && session
            .split_once('/')
            .is_some_and(|(name, session)| name == role && !session.is_empty())
}
