//! The `collect` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    handoff::shell::main(collect::cli::run)
}
