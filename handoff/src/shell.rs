//! What a user meets in every tool: errors, exit codes, progress, logging.
//!
//! Answers go to standard output, everything else to standard error. Errors are one line and, where there is a next
//! step, a hint; text from outside is stripped of control characters before it reaches a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::text::printable;

/// Done.
pub const EXIT_DONE: u8 = 0;
/// Findings at or above `--fail-on`.
pub const EXIT_FINDINGS: u8 = 1;
/// Usage error, or nothing could be done.
pub const EXIT_FATAL: u8 = 2;
/// Done, but partly: calls failed, objects were set aside, checks could not be evaluated.
pub const EXIT_PARTIAL: u8 = 3;
/// Interrupted.
pub const EXIT_INTERRUPTED: u8 = 130;

/// How a tool ended when nothing fatal happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// There are findings at or above `--fail-on`.
    Findings,
    /// Something is missing, and was named on standard error.
    Partial,
}

/// An error with a next step.
#[derive(Debug)]
pub struct Hinted {
    message: String,
    hint: String,
}

impl Hinted {
    /// An error that says what is wrong with which object, and a hint at what to do.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl std::fmt::Display for Hinted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Hinted {}

/// Runs a tool: sets up logging and the interrupt handler, prints its error, returns its exit code.
pub fn main(tool: impl FnOnce() -> anyhow::Result<Exit>) -> ExitCode {
    start_logging();
    exit_on_interrupt();
    let code = match tool().and_then(|exit| io::stdout().flush().map(|()| exit).map_err(Into::into))
    {
        Ok(Exit::Done) => EXIT_DONE,
        Ok(Exit::Findings) => EXIT_FINDINGS,
        Ok(Exit::Partial) => EXIT_PARTIAL,
        // The reader has seen enough (`| head`).
        Err(error) if is_closed_pipe(&error) => EXIT_DONE,
        Err(error) => {
            print_error(&error);
            EXIT_FATAL
        }
    };
    ExitCode::from(code)
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
    })
}

fn print_error(error: &anyhow::Error) {
    let mut line = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Errors that quote their cause would otherwise say it twice.
        if !line.contains(&text) {
            line = if line.is_empty() {
                text
            } else {
                format!("{line}: {text}")
            };
        }
    }
    say("error", &line);
    for cause in error.chain() {
        if let Some(hinted) = cause.downcast_ref::<Hinted>() {
            say("hint", &hinted.hint);
        }
    }
}

fn say(kind: &str, line: &str) {
    // Nothing is left to do when standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{kind}: {}", printable(line));
}

/// Prints an error that is not the only one; what the tool returns ends it.
pub fn error(line: &str) {
    say("error", line);
}

/// Prints a warning: something is missing, work goes on, the exit code will tell.
pub fn warn(line: &str) {
    say("warning", line);
}

/// Prints a note that changes nothing.
pub fn note(line: &str) {
    say("note", line);
}

/// Prints the next step after warnings.
pub fn hint(line: &str) {
    say("hint", line);
}

/// Writes an answer to standard output.
///
/// # Errors
/// When standard output can't be written; a closed pipe ends the tool with success.
pub fn answer(text: &str) -> anyhow::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

fn start_logging() {
    use tracing_subscriber::EnvFilter;
    let filter =
        EnvFilter::try_from_env("SEVENWALLS_LOG").unwrap_or_else(|_| EnvFilter::new("off"));
    // A second initialisation, in a test's process, keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init();
}

/// Ends the process with 130 on an interrupt. Nothing has to be undone: what is not committed does not exist.
fn exit_on_interrupt() {
    std::thread::spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return;
        };
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            std::process::exit(i32::from(EXIT_INTERRUPTED));
        }
    });
}

/// A progress bar on standard error, or nothing when that is no terminal. With an unknown total, a spinner.
pub fn progress(what: &str, total: Option<u64>) -> ProgressBar {
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(total, target);
    let template = if total.is_some() {
        "{msg} {bar:30} {pos}/{len} {per_sec} {eta}"
    } else {
        "{spinner} {msg} {pos} {elapsed}"
    };
    // The templates are constants of this function.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
