//! A page under construction: headings, paragraphs, tables, lists, none of which outgrows its room.

use std::fmt::Write as _;

use super::code;
use super::links::{INDEX, Links, Place};
use super::words::number;
use crate::content::finding::Finding;

/// Rows a table may have: GitHub renders longer ones, but nobody reads them.
pub const TABLE_ROWS: usize = 199;

/// Where the whole list is, for lines that say how much was left out.
pub const WHOLE_LIST: &str =
    "`report --out DIR`, `report --format json` and `analyze query` have more";

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table under construction. Cells hold markdown; pipes in code spans are escaped here and nowhere else.
#[derive(Debug)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<String>,
}

impl Table {
    /// An empty table.
    pub fn new(columns: &[(&str, Align)]) -> Self {
        Self::with_titles(
            columns
                .iter()
                .map(|&(title, align)| (title.to_owned(), align))
                .collect(),
        )
    }

    /// An empty table whose titles are markdown.
    pub fn with_titles(columns: Vec<(String, Align)>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row, one cell per column.
    pub fn row(&mut self, cells: &[String]) {
        debug_assert_eq!(cells.len(), self.columns.len(), "one cell per column");
        let mut line = String::from("|");
        for cell in cells {
            let cell = if cell.is_empty() {
                "–"
            } else {
                cell.as_str()
            };
            // Writing to a String can't fail.
            let _ = write!(line, " {} |", in_cell(cell));
        }
        self.rows.push(line);
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn head(&self) -> String {
        let titles: Vec<String> = self
            .columns
            .iter()
            .map(|(title, _)| in_cell(title))
            .collect();
        let rules: Vec<&str> = self
            .columns
            .iter()
            .map(|(_, align)| if *align == Align::Right { "--:" } else { ":--" })
            .collect();
        format!("| {} |\n| {} |\n", titles.join(" | "), rules.join(" | "))
    }
}

/// Markdown as a cell. Parsers disagree whether the pipe in `\\|` ends a cell, so a pipe after a backslash, which only code
/// spans have, is shown by the character that looks like it.
fn in_cell(markdown: &str) -> String {
    markdown.replace("\\|", "\\│").replace('|', "\\|")
}

/// The markdown of a chapter.
#[derive(Debug)]
pub struct Page<'a> {
    text: String,
    room: usize,
    links: &'a Links<'a>,
    file: String,
    /// How many levels the headings rise: a file of its own begins with the first.
    rise: usize,
    rest: String,
}

impl<'a> Page<'a> {
    /// The only page, or the first one, whose lists and tables stop growing at `room` bytes.
    pub fn new(room: usize, links: &'a Links<'a>) -> Self {
        Self {
            rise: 0,
            ..Self::of(INDEX, room, links)
        }
    }

    /// The page of another file of the folder, whose chapter is its title.
    pub fn of(file: &str, room: usize, links: &'a Links<'a>) -> Self {
        Self {
            text: String::new(),
            room,
            links,
            file: file.to_owned(),
            rise: 1,
            rest: WHOLE_LIST.to_owned(),
        }
    }

    /// Names the place where what is left out can be found, as a sentence without its end.
    pub fn rest_is(&mut self, place: &str) {
        place.clone_into(&mut self.rest);
    }

    /// Whether the report is a folder of files.
    pub fn is_folder(&self) -> bool {
        self.links.is_folder
    }

    /// The address of a chapter.
    pub fn chapter(&self, place: Place) -> String {
        self.links.chapter(&self.file, place)
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.text
    }

    /// Whether `bytes` more fit.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.text.len() + bytes <= self.room
    }

    /// Appends markdown as it is, which must end its last line.
    pub fn raw(&mut self, markdown: &str) {
        self.text.push_str(markdown);
    }

    /// A heading; `title` is markdown.
    pub fn heading(&mut self, level: usize, title: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let _ = writeln!(
            self.text,
            "{} {title}",
            "#".repeat(level - self.rise.min(level - 1))
        );
    }

    /// A paragraph of markdown.
    pub fn paragraph(&mut self, markdown: &str) {
        let _ = write!(self.text, "\n{markdown}\n");
    }

    /// A list; `noun`, in the singular, names what was left out when it had to be cut.
    pub fn list(&mut self, entries: &[String], limit: usize, noun: &str) {
        self.text.push('\n');
        let mut shown = 0;
        for entry in entries.iter().take(limit) {
            if !self.has_room(entry.len()) {
                break;
            }
            let _ = writeln!(self.text, "{entry}");
            shown += 1;
        }
        if shown == 0 {
            // The blank line before the list would meet that of the next paragraph.
            self.text.pop();
        }
        self.left_out(entries.len() - shown, noun);
    }

    /// A table of at most `limit` rows; `noun`, in the singular, names what was left out when it had to be cut.
    pub fn table(&mut self, table: &Table, limit: usize, noun: &str) {
        if table.is_empty() {
            return;
        }
        let limit = limit.min(TABLE_ROWS);
        let mut shown = 0;
        let head = table.head();
        if self.has_room(head.len() + table.rows[0].len()) {
            let _ = write!(self.text, "\n{head}");
            for row in table.rows.iter().take(limit) {
                if !self.has_room(row.len()) {
                    break;
                }
                let _ = writeln!(self.text, "{row}");
                shown += 1;
            }
        }
        self.left_out(table.rows.len() - shown, noun);
    }

    /// Says how much was left out, if anything was.
    pub fn left_out(&mut self, count: usize, noun: &str) {
        if count > 0 {
            let (are, plural) = if count == 1 { ("is", "") } else { ("are", "s") };
            self.paragraph(&format!(
                "{} more {noun}{plural} {are} left out to keep the report readable: {}.",
                number(count as u64),
                self.rest
            ));
        }
    }

    /// A link to a finding's evidence, where this report has it; else nothing.
    pub fn evidence(&self, finding: &Finding) -> String {
        self.links
            .finding(&self.file, finding)
            .map_or_else(String::new, |address| format!("[evidence]({address})"))
    }

    /// A resource as a code span that links to the finding's evidence, where this report has it.
    pub fn linked(&self, finding: &Finding) -> String {
        let label = resource(finding);
        match self.links.finding(&self.file, finding) {
            Some(address) => format!("[{label}]({address})"),
            None => label,
        }
    }
}

/// What a finding is about, in a few characters.
pub fn resource(finding: &Finding) -> String {
    if finding.is_account() {
        format!("account {}", code(&finding.account_id))
    } else {
        code(finding.resource_label())
    }
}
