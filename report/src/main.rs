//! `report`: a run of the lake as markdown and HTML for people, as JSON and CSV for programs and spreadsheets, and as SARIF,
//! OCSF and JUnit for the tools of others.
//!
//! Invariants: the same lake gives the same bytes, with no clock, host or path in them; nothing is called passed that was
//! not judged; no value from AWS becomes markup.

use std::process::ExitCode;

mod chapters;
mod cli;
mod content;
mod formats;
mod markdown;
mod pictures;

fn main() -> ExitCode {
    handoff::shell::main(cli::run)
}
