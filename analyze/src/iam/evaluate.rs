//! Whether a request is allowed, by all policies that have a say in it.
//!
//! The order of AWS's enforcement: any denial that applies denies; otherwise every level of the organization, the VPC
//! endpoint and then the account's own policies have to allow. Within the account identity and resource policies add up,
//! and how a resource policy names the principal decides what may limit its `Allow`:
//!
//! | the resource policy names | limited by |
//! | --- | --- |
//! | the user, the session, everybody | nothing |
//! | the role of the session | boundary and session policy |
//! | the account | identity policy, boundary and session policy: it only hands the choice on |
//!
//! Across accounts both sides have to allow. KMS keys and trust policies of roles have to allow in any case.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>
//!
//! Invariant: what isn't known is [`Verdict::Unknown`], never a guess.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::organization::{self, OrganizationLevel};
use super::policy::Policy;
use super::principal::PrincipalMatch;
use super::request::{Principal, Request, ResourceKind};
use super::statement::{Effect, Statement};
use super::truth::Truth;

/// All policies that have a say in a request.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    /// The user's and its groups', or the role's.
    pub identity: Vec<Arc<Policy>>,
    /// None if no boundary is set. A boundary that is set without a policy allows nothing.
    pub boundaries: Option<Vec<Arc<Policy>>>,
    pub session: Option<Arc<Policy>>,
    pub resource: Option<Arc<Policy>>,
    pub endpoints: Vec<Arc<Policy>>,
    /// From the root to the principal's account; empty outside of organizations and for the management account.
    pub service_control: Arc<[OrganizationLevel]>,
    /// From the root to the resource's account. `RCPFullAWSAccess` is attached everywhere, so only denials count.
    pub resource_control: Arc<[OrganizationLevel]>,
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    /// Nothing allows it.
    ImplicitlyDenied,
    /// A statement denies it.
    ExplicitlyDenied,
    /// It depends on context that isn't known.
    Unknown,
}

/// A type of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    Identity,
    Boundary,
    Session,
    Resource,
    Endpoint,
    ServiceControl,
    ResourceControl,
}

impl Layer {
    pub(super) const ALL: [Self; 7] = [
        Self::Identity,
        Self::Boundary,
        Self::Session,
        Self::Resource,
        Self::Endpoint,
        Self::ServiceControl,
        Self::ResourceControl,
    ];

    /// What the layer is called in the input and output of [`simulate()`](super::simulate()).
    pub fn member(self) -> &'static str {
        match self {
            Self::Identity => "identityPolicies",
            Self::Boundary => "permissionBoundaries",
            Self::Session => "sessionPolicy",
            Self::Resource => "resourcePolicy",
            Self::Endpoint => "endpointPolicies",
            Self::ServiceControl => "serviceControlPolicies",
            Self::ResourceControl => "resourceControlPolicies",
        }
    }
}

/// A statement that had a part in the decision.
#[derive(Clone, Copy, Debug)]
pub struct Deciding<'p> {
    pub layer: Layer,
    /// The node of the organization that the policy is attached to.
    pub org_identifier: Option<&'p str>,
    pub policy: &'p str,
    /// Position of the statement in its policy, from 0.
    pub index: usize,
    pub statement: &'p Statement,
    truth: Truth,
    by: PrincipalMatch,
}

/// A layer whose `Allow` is needed and missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing<'p> {
    pub layer: Layer,
    pub org_identifier: Option<&'p str>,
}

/// A verdict and what it rests on.
#[derive(Clone, Debug)]
pub struct Decision<'p> {
    pub verdict: Verdict,
    /// The denials of an explicit denial, the permissions of what is allowed, what depends on unknown context.
    pub statements: Vec<Deciding<'p>>,
    /// Of an implicit denial.
    pub missing: Vec<Missing<'p>>,
    /// Context keys, in lower case, that an unknown verdict depends on.
    pub unknown_keys: BTreeSet<&'p str>,
}

/// Judges `request` by `policies`.
pub fn evaluate<'p>(request: &Request<'_>, policies: &'p PolicySet) -> Decision<'p> {
    let mut evaluation = Evaluation {
        request,
        bounded: policies.boundaries.is_some(),
        statements: Vec::new(),
        missing: Vec::new(),
        denied: Truth::False,
    };
    let allowed = evaluation.limits(policies).and(evaluation.grants(policies));
    evaluation.resource_control(policies);
    evaluation.decide(allowed)
}

