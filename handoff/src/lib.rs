//! The ground the four tools stand on: the file contract between them and the manners they share.
//!
//! ```text
//! collect ──> lake ──> analyze ──> lake ──> diagram, report
//! ```
//!
//! What one stage hands to the next is a *run*: Parquet files at known [`paths`] of a [`storage::Storage`]
//! (a folder or `s3://bucket/prefix`), listed in a [`run::RunRecord`] that is written last. The tables and their
//! columns are described in [`contract`]; [`table`] writes and reads them. [`shell`] holds what a user meets in every
//! tool: errors, exit codes, progress, logging.
//!
//! Invariants: a file that no run record lists does not exist for readers; a record is written after every file
//! it lists; times are UTC in microseconds; nothing here links DuckDB.

pub mod access;
pub mod contract;
mod derived;
pub mod paths;
pub mod run;
pub mod shell;
pub mod storage;
pub mod table;
pub mod text;
pub mod trail;
pub mod verification;
