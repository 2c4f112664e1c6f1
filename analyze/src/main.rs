//! Runs checks, written in SQL, over a run of the lake and writes their findings beside it.
//!
//! The order of things: [`mod@open`] opens DuckDB over the run's files and locks it, [`verdicts`] runs the checks that
//! [`check`] knows, [`gaps`] turns what could not be collected into `unknown`, [`findings`] joins context, waivers and
//! history, [`publish`] writes and commits. Invariant: what was not collected, could not be read or failed to run is
//! `unknown` in the findings and named in the run record; it never becomes a pass.

mod access;
mod actions;
mod beside;
mod case;
mod catalog;
mod check;
mod cli;
mod config;
mod events;
mod findings;
mod gaps;
mod history;
mod iam;
mod macros;
mod open;
mod publish;
mod query;
mod register;
mod run;
mod schema;
mod session;
mod sql;
mod tags;
mod verdicts;
mod waivers;
mod zones;

use std::process::ExitCode;

fn main() -> ExitCode {
    handoff::shell::main(cli::run)
}

/// DuckDB's too, since it replaces that of the C library. Planning allocates many small things: a question of 0.22 s takes 0.02 s
/// less.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Checks, views and derived tables that are part of this build: `(path below their folder, text)`.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}
