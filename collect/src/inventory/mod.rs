//! `collect inventory`: every table of every account and region, from AWS or from a recording of it.
//!
//! ```text
//! tablefile (written) ─> plan ─> engine (details, report, last_accessed) ─> rows (expression, secrets) ─> output (sorter, identifiers, rank)
//! ```
//!
//! Invariants: the code after a call's answer is the same for AWS and for recordings; the same recording gives
//! the same run, byte for byte; nothing is visible in the lake until everything is there.

pub mod accounts;
mod answers;
pub mod collected;
mod details;
pub mod dictionary;
pub mod engine;
pub mod errors;
pub mod expression;
mod functions;
pub mod identifiers;
mod last_accessed;
pub mod output;
pub mod plan;
pub mod policy;
mod rank;
mod report;
pub mod rows;
pub mod run;
pub mod secrets;
pub mod sorter;
mod sweep;
pub mod tablefile;
mod written;
