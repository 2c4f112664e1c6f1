//! `diagram`: the pictures of a run, as DOT on standard output.

use std::process::ExitCode;

fn main() -> ExitCode {
    handoff::shell::main(diagram::cli::run)
}
