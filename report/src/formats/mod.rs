//! The formats of the report, one file each, all fed by the same [`crate::content::Content`].

pub mod csv;
pub mod folder;
pub mod json;
pub mod markdown;

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
}

impl Format {
    /// Name of its file in the folder of `--out`.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Markdown => "report.md",
            Self::Json => "report.json",
            Self::Csv => "findings.csv",
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
        }
    }
}
