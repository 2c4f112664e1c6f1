//! Judges requests to AWS by IAM policies, as AWS does.
//!
//! [`Policy`] reads documents, [`evaluate()`] decides a [`Request`] by a [`PolicySet`] and names the deciding statements,
//! [`simulate()`] reads requests and writes decisions as JSON lines. The evaluator sees only what it is given: no key is added
//! to the context and no policy looked up.

mod condition;
mod context;
mod evaluate;
mod line;
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
pub use evaluate::{Decision, PolicySet, Verdict, evaluate};
pub use organization::OrganizationLevel;
pub use pattern::Pattern;
pub use policy::{Policy, PolicyKind};
pub use principal::PrincipalMatch;
pub use request::{Action, Principal, Request, Resource, ResourceKind};
pub use simulate::{pace, simulate};
pub use statement::{Effect, Statement};
pub use text::Text;
pub use truth::Truth;
