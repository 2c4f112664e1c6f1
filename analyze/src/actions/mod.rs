//! Facts about the actions of IAM, embedded: what each takes, how it can be limited and whether CloudTrail shows it
//! ([`Catalogue`]), which are dangerous to what ([`dangerous`]), how some of them together become more rights than were
//! granted ([`escalation_paths`]), and which action allowed an event ([`of_event`]).
//!
//! The files are in `analyze/actions`, whose README says where they come from. Invariant, held by the tests: every action
//! that the other files name is in the catalogue, under that very name.

mod catalogue;
mod dangerous;
mod escalation;
mod event;
mod tsv;

#[cfg(test)]
mod unit_test;

pub use catalogue::{ActionFacts, Catalogue, Logged, ResourceFacts};
pub use dangerous::{Kind, dangerous};
pub use escalation::{EscalationPath, Gains, On, Step, escalation_paths};
pub use event::{EventActions, of_event};
