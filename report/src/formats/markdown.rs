//! The markdown file: chapters in their order, below a size that GitHub shows.
//!
//! Every chapter has its room, and evidence gets what the others leave. Which findings have evidence must be known before
//! anything links to it, so the chapters are written twice: first with every link, to learn how much room is left, then
//! with the links that have a target.

use std::collections::BTreeSet;

use crate::chapters::{
    RULES, appendix, changes, evidence, owners, risks, rule, rules, scope, scoreboard,
};
use crate::content::Content;
use crate::content::finding::Status;
use crate::markdown::Page;

/// Size the file stays below, in bytes; GitHub shows larger ones as raw text.
pub const LIMIT: usize = 300_000;

const SUMMARY_ROOM: usize = 40_000;
const OWNERS_ROOM: usize = 60_000;
const RULE_ROOM: usize = 14_000;
const APPENDIX_ROOM: usize = 40_000;
/// Kept free for the paragraphs and headings that chapters write whether or not there is room.
const RESERVE: usize = 12_000;

/// Writes the report.
pub fn render(content: &Content, diagram: Option<&str>) -> String {
    let every: BTreeSet<&str> = content
        .evaluation
        .iter()
        .flat_map(|evaluation| evaluation.of(Status::Fail))
        .map(|finding| finding.anchor.as_str())
        .collect();
    let (before, after) = chapters(content, diagram, &every);
    let room = LIMIT.saturating_sub(before.len() + after.len() + 2);
    let evidence = evidence::write(content, room);
    let (before, after) = chapters(content, diagram, &evidence.anchors);
    let parts = [before, evidence.text, after];
    parts
        .iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The chapters before and after the evidence.
fn chapters<'a>(
    content: &'a Content,
    diagram: Option<&str>,
    linked: &'a BTreeSet<&'a str>,
) -> (String, String) {
    let page = |room: usize| Page::new(room, linked);
    let mut summary = page(SUMMARY_ROOM);
    scope::write(&mut summary, content);
    scoreboard::write(&mut summary, content);
    rules::write(&mut summary, content);
    risks::write(&mut summary, content, diagram);
    changes::write(&mut summary, content);
    let mut to_do = page(OWNERS_ROOM);
    owners::write(&mut to_do, content);
    let mut texts = vec![summary.into_text(), to_do.into_text()];
    for each in RULES {
        let mut chapter = page(RULE_ROOM);
        rule::write(&mut chapter, content, each);
        texts.push(chapter.into_text());
    }
    texts.retain(|text| !text.is_empty());
    let mut last = page(APPENDIX_ROOM);
    appendix::write(&mut last, content);
    (texts.join("\n"), last.into_text())
}

// What the chapters may take together leaves room for evidence.
const _: () = assert!(SUMMARY_ROOM + OWNERS_ROOM + 7 * RULE_ROOM + APPENDIX_ROOM + RESERVE < LIMIT);
