//! The command line of `report`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Parser;
use handoff::run::Run;
use handoff::shell::{self, Exit, Hinted};

use crate::content::Content;
use crate::formats::Format;

/// Turns a run's findings into a report
///
/// Without --out, the report goes to standard output. With it, one file per format is written into the folder, and the
/// run goes to standard output, for the next tool.
///
/// Exit codes: 0 the report is written, whatever it says: that findings are open or verdicts unknown is in its first
/// lines; 2 no report; 3 the report is written, but `analyze` has not looked at the run or an earlier run of the lake
/// could not be read.
#[derive(Debug, Parser)]
#[command(name = "report", version, max_term_width = 100)]
struct Arguments {
    /// Run: <lake>/runs/<run id>, a lake (its latest run), a run id of ./lake, or `-` for standard input
    run: Option<String>,
    /// Format; may be given several times together with --out
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "markdown")]
    format: Vec<Format>,
    /// Folder to write to, made if needed: report.md, report.json, findings.csv, report.html, and so on
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Picture of the account for the markdown: a path relative to the report, or an https URL
    #[arg(long, value_name = "PATH")]
    diagram: Option<String>,
}

/// Runs the tool.
///
/// # Errors
/// When the run can't be read or the report can't be written.
pub fn run() -> anyhow::Result<Exit> {
    let arguments = Arguments::parse();
    if arguments.out.is_none() && arguments.format.len() > 1 {
        return Err(Hinted::new(
            "several formats can't share standard output",
            "give --out DIR to write one file each",
        )
        .into());
    }
    let diagram = arguments.diagram.as_deref().map(picture).transpose()?;
    let run = Run::find(arguments.run.as_deref())?;
    let mut exit = Exit::Done;
    let content = Content::read(&run, &mut |line| {
        shell::warn(&line);
        exit = Exit::Partial;
    })?;
    if content.evaluation.is_none() {
        shell::warn(&format!(
            "analyze has not looked at run {}: the report shows what was collected and evaluates nothing",
            run.id
        ));
        exit = Exit::Partial;
    }
    match &arguments.out {
        None => {
            let format = arguments
                .format
                .first()
                .copied()
                .unwrap_or(Format::Markdown);
            let bytes = format.render(&content, diagram.as_deref())?;
            std::io::Write::write_all(&mut std::io::stdout().lock(), &bytes)?;
        }
        Some(folder) => {
            for format in &arguments.format {
                write(
                    folder,
                    format.file_name(),
                    &format.render(&content, diagram.as_deref())?,
                )?;
            }
            shell::answer(&format!("{}\n", run.reference()))?;
        }
    }
    Ok(exit)
}

/// Writes beside and renames, so that a reader never meets half a report.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let target = handoff::storage::Folder::new(folder);
    let storage = handoff::storage::Storage::Local(target);
    storage
        .put(name, bytes)
        .with_context(|| format!("can't write {name}"))
}

/// The picture's address as markdown takes it; only what a browser loads as a picture from the report's own place or by https.
fn picture(path: &str) -> anyhow::Result<String> {
    let scheme = path.split_once(':').map(|(scheme, _)| scheme);
    if path.is_empty() || path.starts_with('/') || scheme.is_some_and(|scheme| scheme != "https") {
        let hint = "give a path relative to the report, such as landscape.svg, or an https URL";
        return Err(Hinted::new(
            format!("--diagram {path:?} is no address a reader of the report could load"),
            hint,
        )
        .into());
    }
    let mut address = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:?&=%+,;@!".contains(&byte) {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }

    #[test]
    fn pictures_are_relative_or_https() {
        assert_eq!(
            picture("pictures/land scape).svg").unwrap(),
            "pictures/land%20scape%29.svg"
        );
        assert_eq!(
            picture("https://example.com/a.svg?x=1").unwrap(),
            "https://example.com/a.svg?x=1"
        );
        for bad in [
            "",
            "/etc/passwd",
            "javascript:alert(1)",
            "http://example.com/a.svg",
        ] {
            assert!(picture(bad).is_err(), "{bad}");
        }
    }
}
