//! Pictures out of DOT, by Graphviz's `dot` with a time limit.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
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
    let mut child = Command::new("dot")
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
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        // All three pipes at once: a full one would stop dot and with it the others.
        let writer =
            scope.spawn(move || stdin.map_or(Ok(()), |mut pipe| pipe.write_all(dot.as_bytes())));
        let picture = scope.spawn(move || read_all(stdout));
        let complaint = scope.spawn(move || read_all(stderr));
        let ended = wait(&mut child, limit);
        let written = writer.join();
        let (picture, complaint) = (picture.join(), complaint.join());
        if !ended? {
            return Err(LayoutError::TimeOut(limit));
        }
        let status = child.wait()?;
        let picture = picture.ok().transpose()?.unwrap_or_default();
        let complaint = complaint.ok().transpose()?.unwrap_or_default();
        if !status.success() || picture.is_empty() {
            let text = String::from_utf8_lossy(&complaint);
            let first = text.lines().next().unwrap_or("no picture and no message");
            return Err(LayoutError::Failed(
                handoff::text::clip(first, 300).into_owned(),
            ));
        }
        written.ok().transpose()?;
        Ok(picture)
    })
}

fn read_all(pipe: Option<impl std::io::Read>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
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
    fn what_dot_says_is_passed_on() {
        let Err(LayoutError::Failed(text)) = render("digraph {", Format::Svg, TIME_LIMIT) else {
            panic!("half a graph was drawn")
        };
        assert!(text.contains("syntax error"), "{text}");
        assert!(render("digraph { a }", Format::Svg, TIME_LIMIT).is_ok());
    }
}
