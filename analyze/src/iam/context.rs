//! The request context: what is known of a request's condition keys.
//!
//! Invariant: names of keys are compared without regard to case, so they are kept in lower case.

use std::sync::Arc;

/// What is known of one condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextValue {
    /// The key is in the request with these values; several only for keys that hold several.
    Known(Vec<String>),
    /// The key is not in the request.
    Absent,
    /// Neither its presence nor its values are known.
    Unknown,
}

/// What [`Context::get`] finds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lookup<'a> {
    Known(&'a [String]),
    Absent,
    Unknown,
}

/// The condition keys of a request.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Sorted by key.
    keys: Vec<(Box<str>, ContextValue)>,
    /// Asked, in this order, for what is not among the keys: the parts that many requests share.
    layers: Vec<Arc<Context>>,
    unlisted_unknown: bool,
}

impl Context {
    /// A context in which keys that aren't set are absent from the request.
    pub fn closed() -> Self {
        Self::default()
    }

    /// A context in which nothing is known of keys that aren't set.
    pub fn open() -> Self {
        Self {
            unlisted_unknown: true,
            ..Self::default()
        }
    }

    /// A context put together from others: the first that has a key decides. Nothing is known of keys that none has.
    pub fn layered(layers: Vec<Arc<Self>>) -> Self {
        Self {
            layers,
            ..Self::open()
        }
    }

    /// Sets what is known of `key`, in whatever case it is written; the last word counts.
    pub fn set(&mut self, key: &str, value: ContextValue) {
        let key: Box<str> = key.to_ascii_lowercase().into();
        match self.keys.binary_search_by(|(other, _)| other.cmp(&key)) {
            Ok(at) => self.keys[at].1 = value,
            Err(at) => self.keys.insert(at, (key, value)),
        }
    }

    /// Whether something was [set](Self::set) for `key`, in whatever case it is written.
    pub fn is_set(&self, key: &str) -> bool {
        self.find(&key.to_ascii_lowercase()).is_some()
    }

    /// What is known of `key`, which has to be in lower case; none if it was not [set](Self::set).
    pub fn value(&self, key: &str) -> Option<&ContextValue> {
        self.find(key)
    }

    fn find(&self, key: &str) -> Option<&ContextValue> {
        match self.keys.binary_search_by(|(other, _)| (**other).cmp(key)) {
            Ok(at) => Some(&self.keys[at].1),
            Err(_) => self.layers.iter().find_map(|layer| layer.find(key)),
        }
    }

    /// `key` has to be in lower case. A key without values counts as absent.
    pub(super) fn get(&self, key: &str) -> Lookup<'_> {
        match self.find(key) {
            Some(ContextValue::Known(values)) if values.is_empty() => Lookup::Absent,
            Some(ContextValue::Known(values)) => Lookup::Known(values),
            Some(ContextValue::Absent) => Lookup::Absent,
            Some(ContextValue::Unknown) => Lookup::Unknown,
            None if self.unlisted_unknown => Lookup::Unknown,
            None => Lookup::Absent,
        }
    }
}
