//! Pictures out of DOT, by Graphviz's `dot` with a time limit.

use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long `dot` may work on one picture.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

/// What `dot` draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Scalable, with links and tooltips.
    Svg,
    /// Pixels.
    Png,
}

impl Format {
    /// Ending of files, which is also what `dot -T` calls it.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

/// A picture that could not be laid out.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// Graphviz is not installed.
    #[error(
        "can't render: there is no `dot` on the PATH; install Graphviz, or leave --render out and render the DOT elsewhere"
    )]
    Missing,
    /// `dot` could not be started or spoken to.
    #[error("can't run dot: {0}")]
    Io(#[from] std::io::Error),
    /// `dot` took too long.
    #[error("dot gave no picture within {} seconds; lower --max-nodes or narrow the filter", .0.as_secs())]
    TimeOut(Duration),
    /// `dot` refused.
    #[error("dot failed: {0}")]
    Failed(String),
}

/// Draws `dot`.
///
/// # Errors
/// When Graphviz is missing, refuses, or takes longer than `limit`.
pub fn render(dot: &str, format: Format, limit: Duration) -> Result<Vec<u8>, LayoutError> {
    render_by(Path::new("dot"), dot, format, limit)
}

fn render_by(
    program: &Path,
    dot: &str,
    format: Format,
    limit: Duration,
) -> Result<Vec<u8>, LayoutError> {
    let mut child = Command::new(program)
        .arg(format!("-T{}", format.ending()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                LayoutError::Missing
            } else {
                LayoutError::Io(error)
            }
        })?;
    // All three pipes at once: a full one would stop dot and with it the others.
    let source = dot.as_bytes().to_vec();
    let writer = child
        .stdin
        .take()
        .map(|mut pipe| std::thread::spawn(move || pipe.write_all(&source)));
    let picture = child.stdout.take().map(read_all);
    let complaint = child.stderr.take().map(read_all);
    if !wait(&mut child, limit)? {
        // Nobody waits for the pipes: where `dot` is a script, what it started may hold them for as long as it likes.
        return Err(LayoutError::TimeOut(limit));
    }
    let status = child.wait()?;
    let written = writer.map_or(Ok(()), joined);
    let picture = picture.map_or(Ok(Vec::new()), joined)?;
    let complaint = complaint.map_or(Ok(Vec::new()), joined)?;
    if !status.success() || picture.is_empty() {
        let text = String::from_utf8_lossy(&complaint);
        let first = text.lines().next().unwrap_or("no picture and no message");
        return Err(LayoutError::Failed(
            handoff::text::clip(first, 300).into_owned(),
        ));
    }
    written?;
    Ok(picture)
}

/// Reads a pipe to its end, beside everything else.
fn read_all(mut pipe: impl Read + Send + 'static) -> JoinHandle<std::io::Result<Vec<u8>>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// What a thread came back with.
fn joined<T>(thread: JoinHandle<std::io::Result<T>>) -> std::io::Result<T> {
    thread
        .join()
        .unwrap_or_else(|_| Err(std::io::Error::other("a pipe's thread ended early")))
}

/// Whether the child ended by itself; it is ended when the time is up.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<bool> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        if child.try_wait()?.is_some() {
            return Ok(true);
        }
        if start.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_takes_too_long_is_given_up() {
        let result = render("digraph { a -> b }", Format::Svg, Duration::ZERO);
        assert!(matches!(result, Err(LayoutError::TimeOut(_))), "{result:?}");
    }

    #[test]
    fn what_a_script_started_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let late = folder.path().join("late");
        // What outlives the script has its output open, and leaves a file before it lets go.
        let script = format!("#!/bin/sh\n(sleep 10; : > '{}') &\nwait\n", late.display());
        let program = folder.path().join("dot");
        std::fs::write(&program, script).unwrap();
        let mut mode = std::fs::metadata(&program).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
        std::fs::set_permissions(&program, mode).unwrap();
        let result = render_by(&program, "graph {}", Format::Svg, Duration::ZERO);
        assert!(matches!(result, Err(LayoutError::TimeOut(_))), "{result:?}");
        assert!(!late.exists(), "the limit holds for all that dot is");
    }

    #[test]
    fn what_dot_says_is_passed_on() {
        let Err(LayoutError::Failed(text)) = render("digraph {", Format::Svg, TIME_LIMIT) else {
            panic!("half a graph was drawn")
        };
        assert!(text.contains("syntax error"), "{text}");
        assert!(render("digraph { a }", Format::Svg, TIME_LIMIT).is_ok());
    }
}
