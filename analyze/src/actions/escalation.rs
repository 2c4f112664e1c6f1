//! Ways from some permissions to more.

use std::sync::OnceLock;

use serde::Deserialize;

const TEXT: &str = include_str!("../../actions/escalations.toml");

/// Permissions that together are worth more than each says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationPath {
    /// `iam-001`, as published.
    pub id: Box<str>,
    /// How the rights are gained.
    pub category: Category,
    /// What it does, in a few words.
    pub title: Box<str>,
    /// Services that the passed role, or the role of the existing resource, must trust; empty where no role is run by a
    /// service. A step of `iam:PassRole` is judged with each as `iam:PassedToService`.
    #[serde(default)]
    pub services: Box<[Box<str>]>,
    /// What has to be allowed: all of it. Steps on the same target share it: one role, one function.
    pub steps: Box<[Step]>,
    /// What is gained.
    pub gains: Gains,
}

/// How rights are gained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// The acting user or role widens its own permissions.
    SelfEscalation,
    /// It becomes another user or role.
    PrincipalAccess,
    /// It has a new resource run as a role it passes.
    NewPassrole,
    /// It takes over a resource that runs as a role already.
    ExistingPassrole,
    /// It reads credentials that are kept somewhere.
    CredentialAccess,
}

/// One permission of a path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// `iam:PassRole`, as the catalogue writes it.
    pub action: Box<str>,
    /// On what it has to be allowed.
    pub on: On,
    /// Type of the existing resource (`lambda:function`), for [`On::Existing`] only.
    #[serde(default)]
    pub resource: Option<Box<str>>,
}

/// On what a step has to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// A role that trusts one of the services.
    PassedRole,
    /// A resource that is made on the way, or any of its type.
    New,
    /// An existing resource that runs as a role; its type is in [`Step::resource`].
    Existing,
    /// The acting user or role itself.
    #[serde(rename = "self")]
    Itself,
    /// A group that the acting user is in.
    OwnGroup,
    /// A customer-managed policy that is attached to the acting user or role, or to a group it is in.
    OwnPolicy,
    /// A group that the acting user need not be in.
    Group,
    /// Another user.
    User,
    /// Another role.
    Role,
    /// A customer-managed policy that is attached to that role ([`On::Role`]).
    RolePolicy,
    /// Any resource, or none.
    Any,
}

/// What a path gains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gains {
    /// Everything: it can give itself any permission.
    Admin,
    /// The permissions of the passed role.
    PassedRole,
    /// The permissions of the role that the existing resource runs as.
    WorkloadRole,
    /// The permissions of the other user.
    User,
    /// The permissions of the other role.
    Role,
    /// The permissions of the group.
    Group,
}

/// The known paths, sorted by identifier.
///
/// # Panics
/// Never: that they can be read is tested.
pub fn escalation_paths() -> &'static [EscalationPath] {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        path: Box<[EscalationPath]>,
    }
    static PATHS: OnceLock<Box<[EscalationPath]>> = OnceLock::new();
    PATHS.get_or_init(|| {
        let file: File =
            toml::from_str(TEXT).expect("escalations.toml is read whole, as the tests prove");
        file.path
    })
}