/// Permissions that one layer gives, by how it names the principal.
#[derive(Clone, Copy)]
struct Allows {
    account: Truth,
    role: Truth,
    direct: Truth,
}

impl Allows {
    const NONE: Self = Self {
        account: Truth::False,
        role: Truth::False,
        direct: Truth::False,
    };

    fn add(&mut self, by: PrincipalMatch, truth: Truth) {
        match by {
            PrincipalMatch::None => {}
            PrincipalMatch::Account => self.account = self.account.or(truth),
            PrincipalMatch::Role => self.role = self.role.or(truth),
            PrincipalMatch::Direct => self.direct = self.direct.or(truth),
        }
    }

    fn any(self) -> Truth {
        self.account.or(self.role).or(self.direct)
    }
}

struct Evaluation<'r, 'a, 'p> {
    request: &'r Request<'a>,
    /// A permissions boundary is set.
    bounded: bool,
    statements: Vec<Deciding<'p>>,
    missing: Vec<Missing<'p>>,
    denied: Truth,
}

impl<'p> Evaluation<'_, '_, 'p> {
    /// Goes through one policy: its denials count at once, its permissions are handed back.
    fn policy(
        &mut self,
        layer: Layer,
        org_identifier: Option<&'p str>,
        policy: &'p Policy,
    ) -> Allows {
        let mut allows = Allows::NONE;
        for (index, statement) in policy.statements().iter().enumerate() {
            let (truth, by) = statement.applies(self.request, self.bounded);
            if truth == Truth::False {
                continue;
            }
            match statement.effect {
                Effect::Deny => self.denied = self.denied.or(truth),
                Effect::Allow => allows.add(by, truth),
            }
            self.statements.push(Deciding {
                layer,
                org_identifier,
                policy: policy.name(),
                index,
                statement,
                truth,
                by,
            });
        }
        allows
    }

    fn any_of(
        &mut self,
        layer: Layer,
        org_identifier: Option<&'p str>,
        policies: &'p [Arc<Policy>],
    ) -> Truth {
        // Every policy is gone through, because a later one may deny.
        policies.iter().fold(Truth::False, |allowed, policy| {
            allowed.or(self.policy(layer, org_identifier, policy).any())
        })
    }

    fn all_of(&mut self, layer: Layer, policies: &'p [Arc<Policy>]) -> Truth {
        policies.iter().fold(Truth::True, |allowed, policy| {
            allowed.and(self.policy(layer, None, policy).any())
        })
    }

    /// What has to allow besides the account's own policies: the organization and the VPC endpoint.
    fn limits(&mut self, policies: &'p PolicySet) -> Truth {
        let mut allowed = Truth::True;
        if organization::service_controlled(self.request.principal) {
            for level in policies.service_control.iter() {
                let org_identifier = Some(level.org_identifier.as_str());
                let by_level = self.any_of(Layer::ServiceControl, org_identifier, &level.policies);
                self.need(by_level, Layer::ServiceControl, org_identifier);
                allowed = allowed.and(by_level);
            }
        }
        let by_endpoint = self.all_of(Layer::Endpoint, &policies.endpoints);
        self.need(by_endpoint, Layer::Endpoint, None);
        allowed.and(by_endpoint)
    }

    fn resource_control(&mut self, policies: &'p PolicySet) {
        if !policies.resource_control.is_empty() && organization::resource_controlled(self.request)
        {
            for level in policies.resource_control.iter() {
                for policy in &level.policies {
                    self.policy(Layer::ResourceControl, Some(&level.org_identifier), policy);
                }
            }
        }
    }

