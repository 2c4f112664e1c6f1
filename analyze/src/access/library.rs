//! The policies of a run, each read once.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use serde_json::Value;

use super::classes;
use crate::iam::{Pattern, Policy, PolicyKind};

/// Position of a policy in the [`Library`].
pub(super) type PolicyId = usize;

/// The context key that a policy which can't be read depends on: no request tells it, so whatever it decides is unknown.
pub(super) const UNREAD: &str = "sevenwalls:unread";

/// A policy and where it comes from.
pub(super) struct Entry {
    pub(super) policy: Arc<Policy>,
    /// What the table `statements` calls its layer.
    pub(super) layer: &'static str,
    /// The document; none for what could not be read.
    pub(super) document: Option<Value>,
    /// The key of multi-factor authentication is in one of its conditions.
    pub(super) mentions_mfa: bool,
}

/// All policies, in the order in which they were asked for.
#[derive(Default)]
pub(super) struct Library {
    entries: Vec<Entry>,
    known: HashMap<(String, Option<String>, &'static str), PolicyId>,
    /// Policies that could not be read, and why.
    pub(super) unread: Vec<(String, String)>,
    /// By service, `""` for any: patterns of resources, and what stands after them in patterns that name parts. Read when all
    /// policies are there.
    below: OnceLock<HashMap<String, Vec<(Pattern, String)>>>,
}

impl Library {
    /// The policy that `name` stands for, with its text. A text that is missing or no policy decides nothing and allows
    /// nothing for certain.
    pub(super) fn add(
        &mut self,
        layer: &'static str,
        kind: PolicyKind,
        name: &str,
        text: Option<&str>,
    ) -> PolicyId {
        self.add_all(layer, kind, &[(name, text)])[0]
    }

    /// As [`Self::add`] for each of `policies`, names and texts; new ones are read on all cores.
    pub(super) fn add_all(
        &mut self,
        layer: &'static str,
        kind: PolicyKind,
        policies: &[(&str, Option<&str>)],
    ) -> Vec<PolicyId> {
        let first = self.entries.len();
        let mut new: Vec<(&str, Option<&str>)> = Vec::new();
        let mut ids = Vec::new();
        for &(name, text) in policies {
            let key = (name.to_owned(), text.map(str::to_owned), layer);
            ids.push(*self.known.entry(key).or_insert_with(|| {
                new.push((name, text));
                first + new.len() - 1
            }));
        }
        let read = |&(name, text): &(&str, Option<&str>)| read(layer, kind, name, text);
        let entries: Vec<(Entry, Option<String>)> = match new.as_slice() {
            // Most come one by one.
            [one] => vec![read(one)],
            many => many.par_iter().map(read).collect(),
        };
        for ((name, _), (entry, why)) in new.into_iter().zip(entries) {
            self.entries.push(entry);
            self.unread.extend(why.map(|why| (name.to_owned(), why)));
        }
        ids
    }

    pub(super) fn get(&self, id: PolicyId) -> &Entry {
        &self.entries[id]
    }

    pub(super) fn policy(&self, id: PolicyId) -> Arc<Policy> {
        Arc::clone(&self.entries[id].policy)
    }

    /// ARNs of parts of the resource `arn`, one for each pattern that names some of them.
    pub(super) fn parts_below(&self, arn: &str) -> BTreeSet<String> {
        let below = self.below.get_or_init(|| self.read_below());
        let of_service = [classes::service(arn), ""];
        let patterns = of_service
            .iter()
            .filter_map(|service| below.get(*service))
            .flatten();
        patterns
            .filter(|(head, _)| head.matches(arn))
            .map(|(_, tail)| format!("{arn}/{tail}"))
            .collect()
    }

    fn read_below(&self) -> HashMap<String, Vec<(Pattern, String)>> {
        let sources: BTreeSet<&str> = self.patterns().collect();
        let mut below: HashMap<String, Vec<(Pattern, String)>> = HashMap::new();
        for (source, (head, tail)) in sources
            .iter()
            .filter_map(|source| Some((source, classes::tail(source)?)))
        {
            // Wildcards are made letters.
            let part = (Pattern::glob(head), tail.replace(['*', '?'], "x"));
            below
                .entry(classes::service(source).to_owned())
                .or_default()
                .push(part);
        }
        below
    }

    /// ARNs of a service, one for each pattern that names some of them, and one that only `*` names.
    pub(super) fn instances(&self, service: &str) -> BTreeSet<String> {
        let of_service = |source: &&str| {
            source
                .split(':')
                .nth(2)
                .is_some_and(|named| Pattern::glob(named).matches(service))
        };
        let instances = self
            .patterns()
            .filter(of_service)
            .filter(|source| !source.contains("${"));
        let instances = instances.map(|source| source.replace(['*', '?'], "x"));
        instances.chain(["*".to_owned()]).collect()
    }

    /// The patterns of all `Resource` elements.
    fn patterns(&self) -> impl Iterator<Item = &str> {
        let documents = self
            .entries
            .iter()
            .filter_map(|entry| entry.document.as_ref());
        let statements = documents.flat_map(|document| match &document["Statement"] {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        });
        statements.flat_map(classes::patterns)
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// Reads a policy; if it can't be read, also why.
fn read(
    layer: &'static str,
    kind: PolicyKind,
    name: &str,
    text: Option<&str>,
) -> (Entry, Option<String>) {
    let read = match text {
        None => Err("the run has no document of it that is JSON".to_owned()),
        Some(text) => Policy::with_document(name, kind, text).map_err(|error| error.to_string()),
    };
    let (policy, document, why) = match read {
        Ok((policy, document)) => (policy, Some(document), None),
        Err(why) => (unread(name, kind), None, Some(why)),
    };
    let mentions_mfa = policy
        .statements()
        .iter()
        .flat_map(|statement| statement.keys())
        .any(|key| key.starts_with("aws:multifactorauth"));
    let entry = Entry {
        policy: Arc::new(policy),
        layer,
        document,
        mentions_mfa,
    };
    (entry, why)
}

/// A policy that may allow everything and may deny everything.
fn unread(name: &str, kind: PolicyKind) -> Policy {
    let statement = |effect: &str| {
        let mut statement = serde_json::json!({
            "Effect": effect, "Action": "*", "Resource": "*",
            "Condition": { "StringEquals": { UNREAD: "" } },
        });
        if kind != PolicyKind::Principal {
            statement["Principal"] = "*".into();
        }
        statement
    };
    let document = serde_json::json!({ "Version": "2012-10-17", "Statement": [statement("Allow"), statement("Deny")] });
    Policy::from_value(name, kind, &document).expect("the document is right for every kind")
}
