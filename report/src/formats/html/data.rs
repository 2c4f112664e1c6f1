//! The findings as the page's script reads them: every text once, and a list of numbers per finding.

use std::collections::HashMap;

use handoff::text::is_unprintable;
use serde::Serialize;
use serde_json::{Value, json};

use super::line::{Evidence, Fact, Line};
use super::status;
use crate::formats::json;

/// Texts and findings, counting the bytes that they will take.
#[derive(Debug, Default)]
pub struct Data {
    texts: Vec<String>,
    places: HashMap<String, usize>,
    /// Names of facts and how a fact of that name looks.
    names: Vec<(usize, u8)>,
    numbers: HashMap<(usize, u8), usize>,
    rows: Vec<Vec<Value>>,
    bytes: usize,
}

#[derive(Serialize)]
struct Document<'a> {
    /// Findings on a page.
    page: usize,
    texts: &'a [String],
    names: &'a [(usize, u8)],
    findings: &'a [Vec<Value>],
}

impl Data {
    /// Bytes it takes in the page.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a finding; `owner` is its owner's number in the list of owners.
    pub fn add(&mut self, line: &Line, owner: usize) {
        // The script knows these places.
        let row = vec![
            json!(self.text(&line.anchor)),
            json!(line.rule),
            json!(owner),
            json!(self.text(line.severity.name())),
            json!(self.text(status::code(line.status))),
            json!(u8::from(line.exposed)),
            json!(self.text(&line.resource)),
            json!(self.text(&line.reason)),
            json!(self.text(&line.check_id)),
            json!(line.owner.as_ref().map(|owner| self.text(owner))),
            json!(self.text(&line.region)),
            json!(self.text(&line.risk)),
        ];
        self.bytes += numbers(&row) + 3;
        self.rows.push(row);
    }

    /// Adds the evidence of the finding at a place of the list.
    pub fn open(&mut self, place: usize, evidence: &Evidence) {
        let command = evidence.command.as_ref();
        let mut row = vec![json!(command.map(|command| self.text(command)))];
        for fact in &evidence.facts {
            let name = self.name(fact);
            row.extend([json!(name), json!(self.text(&fact.text))]);
        }
        self.bytes += numbers(&row);
        self.rows[place].extend(row);
    }

    /// The number of a fact's name in its style.
    fn name(&mut self, fact: &Fact) -> usize {
        let style = u8::from(fact.style.has_name()) + 2 * u8::from(fact.style.has_text());
        let name = (self.text(&fact.name), style);
        match self.numbers.get(&name) {
            Some(number) => *number,
            None => {
                let number = self.names.len();
                self.bytes += name.0.to_string().len() + 5;
                self.names.push(name);
                self.numbers.insert(name, number);
                number
            }
        }
    }

    /// The number of a text.
    fn text(&mut self, text: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = self.texts.len();
        self.bytes += encoded(text) + 3;
        self.texts.push(text.to_owned());
        self.places.insert(text.to_owned(), place);
        place
    }

    /// The element that holds it. No text can end it: `<` is written as an escape, and elsewhere than in texts JSON has none.
    pub fn element(&self, page: usize) -> String {
        let document = Document {
            page,
            texts: &self.texts,
            names: &self.names,
            findings: &self.rows,
        };
        let mut bytes = Vec::with_capacity(self.bytes);
        // Writing numbers and texts to memory can't fail, and the encoder writes UTF-8.
        let encoded = match json::line(&mut bytes, &document) {
            Ok(()) => String::from_utf8(bytes).unwrap_or_default(),
            Err(_) => String::new(),
        };
        format!(
            "<script type=\"application/json\" id=\"data\">{}</script>\n",
            encoded.trim_end().replace('<', "\\u003c")
        )
    }
}

/// Bytes of a text between its quotes, as JSON in the page.
fn encoded(text: &str) -> usize {
    text.chars()
        .map(|c| match c {
            '"' | '\\' | '\n' => 2,
            '<' => 6,
            c if is_unprintable(c) => 6,
            c => c.len_utf8(),
        })
        .sum()
}

/// Bytes of numbers with a comma each.
fn numbers(row: &[Value]) -> usize {
    row.iter().map(|value| value.to_string().len() + 1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_the_element_and_the_count_of_bytes_is_right() {
        let mut data = Data::default();
        for text in [
            "</script><!--<script>",
            "a\"b\\c\nd",
            "é\u{2028}\u{202e}",
            "",
        ] {
            data.text(text);
        }
        let element = data.element(200);
        assert_eq!(element.matches('<').count(), 2, "{element}");
        assert!(!element.contains(['\u{2028}', '\u{202e}']), "{element}");
        let around = "<script type=\"application/json\" id=\"data\">{\"page\":200,\"texts\":[],\"names\":[],\"findings\":[]}</script>\n";
        // A comma less than there are texts.
        assert_eq!(element.len(), around.len() + data.bytes() - 1);
        let inside = element
            .split_once('>')
            .unwrap()
            .1
            .strip_suffix("</script>\n")
            .unwrap();
        let document: Value = serde_json::from_str(inside).unwrap();
        assert_eq!(document["texts"][0], "</script><!--<script>");
    }
}
