//! Actions that can harm what they are granted on.

use std::sync::OnceLock;

use super::tsv;

const TEXT: &str = include_str!("../../actions/dangerous.tsv");

/// One kind of harm an action can do to one type of resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dangerous {
    /// `s3:DeleteBucket`, as the catalogue writes it.
    pub action: &'static str,
    /// The type as the inventory names it (`s3:bucket`), the catalogue's (`service:type`) where the inventory has none,
    /// `account` where it concerns the account as a whole.
    pub resource_type: &'static str,
    /// What harm.
    pub kind: Kind,
    /// What makes the ARN that IAM judges out of the resource's: empty, or the suffix for its parts (`/*`, `:*`).
    pub part: &'static str,
    /// Why, where the name doesn't say it; else empty.
    pub why: &'static str,
}

/// What harm an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Data, or the availability of what others depend on, is lost.
    Destroy,
    /// Permissions of others, or the policy of the resource, change.
    Policy,
    /// What would bring data back is taken away: backups, versions, retention, protection against deletion.
    Recovery,
    /// Logging or monitoring ends.
    Logging,
    /// Whoever may do it can get more rights.
    Escalate,
    /// Data, or a way to it, opens to others.
    Expose,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Destroy,
        Self::Policy,
        Self::Recovery,
        Self::Logging,
        Self::Escalate,
        Self::Expose,
    ];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Destroy => "destroy",
            Self::Policy => "policy",
            Self::Recovery => "recovery",
            Self::Logging => "logging",
            Self::Escalate => "escalate",
            Self::Expose => "expose",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The dangerous actions, sorted as in the file. An action that is dangerous to two types, or in two ways, is there twice.
///
/// # Panics
/// Never: that they can be read is tested.
pub fn dangerous() -> &'static [Dangerous] {
    static ROWS: OnceLock<Box<[Dangerous]>> = OnceLock::new();
    ROWS.get_or_init(|| {
        tsv::rows(TEXT)
            .map(|[action, resource_type, kind, part, why]| Dangerous {
                action,
                resource_type,
                kind: Kind::parse(kind)
                    .expect("dangerous.tsv names known kinds, as the tests prove"),
                part,
                why,
            })
            .collect()
    })
}
