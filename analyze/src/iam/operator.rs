//! Condition operators: their names, and how one value of the request compares with one value of the policy.

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;

use super::context::Context;
use super::text::{ArnText, Syntax, Text};
use super::truth::Truth;

/// Which values of a key with several have to satisfy the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetOperator {
    ForAllValues,
    ForAnyValue,
}

/// An operator taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) set: Option<SetOperator>,
    pub(super) comparison: Comparison,
    pub(super) negated: bool,
    pub(super) if_exists: bool,
}

/// What is compared, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Relation),
    Date(Relation),
    Bool,
    Binary,
    IpAddress,
    Arn,
    Null,
}

/// How two values with an order have to stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

impl Operator {
    /// Reads a name such as `ForAnyValue:StringLikeIfExists`, without regard to case as AWS does.
    pub(super) fn parse(source: &str) -> Option<Self> {
        let lower = source.to_ascii_lowercase();
        let (set, name) = match lower.split_once(':') {
            Some(("forallvalues", name)) => (Some(SetOperator::ForAllValues), name),
            Some(("foranyvalue", name)) => (Some(SetOperator::ForAnyValue), name),
            Some(_) => return None,
            None => (None, lower.as_str()),
        };
        let (name, if_exists) = match name.strip_suffix("ifexists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (comparison, negated) = comparison(name)?;
        // Null already asks for presence; AWS has neither NullIfExists nor a set of nothing.
        if comparison == Comparison::Null && (if_exists || set.is_some()) {
            return None;
        }
        Some(Self {
            set,
            comparison,
            negated,
            if_exists,
        })
    }
}

fn comparison(name: &str) -> Option<(Comparison, bool)> {
    let found = match name {
        "stringequals" => (Comparison::StringEquals, false),
        "stringnotequals" => (Comparison::StringEquals, true),
        "stringequalsignorecase" => (Comparison::StringEqualsIgnoreCase, false),
        "stringnotequalsignorecase" => (Comparison::StringEqualsIgnoreCase, true),
        "stringlike" => (Comparison::StringLike, false),
        "stringnotlike" => (Comparison::StringLike, true),
        "bool" => (Comparison::Bool, false),
        "binaryequals" => (Comparison::Binary, false),
        "ipaddress" => (Comparison::IpAddress, false),
        "notipaddress" => (Comparison::IpAddress, true),
        "arnequals" | "arnlike" => (Comparison::Arn, false),
        "arnnotequals" | "arnnotlike" => (Comparison::Arn, true),
        "null" => (Comparison::Null, false),
        _ => return ordered(name),
    };
    Some(found)
}

fn ordered(name: &str) -> Option<(Comparison, bool)> {
    let (family, relation): (fn(Relation) -> Comparison, _) = match name.strip_prefix("numeric") {
        Some(relation) => (Comparison::Numeric, relation),
        None => (Comparison::Date, name.strip_prefix("date")?),
    };
    let (relation, negated) = match relation {
        "equals" => (Relation::Equals, false),
        "notequals" => (Relation::Equals, true),
        "lessthan" => (Relation::LessThan, false),
        "lessthanequals" => (Relation::LessThanEquals, false),
        "greaterthan" => (Relation::GreaterThan, false),
        "greaterthanequals" => (Relation::GreaterThanEquals, false),
        _ => return None,
    };
    Some((family(relation), negated))
}

impl Relation {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equals => ordering == Ordering::Equal,
            Self::LessThan => ordering == Ordering::Less,
            Self::LessThanEquals => ordering != Ordering::Greater,
            Self::GreaterThan => ordering == Ordering::Greater,
            Self::GreaterThanEquals => ordering != Ordering::Less,
        }
    }
}

/// A value of the policy, read as its operator wants it.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    Text(Text),
    Arn(ArnText),
    Number(Relation, f64),
    /// Nanoseconds since 1970.
    Instant(Relation, i128),
    Network(IpNet),
    Bytes(Box<[u8]>),
    /// `Null`: whether the key has to be absent.
    Absent(bool),
    /// Not of the operator's type, such as a name where a number is due: equal to nothing.
    Never,
}