    /// What the account's own policies give.
    fn grants(&mut self, policies: &'p PolicySet) -> Truth {
        let principal = self.request.principal;
        let by_resource = policies.resource.as_deref().map_or(Allows::NONE, |policy| {
            self.policy(Layer::Resource, None, policy)
        });
        let Some(account) = principal.account() else {
            // Services, identity providers and unsigned requests have nothing but the resource's policy.
            self.need(by_resource.direct, Layer::Resource, None);
            return by_resource.direct;
        };
        let by_identity = self.identity(policies);
        let by_boundary = match &policies.boundaries {
            None => Truth::True,
            Some(boundaries) if boundaries.is_empty() => Truth::False,
            Some(boundaries) => self.all_of(Layer::Boundary, boundaries),
        };
        let by_session = policies.session.as_deref().map_or(Truth::True, |policy| {
            self.policy(Layer::Session, None, policy).any()
        });
        let limits = by_boundary.and(by_session);
        let granted = by_identity.and(limits);

        let resource = self.request.resource;
        let same_account = resource.account().is_none_or(|owner| owner == account);
        let needs_resource_policy = match resource.kind() {
            ResourceKind::KmsKey => self.request.action.service() == "kms",
            ResourceKind::IamRole => self.request.action.service() == "sts",
            ResourceKind::Other => false,
        };
        let allowed = match (same_account, needs_resource_policy) {
            // Root users can't assume roles.
            _ if matches!(principal, Principal::Root { .. }) && assumes_role(self.request) => {
                Truth::False
            }
            (false, _) => granted.and(by_resource.any()),
            (true, true) => by_resource
                .direct
                .or(by_resource.role.and(limits))
                .or(by_resource.account.and(granted)),
            (true, false) => granted
                .or(by_resource.direct)
                .or(by_resource.role.and(limits)),
        };
        if !same_account || needs_resource_policy {
            self.need(by_resource.any(), Layer::Resource, None);
        } else {
            // The resource policy need not allow, so an account that it names gave nothing.
            self.statements.retain(|deciding| !delegates(deciding));
        }
        if allowed == Truth::False {
            self.need(by_identity, Layer::Identity, None);
            self.need(by_boundary, Layer::Boundary, None);
            self.need(by_session, Layer::Session, None);
        }
        allowed
    }

    fn identity(&mut self, policies: &'p PolicySet) -> Truth {
        let by_policies = self.any_of(Layer::Identity, None, &policies.identity);
        match self.request.principal {
            // Root users may do everything without a policy.
            Principal::Root { .. } => Truth::True,
            // A federated session has only what its session policy passes on.
            Principal::FederatedUser { .. } if policies.session.is_none() => Truth::False,
            _ => by_policies,
        }
    }

    fn need(&mut self, allowed: Truth, layer: Layer, org_identifier: Option<&'p str>) {
        if allowed == Truth::False {
            self.missing.push(Missing {
                layer,
                org_identifier,
            });
        }
    }

    fn decide(self, allowed: Truth) -> Decision<'p> {
        let Self {
            mut statements,
            missing,
            denied,
            ..
        } = self;
        let verdict = match (denied, allowed) {
            (Truth::True, _) => Verdict::ExplicitlyDenied,
            (_, Truth::False) => Verdict::ImplicitlyDenied,
            (Truth::False, Truth::True) => Verdict::Allowed,
            _ => Verdict::Unknown,
        };
        let certain = |deciding: &Deciding<'_>, effect| {
            deciding.truth == Truth::True && deciding.statement.effect == effect
        };
        match verdict {
            Verdict::ExplicitlyDenied => {
                statements.retain(|deciding| certain(deciding, Effect::Deny))
            }
            Verdict::Allowed => statements.retain(|deciding| certain(deciding, Effect::Allow)),
            Verdict::Unknown => statements.retain(|deciding| deciding.truth == Truth::Unknown),
            Verdict::ImplicitlyDenied => statements.clear(),
        }
        let mut unknown_keys = BTreeSet::new();
        if verdict == Verdict::Unknown {
            unknown_keys.extend(
                statements
                    .iter()
                    .flat_map(|deciding| deciding.statement.keys()),
            );
        }
        let missing = if verdict == Verdict::ImplicitlyDenied {
            missing
        } else {
            Vec::new()
        };
        Decision {
            verdict,
            statements,
            missing,
            unknown_keys,
        }
    }
}

fn assumes_role(request: &Request<'_>) -> bool {
    request.resource.kind() == ResourceKind::IamRole && request.action.text() == "sts:assumerole"
}

fn delegates(deciding: &Deciding<'_>) -> bool {
    deciding.layer == Layer::Resource
        && deciding.statement.effect == Effect::Allow
        && deciding.by == PrincipalMatch::Account
}
