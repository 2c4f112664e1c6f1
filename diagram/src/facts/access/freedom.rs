//! How freely something is allowed: whether at all, and whether a second factor is asked for, as the tables say it.

use handoff::table::Row;

/// Whether something is allowed, the least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// A policy could not be read.
    #[default]
    Unknown,
    /// It depends on the request.
    Conditional,
    /// Always.
    Allowed,
}

/// Whether a second factor is asked for, the strictest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Factor {
    /// Only after signing in with it.
    Required,
    /// It is asked for, and access keys slip through.
    Spared,
    /// It isn't asked for.
    #[default]
    NotRequired,
}

/// How freely something is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Freedom {
    /// Whether.
    pub certainty: Certainty,
    /// What stands between.
    pub factor: Factor,
}

impl Freedom {
    /// Always, and without a second factor.
    pub const FREE: Self = Self {
        certainty: Certainty::Allowed,
        factor: Factor::NotRequired,
    };

    pub(super) fn of(row: Row<'_>) -> Self {
        let factor = match row.text("mfa") {
            Some("required") => Factor::Required,
            Some("spared") => Factor::Spared,
            Some("not_required") => Factor::NotRequired,
            // Neither is known then.
            _ => return Self::default(),
        };
        let certainty = match row.text("verdict") {
            Some("allowed") => Certainty::Allowed,
            Some("conditional") => Certainty::Conditional,
            _ => Certainty::Unknown,
        };
        Self { certainty, factor }
    }

    /// What is left when the other step is needed as well.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            certainty: self.certainty.min(other.certainty),
            factor: self.factor.min(other.factor),
        }
    }

    /// Whether it is known to go without a second factor.
    pub fn is_unguarded(self) -> bool {
        self.certainty != Certainty::Unknown && self.factor != Factor::Required
    }

    /// Whether it doesn't go without a second factor, be it allowed or not.
    pub fn is_guarded(self) -> bool {
        self.factor == Factor::Required
    }

    /// What takes a second factor comes first. What could not be read may go without one: it is freer than that, and less
    /// free than what is known to go.
    fn rank(self) -> (bool, bool, Certainty, Factor) {
        let (guarded, unguarded) = (self.is_guarded(), self.is_unguarded());
        (!guarded, unguarded, self.certainty, self.factor)
    }
}

impl PartialOrd for Freedom {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Freedom {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn freedom(certainty: Certainty, factor: Factor) -> Freedom {
        Freedom { certainty, factor }
    }

    const ALL: [Freedom; 9] = {
        use Certainty::{Allowed, Conditional, Unknown};
        use Factor::{NotRequired, Required, Spared};
        [
            freedom(Unknown, Required),
            freedom(Conditional, Required),
            freedom(Allowed, Required),
            freedom(Unknown, Spared),
            freedom(Unknown, NotRequired),
            freedom(Conditional, Spared),
            freedom(Conditional, NotRequired),
            freedom(Allowed, Spared),
            freedom(Allowed, NotRequired),
        ]
    };

    #[test]
    fn what_is_not_known_never_passes_for_guarded() {
        assert!(ALL.is_sorted());
        let mut sorted = ALL;
        sorted.reverse();
        sorted.sort();
        assert_eq!(sorted, ALL);
        for one in ALL {
            for other in ALL {
                // Of two ways, one without a second factor is enough; of two steps, one with it.
                let either = one.max(other);
                assert_eq!(either.is_guarded(), one.is_guarded() && other.is_guarded());
                assert_eq!(
                    either.is_unguarded(),
                    one.is_unguarded() || other.is_unguarded()
                );
                let both = one.and(other);
                assert_eq!(both.is_guarded(), one.is_guarded() || other.is_guarded());
                assert_eq!(
                    both.is_unguarded(),
                    one.is_unguarded() && other.is_unguarded()
                );
            }
        }
    }
}
