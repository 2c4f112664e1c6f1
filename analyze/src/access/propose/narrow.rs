//! One statement made as narrow as what was used of it.
//!
//! Invariant: what comes out is within the statement. Its actions are some of the statement's, its resources too, and its
//! conditions stay.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::Value;

use super::arns::{self, Place};
use super::document::Element;
use super::scene::Scene;
use super::uses::{On, Use};
use crate::access::classes;
use crate::actions::{ActionFacts, Catalogue, ResourceFacts};
use crate::iam::{Action, Context, Resource, Statement, Truth};

/// Resources that are listed one by one; of more, all of their type are named.
const MOST_ARNS: usize = 10;

/// Types of resources that an action may name at once, besides those that the events tell.
const MOST_TYPES: usize = 3;

/// The action whose resources are always listed.
const ASSUME_ROLE: &str = "sts:AssumeRole";

/// Why the resources stay as they were granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wide {
    /// The action takes `*` only.
    NoResource,
    /// The events do not tell to what it was done.
    Unknown,
    /// It is about many types of resources at once.
    ManyTypes,
    /// The statement names its resources in a way that can't be narrowed: by variables, or by what it spares.
    AsGranted,
}

impl Wide {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::NoResource => "takes no resource: IAM grants it on `*` only",
            Self::Unknown => "the events do not name its resource",
            Self::ManyTypes => "names resources of many types at once",
            Self::AsGranted => {
                "the present policy names the resources by variables or by what it spares"
            }
        }
    }
}

/// The actions of the catalogue, ready to be matched.
pub(super) fn catalogue() -> &'static [(&'static ActionFacts, Action)] {
    static ACTIONS: OnceLock<Vec<(&'static ActionFacts, Action)>> = OnceLock::new();
    ACTIONS.get_or_init(|| {
        let all = Catalogue::embedded().actions().iter();
        all.filter_map(|facts| Some((facts, Action::parse(facts.name).ok()?)))
            .collect()
    })
}

/// A statement of a policy that is attached today.
pub(super) struct Granting<'w> {
    pub(super) statement: &'w Statement,
    pub(super) document: &'w Value,
}

impl Granting<'_> {
    /// Its resources as they are written.
    pub(super) fn element(&self) -> Element {
        let negated = self.document.get("NotResource").is_some();
        Element {
            negated,
            patterns: classes::patterns(self.document)
                .map(str::to_owned)
                .collect(),
        }
    }

    pub(super) fn condition(&self) -> &Value {
        self.document.get("Condition").unwrap_or(&Value::Null)
    }

    /// Whether somebody chose the service of an action: it is named, not matched by a wildcard.
    pub(super) fn names_service(&self, service: &str) -> bool {
        let actions = classes::strings(self.document.get("Action"));
        actions.iter().any(|action| {
            action
                .split(':')
                .next()
                .is_some_and(|named| named.eq_ignore_ascii_case(service))
        })
    }

    /// Actions it names one by one that the catalogue does not know.
    pub(super) fn unknown_actions(&self) -> Vec<String> {
        let mut actions = classes::strings(self.document.get("Action"));
        actions.retain(|action| {
            Action::parse(action).is_ok() && Catalogue::embedded().find(action).is_none()
        });
        actions
    }

    /// Whether it may have allowed what was done, for all that is known.
    pub(super) fn may_allow(&self, scene: &Scene, used: &Use) -> bool {
        let holder = &scene.world.holders[used.holder];
        let arns: Vec<&str> = match &used.on {
            On::Nothing => vec!["*"],
            On::Unknown => Vec::new(),
            On::Known(_) => used.arns().map(String::as_str).collect(),
        };
        let holds = |arn: &str, about_resource: bool| {
            let target = scene.target_or_made(holder, arn);
            let mut layers = vec![scene.facts.principal(&scene.world, holder)];
            if about_resource {
                layers.push(scene.facts.resource(&scene.world, &target));
            }
            let context = Context::layered(layers);
            let named = match Resource::new(arn, Some(&target.account)) {
                Ok(resource) if about_resource => {
                    self.statement.names_resource(&resource, &context)
                }
                _ => Truth::Unknown,
            };
            named != Truth::False
                && self
                    .statement
                    .conditions()
                    .iter()
                    .all(|condition| condition.holds(&context) != Truth::False)
        };
        match arns.as_slice() {
            [] => holds("*", false),
            arns => arns.iter().any(|arn| holds(arn, true)),
        }
    }

    /// The resources on which an action is to be allowed, after what was done with it; with a reason if they stay as they are.
    pub(super) fn narrowed(
        &self,
        scene: &Scene,
        action: &ActionFacts,
        uses: &[&Use],
    ) -> (Element, Option<Wide>) {
        let whole = self.element();
        let why = if uses.iter().any(|used| used.on == On::Nothing) {
            Wide::NoResource
        } else if uses.is_empty() || uses.iter().any(|used| used.on == On::Unknown) {
            Wide::Unknown
        } else if names_many_types(action, uses) {
            Wide::ManyTypes
        } else {
            match within(&whole, &patterns(scene, action, uses), uses) {
                Some(element) => return (element, None),
                None => Wide::AsGranted,
            }
        };
        (whole, Some(why))
    }
}

