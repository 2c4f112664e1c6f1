//! Policy documents within IAM's size limits.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::arns;
use crate::actions::Catalogue;

/// Characters of a managed policy; white space does not count.
pub(super) const MANAGED: usize = 6_144;
/// Managed policies of a user, group or role.
pub(super) const ATTACHED: usize = 10;
/// Characters of a service control policy; white space counts. <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>
pub(super) const SERVICE_CONTROL: usize = 5_120;

/// Documents that need no wildcards in their actions.
const FEW: usize = 3;

/// The `Resource` or `NotResource` element.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Element {
    pub(super) negated: bool,
    pub(super) patterns: Vec<String>,
}

impl Element {
    pub(super) fn of(patterns: impl IntoIterator<Item = String>) -> Self {
        let sorted: BTreeSet<String> = patterns.into_iter().collect();
        Self {
            negated: false,
            patterns: sorted.into_iter().collect(),
        }
    }
}

/// Why a statement is there; its `Sid` begins so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// It was used.
    Used,
    /// The events could not show whether it was.
    NotObservable,
    /// Its way to the special roles.
    SpecialRoles,
    /// Dangerous and never used.
    NeverUsed,
    /// A denial that was there before.
    AsBefore,
}

impl Why {
    fn sid(self) -> &'static str {
        match self {
            Self::Used => "Used",
            Self::NotObservable => "NotObservable",
            Self::SpecialRoles => "SpecialRoles",
            Self::NeverUsed => "NeverUsed",
            Self::AsBefore => "AsBefore",
        }
    }
}

/// What the statements of a document are made of: actions by reason, resources and conditions.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// The condition is JSON; `null` for none.
    pub(super) allowed: BTreeMap<(Why, Element, String), BTreeSet<String>>,
    /// Actions of the service that could be granted as well, as they were and are not dangerous: a wildcard may cover them.
    pub(super) harmless: BTreeMap<(Why, Element, String), BTreeSet<String>>,
    pub(super) denied: BTreeSet<String>,
    /// Statements that are taken over as they are.
    pub(super) verbatim: Vec<Value>,
}

impl Draft {
    pub(super) fn allow(&mut self, why: Why, element: Element, condition: &Value, action: &str) {
        let key = (why, element, condition.to_string());
        self.allowed
            .entry(key)
            .or_default()
            .insert(action.to_owned());
    }

    /// The documents, of at most `limit` characters each: as few as wildcards make them, if they would be many without.
    /// None if a statement does not fit into one.
    pub(super) fn documents(&self, limit: usize, most: usize) -> Option<Vec<Value>> {
        let plain = pack(&self.statements(Shortening::None), limit)?;
        if plain.len() <= FEW.min(most) {
            return Some(plain);
        }
        for shortening in [Shortening::Same, Shortening::Harmless] {
            let documents = pack(&self.statements(shortening), limit)?;
            if documents.len() <= most {
                return Some(documents);
            }
        }
        None
    }

    /// Whether another statement allows an action on the same resources and more.
    fn covered(&self, key: &(Why, Element, String), action: &str) -> bool {
        let (_, element, condition) = key;
        self.allowed
            .iter()
            .filter(|(other, actions)| *other != key && actions.contains(action))
            .any(|((why, wider, same), _)| {
                let equal = wider == element;
                let covers = |pattern: &String| {
                    wider
                        .patterns
                        .iter()
                        .any(|wide| arns::covers(wide, pattern))
                };
                let whole =
                    !wider.negated && !element.negated && element.patterns.iter().all(covers);
                // Of two equal ones the first stays.
                same == condition && whole && (!equal || *why < key.0)
            })
    }

