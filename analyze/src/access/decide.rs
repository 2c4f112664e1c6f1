//! Asks the evaluator what a principal may do to a resource: three times where a second factor is asked for somewhere.

use std::cmp::Reverse;
use std::sync::Arc;

use super::facts::{self, Facts, Signature};
use super::library::UNREAD;
use super::world::{Holder, Target, World};
use crate::iam::{
    Action, Context, Decision, OrganizationLevel, Policy, PolicySet, Request, Resource, Verdict,
    evaluate,
};

/// Whether something may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    /// A policy could not be read.
    Unknown,
    /// It depends on what the request says.
    Conditional,
    Allowed,
}

impl Answer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Conditional => "conditional",
            Self::Allowed => "allowed",
        }
    }
}

/// Whether it takes a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mfa {
    NotRequired,
    /// Access keys slip through what asks temporary credentials for it.
    Spared,
    Required,
}

impl Mfa {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NotRequired => "not_required",
            Self::Spared => "spared",
            Self::Required => "required",
        }
    }
}

/// What a verdict rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Basis {
    /// Context keys.
    pub(super) conditions: Vec<String>,
    /// `<policy>#<position>`.
    pub(super) statements: Vec<String>,
}

impl Basis {
    /// The same, of a policy with the same text under another name; none if that policy has no part in it.
    pub(super) fn renamed(&self, from: &str, to: &str) -> Option<Self> {
        let rest = |statement: &String| {
            let rest = statement.strip_prefix(from)?;
            rest.starts_with('#').then(|| format!("{to}{rest}"))
        };
        if from == to
            || self
                .statements
                .iter()
                .all(|statement| rest(statement).is_none())
        {
            return None;
        }
        let statements = self.statements.iter();
        let mut statements: Vec<String> = statements
            .map(|statement| rest(statement).unwrap_or_else(|| statement.clone()))
            .collect();
        statements.sort();
        Some(Self {
            conditions: self.conditions.clone(),
            statements,
        })
    }
}

/// Something that may be done, or may be for all that is known.
#[derive(Clone, Debug)]
pub(super) struct Granted {
    pub(super) answer: Answer,
    pub(super) mfa: Mfa,
    pub(super) basis: Basis,
}

impl Granted {
    /// What is left when another permission is needed as well.
    pub(super) fn and(mut self, other: &Self) -> Self {
        let Basis {
            conditions,
            statements,
        } = &mut self.basis;
        conditions.extend(other.basis.conditions.iter().cloned());
        conditions.sort();
        conditions.dedup();
        statements.extend(other.basis.statements.iter().cloned());
        statements.sort();
        statements.dedup();
        Self {
            answer: self.answer.min(other.answer),
            mfa: self.mfa.max(other.mfa),
            basis: self.basis,
        }
    }

    /// The more certain one, of equal ones that which asks for less; the first if they are alike.
    pub(super) fn better(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let rank = |granted: &Option<Self>| {
            granted
                .as_ref()
                .map(|granted| (granted.answer, Reverse(granted.mfa)))
        };
        if rank(&other) > rank(&one) {
            other
        } else {
            one
        }
    }
}

/// The policies that have a say in what a principal does.
pub(super) struct Subject<'w> {
    pub(super) holder: &'w Holder,
    pub(super) context: Arc<Context>,
    pub(super) set: PolicySet,
    /// A second factor is asked for somewhere.
    mentions_mfa: bool,
}

/// The resource that a request is about.
pub(super) struct Object {
    pub(super) resource: Resource,
    pub(super) context: Arc<Context>,
    pub(super) policy: Option<Arc<Policy>>,
    resource_control: Arc<[OrganizationLevel]>,
    mentions_mfa: bool,
}

/// Judges requests in one world.
pub(super) struct Judge<'w> {
    pub(super) world: &'w World,
    facts: &'w Facts,
    pub(super) common: Arc<Context>,
    signatures: [Arc<Context>; 3],
}

impl<'w> Judge<'w> {
    pub(super) fn new(world: &'w World, facts: &'w Facts) -> Self {
        let of = facts::signature;
        Self {
            world,
            facts,
            common: facts::common(),
            signatures: [
                of(Signature::WithMfa),
                of(Signature::WithoutMfa),
                of(Signature::AccessKey),
            ],
        }
    }

