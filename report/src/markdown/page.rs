//! A page under construction: headings, paragraphs, tables, lists, none of which outgrows its room.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::code;
use super::words::number;
use crate::content::finding::Finding;

/// Rows a table may have: GitHub renders longer ones, but nobody reads them.
pub const TABLE_ROWS: usize = 199;

/// Where the whole list is, for lines that say how much was left out.
pub const WHOLE_LIST: &str = "`report --format json` and `analyze query` have everything";

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
    evidenced: &'a BTreeSet<&'a str>,
}

impl<'a> Page<'a> {
    /// A page whose lists and tables stop growing at `room` bytes. Only findings whose anchors are in `evidenced` are linked.
    pub fn new(room: usize, evidenced: &'a BTreeSet<&'a str>) -> Self {
        Self {
            text: String::new(),
            room,
            evidenced,
        }
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
        let _ = writeln!(self.text, "{} {title}", "#".repeat(level));
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
                "{} more {noun}{plural} {are} left out to keep the report readable: {WHOLE_LIST}.",
                number(count as u64)
            ));
        }
    }

    /// A link to a finding's evidence, where this report has it; else nothing.
    pub fn evidence(&self, finding: &Finding) -> String {
        if self.evidenced.contains(finding.anchor.as_str()) {
            format!("[evidence](#{})", finding.anchor)
        } else {
            String::new()
        }
    }

    /// A resource as a code span that links to the finding's evidence, where this report has it.
    pub fn linked(&self, finding: &Finding) -> String {
        let label = resource(finding);
        if self.evidenced.contains(finding.anchor.as_str()) {
            format!("[{label}](#{})", finding.anchor)
        } else {
            label
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