    fn statements(&self, shortening: Shortening) -> Vec<Statement> {
        let mut statements: Vec<Statement> = self
            .verbatim
            .iter()
            .cloned()
            .map(|value| Statement {
                why: Why::AsBefore,
                value,
            })
            .collect();
        if !self.denied.is_empty() {
            let actions = shortened(&self.denied, &BTreeSet::new(), shortening);
            statements.push(Statement {
                why: Why::NeverUsed,
                value: json!({ "Effect": "Deny", "Action": actions, "Resource": "*" }),
            });
        }
        let none = BTreeSet::new();
        for (key, actions) in &self.allowed {
            let (why, element, condition) = key;
            let actions: BTreeSet<String> = actions
                .iter()
                .filter(|action| !self.covered(key, action))
                .cloned()
                .collect();
            if actions.is_empty() {
                continue;
            }
            let actions = shortened(
                &actions,
                self.harmless.get(key).unwrap_or(&none),
                shortening,
            );
            let resource = if element.negated {
                "NotResource"
            } else {
                "Resource"
            };
            let patterns = match element.patterns.as_slice() {
                [one] => json!(one),
                several => json!(several),
            };
            let mut value = json!({ "Effect": "Allow", "Action": actions, resource: patterns });
            if let Ok(condition @ Value::Object(_)) = serde_json::from_str(condition) {
                value["Condition"] = condition;
            }
            statements.push(Statement { why: *why, value });
        }
        statements
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shortening {
    /// Names only.
    None,
    /// Wildcards that match what is listed and nothing else.
    Same,
    /// Wildcards that match harmless actions besides.
    Harmless,
}

#[derive(Clone)]
struct Statement {
    why: Why,
    value: Value,
}

/// Characters that count.
pub(super) fn size(document: &Value) -> usize {
    document
        .to_string()
        .chars()
        .filter(|c| !c.is_whitespace())
        .count()
}

/// A document of these statements.
pub(super) fn document(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Fills documents one after the other; a statement that is too long is divided by its actions.
fn pack(statements: &[Statement], limit: usize) -> Option<Vec<Value>> {
    let mut documents: Vec<Vec<Value>> = Vec::new();
    let mut queue: Vec<Statement> = statements.iter().rev().cloned().collect();
    while let Some(statement) = queue.pop() {
        let fits = |present: &[Value]| {
            let mut all = present.to_vec();
            all.push(named(&statement, present.len()));
            (size(&document(all.clone())) <= limit).then_some(all)
        };
        if let Some(last) = documents.last_mut()
            && let Some(all) = fits(last)
        {
            *last = all;
            continue;
        }
        if let Some(first) = fits(&[]) {
            documents.push(first);
            continue;
        }
        let actions = statement.value["Action"]
            .as_array()
            .filter(|actions| actions.len() > 1)?
            .clone();
        let (one, other) = actions.split_at(actions.len() / 2);
        for part in [other, one] {
            let mut value = statement.value.clone();
            value["Action"] = json!(part);
            queue.push(Statement {
                why: statement.why,
                value,
            });
        }
    }
    Some(documents.into_iter().map(document).collect())
}

/// The statement with a `Sid`, which is unique within its document.
fn named(statement: &Statement, position: usize) -> Value {
    let mut named = Map::new();
    named.insert(
        "Sid".to_owned(),
        format!("{}{}", statement.why.sid(), position + 1).into(),
    );
    if let Value::Object(members) = &statement.value {
        named.extend(
            members
                .iter()
                .filter(|(key, _)| *key != "Sid")
                .map(|(key, value)| (key.clone(), value.clone())),
        );
    }
    Value::Object(named)
}

/// Names, or the wildcards that stand for three or more of them.
fn shortened(
    actions: &BTreeSet<String>,
    harmless: &BTreeSet<String>,
    shortening: Shortening,
) -> Vec<String> {
    if shortening == Shortening::None {
        return actions.iter().cloned().collect();
    }
    let may = |name: &str| {
        actions.contains(name) || shortening == Shortening::Harmless && harmless.contains(name)
    };
    let mut short = BTreeSet::new();
    let mut covered: BTreeSet<&str> = BTreeSet::new();
    for action in actions {
        if covered.contains(action.as_str()) {
            continue;
        }
        let found = beginnings(action).into_iter().find_map(|beginning| {
            let pattern = format!("{beginning}*");
            let matched: Vec<&'static str> = Catalogue::embedded()
                .matching(&pattern)
                .map(|facts| facts.name)
                .collect();
            let listed: Vec<&str> = matched
                .iter()
                .filter_map(|name| actions.get(*name))
                .map(String::as_str)
                .collect();
            (listed.len() > 2 && matched.iter().all(|name| may(name))).then_some((pattern, listed))
        });
        match found {
            Some((pattern, listed)) => {
                covered.extend(listed);
                short.insert(pattern);
            }
            None => {
                short.insert(action.clone());
            }
        }
    }
    short.into_iter().collect()
}

/// The words a name begins with, from `s3:` on to all but the last.
fn beginnings(action: &str) -> Vec<&str> {
    let Some(colon) = action.find(':') else {
        return Vec::new();
    };
    let starts = action[colon + 1..]
        .char_indices()
        .filter(|(_, c)| c.is_ascii_uppercase());
    starts.map(|(at, _)| &action[..colon + 1 + at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn documents_keep_to_the_limit_and_lose_nothing() {
        let mut draft = Draft::default();
        let all: Vec<&str> = Catalogue::embedded()
            .matching("ec2:D*")
            .map(|facts| facts.name)
            .collect();
        for action in &all {
            draft.allow(
                Why::Used,
                Element::of(["*".to_owned()]),
                &Value::Null,
                action,
            );
        }
        let packed = pack(&draft.statements(Shortening::None), 1_000).unwrap();
        assert!(packed.len() > 5 && packed.iter().all(|document| size(document) <= 1_000));
        let names: BTreeSet<&str> = packed
            .iter()
            .flat_map(|document| document["Statement"].as_array().unwrap())
            .flat_map(|statement| statement["Action"].as_array().unwrap())
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(names, all.into_iter().collect());
        assert!(
            draft.documents(60, 10).is_none(),
            "a statement that fits nowhere"
        );
        assert!(
            draft.documents(1_000, 10).is_some(),
            "wildcards make them few"
        );
    }

    #[test]
    fn a_wildcard_matches_nothing_else_unless_it_is_harmless() {
        let used = set(&[
            "sqs:GetQueueAttributes",
            "sqs:ListQueues",
            "sqs:ListQueueTags",
            "sqs:ListMessageMoveTasks",
        ]);
        assert!(
            shortened(&used, &BTreeSet::new(), Shortening::Same)
                .iter()
                .all(|name| !name.contains('*'))
        );
        let short = shortened(
            &used,
            &set(&["sqs:ListDeadLetterSourceQueues"]),
            Shortening::Harmless,
        );
        assert_eq!(short, ["sqs:GetQueueAttributes", "sqs:List*"]);
    }
}