impl Expected {
    pub(super) fn new(comparison: Comparison, source: &str, variables: bool) -> Self {
        let text = |wildcards, ignore_case| {
            Self::Text(Text::new(
                source,
                Syntax {
                    variables,
                    wildcards,
                    ignore_case,
                },
            ))
        };
        match comparison {
            Comparison::StringEquals => text(false, false),
            Comparison::StringEqualsIgnoreCase | Comparison::Bool => text(false, true),
            Comparison::StringLike => text(true, false),
            Comparison::Arn => Self::Arn(ArnText::new(source, variables)),
            Comparison::Numeric(relation) => {
                number(source).map_or(Self::Never, |number| Self::Number(relation, number))
            }
            Comparison::Date(relation) => {
                instant(source).map_or(Self::Never, |at| Self::Instant(relation, at))
            }
            Comparison::IpAddress => network(source).map_or(Self::Never, Self::Network),
            Comparison::Binary => STANDARD
                .decode(source)
                .map_or(Self::Never, |bytes| Self::Bytes(bytes.into())),
            Comparison::Null => match source.to_ascii_lowercase().as_str() {
                "true" => Self::Absent(true),
                "false" => Self::Absent(false),
                _ => Self::Never,
            },
        }
    }

    /// Whether `value`, taken from the request, matches. Not for `Null`, which looks at no value.
    pub(super) fn matches(&self, value: &str, context: &Context) -> Truth {
        match self {
            Self::Text(text) => text.matches(value, context),
            Self::Arn(arn) => arn.matches(value, context),
            Self::Number(relation, expected) => {
                let ordering = number(value).and_then(|number| number.partial_cmp(expected));
                ordering
                    .is_some_and(|ordering| relation.holds(ordering))
                    .into()
            }
            Self::Instant(relation, expected) => instant(value)
                .is_some_and(|at| relation.holds(at.cmp(expected)))
                .into(),
            Self::Network(network) => value
                .parse::<IpAddr>()
                .is_ok_and(|address| network.contains(&address))
                .into(),
            Self::Bytes(expected) => STANDARD
                .decode(value)
                .is_ok_and(|bytes| bytes == **expected)
                .into(),
            Self::Absent(_) | Self::Never => Truth::False,
        }
    }

    /// Context keys that this value's variables name.
    pub(super) fn keys(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => text.keys().collect(),
            Self::Arn(arn) => arn.keys().collect(),
            _ => Vec::new(),
        }
    }
}

fn number(source: &str) -> Option<f64> {
    // `parse` also takes inf and nan, which are no numbers in a policy.
    let numeric = source
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    source
        .parse()
        .ok()
        .filter(|number: &f64| numeric && number.is_finite())
}

fn network(source: &str) -> Option<IpNet> {
    source
        .parse()
        .ok()
        .or_else(|| source.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Reads the forms of ISO 8601 that <https://www.w3.org/TR/NOTE-datetime> lists, or seconds since 1970.
fn instant(source: &str) -> Option<i128> {
    const NANOSECONDS: f64 = 1e9;
    let digits = source.bytes().all(|byte| byte.is_ascii_digit());
    let complete = match source.len() {
        4 if digits => format!("{source}-01-01T00:00:00Z"),
        _ if digits || source.starts_with('-') => {
            return source
                .parse::<i64>()
                .ok()
                .map(|seconds| i128::from(seconds) * 1_000_000_000);
        }
        7 => format!("{source}-01T00:00:00Z"),
        10 if source.contains('-') => format!("{source}T00:00:00Z"),
        _ => source.to_owned(),
    };
    match complete.parse::<jiff::Timestamp>() {
        Ok(timestamp) => Some(timestamp.as_nanosecond()),
        // Truncation below a nanosecond can't be seen in a policy.
        Err(_) => number(source).map(|seconds| (seconds * NANOSECONDS) as i128),
    }
}
