//! The request context: what is known of a request's condition keys.
//!
//! Invariant: names of keys are compared without regard to case, so they are kept in lower case.

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
            keys: Vec::new(),
            unlisted_unknown: true,
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
        let key = key.to_ascii_lowercase();
        self.keys
            .binary_search_by(|(other, _)| (**other).cmp(key.as_str()))
            .is_ok()
    }

    /// `key` has to be in lower case. A key without values counts as absent.
    pub(super) fn get(&self, key: &str) -> Lookup<'_> {
        match self.keys.binary_search_by(|(other, _)| (**other).cmp(key)) {
            Ok(at) => match &self.keys[at].1 {
                ContextValue::Known(values) if values.is_empty() => Lookup::Absent,
                ContextValue::Known(values) => Lookup::Known(values),
                ContextValue::Absent => Lookup::Absent,
                ContextValue::Unknown => Lookup::Unknown,
            },
            Err(_) if self.unlisted_unknown => Lookup::Unknown,
            Err(_) => Lookup::Absent,
        }
    }
}