    pub(super) fn subject(&self, holder: &'w Holder) -> Subject<'w> {
        let library = &self.world.library;
        let service_control = self.world.service_control(&holder.account);
        let own = || {
            holder
                .policies
                .iter()
                .chain(&holder.boundary)
                .map(|id| library.get(*id))
        };
        let mentions_mfa = own().any(|entry| entry.mentions_mfa)
            || service_control
                .iter()
                .flat_map(|level| &level.policies)
                .any(|policy| asks_for_mfa(policy));
        Subject {
            holder,
            context: self.facts.principal(self.world, holder),
            set: PolicySet {
                identity: holder
                    .policies
                    .iter()
                    .map(|id| library.policy(*id))
                    .collect(),
                boundaries: holder.boundary_arn.as_ref().map(|_| {
                    holder
                        .boundary
                        .iter()
                        .map(|id| library.policy(*id))
                        .collect()
                }),
                service_control,
                ..PolicySet::default()
            },
            mentions_mfa,
        }
    }

    /// `arn` is the resource itself or a part of it; `*` for actions that name none.
    pub(super) fn object(&self, target: &Target, arn: &str) -> Option<Object> {
        let policy = target.policy.map(|id| self.world.library.get(id));
        let resource_control = self.world.resource_control(&target.account);
        let controlled = resource_control
            .iter()
            .flat_map(|level| &level.policies)
            .any(|policy| asks_for_mfa(policy));
        Some(Object {
            resource: Resource::new(arn, Some(&target.account)).ok()?,
            context: self.facts.resource(self.world, target),
            mentions_mfa: controlled || policy.is_some_and(|entry| entry.mentions_mfa),
            resource_control,
            policy: policy.map(|entry| Arc::clone(&entry.policy)),
        })
    }

    /// What of a request is allowed, for whatever way of signing it; none if all are denied. `more` is known of the request
    /// besides.
    pub(super) fn ask(
        &self,
        subject: &mut Subject<'_>,
        action: &Action,
        object: &Object,
        more: Option<&Arc<Context>>,
    ) -> Option<Granted> {
        subject.set.resource.clone_from(&object.policy);
        self.ask_the_others(subject, action, object, more)
    }

    /// As [`Self::ask`], but as if the policy of the resource had no word on the principal.
    pub(super) fn ask_without_policy(
        &self,
        subject: &mut Subject<'_>,
        action: &Action,
        object: &Object,
    ) -> Option<Granted> {
        subject.set.resource = None;
        self.ask_the_others(subject, action, object, None)
    }

    fn ask_the_others(
        &self,
        subject: &mut Subject<'_>,
        action: &Action,
        object: &Object,
        more: Option<&Arc<Context>>,
    ) -> Option<Granted> {
        subject.set.resource_control = Arc::clone(&object.resource_control);
        let signatures = Signature::of(subject.holder.kind);
        if !(subject.mentions_mfa || object.mentions_mfa) {
            let decision = self.decide(subject, action, object, Signature::WithoutMfa, more);
            return granted(&decision).map(|(answer, basis)| Granted {
                answer,
                mfa: Mfa::NotRequired,
                basis,
            });
        }
        let answers: Vec<Option<(Answer, Basis)>> = signatures
            .iter()
            .map(|signature| granted(&self.decide(subject, action, object, *signature, more)))
            .collect();
        let open = |at: usize| answers.get(at).is_some_and(Option::is_some);
        let mfa = match (open(1), open(2)) {
            (true, _) => Mfa::NotRequired,
            (false, true) => Mfa::Spared,
            (false, false) => Mfa::Required,
        };
        // The way that asks for least says what it rests on; of equal ones the most certain.
        let way = match mfa {
            Mfa::NotRequired => answers
                .into_iter()
                .skip(1)
                .flatten()
                .max_by_key(|(answer, _)| *answer),
            Mfa::Spared => answers.into_iter().nth(2).flatten(),
            Mfa::Required => answers.into_iter().next().flatten(),
        };
        way.map(|(answer, basis)| Granted { answer, mfa, basis })
    }

    /// Whether a principal may do everything: even what no policy can name because it doesn't exist, and give itself more.
    /// Null: a policy could not be read.
    ///
    /// # Errors
    /// Never, as long as the names of the actions are right.
    pub(super) fn is_admin(&self, subject: &mut Subject<'_>) -> anyhow::Result<Option<bool>> {
        let account = Target::account(&subject.holder.account, &subject.holder.arn);
        let mut all = Some(true);
        for (action, arn) in [
            ("sevenwalls:Everything", "*".to_owned()),
            (
                "iam:AttachUserPolicy",
                account.arn.replace(":root", ":user/sevenwalls"),
            ),
            (
                "iam:PutRolePolicy",
                account.arn.replace(":root", ":role/sevenwalls"),
            ),
        ] {
            let Some(object) = self.object(&account, &arn) else {
                return Ok(None);
            };
            match self
                .ask(subject, &Action::parse(action)?, &object, None)
                .map(|granted| granted.answer)
            {
                None => return Ok(Some(false)),
                Some(Answer::Unknown) => all = None,
                Some(Answer::Allowed | Answer::Conditional) => {}
            }
        }
        Ok(all)
    }

    fn decide<'s>(
        &self,
        subject: &'s Subject<'_>,
        action: &Action,
        object: &Object,
        signature: Signature,
        more: Option<&Arc<Context>>,
    ) -> Decision<'s> {
        let mut layers = Vec::with_capacity(5);
        layers.push(Arc::clone(&self.signatures[signature as usize]));
        layers.extend(more.map(Arc::clone));
        layers.extend([&subject.context, &object.context, &self.common].map(Arc::clone));
        let context = Context::layered(layers);
        let request = Request {
            action,
            resource: &object.resource,
            principal: &subject.holder.principal,
            context: &context,
        };
        evaluate(&request, &subject.set)
    }
}

pub(super) fn asks_for_mfa(policy: &Policy) -> bool {
    let mut keys = policy
        .statements()
        .iter()
        .flat_map(|statement| statement.keys());
    keys.any(|key| key.starts_with("aws:multifactorauth"))
}

/// What a decision grants; none if it denies.
pub(super) fn granted(decision: &Decision<'_>) -> Option<(Answer, Basis)> {
    let answer = match decision.verdict {
        Verdict::ImplicitlyDenied | Verdict::ExplicitlyDenied => return None,
        Verdict::Allowed => Answer::Allowed,
        Verdict::Unknown if decision.unknown_keys.contains(UNREAD) => Answer::Unknown,
        Verdict::Unknown => Answer::Conditional,
    };
    let mut statements: Vec<String> = decision
        .statements
        .iter()
        .map(|deciding| format!("{}#{}", deciding.policy, deciding.index))
        .collect();
    statements.sort();
    statements.dedup();
    let keys = decision.unknown_keys.iter().filter(|key| **key != UNREAD);
    Some((
        answer,
        Basis {
            conditions: keys.map(|key| (*key).to_owned()).collect(),
            statements,
        },
    ))
}
