//! The formats of the report, one file each, all fed by the same [`crate::content::Content`].

pub mod csv;
pub mod folder;
pub mod html;
pub mod json;
pub mod junit;
pub mod line;
pub mod markdown;
pub mod markup;
pub mod ocsf;
pub mod sarif;

use std::io;

use crate::content::Content;

/// A format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people, as GitHub and GitLab show it.
    Markdown,
    /// Everything, for programs; schema/ describes it.
    Json,
    /// Findings that do not pass, for spreadsheets.
    Csv,
    /// One page to open in a browser, with search and filters.
    Html,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// OCSF 1.8.0 findings, one event per line, for a SIEM.
    Ocsf,
    /// JUnit XML, for continuous integration: a suite per rule, a test case per finding.
    Junit,
    /// One line of figures, for a monitor.
    Line,
}

impl Format {
    /// Name of its file in the folder of `--out`.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Markdown => "report.md",
            Self::Json => "report.json",
            Self::Csv => "findings.csv",
            Self::Html => "report.html",
            Self::Sarif => "report.sarif",
            Self::Ocsf => "findings.ocsf.jsonl",
            Self::Junit => "report.junit.xml",
            Self::Line => "line.txt",
        }
    }

    /// The report in this format. `diagram` is where the picture for the markdown is.
    ///
    /// # Errors
    /// When it can't be encoded, which no content is known to cause.
    pub fn render(self, content: &Content, diagram: Option<&str>) -> io::Result<Vec<u8>> {
        match self {
            Self::Markdown => Ok(markdown::render(content, diagram).into_bytes()),
            Self::Json => json::render(content),
            Self::Csv => csv::render(content),
            Self::Html => Ok(html::render(content).into_bytes()),
            Self::Sarif => sarif::render(content),
            Self::Ocsf => ocsf::render(content),
            Self::Junit => Ok(junit::render(content).into_bytes()),
            Self::Line => Ok(line::render(content).into_bytes()),
        }
    }
}
