//! One statement of a policy, ready to be matched.

use super::condition::Condition;
use super::context::Context;
use super::pattern::Pattern;
use super::principal::{PrincipalElement, PrincipalMatch};
use super::request::{Action, Principal, Request, Resource};
use super::text::Text;
use super::truth::Truth;

/// What a statement does to the requests it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// The `Action` or `NotAction` element, sorted by service so that most statements are passed over at once.
#[derive(Clone, Debug, Default)]
pub(super) struct ActionElement {
    negated: bool,
    any: bool,
    /// Service prefix, patterns of the names after the colon; in lower case, like [`Action`]; sorted.
    services: Vec<(Box<str>, Vec<Pattern>)>,
    /// Patterns of the whole action whose service prefix holds a wildcard.
    whole: Vec<Pattern>,
}

impl ActionElement {
    /// `actions` are `*` or `service:name`.
    pub(super) fn new(actions: &[String], negated: bool) -> Self {
        let mut element = Self {
            negated,
            ..Self::default()
        };
        for action in actions {
            let action = action.to_ascii_lowercase();
            match action.split_once(':') {
                Some((service, name)) if !service.contains(['*', '?']) => {
                    element.push(service, Pattern::glob(name));
                }
                _ => match Pattern::glob(&action) {
                    Pattern::Any => element.any = true,
                    pattern => element.whole.push(pattern),
                },
            }
        }
        element
    }

    fn push(&mut self, service: &str, name: Pattern) {
        match self.position(service) {
            Ok(at) => self.services[at].1.push(name),
            Err(at) => self.services.insert(at, (service.into(), vec![name])),
        }
    }

    fn position(&self, service: &str) -> Result<usize, usize> {
        self.services
            .binary_search_by(|(other, _)| (**other).cmp(service))
    }

    fn matches(&self, action: &Action) -> bool {
        let named = self.any
            || self.position(action.service()).is_ok_and(|at| {
                let names = &self.services[at].1;
                names.iter().any(|name| name.matches(action.name()))
            })
            || self
                .whole
                .iter()
                .any(|pattern| pattern.matches(action.text()));
        named != self.negated
    }
}

/// The `Resource` or `NotResource` element.
#[derive(Clone, Debug)]
pub(super) struct ResourceElement {
    pub(super) texts: Box<[Text]>,
    pub(super) negated: bool,
}

impl ResourceElement {
    fn matches(&self, arn: &str, context: &Context) -> Truth {
        Truth::any(self.texts.iter().map(|text| text.matches(arn, context)))
            .negated_if(self.negated)
    }
}

/// A statement of a policy.
#[derive(Clone, Debug)]
pub struct Statement {
    pub(super) sid: Option<String>,
    pub(super) effect: Effect,
    pub(super) actions: ActionElement,
    /// None in a policy that is attached to a resource and says nothing of it: then it is about that resource.
    pub(super) resources: Option<ResourceElement>,
    /// None in policies that are attached to principals.
    pub(super) principals: Option<PrincipalElement>,
    pub(super) conditions: Box<[Condition]>,
}

impl Statement {
    /// Whether the statement applies to `request`, and by which kind of principal.
    pub(super) fn applies(&self, request: &Request<'_>, bounded: bool) -> (Truth, PrincipalMatch) {
        if !self.names_action(request.action) {
            return (Truth::False, PrincipalMatch::None);
        }
        let (named, by) = match &self.principals {
            Some(principals) => {
                let bounded = bounded && self.effect == Effect::Deny;
                principals.matches(request.principal, request.context, bounded)
            }
            None => (Truth::True, PrincipalMatch::Direct),
        };
        if by == PrincipalMatch::None {
            return (Truth::False, by);
        }
        let resource = self.names_resource(request.resource, request.context);
        if resource == Truth::False {
            return (Truth::False, by);
        }
        let conditions = Truth::all(
            self.conditions
                .iter()
                .map(|condition| condition.holds(request.context)),
        );
        (named.and(resource).and(conditions), by)
    }

    /// Whether the statement is about `action`.
    pub fn names_action(&self, action: &Action) -> bool {
        self.actions.matches(action)
    }

    /// Whether the statement is about `resource`; unknown where that depends on a variable without known value.
    pub fn names_resource(&self, resource: &Resource, context: &Context) -> Truth {
        match &self.resources {
            Some(resources) => resources.matches(resource.arn(), context),
            None => Truth::True,
        }
    }

    /// The statement's `Sid`, if it has one.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// Its conditions: all of them have to hold.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The patterns of its `Resource` or `NotResource`.
    pub fn resources(&self) -> impl Iterator<Item = &Text> {
        self.resources
            .iter()
            .flat_map(|resources| &*resources.texts)
    }

    /// How its `Principal` or `NotPrincipal` names `principal`; none if it has no such element.
    pub fn names_principal(
        &self,
        principal: &Principal,
        context: &Context,
        bounded: bool,
    ) -> Option<(Truth, PrincipalMatch)> {
        let principals = self.principals.as_ref()?;
        Some(principals.matches(principal, context, bounded))
    }

    /// Whether it allows or denies.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Context keys, in lower case, that principals, conditions and variables of the statement depend on.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let resources = self
            .resources
            .iter()
            .flat_map(|resources| resources.texts.iter().flat_map(Text::keys));
        let principals = self.principals.iter().flat_map(PrincipalElement::keys);
        let conditions = self.conditions.iter().flat_map(Condition::keys);
        resources.chain(principals).chain(conditions)
    }
}
