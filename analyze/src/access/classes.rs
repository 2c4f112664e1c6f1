//! Classes: principals and resources that no policy can tell apart.
//!
//! A class is found by its *mark*: every answer that policies could get when they ask about a principal (or resource) alone.
//! Whatever a policy compares between the two, such as a tag of both, is part of the mark as it is.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::facts::{self, Facts};
use super::library::PolicyId;
use super::world::{Holder, Target, World};
use crate::iam::{
    Condition, Context, ContextValue, Effect, Pattern, Policy, PrincipalMatch, Statement, Text,
    Truth,
};

/// Which class each of a list is of, and the first member of each class.
pub(super) struct Classes {
    pub(super) of: Vec<usize>,
    pub(super) first: Vec<usize>,
}

impl Classes {
    fn by_mark(marks: Vec<Vec<u8>>) -> Self {
        let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
        let (mut of, mut first) = (Vec::new(), Vec::new());
        for (index, mark) in marks.into_iter().enumerate() {
            let next = known.len();
            let class = *known.entry(mark).or_insert_with(|| {
                first.push(index);
                next
            });
            of.push(class);
        }
        Self { of, first }
    }
}

/// A pattern of a `Resource` element and the service it is about; none if it may be about any.
struct Named<'w> {
    text: &'w Text,
    /// What stands before the first slash, if parts of resources may be named after it.
    head: Option<Pattern>,
}

/// What a policy asks about principals, statement by statement.
struct Personal<'w> {
    keys: Vec<&'w str>,
    conditions: Vec<&'w Condition>,
}

impl<'w> Personal<'w> {
    fn of(policy: &'w Policy) -> Self {
        let statements = || policy.statements().iter();
        let patterns = statements().flat_map(|statement| statement.resources());
        let conditions = statements().flat_map(|statement| statement.conditions());
        Self {
            keys: patterns
                .flat_map(|text| text.keys())
                .filter(|key| facts::of_principal(key))
                .collect(),
            conditions: conditions
                .filter(|condition| condition.keys().any(facts::of_principal))
                .collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.conditions.is_empty()
    }
}

/// What policies ask about.
pub(super) struct Questions<'w> {
    world: &'w World,
    facts: &'w Facts,
    common: Arc<Context>,
    /// The `Principal` elements of resource policies; the flag: of a denial.
    principals: Vec<(&'w Statement, bool)>,
    /// By policy: what it asks about principals.
    personal: Vec<Personal<'w>>,
    /// Policies that are not attached to principals and ask something about them.
    of_others: Vec<PolicyId>,
    /// By service, `""` for those of any service.
    named: BTreeMap<&'w str, Vec<Named<'w>>>,
    /// Those that ask about resources, each once.
    conditions: Vec<&'w Condition>,
}

impl<'w> Questions<'w> {
    pub(super) fn new(world: &'w World, facts: &'w Facts) -> Self {
        let entries = world.library.entries();
        let mut questions = Self {
            world,
            facts,
            common: facts::common(),
            principals: Vec::new(),
            personal: entries
                .iter()
                .map(|entry| Personal::of(&entry.policy))
                .collect(),
            of_others: Vec::new(),
            named: BTreeMap::new(),
            conditions: Vec::new(),
        };
        let mut elements: HashMap<(String, bool), ()> = HashMap::new();
        let mut sources = HashSet::new();
        let mut blocks = HashSet::new();
        for (id, entry) in entries.iter().enumerate() {
            if entry.layer != "identityPolicies" && !questions.personal[id].is_empty() {
                questions.of_others.push(id);
            }
            for (index, statement) in entry.policy.statements().iter().enumerate() {
                let document = entry
                    .document
                    .as_ref()
                    .and_then(|document| nth(document, index));
                // Old versions know no variables.
                let version = entry
                    .document
                    .as_ref()
                    .map(|document| document["Version"].to_string());
                let block = document.map(|document| document["Condition"].to_string());
                if blocks.insert((version, block)) {
                    let asking = |condition: &&Condition| condition.keys().any(facts::of_resource);
                    questions
                        .conditions
                        .extend(statement.conditions().iter().filter(asking));
                }
                let Some(document) = document else { continue };
                for (text, source) in statement.resources().zip(patterns(document)) {
                    if sources.insert((source, text.keys().next().is_some())) {
                        questions
                            .named
                            .entry(service(source))
                            .or_default()
                            .push(Named {
                                text,
                                head: tail(source).map(|(head, _)| Pattern::glob(head)),
                            });
                    }
                }
                if entry.layer == "resourcePolicy" {
                    let denial = statement.effect() == Effect::Deny;
                    let key = format!(
                        "{:?}{:?}",
                        document.get("Principal"),
                        document.get("NotPrincipal")
                    );
                    if elements.insert((key, denial), ()).is_none() {
                        questions.principals.push((statement, denial));
                    }
                }
            }
        }
        questions
    }

    /// The classes of all principals.
    pub(super) fn principals(&self) -> Classes {
        Classes::by_mark(
            self.world
                .holders
                .par_iter()
                .map(|holder| self.principal_mark(holder))
                .collect(),
        )
    }

    /// The classes of all resources. `parts` are the suffixes under which a type's parts are judged.
    pub(super) fn resources(&self, parts: impl Fn(&str) -> Vec<&'static str> + Sync) -> Classes {
        Classes::by_mark(
            self.world
                .targets
                .par_iter()
                .map(|target| self.resource_mark(target, &parts(&target.resource_type)))
                .collect(),
        )
    }

