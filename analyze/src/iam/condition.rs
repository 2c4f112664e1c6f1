//! The `Condition` element: which keys of the request have to have which values.

use super::context::{Context, Lookup};
use super::operator::{Comparison, Expected, Operator, SetOperator};
use super::truth::Truth;

/// One key under one operator. All conditions of a statement have to hold; of one condition's values any has to.
#[derive(Clone, Debug)]
pub struct Condition {
    /// In lower case.
    key: Box<str>,
    operator: Operator,
    expected: Box<[Expected]>,
}

impl Condition {
    pub(super) fn new(operator: Operator, key: &str, values: &[String], variables: bool) -> Self {
        let expected = values
            .iter()
            .map(|value| Expected::new(operator.comparison, value, variables))
            .collect();
        Self {
            key: key.to_ascii_lowercase().into(),
            operator,
            expected,
        }
    }

    /// Whether it holds in `context`.
    pub fn holds(&self, context: &Context) -> Truth {
        if self.operator.comparison == Comparison::Null {
            return self.presence(context);
        }
        match context.get(&self.key) {
            Lookup::Absent => self.without_value().into(),
            Lookup::Unknown => Truth::Unknown,
            Lookup::Known(values) => self.compare(values, context),
        }
    }

    /// AWS's rules for a key that the request lacks: `IfExists` and a test of all values of none hold, a test for any
    /// value of none doesn't, and otherwise what asks for a difference holds. This is why a denial with
    /// `Bool aws:MultiFactorAuthPresent false` spares long-term keys, which lack the key.
    fn without_value(&self) -> bool {
        match self.operator.set {
            _ if self.operator.if_exists => true,
            Some(SetOperator::ForAllValues) => true,
            Some(SetOperator::ForAnyValue) => false,
            None => self.operator.negated,
        }
    }

    fn presence(&self, context: &Context) -> Truth {
        let absent = match context.get(&self.key) {
            Lookup::Unknown => return Truth::Unknown,
            Lookup::Absent => true,
            // A value that is empty counts as none.
            Lookup::Known(values) => values.iter().all(String::is_empty),
        };
        self.expected
            .iter()
            .any(|expected| matches!(expected, Expected::Absent(wanted) if *wanted == absent))
            .into()
    }

    fn compare(&self, values: &[String], context: &Context) -> Truth {
        // AWS calls a key whose value is an empty string an empty set, which counts for the set operators alone.
        let mut members = values
            .iter()
            .filter(|value| !value.is_empty())
            .map(|value| self.matches(value, context));
        match (self.operator.set, values) {
            (Some(SetOperator::ForAllValues), _) => Truth::all(members.by_ref()),
            (Some(SetOperator::ForAnyValue), _) => Truth::any(members.by_ref()),
            (None, [value]) => self.matches(value, context),
            // AWS demands a set operator for keys with several values; without one the condition isn't met.
            (None, _) => Truth::False,
        }
    }

    fn matches(&self, value: &str, context: &Context) -> Truth {
        Truth::any(
            self.expected
                .iter()
                .map(|expected| expected.matches(value, context)),
        )
        .negated_if(self.operator.negated)
    }

    /// Context keys that the outcome depends on.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.key).chain(self.expected.iter().flat_map(Expected::keys))
    }
}
