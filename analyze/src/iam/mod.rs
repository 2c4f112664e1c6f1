//! Judges requests to AWS by IAM policies, as AWS does.
//!
//! [`Policy`] reads documents, [`evaluate()`] decides a [`Request`] by a [`PolicySet`] and names the deciding statements,
//! [`evaluate_mfa`] does so for the three states of multi-factor authentication, [`simulate()`] reads requests and writes
//! decisions as JSON lines. The evaluator sees only what it is given: no key is added to the context and no policy looked
//! up.

#![allow(
    dead_code,
    unused_imports,
    reason = "analysing access takes more of the evaluator than simulating requests does"
)]

mod condition;
mod context;
mod evaluate;
mod line;
mod mfa;
mod operator;
mod organization;
mod pattern;
mod policy;
mod principal;
mod request;
mod simulate;
mod statement;
mod strict_json;
mod text;
mod truth;

#[cfg(test)]
mod cases_test;
#[cfg(test)]
mod hostile_test;
#[cfg(test)]
mod unit_test;

pub use condition::Condition;
pub use context::{Context, ContextValue};
pub use evaluate::{Deciding, Decision, Layer, Missing, PolicySet, Verdict, evaluate};
pub use mfa::{MfaDecisions, evaluate_mfa};
pub use organization::OrganizationLevel;
pub use pattern::Pattern;
pub use policy::{Policy, PolicyError, PolicyKind};
pub use principal::PrincipalMatch;
pub use request::{Action, Principal, Request, RequestError, Resource, ResourceKind};
pub use simulate::{Pace, SimulateError, SimulateOutcome, pace, simulate};
pub use statement::{Effect, Statement};
pub use text::Text;
pub use truth::Truth;
