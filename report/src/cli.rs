//! The command line of `report`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use handoff::run::Run;
use handoff::shell::{self, Exit, Hinted};
use handoff::storage::Storage;

use crate::chapters::RULES;
use crate::content::Content;
use crate::content::attest::Attestations;
use crate::formats::{Format, folder};
use crate::markdown::escape::address;
use crate::markdown::links::INDEX;
use crate::pictures::Pictures;

/// Turns a run's findings into a report
///
/// Without --out, the report goes to standard output. With it, the folder gets the markdown as several files that begin
/// with report.md, and one file of each other format, and the run goes to standard output, for the next tool.
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
    /// Folder or s3://bucket/prefix to write to, made if needed: report.md and what it links to, report.json, findings.csv,
    /// report.html, and so on
    #[arg(long, value_name = "DIR")]
    out: Option<String>,
    /// Picture of the account for the markdown: a path relative to the report, or an https URL
    #[arg(long, value_name = "PATH")]
    diagram: Option<String>,
    /// Folder of SVG and PNG files, as `diagram --out` writes them, to take into the folder of --out
    #[arg(long, value_name = "DIR", requires = "out")]
    pictures: Option<PathBuf>,
    /// What people attest: penetration tests, drills and what else no call to AWS can tell
    #[arg(long, value_name = "FILE")]
    attestations: Option<PathBuf>,
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
    let mut content = Content::read(&run, &mut |line| {
        shell::warn(&line);
        exit = Exit::Partial;
    })?;
    if let Some(path) = &arguments.attestations {
        let attestations = Attestations::load(path, &content, &mut |line| shell::warn(&line))?;
        content.attest(attestations);
    }
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
        Some(location) => {
            let folder = &Storage::open(location)?;
            let pictures = match &arguments.pictures {
                Some(pictures) => Pictures::load(pictures, &mut |line| shell::warn(&line))?,
                None => Pictures::default(),
            };
            for format in &arguments.format {
                match format {
                    Format::Markdown => {
                        write_folder(folder, &content, diagram.as_deref(), &pictures)?;
                    }
                    other => {
                        let bytes = other.render(&content, diagram.as_deref())?;
                        write(folder, other.file_name(), &bytes)?;
                    }
                }
            }
            shell::answer(&format!("{}\n", run.reference()))?;
        }
    }
    Ok(exit)
}

/// Writes the markdown as files, the first to be read last, then takes away the evidence files of an earlier report that
/// had more of them.
fn write_folder(
    folder: &Storage,
    content: &Content,
    diagram: Option<&str>,
    pictures: &Pictures,
) -> anyhow::Result<()> {
    for picture in pictures.iter() {
        write(folder, &picture.path(), &picture.bytes)?;
    }
    let files = folder::render(content, diagram, pictures);
    let (index, rest): (Vec<_>, Vec<_>) = files.iter().partition(|(name, _)| name == INDEX);
    for (name, text) in rest.into_iter().chain(index) {
        write(folder, name, text.as_bytes())?;
    }
    let written: BTreeSet<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    for below in ["", "evidence"] {
        let level = folder
            .level(below)
            .with_context(|| format!("can't read {folder}"))?;
        for object in level.objects {
            if is_part(&object.key) && !written.contains(object.key.as_str()) {
                folder.remove(&object.key).with_context(|| {
                    format!("can't remove {}, which is of an earlier report", object.key)
                })?;
            }
        }
    }
    Ok(())
}

/// Whether a file is one of those whose number depends on how much there is to tell.
fn is_part(name: &str) -> bool {
    let number = name
        .strip_suffix(".md")
        .and_then(|stem| stem.rsplit_once("-part-"))
        .filter(|(what, _)| {
            *what == "owners"
                || RULES
                    .iter()
                    .any(|rule| *what == format!("evidence/{}", rule.file_stem()))
        })
        .map(|(_, number)| number);
    number.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Writes a file whole, so that a reader never meets half of it.
fn write(folder: &Storage, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    folder
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
    Ok(address(path))
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
    fn only_parts_of_a_report_are_ever_removed() {
        assert!(is_part("evidence/1-tags-part-12.md") && is_part("owners-part-2.md"));
        for other in [
            "owners.md",
            "evidence/notes.md",
            "evidence/mine-part-2.md",
            "evidence/1-tags-part-.md",
            "x-part-2.md",
        ] {
            assert!(!is_part(other), "{other}");
        }
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
