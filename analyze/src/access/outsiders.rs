//! What the policies of resources leave open to those who have nothing to do with the run's accounts.
//!
//! An outsider is modelled, not guessed: what it can't be (of one's own account or organization) is known, what it chooses
//! itself (its ARN, its tags, where it calls from) is not. So what is denied is denied to all of them, and what is allowed
//! any of them may do; in between the keys are named that it hangs on.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::assume::NOBODYS_ACCOUNT;
use super::classes::{nth, part_below, patterns, strings};
use super::decide::{Answer, Basis, granted};
use super::facts::{self, Facts};
use super::world::{Target, World};
use crate::actions::Catalogue;
use crate::iam::{
    Action, Context, ContextValue, Effect, Policy, PolicyKind, PolicySet, Principal,
    PrincipalMatch, Request, Resource, evaluate,
};

/// A row of `outside_access`.
pub(super) struct Opening {
    pub(super) account: Arc<str>,
    pub(super) arn: String,
    pub(super) resource_type: Arc<str>,
    pub(super) from: String,
    pub(super) from_kind: &'static str,
    pub(super) actions: Vec<String>,
    pub(super) answer: Answer,
    pub(super) basis: Basis,
}

/// Services that do what anybody's bucket, topic or API tells them.
const CARRIERS: [&str; 3] = [
    "apigateway.amazonaws.com",
    "s3.amazonaws.com",
    "sns.amazonaws.com",
];

/// An organization that nobody has.
const NOBODYS_ORGANIZATION: &str = "o-0000000000";

/// Patterns for parts of one resource that are looked at.
const MOST_PARTS: usize = 16;

struct Outsider {
    from: String,
    kind: &'static str,
    principal: Principal,
    context: Arc<Context>,
}

/// All openings, in the order of the resources.
pub(super) fn openings(world: &World, facts: &Facts) -> anyhow::Result<Vec<Opening>> {
    let outsiders = outsiders()?;
    let everything = Arc::new(Policy::from_json(
        "what they may do is not known",
        PolicyKind::Principal,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
    )?);
    let mut openings = Vec::new();
    for target in &world.targets {
        let Some(entry) = target.policy.map(|id| world.library.get(id)) else {
            continue;
        };
        let carried = is_carried(target, entry.document.as_ref());
        let mut let_in = outsiders
            .iter()
            .filter(|outsider| carried || outsider.kind != "service")
            .filter(|outsider| lets_in(&entry.policy, outsider))
            .peekable();
        if let_in.peek().is_none() {
            continue;
        }
        let asked = Asked::of(target, entry.document.as_ref());
        let context = facts.resource(world, target);
        let set = PolicySet {
            identity: vec![Arc::clone(&everything)],
            resource: Some(Arc::clone(&entry.policy)),
            resource_control: world.resource_control(&target.account),
            ..PolicySet::default()
        };
        for outsider in let_in {
            let context =
                Context::layered(vec![Arc::clone(&outsider.context), Arc::clone(&context)]);
            if let Some(mut opening) = asked.opening(target, outsider, &context, &set) {
                if opening.answer == Answer::Unknown {
                    opening.actions.clear();
                }
                openings.push(opening);
            }
        }
    }
    Ok(openings)
}

fn outsiders() -> anyhow::Result<Vec<Outsider>> {
    let known = |value: &str| ContextValue::Known(vec![value.to_owned()]);
    let paths = format!("{NOBODYS_ORGANIZATION}/r-0000/ou-0000-00000000/");
    let mut caller = (*facts::common()).clone();
    for (key, value) in [
        ("aws:principalaccount", NOBODYS_ACCOUNT),
        ("aws:sourceowner", NOBODYS_ACCOUNT),
        ("kms:calleraccount", NOBODYS_ACCOUNT),
        ("aws:principalorgid", NOBODYS_ORGANIZATION),
        ("aws:principalorgpaths", &paths),
    ] {
        caller.set(key, known(value));
    }
    let mut nobody = (*facts::common()).clone();
    for key in facts::OF_PRINCIPAL.into_iter().chain([
        "aws:multifactorauthpresent",
        "aws:multifactorauthage",
        "kms:calleraccount",
    ]) {
        nobody.set(key, ContextValue::Absent);
    }
    let mut service = (*facts::common_to_all()).clone();
    for (key, value) in [
        ("aws:principalisawsservice", "true"),
        ("aws:sourceaccount", NOBODYS_ACCOUNT),
        ("aws:sourceorgid", NOBODYS_ORGANIZATION),
        ("aws:sourceorgpaths", &paths),
    ] {
        service.set(key, known(value));
    }
    for key in facts::OF_PRINCIPAL {
        service.set(key, ContextValue::Absent);
    }
    let service = Arc::new(service);
    let anyone = format!("arn:aws:iam::{NOBODYS_ACCOUNT}:user/anyone");
    let mut outsiders = vec![
        Outsider {
            from: "*".to_owned(),
            kind: "anyone",
            principal: Principal::parse(&anyone)?,
            context: Arc::new(caller),
        },
        Outsider {
            from: "*".to_owned(),
            kind: "anonymous",
            principal: Principal::parse("anonymous")?,
            context: Arc::new(nobody),
        },
    ];
    for carrier in CARRIERS {
        let principal = Principal::parse(carrier)?;
        outsiders.push(Outsider {
            from: carrier.to_owned(),
            kind: "service",
            principal,
            context: Arc::clone(&service),
        });
    }
    Ok(outsiders)
}

