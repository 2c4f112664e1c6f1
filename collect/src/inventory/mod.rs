//! `collect inventory`: every table of every account and region, from AWS or from a recording of it.
//!
//! ```text
//! tablefile ─> plan ─> engine (details, report) ─> rows (expression, secrets) ─> output (sorter, identifiers)
//! ```
//!
//! Invariants: the code after a call's answer is the same for AWS and for recordings; the same recording gives
//! the same run, byte for byte; nothing is visible in the lake until everything is there.

pub mod accounts;
mod details;
pub mod dictionary;
pub mod engine;
pub mod errors;
pub mod expression;
pub mod identifiers;
pub mod output;
pub mod plan;
pub mod policy;
mod report;
pub mod rows;
pub mod run;
pub mod secrets;
pub mod sorter;
mod sweep;
pub mod tablefile;