    fn principal_mark(&self, holder: &Holder) -> Vec<u8> {
        let mut mark = Mark::default();
        mark.text(&holder.account);
        mark.byte(holder.kind as u8);
        mark.byte(u8::from(holder.service_linked));
        mark.number(holder.boundary.map_or(0, |id| id + 1));
        for id in &holder.policies {
            mark.number(id + 1);
        }
        mark.number(0);
        let context = self.facts.principal(self.world, holder);
        let layers = Context::layered(vec![Arc::clone(&context), Arc::clone(&self.common)]);
        let own = holder.policies.iter().chain(&holder.boundary);
        for id in own.chain(&self.of_others) {
            let personal = &self.personal[*id];
            for key in &personal.keys {
                mark.value(&context, key, facts::of_principal);
            }
            for condition in &personal.conditions {
                mark.condition(condition, &layers, &context, facts::of_principal);
            }
        }
        let bounded = holder.boundary.is_some();
        for (statement, denial) in &self.principals {
            if let Some((truth, by)) =
                statement.names_principal(&holder.principal, &layers, bounded && *denial)
            {
                mark.byte(truth as u8 * 4 + by_number(by));
            }
        }
        mark.0
    }

    fn resource_mark(&self, target: &Target, parts: &[&str]) -> Vec<u8> {
        let mut mark = Mark::default();
        mark.text(&target.account);
        mark.text(&target.resource_type);
        mark.number(target.policy.map_or(0, |id| id + 1));
        let of_service = service(&target.arn);
        for group in [of_service, ""] {
            for named in self.named.get(group).into_iter().flatten() {
                self.name(&mut mark, named, &target.arn, parts);
            }
        }
        let context = self.facts.resource(self.world, target);
        let layers = Context::layered(vec![Arc::clone(&context), Arc::clone(&self.common)]);
        for condition in &self.conditions {
            mark.condition(condition, &layers, &context, facts::of_resource);
        }
        mark.0
    }

    /// Whether a pattern names the resource, and which of its parts.
    fn name(&self, mark: &mut Mark, named: &Named<'_>, arn: &str, parts: &[&str]) {
        let mut bits = u8::from(named.text.may_match(arn));
        let below = !parts.is_empty() && named.head.as_ref().is_some_and(|head| head.matches(arn));
        for part in parts {
            bits = bits << 2
                | u8::from(named.text.may_match(&format!("{arn}{part}"))) << 1
                | u8::from(below);
        }
        mark.byte(bits);
        // A variable picks one resource or another, depending on the principal.
        if bits > 0 && named.text.keys().next().is_some() {
            mark.text(arn);
        }
    }
}

/// What a pattern such as `arn:aws:s3:::logs-*/2026/*` names below the resource `arn`, wildcards made letters.
pub(super) fn part_below(source: &str, arn: &str) -> Option<String> {
    let (head, tail) = tail(source)?;
    let covers = Pattern::glob(head).matches(arn);
    covers.then(|| format!("{arn}/{}", tail.replace(['*', '?'], "x")))
}

/// What stands before and after the first slash of a pattern that can name parts of resources, such as
/// `arn:aws:s3:::logs-*/2026/*`.
pub(super) fn tail(source: &str) -> Option<(&str, &str)> {
    let (head, tail) = source.split_once('/')?;
    (!tail.is_empty() && !source.contains("${")).then_some((head, tail))
}

fn by_number(by: PrincipalMatch) -> u8 {
    match by {
        PrincipalMatch::None => 0,
        PrincipalMatch::Account => 1,
        PrincipalMatch::Role => 2,
        PrincipalMatch::Direct => 3,
    }
}

/// The service part of an ARN or pattern of ARNs; empty if that could be any.
pub(super) fn service(arn: &str) -> &str {
    let mut parts = arn.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("arn"), Some(_), Some(service), Some(_)) if !service.contains(['*', '?']) => service,
        _ => "",
    }
}

/// The statement of a document at a position.
pub(super) fn nth(document: &Value, index: usize) -> Option<&Value> {
    match document.get("Statement")? {
        Value::Array(list) => list.get(index),
        one => (index == 0).then_some(one),
    }
}

/// The patterns of a statement's `Resource` or `NotResource`.
pub(super) fn patterns(statement: &Value) -> impl Iterator<Item = &str> {
    listed(
        statement
            .get("Resource")
            .or_else(|| statement.get("NotResource")),
    )
}

/// The texts of an element, be it a list or one text.
pub(super) fn strings(element: Option<&Value>) -> Vec<String> {
    listed(element).map(str::to_owned).collect()
}

fn listed(element: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = match element {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    list.iter().filter_map(Value::as_str)
}

/// What can be told of a principal or resource, in bytes: of two that have the same, policies say the same.
#[derive(Default)]
pub(super) struct Mark(pub(super) Vec<u8>);

impl Mark {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn number(&mut self, number: usize) {
        self.0.extend_from_slice(&(number as u64).to_le_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    /// The value of a key of `ours`, as it is.
    pub(super) fn value(&mut self, context: &Context, key: &str, ours: fn(&str) -> bool) {
        if ours(key) {
            match context.value(key) {
                None | Some(ContextValue::Unknown) => self.byte(0),
                Some(ContextValue::Absent) => self.byte(1),
                Some(ContextValue::Known(values)) => {
                    self.byte(2);
                    values.iter().for_each(|value| self.text(value));
                }
            }
        }
    }

    /// The answer to a condition about us alone; the values where it compares us with something else.
    pub(super) fn condition(
        &mut self,
        condition: &Condition,
        layers: &Context,
        context: &Context,
        ours: fn(&str) -> bool,
    ) {
        if !condition.keys().any(ours) {
            return;
        }
        if !condition.keys().all(ours) {
            condition
                .keys()
                .for_each(|key| self.value(context, key, ours));
            return;
        }
        self.byte(match condition.holds(layers) {
            Truth::False => 3,
            Truth::Unknown => 4,
            Truth::True => 5,
        });
    }
}