/// Whether services bring something of anybody's to the resource: to these types, and where a policy names all services.
fn is_carried(target: &Target, document: Option<&Value>) -> bool {
    let mut statements =
        (0..).map_while(|index| document.and_then(|document| nth(document, index)));
    matches!(
        &*target.resource_type,
        "lambda:function" | "sns:topic" | "sqs:queue"
    ) || statements
        .any(|statement| strings(statement["Principal"].get("Service")).contains(&"*".to_owned()))
}

/// Whether some statement may allow the outsider anything.
fn lets_in(policy: &Policy, outsider: &Outsider) -> bool {
    let allows = policy
        .statements()
        .iter()
        .filter(|statement| statement.effect() == Effect::Allow);
    allows
        .filter_map(|statement| {
            statement.names_principal(&outsider.principal, &outsider.context, false)
        })
        .any(|(_, by)| by != PrincipalMatch::None)
}

/// What is asked of one resource: the actions and parts that its policy allows something of.
struct Asked {
    actions: BTreeSet<String>,
    arns: BTreeSet<String>,
}

impl Asked {
    fn of(target: &Target, document: Option<&Value>) -> Self {
        let service = target.resource_type.split(':').next().unwrap_or_default();
        let catalogue = Catalogue::embedded();
        let mut asked = Self {
            actions: BTreeSet::new(),
            arns: BTreeSet::from([target.arn.clone()]),
        };
        let all = format!("{service}:*");
        // What can't be read may allow all of it.
        let mut allowed = if document.is_none() {
            vec![all.clone()]
        } else {
            Vec::new()
        };
        let statements =
            (0..).map_while(|index| document.and_then(|document| nth(document, index)));
        for statement in statements.filter(|statement| statement["Effect"] == "Allow") {
            match statement.get("Action") {
                Some(actions) => allowed.extend(strings(Some(actions))),
                None => allowed.push(all.clone()),
            }
            asked.arns.extend(
                patterns(statement)
                    .filter_map(|source| part_below(source, &target.arn))
                    .take(MOST_PARTS),
            );
        }
        for pattern in allowed {
            let pattern = if pattern.contains(':') {
                pattern
            } else {
                all.clone()
            };
            let before = asked.actions.len();
            // Those that take no resource, no policy of a resource allows.
            let matching = catalogue
                .matching(&pattern)
                .filter(|facts| facts.resources.iter().any(|resource| !resource.is_none()));
            asked
                .actions
                .extend(matching.map(|facts| facts.name.to_owned()));
            if asked.actions.len() == before && Action::parse(&pattern).is_ok() {
                asked.actions.insert(pattern);
            }
        }
        asked
    }

    /// What the outsider may do, by the most certain answer.
    fn opening(
        &self,
        target: &Target,
        outsider: &Outsider,
        context: &Context,
        set: &PolicySet,
    ) -> Option<Opening> {
        let mut opening: Option<Opening> = None;
        for arn in &self.arns {
            let Ok(resource) = Resource::new(arn, Some(&target.account)) else {
                continue;
            };
            for name in &self.actions {
                let Ok(action) = Action::parse(name) else {
                    continue;
                };
                let request = Request {
                    action: &action,
                    resource: &resource,
                    principal: &outsider.principal,
                    context,
                };
                let Some((answer, mut basis)) = granted(&evaluate(&request, set)) else {
                    continue;
                };
                basis
                    .statements
                    .retain(|statement| statement.starts_with("arn:"));
                match &mut opening {
                    Some(known) if known.answer > answer => {}
                    Some(known) if known.answer == answer => known.add(name, basis),
                    _ => {
                        opening = Some(Opening {
                            account: Arc::clone(&target.account),
                            arn: target.arn.clone(),
                            resource_type: Arc::clone(&target.resource_type),
                            from: outsider.from.clone(),
                            from_kind: outsider.kind,
                            actions: vec![name.clone()],
                            answer,
                            basis,
                        });
                    }
                }
            }
        }
        opening
    }
}

impl Opening {
    fn add(&mut self, action: &str, basis: Basis) {
        if !self.actions.iter().any(|known| known == action) {
            self.actions.push(action.to_owned());
        }
        for (all, new) in [
            (&mut self.basis.conditions, basis.conditions),
            (&mut self.basis.statements, basis.statements),
        ] {
            all.extend(new);
            all.sort();
            all.dedup();
        }
    }
}