/// Whether an action may be about many more types of resources than the events tell.
fn names_many_types(action: &ActionFacts, uses: &[&Use]) -> bool {
    let told: BTreeSet<usize> = uses
        .iter()
        .filter_map(|used| match &used.on {
            On::Known(known) => Some(known.keys().copied()),
            On::Nothing | On::Unknown => None,
        })
        .flatten()
        .collect();
    let types = action
        .resources
        .iter()
        .filter(|resource| !resource.is_none());
    types.count() > told.len() + MOST_TYPES
}

/// What stands for the resources of all uses: of each type those that are known, or all.
fn patterns(scene: &Scene, action: &ActionFacts, uses: &[&Use]) -> BTreeSet<String> {
    let mut patterns = BTreeSet::new();
    let typed = action.resources.iter().enumerate();
    for (index, resource) in typed.filter(|(_, resource)| !resource.is_none()) {
        let (mut some, mut all) = (BTreeSet::new(), BTreeSet::new());
        for used in uses {
            let principal = &scene.world.holders[used.holder].arn;
            let place = Place {
                partition: principal.split(':').nth(1).unwrap_or("aws"),
                account: &used.account,
                region: &used.region,
            };
            let On::Known(known) = &used.on else { continue };
            match known.get(&index) {
                Some(arns) => {
                    some.extend(
                        arns.iter()
                            .flat_map(|arn| generalized(scene, action, resource, place, arn)),
                    );
                    all.extend(arns.iter().map(|arn| of_its_type(resource, place, arn)));
                }
                None => {
                    some.insert(arns::wide(resource, place));
                }
            }
        }
        // Roles are few and have names: all of them would be the special ones too.
        let listed = some.len() <= MOST_ARNS || action.name == ASSUME_ROLE;
        patterns.extend(if listed { some } else { all });
    }
    // What a wider one of the list covers need not be listed.
    let wider = |one: &String| {
        patterns
            .iter()
            .any(|other| other != one && arns::covers(other, one))
    };
    patterns.iter().filter(|one| !wider(one)).cloned().collect()
}

/// What of the patterns is within today's; the narrower one where they cross. None unless that covers all uses.
fn within(whole: &Element, patterns: &BTreeSet<String>, uses: &[&Use]) -> Option<Element> {
    if whole.negated {
        return None;
    }
    let granted = |pattern: &String| {
        whole
            .patterns
            .iter()
            .any(|granted| arns::covers(granted, pattern))
    };
    let narrower = |granted: &&String| {
        patterns
            .iter()
            .any(|pattern| arns::covers(pattern, granted))
    };
    let inside = patterns.iter().filter(|pattern| granted(pattern));
    let both: BTreeSet<String> = inside
        .chain(whole.patterns.iter().filter(narrower))
        .cloned()
        .collect();
    // What today's statement does not name was allowed by another one.
    let mut arns = uses
        .iter()
        .flat_map(|used| used.arns())
        .filter(|arn| granted(arn));
    let covered = arns.all(|arn| both.iter().any(|pattern| arns::covers(pattern, arn)));
    (covered && !both.is_empty()).then(|| Element::of(both))
}

/// What stands for a resource: itself if it is in the inventory, else all of its type, since it is one of those that come
/// and go; for parts of a bucket or log group all of its parts.
fn generalized(
    scene: &Scene,
    action: &ActionFacts,
    resource: &ResourceFacts,
    place: Place<'_>,
    arn: &str,
) -> Vec<String> {
    if !arns::is_plain(arn) {
        return vec![of_its_type(resource, place, arn)];
    }
    if let Some((bucket, _)) = arn
        .split_once('/')
        .filter(|(bucket, _)| bucket.contains(":s3:::"))
    {
        return vec![format!("{bucket}/*")];
    }
    let log_group = arn
        .split(":log-stream:")
        .next()
        .unwrap_or(arn)
        .trim_end_matches(":*");
    if log_group.contains(":log-group:") && scene.target(log_group).is_some() {
        return vec![log_group.to_owned(), format!("{log_group}:*")];
    }
    if action.name == ASSUME_ROLE || scene.target(arn).is_some_and(|target| target.arn == arn) {
        return vec![arn.to_owned()];
    }
    vec![of_its_type(resource, place, arn)]
}

/// All resources of the type of one, where that one is.
fn of_its_type(resource: &ResourceFacts, place: Place<'_>, arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let told = |at: usize| {
        parts
            .get(at)
            .copied()
            .filter(|part| !part.is_empty() && arns::is_plain(part))
    };
    let own = Place {
        region: told(3).unwrap_or(place.region),
        account: told(4).unwrap_or(place.account),
        ..place
    };
    arns::wide(resource, own)
}

/// What a request about a resource of unknown ARN is judged with: one that each pattern names.
pub(super) fn instances(element: &Element) -> Vec<String> {
    let plain = element
        .patterns
        .iter()
        .filter(|pattern| !element.negated && !pattern.contains("${"));
    plain
        .map(|pattern| {
            if pattern == "*" {
                pattern.clone()
            } else {
                pattern.replace(['*', '?'], "x")
            }
        })
        .collect()
}
