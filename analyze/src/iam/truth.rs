//! Three-valued logic: what holds, what doesn't, and what depends on context that isn't known.

/// Whether something holds. The order (`False` < `Unknown` < `True`) makes conjunction the minimum, disjunction the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It does not hold, whatever the unknown values are.
    False,
    /// It holds for some unknown values and not for others.
    Unknown,
    /// It holds, whatever the unknown values are.
    True,
}

impl Truth {
    pub(super) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    pub(super) fn negated_if(self, negated: bool) -> Self {
        match (negated, self) {
            (true, Self::True) => Self::False,
            (true, Self::False) => Self::True,
            (_, same) => same,
        }
    }

    /// Whether any of `truths` holds; stops at the first that does.
    pub(super) fn any(truths: impl Iterator<Item = Self>) -> Self {
        let mut result = Self::False;
        for truth in truths {
            result = result.or(truth);
            if result == Self::True {
                break;
            }
        }
        result
    }

    /// Whether all of `truths` hold; stops at the first that doesn't.
    pub(super) fn all(truths: impl Iterator<Item = Self>) -> Self {
        let mut result = Self::True;
        for truth in truths {
            result = result.and(truth);
            if result == Self::False {
                break;
            }
        }
        result
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}
